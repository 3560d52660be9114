"""The first choice: a letter, a number, or a letter to check."""

from typing import Any

from hardware.card_reader.interface import CardPresented
from hardware.code_scanner.interface import CodeScanner
from kiosk.flows.check import ShowCode
from kiosk.flows.identify import identify, identify_by_card
from kiosk.flows.letter import open_letters
from kiosk.flows.queue import open_queue
from kiosk.intents import Chosen
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

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="letter"):
                return identify(visit, open_letters)
            case Chosen(value="queue"):
                return open_queue()
            case Chosen(value="check") if visit.office.devices.serving(CodeScanner.kind):
                return ShowCode()
            case CardPresented():
                return identify_by_card(visit, event, open_letters)
        return None
