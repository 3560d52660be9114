"""Contactless readers by PC/SC (pcscd).

Two threads. The watcher, the device's own, waits for cards and readers and never talks to a card. The talker reads
cards, because a mute card can hold it for ever; the watcher keeps its deadline.

Status codes:
    CARD-SERVICE-DOWN     absent     pcscd does not answer
    CARD-SERVICE-REFUSED  fault      pcscd lets this user have no (more) context: the polkit rule is missing
    CARD-READER-ABSENT    absent     no reader is plugged in, or none of the configured name
    CARD-READER-SICK      fault      pcscd cannot work with the reader
    CARD-MUTE             attention  a card holds the reader without answering: take it away
    CARD-READER-STUCK     fault      as CARD-MUTE, and another card came meanwhile
Codes of CardUnreadable:
    CARD-TAKEN-AWAY       before it was read
    CARD-TORN             what it answered was incomplete, time and again
    CARD-MUTE             it did not answer in time
    CARD-UNRECOGNISED     it did not answer to power as a card does
    CARD-NO-UID           it tells no uid
    CARD-REFUSED          it answered with an error
    CARD-IN-USE           another program keeps it to itself
    and the code of the status where the service or the reader went meanwhile.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, Literal

import msgspec

from hardware.card_reader.ektp import read_card
from hardware.card_reader.interface import Card, CardReader
from hardware.card_reader.iso7816 import CardError
from hardware.card_reader.presence import CardPresence
from hardware.card_reader.signals import SIGNALS, Signals, signals_of
from hardware.device import DeviceError, DeviceState

if TYPE_CHECKING:
    from hardware.card_reader.winscard import Context, Insertion

log = logging.getLogger(__name__)

SERVICE_PAUSE_FIRST_S = 0.25
SERVICE_PAUSE_LONGEST_S = 2.0
#: pcscd 1.9.9 loses a reader that is plugged between the list and the wait.
NO_READER_WAIT_S = 5.0
LONGEST_WAIT_S = 60.0
#: A sick reader ends every wait at once, with no news.
NO_NEWS_PAUSE_S = 0.25

CARD_DEADLINE_S = 3.0
CARD_TRIES = 5
CARD_PAUSE_S = 0.1
CANCELS = 20
CANCEL_PAUSE_S = 0.05
TALKER_STOP_S = 0.5


@dataclass(eq=False)
class Reading:
    """The reading of one card. `over` is set when nobody waits for its end any more."""

    reader: str
    deadline_s: float
    begun: bool = False
    over: threading.Event = field(default_factory=threading.Event)


class PcscCardReader(CardReader):
    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        #: A part of the reader's name as `pcsc_scan` shows it; empty takes a contactless slot before others.
        reader_name_contains: str = ""
        #: Lamp and buzzer: those of the reader's name, those of a model under another name, or silence.
        signals: Literal["by_name", "acr122", "acr1252", "none"] = "by_name"

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name)
        self._options = options
        self._context: Context | None = None  # the watcher's
        self._slot = ""  # the reader's name in pcscd
        self._lock = threading.Lock()  # guards the rest: watcher and talker
        self._presence = CardPresence(name, self._post)
        self._insertion: Insertion | None = None
        self._reading: Reading | None = None
        self._readings: SimpleQueue[Reading | None] = SimpleQueue()
        self._talker: threading.Thread | None = None
        self._refused_signals: set[str] = set()  # readers that took none; the talker's

    # The watcher.

    def _open(self) -> None:
        from hardware.card_reader.winscard import Context

        pause_s = SERVICE_PAUSE_FIRST_S
        while self._context is None:
            try:
                self._context = Context()
                self._slot = self._wait_for_reader(self._context)
            except DeviceError as error:
                self._release()
                self._announce(error.status)
                if self._stopping.wait(pause_s):
                    raise
                pause_s = min(pause_s * 2, SERVICE_PAUSE_LONGEST_S)
        self._readings = SimpleQueue()
        self._talker = threading.Thread(
            target=self._talk, args=(self._readings,), name=f"card_talker:{self.name}", daemon=True
        )
        self._talker.start()
        self._set_status(DeviceState.READY)  # not left to the supervisor: it may have been announced absent above

    def _wait_for_reader(self, context: "Context") -> str:
        while not self._stopping.is_set():
            # Before the list, so that a reader plugged after it ends the second wait.
            context.wait(None, 0)
            slot = choose_reader(context.readers(), self._options.reader_name_contains)
            if slot is not None:
                return slot
            self._announce(self._no_reader().status)
            context.wait(None, NO_READER_WAIT_S)
        raise self._no_reader()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            look = self._context.wait(self._slot, self._wait_s())
            # At every wake-up, not only when told: pcscd 1.9.9 may lose what was plugged.
            slot = choose_reader(self._context.readers(), self._options.reader_name_contains, self._slot)
            if slot != self._slot:
                raise self._no_reader()
            with self._lock:
                self._see(look.insertion)
                self._keep_deadlines()
            if look.spurious:
                self._stopping.wait(NO_NEWS_PAUSE_S)

    def _close(self) -> None:
        with self._lock:
            self._insertion = None
            self._abandon_reading()
            self._presence.forget()
        if self._talker is not None:
            self._readings.put(None)
            # A mute card keeps the talker, who then ends by itself when the card goes.
            self._talker.join(TALKER_STOP_S)
            self._talker = None
        self._release()

    def _interrupt(self) -> None:
        # Again and again, because a cancel that comes just before the wait begins is lost.
        for _ in range(CANCELS):
            context, thread = self._context, self._thread
            if context is None or thread is None or not thread.is_alive():
                return
            context.cancel()
            thread.join(CANCEL_PAUSE_S)

    def _release(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            context.release()

    def _no_reader(self) -> DeviceError:
        return DeviceError(DeviceState.ABSENT, "CARD-READER-ABSENT", self._options.reader_name_contains)

    def _wait_s(self) -> float:
        with self._lock:
            due_s = self._reading.deadline_s if self._reading is not None else self._presence.leaves_at_s
        if due_s is None:
            return LONGEST_WAIT_S
        return min(max(0.0, due_s - time.monotonic()), LONGEST_WAIT_S)

    def _see(self, insertion: "Insertion | None") -> None:
        if insertion == self._insertion:
            return
        self._insertion = insertion
        if self._abandon_reading() and self._presence.leaves_at_s is None:  # else it is the flicker of a known card
            self._presence.unreadable("CARD-TAKEN-AWAY")
        self._presence.gone()
        if insertion is None:
            return
        if insertion.mute:
            self._presence.unreadable("CARD-UNRECOGNISED")
            return
        self._reading = Reading(self._slot, time.monotonic() + CARD_DEADLINE_S)
        self._readings.put(self._reading)

    def _keep_deadlines(self) -> None:
        reading = self._reading
        if reading is None:
            self._presence.settle()
        elif time.monotonic() >= reading.deadline_s:
            self._abandon_reading()
            self._presence.unreadable("CARD-MUTE")
            if reading.begun:
                self._set_status(DeviceState.ATTENTION, "CARD-MUTE", "take the card away")
            else:
                self._set_status(DeviceState.FAULT, "CARD-READER-STUCK", "the card before this one holds the reader")

    def _abandon_reading(self) -> bool:
        reading, self._reading = self._reading, None
        if reading is None:
            return False
        reading.over.set()
        return True

    def _insertion_of(self, card: Card) -> "Insertion | None":
        """That of `card` while it lies there; another one each time that it is laid there anew."""
        with self._lock:
            return self._insertion if self._presence.lies(card) else None

    # The talker.

    def _talk(self, readings: "SimpleQueue[Reading | None]") -> None:
        while (reading := readings.get()) is not None:
            reading.begun = True
            outcome = self._read(reading)
            with self._lock:
                if self._status.code in ("CARD-MUTE", "CARD-READER-STUCK"):
                    self._set_status(DeviceState.READY)
                if self._reading is not reading:  # another card, or none, lies there now
                    continue
                self._reading = None
                if isinstance(outcome, Card):
                    announced = self._presence.read(outcome)
                else:
                    self._presence.unreadable(outcome)
                    announced = True
            if announced:
                self._signal(isinstance(outcome, Card), reading.reader)

    def _read(self, reading: Reading) -> Card | str:
        """The card, or the code of why it could not be read."""
        code = "CARD-TAKEN-AWAY"
        for attempt in range(CARD_TRIES):
            if reading.over.wait(CARD_PAUSE_S if attempt else 0):
                break
            try:
                return self._read_once(reading.reader)
            except CardError as error:
                code = error.code
                if not error.again:
                    break
            except DeviceError as error:  # the watcher meets the same, and acts on it
                return error.status.code
        return code

    def _read_once(self, reader: str) -> Card:
        from hardware.card_reader.winscard import Context

        # A context of its own per card: after pcscd was restarted, there is no old one to stumble over.
        with Context() as context, context.connect(reader) as card:
            return read_card(card.atr(), card.transmit)

    def _signal(self, good: bool, reader: str) -> None:
        """Lamp and buzzer, after the announcement: a reader may answer only when it has blinked."""
        from hardware.card_reader.winscard import Context

        signals = self._signals(reader)
        if signals is None or reader in self._refused_signals:
            return
        try:
            with Context() as context, context.connect(reader) as card:
                taken = signals.give(good, card)
        except (CardError, DeviceError):  # the card or the service went meanwhile, which the watcher tells
            return
        if not taken:
            self._refused_signals.add(reader)
            log.warning("%s %s: the reader takes no command for lamp and buzzer", self.kind, self.name)

    def _signals(self, reader: str) -> Signals | None:
        wanted = self._options.signals
        return signals_of(reader) if wanted == "by_name" else SIGNALS.get(wanted)


def choose_reader(names: list[str], contains: str, current: str = "") -> str | None:
    """The reader to use: of those whose name holds `contains`, a contactless slot (PICC) before any other, never a
    SAM slot unless it is asked for by name, and rather the current one than another as good."""
    wanted = [name for name in names if contains.lower() in name.lower()]
    candidates = [name for name in wanted if contains or "SAM" not in name.upper()]
    return min(candidates, key=lambda name: (not _contactless(name), name != current), default=None)


def _contactless(name: str) -> bool:
    upper = name.upper()
    return "PICC" in upper or "CONTACTLESS" in upper or " CL " in upper
