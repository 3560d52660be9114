import queue
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import qrcode
from PIL import Image, ImageDraw

from hardware.bench.client import BenchClient
from hardware.bench.server import BenchServer
from hardware.bench.world import World
from hardware.card_reader.interface import Card
from hardware.card_reader.virtual import VirtualCardReader
from hardware.code_scanner.virtual import VirtualScanner
from hardware.device import DeviceState, StatusChanged
from hardware.printer.interface import Page
from hardware.printer.profiles import load_profile
from hardware.printer.virtual import VirtualEscposPrinter

PATIENCE_S = 10.0


class Heard:
    """What the devices posted, in order."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.post = self._events.put

    def next(self, kind: type) -> Any:
        """The next event of that kind; raises queue.Empty when none comes."""
        while not isinstance(event := self._events.get(timeout=PATIENCE_S), kind):
            pass
        return event

    def status(self, device: str, state: DeviceState) -> None:
        """Wait until that device is in that state."""
        while (told := self.next(StatusChanged)).device != device or told.status.state is not state:
            pass


def run_bench(directory: Path, printer: VirtualEscposPrinter | None) -> Iterator[SimpleNamespace]:
    reader = VirtualCardReader("reader", VirtualCardReader.Options())
    scanner = VirtualScanner("scanner", VirtualScanner.Options())
    cards = {"siti": Card(b"\x04\x01\x02\x03"), "budi": Card(b"\x04\x01\x02\x04")}
    world, heard = World(reader, scanner, printer, cards), Heard()
    server = BenchServer(world, directory / "bench.sock")
    server.start()
    devices = [device for device in (reader, scanner, printer) if device is not None]
    for device in devices:
        device.start(world.watch(heard.post))
        heard.status(device.name, DeviceState.READY)
    scanner.listen(True)
    yield SimpleNamespace(
        world=world, server=server, heard=heard, cards=cards, printer=printer, client=BenchClient(server.socket_path)
    )
    server.stop()
    for device in devices:
        device.stop()
    assert "bench" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A bench of a virtual reader and a virtual scanner behind a socket; the printer is a real one."""
    yield from run_bench(tmp_path, None)


@pytest.fixture
def printing_bench(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """The same with a virtual printer, on which the real driver prints."""
    profile = load_profile(files("config") / "printers" / "virtual-80mm.toml")
    printer = VirtualEscposPrinter("printer", profile, VirtualEscposPrinter.Options(head_mm_per_s=1000.0))
    yield from run_bench(tmp_path, printer)


@pytest.fixture
def page() -> Page:
    """A ticket with the QR code "HTTPS://CEK.DESA.ID/S/A1"."""
    image = Image.new("1", (576, 640), 1)
    ImageDraw.Draw(image).text((40, 40), "A-001", fill=0, font_size=64)
    image.paste(qrcode.make("HTTPS://CEK.DESA.ID/S/A1", box_size=12).get_image().convert("1"), (90, 180))
    return Page(image)
