"""A visit is one person at the kiosk, from the first touch until it is wiped."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from config.translations import say
from hardware.card_reader.interface import Card

if TYPE_CHECKING:
    from kiosk.office import Office
    from kiosk.residents import Resident


class Visit:
    """What the kiosk knows of the person in front of it. Lives on the attendant's thread alone."""

    def __init__(
        self, office: "Office", language: str, ask: Callable[["Visit", int, Callable[["Office"], Any]], None]
    ) -> None:
        self.id = uuid.uuid4().hex
        self.office = office
        self.language = language
        self.large_text = False
        self.listens = False  # what is shown is read out
        self.resident: Resident | None = None
        self.card: Card | None = None  # the one that this person identifies with
        self._ask = ask
        self._asked = 0
        self._keys = 0

    def say(self, key: str, **values: object) -> str:
        """The catalogue's message in the visitor's language."""
        return say(self.language, key, **values)

    def ask(self, call: Callable[["Office"], Any]) -> None:
        """Run `call(office)` on a worker; its `Reply` or `Failed` comes to the step that is current then, unless
        something newer was asked."""
        self._asked += 1
        self._ask(self, self._asked, call)

    def is_owner_of(self, card: Card) -> bool:
        """Whether this person identified with that card. Who came by NIK has shown none: any card is another's."""
        return self.card is not None and self.card.uid == card.uid

    def awaits(self, visit_id: str, asked: int) -> bool:
        """Whether that is the answer that this visit waits for."""
        return visit_id == self.id and asked == self._asked

    def new_key(self, what: str) -> str:
        """An idempotency key for one thing that this visit is about to do, made before it is tried."""
        self._keys += 1
        return f"{self.id}:{what}:{self._keys}"

    def wipe(self) -> None:
        self.resident = None
        self.card = None
