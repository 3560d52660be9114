"""A card reader that types the card's number, as a keyboard does.

It cannot tell what card it is, nor when the card is taken away: a card counts as removed SAME_VISIT_S after its number
was typed last. It is therefore no reader for a cradle. Where it types four bytes of a longer uid, its numbers are not
those of a PC/SC reader, and cards must be enrolled on a reader of the kind that the hall has.
A type B e-KTP may have another number at each tap; only trying it twice shows that.
"""

import time

import msgspec

from hardware.card_reader.ektp import RANDOM_UID, TYPE_B_UID_LENGTH
from hardware.card_reader.interface import Card, CardReader
from hardware.card_reader.presence import CardPresence
from hardware.card_reader.wedge_numbers import Digits, uid_typed_as
from hardware.keyboard_wedge import QUIET_GAP_S, Flaw, Kernel, Keyboard, Scan, ScanAssembly

#: Ten bytes in hex with a separator between any two.
LONGEST_NUMBER = 29
TORN = "CARD-TORN"
NOT_A_NUMBER = "CARD-NOT-A-NUMBER"


class WedgeCardReader(CardReader):
    """Reads cards from the keyboard `device`, which nothing else gets meanwhile.

    CardUnreadable is CARD-TORN where keys were lost, and CARD-NOT-A-NUMBER for what is no number as `digits` says. The
    states are those of `Keyboard`, with CARD-READER before each code.
    """

    sees_removal = False

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        #: Its path below /dev/input; by-id/…-event-kbd stays the same whichever socket it is in.
        device: str
        #: How it types a uid. `kiosk office enrol` shows a card's number in both directions.
        digits: Digits = Digits.DECIMAL

    def __init__(self, name: str, options: Options, kernel: Kernel | None = None) -> None:
        super().__init__(name)
        self._digits = options.digits
        self._keyboard = Keyboard(options.device, "CARD-READER", kernel or Kernel())
        self._assembly = ScanAssembly(LONGEST_NUMBER)
        self._presence = CardPresence(name, self._post)

    def _open(self) -> None:
        self._assembly.forget()
        self._keyboard.open()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            events = self._keyboard.read(self._wait_s())
            if not events and not self._stopping.is_set():
                self._see(self._assembly.fell_silent())
            for event in events:
                self._see(self._assembly.take(event))
            self._presence.settle()

    def _close(self) -> None:
        self._presence.forget()
        self._keyboard.close()

    def _interrupt(self) -> None:
        self._keyboard.wake()

    def _wait_s(self) -> float | None:
        if self._assembly.under_way:
            return QUIET_GAP_S
        leaves_at_s = self._presence.leaves_at_s
        return None if leaves_at_s is None else max(0.0, leaves_at_s - time.monotonic())

    def _see(self, scan: Scan | None) -> None:
        if scan is None:
            return
        uid = uid_typed_as(self._digits, scan.text) if scan.flaw is None else None
        if uid is None:
            self._presence.unreadable(TORN if scan.flaw is Flaw.OVERRUN else NOT_A_NUMBER)
        else:
            self._presence.read(Card(uid, stable=not _made_up(uid)))
        self._presence.gone()  # for all that such a reader tells


def _made_up(uid: bytes) -> bool:
    return len(uid) == TYPE_B_UID_LENGTH and uid[0] == RANDOM_UID
