"""`kiosk selftest`: every passive check, from the command line. Beside a running kiosk its devices are not touched."""

import json
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.settings import Settings, SettingsError
from hardware.printer.interface import Page, PrintOutcome
from kiosk.app import AlreadyRunning, CannotRun, StateLock, check_drivers, running_devices
from kiosk.check_results import CheckResult, CheckResults
from kiosk.clock import Clock
from kiosk.selftest.registry import Bench, Finding, Verdict
from kiosk.selftest.report import active_lines, lines_of
from kiosk.selftest.runner import run_checks
from kiosk.store.errors import StoreError
from kiosk.store.opening import open_store


def run(settings: Settings, path: Path, as_json: bool, on_paper: bool) -> int:
    """Test this kiosk; exit status 0 where nothing failed, 1 where something did, 2 where it could not be tested."""
    try:
        with StateLock(settings), running_devices(settings, path, lambda event: None) as devices:
            return _report(Bench(settings, path, check_drivers, devices), as_json, on_paper)
    except AlreadyRunning:
        return _report(Bench(settings, path, check_drivers), as_json, on_paper=False)
    except (CannotRun, SettingsError) as error:
        print(f"kiosk selftest: {error}", file=sys.stderr)
        return 2


def _report(bench: Bench, as_json: bool, on_paper: bool) -> int:
    findings = run_checks(bench)
    last = _keep(bench, findings)
    lines = [*lines_of(findings), *active_lines(last, bench.settings.village.timezone)]
    if on_paper and "printer" in bench.devices:
        on_slip = [*lines_of(findings, "id"), *active_lines(last, bench.settings.village.timezone, "id")]
        findings.append(_print(bench, on_slip))
        lines += lines_of(findings[-1:])
    if as_json:
        print(json.dumps([finding.__dict__ for finding in findings], indent=2))
    else:
        print("\n".join(lines))
    return int(any(finding.verdict is Verdict.FAIL for finding in findings))


def _keep(bench: Bench, findings: list[Finding]) -> dict[str, CheckResult]:
    """Write down what changed, and give the last results of all checks. Where the database cannot be opened nothing is
    kept: its own check says why."""
    try:
        store = open_store(bench.settings)
    except StoreError:
        return {}
    try:
        results = CheckResults(store, Clock())
        if bench.devices:  # a running kiosk keeps its own
            for finding in findings:
                results.record(finding)
        return results.last()
    finally:
        store.close()


def _print(bench: Bench, lines: list[str]) -> Finding:
    from kiosk.paper.slips import self_test_slip
    from kiosk.paper.thermal import render

    printer: Any = bench.devices["printer"]
    village = bench.settings.village
    now = Clock().now().astimezone(ZoneInfo(village.timezone))
    document = self_test_slip(tuple(lines), village, now)
    image = render(document, printer.profile.width_dots, printer.profile.dots_per_mm)
    result = printer.print(Page(image))
    verdict = Verdict.PASS if result.outcome is PrintOutcome.PRINTED else Verdict.FAIL
    return Finding("print", verdict, result.code, str(result.outcome))
