"""Readers that type: the numbers they type, the keyboard that they are, and the card reader made of both."""

import errno
import os
import threading

import msgspec
import pytest
from support.evdev import (
    EV_KEY,
    EV_SYN,
    KEY_CAPSLOCK,
    KEY_KPENTER,
    KEY_LEFTCTRL,
    KEY_NUMLOCK,
    KEYPAD,
    REPORT,
    SYN_DROPPED,
    Bystander,
    stroke,
    typed,
)

from hardware.card_reader.interface import CardKind, CardPresented, CardRemoved, CardUnreadable
from hardware.card_reader.wedge import WedgeCardReader
from hardware.card_reader.wedge_numbers import Digits, uid_readings, uid_typed_as
from hardware.device import DeviceState
from hardware.keyboard_wedge import Flaw, InputEvent, Kernel, Keyboard, ScanAssembly

UID = bytes.fromhex("04A1B2C3")
UID_7 = bytes.fromhex("04A1B2C3D4E5F6")


# Numbers


def readings(text):
    return {reading.label: reading.uid for reading in uid_readings(text)}


def as_typed(uid):
    """How each kind of reader types `uid`."""
    digits = {4: 10, 7: 17}[len(uid)]
    return {
        Digits.DECIMAL: f"{int.from_bytes(uid, 'big'):0{digits}}",
        Digits.DECIMAL_REVERSED: f"{int.from_bytes(uid, 'little'):0{digits}}",
        Digits.HEX: uid.hex(),
        Digits.HEX_REVERSED: uid[::-1].hex().upper(),
    }


@pytest.mark.parametrize("digits", Digits)
@pytest.mark.parametrize(
    "uid",
    [UID, UID_7, bytes(4), bytes(7), b"\xff" * 4, b"\xff" * 7, bytes.fromhex("00000001"), bytes.fromhex("01000000")],
    ids=bytes.hex,
)
def test_every_way_of_typing_a_uid_is_read_back(uid, digits):
    assert uid_typed_as(digits, as_typed(uid)[digits]) == uid


def test_known_numbers():
    assert readings("0077705923") == {Digits.DECIMAL: UID, Digits.DECIMAL_REVERSED: UID[::-1]}
    assert readings("3283263748") == {Digits.DECIMAL: UID[::-1], Digits.DECIMAL_REVERSED: UID}
    assert readings("01303689068602870")[Digits.DECIMAL] == UID_7
    assert readings("04a1b2c3") == {Digits.HEX: UID, Digits.HEX_REVERSED: UID[::-1]}


def test_a_number_typed_without_leading_zeros_is_the_same():
    assert readings("77705923")[Digits.DECIMAL] == UID
    assert readings("1303689068602870")[Digits.DECIMAL] == UID_7


def test_eight_digits_can_be_both():
    assert readings("12345678") == {
        Digits.DECIMAL: bytes.fromhex("00BC614E"),
        Digits.DECIMAL_REVERSED: bytes.fromhex("4E61BC00"),
        Digits.HEX: bytes.fromhex("12345678"),
        Digits.HEX_REVERSED: bytes.fromhex("78563412"),
    }


@pytest.mark.parametrize("parted", ["04:A1:B2:C3", "04 a1 b2 c3", "04-A1-B2-C3", " 04A1B2C3\t"])
def test_hex_may_be_parted(parted):
    assert readings(parted) == {Digits.HEX: UID, Digits.HEX_REVERSED: UID[::-1]}


@pytest.mark.parametrize("length", range(12))
def test_hex_of_every_length(length):
    text = "AB" * length
    assert bool(readings(text)) is (length in (4, 7, 8, 10))


@pytest.mark.parametrize("length", range(1, 30))
def test_decimals_of_every_length(length):
    text = "1" + "0" * (length - 1)
    wanted = 4 if 8 <= length <= 10 else 7 if 11 <= length <= 17 else None
    assert len(readings(text).get(Digits.DECIMAL, b"")) == (wanted or 0)


@pytest.mark.parametrize(
    ("text", "fits"),
    [("4294967295", True), ("4294967296", False), ("72057594037927935", True), ("72057594037927936", False)],
)
def test_the_largest_numbers(text, fits):
    assert (Digits.DECIMAL in readings(text)) is fits


@pytest.mark.parametrize(
    "text", ["", " ", "1", "0x04A1B2C3", "-77705923", "+077705923", "77705923.0", "04A1B2C", "04:A1:B2:C3:",
             "٠٠٧٧٧٠٥٩٢٣", "0077 705923", "NAMA", "04A1B2CG", "1" * 500]
)  # fmt: skip
def test_no_number(text):
    assert uid_readings(text) == []


def test_a_reading_shows_no_uid():
    assert "4" not in repr(uid_readings("0077705923"))


# The keyboard


@pytest.fixture
def keyboard(kernel):
    made = Keyboard(kernel.path, "SCANNER", kernel)
    yield made
    made.close()


def failure_of_open(keyboard):
    with pytest.raises(Exception) as caught:
        keyboard.open()
    return caught.value.status.state, caught.value.status.code


def test_nobody_else_hears_a_grabbed_keyboard(kernel, keyboard):
    bystander = Bystander(kernel)
    kernel.send(stroke(30))
    assert bystander.heard()  # before: the model does not keep keys to itself
    keyboard.open()
    kernel.send(typed("0077705923\n"))
    assert [event for event in keyboard.read(1) if event.type == EV_KEY]
    assert not bystander.heard()
    keyboard.close()
    kernel.send(stroke(30))
    assert bystander.heard()  # the grab ends with the driver
    bystander.close()


def test_a_keyboard_that_another_grabbed_is_not_shared(kernel, keyboard):
    other = Keyboard(kernel.path, "SCANNER", kernel)
    other.open()
    assert failure_of_open(keyboard) == (DeviceState.FAULT, "SCANNER-TAKEN")
    other.close()


@pytest.mark.parametrize(
    ("refusal", "state", "code"),
    [
        (errno.EACCES, DeviceState.FAULT, "SCANNER-NO-PERMISSION"),
        (errno.EPERM, DeviceState.FAULT, "SCANNER-NO-PERMISSION"),
        (errno.ENOENT, DeviceState.ABSENT, "SCANNER-ABSENT"),
        (errno.ENODEV, DeviceState.ABSENT, "SCANNER-ABSENT"),
    ],
)
def test_refusals_of_open(kernel, keyboard, refusal, state, code):
    kernel.refusal = refusal
    assert failure_of_open(keyboard) == (state, code)


@pytest.mark.parametrize("keys", [set(), {116}, {0x14A}, set(range(2, 12))], ids=["none", "power", "touch", "no enter"])
def test_what_has_no_digits_and_enter_is_refused(kernel, keyboard, keys):
    kernel.keys = keys
    assert failure_of_open(keyboard) == (DeviceState.FAULT, "SCANNER-NOT-A-KEYBOARD")


def test_the_real_kernel_says_what_is_no_event_device(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    os.mkfifo(tmp_path / "fifo")
    for path, wanted in [
        (tmp_path / "file", (DeviceState.FAULT, "SCANNER-NOT-A-KEYBOARD")),
        (tmp_path / "fifo", (DeviceState.FAULT, "SCANNER-NOT-A-KEYBOARD")),
        (tmp_path, (DeviceState.FAULT, "SCANNER-NOT-A-KEYBOARD")),
        (tmp_path / "missing", (DeviceState.ABSENT, "SCANNER-ABSENT")),
    ]:
        keyboard = Keyboard(str(path), "SCANNER", Kernel())
        assert failure_of_open(keyboard) == wanted
        keyboard.close()


def test_an_unplugged_keyboard_is_absent(kernel, keyboard):
    keyboard.open()
    kernel.unplug()
    with pytest.raises(Exception) as caught:
        keyboard.read(1)
    assert caught.value.status.state is DeviceState.ABSENT


def test_wake_ends_a_read_and_is_harmless_when_closed(keyboard):
    keyboard.wake()
    keyboard.open()
    waiter = threading.Thread(target=keyboard.read, args=(None,))
    waiter.start()
    keyboard.wake()
    waiter.join(2)
    assert not waiter.is_alive()
    keyboard.close()
    keyboard.wake()


def test_a_keyboard_leaves_no_descriptor(kernel, keyboard):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        keyboard.open()
        keyboard.close()
    kernel.send([REPORT])  # the model closes the far ends of what was closed
    assert len(os.listdir("/proc/self/fd")) == before


# Scans


def scans(*events, longest=100):
    assembly = ScanAssembly(longest)
    taken = [assembly.take(InputEvent(*event)) for event in events] + [assembly.fell_silent()]
    return [(scan.text, scan.ended, scan.flaw) for scan in taken if scan is not None]


def test_every_character_of_the_layout():
    text = "".join(map(chr, range(32, 127)))
    assert scans(*typed(text + "\n")) == [(text, True, None)]


def test_the_keypad_types_digits():
    events = [event for digit in "0123456789" for event in stroke(KEYPAD[digit])]
    assert scans(*stroke(KEY_NUMLOCK), *events, *stroke(KEY_KPENTER)) == [("0123456789", True, None)]


def test_enter_or_silence_ends_a_scan_and_neither_makes_one_of_nothing():
    assert scans(*typed("\n1\n\n2\n3")) == [("1", True, None), ("2", True, None), ("3", False, None)]


def test_a_held_key_is_one_character():
    assert scans((EV_KEY, 30, 1), (EV_KEY, 30, 2), (EV_KEY, 30, 2), (EV_KEY, 30, 0)) == [("a", False, None)]


def test_a_second_shift_that_is_released_leaves_the_first():
    both = [(EV_KEY, 42, 1), (EV_KEY, 54, 1), (EV_KEY, 42, 0), *stroke(30), (EV_KEY, 54, 0), *stroke(30)]
    assert scans(*both) == [("Aa", False, None)]


def test_lost_keys_spoil_the_scan_that_they_were_in_and_no_other():
    dropped = (EV_SYN, SYN_DROPPED, 0)
    assert scans(*typed("12"), dropped, *stroke(4)[:1], REPORT, *typed("56\n78\n")) == [
        ("1256", True, Flaw.OVERRUN),
        ("78", True, None),
    ]


def test_keys_lost_before_the_first_that_is_seen_spoil_it_too():
    assert scans((EV_SYN, SYN_DROPPED, 0), REPORT, *typed("56\n")) == [("56", True, Flaw.OVERRUN)]


def test_a_shift_whose_release_was_lost_is_not_held_for_ever():
    assert scans((EV_KEY, 42, 1), (EV_SYN, SYN_DROPPED, 0), REPORT, *typed("\n5\n"))[1] == ("5", True, None)


@pytest.mark.parametrize("key", [KEY_CAPSLOCK, 103, 15, 0x200], ids=["caps lock", "up", "tab", "numeric"])
def test_a_key_that_is_no_character_spoils_the_scan(key):
    assert scans(*typed("1"), *stroke(key), *typed("2\n3\n")) == [("12", True, Flaw.STRANGE_KEY), ("3", True, None)]


def test_a_command_is_no_character():
    held = [(EV_KEY, KEY_LEFTCTRL, 1), *stroke(27), (EV_KEY, KEY_LEFTCTRL, 0)]
    assert scans(*typed("1"), *held, *typed("2\n")) == [("12", True, Flaw.STRANGE_KEY)]


def test_the_longest_scan():
    assert scans(*typed("12345\n"), longest=5) == [("12345", True, None)]
    assert scans(*typed("123456\n"), longest=5) == [("12345", True, Flaw.TOO_LONG)]


def test_a_scan_shows_no_text():
    assembly = ScanAssembly(100)
    for event in typed("0077705923"):
        assembly.take(InputEvent(*event))
    assert "7705" not in repr(assembly.fell_silent())


# The card reader


@pytest.fixture
def reader(kernel, events):
    made = WedgeCardReader("front", WedgeCardReader.Options(kernel.path), kernel)
    made.start(events.sink)
    events.next_status(DeviceState.READY)
    yield made
    made.stop()


def test_a_card_is_announced_and_counts_as_gone_a_moment_later(reader, kernel, events):
    kernel.send(typed("0077705923\n"))
    card = events.next(CardPresented).card
    assert (card.uid, card.kind, card.stable) == (UID, CardKind.UNKNOWN, True)
    assert events.next(CardRemoved) == CardRemoved("front")


def test_a_reader_without_enter_is_read_too(reader, kernel, events):
    kernel.send(typed("0077705923"))
    assert events.next(CardPresented).card.uid == UID


@pytest.mark.parametrize("digits", Digits)
def test_the_direction_is_the_halls_choice(kernel, events, digits):
    options = msgspec.convert({"device": kernel.path, "digits": str(digits)}, WedgeCardReader.Options)
    reader = WedgeCardReader("front", options, kernel)
    reader.start(events.sink)
    try:
        events.next_status(DeviceState.READY)
        kernel.send(typed(as_typed(UID_7)[digits] + "\n"))
        assert events.next(CardPresented).card.uid == UID_7
    finally:
        reader.stop()


def test_the_same_card_twice_at_once_is_one_visit(reader, kernel, events):
    kernel.send(typed("0077705923\n0077705923\n3283263748\n"))
    events.next(CardPresented, lambda presented: presented.card.uid == UID[::-1])
    assert [type(event) for event in events.cards()] == [CardPresented, CardRemoved, CardPresented]


@pytest.mark.parametrize(
    ("events_typed", "code"),
    [
        (typed("hello\n"), "CARD-NOT-A-NUMBER"),
        (typed("04A1B2C3\n"), "CARD-NOT-A-NUMBER"),  # hex, where the hall says decimal
        (typed("9" * 200 + "\n"), "CARD-NOT-A-NUMBER"),
        ([*typed("00777"), (EV_SYN, SYN_DROPPED, 0), REPORT, *typed("05923\n")], "CARD-TORN"),
    ],
    ids=["words", "hex", "long", "lost keys"],
)
def test_what_is_no_number_is_unreadable_and_the_next_card_is_read(reader, kernel, events, events_typed, code):
    kernel.send(events_typed)
    assert events.next(CardUnreadable) == CardUnreadable("front", code)
    events.next(CardRemoved)
    kernel.send(typed("0077705923\n"))
    assert events.next(CardPresented).card.uid == UID


def test_a_number_that_is_made_up_at_each_tap_is_not_stable(reader, kernel, events):
    kernel.send(typed(as_typed(bytes.fromhex("08A1B2C3"))[Digits.DECIMAL] + "\n"))
    assert not events.next(CardPresented).card.stable


def test_unplugged_and_back(reader, kernel, events):
    kernel.send(typed("0077705923\n007"))
    events.next(CardPresented)
    kernel.unplug()
    assert events.next_status(DeviceState.ABSENT).status.code == "CARD-READER-ABSENT"
    assert CardRemoved in map(type, events.cards())
    kernel.plug()
    events.next_status(DeviceState.READY)
    kernel.send(typed("3283263748\n"))  # not joined to what the unplugging tore
    assert events.next(CardPresented).card.uid == UID[::-1]


def test_nobody_else_hears_a_card(reader, kernel, events):
    bystander = Bystander(kernel)
    kernel.send(typed("0077705923\n"))
    events.next(CardPresented)
    assert not bystander.heard()
    bystander.close()


def test_stop_is_prompt_and_start_works_again(reader, kernel, events):
    reader.stop(timeout_s=1.0)
    assert not [thread for thread in threading.enumerate() if "front" in thread.name]
    kernel.grabbed.clear()
    reader.start(events.sink)
    assert kernel.grabbed.wait(5)
    kernel.send(typed("0077705923\n"))
    assert events.next(CardPresented).card.uid == UID


def test_no_number_in_events_or_logs(reader, kernel, events, caplog):
    caplog.set_level("DEBUG")
    kernel.send(typed("0077705923\nsecret\n"))
    events.next(CardUnreadable)
    kernel.unplug()
    events.next_status(DeviceState.ABSENT)
    told = (repr(events.seen) + caplog.text).lower()
    assert not [part for part in (UID.hex(), "77705923", "secret", repr(UID)) if part in told]
