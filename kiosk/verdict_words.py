"""What a checked code is, in words that anybody understands: the same on the kiosk and on the page that a phone opens.

Facts are masked as the code has them: it may be somebody else's letter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from config.translations import in_language, say
from kiosk.codes import (
    Damaged,
    Expired,
    Genuine,
    KeyRevoked,
    LetterFacts,
    NotFromHere,
    Origin,
    RequestSlip,
    Verdict,
    Withdrawn,
)
from kiosk.letter_types import LetterType
from kiosk.office import KnownRequest
from kiosk.paper.text import date_in_words
from kiosk.views import Fact


@dataclass(frozen=True, repr=False)
class Told:
    """`tone` is "good", "waiting", "attention" or "bad"."""

    tone: str
    title: str
    text: str
    facts: tuple[Fact, ...] = ()


def tell(verdict: Verdict | KnownRequest, language: str, letter_types: Mapping[str, LetterType], timezone: str) -> Told:
    """`timezone` is the one of who reads it: in it the last news of withdrawals has its date."""
    tone, title, text = _words(verdict)
    facts = _Facts(language, letter_types, ZoneInfo(timezone)).of(verdict)
    return Told(tone, say(language, title), say(language, text), facts)


def _words(verdict: Verdict | KnownRequest) -> tuple[str, str, str]:
    """Tone, and the messages of title and text."""
    match verdict:
        case Genuine(origin=Origin(news=None)):
            return "good", "letter_genuine", "compare_with_your_letter"
        case Genuine(origin=Origin(news=news)) if news.made_at is None:
            return "attention", "letter_genuine_elsewhere", "withdrawals_unheard"
        case Genuine(origin=Origin(news=news)) if news.old:
            return "attention", "letter_genuine_elsewhere", "withdrawals_old"
        case Genuine():
            return "good", "letter_genuine_elsewhere", "compare_with_your_letter"
        case Expired():
            return "attention", "letter_expired", "compare_with_your_letter"
        case Withdrawn(origin=Origin(news=None)):
            return "bad", "letter_withdrawn", "letter_withdrawn_ask_desk"
        case Withdrawn():
            return "bad", "letter_withdrawn", "letter_withdrawn_ask_village"
        case KeyRevoked():
            return "bad", "code_key_revoked", "code_key_revoked_detail"
        case Damaged():
            return "bad", "code_damaged", "code_damaged_ask_desk"
        case NotFromHere():
            return "attention", "code_not_from_here", "code_not_from_here_detail"
        case RequestSlip():
            return "attention", "slip_elsewhere", "slip_elsewhere_detail"
        case KnownRequest(state=state):
            return "waiting", "request_slip", f"state_{state}"
    raise TypeError(f"no words for {type(verdict).__name__}")


@dataclass(frozen=True)
class _Facts:
    language: str
    letter_types: Mapping[str, LetterType]
    zone: ZoneInfo

    def of(self, verdict: Verdict | KnownRequest) -> tuple[Fact, ...]:
        match verdict:
            case Genuine(facts, origin) | Expired(facts, origin) | Withdrawn(facts, origin):
                return (*self._letter(facts, origin), *self._news(origin))
            case KeyRevoked(origin) | RequestSlip(origin=origin):
                return (self._village(origin),)
            case KnownRequest(number=number, letter_type=letter_type):
                return self._fact("your_request_number", number), self._letter_type(letter_type)
        return ()

    def _letter(self, facts: LetterFacts, origin: Origin) -> tuple[Fact, ...]:
        return (
            *(() if origin.news is None else (self._village(origin),)),
            self._letter_type(facts.letter_type),
            self._fact("letter_number", facts.letter_number),
            self._fact("owner", facts.masked_name),
            self._fact("issued_on", date_in_words(facts.issued_on, self.language)),
            self._fact("valid_until", date_in_words(facts.valid_until, self.language)),
        )

    def _news(self, origin: Origin) -> tuple[Fact, ...]:
        if origin.news is None or origin.news.made_at is None:
            return ()
        made_on = origin.news.made_at.astimezone(self.zone).date()
        return (self._fact("withdrawals_as_of", date_in_words(made_on, self.language)),)

    def _village(self, origin: Origin) -> Fact:
        return self._fact("issuing_village", origin.village_name)

    def _letter_type(self, key: str) -> Fact:
        """A type that the village has since removed, or that another village has, is called by its key."""
        letter_type = self.letter_types.get(key)
        return self._fact("letter_type", in_language(letter_type.name, self.language) if letter_type else key)

    def _fact(self, label: str, value: str) -> Fact:
        return Fact(say(self.language, label), value)
