"""What the devices' own threads cost while nobody is there: all real drivers but the camera, on the real stack.

    PYTHONPATH=. .venv/bin/python tests/bench/bench_devices.py [--seconds 120]

pcscd with an empty reader, a scanner on a pseudo-terminal, a receipt printer on TCP and a page printer on IPP in
another process, espeak-ng with ALSA's null device, and this machine. Counted is the processor time of this process's
threads and of the children that they started (the kernel's /proc/…/schedstat and rusage), as a share of one core.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
#: For the drivers to open and settle.
SETTLING_S = 15.0
PRINTERS = """
import sys
from hardware.page_printer.virtual import VirtualIppPrinter
from hardware.printer.virtual import VirtualPrinter
with VirtualPrinter() as receipts, VirtualIppPrinter() as pages:
    print(receipts.connection, pages.uri, flush=True)
    sys.stdin.read()
"""


@contextmanager
def printers() -> Iterator[tuple[str, str]]:
    """The addresses of a receipt and a page printer that somebody else's processor works for."""
    command = [sys.executable, "-c", PRINTERS]
    with subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        connection, uri = process.stdout.readline().split()
        try:
            yield connection, uri
        finally:
            process.stdin.close()


def thread_times_s() -> dict[str, float]:
    """Thread → how long it was on a processor, in seconds; those of native libraries by their number."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    tasks = [int(name) for name in os.listdir("/proc/self/task")]
    return {
        names.get(task, f"task {task}"): int(Path(f"/proc/self/task/{task}/schedstat").read_text().split()[0]) / 1e9
        for task in tasks
    }


def children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def build(connection: str, uri: str, port: str) -> list[Any]:
    from config.settings import PROFILES
    from hardware.card_reader.pcsc import PcscCardReader
    from hardware.code_scanner.serial_port import SerialScanner
    from hardware.machine.linux import LinuxMachine
    from hardware.page_printer.ipp import IppPagePrinter
    from hardware.printer.escpos import EscposPrinter
    from hardware.speaker.espeak import EspeakSpeaker
    from kiosk.app import load_printer_profile

    profile = load_printer_profile(Path(str(PROFILES / "demo.toml")), "virtual-80mm")
    return [
        PcscCardReader("card_reader", PcscCardReader.Options()),
        SerialScanner("code_scanner", SerialScanner.Options(port)),
        EscposPrinter("printer", profile, EscposPrinter.Options(connection)),
        IppPagePrinter("page_printer", IppPagePrinter.Options(uri)),
        EspeakSpeaker("speaker", EspeakSpeaker.Options(device="null")),
        LinuxMachine("machine", LinuxMachine.Options(disk="/", network=False)),
    ]


def measure(directory: Path, seconds: float) -> None:
    sys.path.append(str(REPO / "tests"))
    from support.pcsc import running_pcscd

    ours, theirs = os.openpty()
    with running_pcscd(directory), printers() as addresses:
        devices = build(*addresses, os.ttyname(theirs))
        for device in devices:
            device.start(lambda event: None)
        try:
            threading.Event().wait(SETTLING_S)
            for device in devices:
                print(f"{device.name}: {device.status.state} {device.status.code}")
            before, children_before_s = thread_times_s(), children_s()
            threading.Event().wait(seconds)
            after, children_used_s = thread_times_s(), children_s() - children_before_s
        finally:
            for device in devices:
                device.stop()
            os.close(ours)
            os.close(theirs)
    used = {name: after[name] - before.get(name, 0.0) for name in after} | {"children": children_used_s}
    for name, used_s in sorted(used.items(), key=lambda item: -item[1]):
        print(f"{name:40} {used_s / seconds:9.4%}")
    print(f"{'all, of one core':40} {sum(used.values()) / seconds:9.4%} over {seconds:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        measure(Path(directory), seconds)


if __name__ == "__main__":
    main()
