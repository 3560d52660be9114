"""The technician: who may open the self-test's screen. One PIN, with the limits that residents have."""

from sqlalchemy import Connection, Row, select

from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.pin_tries import LockedOut, PinTries, WrongPin, pin_fits, refuse_usual_pin, sealed_pin
from kiosk.store.counters import insert
from kiosk.store.schema import technician
from kiosk.store.store import Store

#: How many hex digits of a card's keyed hash tell two cards on a bench apart, and say nothing of whose they are.
MARK_DIGITS = 4


class Technician:
    """Every method may raise StoreError."""

    def __init__(self, store: Store, clock: Clock, kiosk_id: str) -> None:
        self._store, self._vault = store, store.vault
        self._journal = Journal(store, clock)
        self._tries = PinTries(store, clock, self._journal, kiosk_id)
        self._identity = self._vault.index("technician", "pin")

    def has_pin(self) -> bool:
        with self._store.read() as tx:
            return self._row(tx) is not None

    def set_pin(self, pin: str) -> None:
        """Set or replace it: what was locked is unlocked. Raises WeakPin."""
        refuse_usual_pin(pin)
        sealed = sealed_pin(self._vault, pin, self._identity)
        with self._store.write() as tx:
            statement = insert(tx, technician).values(id=1, pin=sealed)
            tx.execute(statement.on_conflict_do_update(index_elements=[technician.c.id], set_={"pin": sealed}))
            self._tries.reset(tx, self._identity)
            self._journal.record(Event.TECHNICIAN_PIN_SET, tx=tx)

    def identify(self, pin: str) -> bool | WrongPin | LockedOut:
        """True where that is the PIN."""

        def fits(row: Row | None) -> bool:
            return pin_fits(self._vault, row and row.pin, pin, self._identity)

        answer = self._tries.prove(self._identity, self._row, fits, by="technician")
        return answer if isinstance(answer, WrongPin | LockedOut) else True

    def card_mark(self, uid: bytes) -> str:
        """The end of a keyed hash of a card's number, for a technician who wants to see that two cards differ."""
        return self._vault.index("card mark", uid).hex()[-MARK_DIGITS:]

    def _row(self, tx: Connection) -> Row | None:
        return tx.execute(select(technician)).one_or_none()
