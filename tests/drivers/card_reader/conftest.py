"""Card readers under test: the virtual one, and the PC/SC driver on a real pcscd with a virtual reader."""

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.evdev import EV_SYN, REPORT, SYN_DROPPED, ModelKernel, typed
from support.pcsc import Pcscd, running_pcscd, torn

from hardware.card_reader.interface import Card, CardKind, CardReader
from hardware.card_reader.pcsc import PcscCardReader
from hardware.card_reader.sam_program import SamProgramReader
from hardware.card_reader.virtual import VirtualCardReader
from hardware.card_reader.virtual_sam import VirtualSamReader
from hardware.card_reader.wedge import WedgeCardReader
from hardware.card_reader.wedge_numbers import Digits
from hardware.device import DeviceState, StatusChanged

PATIENCE_S = 10.0


class Events:
    """What a device posted, in order."""

    def __init__(self) -> None:
        self._new: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.seen: list[Any] = []

    def sink(self, event: Any) -> None:
        self._new.put(event)

    def next(self, wanted: type, where: Callable[[Any], bool] = lambda event: True) -> Any:
        """Wait for the next event of that type, passing over others."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                event = self._new.get(timeout=max(0.0, deadline_s - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"no {wanted.__name__} within {PATIENCE_S:.0f} s; there were {self.seen}")
            self.seen.append(event)
            if isinstance(event, wanted) and where(event):
                return event

    def next_status(self, state: DeviceState) -> StatusChanged:
        return self.next(StatusChanged, lambda changed: changed.status.state is state)

    def cards(self) -> list[Any]:
        """Every event so far but those about the status."""
        while not self._new.empty():
            self.seen.append(self._new.get())
        return [event for event in self.seen if not isinstance(event, StatusChanged)]


class VirtualRig:
    """The outside world of a virtual reader."""

    kind = CardKind.EKTP

    def __init__(self, driver: type[VirtualCardReader] = VirtualCardReader) -> None:
        self.reader: CardReader = driver("front", driver.Options())
        self.tap = lambda uid: self.reader.tap(Card(uid, CardKind.EKTP))
        self.unreadable = lambda: self.reader.present_unreadable("CARD-TORN")
        self.remove = self.reader.remove
        self.unplug = self.reader.unplug
        self.plug = self.reader.plug


class PcscRig:
    """The outside world of the PC/SC drivers; their service stands for their plug."""

    kind = CardKind.EKTP

    def __init__(self, reader: PcscCardReader, pcscd: Pcscd) -> None:
        self.reader: CardReader = reader
        self.tap = lambda uid: pcscd.card.insert(uid=uid)
        self.unreadable = lambda: pcscd.card.insert(behave=torn)
        self.remove = pcscd.card.remove
        self.unplug = pcscd.kill
        self.plug = pcscd.start


class WedgeRig:
    """The outside world of a reader that types; it types once for each card, and nothing when the card goes."""

    kind = CardKind.UNKNOWN

    def __init__(self, kernel: ModelKernel) -> None:
        options = WedgeCardReader.Options(kernel.path, Digits.HEX)
        self.reader: CardReader = WedgeCardReader("front", options, kernel)
        self.tap = lambda uid: kernel.send(typed(uid.hex() + "\n"))
        self.unreadable = lambda: kernel.send([*typed("04a1"), (EV_SYN, SYN_DROPPED, 0), REPORT, *typed("a2\n")])
        self.remove = lambda: None
        self.unplug = kernel.unplug
        self.plug = kernel.plug


@pytest.fixture
def pcscd(tmp_path: Path) -> Iterator[Pcscd]:
    with running_pcscd(tmp_path) as pcscd:
        yield pcscd


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def pcsc_reader(pcscd: Pcscd, events: Events) -> Iterator[PcscCardReader]:
    reader = PcscCardReader("front", PcscCardReader.Options())
    reader.start(events.sink)
    try:
        events.next_status(DeviceState.READY)
        yield reader
    finally:
        pcscd.card.remove()  # frees a talker that a mute card holds
        reader.stop()


@pytest.fixture
def kernel() -> Iterator[ModelKernel]:
    made = ModelKernel()
    yield made
    made.close()


Rig = VirtualRig | PcscRig | WedgeRig


@pytest.fixture(params=["virtual", "virtual_sam", "pcsc", "sam_program", "wedge"])
def rig(request: pytest.FixtureRequest) -> Rig:
    match request.param:
        case "virtual":
            return VirtualRig()
        case "virtual_sam":
            return VirtualRig(VirtualSamReader)
        case "pcsc":
            return PcscRig(PcscCardReader("front", PcscCardReader.Options()), request.getfixturevalue("pcscd"))
        case "sam_program":
            options = SamProgramReader.Options(command=["/bin/true"], format="json")
            return PcscRig(SamProgramReader("front", options), request.getfixturevalue("pcscd"))
    return WedgeRig(request.getfixturevalue("kernel"))


@pytest.fixture
def started(rig: Rig, events: Events) -> Iterator[Rig]:
    rig.reader.start(events.sink)
    try:
        events.next_status(DeviceState.READY)
        yield rig
    finally:
        rig.reader.stop()
