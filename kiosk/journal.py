"""What happened, in order and without anybody's data: it tells about the kiosk and not about a resident."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import Connection, select

from kiosk.clock import Clock
from kiosk.store.counters import insert
from kiosk.store.schema import journal
from kiosk.store.store import Store

#: Sixteen digits on their own are a NIK, wherever they come from.
NIK_LIKE = re.compile(r"(?<![0-9a-fA-F])\d{16}(?![0-9a-fA-F])")

Fact = str | int | float | bool | None


class Event(Enum):
    """Everything that may be journalled: id, meaning, and the names of its facts."""

    VISIT_BEGAN = "visit-began", "somebody began a visit", ("visit",)
    VISIT_ENDED = "visit-ended", "the visit ended and was wiped", ("visit", "reason")
    VISIT_FAILED = "visit-failed", "a mistake in the kiosk ended the visit", ("visit",)
    REPLY_DROPPED = "reply-dropped", "an answer came for a visit that had ended, and was dropped", ()
    HELP_ASKED = "help-asked", "the visitor asked for help", ()
    DEVICE_CHANGED = "device-changed", "a device went from one state to another", ("device", "state", "code")

    IDENTIFIED = "identified", "a resident's PIN was right", ("kiosk", "by")
    PIN_WRONG = "pin-wrong", "a PIN was wrong, or nobody has that NIK", ("kiosk", "by", "tries_left")
    LOCKED_OUT = (
        "locked-out",
        "too many wrong PINs: locked for so long, or until the desk unlocks",
        ("kiosk", "by", "for_s"),
    )
    CARD_UNKNOWN = "card-unknown", "a card was shown that nobody has registered", ("kiosk",)
    CARDS_PAUSED = "cards-paused", "too many unknown cards: none is looked up for so long", ("kiosk", "for_s")
    RESIDENT_ADDED = "resident-added", "a resident was added", ("resident",)
    CARD_ENROLLED = "card-enrolled", "a card was linked to a resident", ("resident",)
    PIN_SET = "pin-set", "a PIN was set at the desk", ("resident",)
    UNLOCKED = "unlocked", "the desk unlocked an identity", ("kiosk",)

    REQUEST_SUBMITTED = "request-submitted", "a letter was asked for", ("request", "letter_type")
    REQUEST_RESUBMITTED = "request-resubmitted", "a returned request was corrected", ("request",)
    REQUEST_RETURNED = "request-returned", "an officer gave a request back for correction", ("request", "officer")
    REQUEST_REJECTED = "request-rejected", "an officer refused a request", ("request", "officer")
    LETTER_ISSUED = "letter-issued", "a request was approved and its letter signed", ("request", "letter", "officer")
    LETTER_COLLECTED = "letter-collected", "the letter was handed over", ("request", "officer")
    LETTER_WITHDRAWN = "letter-withdrawn", "the village called a letter back", ("request", "letter", "officer")
    COPY_REQUESTED = "copy-requested", "a resident asked for a copy on paper", ("request", "copy", "job")

    TICKET_TAKEN = "ticket-taken", "a queue number was taken", ("ticket", "number")
    TICKET_CALLED = "ticket-called", "a queue number was called", ("ticket", "number")

    PRINT_QUEUED = "print-queued", "a print job waits for the printer (again)", ("job", "code")
    PRINT_SENDING = "print-sending", "a print job's bytes are about to leave", ("job", "code")
    PRINT_PRINTED = "print-printed", "the printer or a person said that it is on paper", ("job", "code")
    PRINT_HELD = "print-held", "a print job is known not to be complete", ("job", "code")
    PRINT_UNCERTAIN = "print-uncertain", "nothing tells whether a print job is on paper", ("job", "code")
    PRINT_CANCELLED = "print-cancelled", "a print job will not be printed", ("job", "code")

    def __init__(self, id: str, meaning: str, facts: tuple[str, ...]) -> None:
        self.id, self.meaning, self.facts = id, meaning, facts


EVENTS = {event.id: event for event in Event}


@dataclass(frozen=True)
class Entry:
    id: int
    at: datetime
    event: Event
    facts: dict[str, Fact]


class Journal:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def record(self, event: Event, *, tx: Connection | None = None, **facts: Fact) -> None:
        """Add an entry, in `tx` (it then holds if `tx` commits) or in a transaction of its own.

        Raises ValueError for a fact that the event does not have, and for one that looks like a NIK; StoreError where
        the database fails.
        """
        if unknown := facts.keys() - set(event.facts):
            raise ValueError(f"{event.id} has no fact called {min(unknown)}")
        if any(NIK_LIKE.search(str(value)) for value in facts.values()):
            raise ValueError(f"{event.id}: a fact looks like a NIK, which the journal never holds")
        if tx is None:
            with self._store.write() as tx:
                self._add(tx, event, facts)
        else:
            self._add(tx, event, facts)

    def _add(self, tx: Connection, event: Event, facts: dict[str, Fact]) -> None:
        tx.execute(insert(tx, journal).values(at=self._clock.now(), event=event.id, facts=facts))

    def entries(self, after_id: int = 0, limit: int = 1000) -> list[Entry]:
        """In the order in which they were written."""
        with self._store.read() as tx:
            rows = tx.execute(select(journal).where(journal.c.id > after_id).order_by(journal.c.id).limit(limit)).all()
        return [Entry(row.id, row.at, EVENTS[row.event], row.facts) for row in rows]
