"""`kiosk backup` and `kiosk restore`, for a person at a terminal or a timer."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

#: A backup lies about for years, and whoever finds it may try passphrases as long as they like.
SHORTEST_PASSPHRASE = 12
ASKED = "Passphrase of the backup: "


def add_backup_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("target", nargs="?", type=Path, metavar="TARGET", help="the file to write")
    what.add_argument("--nightly", action="store_true", help="into the settings' directory, deleting the oldest there")
    what.add_argument("--check", type=Path, metavar="FILE", help="say what a backup is of, and whether it is whole")
    what.add_argument("--new-key", action="store_true", help="set the passphrase of all backups from now on")


def add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="SOURCE", help="the backup")
    parser.add_argument("--replace", action="store_true", help="keep what is there beside, instead of refusing")
    parser.add_argument(
        "--skip-numbers",
        type=_count,
        default=0,
        metavar="N",
        help="leave out so many numbers of every count: those that may have been given after the backup",
    )


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


def run_backup(options: argparse.Namespace) -> int:
    """Exit status 0, or 1 with one line on standard error. Raises SettingsError, StoreError."""
    return _told("backup", _backup, options)


def run_restore(options: argparse.Namespace) -> int:
    """The same; raises CannotRun too."""
    return _told("restore", _restore, options)


def _told(name: str, command: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> int:
    from kiosk.backup.errors import BackupError

    try:
        command(options)
    except (BackupError, ValueError) as error:
        print(f"kiosk {name}: {error}", file=sys.stderr)
        return 1
    except EOFError:
        print(f"kiosk {name}: nothing was typed", file=sys.stderr)
        return 1
    return 0


def _backup(options: argparse.Namespace) -> None:
    from kiosk.backup.archive import BackupKey
    from kiosk.backup.make import load_backup_key, make_backup, make_nightly_backup, set_backup_key
    from kiosk.clock import Clock
    from kiosk.terminal import settings_of

    if options.check:
        _check(options.check)
        return
    settings, path = settings_of(options)
    if options.new_key:
        set_backup_key(settings, BackupKey.new(_new_passphrase()))
        print("Backups from now on open with this passphrase, and with nothing else: write it down, and keep it safe.")
    elif options.nightly:
        print(f"{make_nightly_backup(settings, path, Clock())}: written, and read back whole")
    else:
        key = load_backup_key(settings) or BackupKey.new(_new_passphrase())
        make_backup(settings, path, options.target.absolute(), key, Clock())
        print(f"{options.target}: written, and read back whole")


def _new_passphrase() -> str:
    """Raises ValueError for one that is too short, and what `ask_twice` does."""
    from kiosk.terminal import ask_twice

    typed = ask_twice(f"New passphrase for backups, at least {SHORTEST_PASSPHRASE} characters: ", "passphrases")
    if len(typed) < SHORTEST_PASSPHRASE:
        raise ValueError(f"a passphrase of fewer than {SHORTEST_PASSPHRASE} characters is guessed; take some words")
    return typed


def _check(file: Path) -> None:
    from kiosk.backup.restore import check_backup, unlock
    from kiosk.terminal import ask_once

    manifest = check_backup(file, unlock(file, ask_once(ASKED)))
    size_bytes = sum(part.size_bytes for part in manifest.parts)
    print(f"{file}: whole. {len(manifest.parts)} parts, {size_bytes / 1e6:.1f} MB")
    print(f"Village {manifest.village_code}, made {manifest.created_at:%Y-%m-%d %H:%M} UTC by {manifest.version}")


def _restore(options: argparse.Namespace) -> None:
    from kiosk.backup.restore import restore, unlock
    from kiosk.clock import Clock
    from kiosk.store.state_files import RESTORED_SETTINGS
    from kiosk.terminal import ask_once, settings_of

    settings, _ = settings_of(options)
    manifest = restore(
        settings,
        options.source,
        unlock(options.source, ask_once(ASKED)),
        Clock(),
        replace=options.replace,
        skip_numbers=options.skip_numbers,
    )
    print(f"Restored what was there at {manifest.created_at:%Y-%m-%d %H:%M} UTC. What came later is lost.")
    print(f"The settings and letter types of then are in {settings.state_path / RESTORED_SETTINGS}.")
    if not options.skip_numbers:
        print("Numbers that were given later will be given again; were there any, restore with --skip-numbers.")
