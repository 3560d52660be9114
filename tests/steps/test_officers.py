"""Officers: their passwords and the limits on trying them, and that nothing of it can be read from the database."""

import logging
import statistics
import time
from datetime import timedelta

import pytest
from sqlalchemy import text
from support.clock import FakeClock

from kiosk.journal import Event, Journal
from kiosk.officers import (
    PAUSE_S,
    TRIES_WITHIN_S,
    WRONG_AT_ADDRESS,
    WRONG_FOR_NAME,
    WRONG_FROM_ADDRESS,
    Officer,
    Officers,
    Role,
    TriesPaused,
    UnknownOfficer,
    UsernameTaken,
    WeakPassword,
    WrongPassword,
)
from kiosk.residents import InvalidNik
from kiosk.store.store import Store

pytest_plugins = ["support.databases"]

PASSWORD = "perahu biru di dermaga"
NIK = "3523125407820001"
HERE, THERE = "192.0.2.7", "192.0.2.8"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def officers(store: Store, clock: FakeClock) -> Officers:
    return Officers(store, clock)


@pytest.fixture
def head(officers: Officers) -> Officer:
    return officers.add("sudarman", "H. SUDARMAN,  S.Sos.", Role.HEAD, PASSWORD, nip="19700101 199503 1 002", nik=NIK)


def fail(officers: Officers, times: int, username: str = "sudarman", address: str = HERE) -> object:
    for _ in range(times):
        answer = officers.log_in(username, "bukan kata sandinya", address)
    return answer


def test_an_officer_is_kept_as_added(officers, head):
    assert head == Officer(head.id, "sudarman", "H. SUDARMAN, S.Sos.", "197001011995031002", Role.HEAD)
    assert officers.by_username("sudarman") == head == officers.log_in("sudarman", PASSWORD, HERE)
    assert officers.nik_of(head.id) == NIK
    officers.set_nik("sudarman", "")
    assert officers.nik_of(head.id) == ""
    assert officers.list() == [head]
    with pytest.raises(UsernameTaken):
        officers.add("sudarman", "Another", Role.OPERATOR, PASSWORD)
    with pytest.raises(UnknownOfficer):
        officers.set_password("nobody", PASSWORD)
    with pytest.raises(UnknownOfficer):
        officers.nik_of(999)


@pytest.mark.parametrize(
    "username", ["", "ab", "Ratna", "ratna kusuma", "3523125407820001", "ratna\n", "a" * 61, "räna"]
)
def test_a_username_that_is_none(officers, username):
    with pytest.raises(ValueError):
        officers.add(username, "Ratna", Role.OPERATOR, PASSWORD)


def test_a_nik_or_nip_that_is_none(officers):
    with pytest.raises(InvalidNik):
        officers.add("ratna", "Ratna", Role.HEAD, PASSWORD, nik="123")
    with pytest.raises(ValueError, match="NIP"):
        officers.add("ratna", "Ratna", Role.HEAD, PASSWORD, nip="123")
    assert officers.list() == []


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("perahu bi", "too-short"),
        ("x1" * 65, "too-long"),
        ("bu-RATNA-2026", "username"),
        ("Password12345!", "common"),
        ("indonesia2026", "common"),
        ("12345678901", "common"),
        ("2026-11-24-08", "common"),
        ("abababababab", "too-few-characters"),
    ],
)
def test_a_password_that_is_guessed_early(officers, password, reason):
    with pytest.raises(WeakPassword) as refused:
        officers.add("ratna", "Ratna", Role.OPERATOR, password)
    assert refused.value.reason == reason


def test_one_password_however_it_is_composed(officers):
    officers.add("ratna", "Ratna", Role.OPERATOR, "kopi pahit é pagi")
    assert isinstance(officers.log_in("ratna", "kopi pahit e\u0301 pagi", HERE), Officer)


def test_wrong_unknown_and_inactive_look_alike(officers, head):
    assert officers.log_in("sudarman", "salah salah salah", HERE) == WrongPassword()
    assert officers.log_in("nobody", PASSWORD, HERE) == WrongPassword()
    assert officers.log_in("sudarman", "x" * 100_000, HERE) == WrongPassword()
    officers.deactivate("sudarman")
    assert officers.log_in("sudarman", PASSWORD, HERE) == WrongPassword()
    officers.activate("sudarman")
    assert officers.log_in("sudarman", PASSWORD, HERE) == officers.by_username("sudarman")


def test_an_unknown_name_takes_as_long(officers, head):
    """Hashing takes the time: where it is left out, the answer comes ten times as fast."""

    def median_s(username: str) -> float:
        took = []
        for number in range(5):
            began_s = time.perf_counter()
            officers.log_in(username, "salah salah salah", f"192.0.2.{100 + number}")
            took.append(time.perf_counter() - began_s)
        return statistics.median(took)

    known_s, unknown_s = median_s("sudarman"), median_s("nobody")
    assert 0.5 < known_s / unknown_s < 2


@pytest.mark.parametrize("username", ["sudarman", "nobody"])
def test_wrong_tries_pause_that_name_at_that_address_only(officers, head, clock, store, username):
    assert fail(officers, WRONG_AT_ADDRESS, username) == WrongPassword()
    assert officers.log_in(username, PASSWORD, HERE) == TriesPaused(clock.now() + timedelta(seconds=PAUSE_S))
    # A restart changes nothing, and the officer who sits elsewhere is not locked out.
    again = Officers(store, clock)
    assert isinstance(again.log_in(username, PASSWORD, HERE), TriesPaused)
    elsewhere = again.log_in(username, PASSWORD, THERE)
    assert elsewhere == (head if username == "sudarman" else WrongPassword())
    clock.pass_s(PAUSE_S + 1)
    assert not isinstance(again.log_in(username, PASSWORD, HERE), TriesPaused)


def test_one_address_cannot_try_many_names(officers, head, clock):
    for number in range(WRONG_FROM_ADDRESS):
        assert officers.log_in(f"name{number}", "salah salah salah", HERE) == WrongPassword()
    assert isinstance(officers.log_in("sudarman", PASSWORD, HERE), TriesPaused)
    assert officers.log_in("sudarman", PASSWORD, THERE) == head


def test_many_addresses_cannot_try_one_name_for_long(officers, head):
    for number in range(WRONG_FOR_NAME):
        assert fail(officers, 1, address=f"198.51.100.{number}") == WrongPassword()
    assert isinstance(officers.log_in("sudarman", PASSWORD, THERE), TriesPaused)
    officers.set_password("sudarman", "perahu hijau di dermaga")  # the technician lets them in again
    assert isinstance(officers.log_in("sudarman", "perahu hijau di dermaga", THERE), Officer)


def test_old_wrong_tries_are_forgotten_and_a_right_one_clears_them(officers, head, clock):
    fail(officers, WRONG_AT_ADDRESS - 1)
    assert officers.log_in("sudarman", PASSWORD, HERE) == head
    assert fail(officers, WRONG_AT_ADDRESS - 1) == WrongPassword()
    clock.pass_s(TRIES_WITHIN_S + 1)
    assert fail(officers, WRONG_AT_ADDRESS - 1) == WrongPassword()
    assert officers.log_in("sudarman", PASSWORD, HERE) == head


def test_the_journal_tells_who_and_from_where_and_no_mistyped_name(officers, head, clock, store, caplog):
    caplog.set_level(logging.DEBUG)
    officers.log_in("sudarman", PASSWORD, HERE)
    officers.log_in("rahasia-yang-salah-ketik", PASSWORD, HERE)
    fail(officers, WRONG_AT_ADDRESS)
    entries = [(entry.event, entry.facts) for entry in Journal(store, clock).entries()]
    assert entries[:3] == [
        (Event.OFFICER_ADDED, {"officer": "sudarman", "role": "head"}),
        (Event.OFFICER_LOGGED_IN, {"officer": "sudarman", "address": HERE}),
        (Event.OFFICER_PASSWORD_WRONG, {"officer": "", "address": HERE}),
    ]
    assert entries[-1][0] is Event.OFFICER_TRIES_PAUSED
    assert "rahasia" not in str(entries) + caplog.text and PASSWORD not in caplog.text


def test_what_is_kept_tells_neither_password_nor_nik(officers, head, store):
    with store.read() as tx:
        kept = tx.execute(text("SELECT password, nik FROM officers")).one()
    assert b"argon2" not in bytes(kept.password) and NIK.encode() not in bytes(kept.nik)
    assert NIK not in repr(officers.list())
