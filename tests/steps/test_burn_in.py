"""The burn-in: every device is worked, counted and summed up, and nothing is left half done."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.kiosk import DEMO

from hardware.card_reader.interface import Card, CardKind
from hardware.device import DeviceState
from kiosk import burn_in, cli
from kiosk.app import StateLock, running_devices
from kiosk.burn_in import BurnIn

pytest_plugins = ["support.kiosk"]

ROOT = Path(__file__).parents[2]
CARD = Card(bytes.fromhex("04a1b2c3d4e5ff"), CardKind.UNKNOWN)


@pytest.fixture
def profile(settings, tmp_path):
    """A settings file of a demo whose printer is fast."""
    text = f'state_dir = "{settings.state_dir}"\n{DEMO.read_text("utf-8")}'
    fast = '[printer.options]\nhead_mm_per_s = 20000.0\n\n[[queue.services]]\ncode = "A"'
    path = tmp_path / "kiosk.toml"
    path.write_text(text.replace('[[queue.services]]\ncode = "A"', fast), "utf-8")
    return path


@pytest.fixture
def worked(profile, monkeypatch):
    """A burn-in that runs in a thread until it is told to stop: `work(meanwhile)` gives its sum."""
    from config import settings as config

    monkeypatch.setattr(burn_in, "SLIP_EVERY_S", 0.05)

    def work(meanwhile):
        settings = config.load(profile)
        stopping = threading.Event()
        burning = BurnIn(settings, stopping)
        sums = []
        with running_devices(settings, profile, burning.sink) as devices:
            for device in devices.values():
                assert device.wait_for_status(lambda status: status.serving, 10).serving
            thread = threading.Thread(target=lambda: sums.append(burning.run(devices, 60)))
            thread.start()
            try:
                meanwhile(devices, burning._sum)
            finally:
                stopping.set()
                burning.sink(None)
                thread.join(10)
        return sums[0]

    return work


def wait_until(true) -> None:
    pause = threading.Event()
    for _ in range(500):
        if true():
            return
        pause.wait(0.02)
    raise AssertionError("it did not come true")


def test_everything_is_counted_and_timed(worked):
    def meanwhile(devices, total):
        wait_until(lambda: total.counts["slips"] >= 2)
        devices["card_reader"].tap(CARD)
        devices["code_scanner"].show(b"HELLO")
        wait_until(lambda: total.counts["cards"] and total.counts["codes"])
        wait_until(lambda: devices["speaker"].spoken)
        wait_until(lambda: total.counts["sheets"])

    total = worked(meanwhile)
    told = total.as_json()
    assert told["counts"]["slips"] >= 2 and told["counts"]["cards"] == told["counts"]["codes"] == 1
    assert told["counts"]["sentences"] >= 1 and told["counts"]["sheets"] == 1
    assert told["failures"] == {} and told["hottest_c"] == 48.0
    assert 0 < told["median_s"]["printing a slip"] < 5
    assert {"printer until it serves", "card_reader until it serves"} <= told["median_s"].keys()
    assert "cards: 1" in total.lines() and "hottest: 48 °C" in total.lines()


def test_what_fails_is_counted_with_its_code(worked):
    def meanwhile(devices, total):
        devices["card_reader"].present_unreadable("CARD-MUTE")
        wait_until(lambda: total.codes["CARD-MUTE"])
        devices["printer"].outside.paper_out()
        wait_until(lambda: total.codes["PRINTER-PAPER-OUT"])
        devices["speaker"].unplug()
        wait_until(lambda: total.codes["SPEAKER-ABSENT"])

    total = worked(meanwhile)
    assert total.failures["cards"] == 1 and total.failures["speaker out of service"] >= 1
    assert any(line.startswith("cards: 1 FAILED") for line in total.lines())


def test_a_device_that_comes_back_is_timed(worked):
    def meanwhile(devices, total):
        devices["speaker"].unplug()
        devices["speaker"].wait_for_status(lambda status: status.state is DeviceState.ABSENT, 5)
        wait_until(lambda: total.codes["SPEAKER-ABSENT"])
        devices["speaker"].plug()
        wait_until(lambda: len(total.latencies_s.get("speaker until it serves", [])) == 2)

    assert worked(meanwhile).failures["speaker out of service"] >= 1


# The command.


def test_the_command_ends_by_itself_and_sums_up(profile, capsys, monkeypatch):
    monkeypatch.setattr(burn_in, "SLIP_EVERY_S", 0.2)
    assert cli.main(["burn-in", "--config", str(profile), "--minutes", "0.02", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["slips"] >= 1 and told["ran_s"] < 10
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_beside_a_kiosk_it_refuses(profile, settings, capsys):
    with StateLock(settings):
        assert cli.main(["burn-in", "--config", str(profile), "--minutes", "1"]) == 2
    assert "another kiosk runs" in capsys.readouterr().err


def test_settings_that_cannot_be_used_are_refused(profile, capsys):
    profile.write_text(profile.read_text("utf-8").replace("virtual-80mm", "nowhere"), "utf-8")
    assert cli.main(["burn-in", "--config", str(profile), "--minutes", "1"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_ctrl_c_ends_it_with_its_sum(profile):
    process = subprocess.Popen(
        [sys.executable, "-m", "kiosk", "--verbose", "burn-in", "--config", str(profile), "--minutes", "5"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        for line in process.stderr:
            if "slip 1: printed" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert "ran for" in out and "slips: 1\n" in out, err
    assert process.returncode == 0
