"""Documents to print, IPP printers to print them on, and the real driver between them."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import hardware.device
from hardware.page_printer import ipp
from hardware.page_printer.ipp import IppPagePrinter
from hardware.page_printer.virtual import VirtualIppPrinter

PAGE_S = 0.02


class QuickPagePrinter(IppPagePrinter):
    """The real driver, less patient: the virtual printer is near and its pages are quick."""

    answer_within_s = 1.0
    poll_s = 0.02
    fault_patience_s = 0.2
    stuck_after_s = 2.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipp, "LOOK_SERVING_EVERY_S", 0.2)
    monkeypatch.setattr(ipp, "LOOK_FAULTY_EVERY_S", 0.05)
    monkeypatch.setattr(ipp, "LOOK_WITHIN_S", 0.3)
    monkeypatch.setattr(ipp, "RESUME_EVERY_S", 0.2)
    monkeypatch.setattr(hardware.device, "REOPEN_FIRST_S", 0.02)
    monkeypatch.setattr(hardware.device, "REOPEN_LONGEST_S", 0.05)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = {each for each in threading.enumerate() if each.name.startswith(("page_printer:", "virtual-page"))} - before
    assert not left


def draw_pdf(pages: int = 1, width_pt: float = 595.3, height_pt: float = 841.9) -> bytes:
    """A PDF of so many blank pages."""
    kids = " ".join(f"{number + 3} 0 R" for number in range(pages))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {pages}>>"]
    objects += [f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width_pt} {height_pt}]>>"] * pages
    body, offsets = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj{text}endobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    tail = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(body)}\n"
    return body + tail.encode() + b"%%EOF\n"


@pytest.fixture
def a_pdf() -> Callable[..., bytes]:
    return draw_pdf


@pytest.fixture
def setup() -> Iterator[Callable[..., tuple[QuickPagePrinter, VirtualIppPrinter]]]:
    """`setup(page_s=…, paper="A4", serving=True, **of VirtualIppPrinter)`: the driver and the printer it asks."""
    with ExitStack() as stack:

        def make(
            page_s: float = PAGE_S, *, paper: str = "A4", serving=True, sink=lambda event: None, before=None, **changes
        ):
            outside = stack.enter_context(VirtualIppPrinter(page_s, **changes))
            if before is not None:
                before(outside)
            driver = QuickPagePrinter("office", IppPagePrinter.Options(outside.uri, ipp.Paper(paper)))
            driver.start(sink)
            stack.callback(driver.stop)
            if serving:
                assert driver.wait_for_status(lambda status: status.serving, 5).serving
            return driver, outside

        yield make


@pytest.fixture
def ippeveprinter(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """`ippeveprinter(shell)`: the address of CUPS' own IPP printer, which prints by running that script on the file.
    It wants a system bus even where it announces nothing, so it gets one of its own."""
    program = shutil.which("ippeveprinter") or shutil.which("ippeveprinter", path="/usr/sbin")
    assert program, "Debian's cups-ipp-utils is not installed"
    with ExitStack() as stack:

        def run(*command: str, **options) -> subprocess.Popen:
            process = subprocess.Popen(command, text=True, **options)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            return process

        def start(shell: str) -> str:
            bus = run("dbus-daemon", "--session", "--nofork", "--print-address=1", stdout=subprocess.PIPE)
            stack.callback(bus.stdout.close)
            environment = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": bus.stdout.readline().strip()}
            script = tmp_path / "print"
            script.write_text(f"#!/bin/sh\n{shell}\n")
            script.chmod(0o755)
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            arguments = ("-r", "off", "-p", str(port), "-d", str(tmp_path), "-f", "application/pdf", "-c", str(script))
            with open(tmp_path / "log", "w") as log:
                run(program, *arguments, "office", env=environment, stdout=log, stderr=log)
            deadline_s = time.monotonic() + 10
            while time.monotonic() < deadline_s:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        return f"ipp://127.0.0.1:{port}/ipp/print"
                threading.Event().wait(0.02)  # nothing tells when another process begins to listen
            raise TimeoutError((tmp_path / "log").read_text())

        yield start
