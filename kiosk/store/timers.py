"""Spans of time that outlive a restart and a clock that was set.

Within one boot the monotonic clock counts, so setting the wall clock changes nothing. After another boot (or on another
machine with the same database) the wall clock counts, and what is left is at most the whole length: a clock set back
never shortens a timer and never makes it longer than it was meant to be.
"""

from datetime import timedelta

from sqlalchemy import Connection, delete, select, update

from kiosk.clock import Clock
from kiosk.store.counters import insert
from kiosk.store.schema import timers


def start(tx: Connection, clock: Clock, subject: bytes, length_s: float) -> None:
    """Let one more timer of that subject run."""
    tx.execute(
        insert(tx, timers).values(
            subject=subject,
            length_s=length_s,
            ends_at=clock.now() + timedelta(seconds=length_s),
            boot_id=clock.boot_id(),
            ends_s=clock.monotonic_s() + length_s,
        )
    )


def running(tx: Connection, clock: Clock, subject: bytes) -> list[float]:
    """What is left, in seconds, of each timer of that subject that still runs, the shortest first. Needs a writing
    transaction: those that ended are removed, and those of another boot are carried over into this one."""
    left = []
    for row in tx.execute(select(timers).where(timers.c.subject == subject)).all():
        if row.boot_id == clock.boot_id():
            left_s = row.ends_s - clock.monotonic_s()
        else:
            left_s = min((row.ends_at - clock.now()).total_seconds(), row.length_s)
            carried = {"boot_id": clock.boot_id(), "ends_s": clock.monotonic_s() + left_s}
            tx.execute(update(timers).where(timers.c.id == row.id).values(carried))
        if left_s > 0:
            left.append(left_s)
        else:
            tx.execute(delete(timers).where(timers.c.id == row.id))
    return sorted(left)


def clear(tx: Connection, subject: bytes) -> None:
    tx.execute(delete(timers).where(timers.c.subject == subject))
