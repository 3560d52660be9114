"""The PC/SC driver against a real pcscd: cards that misbehave, and a service that goes."""

import logging.handlers
import os
import queue
import threading
import time

import pytest
from support.pcsc import (
    EKTP_TYPE_A_ATR,
    EKTP_TYPE_B_ATR,
    SIM_ATR,
    UNKNOWN_ATR,
    Gone,
    VirtualCard,
    chained,
    first,
    garbage,
    leaving,
    mute,
    refusing,
    short,
    torn,
    wrong_le,
)

from hardware.card_reader.interface import CardKind, CardPresented, CardRemoved, CardUnreadable
from hardware.card_reader.pcsc import CARD_DEADLINE_S, PcscCardReader
from hardware.card_reader.signals import SIGNALS, signals_of
from hardware.card_reader.winscard import Context
from hardware.device import DeviceState

UID_A = bytes.fromhex("04A1A2A3A4A5A6")
UID_A_OTHER = bytes.fromhex("04C1C2C3C4C5C6")
UID_B = bytes.fromhex("11223344")
NUMBER = bytes.fromhex("0102030405060708")


@pytest.mark.parametrize(
    ("atr", "uid", "kind"),
    [(EKTP_TYPE_A_ATR, UID_A, CardKind.EKTP), (UNKNOWN_ATR, UID_A, CardKind.UNKNOWN), (SIM_ATR, UID_A, CardKind.OTHER)],
)
def test_kinds(pcscd, pcsc_reader, events, atr, uid, kind):
    pcscd.card.insert(atr, uid)
    card = events.next(CardPresented).card
    assert (card.uid, card.kind, card.stable) == (uid, kind, True)


@pytest.mark.parametrize("ins", [0xDD, 0xDF])
def test_type_b_is_known_by_its_own_number(pcscd, pcsc_reader, events, ins):
    pcscd.card.insert(EKTP_TYPE_B_ATR, UID_B, number=NUMBER, number_ins=ins)
    card = events.next(CardPresented).card
    assert (card.uid, card.kind, card.stable) == (NUMBER, CardKind.EKTP, True)


def test_type_b_that_keeps_its_number_is_not_stable(pcscd, pcsc_reader, events):
    pcscd.card.insert(EKTP_TYPE_B_ATR, UID_B)
    card = events.next(CardPresented).card
    assert (card.uid, card.kind, card.stable) == (UID_B, CardKind.EKTP, False)


@pytest.mark.parametrize(
    "behave",
    [chained(), wrong_le, first(1, torn), first(2, short), first(1, garbage)],
    ids=["61xx", "6Cxx", "torn once", "short twice", "garbage once"],
)
def test_read_all_the_same(pcscd, pcsc_reader, events, behave):
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A, behave)
    assert events.next(CardPresented).card.uid == UID_A
    assert len(events.cards()) == 1


@pytest.mark.parametrize(
    ("atr", "behave", "code"),
    [
        (EKTP_TYPE_A_ATR, torn, "CARD-TORN"),
        (EKTP_TYPE_A_ATR, short, "CARD-TORN"),
        (EKTP_TYPE_A_ATR, garbage, "CARD-TORN"),
        (EKTP_TYPE_A_ATR, refusing, "CARD-NO-UID"),
        (b"\x00\x01\x02", torn, "CARD-UNRECOGNISED"),
        (b"\x3b" * 40, torn, "CARD-UNRECOGNISED"),
    ],
    ids=["torn", "short", "garbage", "6A82", "bad ATR", "overlong ATR"],
)
def test_unreadable_then_a_good_card(pcscd, pcsc_reader, events, atr, behave, code):
    pcscd.card.insert(atr, UID_A, behave)
    assert events.next(CardUnreadable) == CardUnreadable("front", code)
    assert pcsc_reader.status.serving
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A)
    assert events.next(CardPresented).card.uid == UID_A


def test_two_cards_that_drown_each_other_out_and_then_one_of_them(pcscd, pcsc_reader, events):
    pcscd.card.insert(b"\x00\x01\x02", UID_A, garbage)  # their answers collide: what the reader hears is of neither
    assert events.next(CardUnreadable).code == "CARD-UNRECOGNISED"
    for uid in (UID_A, UID_A_OTHER):  # now it hears the one, now the other
        pcscd.card.insert(EKTP_TYPE_A_ATR, uid)
        assert events.next(CardPresented).card.uid == uid
    assert [type(event) for event in events.cards()] == [CardUnreadable, *[CardRemoved, CardPresented] * 2]


def test_a_card_on_another_reader_is_nothing_to_this_one(pcscd, pcsc_reader, events):
    other = VirtualCard(pcscd.card.port + 1)
    other.insert(EKTP_TYPE_A_ATR, UID_A_OTHER)
    try:
        with Context() as context:
            (other_slot,) = [name for name in context.readers() if name != pcsc_reader._slot]
            while not context.wait(other_slot, 10).insertion:  # until pcscd has seen it
                pass
        pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A)
        assert events.next(CardPresented).card.uid == UID_A
        pcscd.card.remove()
        events.next(CardRemoved)
        assert len(events.cards()) == 2
    finally:
        other.remove()


def test_a_card_that_leaves_in_the_middle_is_told_once(pcscd, pcsc_reader, events):
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A, leaving)
    assert events.next(CardUnreadable).code in ("CARD-TAKEN-AWAY", "CARD-TORN")
    events.next(CardRemoved)
    assert [type(event) for event in events.cards()] == [CardUnreadable, CardRemoved]


def test_a_mute_card_is_called_out_and_the_next_one_is_read(pcscd, pcsc_reader, events):
    before_s = time.monotonic()
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A, mute)
    assert events.next(CardUnreadable).code == "CARD-MUTE"
    assert time.monotonic() - before_s < CARD_DEADLINE_S + 1.5
    assert events.next_status(DeviceState.ATTENTION).status.code == "CARD-MUTE"
    pcscd.card.remove()
    events.next_status(DeviceState.READY)
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A)
    assert events.next(CardPresented).card.uid == UID_A


def test_stop_is_prompt_while_a_mute_card_holds_the_reader(pcscd, pcsc_reader, events):
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A, mute)
    assert pcscd.card.asked.wait(10)
    before_s = time.monotonic()
    pcsc_reader.stop()
    assert time.monotonic() - before_s < 1.5


def test_a_card_swapped_while_the_first_is_read_is_not_taken_for_it(pcscd, pcsc_reader, events):
    busy, go_on = threading.Event(), threading.Event()

    def slow(_apdu: bytes, answer: bytes) -> bytes:
        busy.set()
        go_on.wait(10)
        return answer

    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A, slow)
    assert busy.wait(10)
    pcscd.card.leave()
    go_on.set()
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A_OTHER)
    assert events.next(CardPresented).card.uid == UID_A_OTHER
    assert [type(event) for event in events.cards()].count(CardPresented) == 1


def test_exclusive_use_elsewhere_is_waited_for(pcscd, events):
    from smartcard import scard

    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A)
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
    deadline_s = time.monotonic() + 10
    name = "Virtual PICC 00 00"
    result, handle = -1, 0
    while result != scard.SCARD_S_SUCCESS and time.monotonic() < deadline_s:
        scard.SCardGetStatusChange(context, 100, [(name, scard.SCARD_STATE_EMPTY)])
        result, handle, _ = scard.SCardConnect(context, name, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1)
    assert result == scard.SCARD_S_SUCCESS
    reader = PcscCardReader("front", PcscCardReader.Options())
    reader.start(events.sink)
    try:
        assert events.next(CardUnreadable).code == "CARD-IN-USE"
        reader.stop()
        reader.start(events.sink)
        events.next(CardRemoved)
        scard.SCardDisconnect(handle, scard.SCARD_LEAVE_CARD)
        assert events.next(CardPresented).card.uid == UID_A
    finally:
        reader.stop()
        scard.SCardReleaseContext(context)


def test_pcscd_that_crashes_and_comes_back_is_served_again(pcscd, pcsc_reader, events):
    for _ in range(2):
        pcscd.kill()
        assert events.next_status(DeviceState.ABSENT).status.code == "CARD-SERVICE-DOWN"
        pcscd.start()
        events.next_status(DeviceState.READY)
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A)
    assert events.next(CardPresented).card.uid == UID_A


def test_pcscd_that_crashes_while_a_card_is_read(pcscd, pcsc_reader, events):
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A, mute)
    assert pcscd.card.asked.wait(10)
    pcscd.kill()
    events.next_status(DeviceState.ABSENT)
    pcscd.start()
    events.next_status(DeviceState.READY)
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A)
    assert events.next(CardPresented).card.uid == UID_A


def test_no_reader_then_one(pcscd, events):
    pcscd.restart(reader=False)
    reader = PcscCardReader("front", PcscCardReader.Options())
    reader.start(events.sink)
    try:
        assert events.next_status(DeviceState.ABSENT).status.code == "CARD-READER-ABSENT"
        pcscd.restart()
        events.next_status(DeviceState.READY)
    finally:
        reader.stop()


def test_no_reader_of_the_configured_name(pcscd, events):
    reader = PcscCardReader("front", PcscCardReader.Options(reader_name_contains="ACR122U"))
    reader.start(events.sink)
    try:
        assert events.next_status(DeviceState.ABSENT).status.code == "CARD-READER-ABSENT"
        before_s = time.monotonic()
        reader.stop()
        assert time.monotonic() - before_s < 0.5
    finally:
        reader.stop()


def test_nothing_grows_over_many_cards_and_restarts(pcscd, events):
    pcscd.card.insert(EKTP_TYPE_A_ATR, UID_A)
    reader = PcscCardReader("front", PcscCardReader.Options())

    def cycle() -> None:
        reader.start(events.sink)
        events.next(CardPresented)
        reader.stop()

    def settled_pcscd_threads(at_most: int) -> int:
        deadline_s = time.monotonic() + 5
        while (count := pcscd.threads()) > at_most and time.monotonic() < deadline_s:
            time.sleep(0.01)  # pcscd ends the thread of a released context a little later
        return count

    cycle()
    files, threads, contexts = len(os.listdir("/proc/self/fd")), threading.active_count(), settled_pcscd_threads(0)
    for _ in range(60):
        cycle()
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) <= files
    assert settled_pcscd_threads(contexts) <= contexts


def test_no_context_is_left_behind_by_restarts_of_pcscd(pcscd, pcsc_reader, events):
    def restart() -> None:
        pcscd.kill()
        events.next_status(DeviceState.ABSENT)
        pcscd.start()
        events.next_status(DeviceState.READY)

    restart()
    files = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        restart()
    assert len(os.listdir("/proc/self/fd")) <= files


def test_idle_costs_nothing(pcscd, pcsc_reader, events):
    before_s = time.process_time()
    threading.Event().wait(2.0)  # the time that is measured
    assert time.process_time() - before_s < 0.01


# Lamp and buzzer

ACR122_GOOD, ACR122_BAD = bytes.fromhex("FF0040A00401010101"), bytes.fromhex("FF0040500401010301")


class SignalledReader:
    """What a reader with lamp and buzzer is told; it stands before the card, and answers for itself."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.told: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def __call__(self, apdu: bytes, answer: bytes) -> bytes:
        if apdu[:3] != bytes.fromhex("FF0040"):
            return answer
        self.told.put(apdu)
        return self.answer

    def refusing_cards(self, apdu: bytes, answer: bytes) -> bytes:
        return self(apdu, b"\x6a\x82")


@pytest.fixture
def with_signals(pcscd, events):
    """Starts a reader that takes the virtual one for the model that is named."""
    started = []

    def start(model: str) -> PcscCardReader:
        reader = PcscCardReader("front", PcscCardReader.Options(signals=model))
        started.append(reader)
        reader.start(events.sink)
        events.next_status(DeviceState.READY)
        return reader

    yield start
    for reader in started:
        reader.stop()


@pytest.fixture
def swap(pcscd, events):
    """Takes the card away, and lays another when that was seen: vpcd, polled, passes over a change during an APDU."""

    def swap(**card) -> None:
        pcscd.card.remove()
        events.next(CardRemoved)
        pcscd.card.insert(**card)

    return swap


@pytest.fixture
def complaints():
    """What the driver warns of."""
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    logger = logging.getLogger("hardware.card_reader.pcsc")
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


def test_lamp_and_buzzer_say_whether_a_card_was_read(with_signals, pcscd, events, swap):
    with_signals("acr122")
    front = SignalledReader(answer=b"\x90\x02")  # 90 and the state of the lamps
    pcscd.card.insert(behave=front)
    events.next(CardPresented)
    assert front.told.get(timeout=5) == ACR122_GOOD
    swap(behave=front.refusing_cards)
    events.next(CardUnreadable)
    assert front.told.get(timeout=5) == ACR122_BAD
    assert front.told.empty()


def test_a_reader_that_takes_no_signals_is_left_alone_and_said_so_once(with_signals, pcscd, events, swap, complaints):
    reader = with_signals("acr122")
    front = SignalledReader(answer=b"\x6e\x00")
    pcscd.card.insert(behave=front)
    assert complaints.get(timeout=5).message == "card_reader front: the reader takes no command for lamp and buzzer"
    assert front.told.get(timeout=5) == ACR122_GOOD
    swap(uid=UID_A, behave=front)
    assert events.next(CardPresented, lambda presented: presented.card.uid == UID_A)
    reader.stop()  # waits for the talker
    assert front.told.empty() and complaints.empty()


def test_a_reader_whose_driver_passes_no_commands_on_is_left_alone_too(with_signals, pcscd, events, swap, complaints):
    reader = with_signals("acr1252")
    pcscd.card.insert()
    assert "buzzer" in complaints.get(timeout=5).message
    swap(uid=UID_A)
    assert events.next(CardPresented, lambda presented: presented.card.uid == UID_A)
    assert reader.status.serving
    reader.stop()
    assert complaints.empty()


@pytest.mark.parametrize("model", ["by_name", "none"])
def test_a_reader_not_known_to_have_them_is_sent_nothing(with_signals, pcscd, events, model):
    reader = with_signals(model)
    front = SignalledReader(answer=b"\x90\x00")
    pcscd.card.insert(behave=front)
    events.next(CardPresented)
    reader.stop()  # waits for the talker
    assert front.told.empty()


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("ACS ACR122U PICC Interface 00 00", "acr122"),
        ("ACS ACR1252 1S CL Reader [ACR1252 Reader PICC] 00 00", "acr1252"),
        ("Virtual PICC 00 00", None),
        ("HID Global OMNIKEY 5022 Smart Card Reader 00 00", None),
    ],
)
def test_who_has_them_is_known_by_name(name, model):
    assert signals_of(name) is (SIGNALS[model] if model else None)


def test_a_card_taken_away_during_the_signal_is_no_refusal(with_signals, pcscd, events, complaints):
    reader = with_signals("acr122")
    signalled = threading.Event()

    def left(apdu: bytes, answer: bytes) -> bytes:
        if apdu[:3] == bytes.fromhex("FF0040"):
            signalled.set()
            raise Gone
        return answer

    pcscd.card.insert(behave=left)
    events.next(CardPresented)
    assert signalled.wait(5)
    reader.stop()  # waits for the talker
    assert complaints.empty()


def test_the_commands_of_an_acr1252_are_escapes_and_answered_by_e1():
    sent = []

    class Conversation:
        def control(self, command: bytes) -> bytes:
            sent.append(command.hex())
            return bytes.fromhex("E100000001") + command[-1:]

    assert SIGNALS["acr1252"].give(True, Conversation())
    assert SIGNALS["acr1252"].give(False, Conversation())
    assert sent == ["e00000290102", "e0000028010a", "e00000290101", "e00000280132"]
