"""The self-test: each check finds what is wrong with its part, and nothing else does."""

import json
import sqlite3
import threading
from collections import namedtuple
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest
from support.kiosk import DEMO

from config import settings as config
from config.settings import Backup
from config.translations import messages
from hardware.card_reader.virtual import VirtualCardReader
from hardware.device import DeviceState
from hardware.printer.virtual import VirtualEscposPrinter
from kiosk import cli
from kiosk.app import StateLock, check_drivers, running_devices
from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.selftest import passive
from kiosk.selftest.registry import CHECKS, Bench, Check, Finding, Verdict
from kiosk.selftest.report import active_lines, lines_of
from kiosk.selftest.runner import run_checks
from kiosk.store.opening import open_store

pytest_plugins = ["support.kiosk"]

DISK = namedtuple("DISK", "total used free")


@pytest.fixture(autouse=True)
def whatever_machine_this_is(monkeypatch):
    """A healthy one: enough room, and a clock that is kept."""
    monkeypatch.setattr(passive.shutil, "disk_usage", lambda path: DISK(9e9, 1e9, 8e9))
    monkeypatch.setattr(Clock, "synchronised", lambda self: True)


@pytest.fixture
def bench(settings, quick):
    """The virtual devices of the demo, started."""
    with running_devices(settings, DEMO, lambda event: None) as devices:
        yield Bench(settings, DEMO, check_drivers, devices)


def with_settings(bench, **changes) -> Bench:
    return replace(bench, settings=config.changed(bench.settings, **changes))


@pytest.fixture
def profile(settings, tmp_path):
    """A settings file of a demo whose printer is fast, on a copy of the tests' village."""
    text = f'state_dir = "{settings.state_dir}"\n{DEMO.read_text("utf-8")}'
    fast = '[printer.options]\nhead_mm_per_s = 20000.0\n\n[[queue.services]]\ncode = "A"'
    path = tmp_path / "kiosk.toml"
    path.write_text(text.replace('[[queue.services]]\ncode = "A"', fast), "utf-8")
    return path


def finding(bench, check) -> Finding:
    [found] = [found for found in run_checks(bench) if found.check == check]
    return found


def failed(bench) -> dict[str, str]:
    fine = (Verdict.PASS, Verdict.NOT_FITTED)
    return {found.check: found.code for found in run_checks(bench) if found.verdict not in fine}


def wait_for(bench, kind, accepts):
    status = bench.devices[kind].wait_for_status(accepts, 5)
    assert accepts(status)


def report(capsys, *arguments) -> tuple[int, list[dict]]:
    status = cli.main(["selftest", *map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_a_whole_kiosk_passes_every_check(bench):
    assert failed(bench) == {}
    checks = {found.check for found in run_checks(bench)}
    assert checks == {name for name, check in CHECKS.items() if not check.active}
    assert {"letter types", "database", "disk", "clock", "card reader", "code scanner", "printer"} <= checks


def test_a_broken_letter_type_is_named_with_its_line(bench, tmp_path):
    letters = tmp_path / "letters"
    letters.mkdir()
    source = (files("config") / "letters" / "usaha.toml").read_text("utf-8")
    (letters / "usaha.toml").write_text(source.replace("validity_days = 180", 'validity_days = "long"'), "utf-8")
    bench = with_settings(bench, letters_dir=str(letters))
    assert failed(bench) == {"letter types": "LETTERS-BROKEN"}
    assert "usaha.toml:9: validity_days" in finding(bench, "letter types").detail


def test_a_missing_folder_of_letters(bench, tmp_path):
    assert failed(with_settings(bench, letters_dir=str(tmp_path / "nothing"))) == {"letter types": "LETTERS-BROKEN"}


def test_a_database_that_is_none(bench):
    (bench.settings.state_path / "kiosk.sqlite").write_bytes(b"no database at all, and quite long enough for one" * 99)
    assert failed(bench) == {"database": "DATABASE-BROKEN", "village keys": "DATABASE-BROKEN"}


def test_a_database_with_an_index_that_does_not_fit(bench):
    """What opens well and is found by looking at all of it only."""
    with sqlite3.connect(bench.settings.state_path / "kiosk.sqlite") as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '(resident_id)', '(enrolled_at)') "
            "WHERE name = 'ix_cards_resident_id'"
        )
    database.close()
    assert failed(bench) == {"database": "DATABASE-BROKEN"}


def test_another_vault_key(bench):
    (bench.settings.state_path / "vault.key").unlink()
    assert failed(bench) == {"database": "DATABASE-BROKEN", "village keys": "DATABASE-BROKEN"}
    assert "key" in finding(bench, "database").detail


def test_a_full_disk(bench, monkeypatch):
    monkeypatch.setattr(passive.shutil, "disk_usage", lambda path: DISK(9e9, 8.9e9, 1e8))
    assert failed(bench) == {"disk": "DISK-FULL"}


def test_a_backup_that_is_missing_old_or_on_the_same_disk(bench, monkeypatch, tmp_path):
    assert finding(bench, "backup").verdict is Verdict.NOT_FITTED
    with_backups = with_settings(bench, backup=Backup(directory=str(tmp_path)))
    assert failed(with_backups) == {"backup": "BACKUP-NEVER"}
    store = open_store(bench.settings)
    Journal(store, Clock()).record(Event.BACKUP_MADE, size_bytes=1)
    store.close()
    assert failed(with_backups) == {"backup": "BACKUP-SAME-DISK"}
    other_disk = with_settings(bench, backup=Backup(directory="/dev/shm"))
    assert finding(other_disk, "backup") == Finding("backup", Verdict.PASS, detail="0 days old")
    in_three_days = Clock().now() + timedelta(days=3)
    monkeypatch.setattr(Clock, "now", lambda self: in_three_days)
    assert failed(other_disk) == {"backup": "BACKUP-OLD"}


def test_a_clock_that_nothing_keeps_is_no_failure(bench, monkeypatch):
    monkeypatch.setattr(Clock, "synchronised", lambda self: False)
    assert failed(bench) == {"clock": "CLOCK-NOT-KEPT"}
    assert finding(bench, "clock").verdict is Verdict.ATTENTION


@pytest.mark.parametrize(
    ("kind", "check", "code"),
    [
        ("card_reader", "card reader", "CARD-READER-ABSENT"),
        ("code_scanner", "code scanner", "SCANNER-ABSENT"),
        ("printer", "printer", "PRINTER-"),
    ],
)
def test_a_device_that_is_unplugged(bench, kind, check, code):
    wait_for(bench, kind, lambda status: status.serving)
    bench.devices[kind].unplug()
    if kind == "code_scanner":
        bench.devices[kind].listen(True)  # it looks when it is asked to
    wait_for(bench, kind, lambda status: status.state is DeviceState.ABSENT)
    [(name, told)] = failed(bench).items()
    assert name == check and told.startswith(code)
    assert finding(bench, check).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("happens", "code", "verdict"),
    [
        ("paper_out", "PRINTER-PAPER-OUT", Verdict.FAIL),
        ("open_cover", "PRINTER-COVER-OPEN", Verdict.FAIL),
        ("jam", "PRINTER-CUTTER", Verdict.FAIL),
        ("paper_near_end", "PRINTER-PAPER-NEAR-END", Verdict.ATTENTION),
    ],
)
def test_what_the_printer_says_of_itself(bench, happens, code, verdict):
    wait_for(bench, "printer", lambda status: status.serving)
    getattr(bench.devices["printer"].outside, happens)()
    wait_for(bench, "printer", lambda status: status.code == code)
    assert finding(bench, "printer") == Finding("printer", verdict, code, finding(bench, "printer").detail)


def test_a_device_that_never_starts_is_waited_for_and_not_for_ever(settings, monkeypatch):
    monkeypatch.setattr(passive, "DEVICE_PATIENCE_S", 0.01)
    silent = VirtualCardReader("card_reader", VirtualCardReader.Options())  # never started
    bench = Bench(settings, DEMO, check_drivers, {"card_reader": silent})
    assert finding(bench, "card reader") == Finding("card reader", Verdict.FAIL, "CARD-READER-NO-ANSWER")


def test_a_device_that_the_hall_does_not_have_is_no_failure(bench):
    assert finding(with_settings(bench, code_scanner=None), "code scanner").verdict is Verdict.NOT_FITTED


def test_a_check_that_raises_has_failed_and_the_others_go_on(bench, monkeypatch):
    def broken(bench):
        raise RuntimeError("of its own")

    monkeypatch.setitem(CHECKS, "disk", Check("disk", broken))
    assert failed(bench) == {"disk": "CHECK-BROKEN"}
    assert finding(bench, "disk").detail == "RuntimeError: of its own"


def test_the_report_says_what_to_do_in_both_languages():
    lines = lines_of([Finding("printer", Verdict.FAIL, "PRINTER-PAPER-OUT"), Finding("disk", Verdict.PASS, detail="8")])
    advice = messages()["advice_printer_paper_out"]
    assert lines == [
        "printer: fail · PRINTER-PAPER-OUT",
        f"    {advice['id']}",
        f"    {advice['en']}",
        "disk: pass · 8",
    ]


def test_on_paper_the_report_has_the_words_of_the_technicians_screen():
    lines = lines_of([Finding("printer", Verdict.FAIL, "PRINTER-PAPER-OUT")], "id")
    advice = messages()["advice_printer_paper_out"]["id"]
    assert lines == ["Mesin cetak: Gagal · PRINTER-PAPER-OUT", f"    {advice}"]
    assert active_lines({}, "Asia/Jakarta", "id")[0] == "Layar sentuh: Belum pernah diuji"


def test_an_unknown_code_gets_advice_too():
    assert "NOBODY-KNOWS" in Finding("x", Verdict.FAIL, "NOBODY-KNOWS").advice("id")


# The command.


def test_the_command_passes_and_prints_json(profile, capsys):
    status, findings = report(capsys, "--config", profile)
    assert status == 0
    assert {found["verdict"] for found in findings} <= {"pass", "not fitted"}
    assert [found["check"] for found in findings] == [name for name, check in CHECKS.items() if not check.active]


def test_the_command_fails_where_a_part_fails(profile, settings, capsys):
    (settings.state_path / "kiosk.sqlite").write_bytes(b"rubbish" * 2000)
    status, findings = report(capsys, "--config", profile)
    assert status == 1
    assert {found["code"] for found in findings if found["verdict"] == "fail"} == {"DATABASE-BROKEN"}
    assert cli.main(["selftest", "--config", str(profile)]) == 1
    assert "\ndatabase: fail · DATABASE-BROKEN · " in capsys.readouterr().out


def test_the_command_prints_its_report_on_paper(profile, capsys, monkeypatch):
    papers, stop = [], VirtualEscposPrinter.stop

    def stop_and_keep(self, timeout_s=2.0):
        papers.extend(self.outside.papers)
        stop(self, timeout_s)

    monkeypatch.setattr(VirtualEscposPrinter, "stop", stop_and_keep)
    status, findings = report(capsys, "--config", profile, "--print")
    assert (status, findings[-1]) == (0, {"check": "print", "verdict": "pass", "code": "", "detail": "printed"})
    assert len(papers) == 1


def test_beside_a_running_kiosk_its_devices_are_not_touched(profile, settings, capsys):
    before = set(threading.enumerate())
    with StateLock(settings):
        status, findings = report(capsys, "--config", profile, "--print")
    assert status == 1
    codes = {found["check"]: found["code"] for found in findings}
    assert codes["printer"] == codes["card reader"] == codes["code scanner"] == "KIOSK-RUNNING"
    assert codes["database"] == "" and "print" not in codes
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('driver = "virtual"\n\n[code_scanner]', 'driver = "magic"\n\n[code_scanner]', "magic"),
        ("[printer.options]", "[printer.options]\ncolour = true", "colour"),
        ('profile = "virtual-80mm"', 'profile = "nowhere"', "nowhere"),
        ('profile = "demo"', 'profile = "production"', "virtual"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_one_line(profile, capsys, old, new, told):
    text = profile.read_text("utf-8")
    assert text.count(old) == 1
    profile.write_text(text.replace(old, new), "utf-8")
    before = set(threading.enumerate())
    assert cli.main(["selftest", "--config", str(profile)]) == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.count("\n") == 1 and told in output.err
    assert set(threading.enumerate()) == before


def test_a_state_directory_that_cannot_be_used_is_told_in_one_line(profile, settings, capsys):
    text = profile.read_text("utf-8")
    profile.write_text(text.replace(settings.state_dir, str(profile)), "utf-8")
    assert cli.main(["selftest", "--config", str(profile)]) == 2
    output = capsys.readouterr()
    assert output.err.count("\n") == 1 and str(profile) in output.err


def test_no_settings_at_all(tmp_path, capsys):
    assert cli.main(["selftest", "--config", str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err
