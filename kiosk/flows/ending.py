"""What can end or interrupt any story: help, a forgotten card, an apology."""

from typing import Any

from hardware.card_reader.interface import CardRemoved
from kiosk.intents import Chosen
from kiosk.step import End, EndReason, Next, Patience, Step
from kiosk.views import Choice, NoticeView, View
from kiosk.visit import Visit


class Help(Step):
    """Help is one touch away from everywhere. «Kembali» leads back to the step `under` it, which goes on meanwhile."""

    returnable = False

    def __init__(self, under: Step) -> None:
        self.under = under

    def view(self, visit: Visit) -> View:
        return NoticeView(visit.say("need_help"), visit.say("help_text"), tone="good")

    def on(self, event: Any, visit: Visit) -> Next:
        return None


class ForgottenCard(Step):
    """The visit is over and wiped, and the card still lies on the reader."""

    patience = Patience.RESULT
    returnable = False
    leaves = False

    def view(self, visit: Visit) -> View:
        return NoticeView(visit.say("do_not_forget_card"), visit.say("thank_you"), tone="attention")

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case CardRemoved():
                return End()
        return None


class Apology(Step):
    """Something broke. What was confirmed is kept; the kiosk goes back to serving by itself."""

    patience = Patience.RESULT
    returnable = False
    leaves = False

    def view(self, visit: Visit) -> View:
        return NoticeView(
            visit.say("sorry"),
            visit.say("something_broke"),
            tone="bad",
            code="KIOSK-ERROR",
            choices=(Choice("done", visit.say("done"), "ok", prominent=True),),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="done"):
                return End(EndReason.ERROR)
        return None
