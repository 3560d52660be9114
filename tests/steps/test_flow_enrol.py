"""A card is linked and a PIN chosen at the kiosk, with the code that an officer says."""

import pytest
from support.kiosk import NIKS

from kiosk.demo.village import DEMO_CARDS
from kiosk.enrolments import OPEN_FOR_S, Enrolling
from kiosk.pin_tries import TRIES_BEFORE_LOCK, LockedOut, WrongPin
from kiosk.residents import Identified, UnknownCard

pytest_plugins = ["support.kiosk"]

NEW_PIN = "864209"


def opened(hall, name):
    return hall.office.enrolments.open(hall.office.residents.by_nik(NIKS[name]).id, "operator")


def other_than(code):
    return f"{(int(code) + 1) % 10**6:06}"


def test_without_an_open_enrolment_no_code_is_asked_for(quiet_hall):
    quiet_hall.tap("nobody")
    assert "code" not in quiet_hall.offered
    quiet_hall.take_card()
    quiet_hall.tap("wagiman")
    assert "code" not in quiet_hall.offered


def test_a_new_card_is_linked_and_a_pin_chosen(quiet_hall):
    code = opened(quiet_hall, "wagiman")
    quiet_hall.tap("nobody")
    assert {"code", "queue"} <= set(quiet_hall.offered)  # the next one in the hall may be somebody else
    quiet_hall.choose("code")
    quiet_hall.enter(code)
    assert quiet_hall.view.secret and quiet_hall.says("choose_pin")
    quiet_hall.enter(NEW_PIN, NEW_PIN)
    assert quiet_hall.says("pin_chosen")
    answer = quiet_hall.office.residents.identify_by_card(DEMO_CARDS["nobody"], NEW_PIN)
    assert isinstance(answer, Identified) and answer.resident.nik == NIKS["wagiman"]
    assert not quiet_hall.office.enrolments.is_any_open()


def test_a_known_card_without_a_pin_gets_one(quiet_hall):
    code = opened(quiet_hall, "wagiman")
    quiet_hall.tap("wagiman")
    quiet_hall.choose("code")
    quiet_hall.enter(code, NEW_PIN, NEW_PIN)
    assert quiet_hall.says("pin_chosen")


def test_a_forgotten_pin_is_replaced_also_without_a_card(quiet_hall):
    code = opened(quiet_hall, "siti")
    quiet_hall.choose("start", "letter", "nik")
    quiet_hall.enter(NIKS["siti"])
    quiet_hall.choose("forgot", "code")
    quiet_hall.enter(code, NEW_PIN, NEW_PIN)
    assert quiet_hall.says("pin_chosen")
    assert isinstance(quiet_hall.office.residents.identify_by_nik(NIKS["siti"], NEW_PIN), Identified)


def test_a_card_of_somebody_else_is_not_linked(quiet_hall):
    code = opened(quiet_hall, "budi")
    quiet_hall.tap("wagiman")
    quiet_hall.choose("code")
    quiet_hall.enter(code)
    assert quiet_hall.says("card_is_anothers")


def test_wrong_codes_are_counted_for_the_whole_hall(quiet_hall):
    code = opened(quiet_hall, "wagiman")
    quiet_hall.tap("nobody")
    quiet_hall.choose("code")
    for tries_left in range(TRIES_BEFORE_LOCK - 1, 0, -1):
        quiet_hall.enter(other_than(code))
        assert quiet_hall.says("wrong_code", n=tries_left)
    quiet_hall.enter(other_than(code))
    assert quiet_hall.says("locked_ask_desk")
    assert isinstance(quiet_hall.office.residents.look_up_card(DEMO_CARDS["nobody"]), UnknownCard)
    opened(quiet_hall, "wagiman")  # the officer says a new one
    quiet_hall.choose("done")


def test_who_knows_one_code_cannot_guess_at_anothers_for_ever(quiet_hall):
    enrolments = quiet_hall.office.enrolments
    own, other = opened(quiet_hall, "wagiman"), opened(quiet_hall, "budi")
    guesses = [code for code in map(other_than, (own, other)) if code not in (own, other)]
    for tries_left in range(TRIES_BEFORE_LOCK - 1, 0, -1):
        assert enrolments.begin(guesses[0], None) == WrongPin(tries_left)
        assert isinstance(enrolments.begin(own, None), Enrolling)
        opened(quiet_hall, "siti")
    assert isinstance(enrolments.begin(guesses[0], None), LockedOut)
    assert isinstance(enrolments.begin(own, None), LockedOut)


def test_a_chosen_pin_forgets_the_wrong_codes_before_it(quiet_hall):
    enrolments, code = quiet_hall.office.enrolments, opened(quiet_hall, "wagiman")
    for _ in range(TRIES_BEFORE_LOCK - 1):
        enrolments.begin(other_than(code), None)
    enrolments.choose_pin(enrolments.begin(code, None), NEW_PIN)
    assert enrolments.begin(code, None) == WrongPin(TRIES_BEFORE_LOCK - 1)


def test_codes_that_only_a_person_opens_again_are_opened_by_the_officer(quiet_hall):
    enrolments, clock = quiet_hall.office.enrolments, quiet_hall.office.clock
    while (locked := enrolments.begin("000000", None)) != LockedOut(None):
        if isinstance(locked, LockedOut):
            clock.pass_s((locked.until - clock.now()).total_seconds() + 1)
    assert isinstance(enrolments.begin(opened(quiet_hall, "wagiman"), None), Enrolling)


def test_the_session_of_an_old_code_chooses_no_pin_under_a_newer_one(quiet_hall):
    old = opened(quiet_hall, "wagiman")
    quiet_hall.tap("wagiman")
    quiet_hall.choose("code")
    quiet_hall.enter(old)
    opened(quiet_hall, "wagiman")
    quiet_hall.enter(NEW_PIN, NEW_PIN)
    assert quiet_hall.says("code_ended")
    assert not isinstance(quiet_hall.office.residents.identify_by_nik(NIKS["wagiman"], NEW_PIN), Identified)
    assert quiet_hall.office.enrolments.is_any_open()


def test_a_code_ends_after_its_time_and_with_the_next_one(quiet_hall):
    first = opened(quiet_hall, "wagiman")
    second = opened(quiet_hall, "wagiman")
    quiet_hall.tap("nobody")
    quiet_hall.choose("code")
    if first != second:
        quiet_hall.enter(first)
        assert quiet_hall.says("wrong_code", n=4)
    quiet_hall.enter(second)
    quiet_hall.office.clock.pass_s(OPEN_FOR_S + 1)
    quiet_hall.enter(NEW_PIN, NEW_PIN)
    assert quiet_hall.says("code_ended")
    assert not isinstance(quiet_hall.office.residents.identify_by_nik(NIKS["wagiman"], NEW_PIN), Identified)


@pytest.mark.parametrize("pin", ["123456", "111111", "050148"])
def test_a_pin_that_is_easy_to_guess_is_not_taken(quiet_hall, pin):
    code = opened(quiet_hall, "wagiman")
    quiet_hall.tap("nobody")
    quiet_hall.choose("code")
    quiet_hall.enter(code)
    quiet_hall.enter(pin, pin)
    assert quiet_hall.says("pin_too_easy")
    quiet_hall.enter(NEW_PIN, "975312")
    assert quiet_hall.says("pins_differ")
    quiet_hall.enter(NEW_PIN, NEW_PIN)
    assert quiet_hall.says("pin_chosen")


def test_the_code_and_the_pin_are_not_in_the_journal(quiet_hall):
    code = opened(quiet_hall, "wagiman")
    quiet_hall.tap("nobody")
    quiet_hall.choose("code")
    quiet_hall.enter(code, NEW_PIN, NEW_PIN)
    told = str([entry.facts for entry in quiet_hall.office.journal.entries()])
    assert code not in told and NEW_PIN not in told and "'officer': 'operator'" in told
