"""The passive checks, each of one part. What is slow to import is imported where it is used."""

import platform
import shutil
import sqlite3
import string
import sys
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from config.settings import Profile, Settings, SettingsError, changed, load
from config.translations import LANGUAGES, messages
from hardware.device import DeviceState, Status
from hardware.machine.interface import Readings
from kiosk import __version__
from kiosk.clock import Clock
from kiosk.selftest.registry import CHECKS, Bench, Check, Finding, Look, Verdict, check
from kiosk.store.errors import StoreError
from kiosk.store.store import Store

#: How long a device may take to say how it is.
DEVICE_PATIENCE_S = 8.0
#: How long BSrE's service may take to say whether it knows us.
SERVICE_PATIENCE_S = 8.0
#: A certificate that ends sooner is renewed now: BSrE takes its time, and a technician comes twice a year.
SHORTEST_CERTIFICATE = timedelta(days=30)
#: Below this much room the database may fail to grow within weeks.
LEAST_DISK_BYTES = 500_000_000
#: One night may fail; by hand once a month is the least.
OLDEST_NIGHTLY_BACKUP, OLDEST_HAND_BACKUP = timedelta(days=2), timedelta(days=31)
#: What the kiosk is made for: Pythons from and before, and SQLite's first with RETURNING.
FIRST_PYTHON, FIRST_PYTHON_TOO_NEW = (3, 11), (3, 14)
FIRST_SQLITE = (3, 35)


@check("versions")
def _versions(bench: Bench) -> Finding:
    try:
        kivy = version("Kivy")
    except PackageNotFoundError:
        kivy = "missing"
    detail = ", ".join(
        (
            f"Anjungan Desa {__version__}",
            f"Python {platform.python_version()}",
            f"Kivy {kivy}",
            f"SQLite {sqlite3.sqlite_version}",
            f"Linux {platform.release()}",
            _distribution(),
        )
    )
    usable = FIRST_PYTHON <= sys.version_info < FIRST_PYTHON_TOO_NEW and sqlite3.sqlite_version_info >= FIRST_SQLITE
    if kivy == "missing" or not usable:
        return Finding("versions", Verdict.FAIL, "VERSION-UNSUPPORTED", detail)
    return Finding("versions", Verdict.PASS, detail=detail)


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return "an unknown distribution"


@check("settings")
def _settings(bench: Bench) -> Finding:
    """As they are in the file now: they may have been changed since the kiosk started."""
    if bench.path is None:
        return Finding("settings", Verdict.NOT_FITTED)
    try:
        problems = bench.check_drivers(load(bench.path), bench.path)
    except SettingsError as error:
        problems = [str(error)]
    if problems:
        return Finding("settings", Verdict.FAIL, "SETTINGS-BROKEN", "; ".join(problems))
    return Finding("settings", Verdict.PASS, detail=bench.path.name)


@check("translations")
def _translations(bench: Bench) -> Finding:
    try:
        catalogue = messages()
        broken = sorted(key for key, message in catalogue.items() if not _is_whole(message))
    except (OSError, ValueError) as error:
        return Finding("translations", Verdict.FAIL, "TRANSLATIONS-BROKEN", str(error))
    if broken:
        return Finding("translations", Verdict.FAIL, "TRANSLATIONS-BROKEN", ", ".join(broken))
    return Finding("translations", Verdict.PASS, detail=f"{len(catalogue)} messages")


def _is_whole(message: dict[str, str]) -> bool:
    """Whether it is there in Indonesian, and the other languages fill the same placeholders."""
    if not message.get("id"):
        return False
    texts = [message[language] for language in LANGUAGES if language in message]
    return len({frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name) for text in texts}) == 1


@check("letter types")
def _letter_types(bench: Bench) -> Finding:
    from kiosk.letter_types import letters_directory, load_letter_types

    try:
        usable, errors = load_letter_types(letters_directory(bench.settings))
    except OSError as error:
        return Finding("letter types", Verdict.FAIL, "LETTERS-BROKEN", str(error))
    if errors:
        return Finding("letter types", Verdict.FAIL, "LETTERS-BROKEN", "; ".join(map(str, errors)))
    return Finding("letter types", Verdict.PASS, detail=f"{len(usable)} usable")


@check("database")
def _database(bench: Bench) -> Finding:
    from kiosk.store.opening import open_store

    try:
        store = open_store(bench.settings)
        try:
            store.check_whole()
        finally:
            store.close()
    except StoreError as error:
        return Finding("database", Verdict.FAIL, "DATABASE-BROKEN", str(error))
    return Finding("database", Verdict.PASS)


@check("disk")
def _disk(bench: Bench) -> Finding:
    free_bytes = shutil.disk_usage(bench.settings.state_path).free
    detail = f"{free_bytes / 1e9:.1f} GB free"
    if free_bytes < LEAST_DISK_BYTES:
        return Finding("disk", Verdict.FAIL, "DISK-FULL", detail)
    return Finding("disk", Verdict.PASS, detail=detail)


@check("backup")
def _backup(bench: Bench) -> Finding:
    """A demo's village is made anew from nothing; a hall needs a backup, made by night or by hand."""
    settings = bench.settings
    if settings.backup is None and settings.profile is Profile.DEMO:
        return Finding("backup", Verdict.NOT_FITTED)
    from kiosk.journal import Event, Journal
    from kiosk.store.opening import open_store

    try:
        store = open_store(settings)
    except StoreError as error:
        return Finding("backup", Verdict.FAIL, "DATABASE-BROKEN", str(error))
    try:
        clock = Clock()
        made = Journal(store, clock).newest([Event.BACKUP_MADE], limit=1)
    finally:
        store.close()
    if not made:
        return Finding("backup", Verdict.ATTENTION, "BACKUP-NEVER")
    age = clock.now() - made[0].at
    detail = f"{age.days} days old"
    if age > (OLDEST_HAND_BACKUP if settings.backup is None else OLDEST_NIGHTLY_BACKUP):
        return Finding("backup", Verdict.ATTENTION, "BACKUP-OLD", detail)
    if settings.backup is not None and _on_one_disk(settings.state_path, Path(settings.backup.directory)):
        return Finding("backup", Verdict.ATTENTION, "BACKUP-SAME-DISK", settings.backup.directory)
    return Finding("backup", Verdict.PASS, detail=detail)


def _on_one_disk(state: Path, directory: Path) -> bool:
    """Also where nothing is mounted at the directory: the next backup would land beside the database."""
    return directory.exists() and directory.stat().st_dev == state.stat().st_dev


@check("clock")
def _clock(bench: Bench) -> Finding:
    clock = Clock()
    now = clock.now().isoformat(timespec="seconds")
    if not clock.synchronised():
        return Finding("clock", Verdict.ATTENTION, "CLOCK-NOT-KEPT", now)
    return Finding("clock", Verdict.PASS, detail=now)


@check("server")
def _server(bench: Bench) -> Finding:
    if bench.settings.server is None:
        return Finding("server", Verdict.NOT_FITTED)
    from kiosk.selftest.server import look_at_server

    return look_at_server(bench.settings.server.url, Clock())


@check("village keys")
def _village_keys(bench: Bench) -> Finding:
    from kiosk.selftest.codes_on_letters import look_at_village_keys

    return _with_store("village keys", bench, look_at_village_keys)


@check("withdrawals")
def _withdrawals(bench: Bench) -> Finding:
    if not bench.settings.trusted_villages:
        return Finding("withdrawals", Verdict.NOT_FITTED)
    from kiosk.selftest.codes_on_letters import look_at_withdrawals

    return _with_store("withdrawals", bench, look_at_withdrawals)


def _with_store(name: str, bench: Bench, look: Callable[[Settings, Store, Clock], Finding]) -> Finding:
    from kiosk.store.opening import open_store

    try:
        store = open_store(bench.settings)
        try:
            return look(bench.settings, store, Clock())
        finally:
            store.close()
    except StoreError as error:
        return Finding(name, Verdict.FAIL, "DATABASE-BROKEN", str(error))


@check("signing")
def _signing(bench: Bench) -> Finding:
    from kiosk.signing.interface import SigningError
    from kiosk.signing.opening import open_pdf_signer

    clock, settings = Clock(), bench.settings
    if (bsre := settings.signing.bsre) is not None:
        hurried = changed(settings.signing, bsre=changed(bsre, deadline_s=min(bsre.deadline_s, SERVICE_PATIENCE_S)))
        settings = changed(settings, signing=hurried)
    try:
        ends = open_pdf_signer(settings, clock).check()
    except SigningError as error:
        return Finding("signing", Verdict.FAIL, error.code, error.detail)
    detail = f"{settings.signing.method}, certificate until {ends:%Y-%m-%d}"
    if ends - clock.now() < SHORTEST_CERTIFICATE:
        return Finding("signing", Verdict.ATTENTION, "SIGNING-CERTIFICATE-ENDS", detail)
    return Finding("signing", Verdict.PASS, detail=detail)


# Devices.


def _settled(bench: Bench, kind: str) -> Status:
    return bench.devices[kind].wait_for_status(
        lambda status: status.state is not DeviceState.STARTING, DEVICE_PATIENCE_S
    )


def _device(kind: str, name: str) -> Look:
    def look(bench: Bench) -> Finding:
        missing = bench.device(kind, name)
        if isinstance(missing, Finding):
            return missing
        status = _settled(bench, kind)
        if not status.serving:
            code = status.code or f"{name.upper().replace(' ', '-')}-NO-ANSWER"
            return Finding(name, Verdict.FAIL, code, status.detail)
        if status.state is DeviceState.ATTENTION:
            return Finding(name, Verdict.ATTENTION, status.code, status.detail)
        return Finding(name, Verdict.PASS)

    return look


for _kind in ("card_reader", "code_scanner", "printer", "page_printer", "speaker"):
    _name = _kind.replace("_", " ")
    CHECKS[_name] = Check(_name, _device(_kind, _name))


# The machine. One device watches all of it and names every alarm that holds; each check tells those of its part.

#: Check → the alarms of its part. What no other part has is the machine's own.
ALARMS = {
    "temperature": {"MACHINE-HOT"},
    "power": {"MACHINE-THROTTLED", "MACHINE-ON-BATTERY"},
    "memory": {"MACHINE-MEMORY-LOW"},
    "network": {"MACHINE-NETWORK-DOWN"},
}


def _machine(name: str) -> Look:
    def look(bench: Bench) -> Finding:
        machine = bench.device("machine", name)
        if isinstance(machine, Finding):
            return machine
        status = _settled(bench, "machine")
        held = _held(status)
        if name == "machine":
            mine = [code for code in held if not any(code in alarms for alarms in ALARMS.values())]
        else:
            mine = [code for code in held if code in ALARMS[name]]
        detail = _reading(name, machine.readings())
        if not mine:
            return Finding(name, Verdict.PASS, detail=detail)
        failed = name == "machine" and not status.serving
        return Finding(name, Verdict.FAIL if failed else Verdict.ATTENTION, mine[0], detail)

    return look


def _held(status: Status) -> list[str]:
    """The codes of all alarms: the interface says that the detail names those after the worst."""
    if status.state is DeviceState.READY:
        return []
    others = [code for code in status.detail.split(", ") if code.startswith("MACHINE-")]
    return [status.code or "MACHINE-NO-ANSWER", *others]


def _reading(name: str, readings: Readings) -> str:
    """What stands beside the verdict; empty where there is nothing to read it from."""
    match name:
        case "temperature" if readings.temperature_c is not None:
            return f"{readings.temperature_c:.0f} °C"
        case "power" if readings.throttling:
            return ", ".join(sorted(readings.throttling))
        case "power" if readings.backup is not None and readings.backup.charge_percent is not None:
            return f"battery {readings.backup.charge_percent} %"
        case "memory" if readings.memory_available_bytes is not None:
            return f"{readings.memory_available_bytes / 1e6:.0f} MB available"
        case "machine" if readings.uptime_s is not None:
            return f"up for {readings.uptime_s / 3600:.1f} h"
    return ""


for _name in ("machine", *ALARMS):
    CHECKS[_name] = Check(_name, _machine(_name))
