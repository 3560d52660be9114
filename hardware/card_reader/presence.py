"""From what a reader sees to what it announces: one visit per card, also where the antenna flickers."""

import time
from collections.abc import Callable
from typing import Any

from hardware.card_reader.interface import SAME_VISIT_S, Card, CardPresented, CardRemoved, CardUnreadable

UNREADABLE = b""


class CardPresence:
    """Pairs every CardPresented and CardUnreadable with one CardRemoved.

    The removal of a card that was read is held back for SAME_VISIT_S: if the same card is read again within that
    time, neither is announced. Not thread-safe: a driver with several threads holds its lock.
    """

    def __init__(self, reader: str, post: Callable[[Any], None]) -> None:
        self._reader = reader
        self._post = post
        self._announced: bytes | None = None  # the uid that was announced last and not yet removed
        self.leaves_at_s: float | None = None  # monotonic clock: when that card counts as removed

    def read(self, card: Card) -> bool:
        """Whether the card is announced: not where it is the flicker of one that lies there."""
        if card.uid == self._announced:
            self.leaves_at_s = None
            return False
        self.forget()
        self._announced = card.uid
        self._post(CardPresented(self._reader, card))
        return True

    def unreadable(self, code: str) -> None:
        self.forget()
        self._announced = UNREADABLE
        self._post(CardUnreadable(self._reader, code))

    def lies(self, card: Card) -> bool:
        """Whether `card` is the one that was announced, and the reader sees it."""
        return card.uid == self._announced and self.leaves_at_s is None

    def gone(self) -> None:
        """The reader sees no card any more."""
        if self._announced == UNREADABLE:
            self.forget()
        elif self._announced is not None and self.leaves_at_s is None:
            self.leaves_at_s = time.monotonic() + SAME_VISIT_S

    def settle(self) -> None:
        """Announce a removal that was held back long enough."""
        if self.leaves_at_s is not None and time.monotonic() >= self.leaves_at_s:
            self.forget()

    def forget(self) -> None:
        """The card is gone for certain: another one came, or the reader itself went."""
        announced, self._announced, self.leaves_at_s = self._announced, None, None
        if announced is not None:
            self._post(CardRemoved(self._reader))
