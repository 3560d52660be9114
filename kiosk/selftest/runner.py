"""Runs the checks: once, or for a running kiosk at its start and every hour after, on a thread of its own."""

import logging
import secrets
import threading
from dataclasses import dataclass

from kiosk.check_results import CheckResults
from kiosk.clock import Clock
from kiosk.selftest import passive as _registers_the_passive_checks  # noqa: F401
from kiosk.selftest.registry import CHECKS, Bench, Finding, Verdict
from kiosk.store.errors import StoreError
from kiosk.store.print_jobs import PrintKind, queue_print
from kiosk.store.store import Store

log = logging.getLogger(__name__)

EVERY_S = 3600.0
#: The first visitor after a start comes before the checks.
FIRST_AFTER_S = 10.0


def run_checks(bench: Bench) -> list[Finding]:
    """Every passive check in order. One that raises has failed."""
    findings = []
    for check in CHECKS.values():
        if check.active:
            continue
        try:
            findings.append(check.look(bench))
        except Exception as error:
            log.exception("the check %s is broken", check.name)
            findings.append(Finding(check.name, Verdict.FAIL, "CHECK-BROKEN", f"{type(error).__name__}: {error}"))
    return findings


@dataclass(frozen=True)
class CheckPage:
    """A page that is being printed for an active check, and the text of its code."""

    result_id: int
    job_id: int
    text: str


class SelfTest:
    """The self-test of one kiosk, whose results are kept."""

    def __init__(self, bench: Bench, store: Store, clock: Clock) -> None:
        self.bench, self.clock, self._store = bench, clock, store
        self.results = CheckResults(store, clock)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="self-test", daemon=True)

    def look(self) -> list[Finding]:
        """Run the passive checks now, which takes seconds where a device or a server keeps silent, and keep what
        changed."""
        findings = run_checks(self.bench)
        self._keep(findings)
        return findings

    def _keep(self, findings: list[Finding]) -> None:
        for finding in findings:
            self.results.record(finding)

    def begin_page(self, check: str, key: str, language: str) -> CheckPage:
        """Begin an active check that needs a page: its result and its print job come into being together. The text is
        new each time, so that no older page can stand in for this one."""
        text = f"UJI-{secrets.token_hex(6).upper()}"
        with self._store.write() as tx:
            result_id = self.results.begin(check, tx=tx, detail=text)
            job_id = queue_print(tx, PrintKind.SELF_TEST, result_id, key, self.clock.now(), language)
        return CheckPage(result_id, job_id, text)

    def print_report(self, key: str, language: str) -> int:
        """Queue the report as a slip; its print job's id."""
        with self._store.write() as tx:
            return queue_print(tx, PrintKind.SELF_TEST, None, key, self.clock.now(), language)

    # For a running kiosk.

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)  # a check waits for a silent device or server somewhat longer, and harms nobody

    def _run(self) -> None:
        pause_s = FIRST_AFTER_S
        while not self._stopping.wait(pause_s):
            findings = run_checks(self.bench)
            if self._stopping.is_set():
                return  # the database is being closed
            try:
                self._keep(findings)
            except StoreError:
                log.exception("the results of the self-test could not be kept")
            pause_s = EVERY_S
