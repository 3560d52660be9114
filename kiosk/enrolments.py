"""How a resident gets a card linked and a PIN of their own choice: the desk opens an enrolment and says a code of six
digits; whoever types it at the kiosk is the one who stands before the officer.

The officer never sees the PIN, and a card that lies on the reader at the wrong moment is not linked to anybody.
"""

import secrets
from dataclasses import dataclass, field

from sqlalchemy import Connection, Row, delete, select

from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.pin_tries import LockedOut, PinTries, WrongPin
from kiosk.residents import CardTaken, Residents
from kiosk.store import timers
from kiosk.store.counters import insert
from kiosk.store.schema import enrolments
from kiosk.store.store import Store

CODE_DIGITS = 6
OPEN_FOR_S = 10 * 60


@dataclass(frozen=True)
class Enrolling:
    """The code is right, and the card, where there was one, is linked: a PIN may be chosen, until the enrolment ends or
    the desk opens another."""

    resident_id: int
    code_index: bytes = field(repr=False)


class NotEnrolling(LookupError):
    """The enrolment has ended meanwhile."""


class Enrolments:
    """Every method may raise StoreError."""

    def __init__(self, store: Store, clock: Clock, residents: Residents, kiosk_id: str) -> None:
        self._store, self._clock, self._residents = store, clock, residents
        self._vault = store.vault
        self._journal = Journal(store, clock)
        self._tries = PinTries(store, clock, self._journal, kiosk_id)
        self._all_codes = self._vault.index("enrolment codes", "tries")

    def open(self, resident_id: int, officer: str) -> str:
        """The code that the officer with that username says to the resident. It holds for OPEN_FOR_S; an earlier one
        of the same resident ends. So many wrong codes that only a person opens the lock are forgotten: this is the
        person. Raises UnknownResident."""
        self._residents.get(resident_id)
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        new = {"resident_id": resident_id, "code_index": self._index(code), "opened_at": self._clock.now()}
        with self._store.write() as tx:
            self._close(tx, resident_id)
            self._forget_ended(tx)
            tx.execute(insert(tx, enrolments).values(new))
            timers.start(tx, self._clock, new["code_index"], OPEN_FOR_S)
            if self._tries.lock(tx, self._all_codes) == LockedOut(None):
                self._tries.reset(tx, self._all_codes)
            self._journal.record(Event.ENROLMENT_OPENED, tx=tx, resident=resident_id, officer=officer)
        return code

    def is_any_open(self) -> bool:
        """Whether the kiosk need ask for a code at all."""
        with self._store.write() as tx:
            self._forget_ended(tx)
            return tx.execute(select(enrolments.c.resident_id).limit(1)).one_or_none() is not None

    def begin(self, code: str, uid: bytes | None) -> Enrolling | WrongPin | LockedOut | CardTaken:
        """Whoever typed the code, with the card that they laid down: it is linked. Wrong codes are counted, for the
        whole hall and until somebody has chosen a PIN: who knows one code must not guess at others' for ever."""

        def fits(row: Row | None) -> bool:
            return row is not None

        found = self._tries.prove(
            self._all_codes, lambda tx: self._running(tx, code), fits, by="enrolment", resets=False
        )
        if isinstance(found, WrongPin | LockedOut):
            return found
        if uid is not None:
            try:
                self._residents.enrol_card(self._residents.get(found.resident_id).nik, uid)
            except CardTaken as taken:
                return taken
        return Enrolling(found.resident_id, found.code_index)

    def choose_pin(self, enrolling: Enrolling, pin: str) -> None:
        """Set the PIN, and end the enrolment. Raises WeakPin, NotEnrolling."""
        with self._store.write() as tx:
            self._forget_ended(tx)
            is_open = select(enrolments.c.resident_id).where(enrolments.c.code_index == enrolling.code_index)
            if tx.execute(is_open).one_or_none() is None:
                raise NotEnrolling("the enrolment has ended")
        self._residents.set_pin(self._residents.get(enrolling.resident_id).nik, pin)
        with self._store.write() as tx:
            self._close(tx, enrolling.resident_id)
            self._tries.reset(tx, self._all_codes)

    def _running(self, tx: Connection, code: str) -> Row | None:
        self._forget_ended(tx)
        return tx.execute(select(enrolments).where(enrolments.c.code_index == self._index(code))).one_or_none()

    def _forget_ended(self, tx: Connection) -> None:
        for row in tx.execute(select(enrolments)).all():
            if not timers.running(tx, self._clock, row.code_index):
                self._close(tx, row.resident_id)

    def _close(self, tx: Connection, resident_id: int) -> None:
        ended = delete(enrolments).where(enrolments.c.resident_id == resident_id)
        for code_index in tx.execute(ended.returning(enrolments.c.code_index)).scalars():
            timers.clear(tx, code_index)

    def _index(self, code: str) -> bytes:
        return self._vault.index("enrolment code", code)
