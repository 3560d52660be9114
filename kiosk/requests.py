"""Requests for letters, and the letters that come of them.

A request, its number, its journal entry and its slip's print job come into being in one transaction; so do a letter and
its signed file. A letter gets its number before its file is signed, in a transaction of its own, because the file says
it: where the signing fails or the power goes, the next try signs with the same number.
"""

import json
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from kiosk.clock import Clock
from kiosk.codes import LetterFacts
from kiosk.journal import Event, Journal
from kiosk.letter_types import LetterType
from kiosk.officers import Officer
from kiosk.residents import resident_in
from kiosk.store.counters import insert, next_number
from kiosk.store.print_jobs import PrintKind, PrintState, queue_print
from kiosk.store.requirement_papers import Paper, hand_in
from kiosk.store.schema import letter_files, letter_requests, letter_signatures, print_jobs
from kiosk.store.store import Store

MONTHS_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")

#: Requests on one page of a list.
PAGE = 50
_FIELDS, _REASON = "letter_requests.fields", "letter_requests.reason"
_FILE, _DOCUMENT = "letter_files.sealed", "letter_files.document"


class RequestState(StrEnum):
    SUBMITTED = "submitted"
    CHECKING = "checking"  # an operator looks at it
    RETURNED = "returned"  # the resident must correct it
    SIGNING = "signing"  # it is right, and waits for the next of its chain
    READY = "ready"  # the letter is signed
    COLLECTED = "collected"
    REFUSED = "refused"
    CANCELLED = "cancelled"  # by the resident
    WITHDRAWN = "withdrawn"  # the letter is called back


#: Every allowed move; there is no other.
MOVES = {
    RequestState.SUBMITTED: {RequestState.CHECKING, RequestState.CANCELLED},
    RequestState.CHECKING: {RequestState.RETURNED, RequestState.REFUSED, RequestState.SIGNING},
    RequestState.RETURNED: {RequestState.SUBMITTED, RequestState.REFUSED, RequestState.CANCELLED},
    RequestState.SIGNING: {RequestState.RETURNED, RequestState.REFUSED, RequestState.READY},
    RequestState.READY: {RequestState.COLLECTED, RequestState.WITHDRAWN},
    RequestState.COLLECTED: {RequestState.WITHDRAWN},
    RequestState.REFUSED: set(),
    RequestState.CANCELLED: set(),
    RequestState.WITHDRAWN: set(),
}
ISSUED = (RequestState.READY, RequestState.COLLECTED)
#: Nothing is checked any more.
ENDED = (RequestState.COLLECTED, RequestState.REFUSED, RequestState.CANCELLED, RequestState.WITHDRAWN)


class WrongState(ValueError):
    """The request's state does not allow that."""


class ChangedMeanwhile(WrongState):
    """Somebody else changed the request while its letter was being signed, or the register since it was read."""


class NotYourTurn(ValueError):
    """The letter waits for the signature of another role."""


class UnknownRequest(LookupError):
    """No request or letter has that number or id."""


class NumberTaken(ValueError):
    """Another letter has that number: two letter types share a code, and each counts for itself."""


@dataclass(frozen=True)
class Signature:
    """That an officer signed, or initialled where others sign after them. `officer` is a username."""

    position: int  # in the letter type's chain, from 0
    officer: str
    signed_at: datetime


@dataclass(frozen=True, repr=False)
class SignedFile:
    """A letter's signed PDF, and what stands on it as `document.to_json` keeps it. `signature` is "village" or "bsre",
    `document_id` BSrE's name for it or empty."""

    data: bytes
    document: str
    signature: str
    document_id: str
    signed_at: datetime

    def __repr__(self) -> str:
        return f"SignedFile({len(self.data)} bytes, {self.signature})"


@dataclass(frozen=True)
class LetterRequest:
    """Its repr shows nothing that a person wrote. What a letter says of itself is None until its number is given, which
    is before its last signature: only the state tells that there is a letter."""

    id: int
    number: str  # "2026-00042"
    resident_id: int
    letter_type: str
    fields: dict[str, str]
    state: RequestState
    reason: str
    officer: str  # the username of the one who changed it last
    asked_by: str  # the officer's who asked for the resident at the desk; empty for the kiosk
    submitted_at: datetime
    changed_at: datetime
    revision: int  # grows with every change
    signed: int  # how many of the chain have signed
    letter_number: str | None
    letter_id: str | None  # 128 random bits in hex
    issued_on: date | None
    valid_until: date | None  # the last day
    token: str | None
    signer_name: str | None
    signer_nip: str | None
    copies: int
    told_at: datetime | None  # when the resident was told of the letter at the kiosk
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
        asked_by: str | None = None,
        papers: Sequence[Paper] = (),
    ) -> LetterRequest:
        """A new request with its number, its papers and its slip's print job; `language` is the slip's, `asked_by` the
        username of the officer who asks for the resident: the slip then waits until the resident prints it, as nobody
        stands at the kiosk to take it. The same key gets the same request again."""

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
                "asked_by": asked_by,
                "idempotency_key": idempotency_key,
                "submitted_at": now,
                "changed_at": now,
                "revision": 0,
                "copies": 0,
            }
            inserted = insert(tx, letter_requests).values(new).returning(letter_requests.c.id)
            request_id = tx.execute(inserted).scalar_one()
            hand_in(tx, self._vault, request_id, number, papers, now)
            slip = PrintState.QUEUED if asked_by is None else PrintState.CANCELLED
            queue_print(tx, PrintKind.REQUEST_SLIP, request_id, idempotency_key, now, language, slip)
            facts = {"request": request_id, "letter_type": letter_type}
            if asked_by is not None:
                facts["officer"] = asked_by
            self._journal.record(Event.REQUEST_SUBMITTED, tx=tx, **facts)
            return self._need(tx, letter_requests.c.id == request_id)

        return self._store.once(find, make)

    def resubmit(
        self,
        request_id: int,
        fields: dict[str, str],
        idempotency_key: str,
        language: str = "id",
        papers: Sequence[Paper] = (),
    ) -> LetterRequest:
        """Hand a returned request in again, corrected, with a new slip; `papers` are those that were decided about
        anew. The same key does it once. Raises WrongState."""

        def find(tx: Connection) -> LetterRequest | None:
            slip = select(print_jobs.c.subject_id).where(
                print_jobs.c.idempotency_key == idempotency_key,
                print_jobs.c.kind == PrintKind.REQUEST_SLIP,
                print_jobs.c.subject_id == request_id,
            )
            return self._find(tx, letter_requests.c.id == slip.scalar_subquery())

        def make(tx: Connection) -> LetterRequest:
            request = self._hold(tx, letter_requests.c.id == request_id)
            now = self._clock.now()
            self._move(tx, request, RequestState.SUBMITTED, fields=self._sealed(fields, request.number), reason=None)
            hand_in(tx, self._vault, request_id, request.number, papers, now)
            queue_print(tx, PrintKind.REQUEST_SLIP, request_id, idempotency_key, now, language)
            self._journal.record(Event.REQUEST_RESUBMITTED, tx=tx, request=request_id)
            return self._need(tx, letter_requests.c.id == request_id)

        return self._store.once(find, make)

    def cancel(self, request_id: int) -> LetterRequest:
        """The resident needs it no more. Raises WrongState once an officer has begun to check it."""
        with self._store.write() as tx:
            request = self._hold(tx, letter_requests.c.id == request_id)
            self._move(tx, request, RequestState.CANCELLED)
            self._journal.record(Event.REQUEST_CANCELLED, tx=tx, request=request.id)
            return self._need(tx, letter_requests.c.id == request_id)

    def untold(self, resident_id: int) -> list[LetterRequest]:
        """The valid letters in the resident's name that they were not told of yet, whoever asked for them."""
        condition = (
            letter_requests.c.resident_id == resident_id,
            letter_requests.c.state.in_(ISSUED),
            letter_requests.c.told_at.is_(None),
        )
        return self._all(_requests().where(*condition).order_by(letter_requests.c.id))

    def mark_told(self, request_ids: Collection[int]) -> None:
        """The resident was told of these letters."""
        told = update(letter_requests).where(letter_requests.c.id.in_(request_ids), letter_requests.c.told_at.is_(None))
        with self._store.write() as tx:
            for request_id in tx.execute(
                told.values(told_at=self._clock.now()).returning(letter_requests.c.id)
            ).scalars():
                self._journal.record(Event.LETTER_TOLD, tx=tx, request=request_id)

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

    def by_letter_number(self, letter_number: str) -> LetterRequest:
        with self._store.read() as tx:
            return self._need(tx, letter_requests.c.letter_number == letter_number)

    def of_resident(self, resident_id: int) -> list[LetterRequest]:
        """Newest first."""
        chosen = _requests().where(letter_requests.c.resident_id == resident_id)
        return self._all(chosen.order_by(letter_requests.c.id.desc()))

    def listing(
        self,
        state: RequestState | None = None,
        resident_ids: Collection[int] | None = None,
        after_id: int | None = None,
        limit: int = PAGE,
        newest_first: bool = False,
    ) -> list[LetterRequest]:
        """A page of them, oldest first (who came first is served first) unless `newest_first`. `resident_ids` keeps
        those of these residents, `after_id` begins behind that request."""
        chosen = _requests()
        if after_id is not None:
            chosen = chosen.where(letter_requests.c.id < after_id if newest_first else letter_requests.c.id > after_id)
        if state is not None:
            chosen = chosen.where(letter_requests.c.state == state)
        if resident_ids is not None:
            chosen = chosen.where(letter_requests.c.resident_id.in_(resident_ids))
        order = letter_requests.c.id.desc() if newest_first else letter_requests.c.id
        return self._all(chosen.order_by(order).limit(limit))

    def numbers(self, request_ids: Collection[int]) -> dict[int, str]:
        """The number of each of these requests."""
        chosen = select(letter_requests.c.id, letter_requests.c.number).where(letter_requests.c.id.in_(request_ids))
        with self._store.read() as tx:
            return {row.id: row.number for row in tx.execute(chosen).all()}

    def counts(self) -> dict[RequestState, int]:
        """How many requests are in each state."""
        counted = select(letter_requests.c.state, func.count()).group_by(letter_requests.c.state)
        with self._store.read() as tx:
            found = {RequestState(state): count for state, count in tx.execute(counted).all()}
        return {state: found.get(state, 0) for state in RequestState}

    def signatures(self, request_id: int) -> list[Signature]:
        """In the order of the chain."""
        chosen = select(letter_signatures).where(letter_signatures.c.request_id == request_id)
        with self._store.read() as tx:
            rows = tx.execute(chosen.order_by(letter_signatures.c.position)).all()
        return [Signature(row.position, row.officer, row.signed_at) for row in rows]

    def withdrawn_letters(self) -> frozenset[str]:
        """The `letter_id` of every letter that was called back."""
        withdrawn = letter_requests.c.state == RequestState.WITHDRAWN
        with self._store.read() as tx:
            return frozenset(tx.execute(select(letter_requests.c.letter_id).where(withdrawn)).scalars())

    # The officers.

    def begin_check(self, number: str, officer: str) -> LetterRequest:
        """An operator takes the request in hand. Raises WrongState."""
        return self._decide(number, RequestState.CHECKING, Event.REQUEST_CHECKED, officer)

    def return_(self, number: str, officer: str, reason: str) -> LetterRequest:
        """Give a request back for correction; the signatures so far are void. Raises WrongState."""
        return self._decide(number, RequestState.RETURNED, Event.REQUEST_RETURNED, officer, reason)

    def refuse(self, number: str, officer: str, reason: str) -> LetterRequest:
        """Raises WrongState."""
        return self._decide(number, RequestState.REFUSED, Event.REQUEST_REFUSED, officer, reason)

    def approve(self, number: str, officer: str) -> LetterRequest:
        """It is right: the first of its chain may sign. Raises WrongState."""
        return self._decide(number, RequestState.SIGNING, Event.REQUEST_APPROVED, officer)

    def initial(self, number: str, officer: Officer, letter_type: LetterType) -> LetterRequest:
        """The signature of one whom others of the chain follow. Raises WrongState, NotYourTurn."""
        with self._store.write() as tx:
            request = self._hold_for_signature(tx, number, officer, letter_type)
            if request.signed + 1 >= len(letter_type.signers):
                raise NotYourTurn("The last of the chain signs the letter's file.")
            self._add_signature(tx, request, officer)
            self._touch(tx, request, officer=officer.username)
            self._journal.record(
                Event.LETTER_INITIALLED, tx=tx, request=request.id, officer=officer.username, role=officer.role
            )
            return self._need(tx, letter_requests.c.id == request.id)

    def give_number(
        self, number: str, officer: Officer, letter_type: LetterType, make_token: Callable[[LetterFacts], str]
    ) -> LetterRequest:
        """What the letter says of itself, before its file is made: number, random id, dates, signer, and the token that
        `make_token` makes of them (`Signer.letter`). A letter whose signing failed keeps what it was given, so that no
        number is given twice or lost. Raises WrongState, NotYourTurn, NumberTaken, and ValueError for another letter
        type than the request's."""
        with self._store.write() as tx:
            request = self._hold_for_signature(tx, number, officer, letter_type)
            if request.signed + 1 < len(letter_type.signers):
                raise NotYourTurn("The letter waits for another signature before this one.")
            facts = self._facts(tx, request, letter_type)
            self._touch(
                tx,
                request,
                officer=officer.username,
                signer_name=officer.name,
                signer_nip=officer.nip,
                letter_number=facts.letter_number,
                letter_id=facts.letter_id,
                issued_on=facts.issued_on,
                valid_until=facts.valid_until,
                token=make_token(facts),
            )
            if request.letter_number is None:
                self._journal.record(Event.LETTER_NUMBERED, tx=tx, request=request.id, letter=facts.letter_number)
            return self._need(tx, letter_requests.c.id == request.id)

    def issue(self, numbered: LetterRequest, officer: Officer, file: SignedFile) -> LetterRequest:
        """The letter with its signed file, which was made of `numbered` as `give_number` returned it: both or neither.
        Raises ChangedMeanwhile."""
        with self._store.write() as tx:
            request = self._hold(tx, letter_requests.c.id == numbered.id)
            if request.revision != numbered.revision:
                raise ChangedMeanwhile(f"Request {request.number} was changed while its letter was being signed.")
            self._keep_file(tx, request, file)
            self._add_signature(tx, request, officer)
            self._move(tx, request, RequestState.READY, officer=officer.username)
            self._journal.record(
                Event.LETTER_ISSUED,
                tx=tx,
                request=request.id,
                letter=request.letter_number,
                officer=officer.username,
                signature=file.signature,
            )
            return self._need(tx, letter_requests.c.id == request.id)

    def _keep_file(self, tx: Connection, request: LetterRequest, file: SignedFile) -> None:
        kept = {
            "request_id": request.id,
            "sealed": self._vault.encrypt_bytes(file.data, _FILE, request.number),
            "document": self._vault.encrypt(file.document, _DOCUMENT, request.number),
            "signature": file.signature,
            "document_id": file.document_id,
            "signed_at": file.signed_at,
        }
        tx.execute(insert(tx, letter_files).values(kept))

    def file(self, request_id: int) -> SignedFile:
        """A letter's signed PDF. Raises UnknownRequest where there is none."""
        chosen = (
            select(letter_files, letter_requests.c.number)
            .join(letter_requests, letter_requests.c.id == letter_files.c.request_id)
            .where(letter_files.c.request_id == request_id)
        )
        with self._store.read() as tx:
            row = tx.execute(chosen).one_or_none()
        if row is None:
            raise UnknownRequest("There is no such letter.")
        data = self._vault.decrypt_bytes(row.sealed, _FILE, row.number)
        document = self._vault.decrypt(row.document, _DOCUMENT, row.number)
        return SignedFile(data, document, row.signature, row.document_id, row.signed_at)

    def collect(self, number: str, officer: str) -> LetterRequest:
        """The signed letter was handed over. Raises WrongState."""
        return self._decide(number, RequestState.COLLECTED, Event.LETTER_COLLECTED, officer)

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

    def _facts(self, tx: Connection, request: LetterRequest, letter_type: LetterType) -> LetterFacts:
        """What an earlier try gave stays; only the name is the register's of today."""
        issued_on = request.issued_on or self._today()
        return LetterFacts(
            village_code=self._village_code,
            letter_id=request.letter_id or secrets.token_hex(16),
            letter_type=letter_type.key,
            letter_number=request.letter_number or self._next_letter_number(tx, letter_type, issued_on),
            masked_name=resident_in(tx, self._vault, request.resident_id).masked_name(),
            issued_on=issued_on,
            valid_until=request.valid_until or issued_on + timedelta(days=letter_type.validity_days),
        )

    def _next_letter_number(self, tx: Connection, letter_type: LetterType, today: date) -> str:
        serial = next_number(tx, letter_type.counter_name(today.year))
        letter_number = letter_type.number(serial, self._village_code, MONTHS_ROMAN[today.month - 1], today.year)
        if self._find(tx, letter_requests.c.letter_number == letter_number):
            raise NumberTaken(
                f"Another letter has the number {letter_number} already: the letter type {letter_type.key} shares its "
                "code with another one. Give it a code or a number_format of its own."
            )
        return letter_number

    def _hold_for_signature(
        self, tx: Connection, number: str, officer: Officer, letter_type: LetterType
    ) -> LetterRequest:
        request = self._hold(tx, letter_requests.c.number == number)
        if letter_type.key != request.letter_type:
            raise ValueError(f"Request {number} asks for {request.letter_type}, not for {letter_type.key}.")
        if request.state is not RequestState.SIGNING:
            raise WrongState(f"Request {number} is {request.state} and waits for no signature.")
        # A village may have shortened the chain since the last signature: the last one of it is then due.
        due = letter_type.signers[min(request.signed, len(letter_type.signers) - 1)]
        if officer.role is not due:
            raise NotYourTurn(f"Request {number} waits for the signature of: {due}.")
        return request

    def _add_signature(self, tx: Connection, request: LetterRequest, officer: Officer) -> None:
        signature = {"request_id": request.id, "position": request.signed, "officer": officer.username}
        tx.execute(insert(tx, letter_signatures).values(**signature, signed_at=self._clock.now()))

    def _decide(
        self, number: str, state: RequestState, event: Event, officer: str, reason: str | None = None
    ) -> LetterRequest:
        with self._store.write() as tx:
            request = self._hold(tx, letter_requests.c.number == number)
            sealed = None if reason is None else self._vault.encrypt(reason, _REASON, number)
            self._move(tx, request, state, officer=officer, reason=sealed)
            self._journal.record(event, tx=tx, request=request.id, officer=officer)
            return self._need(tx, letter_requests.c.id == request.id)

    def _move(self, tx: Connection, request: LetterRequest, state: RequestState, **columns: object) -> None:
        if state not in MOVES[request.state]:
            raise WrongState(f"Request {request.number} is {request.state} and cannot become {state}.")
        if state in (RequestState.RETURNED, RequestState.REFUSED):
            tx.execute(delete(letter_signatures).where(letter_signatures.c.request_id == request.id))
        self._touch(tx, request, state=state, **columns)

    def _touch(self, tx: Connection, request: LetterRequest, **columns: object) -> None:
        changed = {"changed_at": self._clock.now(), "revision": request.revision + 1, **columns}
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
            asked_by=row.asked_by or "",
            submitted_at=row.submitted_at,
            changed_at=row.changed_at,
            revision=row.revision,
            signed=row.signed,
            letter_number=row.letter_number,
            letter_id=row.letter_id,
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            token=row.token,
            signer_name=row.signer_name,
            signer_nip=row.signer_nip,
            copies=row.copies,
            told_at=row.told_at,
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
    signed = select(func.count()).where(letter_signatures.c.request_id == letter_requests.c.id).scalar_subquery()
    return select(letter_requests, slip.label("print_job_id"), signed.label("signed"))
