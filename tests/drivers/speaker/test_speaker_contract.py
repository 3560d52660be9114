"""What every speaker promises, held by every driver through its real stack."""

import threading
import time
from pathlib import Path

import msgspec
import pytest

from hardware.device import DeviceState
from hardware.speaker.interface import LANGUAGES, Beep

#: About a minute and a half.
LONG = "Silakan ambil nomor antrean Anda dan tunggu sampai nomor itu dipanggil. " * 20


def players() -> set[str]:
    """The driver's programs that run below this process."""
    children = " ".join(file.read_text() for file in Path("/proc/self/task").glob("*/children")).split()
    names = {child: Path("/proc", child, "comm") for child in children}
    return {name.read_text().strip() for name in names.values() if name.exists()} & {"aplay", "espeak-ng"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_says_what_it_is_told_without_keeping_the_caller(rig, language):
    rig.start()
    began_s = time.monotonic()
    rig.speaker.say("Selamat datang di balai desa", language)
    assert time.monotonic() - began_s < 0.1
    assert 0.8 < rig.listen_to_end() < 5


def test_hush_is_silence_at_once(rig):
    rig.start()
    rig.speaker.say(LONG, "id")
    assert rig.hears_something()
    began_s = time.monotonic()
    rig.speaker.hush()
    assert time.monotonic() - began_s < 0.1
    assert rig.listen_to_end_of_rest() < 5
    assert time.monotonic() - began_s < 1


def test_the_newer_speech_cuts_the_older_off(rig):
    rig.start()
    rig.speaker.say(LONG, "id")
    assert rig.hears_something()
    rig.speaker.say("Silakan", "id")
    assert rig.listen_to_end_of_rest() < 5
    assert rig.listen_to_end() < 3


def test_of_two_speeches_at_once_only_the_second_is_whole(rig):
    rig.start()
    rig.speaker.say(LONG, "id")
    rig.speaker.say("Silakan", "id")
    assert rig.listen_to_end() < 3


def test_nothing_to_say_is_silence(rig):
    rig.start()
    rig.speaker.say(LONG, "id")
    assert rig.hears_something()
    rig.speaker.say(" \n", "id")
    assert rig.listen_to_end_of_rest() < 5


@pytest.mark.parametrize("kind", Beep)
def test_a_beep_is_short(rig, kind):
    rig.start()
    rig.speaker.beep(kind)
    assert 0.1 < rig.listen_to_end() < 1.5


def test_the_volume_has_its_range_and_its_usual_value(rig):
    usual = rig.speaker.volume
    for volume in (0, 100):
        rig.speaker.volume = volume
        assert rig.speaker.volume == volume
    for volume in (-1, 101):
        with pytest.raises(ValueError, match="0 to 100"):
            rig.speaker.volume = volume
    rig.speaker.reset_volume()
    assert rig.speaker.volume == usual


def test_a_language_that_nobody_speaks_is_refused(rig):
    rig.start()
    with pytest.raises(ValueError, match="'su' is none of the languages id, jv, en"):
        rig.speaker.say("Wilujeng sumping", "su")


def test_unplugged_and_back(rig):
    rig.start()
    rig.unplug()
    assert rig.events.status(DeviceState.ABSENT).status.code == "SPEAKER-ABSENT"
    rig.plug()
    rig.wait_until_ready()
    rig.speaker.say("Silakan", "id")
    assert rig.listen_to_end() < 3


def test_what_is_said_to_one_that_is_absent_is_not_said_later(rig):
    rig.unplug()
    rig.speaker.start(rig.events.post)
    rig.events.status(DeviceState.ABSENT)
    rig.speaker.say(LONG, "id")
    rig.plug()
    rig.wait_until_ready()
    assert rig.hears_nothing()
    rig.speaker.say("Silakan", "id")
    assert rig.listen_to_end() < 3


@pytest.mark.parametrize("speaking", [False, True], ids=["idle", "speaking"])
def test_stops_promptly_and_leaves_neither_thread_nor_program(rig, speaking):
    before = set(threading.enumerate())
    rig.start()
    own = set(threading.enumerate()) - before
    assert len(own) == 1
    if speaking:
        rig.speaker.say(LONG, "id")
        assert rig.hears_something()
    began_s = time.monotonic()
    rig.speaker.stop()
    assert time.monotonic() - began_s < 0.5
    assert not any(thread.is_alive() for thread in own)
    assert players() == set()


def test_stops_promptly_while_unplugged(rig):
    rig.start()
    rig.unplug()
    rig.events.status(DeviceState.ABSENT)
    began_s = time.monotonic()
    rig.speaker.stop()
    assert time.monotonic() - began_s < 0.5


def test_refuses_an_unknown_option_and_a_volume_out_of_range(rig):
    options = msgspec.to_builtins(rig.speaker.options)
    assert msgspec.convert(options, type(rig.speaker).Options) == rig.speaker.options
    for wrong in ({"volme": 5}, {"volume": 101}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(options | wrong, type(rig.speaker).Options)
