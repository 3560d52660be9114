"""The ends of stories: something is said, and «Selesai» goes back to the first screen."""

from typing import Any

from kiosk.intents import Chosen
from kiosk.step import End, Next, Patience, Step
from kiosk.views import Choice, NoticeView, View
from kiosk.visit import Visit


def done(visit: Visit) -> Choice:
    return Choice("done", visit.say("done"), "ok", prominent=True)


class Ending(Step):
    """All is said. It goes by itself after a while."""

    patience = Patience.RESULT
    returnable = False
    leaves = False

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="done"):
                return End()
        return None


class Finished(Ending):
    """Something was done that cannot be taken back, and is on paper or not."""

    final = True

    def __init__(self, on_paper: bool) -> None:
        self._on_paper = on_paper

    @property
    def _tone(self) -> str:
        return "good" if self._on_paper else "attention"


class Told(Ending):
    """Plain words, and the way to the desk: the keys of two messages."""

    title, text, tone = "", "", "attention"

    def view(self, visit: Visit) -> View:
        return NoticeView(visit.say(self.title), self._text(visit), tone=self.tone, choices=self._choices(visit))

    def _text(self, visit: Visit) -> str:
        return visit.say(self.text)

    def _choices(self, visit: Visit) -> tuple[Choice, ...]:
        return (done(visit),)
