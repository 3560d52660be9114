"""The translation catalogue: one table per message, all languages side by side, in `messages.toml`.

Indonesian is complete; a message that Javanese or English lacks is shown in Indonesian.
"""

import tomllib
from functools import cache
from importlib.resources import files

LANGUAGES = ("id", "jv", "en")


@cache
def messages() -> dict[str, dict[str, str]]:
    """Message key → language → text with `{placeholders}`."""
    return tomllib.loads((files(__package__) / "messages.toml").read_text("utf-8"))


def say(language: str, key: str, **values: object) -> str:
    """The message in that language. Raises KeyError for a key that the catalogue does not have."""
    message = messages()[key]
    return message.get(language, message["id"]).format(**values)


def in_language(words: dict[str, str], language: str) -> str:
    """Of words that the settings or a letter type give in several languages, those in `language`, or in Indonesian."""
    return words.get(language, words["id"])
