"""What a touch means. Screens post these on the bus; each carries the serial of the scene it was made on."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Intent:
    serial: int


@dataclass(frozen=True)
class Chosen(Intent):
    value: str


@dataclass(frozen=True)
class Entered(Intent):
    text: str = field(repr=False)  # a PIN, a NIK, a name: never in a log


def is_digits(text: str, count: int) -> bool:
    """Whether a keypad's answer is one: a step does not rely on the screen."""
    return len(text) == count and text.isascii() and text.isdecimal()


@dataclass(frozen=True)
class WentBack(Intent):
    pass


@dataclass(frozen=True)
class Left(Intent):
    """«Keluar» or «Batal»: the visit ends."""


@dataclass(frozen=True)
class LanguageChosen(Intent):
    language: str


@dataclass(frozen=True)
class TextSizeToggled(Intent):
    pass


@dataclass(frozen=True)
class HelpAsked(Intent):
    pass


@dataclass(frozen=True)
class ListenAsked(Intent):
    """«Dengarkan»: read out what is shown, now and from here on; while it is being read out, be silent again."""


@dataclass(frozen=True)
class StillHere(Intent):
    """The warning was answered, or a key was pressed that is no intent yet (typing extends the visit)."""
