"""The rows that the spooler prints from. Whoever owes somebody a paper queues it in the same transaction."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from kiosk.store.counters import insert
from kiosk.store.schema import print_jobs


class PrintKind(StrEnum):
    TICKET = "ticket"
    REQUEST_SLIP = "request_slip"
    LETTER_COPY = "letter_copy"
    SELF_TEST = "self_test"


class PrintState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    PRINTED = "printed"
    HELD = "held"  # not complete, known so: may be tried again
    UNCERTAIN = "uncertain"  # nothing tells whether it is on paper: ask the person
    CANCELLED = "cancelled"


def queue_print(
    tx: Connection,
    kind: PrintKind,
    subject_id: int | None,
    key: str,
    now: datetime,
    language: str = "id",
    state: PrintState = PrintState.QUEUED,
) -> int:
    """A new print job's id, for the printer of the kiosk whose transaction it is. `subject_id` is the ticket's or the
    letter request's, a result's or None for a self-test; one that begins as CANCELLED is printed when somebody asks for
    it (`Spooler.print_again`). Raises sqlalchemy.exc.IntegrityError where a job has that key already."""
    statement = insert(tx, print_jobs).values(
        kind=kind,
        subject_id=subject_id,
        state=state,
        attempt=0,
        printing=1,
        language=language,
        kiosk_id=tx.get_execution_options()["kiosk_id"],
        code="",
        idempotency_key=key,
        created_at=now,
        changed_at=now,
    )
    return tx.execute(statement.returning(print_jobs.c.id)).scalar_one()
