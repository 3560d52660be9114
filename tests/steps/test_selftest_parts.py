"""The checks of the machine, of what is installed and of the server: each fails when its part is broken."""

import platform
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from support.clock import FakeClock
from support.http import serving
from support.kiosk import DEMO

from config import settings as config
from config.settings import Server
from hardware.device import DeviceState
from hardware.machine.interface import PowerBackup, Throttling
from kiosk.app import check_drivers, running_devices
from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.selftest import codes, passive, runner, server
from kiosk.selftest.registry import CHECKS, Bench, Finding, Verdict, advice, fitted
from kiosk.selftest.report import active_lines
from kiosk.selftest.runner import SelfTest, run_checks
from kiosk.store.opening import open_store

pytest_plugins = ["support.kiosk"]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(settings, quick) -> Iterator[Bench]:
    """The virtual devices of the demo, started."""
    with running_devices(settings, DEMO, lambda event: None) as devices:
        yield Bench(settings, DEMO, check_drivers, devices)


def look(bench: Bench, check: str) -> tuple[Verdict, str]:
    finding = CHECKS[check].look(bench)
    assert finding.check == check
    return finding.verdict, finding.code


# What is installed.


def test_the_versions_are_told():
    detail = CHECKS["versions"].look(None).detail
    for part in ("Anjungan Desa", platform.python_version(), "Kivy 2", sqlite3.sqlite_version, platform.release()):
        assert part in detail


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (sys, "version_info", (3, 10, 9)),
        (sys, "version_info", (3, 14, 0)),
        (sqlite3, "sqlite_version_info", (3, 34, 1)),
    ],
)
def test_a_version_that_the_kiosk_is_not_made_for(monkeypatch, owner, name, value):
    monkeypatch.setattr(owner, name, value)
    assert look(None, "versions") == (Verdict.FAIL, "VERSION-UNSUPPORTED")


def test_a_kivy_that_is_missing(monkeypatch):
    def missing(name):
        raise passive.PackageNotFoundError(name)

    monkeypatch.setattr(passive, "version", missing)
    assert look(None, "versions") == (Verdict.FAIL, "VERSION-UNSUPPORTED")


@pytest.mark.parametrize(
    ("old", "new"), [('kiosk_id = "demo"', "kiosk_id = 5"), ('driver = "virtual"', 'driver = "magic"')]
)
def test_settings_that_were_spoilt_while_the_kiosk_runs(bench, tmp_path, old, new):
    changed = tmp_path / "kiosk.toml"
    changed.write_text(DEMO.read_text("utf-8"), "utf-8")
    bench = replace(bench, path=changed)
    assert look(bench, "settings") == (Verdict.PASS, "")
    changed.write_text(DEMO.read_text("utf-8").replace(old, new, 1), "utf-8")
    assert look(bench, "settings") == (Verdict.FAIL, "SETTINGS-BROKEN")
    assert str(changed) in CHECKS["settings"].look(bench).detail


@pytest.mark.parametrize(
    "message", [{"en": "Only English"}, {"id": ""}, {"id": "{n} orang", "en": "people"}, {"id": "{n", "en": "{n"}]
)
def test_a_catalogue_that_is_not_whole(monkeypatch, message):
    monkeypatch.setattr(passive, "messages", lambda: {"broken": message, "whole": {"id": "Ya"}})
    assert look(None, "translations") == (Verdict.FAIL, "TRANSLATIONS-BROKEN")


# The speaker and the machine.


def test_a_speaker_that_is_unplugged(bench):
    speaker = bench.devices["speaker"]
    speaker.wait_for_status(lambda status: status.serving, 5)
    assert look(bench, "speaker") == (Verdict.PASS, "")
    speaker.unplug()
    speaker.wait_for_status(lambda status: not status.serving, 5)
    assert look(bench, "speaker") == (Verdict.FAIL, "SPEAKER-ABSENT")


@pytest.mark.parametrize(
    ("readings", "check", "code"),
    [
        ({"temperature_c": 85.0}, "temperature", "MACHINE-HOT"),
        ({"throttling": frozenset({Throttling.UNDER_VOLTAGE})}, "power", "MACHINE-THROTTLED"),
        ({"backup": PowerBackup(on_battery=True, charge_percent=80)}, "power", "MACHINE-ON-BATTERY"),
        ({"memory_available_bytes": 10_000_000}, "memory", "MACHINE-MEMORY-LOW"),
        ({"network_up": False}, "network", "MACHINE-NETWORK-DOWN"),
        ({"disk_free_bytes": 900 * 1024**2}, "machine", "MACHINE-DISK-LOW"),
    ],
)
def test_each_alarm_of_the_machine_is_told_by_the_check_of_its_part(bench, readings, check, code):
    machine = bench.devices["machine"]
    machine.wait_for_status(lambda status: status.state is DeviceState.READY, 5)
    parts = ("machine", *passive.ALARMS)
    assert {part: look(bench, part) for part in parts} == dict.fromkeys(parts, (Verdict.PASS, ""))
    machine.set(**readings)
    machine.wait_for_status(lambda status: status.code == code, 5)
    found = {part: look(bench, part) for part in parts}
    assert found.pop(check) == (Verdict.ATTENTION, code)
    assert set(found.values()) == {(Verdict.PASS, "")}


def test_several_alarms_at_once_are_told_each_by_its_part(bench):
    machine = bench.devices["machine"]
    machine.wait_for_status(lambda status: status.state is DeviceState.READY, 5)
    machine.set(temperature_c=85.0, network_up=False, disk_free_bytes=1)
    machine.wait_for_status(lambda status: status.code == "MACHINE-DISK-FULL", 5)
    assert look(bench, "machine") == (Verdict.FAIL, "MACHINE-DISK-FULL")
    assert look(bench, "temperature") == (Verdict.ATTENTION, "MACHINE-HOT")
    assert look(bench, "network") == (Verdict.ATTENTION, "MACHINE-NETWORK-DOWN")
    assert look(bench, "memory") == (Verdict.PASS, "")


@pytest.mark.parametrize("check", ["machine", "temperature", "speaker", "page printer"])
def test_what_the_hall_does_not_have(settings, check):
    bench = Bench(config.changed(settings, machine=None, speaker=None, page_printer=None))
    assert look(bench, check) == (Verdict.NOT_FITTED, "")


# The server.


def says(status: int, **headers: str):
    def answer(handler) -> None:
        if "Date" in headers:
            handler.server.date = headers["Date"]
        handler.send_response(status)
        for name, value in headers.items():
            if name != "Date":
                handler.send_header(name, value)
        handler.end_headers()

    return answer


def asked(settings, url: str) -> Finding:
    return CHECKS["server"].look(Bench(config.changed(settings, server=Server(url=url))))


def test_no_server_is_named(settings):
    assert look(Bench(settings), "server") == (Verdict.NOT_FITTED, "")


@pytest.mark.parametrize("status", [200, 204, 404, 405])
def test_a_server_that_answers_is_there(settings, status):
    with serving(says(status)) as url:
        found = asked(settings, url)
    assert (found.verdict, found.code) == (Verdict.PASS, "")
    assert found.detail.startswith(f"{status}, clocks ")


def test_a_redirect_on_the_same_host_is_the_server(settings):
    with serving(says(301, Location="/login")) as url:
        assert asked(settings, url).verdict is Verdict.PASS


@pytest.mark.parametrize("apart", [timedelta(minutes=2), timedelta(days=-400)])
def test_clocks_that_differ(settings, apart):
    with serving(says(200, Date=format_datetime(datetime.now(UTC) + apart, usegmt=True))) as url:
        found = asked(settings, url)
    assert (found.verdict, found.code) == (Verdict.ATTENTION, "CLOCK-APART")


@pytest.mark.parametrize("date", ["yesterday", ""])
def test_a_server_that_tells_no_time(settings, date):
    with serving(says(200, Date=date)) as url:
        assert asked(settings, url).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (says(302, Location="http://login.example/?from=1"), "SERVER-CAPTIVE-PORTAL"),
        (says(511), "SERVER-CAPTIVE-PORTAL"),
        (says(503), "SERVER-ERROR"),
        (lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n"), "SERVER-NO-ANSWER"),
        (lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), "SERVER-NO-ANSWER"),
    ],
)
def test_what_is_no_answer_of_the_server(settings, answer, code):
    with serving(answer) as url:
        found = asked(settings, url)
    assert (found.verdict, found.code) == (Verdict.FAIL, code)


def test_nobody_listens(settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        assert asked(settings, url).code == "SERVER-NO-ANSWER"


def test_plain_text_where_a_certificate_should_be(settings):
    with serving(says(200)) as url:
        assert asked(settings, url.replace("http:", "https:")).code == "SERVER-CERTIFICATE"


def test_the_deadline_is_for_all_of_it_and_not_for_each_byte(settings, monkeypatch):
    monkeypatch.setattr(server, "DEADLINE_S", 0.4)
    over = threading.Event()

    def drip(handler) -> None:
        while not over.wait(0.05):
            handler.wfile.write(b"X")

    with serving(drip) as url:
        began_s = time.monotonic()
        found = asked(settings, url)
        took_s = time.monotonic() - began_s
        over.set()
    assert found.code == "SERVER-NO-ANSWER" and took_s < 2


def test_no_proxy_of_the_environment_is_asked(settings, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    with serving(says(200)) as url:
        assert asked(settings, url).verdict is Verdict.PASS


# A running kiosk.


@pytest.fixture
def selftest(bench, monkeypatch) -> Iterator[SelfTest]:
    monkeypatch.setattr(runner, "FIRST_AFTER_S", 0.0)
    monkeypatch.setattr(runner, "EVERY_S", 0.05)
    monkeypatch.setattr(Clock, "synchronised", lambda self: True)
    store = open_store(bench.settings)
    found = SelfTest(bench, store, FakeClock())
    yield found
    found.stop()
    store.close()


def wait_until(true) -> None:
    until_s = time.monotonic() + 10
    pause = threading.Event()
    while not true():
        assert time.monotonic() < until_s
        pause.wait(0.02)


def test_a_running_kiosk_looks_again_and_again_on_a_thread_of_its_own(selftest, bench):
    selftest.start()
    wait_until(lambda: "network" in selftest.results.last())
    assert {check.name for check in CHECKS.values() if not check.active} == set(selftest.results.last())
    bench.devices["machine"].set(temperature_c=85.0)
    wait_until(lambda: selftest.results.last()["temperature"].finding.code == "MACHINE-HOT")
    selftest.stop()
    entries = Journal(selftest._store, FakeClock()).entries()
    changes = [entry.facts for entry in entries if entry.event is Event.CHECK_CHANGED]
    assert [facts["verdict"] for facts in changes if facts["check"] == "temperature"] == ["pass", "attention"]
    assert not any(thread.name == "self-test" for thread in threading.enumerate())


def test_a_database_that_fails_for_a_while_does_not_end_the_looking(selftest, monkeypatch):
    from kiosk.store.errors import StoreError

    tries = []
    record = type(selftest.results).record

    def failing_first(self, finding):
        tries.append(finding)
        if len(tries) < 3:
            raise StoreError("full")
        record(self, finding)

    monkeypatch.setattr(type(selftest.results), "record", failing_first)
    selftest.start()
    wait_until(lambda: "network" in selftest.results.last())


def test_active_checks_are_not_run_by_themselves(bench):
    assert not {finding.check for finding in run_checks(bench)} & {
        check.name for check in CHECKS.values() if check.active
    }


def test_the_report_tells_the_last_result_of_each_active_check(selftest):
    selftest.results.end(selftest.results.begin("touch"), Finding("touch", Verdict.FAIL, "TOUCH-NOT-EVERYWHERE"))
    lines = active_lines(selftest.results.last(), "Asia/Jakarta")
    assert lines[0] == "touch: fail · TOUCH-NOT-EVERYWHERE · 2026-11-24 09.00"
    assert lines[1:3] == [f"    {advice(language, 'TOUCH-NOT-EVERYWHERE')}" for language in ("id", "en")]
    assert "colours: never tested" in lines


def test_what_a_check_needs_must_be_fitted(settings):
    bench = Bench(config.changed(settings, code_scanner=None))
    assert not fitted(CHECKS["print and scan"], bench)
    assert fitted(CHECKS["print quality"], bench)


# Codes.


def test_the_table_of_codes_in_the_documentation_is_up_to_date():
    text = (ROOT / "docs" / "technician.md").read_text("utf-8")
    assert codes.with_table(text) == text, "run: python -m kiosk.selftest.codes docs/technician.md"


def test_a_text_without_marks_is_refused():
    with pytest.raises(ValueError, match="codes"):
        codes.with_table("# Nothing")
