"""Ten thousand cards leave nothing behind in the kiosk's process."""

import pytest
from support.pcsc import running_pcscd
from support.soak import short_and_long, soak

from hardware.card_reader import presence
from hardware.card_reader.interface import Card, CardPresented, CardRemoved
from hardware.card_reader.pcsc import PcscCardReader
from hardware.card_reader.virtual import VirtualCardReader

MOST_BYTES = 1 << 20


def uid(number: int) -> bytes:
    """Seven bytes, as of a type A card; each number's own."""
    return bytes([0x04]) + number.to_bytes(6, "big")


class Lean:
    """Passes on what a device posts, and remembers nothing of it."""

    def __init__(self, events) -> None:
        self._events = events

    def next(self, wanted: type):
        event = self._events.next(wanted)
        self._events.seen.clear()
        return event


@short_and_long("cycles", short=200, long=10_000, within_s=1200)
def test_cards_on_the_virtual_reader(events, cycles):
    reader, lean = VirtualCardReader("front", VirtualCardReader.Options()), Lean(events)
    reader.start(events.sink)

    def one_card(number: int) -> None:
        reader.tap(Card(uid(number)))
        assert lean.next(CardPresented).card.uid == uid(number)

    try:
        soak(one_card, cycles).assert_none(MOST_BYTES)
    finally:
        reader.stop()


@pytest.fixture
def hurried_pcscd(tmp_path, monkeypatch):
    """A card that is gone is told as gone soon, and pcscd looks at its reader every 4 ms."""
    monkeypatch.setattr(presence, "SAME_VISIT_S", 0.02)
    with running_pcscd(tmp_path, hurried=True) as pcscd:
        yield pcscd


@short_and_long("cycles", short=40, long=10_000, within_s=7200)
def test_cards_through_pcscd(hurried_pcscd, events, cycles):
    reader, lean = PcscCardReader("front", PcscCardReader.Options()), Lean(events)
    reader.start(events.sink)
    assert reader.wait_for_status(lambda status: status.serving, 10).serving

    def one_card(number: int) -> None:
        hurried_pcscd.card.insert(uid=uid(number))
        assert lean.next(CardPresented).card.uid == uid(number)
        hurried_pcscd.card.remove()
        lean.next(CardRemoved)

    try:
        contexts = hurried_pcscd.threads()
        soak(one_card, cycles).assert_none(MOST_BYTES)
        assert hurried_pcscd.threads() <= contexts
    finally:
        reader.stop()
