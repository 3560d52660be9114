"""What a view sounds like. The words are those that are shown, so that nothing has to be recorded and nothing is said
that cannot be read.

Everybody in the hall hears it: a NIK and any other number of sixteen digits is told by its last four alone, also where
the screen shows more of it, and what somebody types is never told.
"""

import re
from collections.abc import Iterator

from config.translations import say
from kiosk.views import View

#: A NIK or family number, whole, in groups or masked.
LONG_NUMBER = re.compile(r"(?<!\d)[\d*](?:[ .-]?[\d*]){11}[ .-]?(\d)[ .-]?(\d)[ .-]?(\d)[ .-]?(\d)(?!\d)")
#: «A-012» and «P-2026-00014» are told digit by digit, as such numbers are called out.
CALLED = re.compile(r"\b([A-Z])((?:-\d+)+)\b")
#: What is drawn and not said: the mask of a name («S*** A*****»), quotes, dots between facts, ends of lines.
MASK, QUOTES, BREAKS = re.compile(r"\*+"), re.compile("[«»]"), re.compile(r"\.?\s*[·\n]\s*")
SENTENCE_ENDS = ".?!:"


def spoken(view: View, language: str) -> str:
    """`view` in words for a voice of that language: title, error, text, facts and notices, then what can be touched,
    in the order of the screen."""
    if view.voice:
        return view.voice
    return " ".join(_sentence(_aloud(text, language)) for text in _texts(view, language) if text)


def _texts(view: View, language: str) -> Iterator[str]:
    yield view.title
    for name in ("error", "text", "big", "label", "hint", "notice"):
        yield getattr(view, name, "")
    for fact in getattr(view, "facts", ()):
        yield f"{fact.label}: {fact.value}"
    yield from getattr(view, "notices", ())
    suggestions = getattr(view, "suggestions", ())
    choices = [choice for choice in getattr(view, "choices", ()) if not choice.quiet]
    if suggestions or choices:
        yield say(language, "you_can_touch")
    yield from suggestions
    for choice in choices:
        yield choice.label
        yield choice.detail  # of one that is not available, why


def _aloud(text: str, language: str) -> str:
    text = LONG_NUMBER.sub(lambda number: say(language, "number_that_ends_in", digits=" ".join(number.groups())), text)
    text = CALLED.sub(lambda number: f"{number[1]} {', '.join(map(' '.join, number[2].split('-')[1:]))}", text)
    return BREAKS.sub(". ", QUOTES.sub("", MASK.sub("", text))).strip()


def _sentence(text: str) -> str:
    return text if text.endswith(tuple(SENTENCE_ENDS)) else f"{text}."
