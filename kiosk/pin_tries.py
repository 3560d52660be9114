"""PINs, and the limits on trying them: the same for residents and for the technician.

Tries are counted per identity before the PIN is looked at, so that cutting the power gives no free one; an identity
that nobody has is counted, locked and timed like one that somebody has.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, delete, select, update

from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.kept_secrets import sealed_hash, secret_fits
from kiosk.store import timers
from kiosk.store.counters import insert
from kiosk.store.schema import pin_tries
from kiosk.store.store import Store
from kiosk.store.vault import Vault

PIN_DIGITS = 6
TRIES_BEFORE_LOCK = 5
TRIES_BEFORE_DESK = 10
FIRST_LOCK_S = 15 * 60

_PIN = "pin"

Found = TypeVar("Found")


class WeakPin(ValueError):
    """`reason` is "not-6-digits", "birth-date", "part-of-nik", "in-a-row" or "repeated"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class WrongPin:
    tries_left: int  # before the lock


@dataclass(frozen=True)
class LockedOut:
    until: datetime | None  # None: a person must unlock


def refuse_usual_pin(pin: str) -> None:
    """Raises WeakPin for what is no PIN, and for one that whoever tries the usual ones would guess."""
    if not re.fullmatch(rf"[0-9]{{{PIN_DIGITS}}}", pin):
        raise WeakPin("not-6-digits")
    if pin in "01234567890" or pin in "09876543210":
        raise WeakPin("in-a-row")
    if re.fullmatch(r"(\d{1,3})\1+", pin):
        raise WeakPin("repeated")


def sealed_pin(vault: Vault, pin: str, identity: bytes) -> bytes:
    return sealed_hash(vault, pin, _PIN, identity)


def pin_fits(vault: Vault, sealed: bytes | None, pin: str, identity: bytes) -> bool:
    """Whether that is the PIN. Takes as long where there is none."""
    return secret_fits(vault, sealed, pin, _PIN, identity)


class PinTries:
    """The tries at one kiosk. Every method may raise StoreError."""

    def __init__(self, store: Store, clock: Clock, journal: Journal, kiosk_id: str) -> None:
        self._store, self._clock, self._journal, self._kiosk_id = store, clock, journal, kiosk_id

    def prove(
        self,
        identity: bytes,
        find: Callable[[Connection], Found],
        fits: Callable[[Found], bool],
        by: str,
        *,
        resets: bool = True,
    ) -> Found | WrongPin | LockedOut:
        """What `find` finds for `identity`, a blind index, if its PIN `fits`. `by` says in the journal how it came.
        Unless it `resets`, a right try leaves the wrong ones counted as they were."""
        with self._store.write() as tx:
            wrong = self._wrong(tx, identity)
            if locked := self._locked(tx, identity, wrong):
                return locked
            # Counted and locked as if it were wrong, on the disk before anything is compared.
            wrong += 1
            lock_s = FIRST_LOCK_S * 2 ** (wrong - TRIES_BEFORE_LOCK) if wrong >= TRIES_BEFORE_LOCK else 0
            tx.execute(update(pin_tries).where(pin_tries.c.identity == identity).values(wrong=wrong))
            if lock_s:
                timers.start(tx, self._clock, identity, lock_s)
            found = find(tx)
        right = fits(found)
        with self._store.write() as tx:
            if right:
                self.reset(tx, identity) if resets else self._take_back(tx, identity, lock_s)
                self._journal.record(Event.IDENTIFIED, tx=tx, kiosk=self._kiosk_id, by=by)
                return found
            if locked := self._locked(tx, identity, wrong):
                for_s = None if locked.until is None else lock_s
                self._journal.record(Event.LOCKED_OUT, tx=tx, kiosk=self._kiosk_id, by=by, for_s=for_s)
                return locked
            tries_left = TRIES_BEFORE_LOCK - wrong
            self._journal.record(Event.PIN_WRONG, tx=tx, kiosk=self._kiosk_id, by=by, tries_left=tries_left)
            return WrongPin(tries_left)

    def reset(self, tx: Connection, identity: bytes) -> None:
        """Forget the wrong tries and the lock."""
        tx.execute(delete(pin_tries).where(pin_tries.c.identity == identity))
        timers.clear(tx, identity)

    def _take_back(self, tx: Connection, identity: bytes, lock_s: float) -> None:
        """The try that was counted before it was known to be right, and the lock that it began."""
        tx.execute(update(pin_tries).where(pin_tries.c.identity == identity).values(wrong=pin_tries.c.wrong - 1))
        if lock_s:
            timers.clear(tx, identity)

    def lock(self, tx: Connection, identity: bytes) -> LockedOut | None:
        """The lock that is in the way now. Needs a writing transaction."""
        counted = select(pin_tries.c.wrong).where(pin_tries.c.identity == identity)
        return self._locked(tx, identity, tx.execute(counted).scalar_one_or_none() or 0)

    def _wrong(self, tx: Connection, identity: bytes) -> int:
        """The wrong tries so far; the row is held until `tx` ends, so that tries at once are counted one by one."""
        tx.execute(insert(tx, pin_tries).values(identity=identity, wrong=0).on_conflict_do_nothing())
        held = select(pin_tries.c.wrong).where(pin_tries.c.identity == identity).with_for_update()
        return tx.execute(held).scalar_one()

    def _locked(self, tx: Connection, identity: bytes, wrong: int) -> LockedOut | None:
        if wrong >= TRIES_BEFORE_DESK:
            return LockedOut(None)
        left = timers.running(tx, self._clock, identity)
        return LockedOut(self._clock.now() + timedelta(seconds=left[-1])) if left else None
