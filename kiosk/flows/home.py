"""The first choice: a letter to ask for or to collect, a number, or a letter to check."""

from typing import Any

from hardware.card_reader.interface import CardPresented
from hardware.code_scanner.interface import CodeScanner
from kiosk.flows.check import ShowCode
from kiosk.flows.identify import identify, identify_by_card
from kiosk.flows.letter import open_letters
from kiosk.flows.queue import ask_about, open_queue
from kiosk.intents import Chosen
from kiosk.spooler import UncertainTicket
from kiosk.step import Next, Step
from kiosk.views import Choice, ChoiceView, View
from kiosk.visit import Visit


class Home(Step):
    def view(self, visit: Visit) -> View:
        can_scan = visit.office.devices.serving(CodeScanner.kind)
        return ChoiceView(
            visit.say("welcome"),
            visit.say("what_do_you_need"),
            choices=(
                *(self._uncertain(ticket, visit) for ticket in visit.office.spooler.uncertain_tickets),
                Choice("letter", visit.say("request_letter"), "letter", visit.say("request_letter_detail")),
                Choice("queue", visit.say("take_number"), "queue", visit.say("take_number_detail")),
                Choice(
                    "check",
                    visit.say("check_letter"),
                    "check",
                    visit.say("check_letter_detail" if can_scan else "scanner_away_today"),
                    available=can_scan,
                ),
            ),
        )

    def _uncertain(self, ticket: UncertainTicket, visit: Visit) -> Choice:
        """A ticket of which nobody knows whether it was printed, perhaps since the power went: its owner may say."""
        label = visit.say("number_may_not_be_printed", n=ticket.number)
        return Choice(f"ticket:{ticket.number}", label, "question", visit.say("touch_if_it_is_yours"))

    def on(self, event: Any, visit: Visit) -> Next:
        tickets = {f"ticket:{ticket.number}": ticket for ticket in visit.office.spooler.uncertain_tickets}
        match event:
            case Chosen(value=value) if value in tickets:
                return ask_about(tickets[value], visit)
            case Chosen(value="letter"):
                return identify(visit, open_letters)
            case Chosen(value="queue"):
                return open_queue()
            case Chosen(value="check") if visit.office.devices.serving(CodeScanner.kind):
                return ShowCode()
            case CardPresented():
                return identify_by_card(visit, event, open_letters)
        return None
