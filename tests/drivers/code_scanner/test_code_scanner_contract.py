"""What every code scanner promises, held by every driver through its real stack."""

import threading
import time

import msgspec
import pytest

from hardware.code_scanner.interface import SAME_SHOWING_S, CodeScanned
from hardware.device import DeviceState

LETTER = b"HTTPS://DESA.EXAMPLE/V/6BFOXN*TS0BI$ZD-PHQ7I9AD66V5B22CH9M9ESI9XBHXK-%69LQOGI.*V76GCV4*XUA2P-FHT"
OTHER = b"HTTPS://DESA.EXAMPLE/V/NCFK60DG0/3WUWGSLKH47GO0Y%5S.PK%96L79CK-500XK0JCV496F3PYJ"


def test_reads_a_code(rig):
    rig.start()
    rig.scanner.listen(True)
    rig.show(LETTER)
    assert rig.events.next_reading() == CodeScanned(rig.scanner.name, LETTER)


def test_tells_the_same_showing_once(rig):
    rig.start()
    rig.scanner.listen(True)
    for payload in (LETTER, LETTER, OTHER):
        rig.show(payload)
        rig.settle()
    assert rig.events.next_reading().payload == LETTER
    assert rig.events.next_reading().payload == OTHER


def test_tells_a_code_that_comes_back_after_a_while_again(rig):
    rig.start()
    rig.scanner.listen(True)
    rig.show(LETTER)
    first = rig.events.next_reading()
    rig.show_nothing()
    threading.Event().wait(SAME_SHOWING_S + 0.3)  # the time itself is what is tested
    rig.show(LETTER)
    assert rig.events.next_reading() == first


def test_a_new_listening_knows_nothing_of_the_last(rig):
    rig.start()
    for _ in range(2):
        rig.scanner.listen(True)
        rig.show(LETTER)
        assert rig.events.next_reading().payload == LETTER
        rig.scanner.listen(False)


def test_what_is_shown_to_one_who_does_not_listen_is_never_told(rig):
    rig.start()
    rig.show_unheard(LETTER)
    rig.show_nothing()
    rig.scanner.listen(True)
    rig.show(OTHER)
    assert rig.events.next_reading().payload == OTHER


def test_listening_may_be_asked_for_before_the_start(rig):
    rig.scanner.listen(True)
    rig.start()
    rig.show(LETTER)
    assert rig.events.next_reading().payload == LETTER


def test_unplugged_and_back(rig):
    rig.start()
    rig.scanner.listen(True)
    rig.show(LETTER)
    rig.events.next_reading()
    rig.unplug()
    assert rig.events.status(DeviceState.ABSENT).status.code == "SCANNER-ABSENT"
    rig.plug()
    rig.events.status(DeviceState.READY)
    rig.show(OTHER)
    assert rig.events.next_reading().payload == OTHER


def test_absent_from_the_start(rig):
    rig.unplug()
    rig.scanner.start(rig.events.post)
    rig.events.status(DeviceState.ABSENT)
    rig.plug()
    rig.events.status(DeviceState.READY)


@pytest.mark.parametrize("listening", [False, True], ids=["idle", "listening"])
def test_stops_promptly_and_leaves_no_thread(rig, listening):
    before = set(threading.enumerate())
    rig.start()
    rig.scanner.listen(listening)
    own = set(threading.enumerate()) - before
    assert len(own) == 1
    began_s = time.monotonic()
    rig.scanner.stop()
    assert time.monotonic() - began_s < 0.5
    assert not any(thread.is_alive() for thread in own)


def test_stops_promptly_while_unplugged(rig):
    rig.start()
    rig.scanner.listen(True)
    rig.unplug()
    rig.events.status(DeviceState.ABSENT)
    began_s = time.monotonic()
    rig.scanner.stop()
    assert time.monotonic() - began_s < 0.5


def test_events_show_no_payload_when_printed(rig):
    rig.start()
    rig.scanner.listen(True)
    rig.show(LETTER)
    assert "DESA" not in repr(rig.events.next_reading())


def test_refuses_an_unknown_option(rig):
    options = msgspec.to_builtins(rig.scanner.options)
    assert msgspec.convert(options, type(rig.scanner).Options) == rig.scanner.options
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options | {"sourec": "/dev/video1"}, type(rig.scanner).Options)
