"""What breaks, breaks alone: the kiosk says so in plain words, keeps what was confirmed, and serves on."""

import os
import re
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date

import pytest
from support.running_kiosk import DEMO_PROFILE, ENDED_WITHIN_S, PATIENCE_S, RunningKiosk, changed_profile, command

from config.translations import say
from hardware.printer.interpreter import Parser, Pulse
from kiosk import demo
from kiosk.clock import Clock
from kiosk.demo import village
from kiosk.devices import Devices
from kiosk.office import Office
from kiosk.residents import Residents

STOPPED_WITHIN_S = 8.0
WITHIN_S = 30.0


def wait_for_device(kiosk: RunningKiosk, name: str, *states: str) -> None:
    kiosk.wait_until(lambda: kiosk.do("state")["devices"][name]["state"] in states, f"the {name} is not {states}")


# Devices.


def test_the_ticket_comes_by_itself_after_a_refill_in_the_middle_of_it(demo_kiosk):
    demo_kiosk.start().do("fail-at-row", "150")
    demo_kiosk.touch("start", "queue", "A")
    demo_kiosk.see("without")
    assert "PRINTER-PAPER-OUT" in demo_kiosk.read()
    assert say("id", "printer_paper_out") in demo_kiosk.read()
    assert demo_kiosk.papers() == 0
    demo_kiosk.do("refill")
    demo_kiosk.see("view:result")
    assert say("id", "take_your_ticket") in demo_kiosk.read()
    assert demo_kiosk.papers() == 2  # the half ticket, voided, and the ticket
    assert demo_kiosk.do("state")["errors"] == []
    assert demo_kiosk.rows("SELECT state, printing FROM print_jobs WHERE kind = 'ticket'") == [("printed", 1)]
    assert "ERROR" not in demo_kiosk.log


def test_a_number_is_given_without_a_printer(demo_kiosk):
    demo_kiosk.start().do("unplug", "printer")
    demo_kiosk.wait_until(lambda: say("id", "printer_away_today") in demo_kiosk.read(), "the idle screen is silent")
    demo_kiosk.touch("start", "queue", "A")
    demo_kiosk.see("without")
    assert say("id", "printer_fault") in demo_kiosk.read()
    demo_kiosk.touch("without")
    demo_kiosk.see("view:result")
    assert say("id", "remember_your_number") in demo_kiosk.read()
    assert "A-001" in demo_kiosk.do("read")
    demo_kiosk.touch("done", "start")
    demo_kiosk.see("letter")
    assert demo_kiosk.rows("SELECT service_code, serial FROM tickets") == [("A", 1)]
    demo_kiosk.do("plug", "printer")
    wait_for_device(demo_kiosk, "printer", "ready")
    demo_kiosk.touch("queue", "A")
    demo_kiosk.see("view:result")
    assert "A-002" in demo_kiosk.do("read")
    assert demo_kiosk.papers() == 1  # nobody waits for the first ticket any more


def test_without_a_scanner_the_check_is_greyed(demo_kiosk):
    demo_kiosk.start().do("unplug", "scanner")
    wait_for_device(demo_kiosk, "scanner", "absent")
    demo_kiosk.touch("start")
    demo_kiosk.see("check")
    assert say("id", "scanner_away_today") in demo_kiosk.read()
    demo_kiosk.touch("check", "queue")  # the first does nothing: the second is still there
    demo_kiosk.see("A")


def test_a_scanner_that_goes_away_during_a_check_is_told(demo_kiosk):
    demo_kiosk.start().touch("start", "check")
    demo_kiosk.see("view:scan")
    demo_kiosk.do("unplug", "scanner")
    demo_kiosk.wait_until(lambda: say("id", "scanner_away_today") in demo_kiosk.read(), "the scan screen is silent")


def test_without_a_reader_the_nik_is_asked_for(demo_kiosk):
    nik = next(person["nik"] for person in village.demo_residents() if person["name"] == "SUMARNI")
    demo_kiosk.start().do("unplug", "reader")
    demo_kiosk.wait_until(lambda: say("id", "card_reader_away_today") in demo_kiosk.read(), "the idle screen is silent")
    demo_kiosk.touch("start", "letter")
    demo_kiosk.see("view:keypad")
    assert say("id", "enter_nik") in demo_kiosk.read()
    demo_kiosk.do("type", str(nik))
    demo_kiosk.wait_until(lambda: say("id", "enter_pin") in demo_kiosk.read(), "no PIN is asked for")
    demo_kiosk.type_pin()
    demo_kiosk.see("domisili")
    assert str(nik) not in demo_kiosk.log


# What strangers bring.

JUNK = {
    "4 kB": ("X" * 4096, "code_not_read"),
    "4 kB of ours": ("HTTPS://CEK.SOCOREJO.DESA.ID/S/" + "A" * 4096, "code_not_read"),
    "as long as a code can be": ("HTTPS://CEK.SOCOREJO.DESA.ID/S/" + "A" * 2900, "code_damaged"),
    "binary": ("\x00\x1b@\udcff\udcfe\x7f" * 40, "code_not_from_here"),
    "ours, torn": ("HTTPS://CEK.SOCOREJO.DESA.ID/S/6BF", "code_damaged"),
    "ours, binary": ("HTTPS://CEK.SOCOREJO.DESA.ID/S/\udcff\x00", "code_damaged"),
}


def test_junk_before_the_scanner_is_told_and_harms_nothing(demo_kiosk):
    demo_kiosk.start()
    for name, (junk, told) in JUNK.items():
        demo_kiosk.touch("start", "check")
        demo_kiosk.see("view:scan")
        demo_kiosk.do("show-qr", junk)
        demo_kiosk.wait_until(lambda told=told: say("id", told) in demo_kiosk.read(), f"{told} is not said of {name}")
        demo_kiosk.touch("bar:leave" if told == "code_not_read" else "done")
        demo_kiosk.see("start")
    assert "ERROR" not in demo_kiosk.log
    assert "XXXX" not in demo_kiosk.log and "6BF" not in demo_kiosk.log


WICKED = "SITI \x1b@\x1bp\x00\x19\xfa\x10\x14\x01\x00\x01\x1dV\x00\x1d(A\x02\x00\x00\x02 AMINAH"


def test_control_bytes_in_a_name_are_no_commands(kiosk, printer):
    kiosk.start()
    settings, _ = demo.settings_of(kiosk.state)
    office = Office.open(settings, Clock(), Devices(), printer=None, post=lambda event: None)
    try:
        settle(office.residents, WICKED)
    finally:
        office.close()
    kiosk.do("tap", "nobody")
    kiosk.type_pin()
    kiosk.do("take-card")
    kiosk.touch("domisili", "suggestion:Melamar pekerjaan", "send")
    kiosk.see("view:result")
    kiosk.touch("done")
    ((number,),) = kiosk.rows("SELECT number FROM letter_requests WHERE state = 'submitted'")
    kiosk.sign(number)
    kiosk.see("start")
    kiosk.do("tap", "nobody")
    kiosk.type_pin()
    kiosk.do("take-card")
    kiosk.touch("continue", number, "print")
    slip, copy = printer.wait_for_paper(2, WITHIN_S)
    assert printer.errors == []
    assert (slip.pulses, slip.unknown, copy.pulses, copy.unknown) == (0, (), 0, ())
    assert printer.hanging.image.height == 0
    assert "ERROR" not in kiosk.log


def settle(residents: Residents, name: str) -> None:
    """Somebody of that name who has the card that nobody had."""
    person = {**village.demo_residents()[0], "nik": "3523124107900077", "name": name}
    residents.add(person)
    residents.set_pin("3523124107900077", village.DEMO_PIN)
    residents.enrol_card("3523124107900077", village.DEMO_CARDS["nobody"])


def test_the_interpreter_would_have_seen_a_pulse():
    assert any(isinstance(operation, Pulse) for operation in Parser(576).feed(WICKED.encode("latin-1")))


# The machine.


def test_a_broken_database_is_told_and_kept(demo_kiosk):
    broken = b"This is no database. " * 400
    demo_kiosk.state.mkdir()
    database = demo_kiosk.state / "kiosk.sqlite"
    database.write_bytes(broken)
    demo_kiosk.start(serves="view:notice")
    assert say("id", "out_of_order") in demo_kiosk.read()
    assert "DATABASE-BROKEN" in demo_kiosk.read()
    demo_kiosk.wait_until(lambda: "ERROR" in demo_kiosk.log, "the log is silent")
    (told,) = re.findall(r"ERROR .*", demo_kiosk.log)
    assert str(database) in told and "file is not a database" in told
    demo_kiosk.do("tap", "siti")
    assert demo_kiosk.do("screen")[0] == "view:notice"
    assert demo_kiosk.stop() == 0
    assert database.read_bytes() == broken


def test_numbering_goes_on_where_the_clock_was_set_back(demo_kiosk):
    """As if the kiosk had worked on a day that the clock now says is still to come."""
    demo_kiosk.start().touch("start", "queue", "A")
    demo_kiosk.see("view:result")
    assert demo_kiosk.stop() == 0
    move_to_tomorrow(demo_kiosk)
    demo_kiosk.start().touch("start", "queue", "A")
    demo_kiosk.see("view:result")
    assert "A-002" in demo_kiosk.do("read")
    days = [date.fromisoformat(day) for (day,) in demo_kiosk.rows("SELECT DISTINCT business_day FROM tickets")]
    assert len(days) == 1


def move_to_tomorrow(kiosk: RunningKiosk) -> None:
    with closing(sqlite3.connect(kiosk.state / "kiosk.sqlite")) as database, database:
        ((day, tomorrow),) = database.execute("SELECT day, date(day, '+1 day') FROM business_day").fetchall()
        database.execute("UPDATE business_day SET day = ?", (tomorrow,))
        database.execute("UPDATE tickets SET business_day = ?", (tomorrow,))
        database.execute("UPDATE counters SET name = replace(name, ?, ?)", (day, tomorrow))


@pytest.fixture
def service_manager(tmp_path_factory) -> Iterator[socket.socket]:
    """What a service says to systemd (sd_notify(3)); its address is what NOTIFY_SOCKET is to name."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(b"\0anjungan-desa-test-%d" % os.getpid())
        listener.settimeout(WITHIN_S)
        yield listener


def has_opened_its_database(kiosk: RunningKiosk) -> bool:
    try:
        return bool(kiosk.rows("SELECT 1 FROM installation"))
    except sqlite3.OperationalError:
        return False


def test_a_hall_s_kiosk_has_no_bench_and_ends_also_while_it_opens(tmp_path, make_kiosk, service_manager):
    kiosk = make_kiosk(environment={"NOTIFY_SOCKET": service_manager.getsockname().decode().replace("\0", "@")})
    path = changed_profile(
        tmp_path / "kiosk.toml",
        ('kiosk_id = "kiosk-1"', f'kiosk_id = "kiosk-1"\nstate_dir = "{kiosk.state}"'),
        ('video_driver = "KMSDRM"', 'video_driver = "offscreen"\nfullscreen = false'),
        profile=DEMO_PROFILE.with_name("production.toml"),
    )
    kiosk.launch("run", "--config", str(path))
    while b"READY=1" not in service_manager.recv(4096):
        pass
    kiosk.process.terminate()  # the first frame is there, and the devices are not
    assert kiosk.process.wait(STOPPED_WITHIN_S) == 0
    assert "Traceback" not in kiosk.log

    kiosk.launch("run", "--config", str(path))
    kiosk.wait_until(lambda: has_opened_its_database(kiosk), "its database is not opened")
    assert not (kiosk.state / "bench.sock").exists()
    assert kiosk.stop() == 0
    assert "Traceback" not in kiosk.log


def test_sigterm_ends_it_in_time_whatever_it_is_doing(demo_kiosk):
    demo_kiosk.start().touch("start", "letter")
    demo_kiosk.see("nik")
    with demo_kiosk.bench.subscribe() as events:
        waiting = iter(events)
        next(waiting)
        demo_kiosk.process.terminate()
        assert demo_kiosk.process.wait(STOPPED_WITHIN_S) == 0
        for _ in waiting:  # ends, and does not hang
            pass
    assert not (demo_kiosk.state / "bench.sock").exists()
    assert "Traceback" not in demo_kiosk.log


def test_sigterm_ends_it_with_somebody_waiting_at_its_bench(demo_kiosk):
    demo_kiosk.start()
    refused: list[str] = []

    def wait() -> None:
        try:
            demo_kiosk.do("wait-screen", "never", PATIENCE_S)
        except Exception as error:
            refused.append(str(error))

    waiter = threading.Thread(target=wait)
    waiter.start()
    assert demo_kiosk.do("wait-screen", "start")
    demo_kiosk.process.terminate()
    assert demo_kiosk.process.wait(STOPPED_WITHIN_S) == 0
    waiter.join(ENDED_WITHIN_S)
    assert len(refused) == 1 and not waiter.is_alive()


def test_a_second_kiosk_on_the_same_state_is_refused(demo_kiosk):
    demo_kiosk.start()
    second = command("demo", "--offscreen", "--state", demo_kiosk.state)
    assert second.returncode == 2
    assert f"another kiosk runs in {demo_kiosk.state}" in second.stderr
    assert "Traceback" not in second.stderr
    demo_kiosk.touch("start")
    demo_kiosk.see("queue")


# Settings.


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('kiosk_id = "demo"', 'kiosk_id = "demo"\nkiosk_name = "x"'), r":4: kiosk_name: no such key"),
        (("width_px = 1080", 'width_px = "wide"'), r":\d+: screen\.width_px: "),
        (('driver = "virtual"\nprofile', 'driver = "laser"\nprofile'), r"printer\.driver: .*laser"),
        (('profile = "virtual-80mm"', 'profile = "virtual-90mm"'), r"printer\.profile: .*virtual-90mm"),
        (('code = "A"', 'code = "A'), r"is not TOML: "),
    ],
)
def test_a_wrong_setting_is_named_and_refused(tmp_path, change, told):
    path = changed_profile(tmp_path / "kiosk.toml", change)
    refused = command("demo", "--offscreen", "--state", tmp_path / "state", "--config", path)
    assert refused.returncode == 2
    assert re.search(re.escape(str(path)) + r".*" + told, refused.stderr), refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00junk"])
def test_unreadable_settings_are_refused(tmp_path, content):
    path = tmp_path / "kiosk.toml"
    if content is not None:
        path.write_bytes(content)
    for refused in (command("run", "--config", path), command("config", "check", path)):
        assert refused.returncode == 2
        assert str(path) in refused.stderr and "Traceback" not in refused.stderr


def test_production_refuses_virtual_devices(tmp_path):
    path = changed_profile(
        tmp_path / "kiosk.toml",
        ('profile = "demo"', f'profile = "production"\nstate_dir = "{tmp_path / "state"}"'),
        ('video_driver = "x11"', 'video_driver = "offscreen"'),
        profile=DEMO_PROFILE,
    )
    refused = command("run", "--config", path)
    assert refused.returncode == 2
    assert re.search(rf"{re.escape(str(path))}.*card_reader\.driver: 'virtual' is virtual", refused.stderr)
    assert command("config", "check", path).returncode == 1
