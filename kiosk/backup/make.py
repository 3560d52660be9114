"""Making backups, while the kiosk runs: by hand into a file, or by night into the directory that the settings name."""

import fcntl
import os
import pwd
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import select

from config.settings import Settings
from kiosk import __version__
from kiosk.backup import archive
from kiosk.backup.archive import BackupKey, Manifest
from kiosk.backup.errors import BackupError
from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.store.key_file import OWNER_ONLY, sync_folder
from kiosk.store.opening import open_store
from kiosk.store.schema import installation
from kiosk.store.snapshot import take_snapshot
from kiosk.store.state_files import BACKUP_KEY, BACKUP_WORK, DATABASE, DUMP, SETTINGS, VAULT_KEY, kept_files
from kiosk.store.store import Store, revision
from kiosk.store.vault import Vault

SQLITE = "sqlite"


def load_backup_key(settings: Settings) -> BackupKey | None:
    """The key of this kiosk's backups; None where no passphrase was set. Raises BackupError."""
    path = settings.state_path / BACKUP_KEY
    try:
        return BackupKey.from_bytes(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BackupError(f"{path} cannot be used: {error}. Set a passphrase by `kiosk backup --new-key`") from error


def set_backup_key(settings: Settings, key: BackupKey) -> None:
    """From now on backups are sealed with that key; older ones open as before. Raises BackupError."""
    if not settings.state_path.is_dir():
        raise BackupError(f"{settings.state_path} is not there: start the kiosk once")
    with as_owner(settings.state_path), _replaced(settings.state_path / BACKUP_KEY) as file:
        file.write(key.to_bytes())


def make_backup(settings: Settings, path: Path, target: Path, key: BackupKey, clock: Clock) -> Manifest:
    """Back up the kiosk of the settings, which `path` holds, into the file `target`. What stood there before is
    replaced once the new one has been read back whole. Raises BackupError and StoreError."""
    state = settings.state_path
    with _replaced(target) as file, as_owner(state), work_directory(state / BACKUP_WORK) as work:
        manifest, sources = _gathered(settings, path, work, clock)
        witness = archive.write(file, manifest, sources, key)
        _leave_memory(file)
        if archive.sealed_key(file) != key.sealed:
            raise BackupError(f"{target}: its key was read back otherwise than it was written")
        archive.read(file, witness, accept=lambda manifest: None)
        size_bytes = os.fstat(file.fileno()).st_size
    with as_owner(state):
        store = open_store(settings)
        try:
            Journal(store, clock).record(Event.BACKUP_MADE, size_bytes=size_bytes)
        finally:
            store.close()
    return manifest


def make_nightly_backup(settings: Settings, path: Path, clock: Clock) -> Path:
    """Back up into the settings' directory under a name of its own, and delete the oldest beyond those to keep; the
    new file. Raises BackupError and StoreError."""
    if settings.backup is None:
        raise BackupError(f"{path}: has no table [backup] that names a directory")
    key = load_backup_key(settings)
    if key is None:
        raise BackupError("no passphrase was set for backups: run `kiosk backup --new-key` once")
    directory = Path(settings.backup.directory)
    if not directory.is_dir():
        raise BackupError(f"the directory {directory} is not there: is the disk or USB stick in, and mounted?")
    prefix = f"anjungan-desa-{settings.village.code}-{settings.kiosk_id}-"
    target = directory / f"{prefix}{clock.now():%Y%m%d-%H%M%S}.tar"
    _delete(directory.glob(f".{prefix}*.partial"))  # what a night that was cut short left half written
    make_backup(settings, path, target, key, clock)
    # Never the newest, whatever the clock said.
    ours = re.compile(re.escape(prefix) + r"\d{8}-\d{6}\.tar")
    older = [other for other in directory.iterdir() if ours.fullmatch(other.name) and other != target]
    _delete(sorted(older, reverse=True)[settings.backup.keep - 1 :])
    return target


def _delete(files: Iterable[Path]) -> None:
    """Raises BackupError."""
    for file in files:
        try:
            file.unlink()
        except OSError as error:
            raise BackupError(f"{file} could not be deleted: {error.strerror}") from error


@contextmanager
def as_owner(state: Path) -> Iterator[None]:
    """Root works on a kiosk's state directory as the user whose it is: what that user may have laid there, such as a
    link to another's file, then leads root nowhere either, and what is made there is that user's. Raises BackupError
    where the machine does not know the user."""
    if os.geteuid() != 0 or not state.exists() or (owner := state.stat()).st_uid == 0:
        yield
        return
    try:
        user = pwd.getpwuid(owner.st_uid).pw_name
    except KeyError:
        raise BackupError(f"{state} belongs to a user whom this machine does not know: {owner.st_uid}") from None
    own_gid, own_groups = os.getegid(), os.getgroups()
    os.initgroups(user, owner.st_gid)
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(own_gid)
        os.setgroups(own_groups)


@contextmanager
def work_directory(path: Path) -> Iterator[Path]:
    """An empty directory for this process alone, gone afterwards; what a killed process left in it goes first. Raises
    BackupError."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise BackupError(f"{path} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BackupError(f"another process works in {path}: wait until it has ended") from None
    try:
        for left in path.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield path
    finally:
        shutil.rmtree(path)
        os.close(descriptor)


def _gathered(settings: Settings, path: Path, work: Path, clock: Clock) -> tuple[Manifest, dict[str, Path]]:
    """The manifest, and part → file. Raises StoreError for a database that its keys do not open."""
    state = settings.state_path
    if not (state / VAULT_KEY).exists():
        raise BackupError(f"there is nothing to back up in {state}: no kiosk ran there")
    store = Store(settings.store_url, Vault.load_or_create(state / VAULT_KEY), settings.kiosk_id)
    engine = store.url.get_backend_name()
    name = DATABASE if engine == SQLITE else DUMP
    created_at = clock.now()
    try:
        take_snapshot(store.url, work / name)
        with store.read() as tx:
            schema = revision(tx)
            if tx.execute(select(installation.c.key_fingerprint)).scalar_one() != store.vault.fingerprint():
                raise BackupError(f"the key {state / VAULT_KEY} is not the database's: put its saved copy back first")
    finally:
        store.close()
    sources = {name: work / name, **kept_files(state), **_settings_files(settings, path)}
    manifest = Manifest(
        format=archive.FORMAT,
        version=__version__,
        schema=schema,
        engine=engine,
        village_code=settings.village.code,
        profile=str(settings.profile),
        created_at=created_at,
        parts=tuple(archive.part_of(name, source) for name, source in sources.items()),
    )
    return manifest, sources


def _settings_files(settings: Settings, path: Path) -> dict[str, Path]:
    """The hall's settings, what they name beside them, and its own letter types, each by its whole path. A systemd
    credential is none of them. Raises BackupError for a file that is not there."""
    files = [path]
    if settings.village.logo_path is not None:
        files.append(settings.village.logo_path)
    files += [Path(village.file) for village in settings.trusted_villages]
    if bsre := settings.signing.bsre:
        files += [Path(file) for file in (bsre.credentials, bsre.trust, bsre.server_ca) if file.startswith("/")]
    for listener in filter(None, (settings.desk, settings.check_page)):
        if listener.tls:
            files += [Path(listener.tls_certificate), Path(listener.tls_key)]
    if settings.printer is not None and settings.printer.profile.endswith(".toml"):
        files.append(path.parent / settings.printer.profile)
    if settings.letters_dir:
        files += sorted(Path(settings.letters_dir).rglob("*.toml"))
    for file in files:
        if not os.access(file, os.R_OK):
            raise BackupError(f"{file}, which {path} names, is not there or cannot be read")
    return {SETTINGS + os.path.abspath(file): file for file in files}


@contextmanager
def _replaced(target: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `target` when the block ends, whole and on the disk, and never in part. Raises
    BackupError where the disk refuses."""
    draft = target.with_name(f".{target.name}.partial")
    try:
        with open(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, OWNER_ONLY), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        _remove(draft)
        raise BackupError(f"{target} could not be written: {error.strerror}. What was there before is kept") from error
    except BaseException:
        _remove(draft)
        raise


def _remove(draft: Path) -> None:
    try:
        draft.unlink(missing_ok=True)
    except OSError:
        pass  # the stick is out: the next backup there writes over it


def _leave_memory(file: IO[bytes]) -> None:
    """What is read from now on comes from the disk."""
    file.flush()
    os.fsync(file.fileno())
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
