"""The scanner that types, on a model of the kernel's event device. What every scanner promises is in the contract."""

import errno

import pytest
from support.evdev import EV_SYN, REPORT, SYN_DROPPED, Bystander, stroke, typed

from hardware.code_scanner.evdev import EvdevScanner
from hardware.code_scanner.interface import LONGEST_PAYLOAD, CodeScanned, CodeUnreadable
from hardware.device import DeviceState, Status

KEY_TAB = 15


@pytest.fixture
def listening(keyboard):
    keyboard.start()
    keyboard.scanner.listen(True)
    return keyboard


def test_every_character_comes_as_it_was_typed(listening):
    payload = "".join(map(chr, range(32, 127)))
    listening.send(typed(payload + "\n"))
    assert listening.events.next_reading() == CodeScanned("evdev", payload.encode())


def test_half_a_code_is_told_and_the_next_one_is_read(listening):
    listening.send(typed("HALF A LET"))
    assert listening.events.next_reading() == CodeUnreadable("evdev", "SCANNER-HALF-CODE")
    listening.send(typed("WHOLE\n"))
    assert listening.events.next_reading() == CodeScanned("evdev", b"WHOLE")


def test_the_longest_code_is_read_and_a_longer_one_told_once(listening):
    listening.send(typed("A" * LONGEST_PAYLOAD + "\n"))
    assert listening.events.next_reading() == CodeScanned("evdev", b"A" * LONGEST_PAYLOAD)
    listening.send(typed("A" * (LONGEST_PAYLOAD + 1) + "\nWHOLE\n"))
    assert listening.events.next_reading() == CodeUnreadable("evdev", "SCANNER-TOO-LONG")
    assert listening.events.next_reading() == CodeScanned("evdev", b"WHOLE")


def test_a_code_of_which_keys_were_lost_is_discarded(listening):
    listening.send([*typed("BEG"), (EV_SYN, SYN_DROPPED, 0), *typed("I"), REPORT, *typed("N\nWHOLE\n")])
    assert listening.events.next_reading() == CodeUnreadable("evdev", "SCANNER-OVERRUN")
    assert listening.events.next_reading() == CodeScanned("evdev", b"WHOLE")


def test_a_key_that_is_no_character_is_a_matter_of_the_layout(listening):
    listening.send([*typed("A"), *stroke(KEY_TAB), *typed("B\n")])
    assert listening.events.next_reading() == CodeUnreadable("evdev", "SCANNER-LAYOUT")


def test_a_code_that_began_before_listening_is_dropped_whole(keyboard):
    keyboard.start()
    keyboard.send(typed("BEGUN BEFORE"))
    keyboard.wait_for_keys_of_a_code()
    keyboard.scanner.listen(True)
    keyboard.send(typed(" AND ENDED AFTER\nWHOLE\n"))
    assert keyboard.events.next_reading() == CodeScanned("evdev", b"WHOLE")


def test_a_code_that_the_unplugging_tore_is_not_joined_to_the_next(listening):
    listening.send(typed("TORN"))
    listening.wait_for_keys_of_a_code()
    listening.unplug()
    listening.events.status(DeviceState.ABSENT)
    listening.plug()
    listening.events.status(DeviceState.READY)
    listening.send(typed("WHOLE\n"))
    assert listening.events.next_reading() == CodeScanned("evdev", b"WHOLE")


@pytest.mark.parametrize("listens", [False, True])
def test_nobody_else_hears_the_keys_also_while_it_does_not_listen(keyboard, listens):
    keyboard.start()
    keyboard.scanner.listen(listens)
    bystander = Bystander(keyboard.kernel)
    keyboard.send(typed("SECRET"))
    keyboard.wait_for_keys_of_a_code()
    assert not bystander.heard()
    bystander.close()


def test_a_second_scanner_cannot_have_the_same_keyboard(listening):
    second = EvdevScanner("second", listening.scanner.options, listening.kernel)
    events = type(listening.events)()
    second.start(events.post)
    try:
        assert events.status(DeviceState.FAULT).status == Status(
            DeviceState.FAULT, "SCANNER-TAKEN", listening.kernel.path
        )
    finally:
        second.stop()


def test_serves_by_itself_once_it_may(keyboard):
    keyboard.kernel.refusal = errno.EACCES
    keyboard.scanner.start(keyboard.events.post)
    assert keyboard.events.status(DeviceState.FAULT).status.code == "SCANNER-NO-PERMISSION"
    keyboard.kernel.refusal = 0
    keyboard.events.status(DeviceState.READY)
