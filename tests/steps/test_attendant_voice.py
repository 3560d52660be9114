"""«Dengarkan»: a voice reads out what is shown, for as long as one visit asks for it, and tells nobody's secrets."""

import pytest
from support.kiosk import NIKS, Hall

from config.translations import say
from hardware.device import DeviceState
from hardware.speaker.interface import Speaker
from kiosk.attendant import SceneFailed
from kiosk.demo.village import DEMO_PIN
from kiosk.intents import Chosen, HelpAsked, LanguageChosen, ListenAsked, StillHere, TextSizeToggled
from kiosk.voice import spoken

pytest_plugins = ["support.kiosk"]

PATIENCE_S = 5.0


@pytest.fixture
def hall(make_hall) -> Hall:
    """A hall with a voice, and somebody at its first choice."""
    hall = make_hall(printer=False)
    hall.wait_until(lambda: hall.devices.serving(Speaker.kind))
    hall.choose("start")
    return hall


def said(hall: Hall) -> list[str]:
    return [speech.text for speech in hall.speaker.spoken]


def hear(hall: Hall) -> str:
    """What is read out now: it is what is shown, in the visit's language."""
    words = spoken(hall.view, hall.scene.language)
    speech = hall.speaker.wait_for_speech(lambda speech: speech.text == words, PATIENCE_S)
    assert speech is not None, said(hall)
    assert speech.language == hall.scene.language
    return speech.text


def silent(hall: Hall) -> bool:
    return not hall.devices.speaking


def test_nothing_is_said_to_who_did_not_ask_for_it(hall):
    assert hall.scene.can_listen and not hall.scene.listens
    hall.choose("letter")
    assert silent(hall) and said(hall) == []


def test_what_is_shown_is_read_out_from_then_on(hall):
    hall.intend(ListenAsked)
    assert hall.scene.listens
    assert hear(hall).startswith(say("id", "welcome"))
    hall.choose("letter")
    assert say("id", "present_card") in hear(hall)
    hall.intend(HelpAsked)
    assert say("id", "help_text") in hear(hall)


def test_in_the_language_that_is_chosen(hall):
    hall.intend(ListenAsked)
    hear(hall)
    hall.intend(LanguageChosen, "en")
    assert hear(hall).startswith(say("en", "welcome"))


@pytest.mark.parametrize(
    "touch", [(StillHere,), (TextSizeToggled,), (Chosen, "not there")], ids=lambda it: it[0].__name__
)
def test_any_touch_is_silence_and_repeats_nothing(hall, touch):
    hall.intend(ListenAsked)
    hear(hall)
    hall.intend(*touch)
    assert silent(hall) and len(said(hall)) == 1


def test_a_touch_on_a_scene_that_is_gone_is_silence_too(hall):
    hall.intend(ListenAsked)
    hear(hall)
    hall.happen(Chosen(0, "letter"))
    assert silent(hall)


def test_it_may_be_heard_again_and_ended_while_it_speaks(hall):
    hall.intend(ListenAsked)
    hear(hall)
    hall.intend(StillHere)
    hall.intend(ListenAsked)
    assert hall.scene.listens
    assert hall.speaker.wait_for_speech(lambda _: len(said(hall)) == 2, PATIENCE_S)
    assert said(hall)[0] == said(hall)[1]
    hall.intend(ListenAsked)
    assert not hall.scene.listens and silent(hall)
    hall.choose("letter")
    assert silent(hall) and len(said(hall)) == 2


def test_no_digit_of_a_pin_or_nik_is_heard_in_a_whole_visit(hall):
    hall.intend(ListenAsked)
    hall.choose("letter", "nik")
    hall.enter(NIKS["siti"], DEMO_PIN)
    hall.choose("domisili")
    hall.enter("Melamar kerja")
    assert hear(hall).count("nomor yang berakhiran") >= 1
    hall.choose("send")
    words = " ".join(said(hall)).replace(" ", "")
    assert DEMO_PIN not in words
    assert NIKS["siti"] not in words and NIKS["siti"][:12] not in words


def test_the_next_visitor_hears_nothing_at_the_halls_own_volume(hall):
    hall.intend(ListenAsked)
    hear(hall)
    hall.speaker.volume = 100
    hall.leave()
    assert hall.idle and silent(hall)
    assert hall.speaker.volume == hall.speaker.options.volume
    hall.choose("start")
    assert not hall.scene.listens
    hall.choose("letter")
    assert len(said(hall)) == 1


def test_another_persons_card_is_another_visit_without_a_voice(hall):
    hall.identify("siti")
    hall.intend(ListenAsked)
    hear(hall)
    hall.tap("budi")
    assert not hall.scene.listens and silent(hall)


def test_the_forgotten_card_and_the_apology_are_told_to_who_listened(hall):
    hall.intend(ListenAsked)
    hall.tap("siti")
    hall.enter(DEMO_PIN)
    hall.leave()
    assert say("id", "do_not_forget_card") in hear(hall)
    hall.take_card()
    assert hall.idle and silent(hall)
    hall.choose("start")
    hall.intend(ListenAsked)
    hall.happen(SceneFailed())
    assert say("id", "something_broke") in hear(hall)


def test_the_question_whether_one_is_still_there_is_heard(hall):
    hall.intend(ListenAsked)
    hear(hall)
    hall.pass_s(hall.settings.patience.before_warning_s)
    words = say("id", "still_here")
    assert hall.speaker.wait_for_speech(lambda speech: speech.text == words, PATIENCE_S)
    for _ in range(3):
        hall.pass_s(1)
    assert said(hall).count(words) == 1


def test_progress_is_told_once(make_hall):
    hall = make_hall(head_mm_per_s=300.0)
    hall.wait_until(lambda: hall.devices.serving(Speaker.kind))
    hall.choose("start")
    hall.intend(ListenAsked)
    hall.choose("queue", "A")
    hall.wait_until(lambda: "done" in hall.offered)
    hear(hall)
    assert len(said(hall)) == len(set(said(hall)))


def test_the_button_is_there_only_where_a_speaker_serves(hall):
    hall.speaker.unplug()
    hall.wait_until(lambda: not hall.scene.can_listen)
    hall.speaker.plug()
    hall.wait_until(lambda: hall.scene.can_listen)


def test_a_speaker_that_goes_while_it_speaks_disturbs_nothing(hall):
    hall.intend(ListenAsked)
    hear(hall)
    hall.speaker.unplug()
    hall.wait_until(lambda: not hall.scene.can_listen)
    hall.choose("letter")
    assert hall.says("present_card")
    hall.speaker.plug()
    hall.wait_until(lambda: hall.scene.can_listen)
    assert hall.scene.listens
    assert say("id", "present_card") in hear(hall)


def test_a_driver_that_raises_disturbs_nothing(hall, monkeypatch, caplog):
    def broken(*_: object) -> None:
        raise RuntimeError("out of tune")

    for method in ("say", "hush", "reset_volume"):
        monkeypatch.setattr(hall.speaker, method, broken)
    hall.intend(ListenAsked)
    hall.choose("letter")
    assert hall.says("present_card")
    hall.leave()
    assert hall.idle
    assert "the visit goes on without a voice" in caplog.text


def test_the_technician_is_not_read_to(hall):
    hall.office.technician.set_pin("135791")
    hall.intend(ListenAsked)
    hear(hall)
    hall.intend(HelpAsked)
    hear(hall)
    hall.choose("technician")
    assert not hall.scene.can_listen and silent(hall)


def test_a_hall_without_a_speaker_offers_none(make_hall):
    hall = make_hall(printer=False)
    hall.status(Speaker.kind, DeviceState.ABSENT, "SPEAKER-ABSENT")
    hall.choose("start")
    assert not hall.scene.can_listen
