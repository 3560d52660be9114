"""Queue numbers: never given twice, never skipped, across crashes, processes and a clock that is set.

Numbers restart each business day, and that day never moves back: where the clock does, numbering goes on.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Row, func, select, update

from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.store.counters import insert, next_number
from kiosk.store.print_jobs import PrintKind, queue_print
from kiosk.store.schema import business_day, print_jobs, tickets
from kiosk.store.store import Store

#: A clock that went further than this is believed only once a time server keeps it.
LONGEST_UNTRUSTED_JUMP = timedelta(days=31)


@dataclass(frozen=True)
class Ticket:
    id: int
    number: str  # "A-012"
    service_code: str
    taken_at: datetime
    waiting: int  # how many were before it when it was taken
    business_day: date
    print_job_id: int


_TICKETS = select(tickets, print_jobs.c.id.label("print_job_id")).join(
    print_jobs, (print_jobs.c.kind == PrintKind.TICKET) & (print_jobs.c.subject_id == tickets.c.id)
)


class Queue:
    """`timezone` is the hall's, by its IANA name: its midnight begins the day."""

    def __init__(self, store: Store, clock: Clock, timezone: str) -> None:
        self._store, self._clock, self._timezone = store, clock, timezone
        self._journal = Journal(store, clock)

    def take(self, service_code: str, idempotency_key: str, language: str = "id") -> Ticket:
        """The next number of that service, and its print job, in one transaction; once given it is on the disk. The
        same key gets the same ticket again, so save the key first and retry with it. `language` is the paper's.
        Raises StoreError."""

        def find(tx: Connection) -> Ticket | None:
            row = tx.execute(_TICKETS.where(tickets.c.idempotency_key == idempotency_key)).one_or_none()
            return None if row is None else _ticket(row)

        def make(tx: Connection) -> Ticket:
            return self._take(tx, service_code, idempotency_key, language)

        return self._store.once(find, make)

    def get(self, ticket_id: int) -> Ticket:
        """Raises sqlalchemy.exc.NoResultFound where there is none."""
        with self._store.read() as tx:
            return _ticket(tx.execute(_TICKETS.where(tickets.c.id == ticket_id)).one())

    def waiting(self, service_code: str) -> int:
        """How many wait for that service now."""
        with self._store.read() as tx:
            return _waiting(tx, service_code, self._day(tx))

    def line(self, service_code: str) -> list[Ticket]:
        """Who waits for that service now, the longest waiting first."""
        with self._store.read() as tx:
            waiting = _TICKETS.where(*_waits(service_code, self._day(tx))).order_by(tickets.c.serial)
            return [_ticket(row) for row in tx.execute(waiting).all()]

    def last_called(self, service_code: str) -> Ticket | None:
        """The ticket of today that was called last; None before the first."""
        with self._store.read() as tx:
            called = (
                _TICKETS.where(
                    tickets.c.service_code == service_code,
                    tickets.c.business_day == self._day(tx),
                    tickets.c.called_at.is_not(None),
                )
                .order_by(tickets.c.called_at.desc(), tickets.c.serial.desc())
                .limit(1)
            )
            row = tx.execute(called).one_or_none()
            return None if row is None else _ticket(row)

    def call_next(self, service_code: str, officer: str | None = None) -> Ticket | None:
        """The longest waiting ticket of today, which is now called by that officer; None where nobody waits. Two
        counters that call at once get two tickets."""
        with self._store.write() as tx:
            first = (
                select(tickets.c.id)
                .where(*_waits(service_code, self._day(tx)))
                .order_by(tickets.c.serial)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            ticket_id = tx.execute(first).scalar_one_or_none()
            if ticket_id is None:
                return None
            tx.execute(update(tickets).where(tickets.c.id == ticket_id).values(called_at=self._clock.now()))
            ticket = _ticket(tx.execute(_TICKETS.where(tickets.c.id == ticket_id)).one())
            self._journal.record(Event.TICKET_CALLED, tx=tx, ticket=ticket.id, number=ticket.number, officer=officer)
            return ticket

    def _take(self, tx: Connection, service_code: str, key: str, language: str) -> Ticket:
        now = self._clock.now()
        day = self._begin_day(tx)
        serial = next_number(tx, f"queue/{service_code}/{day}")
        new = {
            "business_day": day,
            "service_code": service_code,
            "serial": serial,
            "waiting": _waiting(tx, service_code, day),
            "taken_at": now,
            "idempotency_key": key,
        }
        ticket_id = tx.execute(insert(tx, tickets).values(new).returning(tickets.c.id)).scalar_one()
        queue_print(tx, PrintKind.TICKET, ticket_id, key, now, language)
        ticket = _ticket(tx.execute(_TICKETS.where(tickets.c.id == ticket_id)).one())
        self._journal.record(Event.TICKET_TAKEN, tx=tx, ticket=ticket.id, number=ticket.number)
        return ticket

    def _day(self, tx: Connection) -> date:
        """The business day by what is kept and what the clock says."""
        return self._day_after(_last_day(tx))

    def _begin_day(self, tx: Connection) -> date:
        last = _last_day(tx)
        day = self._day_after(last)
        if day == last:
            return day
        begin = insert(tx, business_day).values(id=1, day=day)
        # Another process may have begun a later day since it was read.
        later = begin.excluded.day > business_day.c.day
        tx.execute(begin.on_conflict_do_update(index_elements=[business_day.c.id], set_={"day": day}, where=later))
        return _last_day(tx)

    def _day_after(self, last: date | None) -> date:
        today = self._clock.local_date(self._timezone)
        if last is None:
            return today
        if today - last > LONGEST_UNTRUSTED_JUMP and not self._clock.synchronised():
            return last
        return max(today, last)


def _last_day(tx: Connection) -> date | None:
    return tx.execute(select(business_day.c.day)).scalar_one_or_none()


def _waits(service_code: str, day: date) -> tuple:
    return tickets.c.service_code == service_code, tickets.c.business_day == day, tickets.c.called_at.is_(None)


def _waiting(tx: Connection, service_code: str, day: date) -> int:
    return tx.execute(select(func.count()).select_from(tickets).where(*_waits(service_code, day))).scalar_one()


def ticket_number(row: Row) -> str:
    """«A-012», of a row of `tickets`."""
    return f"{row.service_code}-{row.serial:03}"


def _ticket(row: Row) -> Ticket:
    return Ticket(
        row.id, ticket_number(row), row.service_code, row.taken_at, row.waiting, row.business_day, row.print_job_id
    )
