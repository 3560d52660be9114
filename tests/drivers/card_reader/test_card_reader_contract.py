"""What every card reader promises, the virtual one and the real one alike."""

import logging
import threading
import time

import pytest

from hardware.card_reader.interface import CardPresented, CardRemoved, CardUnreadable
from hardware.device import DeviceState

ONE = bytes.fromhex("04A1A2A3A4A5A6")
OTHER = bytes.fromhex("04B1B2B3B4B5B6")


def test_a_card_is_announced_and_its_going_too(started, events):
    started.tap(ONE)
    presented = events.next(CardPresented)
    assert presented.reader == "front"
    assert (presented.card.uid, presented.card.kind, presented.card.stable) == (ONE, started.kind, True)
    started.remove()
    assert events.next(CardRemoved) == CardRemoved("front")


@pytest.fixture
def seeing(rig):
    """A reader that tells of a card for as long as it lies there."""
    if not rig.reader.sees_removal:
        pytest.skip("it tells of a card once, when it is laid down")
    return rig


def test_a_card_that_lies_there_at_the_start_is_announced(seeing, rig, events):
    rig.tap(ONE)
    rig.reader.start(events.sink)
    try:
        assert events.next(CardPresented).card.uid == ONE
    finally:
        rig.reader.stop()


def test_the_flicker_of_one_card_is_one_visit(started, events):
    started.tap(ONE)
    events.next(CardPresented)
    started.remove()
    started.tap(ONE)
    started.tap(OTHER)  # what is announced for it tells that the flicker was seen and kept silent
    events.next(CardPresented, lambda presented: presented.card.uid == OTHER)
    assert [type(event) for event in events.cards()] == [CardPresented, CardRemoved, CardPresented]


def test_the_same_card_much_later_is_another_visit(started, events):
    started.tap(ONE)
    events.next(CardPresented)
    started.remove()
    events.next(CardRemoved)
    started.tap(ONE)
    assert events.next(CardPresented).card.uid == ONE


def test_another_card_removes_the_first_at_once(started, events):
    started.tap(ONE)
    events.next(CardPresented)
    started.tap(OTHER)
    events.next(CardRemoved)
    assert events.next(CardPresented).card.uid == OTHER


def test_an_unreadable_card_is_told_and_its_going_too(started, events):
    started.unreadable()
    assert events.next(CardUnreadable) == CardUnreadable("front", "CARD-TORN")
    started.remove()
    events.next(CardRemoved)
    assert CardPresented not in map(type, events.cards())


def test_a_reader_that_goes_takes_its_card_along_and_comes_back_by_itself(started, events):
    started.tap(ONE)
    events.next(CardPresented)
    started.unplug()
    assert events.next_status(DeviceState.ABSENT).status.code
    assert CardRemoved in map(type, events.cards()) or events.next(CardRemoved)
    started.remove()
    started.plug()
    events.next_status(DeviceState.READY)
    started.tap(OTHER)
    assert events.next(CardPresented).card.uid == OTHER


def test_a_reader_that_is_not_there_at_the_start_is_absent_and_never_ready(rig, events):
    rig.unplug()
    rig.reader.start(events.sink)
    try:
        events.next_status(DeviceState.ABSENT)
    finally:
        rig.reader.stop()
    assert not rig.reader.status.serving
    assert not [event for event in events.seen if event.status.serving]


def test_stop_is_prompt(started):
    before_s = time.monotonic()
    started.reader.stop()
    assert time.monotonic() - before_s < 0.5


def test_stop_and_start_again(seeing, started, events):
    started.reader.stop()
    assert not [thread for thread in threading.enumerate() if "front" in thread.name]
    started.tap(ONE)
    started.reader.start(events.sink)
    assert events.next(CardPresented).card.uid == ONE


def test_no_uid_in_events_or_logs(started, events, caplog):
    caplog.set_level(logging.DEBUG)
    started.tap(ONE)
    presented = events.next(CardPresented)
    started.unplug()
    events.next_status(DeviceState.ABSENT)
    told = repr(presented) + repr(events.seen) + caplog.text
    assert ONE.hex() not in told.lower()
    assert repr(ONE) not in told
