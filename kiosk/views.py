"""What a step wants shown, without a pixel in it.

A step describes; a screen draws. There are few kinds of view and many steps. All text is already in the visitor's
language. A view may hold the visitor's own data, so its repr shows none of it.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, repr=False)
class Choice:
    """One thing that can be tapped. `icon` is a name in `screens/icons.py`; `value` comes back in `Chosen`."""

    value: str
    label: str
    icon: str = ""
    detail: str = ""  # a second, smaller line
    prominent: bool = False  # the one most people want
    available: bool = True  # False: shown greyed with `detail` saying why; a tap on it still comes back
    quiet: bool = False  # for staff: small and out of the way


@dataclass(frozen=True, repr=False)
class Fact:
    """A label and what stands beside it: «Nama / SITI AMINAH»."""

    label: str
    value: str


@dataclass(frozen=True, repr=False)
class View:
    """`voice` is what is said of it where its written words read badly; see `kiosk/voice.py`."""

    title: str
    text: str = ""
    voice: str = field(default="", kw_only=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


@dataclass(frozen=True, repr=False)
class IdleView(View):
    """Nobody is here: the title invites a touch anywhere (`Chosen("start")`). `village` stands above it; each notice
    is a line such as «Mesin cetak sedang terganggu»."""

    village: str = ""
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class ChoiceView(View):
    """Big buttons; the screen pages them where they do not fit. Answers `Chosen(value)`."""

    choices: tuple[Choice, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class FormView(View):
    """One field, an on-screen keyboard (letters, digits, punctuation), ready-made answers to tap. Answers
    `Entered(text)`; the screen does not let a text shorter than `shortest` or longer than `longest` through.
    `progress` is (this field, of how many), counted from 1."""

    label: str = ""
    value: str = ""
    hint: str = ""
    error: str = ""
    suggestions: tuple[str, ...] = ()
    shortest: int = 0
    longest: int = 100
    lines: int = 2  # that the field shows where there is room
    progress: tuple[int, int] = (1, 1)


@dataclass(frozen=True, repr=False)
class KeypadView(View):
    """Digits only. Answers `Entered(digits)` by itself once `digits_count` are there, which is a multiple of 3 or 4. A
    secret one shows dots and speaks nothing."""

    digits_count: int = 6
    secret: bool = False
    error: str = ""
    choices: tuple[Choice, ...] = ()  # «Lupa PIN»


@dataclass(frozen=True, repr=False)
class NumberView(View):
    """A field of digits, as many as there are up to `longest`, by the keypad with a «Lanjut». Answers
    `Entered(digits)`. `grouped` shows them as a number, «1.500.000», after the `prefix`. `progress` as with a form."""

    value: str = ""
    error: str = ""
    prefix: str = ""
    grouped: bool = False
    longest: int = 16
    choices: tuple[Choice, ...] = ()
    progress: tuple[int, int] = (1, 1)


@dataclass(frozen=True, repr=False)
class DateView(View):
    """Day, month and year by the keypad, with a «Lanjut»; the date is said in words once it is there. Value and answer
    are its digits, «24112026», or those that there are."""

    value: str = ""
    error: str = ""
    choices: tuple[Choice, ...] = ()
    progress: tuple[int, int] = (1, 1)


@dataclass(frozen=True, repr=False)
class PresentCardView(View):
    """A moving picture of a card on its way to the reader. Choices are other ways in («Pakai NIK»). `direction` is
    where the reader is, seen from the screen: "below", "right" or "left"."""

    direction: str = "below"
    error: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, repr=False)
class ScanView(View):
    """A moving picture of a code on its way to the scanner; `direction` as with a card."""

    direction: str = "below"
    error: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, repr=False)
class PhotoView(View):
    """What the camera sees now (`Face.show_frame`), or the photo that it took: `picture` is a JPEG. `notice` says in
    small letters what the photo is for."""

    picture: bytes | None = None
    error: str = ""
    notice: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, repr=False)
class ProgressView(View):
    """Something takes a while. `fraction` is 0 to 1, or None where nobody can tell."""

    fraction: float | None = None


@dataclass(frozen=True, repr=False)
class ReviewView(View):
    """The resident's own data to read over, page by page where needed; then the choices."""

    facts: tuple[Fact, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, repr=False)
class ResultView(View):
    """How it ended. `tone` is "good", "waiting", "attention" or "bad"; `big` is drawn very large (a queue number)."""

    tone: str = "good"
    big: str = ""
    facts: tuple[Fact, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, repr=False)
class NoticeView(View):
    """Plain words about something that does not work, a question, or (tone "help") the way to the desk. `big` is drawn
    very large (a queue number); `code` is small, for the technician."""

    tone: str = "attention"
    big: str = ""
    code: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, repr=False)
class TouchGridView(View):
    """Squares over the whole panel, without anything around them. Answers `Chosen("touched")` once the finger was on
    every one, `Chosen("give_up")` when the middle one is touched a second time."""


@dataclass(frozen=True, repr=False)
class ColourView(View):
    """One colour ("FF0000") over the whole panel and not a dot else: not even the title, which only names it. A touch
    answers `Chosen("next")`."""

    colour: str = "FFFFFF"


@dataclass(frozen=True)
class Scene:
    """A view and all that surrounds it. `serial` grows with each scene: an intent carries the serial of the scene
    that it was made on, so a tap meant for the last screen does nothing on the next."""

    serial: int
    view: View
    language: str = "id"  # "id", "jv" or "en"
    large_text: bool = False
    can_go_back: bool = False
    can_leave: bool = False  # a «Keluar» that ends the visit
    leaving_loses: bool = False  # that is a «Batal», as something typed would be lost
    can_ask_help: bool = False
    can_listen: bool = False  # «Dengarkan»: a voice reads out what is shown
    listens: bool = False  # it was asked for, and goes on with each view
    fresh: bool = field(default=True)  # False: the same step again (language, size, error): keep what was typed


@dataclass(frozen=True)
class Warning:
    """«Anda masih di sini?» over whatever is shown. Any touch is `StillHere`."""

    seconds_left: int
