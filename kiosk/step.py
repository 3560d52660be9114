"""A step is one moment of a visit, without a pixel.

`view()` says what is shown, `on()` says what follows an event. An event that a step does not name changes nothing.
Steps run on the visit's thread and never wait: what takes time goes through `Wait`, whose call runs on a worker.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kiosk.views import ProgressView, View

if TYPE_CHECKING:
    from kiosk.office import Office
    from kiosk.visit import Visit


class EndReason(StrEnum):
    DONE = "done"
    LEFT = "left"  # the visitor said so
    IDLE = "idle"  # nobody answered the warning
    OTHER_CARD = "other_card"
    CARD_TAKEN = "card_taken"  # a cradle's card was taken away
    ERROR = "error"


@dataclass(frozen=True)
class End:
    """What `on` returns when the visit is over."""

    reason: EndReason = EndReason.DONE


@dataclass(frozen=True)
class Anew:
    """What `on` returns when somebody else takes over: the visit ends and is wiped, and another begins with `step`."""

    step: "Step"


class Patience(StrEnum):
    """How long a step waits for its visitor."""

    VISITOR = "visitor"  # then «are you still here?»
    RESULT = "result"  # all is said; go back to idle soon
    MACHINE = "machine"  # the kiosk is working: a limit of its own, then an apology


@dataclass(frozen=True)
class Back:
    """What `on` returns where a choice means the same as «Kembali»."""


Next = "Step | End | Anew | Back | None"


class Step:
    patience = Patience.VISITOR
    returnable = True  # «Kembali» on a later step may come back here
    final = False  # something was done that cannot be taken back: no way back from here
    leaves = True  # «Keluar» is offered; a step that has its own «Selesai» does not
    loses = False  # leaving would lose what was typed: it is called «Batal»
    offers_help = True
    read_aloud = True  # to whoever asked for the voice
    listens_for_code = False  # the scanner looks for a code while this step is shown
    watches_camera = False  # the camera is on, and what it sees is shown where the view has room for it
    #: Shown only if it is still the step after this time, so that a quick answer makes no flicker.
    shown_after_s = 0.0

    def enter(self, visit: "Visit") -> None:
        """Called once, when the visit arrives here."""

    def view(self, visit: "Visit") -> View:
        raise NotImplementedError

    def on(self, event: Any, visit: "Visit") -> Next:
        """The step that follows, `self` to be shown again, `End`, `Anew`, `Back`, or None when the event means nothing
        here."""
        raise NotImplementedError


@dataclass(frozen=True)
class Reply:
    """The answer to a step's `visit.ask`."""

    visit_id: str
    asked: int
    value: Any = field(repr=False)


@dataclass(frozen=True)
class Failed:
    """A step's `visit.ask` raised."""

    visit_id: str
    asked: int
    error: Exception


class Wait(Step):
    """Asks the office something on a worker, shows that it is working, and goes on with the answer.

    An exception of the call is the visit's: it ends on the apology.
    """

    patience = Patience.MACHINE
    returnable = False
    leaves = False
    shown_after_s = 0.15

    def __init__(self, call: "Callable[[Office], Any]", then: Callable[[Any], Next]) -> None:
        self._call, self._then = call, then

    def enter(self, visit: "Visit") -> None:
        visit.ask(self._call)

    def view(self, visit: "Visit") -> View:
        return ProgressView(visit.say("please_wait"))

    def on(self, event: Any, visit: "Visit") -> Next:
        match event:
            case Reply(value=value):
                return self._then(value)
            case Failed(error=error):
                raise error
        return None
