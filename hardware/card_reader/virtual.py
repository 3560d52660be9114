"""The card reader of the bench: in this process, moved by the methods that stand for the outside world."""

import threading
import time
from collections import deque

import msgspec

from hardware.card_reader.interface import Card, CardReader
from hardware.card_reader.presence import CardPresence
from hardware.device import DeviceError, DeviceState


class VirtualCardReader(CardReader):
    """Keeps the same promises as a real reader. A card that lies there when the reader opens is announced then."""

    virtual = True

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """Nothing to choose."""

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name)
        self._presence = CardPresence(name, self._post)
        self._world = threading.Condition()  # guards the rest
        self._plugged = True
        self._lying: Card | str | None = None  # a card, the code of an unreadable one, or nothing
        self._changes: deque[Card | str | None] = deque()  # what lay there since, oldest first

    # The outside world; from any thread.

    def tap(self, card: Card) -> None:
        """Lay a card on the reader; one that lies there is taken away."""
        self._lay(card)

    def present_unreadable(self, code: str = "CARD-TORN") -> None:
        """Lay a card on the reader that cannot be read for the reason `code`."""
        self._lay(code)

    def remove(self) -> None:
        self._lay(None)

    def unplug(self) -> None:
        with self._world:
            self._plugged = False
            self._world.notify_all()

    def plug(self) -> None:
        with self._world:
            self._plugged = True
            self._world.notify_all()

    def _lay(self, thing: Card | str | None) -> None:
        with self._world:
            self._lying = thing
            self._changes.append(thing)
            self._world.notify_all()

    # The device.

    def _open(self) -> None:
        with self._world:
            if not self._plugged:
                self._announce(_unplugged().status)
            self._world.wait_for(lambda: self._plugged or self._stopping.is_set())
            if not self._plugged:
                raise _unplugged()
            self._changes.clear()
            self._changes.append(self._lying)
        self._set_status(DeviceState.READY)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            with self._world:
                self._world.wait_for(
                    lambda: self._changes or not self._plugged or self._stopping.is_set(), self._wait_s()
                )
                if not self._plugged:
                    raise _unplugged()
                changes = list(self._changes)
                self._changes.clear()
            for thing in changes:
                self._see(thing)
            self._presence.settle()

    def _close(self) -> None:
        self._presence.forget()

    def _interrupt(self) -> None:
        with self._world:
            self._world.notify_all()

    def _see(self, thing: Card | str | None) -> None:
        self._presence.gone()
        match thing:
            case Card():
                self._presence.read(thing)
            case str():
                self._presence.unreadable(thing)

    def _wait_s(self) -> float | None:
        leaves_at_s = self._presence.leaves_at_s
        return None if leaves_at_s is None else max(0.0, leaves_at_s - time.monotonic())


def _unplugged() -> DeviceError:
    return DeviceError(DeviceState.ABSENT, "CARD-READER-ABSENT", "unplugged")
