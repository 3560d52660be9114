"""Requests for letters, and the letters that come of them.

A request, its number, its journal entry and its slip's print job come into being in one transaction; so do an approval,
the letter's number and its signed token.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Row, Select, func, select, update

from kiosk.clock import Clock
from kiosk.codes import LetterFacts
from kiosk.journal import Event, Journal
from kiosk.letter_types import LetterType
from kiosk.residents import resident_in
from kiosk.store.counters import insert, next_number
from kiosk.store.print_jobs import PrintKind, queue_print
from kiosk.store.schema import letter_requests, print_jobs
from kiosk.store.store import Store

MONTHS_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")

_FIELDS, _REASON = "letter_requests.fields", "letter_requests.reason"


class RequestState(StrEnum):
    SUBMITTED = "submitted"
    RETURNED = "returned"  # the resident must correct it
    REJECTED = "rejected"
    READY = "ready"  # the letter is signed
    COLLECTED = "collected"
    WITHDRAWN = "withdrawn"  # the letter is called back


#: Every allowed move; there is no other.
MOVES = {
    RequestState.SUBMITTED: {RequestState.RETURNED, RequestState.REJECTED, RequestState.READY},
    RequestState.RETURNED: {RequestState.SUBMITTED, RequestState.REJECTED},
    RequestState.READY: {RequestState.COLLECTED, RequestState.WITHDRAWN},
    RequestState.COLLECTED: {RequestState.WITHDRAWN},
    RequestState.REJECTED: set(),
    RequestState.WITHDRAWN: set(),
}
ISSUED = (RequestState.READY, RequestState.COLLECTED)


class WrongState(ValueError):
    """The request's state does not allow that."""


class UnknownRequest(LookupError):
    """No request or letter has that number or id."""


class NumberTaken(ValueError):
    """Another letter has that number: two letter types share a code, and each counts for itself."""


@dataclass(frozen=True)
class LetterRequest:
    """Its repr shows nothing that a person wrote. What an approval gives is None before it."""

    id: int
    number: str  # "2026-00042"
    resident_id: int
    letter_type: str
    fields: dict[str, str]
    state: RequestState
    reason: str
    officer: str
    submitted_at: datetime
    changed_at: datetime
    letter_number: str | None
    letter_id: str | None  # 128 random bits in hex
    issued_on: date | None
    valid_until: date | None  # the last day
    token: str | None
    copies: int
    print_job_id: int  # the newest slip's

    def __repr__(self) -> str:
        return f"LetterRequest({self.number}, {self.state})"


class Requests:
    """`village_code` stands in letter numbers; `timezone` says what day it is in the hall. Every method may raise
    StoreError, and those that take a number or an id UnknownRequest."""

    def __init__(self, store: Store, clock: Clock, village_code: str, timezone: str = "Asia/Jakarta") -> None:
        self._store, self._clock = store, clock
        self._village_code, self._timezone = village_code, timezone
        self._vault = store.vault
        self._journal = Journal(store, clock)

    # The resident.

    def submit(
        self,
        resident_id: int,
        letter_type: str,
        fields: dict[str, str],
        idempotency_key: str,
        language: str = "id",
    ) -> LetterRequest:
        """A new request with its number and its slip's print job; `language` is the slip's. The same key gets the same
        request again."""

        def find(tx: Connection) -> LetterRequest | None:
            return self._find(tx, letter_requests.c.idempotency_key == idempotency_key)

        def make(tx: Connection) -> LetterRequest:
            now, year = self._clock.now(), self._today().year
            number = f"{year}-{next_number(tx, f'request/{year}'):05}"
            new = {
                "number": number,
                "resident_id": resident_id,
                "letter_type": letter_type,
                "fields": self._sealed(fields, number),
                "state": RequestState.SUBMITTED,
                "idempotency_key": idempotency_key,
                "submitted_at": now,
                "changed_at": now,
                "copies": 0,
            }
            inserted = insert(tx, letter_requests).values(new).returning(letter_requests.c.id)
            request_id = tx.execute(inserted).scalar_one()
            queue_print(tx, PrintKind.REQUEST_SLIP, request_id, idempotency_key, now, language)
            self._journal.record(Event.REQUEST_SUBMITTED, tx=tx, request=request_id, letter_type=letter_type)
            return self._need(tx, letter_requests.c.id == request_id)

        return self._store.once(find, make)

    def resubmit(
        self, request_id: int, fields: dict[str, str], idempotency_key: str, language: str = "id"
    ) -> LetterRequest:
        """Hand a returned request in again, corrected, with a new slip. The same key does it once. Raises
        WrongState."""

        def find(tx: Connection) -> LetterRequest | None:
            slip = select(print_jobs.c.subject_id).where(
                print_jobs.c.idempotency_key == idempotency_key,
                print_jobs.c.kind == PrintKind.REQUEST_SLIP,
                print_jobs.c.subject_id == request_id,
            )
            return self._find(tx, letter_requests.c.id == slip.scalar_subquery())

        def make(tx: Connection) -> LetterRequest:
            request = self._hold(tx, letter_requests.c.id == request_id)
            self._move(tx, request, RequestState.SUBMITTED, fields=self._sealed(fields, request.number), reason=None)
            queue_print(tx, PrintKind.REQUEST_SLIP, request_id, idempotency_key, self._clock.now(), language)
            self._journal.record(Event.REQUEST_RESUBMITTED, tx=tx, request=request_id)
            return self._need(tx, letter_requests.c.id == request_id)

        return self._store.once(find, make)

    def request_copy(self, request_id: int, idempotency_key: str) -> int:
        """Count one more copy of a letter and queue it; the print job's id. The same key gets the same job again.
        Raises WrongState where there is no valid letter."""

        def find(tx: Connection) -> int | None:
            job = select(print_jobs.c.id).where(print_jobs.c.idempotency_key == idempotency_key)
            return tx.execute(job).scalar_one_or_none()

        def make(tx: Connection) -> int:
            request = self._hold(tx, letter_requests.c.id == request_id)
            if request.state not in ISSUED:
                raise WrongState(f"Request {request.number} is {request.state}: there is no valid letter to copy.")
            copies = request.copies + 1
            tx.execute(update(letter_requests).where(letter_requests.c.id == request_id).values(copies=copies))
            job_id = queue_print(tx, PrintKind.LETTER_COPY, request_id, idempotency_key, self._clock.now())
            self._journal.record(Event.COPY_REQUESTED, tx=tx, request=request_id, copy=copies, job=job_id)
            return job_id

        return self._store.once(find, make)

    def copy_number(self, job_id: int) -> int:
        """Which copy of its letter a print job of kind "letter_copy" is, from 1."""
        this = select(print_jobs.c.subject_id).where(print_jobs.c.id == job_id).scalar_subquery()
        copies = select(func.count()).where(
            print_jobs.c.kind == PrintKind.LETTER_COPY, print_jobs.c.subject_id == this, print_jobs.c.id <= job_id
        )
        with self._store.read() as tx:
            return tx.execute(copies).scalar_one()

    # Looking.

    def get(self, request_id: int) -> LetterRequest:
        with self._store.read() as tx:
            return self._need(tx, letter_requests.c.id == request_id)

    def by_number(self, number: str) -> LetterRequest:
        with self._store.read() as tx:
            return self._need(tx, letter_requests.c.number == number)

    def of_resident(self, resident_id: int) -> list[LetterRequest]:
        """Newest first."""
        chosen = _requests().where(letter_requests.c.resident_id == resident_id)
        return self._all(chosen.order_by(letter_requests.c.id.desc()))

    def listing(self, state: RequestState | None = None) -> list[LetterRequest]:
        """Oldest first: who came first is served first."""
        chosen = _requests() if state is None else _requests().where(letter_requests.c.state == state)
        return self._all(chosen.order_by(letter_requests.c.id))

    def withdrawn_letters(self) -> frozenset[str]:
        """The `letter_id` of every letter that was called back."""
        withdrawn = letter_requests.c.state == RequestState.WITHDRAWN
        with self._store.read() as tx:
            return frozenset(tx.execute(select(letter_requests.c.letter_id).where(withdrawn)).scalars())

    # The officers.

    def approve(
        self, number: str, officer: str, letter_type: LetterType, sign: Callable[[LetterFacts], str]
    ) -> LetterRequest:
        """Give a submitted request its letter: number, random id, dates, and the token that `sign` makes of them
        (`Signer.letter`). All of it or nothing: where `sign` raises, no number is used up. Letters are counted per type
        and year. Raises WrongState, NumberTaken, ValueError for another letter type than the request's."""
        with self._store.write() as tx:
            request = self._hold(tx, letter_requests.c.number == number)
            if letter_type.key != request.letter_type:
                raise ValueError(f"Request {number} asks for {request.letter_type}, not for {letter_type.key}.")
            _refuse_wrong_move(request, RequestState.READY)
            facts = self._issue(tx, request, letter_type)
            self._move(
                tx,
                request,
                RequestState.READY,
                officer=officer,
                letter_number=facts.letter_number,
                letter_id=facts.letter_id,
                issued_on=facts.issued_on,
                valid_until=facts.valid_until,
                token=sign(facts),
            )
            self._journal.record(
                Event.LETTER_ISSUED, tx=tx, request=request.id, letter=facts.letter_number, officer=officer
            )
            return self._need(tx, letter_requests.c.id == request.id)

    def return_(self, number: str, officer: str, reason: str) -> LetterRequest:
        """Give a request back for correction. Raises WrongState."""
        return self._decide(number, RequestState.RETURNED, Event.REQUEST_RETURNED, officer, reason)

    def reject(self, number: str, officer: str, reason: str) -> LetterRequest:
        """Raises WrongState."""
        return self._decide(number, RequestState.REJECTED, Event.REQUEST_REJECTED, officer, reason)

    def collect(self, number: str, officer: str) -> LetterRequest:
        """The signed letter was handed over. Raises WrongState."""
        return self._decide(number, RequestState.COLLECTED, Event.LETTER_COLLECTED, officer, "")

    def withdraw(self, letter_number: str, officer: str, reason: str) -> LetterRequest:
        """Call a letter back: checks say so from then on. Raises WrongState."""
        with self._store.write() as tx:
            request = self._hold(tx, letter_requests.c.letter_number == letter_number)
            reason_sealed = self._vault.encrypt(reason, _REASON, request.number)
            self._move(tx, request, RequestState.WITHDRAWN, officer=officer, reason=reason_sealed)
            self._journal.record(
                Event.LETTER_WITHDRAWN, tx=tx, request=request.id, letter=letter_number, officer=officer
            )
            return self._need(tx, letter_requests.c.id == request.id)

    def _issue(self, tx: Connection, request: LetterRequest, letter_type: LetterType) -> LetterFacts:
        today = self._today()
        serial = next_number(tx, f"letter/{letter_type.key}/{today.year}")
        letter_number = letter_type.number(serial, self._village_code, MONTHS_ROMAN[today.month - 1], today.year)
        if self._find(tx, letter_requests.c.letter_number == letter_number):
            raise NumberTaken(
                f"Another letter has the number {letter_number} already: the letter type {letter_type.key} shares its "
                "code with another one. Give it a code or a number_format of its own."
            )
        return LetterFacts(
            village_code=self._village_code,
            letter_id=secrets.token_hex(16),
            letter_type=letter_type.key,
            letter_number=letter_number,
            masked_name=resident_in(tx, self._vault, request.resident_id).masked_name(),
            issued_on=today,
            valid_until=today + timedelta(days=letter_type.validity_days),
        )

    def _decide(self, number: str, state: RequestState, event: Event, officer: str, reason: str) -> LetterRequest:
        with self._store.write() as tx:
            request = self._hold(tx, letter_requests.c.number == number)
            self._move(
                tx,
                request,
                state,
                officer=officer,
                reason=self._vault.encrypt(reason, _REASON, number) if reason else None,
            )
            self._journal.record(event, tx=tx, request=request.id, officer=officer)
            return self._need(tx, letter_requests.c.id == request.id)

    def _move(self, tx: Connection, request: LetterRequest, state: RequestState, **columns: object) -> None:
        _refuse_wrong_move(request, state)
        changed = {"state": state, "changed_at": self._clock.now(), **columns}
        tx.execute(update(letter_requests).where(letter_requests.c.id == request.id).values(changed))

    def _hold(self, tx: Connection, condition: object) -> LetterRequest:
        """The request, which nobody else changes until `tx` ends."""
        tx.execute(select(letter_requests.c.id).where(condition).with_for_update())
        return self._need(tx, condition)

    def _need(self, tx: Connection, condition: object) -> LetterRequest:
        found = self._find(tx, condition)
        if found is None:
            raise UnknownRequest("There is no such request or letter.")
        return found

    def _find(self, tx: Connection, condition: object) -> LetterRequest | None:
        row = tx.execute(_requests().where(condition)).one_or_none()
        return None if row is None else self._opened(row)

    def _all(self, chosen: Select) -> list[LetterRequest]:
        with self._store.read() as tx:
            return [self._opened(row) for row in tx.execute(chosen).all()]

    def _sealed(self, fields: dict[str, str], number: str) -> bytes:
        return self._vault.encrypt(json.dumps(fields), _FIELDS, number)

    def _opened(self, row: Row) -> LetterRequest:
        return LetterRequest(
            id=row.id,
            number=row.number,
            resident_id=row.resident_id,
            letter_type=row.letter_type,
            fields=json.loads(self._vault.decrypt(row.fields, _FIELDS, row.number)),
            state=RequestState(row.state),
            reason="" if row.reason is None else self._vault.decrypt(row.reason, _REASON, row.number),
            officer=row.officer or "",
            submitted_at=row.submitted_at,
            changed_at=row.changed_at,
            letter_number=row.letter_number,
            letter_id=row.letter_id,
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            token=row.token,
            copies=row.copies,
            print_job_id=row.print_job_id,
        )

    def _today(self) -> date:
        return self._clock.local_date(self._timezone)


def _requests() -> Select:
    slip = (
        select(print_jobs.c.id)
        .where(print_jobs.c.kind == PrintKind.REQUEST_SLIP, print_jobs.c.subject_id == letter_requests.c.id)
        .order_by(print_jobs.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(letter_requests, slip.label("print_job_id"))


def _refuse_wrong_move(request: LetterRequest, state: RequestState) -> None:
    if state not in MOVES[request.state]:
        raise WrongState(f"Request {request.number} is {request.state} and cannot become {state}.")
