"""Numbers that are never given twice and never skipped."""

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from kiosk.store.schema import counters


def insert(tx: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the engine's own, which alone has ON CONFLICT."""
    return (sqlite if tx.dialect.name == "sqlite" else postgresql).insert(table)


def next_number(tx: Connection, name: str) -> int:
    """The next number of that counter, from 1. It is given when `tx` commits; when `tx` fails it is given to the next
    who asks. One statement on one row: `max + 1` gives duplicates, and SELECT FOR UPDATE finds no row on the first."""
    statement = insert(tx, counters).values(name=name, value=1)
    statement = statement.on_conflict_do_update(index_elements=[counters.c.name], set_={"value": counters.c.value + 1})
    return tx.execute(statement.returning(counters.c.value)).scalar_one()
