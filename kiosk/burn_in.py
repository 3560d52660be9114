"""`kiosk burn-in`: every device, over and over for a set time, and a sum at the end. For a bench, before a kiosk goes
to a hall."""

import json
import logging
import queue
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.settings import Settings, SettingsError
from config.translations import say
from hardware.card_reader.interface import CardPresented, CardUnreadable
from hardware.code_scanner.interface import CodeScanned, CodeUnreadable
from hardware.device import Device, DeviceState, Status, StatusChanged
from hardware.machine.interface import Readings
from hardware.printer.interface import Page, PrintOutcome, PrintResult
from kiosk.app import CannotRun, StateLock, running_devices
from kiosk.paper.document import Document

log = logging.getLogger(__name__)

#: Between two slips: the head cools, and a roll lasts for hours.
SLIP_EVERY_S = 15.0
#: Between two sheets: what a page printer is worked for is its connection, its queue and its tray.
SHEET_EVERY_S = 300.0
#: For devices to say for the first time how they are.
SETTLED_WITHIN_S = 8.0


@dataclass
class Sum:
    """What happened. `counts` and `failures` are by what it was, `codes` by the technician's code."""

    ran_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    latencies_s: dict[str, list[float]] = field(default_factory=dict)
    hottest_c: float | None = None
    least_memory_bytes: int | None = None

    def took(self, what: str, seconds: float) -> None:
        self.latencies_s.setdefault(what, []).append(seconds)

    def failed(self, what: str, code: str) -> None:
        self.failures[what] += 1
        if code:
            self.codes[code] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "ran_s": round(self.ran_s, 1),
            "counts": dict(self.counts),
            "failures": dict(self.failures),
            "codes": dict(self.codes),
            "median_s": {what: round(statistics.median(all_s), 3) for what, all_s in self.latencies_s.items()},
            "hottest_c": self.hottest_c,
            "least_memory_bytes": self.least_memory_bytes,
        }

    def lines(self) -> list[str]:
        told = self.as_json()
        lines = [f"ran for {self.ran_s:.0f} s"]
        lines += [f"{what}: {count}" for what, count in sorted(self.counts.items())]
        lines += [f"{what}: {count} FAILED" for what, count in sorted(self.failures.items())]
        lines += [f"{code}: {count} times" for code, count in sorted(self.codes.items())]
        lines += [f"median of {what}: {median_s} s" for what, median_s in sorted(told["median_s"].items())]
        if self.hottest_c is not None:
            lines.append(f"hottest: {self.hottest_c:.0f} °C")
        return lines


class BurnIn:
    """Works `devices` until `stopping` is set or the time is over. `sink` is what the devices must be started with."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        self._settings, self._stopping = settings, stopping
        self._events: queue.SimpleQueue[tuple[float, Any]] = queue.SimpleQueue()
        self._sum = Sum()
        self._made_s = time.monotonic()
        self._away_since_s: dict[str, float] = {}  # by kind; a device that did not serve yet is away from the start
        self._seen: set[str] = set()

    def sink(self, event: Any) -> None:
        self._events.put((time.monotonic(), event))

    def run(self, devices: Mapping[str, Device], for_s: float) -> Sum:
        """Blocks; ends between two slips, so that no paper is left half printed."""
        began_s = next_sheet_s = time.monotonic()
        for device in devices.values():
            device.wait_for_status(lambda status: status.state is not DeviceState.STARTING, SETTLED_WITHIN_S)
        if "code_scanner" in devices:
            devices["code_scanner"].listen(True)
        while (left_s := began_s + for_s - time.monotonic()) > 0 and not self._stopping.is_set():
            if "speaker" in devices and devices["speaker"].status.serving:
                self._speak(devices["speaker"])
            if "printer" in devices and devices["printer"].status.serving:
                self._print_slip(devices["printer"])
            if (
                time.monotonic() >= next_sheet_s
                and "page_printer" in devices
                and devices["page_printer"].status.serving
            ):
                next_sheet_s = time.monotonic() + SHEET_EVERY_S
                self._print_sheet(devices["page_printer"])
            self._listen(min(SLIP_EVERY_S, left_s))
            if "machine" in devices:
                self._read(devices["machine"].readings())
        self._sum.ran_s = time.monotonic() - began_s
        return self._sum

    def _speak(self, speaker: Any) -> None:
        """One sentence after the other: what keeps it from its end, the driver tells by its status."""
        if not speaker.speaking:
            speaker.say(say("id", "spoken_sentence"), "id")
            self._sum.counts["sentences"] += 1

    def _print_slip(self, printer: Any) -> None:
        from kiosk.paper.thermal import render

        profile = printer.profile
        page = Page(render(self._test_page(self._next("slip")), profile.width_dots, profile.dots_per_mm))
        self._count("slip", lambda: printer.print(page))

    def _print_sheet(self, printer: Any) -> None:
        from kiosk.paper.pdf import render_pdf

        paper, now = self._settings.letters.paper, datetime.now(UTC)
        pdf = render_pdf(self._test_page(self._next("sheet")), paper, title="burn-in", created_at=now)
        self._count("sheet", lambda: printer.print_pdf(pdf, "burn-in"))

    def _next(self, what: str) -> int:
        return self._sum.counts[f"{what}s"] + self._sum.failures[f"{what}s"] + 1

    def _test_page(self, number: int) -> Document:
        from kiosk.paper.slips import test_page

        village = self._settings.village
        return test_page(f"burn-in {number}", f"UJI-{number:06}", village, datetime.now(ZoneInfo(village.timezone)))

    def _count(self, what: str, print_it: Callable[[], PrintResult]) -> None:
        number, began_s = self._next(what), time.monotonic()
        result = print_it()
        log.info("%s %d: %s %s", what, number, result.outcome, result.code)
        if result.outcome is PrintOutcome.PRINTED:
            self._sum.counts[f"{what}s"] += 1
            self._sum.took(f"printing a {what}", time.monotonic() - began_s)
        else:
            self._sum.failed(f"{what}s", result.code)

    def _listen(self, for_s: float) -> None:
        until_s = time.monotonic() + for_s
        while (left_s := until_s - time.monotonic()) > 0 and not self._stopping.is_set():
            try:
                self._note(*self._events.get(timeout=left_s))
            except queue.Empty:
                return

    def _note(self, at_s: float, event: Any) -> None:
        match event:
            case StatusChanged(kind=kind, status=status):
                self._note_status(at_s, kind, status)
            case CardPresented():
                self._sum.counts["cards"] += 1
            case CardUnreadable(code=code):
                self._sum.failed("cards", code)
            case CodeScanned():
                self._sum.counts["codes"] += 1
            case CodeUnreadable(code=code):
                self._sum.failed("codes", code)

    def _note_status(self, at_s: float, kind: str, status: Status) -> None:
        if kind not in self._seen:
            self._seen.add(kind)
            self._away_since_s[kind] = self._made_s
        if not status.serving:
            self._away_since_s.setdefault(kind, at_s)
            if status.code:
                self._sum.failed(f"{kind} out of service", status.code)
            return
        if kind in self._away_since_s:
            self._sum.took(f"{kind} until it serves", at_s - self._away_since_s.pop(kind))
        if status.code:  # serves, and somebody should look
            self._sum.codes[status.code] += 1

    def _read(self, readings: Readings) -> None:
        self._sum.counts["machine readings"] += 1
        if readings.temperature_c is not None:
            self._sum.hottest_c = max(readings.temperature_c, self._sum.hottest_c or readings.temperature_c)
        memory_bytes = readings.memory_available_bytes
        if memory_bytes is not None:
            self._sum.least_memory_bytes = min(memory_bytes, self._sum.least_memory_bytes or memory_bytes)


def run(settings: Settings, path: Path, minutes: float, as_json: bool) -> int:
    """Exit status 0 where nothing failed, 1 where something did, 2 where it could not run, such as beside a kiosk."""
    stopping = threading.Event()
    burn_in = BurnIn(settings, stopping)
    try:
        with (
            _stopped_by_signals(stopping, burn_in),
            StateLock(settings),
            running_devices(settings, path, burn_in.sink) as devices,
        ):
            total = burn_in.run(devices, minutes * 60)
    except (CannotRun, SettingsError) as error:
        print(f"kiosk burn-in: {error}", file=sys.stderr)
        return 2
    print(json.dumps(total.as_json(), indent=2) if as_json else "\n".join(total.lines()))
    return int(bool(total.failures))


@contextmanager
def _stopped_by_signals(stopping: threading.Event, burn_in: BurnIn) -> Iterator[None]:
    """Ctrl-C and SIGTERM end it after the slip that is being printed."""

    def stop(*_: object) -> None:
        stopping.set()
        burn_in.sink(None)  # wakes it

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
