"""Pages to print, virtual printers to print them on, and the real driver between them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import usb.backend.libusb1
from PIL import Image, ImageDraw
from support.usb_backend import UsbBackend, UsbPrinter

import hardware.device
from hardware.printer import escpos, link
from hardware.printer.escpos import EscposPrinter
from hardware.printer.interface import Acknowledgement, Page, PrinterProfile
from hardware.printer.virtual import VirtualPrinter

FAST_MM_PER_S = 20_000.0


class QuickPrinter(EscposPrinter):
    """The real driver, less patient: the virtual head is a hundred times faster than a real one."""

    answer_within_s = 0.4


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, shorter: nothing here is far away."""
    monkeypatch.setattr(link, "REAL_TIME_ANSWER_WITHIN_S", 0.2)
    monkeypatch.setattr(escpos, "PING_FAULTY_EVERY_S", 0.2)
    monkeypatch.setattr(escpos, "QUIET_S", 0.1)
    monkeypatch.setattr(escpos, "TAKEN_WITHIN_S", 0.2)
    monkeypatch.setattr(hardware.device, "REOPEN_FIRST_S", 0.02)
    monkeypatch.setattr(hardware.device, "REOPEN_LONGEST_S", 0.05)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [
        thread for thread in set(threading.enumerate()) - before if thread.name.startswith(("printer:", "virtual-"))
    ]
    assert not left


@pytest.fixture
def a_page() -> Callable[..., Page]:
    return draw_page


def draw_page(width_dots: int = 576, rows: int = 460, number: int = 1) -> Page:
    """A ticket-like page that no other number gives: ink to its last row and column, gaps, and a frame."""
    image = Image.new("1", (width_dots, rows), 1)
    draw = ImageDraw.Draw(image)
    draw.text((width_dots // 4, 10), f"A-{number:03}", fill=0, font_size=90)
    draw.text((10, rows // 2), "Anjungan Desa", fill=0, font_size=30)
    for bit in range(16):
        if number >> bit & 1:
            draw.rectangle((bit * 16, rows - 40, bit * 16 + 12, rows - 20), fill=0)
    draw.line((0, rows - 1, width_dots - 1, rows - 1), fill=0)
    return Page(image)


def make_profile(
    width_dots: int = 576,
    acknowledgement: Acknowledgement = Acknowledgement.PROCESS_ID,
    has_cutter: bool = True,
    head_mm_per_s: float = FAST_MM_PER_S,
) -> PrinterProfile:
    return PrinterProfile("test", width_dots, 8.0, has_cutter, acknowledgement, head_mm_per_s, "default")


@pytest.fixture
def usb_bus(monkeypatch: pytest.MonkeyPatch) -> UsbBackend:
    """What pyusb finds instead of libusb; empty at first."""
    bus = UsbBackend()
    monkeypatch.setattr(usb.backend.libusb1, "get_backend", lambda: bus)
    return bus


@pytest.fixture
def setup(usb_bus) -> Iterator[Callable[..., tuple[QuickPrinter, VirtualPrinter]]]:
    """`setup(port="tcp", **profile)`: the driver, started and serving, and the printer it is connected to."""
    with ExitStack() as stack:

        def make(port: str = "tcp", serving: bool = True, sink=lambda event: None, outside=None, **changes):
            profile = make_profile(**changes)
            outside = stack.enter_context(
                outside
                or VirtualPrinter(
                    profile.width_dots,
                    head_mm_per_s=profile.head_mm_per_s,
                    acknowledgement=profile.acknowledgement,
                    port="tcp" if port in ("tcp", "usb") else "pty",
                )
            )
            connection = outside.connection
            if port == "usblp":  # the same calls as on a USB printer's device file
                connection = connection.replace("serial:", "usblp:").partition("?")[0]
            if port == "usb":
                usb_bus.printers.append(UsbPrinter(outside))
                connection = "usb://04b8:0e15"
            driver = QuickPrinter("front", profile, EscposPrinter.Options(connection))
            driver.start(sink)
            stack.callback(driver.stop)
            if serving:
                assert driver.wait_for_status(lambda status: status.serving, 5).serving
            return driver, outside

        yield make
