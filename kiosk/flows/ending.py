"""What can end or interrupt any story: help, a forgotten card, an apology."""

from typing import Any

from hardware.card_reader.interface import CardRemoved
from kiosk.flows.technician import open_technician
from kiosk.intents import Chosen
from kiosk.step import Anew, Back, End, EndReason, Next, Patience, Step
from kiosk.views import Choice, NoticeView, View
from kiosk.visit import Visit


class Help(Step):
    """Help is one touch away from everywhere. «Kembali» leads back to the step `under` it, which goes on meanwhile.

    Nobody is called by the machine: it tells where people are."""

    returnable = False
    leaves = False
    offers_help = False

    def __init__(self, under: Step) -> None:
        self.under = under

    def view(self, visit: Visit) -> View:
        back = Choice("back", visit.say("back"), "back", prominent=True)
        technician = Choice("technician", visit.say("technician"), "pin", quiet=True)
        choices = (back,) if visit.office is None else (back, technician)
        return NoticeView(visit.say("need_help"), visit.say("help_text"), tone="help", choices=choices)

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="back"):
                return Back()
            case Chosen(value="technician") if visit.office is not None:
                return Anew(open_technician())
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
