"""Somebody came before the kiosk was ready."""

from typing import Any

from hardware.card_reader.interface import CardPresented
from kiosk.flows.home import Home
from kiosk.flows.identify import identify_by_card
from kiosk.flows.letter import open_letters
from kiosk.office import OfficeOpened
from kiosk.step import Next, Patience, Step
from kiosk.views import ProgressView, View
from kiosk.visit import Visit


class Starting(Step):
    """The database is still being opened."""

    patience = Patience.MACHINE
    returnable = False

    def __init__(self, card: CardPresented | None) -> None:
        self._card = card

    def view(self, visit: Visit) -> View:
        return ProgressView(visit.say("please_wait"))

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case CardPresented():
                self._card = event
            case OfficeOpened():
                return Home() if self._card is None else identify_by_card(visit, self._card, open_letters)
        return None
