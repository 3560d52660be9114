"""The kiosk beside a bare tuned Kivy window, and beside a Chromium kiosk where one is installed, in one run.

PYTHONPATH=. .venv/bin/python tests/bench/bench_kiosk.py [--runs 9]

Prints one table, medians with their range. Everything is drawn offscreen. For start, memory and idling it is `kiosk
run` with the real drivers: pcscd with a virtual reader, OpenCV on a picture in place of a camera (in the decoding
process), the printer on TCP, espeak-ng with ALSA's null device, and this machine.
A finger and a card cannot be timed from outside, so for those the kiosk runs with a watch inside and a virtual reader.
All processes have the environment of systemd's unit and find their bytecode compiled, as after an installation.
"""

import argparse
import functools
import http.server
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
sys.path[:0] = [str(REPO), str(HERE)]

from subjects import pss_mib  # noqa: E402

SUBJECTS = HERE / "subjects.py"
START_S = 30.0
VISITS_S = 180.0
#: After start and opening of the devices: the other screens are being imported one by one.
SETTLE_S = 4.0
#: The same, and the first look of the self-test, which begins 10 s after the start.
KIOSK_SETTLE_S = 15.0
IDLE_S = 20.0
#: As WatchdogSec= of the unit.
WATCHDOG_US = 20_000_000
DEVICES = ("card_reader", "code_scanner", "printer", "speaker", "machine")
FAST_HEAD_MM_PER_S = 100_000.0
REAL_HEAD_MM_PER_S = 150.0
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
PAGE = """<!doctype html><title>Anjungan Desa</title>
<style>body{background:#0b5d4b;color:#fff;font:60px sans-serif}</style>
<h1>Sentuh layar untuk mulai</h1>
<script>requestAnimationFrame(() => requestAnimationFrame(() => fetch("/painted", {method: "POST"})))</script>"""


@dataclass
class Found:
    """What was measured of one subject: row → values."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, row: str, *values: float) -> None:
        self.values.setdefault(row, []).extend(values)

    def median(self, row: str) -> float | None:
        return statistics.median(self.values[row]) if self.values.get(row) else None

    def text(self, row: str, unit: str) -> str:
        if not (values := self.values.get(row)):
            return "–"
        digits = 2 if unit == "%" else 0 if min(values) >= 20 else 1
        text = f"{statistics.median(values):.{digits}f}"
        return (
            f"{text} ({min(values):.{digits}f}–{max(values):.{digits}f}) {unit}"
            if len(values) > 1
            else f"{text} {unit}"
        )


@dataclass(frozen=True)
class Row:
    key: str
    what: str
    unit: str
    most: float | None = None
    most_ratio: float | None = None  # of the bare window

    def aim(self, kiosk: Found, bare: Found) -> str:
        value, beside = kiosk.median(self.key), bare.median(self.key)
        if self.most_ratio and value and beside:
            ratio = value / beside
            return f"≤ {self.most_ratio} × bare: {ratio:.2f} ×, {_verdict(ratio <= self.most_ratio)}"
        if self.most and value is not None:
            return f"≤ {self.most:g} {self.unit}: {_verdict(value <= self.most)}"
        return ""


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


ROWS = (
    Row("start_ms", "start to the idle screen's first frame", "ms", most_ratio=1.5),
    Row("usable_ms", "start to Home, touched with the first frame", "ms"),
    Row("first_touch_ms", "touch to pixels, with the first frame", "ms"),
    Row("early_touch_ms", "touch to pixels, first touch 0.5 s after it", "ms"),
    Row("early_home_ms", "that touch to Home", "ms"),
    Row("lost_touches", "first touches of a start that were lost", "of 2"),
    Row("touch_ms", "touch to pixels", "ms", most_ratio=1.5),
    Row("change_ms", "finger's leaving to the next screen", "ms"),
    Row("card_ms", "card to PIN screen, beyond the reader's polling", "ms", most=50),
    Row("ticket_ms", "button to a ticket's last byte, fast head", "ms", most=100),
    Row("ticket_real_ms", "the same with a head of 150 mm/s", "ms"),
    Row("letter_ms", "layout and encoding of a letter, 576 dots", "ms", most=10),
    Row("pss_mib", "PSS, all processes, all devices open", "MiB", most=200),
    Row("rss_mib", "their RSS", "MiB"),
    Row("pss_visited_mib", "PSS after its visits", "MiB"),
    Row("idle_percent", "idle CPU of one core, 20 s", "%", most=0.2),
    Row("idle_watched_percent", "the same, with the watchdog's heartbeat", "%", most=0.2),
)


# Processes.


@contextmanager
def process(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen]:
    """Ended with its children at the end of the block. Its output goes to `log`."""
    with log.open("wb") as output:
        running = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
    try:
        yield running
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(10.0)


def members(leader: int) -> list[int]:
    """The process and its descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal():
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    found = [leader]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu_s(leader: int) -> float:
    """On a CPU so far: every thread of every process, to the nanosecond."""
    return sum(
        int(thread.read_text().split()[0]) / 1e9
        for pid in members(leader)
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat")
    )


def idle_percent(leader: int) -> float:
    before_s = cpu_s(leader)
    threading.Event().wait(IDLE_S)
    return (cpu_s(leader) - before_s) / IDLE_S * 100


def wait_for(is_so: Callable[[], bool], what: str, timeout_s: float = START_S) -> None:
    """For what has no event to wait for. Raises TimeoutError."""
    deadline_s = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{what} within {timeout_s} s")
        threading.Event().wait(0.05)


class Readiness:
    """The datagram READY=1, as systemd gets it."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(START_S)

    def wait(self) -> None:
        while self._socket.recv(256) != b"READY=1":
            pass

    def close(self) -> None:
        self._socket.close()


# What is measured.


class Bench:
    """`kiosk`, `bare` and `chromium` hold what was found."""

    def __init__(self, directory: Path, runs: int, pcsc: Mapping[str, str]) -> None:
        self._directory, self._runs = directory, runs
        self.kiosk, self.bare, self.chromium = Found(), Found(), Found()
        left_out = ("PYTHONDONTWRITEBYTECODE", "NOTIFY_SOCKET", "WATCHDOG_USEC", "DISPLAY")
        self._environment = {name: value for name, value in os.environ.items() if name not in left_out} | {
            "PYTHONPATH": str(REPO),
            "PYTHONPYCACHEPREFIX": str(directory / "bytecode"),
            **unit_environment("PYTHONMALLOC", "GLIBC_TUNABLES"),
            **pcsc,
        }

    def starts(self, config: Path) -> None:
        """In turns, so that a busy machine is busy for both. The first of each compiles its bytecode and is dropped."""
        commands = (
            (self.kiosk, [sys.executable, "-m", "kiosk", "run", "--config", str(config)]),
            (self.bare, [sys.executable, str(SUBJECTS), "bare"]),
        )
        for run in range(self._runs + 1):
            for found, command in commands:
                with self._started(command) as (started_ms, _):
                    if run:
                        found.add("start_ms", started_ms)

    def idling(self, config: Path) -> None:
        command = [sys.executable, "-m", "kiosk", "run", "--config", str(config)]
        with self._started(command) as (_, kiosk):
            self._wait_for_devices()
            threading.Event().wait(KIOSK_SETTLE_S)
            self.kiosk.add("idle_percent", idle_percent(kiosk.pid))
            self._memory(self.kiosk, kiosk)
        with self._started(command, {"WATCHDOG_USEC": str(WATCHDOG_US)}) as (_, kiosk):
            self._wait_for_devices()
            threading.Event().wait(KIOSK_SETTLE_S)
            self.kiosk.add("idle_watched_percent", idle_percent(kiosk.pid))
        with self._started([sys.executable, str(SUBJECTS), "bare"]) as (_, bare):
            threading.Event().wait(SETTLE_S)
            self.bare.add("idle_percent", idle_percent(bare.pid))
            self._memory(self.bare, bare)

    def touches(self, config: Path) -> None:
        for _ in range(max(2, self._runs // 3)):
            at_once, later = self._visit(config, 0.0), self._visit(config, 0.5)
            self.kiosk.add("usable_ms", at_once["usable_ms"])
            self.kiosk.add("first_touch_ms", at_once["first_touch_ms"])
            self.kiosk.add("early_touch_ms", later["first_touch_ms"])
            self.kiosk.add("early_home_ms", later["touch_to_home_ms"])
            self.kiosk.add("lost_touches", at_once["lost_touches"] + later["lost_touches"])
        touched = self._subject("bare-touched")
        self.bare.add("touch_ms", *touched["touch_ms"])
        self.bare.add("change_ms", *touched["change_ms"])

    def visits(self, printer: Any, config: Path, ticket_row: str) -> None:
        """Touches, cards and tickets. The printer is here: the kiosk's process has only its driver."""
        last_bytes_s: list[float] = []
        printer.on_paper = lambda _paper: last_bytes_s.append(printer.last_received_at_s)
        found = self._visit(config)
        pairs = zip(found["ticket_touched_s"], last_bytes_s, strict=True)
        self.kiosk.add(ticket_row, *((last_s - touched_s) * 1000 for touched_s, last_s in pairs))
        for row in ("touch_ms", "change_ms", "card_ms"):
            self.kiosk.add(row, *found[row])
        self.kiosk.add("pss_visited_mib", found["pss_visited_mib"])

    def letter(self) -> None:
        from bench_paper import letter_strips, median_ms

        self.kiosk.add("letter_ms", median_ms(lambda: letter_strips(576), runs=30))

    def browser(self) -> None:
        for run in range(max(2, self._runs // 3) + 1):
            profile = self._directory / f"chromium-{run}"
            with painted_page() as (url, painted):
                command = [
                    CHROMIUM,
                    *CHROMIUM_FLAGS.split(),
                    "--window-size=1080,1920",
                    f"--user-data-dir={profile}",
                    url,
                ]
                # Headless Chromium ends after the page where nobody may ask it for more.
                command.insert(1, "--remote-debugging-port=0")
                started_s = time.monotonic()
                with process(command, os.environ, self._directory / "chromium.log") as chromium:
                    if not painted.wait(START_S):
                        raise TimeoutError("Chromium painted nothing")
                    if run:  # the first reads its files from the disk
                        self.chromium.add("start_ms", (time.monotonic() - started_s) * 1000)
                        continue
                    threading.Event().wait(SETTLE_S)
                    self.chromium.add("idle_percent", idle_percent(chromium.pid))
                    self._memory(self.chromium, chromium)

    @contextmanager
    def _started(
        self, command: list[str], more: Mapping[str, str] | None = None
    ) -> Iterator[tuple[float, subprocess.Popen]]:
        """Milliseconds from the making of the process to its first frame, and the process."""
        ready = Readiness(self._directory / "notify")
        environment = self._environment | {"NOTIFY_SOCKET": ready.address} | (more or {})
        started_s = time.monotonic()
        with process(command, environment, self._log) as running:
            try:
                ready.wait()
                yield (time.monotonic() - started_s) * 1000, running
            except TimeoutError as error:
                raise TimeoutError(f"no first frame; it said: {self._log.read_text()}") from error
            finally:
                ready.close()

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _wait_for_devices(self) -> None:
        wait_for(
            lambda: all(f"{kind} {kind}: ready" in self._log.read_text().lower() for kind in DEVICES),
            "every device is open",
        )

    @staticmethod
    def _memory(found: Found, leader: subprocess.Popen) -> None:
        pids = members(leader.pid)
        found.add("pss_mib", sum(pss_mib(pid) for pid in pids))
        found.add("rss_mib", sum(pss_mib(pid, "Rss") for pid in pids))

    def _visit(self, config: Path, first_touch_after_s: float | None = None) -> dict[str, Any]:
        return self._subject("kiosk", str(config), *([] if first_touch_after_s is None else [str(first_touch_after_s)]))

    def _subject(self, what: str, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, str(SUBJECTS), what, repr(time.monotonic()), *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=VISITS_S)
        if done.returncode or not done.stdout:
            raise RuntimeError(f"{what} failed:\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def painted_page() -> Iterator[tuple[str, threading.Event]]:
    """A page on loopback, and the event that its second frame sets."""
    painted = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(PAGE.encode())

        def do_POST(self) -> None:
            painted.set()
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", painted
        finally:
            server.shutdown()
            serving.join()


def unit_environment(*names: str) -> dict[str, str]:
    """What systemd's unit sets of these."""
    lines = (REPO / "systemd" / "anjungan-desa.service").read_text("utf-8").splitlines()
    prefix = "Environment="
    settings = (pair for line in lines if line.startswith(prefix) for pair in line.removeprefix(prefix).split())
    found = dict(pair.split("=", 1) for pair in settings)
    return {name: found[name] for name in names}


# The village that it stands in.


def write_config(directory: Path, name: str, reader: str, printer: str) -> Path:
    """The demo's settings with a state of their own and these devices."""
    from PIL import Image

    from config.settings import PROFILES

    for number in (1, 2, 3):  # the first is used up by the look that tells whether the camera is there
        Image.new("L", (1280, 720), 128).save(directory / f"seen-{number:03}.png")
    demo = (PROFILES / "demo.toml").read_text("utf-8")
    before, _, after = demo.partition("[card_reader]")
    devices = f"""[card_reader]
driver = "{reader}"

[code_scanner]
driver = "camera"
options = {{ source = "{directory}/seen-%03d.png" }}

[printer]
driver = "escpos"
profile = "virtual-80mm"
options = {{ connection = "{printer}" }}

[speaker]
driver = "espeak"
options = {{ device = "null" }}

[machine]
driver = "linux"
options = {{ disk = "/", network = false }}

"""
    top = f'state_dir = "{directory / name}"\n' + before.replace('"x11"', '"offscreen"')
    path = directory / f"{name}.toml"
    path.write_text(top + devices + after[after.index("[[queue.services]]") :], "utf-8")
    return path


def settle_village(config_path: Path) -> None:
    """Residents with cards and PINs. Beforehand: hashing the PINs takes seconds."""
    from config import settings as config
    from kiosk.clock import Clock
    from kiosk.demo import village
    from kiosk.devices import Devices
    from kiosk.office import Office

    office = Office.open(config.load(config_path), Clock(), Devices(), None, lambda _event: None)
    village.fill(office.residents, office.requests, office.letter_types["domisili"], office.signer.letter)
    for job in office.spooler.open_jobs():
        office.spooler.cancel(job.id)
    office.close()


def table(bench: Bench) -> str:
    """As Markdown, aligned for a terminal too."""
    lines = [["", "kiosk", "bare window", "Chromium", "aim"]]
    for row in ROWS:
        found = (bench.kiosk, bench.bare, bench.chromium)
        cells = [subject.text(row.key, row.unit) for subject in found]
        lines.append([row.what, *cells, row.aim(bench.kiosk, bench.bare)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |" for line in lines
    )


def measure(directory: Path, runs: int) -> Bench:
    sys.path.append(str(REPO / "tests"))
    from support.pcsc import running_pcscd

    from hardware.printer.virtual import VirtualPrinter

    fast = functools.partial(VirtualPrinter, head_mm_per_s=FAST_HEAD_MM_PER_S, buffer_bytes=1 << 20)
    real = functools.partial(VirtualPrinter, head_mm_per_s=REAL_HEAD_MM_PER_S)
    with running_pcscd(directory) as pcscd, fast() as fast_printer, real() as real_printer:
        bench = Bench(directory, runs, pcscd.environment)
        whole = write_config(directory, "whole", "pcsc", fast_printer.connection)
        quick = write_config(directory, "quick", "virtual", fast_printer.connection)
        slow = write_config(directory, "slow", "virtual", real_printer.connection)
        for config in (whole, quick, slow):
            settle_village(config)
        for what, work in (
            ("starts", lambda: bench.starts(whole)),
            ("idling and memory", lambda: bench.idling(whole)),
            ("first touches", lambda: bench.touches(quick)),
            ("visits with a fast printer", lambda: bench.visits(fast_printer, quick, "ticket_ms")),
            ("visits with a real one's speed", lambda: bench.visits(real_printer, slow, "ticket_real_ms")),
            ("a letter", bench.letter),
        ):
            print(f"measuring {what} …", file=sys.stderr, flush=True)
            work()
        if shutil.which(CHROMIUM):
            print("measuring Chromium …", file=sys.stderr, flush=True)
            bench.browser()
        return bench


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9, help="starts of each (default 9)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        bench = measure(Path(directory), runs)
    print(f"Medians (with their range) of {runs} starts, 1080×1920, software GL, load {os.getloadavg()[0]:.1f}\n")
    print(table(bench))


if __name__ == "__main__":
    main()
