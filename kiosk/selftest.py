"""The self-test: one registry of checks, one runner, one report for the terminal, for programs and for paper.

A check looks at one part and answers with a `Finding`. What to do about a code is in the catalogue (`advice_<code>`),
in Indonesian and English.
"""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.settings import Settings, SettingsError
from config.translations import messages, say
from hardware.device import Device, DeviceState
from hardware.printer.interface import Page, PrintOutcome
from kiosk import __version__
from kiosk.clock import Clock
from kiosk.store.errors import StoreError

#: How long a device may take to say how it is.
DEVICE_PATIENCE_S = 8.0
#: Below this much room the database may fail to grow within weeks.
LEAST_DISK_BYTES = 500_000_000


class Verdict(StrEnum):
    PASS = "pass"
    ATTENTION = "attention"  # serves, and somebody should look
    FAIL = "fail"
    NOT_FITTED = "not fitted"  # the settings name no such device


@dataclass(frozen=True)
class Finding:
    check: str
    verdict: Verdict
    code: str = ""
    detail: str = ""

    def advice(self, language: str) -> str:
        key = "advice_" + self.code.lower().replace("-", "_")
        return say(language, key if key in messages() else "advice_other", code=self.code)


@dataclass
class Bench:
    """What the checks look at. Devices run while the test does; where another kiosk holds them they are not there."""

    settings: Settings
    path: Path
    devices: dict[str, Device] = field(default_factory=dict)


Check = Callable[[Bench], Finding]
CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Register a check under the name that the report shows."""

    def register(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return register


@check("version")
def _version(bench: Bench) -> Finding:
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("version", Verdict.PASS, detail=f"Anjungan Desa {__version__}, Python {python}")


@check("letter types")
def _letter_types(bench: Bench) -> Finding:
    from kiosk.letter_types import letters_directory, load_letter_types

    try:
        usable, errors = load_letter_types(letters_directory(bench.settings))
    except OSError as error:
        return Finding("letter types", Verdict.FAIL, "LETTERS-BROKEN", str(error))
    if errors:
        return Finding("letter types", Verdict.FAIL, "LETTERS-BROKEN", "; ".join(map(str, errors)))
    return Finding("letter types", Verdict.PASS, detail=f"{len(usable)} usable")


@check("database")
def _database(bench: Bench) -> Finding:
    from kiosk.office import open_store

    try:
        store = open_store(bench.settings)
        try:
            store.check_whole()
        finally:
            store.close()
    except StoreError as error:
        return Finding("database", Verdict.FAIL, "DATABASE-BROKEN", str(error))
    return Finding("database", Verdict.PASS)


@check("disk")
def _disk(bench: Bench) -> Finding:
    free_bytes = shutil.disk_usage(bench.settings.state_path).free
    detail = f"{free_bytes / 1e9:.1f} GB free"
    if free_bytes < LEAST_DISK_BYTES:
        return Finding("disk", Verdict.FAIL, "DISK-FULL", detail)
    return Finding("disk", Verdict.PASS, detail=detail)


@check("clock")
def _clock(bench: Bench) -> Finding:
    clock = Clock()
    now = clock.now().isoformat(timespec="seconds")
    if not clock.synchronised():
        return Finding("clock", Verdict.ATTENTION, "CLOCK-NOT-KEPT", now)
    return Finding("clock", Verdict.PASS, detail=now)


def _device(kind: str, name: str) -> Check:
    def look(bench: Bench) -> Finding:
        if getattr(bench.settings, kind) is None:
            return Finding(name, Verdict.NOT_FITTED)
        if kind not in bench.devices:
            return Finding(name, Verdict.FAIL, "KIOSK-RUNNING", "the running kiosk holds it")
        status = bench.devices[kind].wait_for_status(
            lambda status: status.state is not DeviceState.STARTING, DEVICE_PATIENCE_S
        )
        if not status.serving:
            return Finding(name, Verdict.FAIL, status.code or f"{name.upper()}-NO-ANSWER", status.detail)
        if status.state is DeviceState.ATTENTION:
            return Finding(name, Verdict.ATTENTION, status.code, status.detail)
        return Finding(name, Verdict.PASS)

    return look


for _kind in ("card_reader", "code_scanner", "printer"):
    CHECKS[_kind.replace("_", " ")] = _device(_kind, _kind.replace("_", " "))


def run_checks(bench: Bench) -> list[Finding]:
    """Every registered check in order. One that raises has failed."""
    findings = []
    for name, look in CHECKS.items():
        try:
            findings.append(look(bench))
        except Exception as error:
            findings.append(Finding(name, Verdict.FAIL, "CHECK-BROKEN", f"{type(error).__name__}: {error}"))
    return findings


def lines_of(findings: list[Finding]) -> list[str]:
    """The report as lines of text, the same on a terminal and on paper."""
    lines = []
    for finding in findings:
        parts = (f"{finding.check}: {finding.verdict}", finding.code, finding.detail)
        lines.append(" · ".join(part for part in parts if part))
        if finding.verdict in (Verdict.FAIL, Verdict.ATTENTION):
            lines += [f"    {finding.advice('id')}", f"    {finding.advice('en')}"]
    return lines


def run(settings: Settings, path: Path, as_json: bool, on_paper: bool) -> int:
    """Test this kiosk; exit status 0 where nothing failed, 1 where something did, 2 where it could not be tested."""
    from kiosk.app import KINDS, AlreadyRunning, StateLock, build_device

    devices: dict[str, Device] = {}
    try:
        with StateLock(settings):
            for kind in KINDS:
                device = build_device(settings, path, kind)
                if device is not None:
                    devices[kind] = device
                    device.start(lambda event: None)
            try:
                return _report(Bench(settings, path, devices), as_json, on_paper)
            finally:
                for device in devices.values():
                    device.stop()
    except AlreadyRunning:
        return _report(Bench(settings, path), as_json, on_paper=False)
    except SettingsError as error:
        print(f"kiosk selftest: {error}", file=sys.stderr)
        return 2


def _report(bench: Bench, as_json: bool, on_paper: bool) -> int:
    findings = run_checks(bench)
    if on_paper and "printer" in bench.devices:
        findings.append(_print(bench, findings))
    if as_json:
        print(json.dumps([finding.__dict__ for finding in findings], indent=2))
    else:
        print("\n".join(lines_of(findings)))
    return int(any(finding.verdict is Verdict.FAIL for finding in findings))


def _print(bench: Bench, findings: list[Finding]) -> Finding:
    from kiosk.paper.slips import self_test_slip
    from kiosk.paper.thermal import render

    printer: Any = bench.devices["printer"]
    village = bench.settings.village
    now = Clock().now().astimezone(ZoneInfo(village.timezone))
    document = self_test_slip(tuple(lines_of(findings)), village, now)
    image = render(document, printer.profile.width_dots, printer.profile.dots_per_mm)
    result = printer.print(Page(image))
    verdict = Verdict.PASS if result.outcome is PrintOutcome.PRINTED else Verdict.FAIL
    return Finding("print", verdict, result.code, str(result.outcome))
