"""How every check of the self-test came out, as records: ordered by id, because clocks move and ids do not.

An active check is written down as failed when it begins, and overwritten when it ends: one that was cut short, also by
the power, has failed without anybody having to notice.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, func, select, update

from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.selftest.registry import Finding, Verdict
from kiosk.store.counters import insert
from kiosk.store.schema import check_results
from kiosk.store.store import Store

ABANDONED = "CHECK-ABANDONED"


class UnknownResult(LookupError):
    """There is no result with that id."""


@dataclass(frozen=True)
class CheckResult:
    """`at` is when it came out, or began while it has not."""

    id: int
    finding: Finding
    at: datetime


class CheckResults:
    """Every method may raise StoreError."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._journal = Journal(store, clock)

    def begin(self, check: str, *, tx: Connection | None = None, detail: str = "") -> int:
        """The id under which `end` tells how it came out; until then it has failed. Holds if `tx` commits, where one
        is given."""
        if tx is None:
            with self._store.write() as tx:
                return self.begin(check, tx=tx, detail=detail)
        self._journal.record(Event.CHECK_BEGAN, tx=tx, check=check)
        return self._add(tx, Finding(check, Verdict.FAIL, ABANDONED, detail))

    def end(self, id: int, finding: Finding) -> None:
        """Raises UnknownResult."""
        with self._store.write() as tx:
            columns = {"verdict": finding.verdict, "code": finding.code, "detail": finding.detail}
            columns["at"] = self._clock.now()
            if tx.execute(update(check_results).where(check_results.c.id == id).values(columns)).rowcount != 1:
                raise UnknownResult(f"no check result has the id {id}")
            self._journal.record(
                Event.CHECK_ENDED, tx=tx, check=finding.check, verdict=finding.verdict, code=finding.code
            )

    def record(self, finding: Finding) -> None:
        """How a passive check came out, if its verdict or code is not that of the last time."""
        with self._store.write() as tx:
            last = tx.execute(_newest().where(check_results.c.check == finding.check)).one_or_none()
            if last is not None and (last.verdict, last.code) == (finding.verdict, finding.code):
                return
            self._add(tx, finding)
            self._journal.record(
                Event.CHECK_CHANGED, tx=tx, check=finding.check, verdict=finding.verdict, code=finding.code
            )

    def last(self) -> dict[str, CheckResult]:
        """Check → its newest result."""
        with self._store.read() as tx:
            return {row.check: _result(row) for row in tx.execute(_newest().order_by(check_results.c.id))}

    def get(self, id: int) -> CheckResult:
        """Raises UnknownResult."""
        with self._store.read() as tx:
            row = tx.execute(select(check_results).where(check_results.c.id == id)).one_or_none()
        if row is None:
            raise UnknownResult(f"no check result has the id {id}")
        return _result(row)

    def _add(self, tx: Connection, finding: Finding) -> int:
        statement = insert(tx, check_results).values(
            check=finding.check,
            verdict=finding.verdict,
            code=finding.code,
            detail=finding.detail,
            at=self._clock.now(),
        )
        return tx.execute(statement.returning(check_results.c.id)).scalar_one()


def _newest():
    return select(check_results).where(
        check_results.c.id.in_(select(func.max(check_results.c.id)).group_by(check_results.c.check))
    )


def _result(row: Row) -> CheckResult:
    return CheckResult(row.id, Finding(row.check, Verdict(row.verdict), row.code, row.detail), row.at)
