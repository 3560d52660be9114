"""Who are you? By card or by NIK, and always by PIN; and what a stranger can learn, which is nothing."""

import pytest
from support.kiosk import NIKS, NOBODYS_NIK

from config import settings as config
from config.translations import say
from hardware.card_reader.interface import Card, CardKind, CardReader, CardUnreadable
from hardware.device import DeviceState
from kiosk.demo.village import DEMO_CARDS, DEMO_PIN
from kiosk.intents import Entered
from kiosk.journal import Event
from kiosk.pin_tries import FIRST_LOCK_S, TRIES_BEFORE_LOCK
from kiosk.residents import PAUSE_S, UNKNOWN_CARDS_BEFORE_PAUSE
from kiosk.views import KeypadView, NoticeView, PresentCardView, ResultView

pytest_plugins = ["support.kiosk"]

WRONG_PIN = "975310"


def by_nik(hall, nik):
    hall.choose("start", "letter", "nik")
    hall.enter(nik)


def test_a_card_and_its_pin(quiet_hall):
    quiet_hall.choose("start", "letter")
    assert isinstance(quiet_hall.view, PresentCardView)
    quiet_hall.tap("siti")
    assert quiet_hall.says("enter_pin") and quiet_hall.says("enter_pin_detail_card")
    assert quiet_hall.view.secret and "SITI AMINAH" not in quiet_hall.words  # a card alone proves nothing
    quiet_hall.enter(DEMO_PIN)
    assert quiet_hall.says("greeting", name="SITI AMINAH")
    assert quiet_hall.journal(Event.IDENTIFIED) == [{"kiosk": "demo", "by": "card"}]


def test_a_card_is_enough_to_begin(quiet_hall):
    quiet_hall.tap("siti")
    assert quiet_hall.says("enter_pin")


def test_a_card_may_be_laid_down_on_the_first_choice(quiet_hall):
    quiet_hall.choose("start")
    quiet_hall.identify("budi")
    assert quiet_hall.says("greeting", name="BUDI SANTOSO")


def test_a_nik_and_its_pin(quiet_hall):
    by_nik(quiet_hall, NIKS["sumarni"])
    quiet_hall.enter(DEMO_PIN)
    assert quiet_hall.says("greeting", name="SUMARNI")
    assert quiet_hall.journal(Event.IDENTIFIED) == [{"kiosk": "demo", "by": "nik"}]


@pytest.mark.parametrize("text", ["", "123", "35231241079000011", "352312410790000x", "٣" * 16])
def test_what_is_no_nik_goes_no_further(quiet_hall, text):
    quiet_hall.choose("start", "letter", "nik")
    view = quiet_hall.view
    quiet_hall.intend(Entered, text)
    assert quiet_hall.view is view


@pytest.mark.parametrize("text", ["", "12345", "1234567", "12345x", "٣" * 6])
def test_what_is_no_pin_is_not_tried(quiet_hall, text):
    quiet_hall.tap("siti")
    quiet_hall.intend(Entered, text)
    assert quiet_hall.says("enter_pin")
    assert quiet_hall.journal(Event.PIN_WRONG) == []


def test_without_a_reader_the_nik_is_asked_for_at_once(quiet_hall):
    quiet_hall.status(CardReader.kind, DeviceState.ABSENT)
    quiet_hall.choose("start", "letter")
    assert quiet_hall.says("enter_nik")


def test_a_card_that_nobody_has_registered_is_told_where_to_go(quiet_hall):
    quiet_hall.tap("nobody")
    assert quiet_hall.says("card_not_registered") and quiet_hall.says("card_not_registered_ask_desk")
    assert not quiet_hall.scene.can_leave  # it has its own «Selesai»
    quiet_hall.choose("nik")
    quiet_hall.enter(NIKS["siti"], DEMO_PIN)
    assert quiet_hall.says("greeting", name="SITI AMINAH")


def test_whoever_has_no_registered_card_is_one_touch_from_a_number_for_the_desk(hall):
    hall.tap("nobody")
    [prominent] = [choice.value for choice in hall.view.choices if choice.prominent]
    hall.take_card()
    hall.choose(prominent, "A")
    assert hall.wait_for(ResultView).big == "A-001"


@pytest.mark.parametrize("place", ["below", "right", "left"])
def test_words_and_arrow_lead_to_where_the_reader_is(make_hall, settings, place):
    reader = config.changed(settings.card_reader, place=place)
    hall = make_hall(printer=False, settings=config.changed(settings, card_reader=reader))
    hall.choose("start", "letter")
    assert hall.view.direction == place and hall.says(f"present_card_{place}")


def test_a_registered_card_may_follow_one_that_is_not(quiet_hall):
    quiet_hall.tap("nobody")
    quiet_hall.identify("siti")
    assert quiet_hall.says("greeting", name="SITI AMINAH")


def test_a_card_of_who_has_no_pin_is_told_where_to_get_one(quiet_hall):
    quiet_hall.tap("wagiman")
    assert quiet_hall.says("pin_not_set") and quiet_hall.says("pin_not_set_ask_desk")


def test_another_kind_of_card_is_told_apart_and_not_looked_up(quiet_hall):
    quiet_hall.tap_card(Card(DEMO_CARDS["siti"], CardKind.OTHER))
    assert isinstance(quiet_hall.view, PresentCardView) and quiet_hall.says("card_is_another")
    quiet_hall.take_card()
    quiet_hall.identify("siti")
    assert quiet_hall.says("greeting", name="SITI AMINAH")


def test_a_card_of_unknown_kind_is_looked_up(quiet_hall):
    quiet_hall.tap_card(Card(DEMO_CARDS["siti"], CardKind.UNKNOWN))
    assert quiet_hall.says("enter_pin")


def test_a_card_that_cannot_be_read_is_asked_for_again(quiet_hall):
    quiet_hall.choose("start", "letter")
    quiet_hall.happen(CardUnreadable("card_reader", "CARD-TORN"))
    assert quiet_hall.says("card_not_read")
    quiet_hall.tap("siti")
    assert quiet_hall.says("enter_pin")


def test_another_card_at_the_pin_is_another_persons_pin(quiet_hall):
    quiet_hall.tap("siti")
    quiet_hall.tap("budi")
    quiet_hall.enter(DEMO_PIN)
    assert quiet_hall.says("greeting", name="BUDI SANTOSO")


def test_wrong_pins_are_counted_down_and_then_lock_across_a_restart(quiet_hall):
    hall = quiet_hall
    hall.tap("siti")
    for left in range(TRIES_BEFORE_LOCK - 1, 0, -1):
        hall.enter(WRONG_PIN)
        assert hall.says("wrong_pin", n=left)
    hall.enter(WRONG_PIN)
    until = hall.clock.now().timestamp() + FIRST_LOCK_S
    assert hall.says("locked") and hall.says("locked_until", time="09.15")  # 9.00 in the hall, and a quarter of an hour
    hall.choose("done")
    hall.restart()
    hall.identify("siti")  # the right PIN, too early
    assert hall.says("locked_until", time="09.15")
    hall.choose("done")
    hall.clock.pass_s(until - hall.clock.now().timestamp())
    hall.identify("siti")
    assert hall.says("greeting", name="SITI AMINAH")


def test_the_desk_must_unlock_after_ten(quiet_hall):
    quiet_hall.tap("siti")
    for _ in range(2 * TRIES_BEFORE_LOCK):
        if not isinstance(quiet_hall.view, KeypadView):
            quiet_hall.choose("done")
            quiet_hall.take_card()
            quiet_hall.clock.pass_s(FIRST_LOCK_S * 2**TRIES_BEFORE_LOCK)
            quiet_hall.tap("siti")
        quiet_hall.enter(WRONG_PIN)
    assert quiet_hall.says("locked_ask_desk")


def views_of_wrong_tries(hall, nik):
    """All that somebody sees who tries a NIK until it locks."""
    first = len(hall.face.scenes)
    by_nik(hall, nik)
    for _ in range(TRIES_BEFORE_LOCK):
        hall.enter(WRONG_PIN)
    assert isinstance(hall.view, NoticeView)
    hall.choose("done")
    return [(scene.view, scene.can_go_back, scene.can_leave, scene.fresh) for scene in hall.face.scenes[first:]]


def test_the_nik_may_be_what_was_wrong(quiet_hall):
    by_nik(quiet_hall, NIKS["siti"])
    quiet_hall.enter(WRONG_PIN)
    assert quiet_hall.view.error == say("id", "wrong_nik_or_pin", n=4)


def test_a_wrong_nik_looks_like_a_wrong_pin_in_every_view(quiet_hall):
    hall = quiet_hall
    somebodys = views_of_wrong_tries(hall, NIKS["siti"])
    assert views_of_wrong_tries(hall, NOBODYS_NIK) == somebodys
    assert views_of_wrong_tries(hall, NIKS["wagiman"]) == somebodys  # who has no PIN
    assert len(somebodys) >= TRIES_BEFORE_LOCK + 3
    facts = hall.journal(Event.PIN_WRONG, Event.LOCKED_OUT)
    per_nik = TRIES_BEFORE_LOCK
    assert facts[:per_nik] == facts[per_nik : 2 * per_nik] == facts[2 * per_nik :]


def test_a_forgotten_pin_is_the_desks_to_set(quiet_hall):
    quiet_hall.tap("siti")
    quiet_hall.choose("forgot")
    assert quiet_hall.says("forgot_pin_ask_desk")
    quiet_hall.take_card()
    quiet_hall.choose("done")
    assert quiet_hall.idle


def test_many_unknown_cards_pause_the_reader_for_known_ones_too(quiet_hall):
    hall = quiet_hall
    for number in range(UNKNOWN_CARDS_BEFORE_PAUSE - 1):
        hall.tap_card(Card(bytes([number]) * 7, CardKind.EKTP))
        assert hall.says("card_not_registered")
    hall.tap_card(Card(bytes([99]) * 7, CardKind.EKTP))
    assert hall.says("locked_until", time="09.10")
    hall.take_card()
    hall.choose("done")
    hall.tap("siti")
    assert hall.says("locked_until", time="09.10")
    hall.take_card()
    hall.choose("done")
    by_nik(hall, NIKS["siti"])
    hall.enter(DEMO_PIN)  # the other way in is open
    assert hall.says("greeting", name="SITI AMINAH")
    hall.leave()
    hall.clock.pass_s(PAUSE_S)
    hall.identify("siti")
    assert hall.says("greeting", name="SITI AMINAH")


def test_a_card_that_changes_its_number_leads_to_the_nik_and_is_not_counted(quiet_hall):
    for _ in range(UNKNOWN_CARDS_BEFORE_PAUSE + 1):
        quiet_hall.tap_card(Card(bytes(range(8)), CardKind.EKTP, stable=False))
        assert quiet_hall.says("enter_nik") and quiet_hall.says("card_cannot_be_used")
        quiet_hall.take_card()
        quiet_hall.leave()
    quiet_hall.tap("budi")
    assert quiet_hall.view.secret  # his PIN is asked for: the reader is not paused
