"""One database: SQLite in a file, or PostgreSQL by another URL."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import URL, Column, Connection, Engine, create_engine, event, inspect, make_url, select, text, update
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from kiosk.store.counters import insert
from kiosk.store.errors import StoreError
from kiosk.store.schema import REVISION, installation
from kiosk.store.vault import Vault

#: The id of a hall's only kiosk, as the settings have it.
DEFAULT_KIOSK = "kiosk-1"
BUSY_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 10
WAL_RETRY_S = 0.02
#: The advisory lock that one process holds on PostgreSQL while it migrates: any number nobody else uses.
MIGRATION_LOCK = 352312

Found = TypeVar("Found")


class Store:
    """Transactions on the database at `url` (`sqlite:////var/lib/…/kiosk.sqlite` or `postgresql+psycopg://…`), whose
    personal fields `vault` opens, for the kiosk called `kiosk_id`. May be used from several threads. Made by
    `Store.open`."""

    def __init__(self, url: str, vault: Vault, kiosk_id: str = DEFAULT_KIOSK) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise StoreError(f"The database URL is not one: {error}") from error
        self.vault, self.kiosk_id = vault, kiosk_id
        self._engine = _engine(self.url)
        self._writer = self._engine.execution_options(writes=True, kiosk_id=kiosk_id)

    @classmethod
    def open(cls, url: str, vault: Vault, kiosk_id: str = DEFAULT_KIOSK) -> Self:
        """A store that is checked, migrated and ready.

        Raises StoreError where the database cannot be reached, is damaged, was made by a newer version, or is encrypted
        with another key than the vault's. It never deletes or repairs anything.
        """
        store = cls(url, vault, kiosk_id)
        try:
            store._check()
            store.migrate()
            store._check_key()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        self._engine.dispose()

    @property
    def place(self) -> str:
        """Where the database is, for a message: a file, or a URL without its password."""
        if self.url.get_backend_name() == "sqlite":
            return str(Path(self.url.database or "").absolute())
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed when the block ends, rolled back when it raises. What it did is on the
        disk afterwards. Raises StoreError where the database fails, IntegrityError as SQLAlchemy does."""
        with self._said_plainly(), self._writer.begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads; raises StoreError where the database fails."""
        with self._said_plainly(), self._engine.begin() as tx:
            yield tx

    def once(self, find: Callable[[Connection], Found | None], make: Callable[[Connection], Found]) -> Found:
        """What `find` gives, or `make` made, in one transaction. Of two that make the same (the same idempotency key)
        at the same time one succeeds, and both get what it made."""
        try:
            with self.write() as tx:
                found = find(tx)
                return make(tx) if found is None else found
        except IntegrityError:
            with self.read() as tx:
                found = find(tx)
            if found is None:
                raise
            return found

    def migrate(self) -> None:
        """Bring the schema to this version's; nothing happens where it is there already. All or nothing, and one
        process at a time. Raises StoreError for a database that a newer version made."""
        with self.read() as tx:
            if revision(tx) == REVISION:
                return
        with self.write() as tx:
            if tx.dialect.name == "postgresql":
                tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
            stamped = revision(tx)
            if stamped == REVISION:
                return  # another process did it meanwhile
            # Alembic is slow to import, and this is needed once per version.
            from kiosk.store.migrations import revisions, upgrade

            if stamped is not None and stamped not in revisions():
                raise StoreError(
                    f"The database {self.place} is at revision {stamped}, which this version does not know: a newer "
                    "version made it. Install that version again, or restore a backup made by this one."
                )
            upgrade(tx)

    def check_whole(self) -> None:
        """Look at every page and index, which may take seconds. Raises StoreError where something is damaged."""
        self._check("integrity_check")

    def _check(self, how: str = "quick_check") -> None:
        if self.url.get_backend_name() != "sqlite":
            return  # PostgreSQL looks after itself
        with self.read() as tx:
            answer = tx.execute(text(f"PRAGMA {how}(1)")).scalar_one()
        if answer != "ok":
            raise self._damaged(str(answer).replace("\n", " "))

    def _check_key(self) -> None:
        fingerprint = self.vault.fingerprint()
        known = select(installation.c.key_fingerprint)
        with self.read() as tx:
            if tx.execute(known).scalar_one_or_none() == fingerprint:
                return
        with self.write() as tx:
            tx.execute(insert(tx, installation).values(id=1, key_fingerprint=fingerprint).on_conflict_do_nothing())
            if tx.execute(known).scalar_one() != fingerprint:
                raise StoreError(
                    f"The database {self.place} was encrypted with another key than the key file's. The key file was "
                    "lost and made anew, or belongs to another kiosk: put its saved copy back."
                )

    def belongs(self, column: Column, value: Any) -> bool:
        """Whether that column of `installation` holds `value`, which it takes where it holds nothing yet."""
        with self.write() as tx:
            tx.execute(update(installation).where(column.is_(None)).values({column: value}))
            return tx.execute(select(column)).scalar_one() == value

    def _damaged(self, reason: str) -> StoreError:
        return StoreError(
            f"The database {self.place} is damaged: {reason}. Nothing was changed. Keep the file, and restore the last "
            "backup."
        )

    @contextmanager
    def _said_plainly(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            # Only the driver's own words: SQLAlchemy's carry the statement and its values.
            reason = " ".join(str(error.orig).split())
            if "malformed" in reason or "not a database" in reason:
                raise self._damaged(reason) from None
            if "unable to open" in reason:
                raise StoreError(
                    f"The database {self.place} cannot be opened: {reason}. See that its folder exists and that the "
                    "kiosk's user owns it."
                ) from None
            raise StoreError(f"The database {self.place} does not serve: {reason}.") from None
        except PoolTimeoutError as error:
            raise StoreError(f"The database {self.place} does not serve: all its connections are busy.") from error


def _engine(url: URL) -> Engine:
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise StoreError("The database URL must name a file: what is in memory only is lost.")
            engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_S})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        case "postgresql":
            # A server that went away is noticed before a transaction begins, and a silent one does not hold a worker.
            limits = f"-c lock_timeout={BUSY_TIMEOUT_S}s -c statement_timeout={ANSWER_TIMEOUT_S}s"
            connect_args = {
                "connect_timeout": BUSY_TIMEOUT_S,
                "tcp_user_timeout": ANSWER_TIMEOUT_S * 1000,
                "options": limits,
            }
            return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=connect_args)
        case other:
            raise StoreError(f"The database URL begins with {other}; sqlite and postgresql+psycopg are known.")


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes late and is never IMMEDIATE: it is left to `_begin_sqlite`.
    connection.isolation_level = None
    _use_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = FULL")  # NORMAL lost acknowledged tickets in 72 of 160 power cuts
    connection.execute("PRAGMA foreign_keys = ON")


def _use_write_ahead_log(connection: Any) -> None:
    """Two processes that open a new database at once both want to switch it: SQLite then refuses one of them at once,
    whatever its busy time-out, and tells nobody when the other has done. So the other looks again, for as long."""
    deadline_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline_s:
                raise
            time.sleep(WAL_RETRY_S)


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later would fail at once when another wrote in between.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def revision(tx: Connection) -> str | None:
    """The revision stamped on the database; None for an empty one."""
    if not inspect(tx).has_table("alembic_version"):
        return None
    return tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
