"""The journal: in order, with known facts only, and without personal data."""

from pathlib import Path

import pytest
from support.clock import FakeClock

from kiosk.journal import Event, Journal, event_table
from kiosk.store.store import Store

pytest_plugins = ["support.databases"]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def journal(store: Store) -> Journal:
    return Journal(store, FakeClock())


def test_entries_come_back_in_order(journal: Journal) -> None:
    journal.record(Event.VISIT_BEGAN, visit="v1")
    journal.record(Event.REPLY_DROPPED)
    journal.record(Event.VISIT_ENDED, visit="v1", reason="idle")
    entries = journal.entries()
    assert [(entry.event, entry.facts) for entry in entries] == [
        (Event.VISIT_BEGAN, {"visit": "v1"}),
        (Event.REPLY_DROPPED, {}),
        (Event.VISIT_ENDED, {"visit": "v1", "reason": "idle"}),
    ]
    assert entries[0].at == FakeClock().now()
    assert journal.entries(after_id=entries[0].id, limit=1) == entries[1:2]


def test_an_entry_holds_only_if_its_transaction_does(journal: Journal, store: Store) -> None:
    with store.write() as tx:
        journal.record(Event.HELP_ASKED, tx=tx)
    with pytest.raises(ZeroDivisionError), store.write() as tx:
        journal.record(Event.REPLY_DROPPED, tx=tx)
        raise ZeroDivisionError
    assert [entry.event for entry in journal.entries()] == [Event.HELP_ASKED]


def test_an_unknown_fact_is_refused(journal: Journal) -> None:
    with pytest.raises(ValueError, match="no fact called name"):
        journal.record(Event.VISIT_BEGAN, visit="v1", name="x")
    assert journal.entries() == []


@pytest.mark.parametrize(
    "value",
    [
        "3523124107900001",
        "nik=3523124107900001.",
        3523124107900001,
        "3523 1241 0790 0001",
        "NIK 35.23.12.410790.0001",
        "35-2312-410790-0001",
    ],
)
def test_a_nik_is_refused_wherever_it_hides(journal: Journal, value: str | int) -> None:
    with pytest.raises(ValueError, match="looks like a NIK") as caught:
        journal.record(Event.VISIT_ENDED, visit="v1", reason=value)
    assert str(value) not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "470/012/35.23.12.2002/XI/2026",
        "12345678901234567890123456789012",
        "2026-11-24 08.00.00",
        "12345678-1234-4123-8123-1234567890ab",
    ],
)
def test_what_only_has_many_digits_is_none(journal: Journal, value: str) -> None:
    journal.record(Event.VISIT_ENDED, visit="v1", reason=value)
    assert journal.entries()[0].facts["reason"] == value


def test_every_event_has_an_id_of_its_own_and_a_meaning() -> None:
    assert len({event.id for event in Event}) == len(Event)
    assert all(event.meaning for event in Event)


def test_repeats_of_a_flapping_device_are_folded_and_counted(store: Store) -> None:
    clock = FakeClock()
    journal = Journal(store, clock)
    for _ in range(30):
        journal.record(Event.DEVICE_CHANGED, device="printer", state="absent", code="PRINTER-ABSENT")
        journal.record(Event.DEVICE_CHANGED, device="printer", state="ready", code="")
        clock.pass_s(5)
    assert [(entry.facts["state"], entry.times) for entry in journal.entries()] == [("absent", 30), ("ready", 30)]
    assert journal.entries()[0].last_at > journal.entries()[0].at
    clock.pass_s(11 * 60)
    journal.record(Event.DEVICE_CHANGED, device="printer", state="ready", code="")
    assert [entry.times for entry in journal.entries()] == [30, 30, 1]


def test_events_that_count_for_somebody_are_never_folded(journal: Journal) -> None:
    for _ in range(2):
        journal.record(Event.TICKET_TAKEN, ticket=1, number="A-001")
    assert [entry.times for entry in journal.entries()] == [1, 1]


def test_the_documented_catalogue_is_up_to_date() -> None:
    assert (ROOT / "docs" / "events.md").read_text("utf-8") == event_table() + "\n"
