"""The papers that a letter needs (syarat): photographed at the kiosk, or brought to the desk.

A photo is encrypted, bound to its request and paper, and written in the request's own transaction
(`Requests.submit`). It is there for the officer who checks, and for nobody after the request has ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.letter_types import LetterType, Requirement
from kiosk.requests import ENDED, RequestState, UnknownRequest, WrongState
from kiosk.store.requirement_papers import PHOTO_COLUMN, PaperState, place_of, write
from kiosk.store.schema import letter_requests, requirement_papers
from kiosk.store.store import Store

#: In these an officer says of a paper whether it is received: nothing is decided yet.
JUDGED_IN = (RequestState.SUBMITTED, RequestState.CHECKING, RequestState.RETURNED)


class UnknownPaper(LookupError):
    """That request has no photo of that paper, or has it no more."""


@dataclass(frozen=True)
class KeptPaper:
    """What is known of one of a request's papers. The photo itself is got by `Papers.photo`."""

    requirement: str  # its key in the letter type
    state: PaperState
    has_photo: bool
    changed_at: datetime

    @property
    def is_wanted(self) -> bool:
        """Whether the resident still has to hand it in."""
        return self.state in (PaperState.DESK, PaperState.REFUSED)


class Papers:
    """Every method may raise StoreError."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._journal = Journal(store, clock)

    def of_request(self, request_id: int) -> dict[str, KeptPaper]:
        """By requirement. One that is missing was never decided about, as where the letter type asks for it only
        since: it is wanted."""
        columns = requirement_papers.c
        chosen = select(
            columns.requirement, columns.state, columns.photo.is_not(None).label("has_photo"), columns.changed_at
        ).where(columns.request_id == request_id)
        with self._store.read() as tx:
            rows = tx.execute(chosen.order_by(columns.id)).all()
        return {
            row.requirement: KeptPaper(row.requirement, PaperState(row.state), row.has_photo, row.changed_at)
            for row in rows
        }

    def photo(self, request_id: int, requirement: str) -> bytes:
        """A JPEG. Raises UnknownPaper, also once the request has ended."""
        chosen = (
            select(requirement_papers.c.photo, letter_requests.c.number)
            .join(letter_requests, letter_requests.c.id == requirement_papers.c.request_id)
            .where(
                requirement_papers.c.request_id == request_id,
                requirement_papers.c.requirement == requirement,
                requirement_papers.c.photo.is_not(None),
                letter_requests.c.state.not_in(ENDED),
            )
        )
        with self._store.read() as tx:
            row = tx.execute(chosen).one_or_none()
        if row is None:
            raise UnknownPaper("There is no such photo.")
        return self._store.vault.decrypt_bytes(row.photo, PHOTO_COLUMN, place_of(row.number, requirement))

    def mark_received(self, number: str, requirement: str, officer: str) -> None:
        """An officer has the paper in hand, or takes its photo for it. Raises UnknownRequest, and WrongState once the
        request was approved or has ended."""
        self._mark(number, requirement, PaperState.RECEIVED, Event.PAPER_RECEIVED, officer)

    def mark_refused(self, number: str, requirement: str, officer: str) -> None:
        """It is not what is needed; when the request is returned the resident hands another in. Raises UnknownRequest,
        and WrongState once the request was approved or has ended."""
        self._mark(number, requirement, PaperState.REFUSED, Event.PAPER_REFUSED, officer)

    def delete_old_photos(self, kept: timedelta) -> int:
        """Delete the photos of requests that ended longer ago; how many. That a paper was there stays known."""
        ended = select(letter_requests.c.id).where(
            letter_requests.c.state.in_(ENDED), letter_requests.c.changed_at < self._clock.now() - kept
        )
        old = update(requirement_papers).where(
            requirement_papers.c.photo.is_not(None), requirement_papers.c.request_id.in_(ended)
        )
        with self._store.write() as tx:
            count = tx.execute(old.values(photo=None)).rowcount
            if count:
                self._journal.record(Event.PHOTOS_DELETED, tx=tx, count=count)
        return count

    def _mark(self, number: str, requirement: str, state: PaperState, event: Event, officer: str) -> None:
        with self._store.write() as tx:
            request_id = _judged_request(tx, number)
            write(tx, request_id, requirement, self._clock.now(), state=state)
            self._journal.record(event, tx=tx, request=request_id, requirement=requirement, officer=officer)


def wanted(letter_type: LetterType, kept: Mapping[str, KeptPaper]) -> list[Requirement]:
    """The papers that the resident still has to hand in, of what `Papers.of_request` gave."""
    return [each for each in letter_type.requirements if each.key not in kept or kept[each.key].is_wanted]


def _judged_request(tx: Connection, number: str) -> int:
    chosen = select(letter_requests.c.id, letter_requests.c.state).where(letter_requests.c.number == number)
    row = tx.execute(chosen.with_for_update()).one_or_none()
    if row is None:
        raise UnknownRequest("There is no such request or letter.")
    if RequestState(row.state) not in JUDGED_IN:
        raise WrongState(f"Request {number} is {row.state}: its papers are no longer looked at.")
    return row.id
