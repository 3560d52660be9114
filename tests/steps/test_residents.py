"""Residents: the NIK, the PIN, the cards, and what happens to those who try."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from support.clock import FakeClock

from kiosk import kept_secrets
from kiosk.journal import Event, Journal
from kiosk.residents import (
    LONGEST_TEXT,
    PAUSE_S,
    WRONG_NIKS_BEFORE_PAUSE,
    AlreadyRegistered,
    CardTaken,
    Identified,
    InvalidNik,
    LockedOut,
    Paused,
    Resident,
    Residents,
    UnknownCard,
    UnknownResident,
    WeakPin,
    WrongPin,
    validate_nik,
)
from kiosk.store.schema import pin_tries
from kiosk.store.store import Store

pytest_plugins = ["support.databases"]

NIK, NOBODYS_NIK = "3523124110790001", "3523124110790002"
PIN, WRONG = "246802", "135791"
UID = bytes.fromhex("04a1b2c3d4e501")
MINUTE_S = 60

FIELDS: Mapping[str, str | date] = {
    "nik": NIK,
    "name": "SITI AMINAH",
    "birth_place": "TUBAN",
    "birth_date": date(1979, 10, 1),
    "sex": "PEREMPUAN",
    "religion": "ISLAM",
    "marital_status": "KAWIN",
    "education": "SLTA/SEDERAJAT",
    "occupation": "PEDAGANG",
    "citizenship": "WNI",
    "address": "DUSUN KRAJAN",
    "rt": "001",
    "rw": "002",
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def residents(store: Store, clock: FakeClock) -> Residents:
    return Residents(store, clock, "kiosk-1")


@pytest.fixture
def siti(residents: Residents) -> Resident:
    """She has a PIN and a card."""
    resident = residents.add(FIELDS)
    residents.set_pin(NIK, PIN)
    residents.enrol_card(NIK, UID)
    return resident


# The NIK.


@pytest.mark.parametrize("nik", [NIK, "1101010101000001", "9671317112999999", "6503013112000001"])
def test_a_nik_that_can_be_is_taken(nik: str) -> None:
    validate_nik(nik)


@pytest.mark.parametrize(
    ("nik", "reason"),
    [
        ("352312411079000", "not-16-digits"),
        ("35231241107900011", "not-16-digits"),
        ("352312411079000a", "not-16-digits"),
        ("٣٥٢٣١٢٤١١٠٧٩٠٠٠١", "not-16-digits"),
        ("352312411079000\n", "not-16-digits"),
        ("0123124110790001", "unknown-province"),
        ("2023124110790001", "unknown-province"),
        ("9723124110790001", "unknown-province"),
        ("3523120010790001", "impossible-date"),
        ("3523123210790001", "impossible-date"),
        ("3523127210790001", "impossible-date"),
        ("3523124100790001", "impossible-date"),
        ("3523124113790001", "impossible-date"),
        ("3523124110790000", "serial-0000"),
    ],
)
def test_a_nik_that_cannot_be_is_refused_with_the_reason(nik: str, reason: str) -> None:
    with pytest.raises(InvalidNik) as caught:
        validate_nik(nik)
    assert caught.value.reason == reason


# The register.


def test_a_resident_comes_back_whole(residents: Residents, siti: Resident) -> None:
    assert residents.get(siti.id) == residents.by_nik(NIK) == siti == Resident(siti.id, **FIELDS)


def test_masks_and_repr_hide(residents: Residents, siti: Resident) -> None:
    assert siti.masked_nik_own() == "352312******0001"
    assert siti.masked_nik() == "************0001"
    assert siti.masked_name() == "S*** A*****"
    assert repr(Identified(siti)) == "Identified(resident=Resident(…))"


def test_a_second_resident_of_the_same_nik_is_refused(residents: Residents, siti: Resident) -> None:
    with pytest.raises(AlreadyRegistered):
        residents.add(FIELDS)


@pytest.mark.parametrize("change", [{"nik": "1"}, {"shoe_size": "39"}])
def test_wrong_fields_are_refused(residents: Residents, change: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        residents.add({**FIELDS, **change})
    with pytest.raises(ValueError):
        residents.add({key: value for key, value in FIELDS.items() if key != "rw"})


def test_nobody_is_nobody(residents: Residents) -> None:
    for ask in (lambda: residents.get(7), lambda: residents.by_nik(NIK), lambda: residents.enrol_card(NIK, UID)):
        with pytest.raises(UnknownResident):
            ask()


def test_nothing_personal_is_in_the_database_files(sqlite_url: str, tmp_path: Path, vault) -> None:
    store = Store.open(sqlite_url, vault)
    residents = Residents(store, FakeClock(), "kiosk-1")
    residents.add(FIELDS)
    residents.set_pin(NIK, PIN)
    residents.enrol_card(NIK, UID)
    residents.identify_by_nik(NIK, WRONG)
    residents.identify_by_nik(NOBODYS_NIK, WRONG)
    residents.look_up_card(b"\x04unknown")
    on_disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()
    on_disk += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"letter_requests" in on_disk  # the files were looked into
    for secret in (NIK, NOBODYS_NIK, "SITI", "KRAJAN", "1979-10-01", PIN, WRONG, "argon2"):
        assert secret.encode() not in on_disk
    assert UID not in on_disk and b"\x04unknown" not in on_disk


# Cards.


def test_a_card_is_known_once_it_is_enrolled(residents: Residents, siti: Resident) -> None:
    assert residents.look_up_card(UID) is True
    assert isinstance(residents.look_up_card(UID[:4]), UnknownCard)
    residents.enrol_card(NIK, UID)
    assert residents.identify_by_card(UID, PIN) == Identified(siti)


def test_another_residents_card_is_refused(residents: Residents, siti: Resident) -> None:
    residents.add({**FIELDS, "nik": NOBODYS_NIK})
    with pytest.raises(CardTaken):
        residents.enrol_card(NOBODYS_NIK, UID)
    assert residents.identify_by_card(UID, PIN) == Identified(siti)


def test_ten_unknown_cards_in_ten_minutes_pause_this_kiosk(
    residents: Residents, siti: Resident, store: Store, clock: FakeClock
) -> None:
    assert residents.identify_by_card(b"card0", PIN) == UnknownCard()
    clock.pass_s(9 * MINUTE_S)
    for n in range(1, 9):
        assert residents.look_up_card(b"card%d" % n) == UnknownCard()
    paused = Paused(clock.now() + timedelta(minutes=10))
    assert residents.look_up_card(b"card9") == paused
    assert residents.look_up_card(UID) == residents.identify_by_card(UID, PIN) == paused
    restarted = Residents(store, clock, "kiosk-1")
    assert restarted.look_up_card(UID) == paused
    assert Residents(store, clock, "kiosk-2").look_up_card(UID) is True
    assert residents.identify_by_nik(NIK, PIN) == Identified(siti)
    clock.pass_s(10 * MINUTE_S)
    assert residents.look_up_card(UID) is True
    assert residents.look_up_card(b"card10") == UnknownCard()


def test_unknown_cards_far_apart_do_not_pause(residents: Residents, clock: FakeClock) -> None:
    for n in range(25):
        assert residents.look_up_card(b"card%d" % n) == UnknownCard()
        clock.pass_s(67)


# The PIN.


@pytest.mark.parametrize(
    ("pin", "reason"),
    [
        ("12345", "not-6-digits"),
        ("12345a", "not-6-digits"),
        ("011079", "birth-date"),
        ("791001", "birth-date"),
        ("100179", "birth-date"),
        ("011019", "birth-date"),
        ("197910", "birth-date"),
        ("101979", "birth-date"),
        ("790001", "part-of-nik"),
        ("352312", "part-of-nik"),
        ("123456", "in-a-row"),
        ("567890", "in-a-row"),
        ("654321", "in-a-row"),
        ("777777", "repeated"),
        ("828282", "repeated"),
        ("852852", "repeated"),
    ],
)
def test_a_weak_pin_is_refused_with_the_reason(residents: Residents, siti: Resident, pin: str, reason: str) -> None:
    with pytest.raises(WeakPin) as caught:
        residents.set_pin(NIK, pin)
    assert caught.value.reason == reason
    assert residents.identify_by_nik(NIK, PIN) == Identified(siti)


def test_the_right_pin_identifies_and_resets_the_count(residents: Residents, siti: Resident) -> None:
    for _ in range(3):
        for tries_left in (4, 3):
            assert residents.identify_by_nik(NIK, WRONG) == WrongPin(tries_left)
        assert residents.identify_by_card(UID, PIN) == Identified(siti)


@pytest.mark.parametrize("who", ["registered", "without a PIN", "nobody"])
def test_wrong_pins_lock_longer_and_longer_until_the_desk(
    residents: Residents, siti: Resident, clock: FakeClock, store: Store, who: str
) -> None:
    """The same for everybody, so that nobody can tell from outside who is registered."""
    nik = NIK if who == "registered" else NOBODYS_NIK
    if who == "without a PIN":
        residents.add({**FIELDS, "nik": NOBODYS_NIK})
    answers = [residents.identify_by_nik(nik, WRONG) for _ in range(4)]
    assert answers == [WrongPin(n) for n in (4, 3, 2, 1)]
    for minutes in (15, 30, 60, 120, 240):
        until = clock.now() + timedelta(minutes=minutes)
        assert residents.identify_by_nik(nik, WRONG) == LockedOut(until)
        clock.pass_s(minutes * MINUTE_S - 1)
        restarted = Residents(store, clock, "kiosk-1")
        assert restarted.identify_by_nik(nik, PIN) == LockedOut(until)
        clock.pass_s(1)
    assert residents.identify_by_nik(nik, WRONG) == LockedOut(None)
    clock.pass_s(365 * 86400)
    assert residents.identify_by_nik(nik, PIN) == LockedOut(None)
    residents.unlock(nik)
    assert residents.identify_by_nik(nik, WRONG) == WrongPin(4)


def test_card_and_nik_share_one_count(residents: Residents, siti: Resident, clock: FakeClock) -> None:
    for _ in range(2):
        residents.identify_by_card(UID, WRONG)
        residents.identify_by_nik(NIK, WRONG)
    assert residents.identify_by_card(UID, WRONG) == LockedOut(clock.now() + timedelta(minutes=15))
    assert residents.identify_by_nik(NIK, PIN) == LockedOut(clock.now() + timedelta(minutes=15))


def test_after_a_lock_the_right_pin_serves(residents: Residents, siti: Resident, clock: FakeClock) -> None:
    for _ in range(5):
        residents.identify_by_nik(NIK, WRONG)
    clock.pass_s(15 * MINUTE_S)
    assert residents.identify_by_nik(NIK, PIN) == Identified(siti)
    assert residents.identify_by_nik(NIK, WRONG) == WrongPin(4)


def test_a_new_pin_from_the_desk_unlocks(residents: Residents, siti: Resident) -> None:
    for _ in range(5):
        residents.identify_by_nik(NIK, WRONG)
    residents.set_pin(NIK, WRONG)
    assert residents.identify_by_nik(NIK, WRONG) == Identified(siti)


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
def test_setting_the_clock_changes_no_lock_within_a_boot(
    residents: Residents, siti: Resident, clock: FakeClock, jump: timedelta
) -> None:
    for _ in range(5):
        residents.identify_by_nik(NIK, WRONG)
    clock.set(clock.now() + jump)
    assert residents.identify_by_nik(NIK, PIN) == LockedOut(clock.now() + timedelta(minutes=15))
    clock.pass_s(15 * MINUTE_S)
    assert residents.identify_by_nik(NIK, PIN) == Identified(siti)


def test_a_clock_set_back_over_a_reboot_leaves_the_whole_lock_and_no_more(
    residents: Residents, siti: Resident, clock: FakeClock
) -> None:
    for _ in range(5):
        residents.identify_by_nik(NIK, WRONG)
    true_time = clock.now()
    clock.reboot()
    clock.set(datetime(1970, 1, 1, tzinfo=UTC))
    assert residents.identify_by_nik(NIK, PIN) == LockedOut(clock.now() + timedelta(minutes=15))
    clock.set(true_time + timedelta(days=1))  # the time server is there again
    assert residents.identify_by_nik(NIK, PIN) == LockedOut(clock.now() + timedelta(minutes=15))
    clock.pass_s(15 * MINUTE_S)
    assert residents.identify_by_nik(NIK, PIN) == Identified(siti)


def test_a_reboot_counts_the_time_that_the_machine_was_off(
    residents: Residents, siti: Resident, clock: FakeClock
) -> None:
    for _ in range(5):
        residents.identify_by_nik(NIK, WRONG)
    clock.pass_s(10 * MINUTE_S)
    clock.reboot()
    assert residents.identify_by_nik(NIK, PIN) == LockedOut(clock.now() + timedelta(minutes=5))


def test_a_try_is_counted_before_its_pin_is_looked_at(sqlite_url: str, vault) -> None:
    """The process dies at the very moment of comparing: the try is on the disk."""
    store = Store.open(sqlite_url, vault)
    residents = Residents(store, FakeClock(), "kiosk-1")
    residents.add(FIELDS)
    residents.set_pin(NIK, PIN)
    code = f"""
import os, signal
from argon2 import PasswordHasher
from support.clock import FakeClock
from kiosk.residents import Residents
from kiosk.store.store import Store
from kiosk.store.vault import Vault
PasswordHasher.verify = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
store = Store.open({sqlite_url!r}, Vault(bytes(range(32))))
Residents(store, FakeClock(), "kiosk-1").identify_by_nik({NIK!r}, "135791")
"""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}:{root / 'tests'}"}
    for _ in range(2):
        killed = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert killed.returncode == -9, killed.stderr
    with store.read() as tx:
        assert tx.execute(select(pin_tries.c.wrong)).scalar_one() == 2
    assert residents.identify_by_nik(NIK, WRONG) == WrongPin(2)
    store.close()


def test_a_stranger_waits_as_long_as_a_resident(residents: Residents, siti: Resident) -> None:
    """Medians of alternating tries. Without the stand-in hash a stranger would get his answer several times as fast."""
    taken: dict[str, list[float]] = {NIK: [], NOBODYS_NIK: []}
    for _ in range(9):
        for nik, times in taken.items():
            began_s = time.perf_counter()
            assert residents.identify_by_nik(nik, WRONG) == WrongPin(4)
            times.append(time.perf_counter() - began_s)
            residents.unlock(nik)
    resident_s, stranger_s = (statistics.median(times) for times in taken.values())
    assert 0.6 < stranger_s / resident_s < 1.6


def test_one_pin_on_a_list_of_niks_pauses_them_for_everybody(
    residents: Residents, siti: Resident, store: Store, clock: FakeClock
) -> None:
    for serial in range(WRONG_NIKS_BEFORE_PAUSE):
        assert residents.identify_by_nik(f"352312411079{7000 + serial}", WRONG) == WrongPin(4)
    paused = residents.identify_by_nik(NIK, PIN)
    assert isinstance(paused, Paused) and paused == residents.identify_by_nik(NOBODYS_NIK, PIN)
    assert isinstance(Residents(store, clock, "kiosk-1").identify_by_nik(NIK, PIN), Paused)  # as after a restart
    assert isinstance(Residents(store, clock, "kiosk-2").identify_by_nik(NIK, PIN), Identified)  # at this kiosk alone
    assert isinstance(residents.identify_by_card(UID, PIN), Identified)
    clock.pass_s(PAUSE_S + 1)
    assert isinstance(residents.identify_by_nik(NIK, PIN), Identified)


def test_right_pins_by_nik_pause_nothing(residents: Residents, siti: Resident) -> None:
    for _ in range(WRONG_NIKS_BEFORE_PAUSE + 1):
        assert isinstance(residents.identify_by_nik(NIK, PIN), Identified)


def test_residents_are_found_by_words_of_their_name(residents: Residents) -> None:
    for serial, name in enumerate(("SITI AMINAH", "AMINAH NUR'AINI", "ÉLISE D'ARC", "BUDI"), 1):
        residents.add({**FIELDS, "nik": f"{NIK[:-1]}{serial}", "name": name, "address": "JALAN SITI"})

    def found(words: str) -> list[str]:
        return [resident.name for resident in residents.find(words)]

    assert found("aminah") == ["AMINAH NUR'AINI", "SITI AMINAH"]
    assert found("aminah SITI") == ["SITI AMINAH"]  # and nobody who only lives there
    assert found("nur'aini") == ["AMINAH NUR'AINI"] and found("élise") == ["ÉLISE D'ARC"]
    assert found("nobody") == []


def test_texts_of_the_register_are_cleaned_and_have_an_end(residents: Residents) -> None:
    added = residents.add({**FIELDS, "name": " SITI\x00\x1b@ \u202eAMINAH\udcff ", "address": "A" * 5000})
    assert residents.get(added.id).name == "SITI@ AMINAH"
    assert residents.get(added.id).address == "A" * LONGEST_TEXT


def test_the_stand_in_hash_costs_what_a_pins_does() -> None:
    assert not kept_secrets._hasher.check_needs_rehash(kept_secrets._NOTHING)
    assert "m=19456,t=2,p=1" in kept_secrets._NOTHING and kept_secrets._NOTHING.startswith("$argon2id$")


def test_the_journal_tells_of_tries_and_of_nobody(
    residents: Residents, siti: Resident, store: Store, clock: FakeClock
) -> None:
    before = Journal(store, clock).entries()[-1].id
    for _ in range(5):
        residents.identify_by_nik(NIK, WRONG)
    residents.unlock(NIK)
    residents.identify_by_card(UID, PIN)
    entries = Journal(store, clock).entries(after_id=before)
    assert [entry.event for entry in entries] == [Event.PIN_WRONG] * 4 + [
        Event.LOCKED_OUT,
        Event.UNLOCKED,
        Event.IDENTIFIED,
    ]
    assert entries[4].facts == {"kiosk": "kiosk-1", "by": "nik", "for_s": 900}
