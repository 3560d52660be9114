"""What happened, in order and without anybody's data: it tells about the kiosk and not about a resident."""

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import Connection, Row, select, update

from kiosk.clock import Clock
from kiosk.store.counters import insert
from kiosk.store.schema import journal
from kiosk.store.store import Store

log = logging.getLogger(__name__)

#: Sixteen digits on their own are a NIK, wherever they come from, also written in groups as people write it.
NIK_LIKE = re.compile(r"(?<![0-9a-fA-F])(?<![0-9a-fA-F][ .-])\d(?:[ .-]?\d){15}(?![ .-]?[0-9a-fA-F])")

Fact = str | int | float | bool | None


class Event(Enum):
    """Everything that may be journalled: id, meaning, and the names of its facts."""

    VISIT_BEGAN = "visit-began", "somebody began a visit", ("visit",)
    VISIT_ENDED = "visit-ended", "the visit ended and was wiped", ("visit", "reason")
    VISIT_FAILED = "visit-failed", "a mistake in the kiosk ended the visit", ("visit",)
    REPLY_DROPPED = "reply-dropped", "an answer came for a visit that had ended, and was dropped", ()
    HELP_ASKED = "help-asked", "the visitor asked for help", ()
    DEVICE_CHANGED = "device-changed", "a device went from one state to another", ("device", "state", "code")

    IDENTIFIED = "identified", "the PIN of a resident or of the technician was right", ("kiosk", "by")
    PIN_WRONG = "pin-wrong", "a PIN was wrong, or nobody has that NIK", ("kiosk", "by", "tries_left")
    LOCKED_OUT = (
        "locked-out",
        "too many wrong PINs: locked for so long, or until the desk unlocks",
        ("kiosk", "by", "for_s"),
    )
    CARD_UNKNOWN = "card-unknown", "a card was shown that nobody has registered", ("kiosk",)
    CARDS_PAUSED = "cards-paused", "too many unknown cards: none is looked up for so long", ("kiosk", "for_s")
    NIKS_PAUSED = (
        "niks-paused",
        "too many wrong PINs by NIK at this kiosk: none is taken for so long",
        ("kiosk", "for_s"),
    )
    RESIDENT_ADDED = (
        "resident-added",
        "a resident was added, by an officer where it was at the desk",
        ("resident", "officer"),
    )
    RESIDENT_CHANGED = (
        "resident-changed",
        "what the register says of a resident was changed",
        ("resident", "officer"),
    )
    CARD_ENROLLED = "card-enrolled", "a card was linked to a resident", ("resident",)
    CARDS_UNLINKED = (
        "cards-unlinked",
        "a resident's cards serve no more, so many of them: one was lost",
        ("resident", "count", "officer"),
    )
    PIN_SET = "pin-set", "a PIN was set at the desk", ("resident",)
    ENROLMENT_OPENED = (
        "enrolment-opened",
        "the desk said a code to a resident, to link a card or choose a PIN",
        (
            "resident",
            "officer",
        ),
    )
    UNLOCKED = "unlocked", "the desk unlocked an identity, a resident's or nobody's", ("kiosk", "resident", "officer")

    REQUEST_SUBMITTED = (
        "request-submitted",
        "a letter was asked for, by an officer where it was at the desk",
        ("request", "letter_type", "officer"),
    )
    REQUEST_RESUBMITTED = "request-resubmitted", "a returned request was corrected", ("request",)
    REQUEST_RETURNED = "request-returned", "an officer gave a request back for correction", ("request", "officer")
    REQUEST_CANCELLED = "request-cancelled", "the resident needs a request no more", ("request",)
    REQUEST_CHECKED = "request-checked", "an officer began to check a request", ("request", "officer")
    REQUEST_APPROVED = (
        "request-approved",
        "an officer found a request right: it goes to its signers",
        ("request", "officer"),
    )
    REQUEST_REFUSED = "request-refused", "an officer refused a request", ("request", "officer")
    LETTER_INITIALLED = (
        "letter-initialled",
        "one of a letter's chain signed it before the last",
        ("request", "officer", "role"),
    )
    LETTER_NUMBERED = "letter-numbered", "a letter got its number, to be signed with it", ("request", "letter")
    SIGNING_FAILED = (
        "signing-failed",
        "a letter's file could not be signed; its number waits",
        ("request", "officer", "code"),
    )
    LETTER_ISSUED = (
        "letter-issued",
        "a letter was signed; `signature` is whose certificate its file has",
        ("request", "letter", "officer", "signature"),
    )
    LETTER_TOLD = "letter-told", "a resident was told of a letter in their name", ("request",)
    LETTER_COLLECTED = "letter-collected", "the letter was handed over", ("request", "officer")
    LETTER_WITHDRAWN = "letter-withdrawn", "the village called a letter back", ("request", "letter", "officer")
    LETTER_PRINTED = (
        "letter-printed",
        "an officer printed a letter on the office printer, which came out so",
        ("request", "officer", "outcome", "code"),
    )
    PHOTO_FAILED = "photo-failed", "the camera took no photo of a paper", ("code",)
    PAPER_RECEIVED = (
        "paper-received",
        "an officer has a paper that a request needs, or takes its photo for it",
        ("request", "requirement", "officer"),
    )
    PAPER_REFUSED = (
        "paper-refused",
        "an officer found a request's paper not to be what is needed",
        ("request", "requirement", "officer"),
    )
    PHOTOS_DELETED = "photos-deleted", "photos of papers were deleted, as their requests ended long ago", ("count",)
    COPY_REQUESTED = "copy-requested", "a resident asked for a copy on paper", ("request", "copy", "job")

    OFFICER_ADDED = "officer-added", "an officer was added", ("officer", "role")
    OFFICER_CHANGED = "officer-changed", "what is kept of an officer was changed", ("officer",)
    OFFICER_PASSWORD_SET = "officer-password-set", "an officer's password was set", ("officer",)
    OFFICER_DEACTIVATED = "officer-deactivated", "an officer may no longer come in", ("officer",)
    OFFICER_ACTIVATED = "officer-activated", "an officer may come in again", ("officer",)
    OFFICER_LOGGED_IN = "officer-logged-in", "an officer came into the desk", ("officer", "address")
    OFFICER_LOGGED_OUT = "officer-logged-out", "an officer left the desk", ("officer",)
    OFFICER_PASSWORD_WRONG = (
        "officer-password-wrong",
        "a password was wrong, or no officer has that name (then none is told)",
        ("officer", "address"),
    )
    OFFICER_TRIES_PAUSED = (
        "officer-tries-paused",
        "too many wrong passwords: none is looked at for so long",
        ("officer", "address", "for_s"),
    )

    VILLAGE_KEY_MADE = "village-key-made", "a key that signs the village's codes was made", ("key",)
    VILLAGE_KEY_REVOKED = "village-key-revoked", "nothing that the key signed is valid any more", ("key",)
    WITHDRAWALS_TAKEN = (
        "withdrawals-taken",
        "a newer list of the letters that another village called back was taken",
        ("village", "version"),
    )
    WITHDRAWALS_NOT_GOT = (
        "withdrawals-not-got",
        "another village's list could not be got; once until that changes",
        ("village", "code"),
    )

    TICKET_TAKEN = "ticket-taken", "a queue number was taken", ("ticket", "number")
    TICKET_CALLED = "ticket-called", "a queue number was called", ("ticket", "number", "officer")

    CHECK_BEGAN = "check-began", "the technician began a check: until it ends it counts as failed", ("check",)
    CHECK_ENDED = "check-ended", "a check of the technician came to its end", ("check", "verdict", "code")
    CHECK_CHANGED = "check-changed", "a check that runs by itself came out otherwise", ("check", "verdict", "code")
    TECHNICIAN_PIN_SET = "technician-pin-set", "the technician's PIN was set, which unlocks it", ()

    BACKUP_MADE = "backup-made", "a backup was made, and read back whole", ("size_bytes",)
    RESTORED = (
        "restored",
        "everything since this backup was made is lost; so many numbers were left out",
        ("made_at", "skipped"),
    )

    PRINT_QUEUED = "print-queued", "a print job waits for the printer (again)", ("job", "code")
    PRINT_SENDING = "print-sending", "a print job's bytes are about to leave", ("job", "code")
    PRINT_PRINTED = "print-printed", "the printer or a person said that it is on paper", ("job", "code")
    PRINT_HELD = "print-held", "a print job is known not to be complete", ("job", "code")
    PRINT_UNCERTAIN = "print-uncertain", "nothing tells whether a print job is on paper", ("job", "code")
    PRINT_CANCELLED = "print-cancelled", "a print job will not be printed", ("job", "code")

    def __init__(self, id: str, meaning: str, facts: tuple[str, ...]) -> None:
        self.id, self.meaning, self.facts = id, meaning, facts


EVENTS = {event.id: event for event in Event}

#: What a loose cable or a bored child repeats: within this time the same is one entry that counts.
FOLDED = frozenset(
    {Event.DEVICE_CHANGED, Event.CARD_UNKNOWN, Event.HELP_ASKED, Event.REPLY_DROPPED, Event.WITHDRAWALS_NOT_GOT}
)
FOLDED_WITHIN = timedelta(minutes=10)
#: How far back the same is looked for: a device that flaps alternates between a few states.
FOLDED_AMONG = 20


def event_table() -> str:
    """The catalogue as Markdown, for `docs/events.md`: `python -m kiosk.journal > docs/events.md`."""
    lines = [
        "# Events",
        "",
        "What the journal and the log may hold, generated from `kiosk/journal.py`. No event holds personal data: facts",
        "are ids, numbers, states and codes, and one that looks like a NIK is refused. Repeats of the events marked †",
        "are folded: the same within ten minutes is one entry that counts.",
        "",
        "| event | when | facts |",
        "|---|---|---|",
    ]
    for event in Event:
        mark = " †" if event in FOLDED else ""
        lines.append(f"| `{event.id}`{mark} | {event.meaning} | {', '.join(event.facts) or '–'} |")
    return "\n".join(lines)


@dataclass(frozen=True)
class Entry:
    """`times` is more than 1 where repeats were folded into it; the last of them was at `last_at`."""

    id: int
    at: datetime
    event: Event
    facts: dict[str, Fact]
    times: int
    last_at: datetime


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
        now = self._clock.now()
        same = self._newest_same(tx, event, facts, now) if event in FOLDED else None
        if same is None:
            log.info("%s %s", event.id, facts)
            tx.execute(
                insert(tx, journal).values(
                    at=now,
                    event=event.id,
                    facts=facts,
                    request_id=facts.get("request"),
                    officer=facts.get("officer"),
                    times=1,
                    last_at=now,
                )
            )
        else:
            again = update(journal).where(journal.c.id == same.id)
            tx.execute(again.values(times=same.times + 1, last_at=now))

    def _newest_same(self, tx: Connection, event: Event, facts: dict[str, Fact], now: datetime) -> Row | None:
        """The entry that a repeat is folded into: the same event with the same facts, a short while ago."""
        recent = (
            select(journal)
            .where(journal.c.event == event.id, journal.c.last_at > now - FOLDED_WITHIN)
            .order_by(journal.c.id.desc())
            .limit(FOLDED_AMONG)
        )
        return next((row for row in tx.execute(recent).all() if row.facts == facts), None)

    def of_request(self, request_id: int) -> list[Entry]:
        """All that was done with a request, in the order in which it was."""
        chosen = select(journal).where(journal.c.request_id == request_id).order_by(journal.c.id)
        with self._store.read() as tx:
            return [_entry(row) for row in tx.execute(chosen).all()]

    def newest(
        self,
        events: Collection[Event],
        officer: str | None = None,
        request_id: int | None = None,
        before_id: int | None = None,
        limit: int = 50,
    ) -> list[Entry]:
        """A page of these events, newest first: of one officer, by the username, and of one request where those are
        given; `before_id` begins behind that entry."""
        chosen = select(journal).where(journal.c.event.in_([event.id for event in events]))
        if officer is not None:
            chosen = chosen.where(journal.c.officer == officer)
        if request_id is not None:
            chosen = chosen.where(journal.c.request_id == request_id)
        if before_id is not None:
            chosen = chosen.where(journal.c.id < before_id)
        with self._store.read() as tx:
            return [_entry(row) for row in tx.execute(chosen.order_by(journal.c.id.desc()).limit(limit)).all()]

    def entries(self, after_id: int = 0, limit: int = 1000) -> list[Entry]:
        """In the order in which they were written."""
        with self._store.read() as tx:
            rows = tx.execute(select(journal).where(journal.c.id > after_id).order_by(journal.c.id).limit(limit)).all()
        return [_entry(row) for row in rows]


def _entry(row: Row) -> Entry:
    return Entry(row.id, row.at, EVENTS[row.event], row.facts, row.times, row.last_at)


if __name__ == "__main__":
    print(event_table())
