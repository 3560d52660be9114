"""The way back from a backup, into a kiosk that does not run."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from pyrage import x25519
from sqlalchemy import delete, inspect, make_url, update

from config import settings as config
from config.settings import Settings
from kiosk.app import StateLock
from kiosk.backup import archive
from kiosk.backup.archive import Manifest
from kiosk.backup.errors import BackupError
from kiosk.backup.make import SQLITE, as_owner, work_directory
from kiosk.clock import Clock
from kiosk.devices import Devices
from kiosk.journal import Event
from kiosk.office import Office
from kiosk.store.key_file import OWNER_ONLY, sync_folder
from kiosk.store.migrations import revisions
from kiosk.store.schema import counters, officer_sessions
from kiosk.store.snapshot import load_dump
from kiosk.store.state_files import (
    DATABASE,
    DUMP,
    LOG_ENDS,
    RESTORE_WORK,
    RESTORED_SETTINGS,
    SETTINGS,
    UNFINISHED_RESTORE,
    VAULT_KEY,
    kept_files,
)
from kiosk.store.store import Store
from kiosk.store.vault import Vault


def unlock(source: Path, passphrase: str) -> x25519.Identity:
    """The key that opens a backup. Raises WrongPassphrase, BackupError."""
    with _opened(source) as file:
        return archive.open_key(file, passphrase)


def check_backup(source: Path, identity: x25519.Identity) -> Manifest:
    """Read all of a backup. Raises BackupError."""
    with _opened(source) as file:
        return archive.read(file, identity, accept=lambda manifest: None)


def restore(
    settings: Settings,
    source: Path,
    identity: x25519.Identity,
    clock: Clock,
    *,
    replace: bool = False,
    skip_numbers: int = 0,
) -> Manifest:
    """Put the backup `source` in place of what the settings' kiosk has, which is kept beside it where `replace` is set
    and refused otherwise. Everything is checked, and opened as a kiosk opens it, before anything is moved.

    skip_numbers: so many numbers of every count are left out, as they may have been given after the backup.

    Raises BackupError, StoreError, and CannotRun where a kiosk runs.
    """
    with _reading(source):
        file = source.open("rb")  # which the kiosk's user need not be able to
    with file, as_owner(settings.state_path), StateLock(settings):
        present = _present(settings)
        if present and not replace:
            raise BackupError(
                f"{present[0]} is there already; --replace puts the backup in its place, and keeps it beside"
            )
        with work_directory(settings.state_path / RESTORE_WORK) as work:
            with _reading(source):
                manifest = archive.read(file, identity, lambda manifest: _refuse_others(settings, manifest), into=work)
            if manifest.engine != SQLITE:
                _fill(settings, work)
            _try_out(settings, work, clock, manifest, skip_numbers)
            _move_in(settings, work, clock)
    return manifest


@contextmanager
def _opened(source: Path) -> Iterator[IO[bytes]]:
    with _reading(source), source.open("rb") as file:
        yield file


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    """A block that changes nothing of the kiosk's, and whose failures are those of the file."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"{error.filename or source}: {error.strerror or error}. Nothing was changed") from error
    except BackupError as error:
        raise type(error)(f"{source}: {error}") from error


def _refuse_others(settings: Settings, manifest: Manifest) -> None:
    """Raises BackupError for a backup of something that these settings are not."""
    engine = make_url(settings.store_url).get_backend_name()
    for what, theirs, ours in (
        ("the village", manifest.village_code, settings.village.code),
        ("the profile", manifest.profile, str(settings.profile)),
        ("the database engine", manifest.engine, engine),
    ):
        if theirs != ours:
            raise BackupError(f"it is of {what} {theirs}, and the settings name {ours}")
    if manifest.schema not in revisions():
        raise BackupError(
            f"version {manifest.version} made it, whose database this version does not know: install that one first"
        )


def _try_out(settings: Settings, work: Path, clock: Clock, manifest: Manifest, skip_numbers: int) -> None:
    """Open what was read as a kiosk does, with its keys. Raises StoreError."""
    url = "" if manifest.engine == SQLITE else settings.database_url
    office = Office.open(
        config.changed(settings, state_dir=str(work), database_url=url), clock, Devices(), None, lambda event: None
    )
    try:
        office.store.check_whole()
        with office.store.write() as tx:
            tx.execute(update(counters).values(value=counters.c.value + skip_numbers))
            tx.execute(delete(officer_sessions))  # whoever logged out since then stays so
            made_at = manifest.created_at.isoformat(timespec="seconds")
            office.journal.record(Event.RESTORED, tx=tx, made_at=made_at, skipped=skip_numbers)
    finally:
        office.close()


def _fill(settings: Settings, work: Path) -> None:
    """PostgreSQL: into an empty database only, as nothing can be kept beside it."""
    store = Store(settings.store_url, Vault.load_or_create(work / VAULT_KEY), settings.kiosk_id)
    try:
        with store.read() as tx:
            if inspect(tx).get_table_names():
                raise BackupError(f"{store.place} is not empty: make a new database, and name it in the settings")
        load_dump(store.url, work / DUMP)
    finally:
        store.close()


def _database(settings: Settings) -> Path | None:
    """The database's file; None where it is none."""
    url = make_url(settings.store_url)
    return Path(url.database) if url.get_backend_name() == SQLITE else None


def _present(settings: Settings) -> list[Path]:
    """What a restore would put something else in the place of."""
    database = _database(settings)
    files = [] if database is None else [database, *(database.with_name(database.name + end) for end in LOG_ENDS)]
    return [path for path in (*files, *kept_files(settings.state_path).values()) if path.exists()]


def _move_in(settings: Settings, work: Path, clock: Clock) -> None:
    """What is there goes aside, and the backup's takes its place. Cut short, it leaves a mark that keeps every program
    from opening the half of it."""
    state, database = settings.state_path, _database(settings)
    if database is not None and database.exists():
        _leave_alone(database)
    mark = state / UNFINISHED_RESTORE
    try:
        mark.touch(mode=OWNER_ONLY)
        sync_folder(state)
        _exchange(settings, work, state / f"replaced-{clock.now():%Y%m%d-%H%M%S}")
        mark.unlink()
        sync_folder(state)
    except OSError as error:
        raise BackupError(
            f"{error.filename or state}: {error.strerror}. Mend that and restore again, with --replace: until then no "
            "kiosk opens what is half restored"
        ) from error


def _exchange(settings: Settings, work: Path, aside: Path) -> None:
    state, database = settings.state_path, _database(settings)
    for path in _present(settings):
        _move(path, aside / (path.relative_to(state) if path.is_relative_to(state) else path.name))
    restored = {state / name: path for name, path in kept_files(work).items()}
    if database is not None:
        restored[database] = work / DATABASE
    for place, path in restored.items():
        _move(path, place)
    if (state / RESTORED_SETTINGS).exists():
        shutil.rmtree(state / RESTORED_SETTINGS)
    (work / SETTINGS).rename(state / RESTORED_SETTINGS)


def _leave_alone(database: Path) -> None:
    """Make the old database one file without a log beside it, which SQLite does for its only user. Raises BackupError
    where somebody else has it open; a damaged one stays as it is."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise BackupError(f"another program has {database} open: end it first") from error


def _move(path: Path, place: Path) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.move(path, place)  # the database may be on another disk
    sync_folder(place.parent)
