"""The spooler takes print jobs to the printer, one at a time, and knows after any power cut how each one stands.

QUEUED → SENDING → PRINTED | HELD | UNCERTAIN. The row says SENDING before the first byte leaves, so a job that was cut
short is told as such: it becomes UNCERTAIN, is never repeated by itself, and a person says whether the paper came out.
A HELD job is known not to be complete and goes on by itself once the printer can; a letter's copy and a technician's
page are the exceptions, as they must not come out when whom they are for has left.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, update

from hardware.device import Status
from hardware.printer.interface import Page, Printer, PrintOutcome, PrintResult
from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.queue import ticket_number
from kiosk.store.errors import StoreError
from kiosk.store.print_jobs import PrintKind, PrintState
from kiosk.store.schema import print_jobs, tickets
from kiosk.store.store import Store
from kiosk.traces import trace_of

log = logging.getLogger(__name__)

#: A held job is tried again when the printer says that it can, and at this pace where it says nothing.
RETRY_S = 10.0
#: A ticket or slip that was held longer than this has nobody waiting for it any more.
PAPER_PATIENCE = timedelta(hours=4)
#: After a database error, before the spooler looks again.
STORE_PAUSE_S = 2.0
#: Of how many uncertain tickets the first screen asks at most.
MOST_UNCERTAIN = 2


@dataclass(frozen=True)
class PrintJob:
    id: int
    kind: PrintKind
    subject_id: int | None
    printing: int  # 2 is "cetakan ke-2"
    language: str = "id"


@dataclass(frozen=True)
class PrintChanged:
    """Where a job stands. `code` says why it is held or uncertain; `fraction` how much of it is on paper."""

    job_id: int
    state: PrintState
    code: str = ""
    fraction: float | None = None


@dataclass(frozen=True)
class UncertainTicket:
    """A queue ticket of which nobody knows whether it was printed."""

    job_id: int
    ticket_id: int
    number: str


OUTCOMES = {
    PrintOutcome.PRINTED: PrintState.PRINTED,
    PrintOutcome.HELD: PrintState.HELD,
    PrintOutcome.UNCERTAIN: PrintState.UNCERTAIN,
}
EVENTS = {
    PrintState.QUEUED: Event.PRINT_QUEUED,
    PrintState.SENDING: Event.PRINT_SENDING,
    PrintState.PRINTED: Event.PRINT_PRINTED,
    PrintState.HELD: Event.PRINT_HELD,
    PrintState.UNCERTAIN: Event.PRINT_UNCERTAIN,
    PrintState.CANCELLED: Event.PRINT_CANCELLED,
}
#: For whoever stands there: nobody else gets them.
OWNED = (PrintKind.LETTER_COPY, PrintKind.SELF_TEST)
ENDED = (PrintState.PRINTED, PrintState.UNCERTAIN, PrintState.CANCELLED)


@dataclass
class _Moves:
    """The changes of state within one transaction. Each is journalled with it, and told once it is committed."""

    tx: Connection
    clock: Clock
    journal: Journal
    made: list[PrintChanged] = field(default_factory=list)

    def row(self, job_id: int) -> Row:
        """The job, which nobody else moves until the transaction ends."""
        return self.tx.execute(select(print_jobs).where(print_jobs.c.id == job_id).with_for_update()).one()

    def to(self, state: PrintState, job_id: int, code: str = "", **columns: int) -> None:
        self.tx.execute(
            update(print_jobs)
            .where(print_jobs.c.id == job_id)
            .values(state=state, code=code, changed_at=self.clock.now(), **columns)
        )
        self.journal.record(EVENTS[state], tx=self.tx, job=job_id, code=code)
        self.made.append(PrintChanged(job_id, state, code))


class Spooler:
    """`compose(job)` lays the job's page out from what the database holds now, so no personal data is copied into the
    spool; `post` gets a `PrintChanged` for every change."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        journal: Journal,
        printer: Printer | None,
        compose: Callable[[PrintJob], Page],
        post: Callable[[Any], None],
    ) -> None:
        self._store, self._clock, self._journal = store, clock, journal
        self._printer, self._compose, self._post = printer, compose, post
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spooler", daemon=True)
        self._unclean = False  # a job was cut short: the printer must be brought back in step first
        self._may_hang = False  # the last job of this process did not end well: the driver knows what hangs
        self._asked: int | None = None  # the uncertain job whose visitor is looking at the paper now
        self._retry_at_s = 0.0
        self._unrecorded: tuple[int, PrintResult] | None = None
        self._ownerless: int | None = None  # the copy whose owner left while it was being sent
        #: The newest such tickets of the last business day. Replaced whole, never changed: any thread may read it.
        self.uncertain_tickets: tuple[UncertainTicket, ...] = ()

    def start(self) -> None:
        self._recover()
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def printer_changed(self, status: Status) -> None:
        """From the device's thread: a printer that serves again is tried at once."""
        if status.serving:
            self._retry_at_s = 0.0
        self._woken.set()

    # What steps ask, on workers.

    def watch(self, job_id: int) -> PrintChanged:
        """Where the job stands now; the spooler looks whether there is something to print."""
        self._woken.set()
        with self._store.read() as tx:
            row = tx.execute(select(print_jobs).where(print_jobs.c.id == job_id)).one()
        return PrintChanged(job_id, PrintState(row.state), row.code)

    def settle(self, job_id: int, came_out: bool) -> None:
        """A person saw whether an uncertain job is on paper. If not, it is printed again and says so."""
        with self._moves() as moves:
            row = moves.row(job_id)
            if row.state != PrintState.UNCERTAIN:
                return
            if came_out:
                moves.to(PrintState.PRINTED, job_id, code="PRINT-CONFIRMED-BY-PERSON")
            else:
                moves.to(PrintState.QUEUED, job_id, printing=row.printing + 1)
        self._asked = None
        self._woken.set()

    def print_again(self, job_id: int) -> int:
        """Another printing of a job that has ended, marked as such. Returns the job's id."""
        with self._moves() as moves:
            row = moves.row(job_id)
            if row.state in ENDED:
                never_sent = row.state == PrintState.CANCELLED and row.attempt == 0
                moves.to(PrintState.QUEUED, job_id, printing=row.printing + (not never_sent))
        self._woken.set()
        return job_id

    def cancel(self, job_id: int) -> bool:
        """Whether the job was taken out: one that is being sent or has ended is not."""
        with self._moves() as moves:
            if moves.row(job_id).state not in (PrintState.QUEUED, PrintState.HELD):
                return False
            moves.to(PrintState.CANCELLED, job_id, code="PRINT-NOT-WANTED")
        return True

    def abandon(self, visit_id: str) -> None:
        """The visit is over: its copies that are not on paper yet must not come out for the next person. One that is
        being sent now comes out or is given up."""
        with self._moves() as moves:
            copies = self._mine(PrintState.QUEUED, PrintState.HELD, PrintState.SENDING).where(
                print_jobs.c.idempotency_key.startswith(f"{visit_id}:"), print_jobs.c.kind.in_(OWNED)
            )
            for row in moves.tx.execute(copies.with_for_update()).all():
                if row.state == PrintState.SENDING:
                    self._ownerless = row.id
                else:
                    moves.to(PrintState.CANCELLED, row.id, code="PRINT-OWNER-LEFT")
        self._asked = None
        self._woken.set()

    def open_jobs(self) -> list[Row]:
        """The rows of the jobs that wait or of which nobody knows whether they are on paper, oldest first."""
        with self._store.read() as tx:
            open_ones = self._mine(PrintState.QUEUED, PrintState.HELD, PrintState.SENDING, PrintState.UNCERTAIN)
            return list(tx.execute(open_ones.order_by(print_jobs.c.id)).all())

    # The spooler's own thread.

    def _recover(self) -> None:
        """After a start: what was being sent is uncertain; copies have no owner in front of them any more."""
        with self._moves() as moves:
            self._unclean = self._last_was_cut_short(moves.tx)
            waiting = self._mine(PrintState.SENDING, PrintState.QUEUED, PrintState.HELD)
            for row in moves.tx.execute(waiting.with_for_update()).all():
                self._unclean |= row.attempt > 0
                if row.state == PrintState.SENDING:
                    moves.to(PrintState.UNCERTAIN, row.id, code="PRINT-INTERRUPTED")
                elif row.kind in OWNED:
                    moves.to(PrintState.CANCELLED, row.id, code="PRINT-OWNER-LEFT")

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                pause_s = self._work()
            except Exception:  # a full disk or a locked database must not end the spooler
                log.exception("the spooler could not work; it looks again in %.0f s", STORE_PAUSE_S)
                pause_s = STORE_PAUSE_S
            if pause_s != 0:
                self._woken.wait(pause_s)

    def _work(self) -> float | None:
        """Take the oldest job one step on. Returns how long to wait for news: 0 for at once, None for as long as it
        takes."""
        if self._unrecorded is not None:
            self._record()
        job, state = self._oldest()
        if job is None:
            return self._void_what_hangs()
        if self._printer is None or not self._printer.status.serving:
            self._hold(job, state)
            return None
        wait_s = self._retry_at_s - time.monotonic()
        if state is PrintState.HELD and wait_s > 0:
            return wait_s
        self._send(job)
        return 0

    def _void_what_hangs(self) -> float | None:
        """A paper that broke off shows somebody's data: it is voided and cut off as soon as the printer can, and not
        handed out with the next person's."""
        if self._printer is None or not self._printer.status.serving or self._asked is not None:
            return None
        if not (self._unclean or self._may_hang):
            return None
        wait_s = self._retry_at_s - time.monotonic()
        if wait_s > 0:
            return wait_s
        result = self._printer.void_unfinished(after_unclean_stop=self._unclean)
        if result.outcome is PrintOutcome.PRINTED:
            self._unclean = self._may_hang = False
            return None
        self._retry_at_s = time.monotonic() + RETRY_S
        return RETRY_S

    def _oldest(self) -> tuple[PrintJob | None, PrintState | None]:
        with self._store.read() as tx:
            oldest = self._mine(PrintState.QUEUED, PrintState.HELD).order_by(print_jobs.c.id).limit(1)
            row = tx.execute(oldest).first()
        return (None, None) if row is None else (_job(row), PrintState(row.state))

    def _hold(self, job: PrintJob, state: PrintState) -> None:
        code = self._printer.status.code if self._printer is not None else "PRINTER-NONE"
        with self._moves() as moves:
            for row in moves.tx.execute(self._mine(PrintState.QUEUED).with_for_update()).all():
                moves.to(PrintState.HELD, row.id, code=code)
        if state is PrintState.HELD:
            self._post(PrintChanged(job.id, PrintState.HELD, code))

    def _send(self, job: PrintJob) -> None:
        try:
            page = self._compose(job)
        except StoreError:
            raise  # tells nothing about the job: the database is asked again
        except Exception as error:
            log.error("print job %d cannot be laid out: %s", job.id, trace_of(error))
            with self._moves() as moves:
                moves.to(PrintState.CANCELLED, job.id, code="PRINT-NO-LAYOUT")
            return
        with self._moves() as moves:
            row = moves.row(job.id)
            if row.state not in (PrintState.QUEUED, PrintState.HELD):
                return  # cancelled in the meantime
            if self._clock.now() - row.created_at > PAPER_PATIENCE and row.state == PrintState.HELD:
                moves.to(PrintState.CANCELLED, job.id, code="PRINT-TOO-LATE")
                return
            moves.to(PrintState.SENDING, job.id, attempt=row.attempt + 1)
        result = self._print(job, page)
        self._may_hang = result.outcome is not PrintOutcome.PRINTED
        self._asked = job.id if result.outcome is PrintOutcome.UNCERTAIN else None
        if result.outcome is PrintOutcome.HELD:
            self._retry_at_s = time.monotonic() + RETRY_S
        else:
            self._unclean = False  # what comes after this in the same process the driver itself remembers
        self._unrecorded = (job.id, result)
        self._record()

    def _print(self, job: PrintJob, page: Page) -> PrintResult:
        try:
            return self._printer.print(
                page,
                after_unclean_stop=self._unclean,
                progress=lambda fraction: self._post(PrintChanged(job.id, PrintState.SENDING, fraction=fraction)),
            )
        except Exception:  # a driver's own mistake; nobody knows how far it came
            log.exception("the printer's driver failed")
            return PrintResult(PrintOutcome.UNCERTAIN, "PRINTER-DRIVER")

    def _record(self) -> None:
        """Write down how the last job ended. Where the disk refuses, the result is kept and written at the next try:
        no other job is begun before."""
        job_id, result = self._unrecorded
        with self._moves() as moves:
            if result.outcome is PrintOutcome.HELD and job_id == self._ownerless:
                moves.to(PrintState.CANCELLED, job_id, code="PRINT-OWNER-LEFT")
            else:
                moves.to(OUTCOMES[result.outcome], job_id, code=result.code)
        self._unrecorded = None

    @contextmanager
    def _moves(self) -> Iterator[_Moves]:
        with self._store.write() as tx:
            moves = _Moves(tx, self._clock, self._journal)
            yield moves
            uncertain = self._uncertain_tickets(tx)
        self.uncertain_tickets = uncertain
        for change in moves.made:
            self._post(change)

    def _mine(self, *states: PrintState) -> Select:
        """This kiosk's jobs in one of those states."""
        return select(print_jobs).where(print_jobs.c.kiosk_id == self._store.kiosk_id, print_jobs.c.state.in_(states))

    def _uncertain_tickets(self, tx: Connection) -> tuple[UncertainTicket, ...]:
        last_day = select(func.max(tickets.c.business_day)).scalar_subquery()
        uncertain = (
            select(print_jobs.c.id, tickets)
            .join(tickets, tickets.c.id == print_jobs.c.subject_id)
            .where(print_jobs.c.state == PrintState.UNCERTAIN, print_jobs.c.kind == PrintKind.TICKET)
            .where(print_jobs.c.kiosk_id == self._store.kiosk_id)
            .where(tickets.c.business_day == last_day, tickets.c.called_at.is_(None))
            .order_by(print_jobs.c.id.desc())
            .limit(MOST_UNCERTAIN)
        )
        return tuple(UncertainTicket(row[0], row[1], ticket_number(row)) for row in tx.execute(uncertain).all())

    def _last_was_cut_short(self, tx: Connection) -> bool:
        """Whether the job that was sent last may hang in the printer still: nothing but its own word says that it does
        not."""
        sent = select(print_jobs).where(print_jobs.c.kiosk_id == self._store.kiosk_id, print_jobs.c.attempt > 0)
        row = tx.execute(sent.order_by(print_jobs.c.changed_at.desc()).limit(1)).first()
        return row is not None and (row.state != PrintState.PRINTED or row.code != "")


def _job(row: Row) -> PrintJob:
    return PrintJob(row.id, PrintKind(row.kind), row.subject_id, row.printing, row.language)
