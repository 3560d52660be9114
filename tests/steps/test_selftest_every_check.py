"""Every check that runs by itself can fail: its part is broken, and it alone says so. A check that is added without its
breaking fails here. (Those that need the technician: `test_flow_technician.py`.)"""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.kiosk import DEMO

from config import settings as config
from config.settings import Backup, Server, TrustedVillage
from hardware.device import DeviceState
from hardware.machine.interface import Throttling
from kiosk.app import check_drivers, running_devices
from kiosk.clock import Clock
from kiosk.selftest import passive
from kiosk.selftest.registry import CHECKS, TROUBLE, Bench
from kiosk.selftest.runner import run_checks
from kiosk.signing.pdf_keys import signing_directory
from kiosk.store.state_files import VILLAGE_KEYS

pytest_plugins = ["support.kiosk"]

PATIENCE_S = 5.0
#: What others say that cannot look without that part.
NEEDED = {"database": {"DATABASE-BROKEN"}}


class Breaker:
    """Breaks one part of a whole hall; what it returns is the hall as it is then."""

    def __init__(self, bench: Bench, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.bench, self.monkeypatch, self.folder = bench, monkeypatch, folder

    def with_settings(self, **changes: Any) -> Bench:
        return replace(self.bench, settings=config.changed(self.bench.settings, **changes))

    def versions(self) -> Bench:
        self.monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
        return self.bench

    def settings(self) -> Bench:
        path = self.folder / "kiosk.toml"
        path.write_text(DEMO.read_text("utf-8").replace('kiosk_id = "demo"', "kiosk_id = 5"), "utf-8")
        return replace(self.bench, path=path)

    def translations(self) -> Bench:
        self.monkeypatch.setattr(passive, "messages", lambda: {"broken": {"en": "Only English"}})
        return self.bench

    def letter_types(self) -> Bench:
        return self.with_settings(letters_dir=str(self.folder / "nothing"))

    def database(self) -> Bench:
        (self.bench.settings.state_path / "kiosk.sqlite").write_bytes(
            b"no database at all, and long enough for one" * 99
        )
        return self.bench

    def disk(self) -> Bench:
        usage = type(passive.shutil.disk_usage("/"))(9e9, 8.9e9, 1e8)
        self.monkeypatch.setattr(passive.shutil, "disk_usage", lambda path: usage)
        return self.bench

    def backup(self) -> Bench:
        return self.with_settings(backup=Backup(directory="/media/backup"))  # that nobody has made yet

    def village_keys(self) -> Bench:
        (key,) = (self.bench.settings.state_path / VILLAGE_KEYS).glob("*.pem")
        key.unlink()
        return self.bench

    def withdrawals(self) -> Bench:
        return self.with_settings(trusted_villages=(TrustedVillage(file=str(self.folder / "none.village")),))

    def signing(self) -> Bench:
        for key in signing_directory(self.bench.settings).glob("signer-*.pem"):
            key.unlink()
        return self.bench

    def clock(self) -> Bench:
        self.monkeypatch.setattr(Clock, "synchronised", lambda self: False)
        return self.bench

    def server(self) -> Bench:
        return self.with_settings(server=Server(url="http://127.0.0.1:9"))  # where nobody listens

    def card_reader(self) -> Bench:
        return self._unplugged("card_reader")

    def code_scanner(self) -> Bench:
        self.bench.devices["code_scanner"].listen(True)  # it looks when it is asked to
        return self._unplugged("code_scanner")

    def printer(self) -> Bench:
        return self._unplugged("printer")

    def page_printer(self) -> Bench:
        self.bench.devices["page_printer"].outside.jam()
        return self._changed("page_printer", lambda status: not status.serving)

    def speaker(self) -> Bench:
        return self._unplugged("speaker")

    def machine(self) -> Bench:
        return self._reading("MACHINE-DISK-LOW", disk_free_bytes=900 * 1024**2)

    def temperature(self) -> Bench:
        return self._reading("MACHINE-HOT", temperature_c=85.0)

    def power(self) -> Bench:
        return self._reading("MACHINE-THROTTLED", throttling=frozenset({Throttling.UNDER_VOLTAGE}))

    def memory(self) -> Bench:
        return self._reading("MACHINE-MEMORY-LOW", memory_available_bytes=10_000_000)

    def network(self) -> Bench:
        return self._reading("MACHINE-NETWORK-DOWN", network_up=False)

    def _unplugged(self, kind: str) -> Bench:
        self.bench.devices[kind].unplug()
        return self._changed(kind, lambda status: status.state is DeviceState.ABSENT)

    def _reading(self, code: str, **readings: Any) -> Bench:
        self.bench.devices["machine"].set(**readings)
        return self._changed("machine", lambda status: status.code == code)

    def _changed(self, kind: str, accepts: Callable) -> Bench:
        assert accepts(self.bench.devices[kind].wait_for_status(accepts, PATIENCE_S))
        return self.bench


@pytest.fixture
def breaker(settings, quick, monkeypatch, tmp_path):
    """A whole hall, every device of which serves."""
    usage = type(passive.shutil.disk_usage("/"))(9e9, 1e9, 8e9)
    monkeypatch.setattr(passive.shutil, "disk_usage", lambda path: usage)
    monkeypatch.setattr(Clock, "synchronised", lambda self: True)
    monkeypatch.setattr("hardware.page_printer.ipp.LOOK_SERVING_EVERY_S", 0.05)
    with running_devices(settings, DEMO, lambda event: None) as devices:
        for device in devices.values():
            assert device.wait_for_status(lambda status: status.serving, PATIENCE_S).serving
        yield Breaker(Bench(settings, DEMO, check_drivers, devices), monkeypatch, tmp_path)


@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if not check.active])
def test_every_passive_check_fails_where_its_part_is_broken_and_no_other_does(breaker, name):
    assert not {finding.check for finding in run_checks(breaker.bench) if finding.verdict in TROUBLE}
    bench = getattr(breaker, name.replace(" ", "_"))()
    trouble = {finding.check: finding.code for finding in run_checks(bench) if finding.verdict in TROUBLE}
    assert trouble.pop(name)
    assert set(trouble.values()) <= NEEDED.get(name, set())
