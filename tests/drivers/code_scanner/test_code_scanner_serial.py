"""The serial scanner against the far end of a real pseudo-terminal."""

import threading

import pytest

from hardware.code_scanner.interface import LONGEST_PAYLOAD, SAME_SHOWING_S, CodeScanned, CodeUnreadable
from hardware.code_scanner.listening import MOST_SHOWN
from hardware.code_scanner.serial_port import SerialScanner
from hardware.device import DeviceState, Status


@pytest.fixture
def line(serial_line):
    serial_line.start()
    serial_line.scanner.listen(True)
    return serial_line


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"], ids=["cr", "lf", "crlf"])
def test_any_line_end_ends_a_code(line, end):
    line.send(b"ONE" + end + b"TWO" + end)
    assert [line.events.next_reading().payload for _ in range(2)] == [b"ONE", b"TWO"]


def test_half_a_code_is_told_and_the_next_one_is_read(line):
    line.send(b"HALF A LET")
    assert line.events.next_reading() == CodeUnreadable("serial", "SCANNER-HALF-CODE")
    line.send(b"WHOLE\r")
    assert line.events.next_reading() == CodeScanned("serial", b"WHOLE")


def test_four_kilobytes_are_told_once_and_the_next_code_is_read(line):
    line.send(b"A" * 4096 + b"\rWHOLE\r")
    assert line.events.next_reading() == CodeUnreadable("serial", "SCANNER-TOO-LONG")
    assert line.events.next_reading() == CodeScanned("serial", b"WHOLE")


def test_four_kilobytes_without_an_end_do_not_swallow_the_next_code(line):
    line.send(b"A" * 4096)
    assert line.events.next_reading() == CodeUnreadable("serial", "SCANNER-TOO-LONG")
    line.wait_for_silence()
    line.send(b"WHOLE\r")
    assert line.events.next_reading() == CodeScanned("serial", b"WHOLE")


def test_a_flood_of_different_codes_is_told_as_no_more_than_a_hand_can_show(line):
    for number in range(2000):
        line.send(b"%d\r" % number)
    line.wait_for_silence()
    told = [line.events.next_reading().payload for _ in range(MOST_SHOWN)]
    assert told == [b"%d" % number for number in range(MOST_SHOWN)]
    threading.Event().wait(SAME_SHOWING_S)  # the time itself is what is tested
    line.send(b"AFTER THE FLOOD\r")
    assert line.events.next_reading() == CodeScanned("serial", b"AFTER THE FLOOD")


def test_the_longest_code_is_read(line):
    line.send(b"A" * LONGEST_PAYLOAD + b"\r")
    assert line.events.next_reading().payload == b"A" * LONGEST_PAYLOAD


def test_binary_junk_comes_through_as_it_is(line):
    junk = bytes(byte for byte in range(256) if byte not in b"\r\n")  # XON, XOFF, NUL, interrupt and end of file too
    line.send(junk + b"\n")
    assert line.events.next_reading().payload == junk


def test_a_code_that_began_before_listening_is_dropped_whole(serial_line):
    line = serial_line.start()
    line.send(b"BEGUN BEFORE")
    line.wait_for_bytes_of_a_code()
    line.scanner.listen(True)
    line.send(b" AND ENDED AFTER\rWHOLE\r")
    assert line.events.next_reading() == CodeScanned("serial", b"WHOLE")


def test_a_code_that_the_unplugging_tore_is_not_joined_to_the_next(line):
    line.send(b"TORN")
    line.wait_for_bytes_of_a_code()
    line.unplug()
    line.events.status(DeviceState.ABSENT)
    line.plug()
    line.events.status(DeviceState.READY)
    line.send(b"WHOLE\r")
    assert line.events.next_reading() == CodeScanned("serial", b"WHOLE")


def test_a_port_held_by_another_scanner_is_not_shared(line):
    second = SerialScanner("second", line.scanner.options)
    events = type(line.events)()
    second.start(events.post)
    try:
        assert events.status(DeviceState.ABSENT).status == Status(
            DeviceState.ABSENT, "SCANNER-ABSENT", line.scanner.options.port
        )
    finally:
        second.stop()
