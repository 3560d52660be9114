"""Who is logged in. The cookie holds 256 random bits, the database only a keyed hash of them."""

from datetime import timedelta

from sqlalchemy import delete, select, update

from kiosk.clock import Clock
from kiosk.officers import Officer, opened
from kiosk.store.counters import insert
from kiosk.store.schema import officer_sessions, officers
from kiosk.store.store import Store

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
#: A page within this time of the last one is no news, and writes nothing.
SEEN_EVERY = timedelta(minutes=1)


class Sessions:
    """`token` is what the cookie holds. Every method may raise StoreError."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock, self._vault = store, clock, store.vault

    def begin(self, officer: Officer, token: str) -> None:
        """Begin a session under a token that nobody had before, and forget those that are over."""
        now = self._clock.now()
        over = (officer_sessions.c.seen_at < now - IDLE) | (officer_sessions.c.began_at < now - LONGEST)
        with self._store.write() as tx:
            tx.execute(delete(officer_sessions).where(over))
            new = {"token_hash": self._hash(token), "officer_id": officer.id, "began_at": now, "seen_at": now}
            tx.execute(insert(tx, officer_sessions).values(new))

    def officer(self, token: str) -> Officer | None:
        """Whose session it is, which goes on by that; None where there is none, or it is over."""
        here = officer_sessions.c.token_hash == self._hash(token)
        with self._store.read() as tx:
            row = tx.execute(select(officer_sessions, officers).join(officers).where(here)).one_or_none()
        now = self._clock.now()
        # A clock that was set back must not make a session longer.
        if row is None or not (row.seen_at - SEEN_EVERY <= now < row.seen_at + IDLE) or now >= row.began_at + LONGEST:
            return None
        if now >= row.seen_at + SEEN_EVERY:
            with self._store.write() as tx:
                tx.execute(update(officer_sessions).where(here).values(seen_at=now))
        return opened(row)

    def end(self, token: str) -> None:
        with self._store.write() as tx:
            tx.execute(delete(officer_sessions).where(officer_sessions.c.token_hash == self._hash(token)))

    def form_token(self, token: str) -> str:
        """What every form of that session carries, and no other site can know."""
        return self._vault.index("desk form", token).hex()

    def _hash(self, token: str) -> bytes:
        return self._vault.index("officer session", token)
