"""What is the same in every step: whose turn an event is, the way back, the deadlines, the end, and what is left."""

import gc
import logging
import queue
import threading
import types
from collections.abc import Iterator
from typing import Any

import pytest
from support.kiosk import NIKS

from config import settings as config
from hardware.card_reader.interface import Card, CardKind, CardReader
from hardware.code_scanner.interface import CodeScanner
from hardware.device import DeviceState
from hardware.printer.interface import Printer
from kiosk.attendant import MACHINE_LIMIT_S, Attendant, SceneFailed, Stop
from kiosk.bus import Bus
from kiosk.clock import Clock
from kiosk.demo.village import DEMO_CARDS, DEMO_PIN
from kiosk.devices import Devices
from kiosk.flows import home
from kiosk.intents import Chosen, Entered, HelpAsked, LanguageChosen, Left, StillHere, TextSizeToggled, WentBack
from kiosk.journal import Event
from kiosk.office import OfficeClosed, OfficeOpened
from kiosk.residents import Resident
from kiosk.spooler import PrintChanged
from kiosk.step import EndReason, Step
from kiosk.store.print_jobs import PrintKind, PrintState
from kiosk.views import (
    ChoiceView,
    FormView,
    IdleView,
    KeypadView,
    NoticeView,
    PresentCardView,
    ProgressView,
    ResultView,
    ReviewView,
    ScanView,
    Warning,
)

pytest_plugins = ["support.kiosk"]

PURPOSE = "Menyewa perahu layar"


def ends(hall) -> list[str]:
    return [facts["reason"] for facts in hall.journal(Event.VISIT_ENDED)]


# Whose turn an event is.


def test_a_touch_made_on_the_last_scene_does_nothing(quiet_hall):
    quiet_hall.choose("start")
    serial = quiet_hall.scene.serial
    quiet_hall.choose("queue")
    scene = quiet_hall.scene
    for kind, values in ((Chosen, ("A",)), (WentBack, ()), (Left, ()), (HelpAsked, ()), (LanguageChosen, ("en",))):
        quiet_hall.happen(kind(serial, *values))
        assert quiet_hall.scene is scene


def test_a_touch_on_a_scene_whose_answer_is_being_looked_for_does_nothing(quiet_hall):
    quiet_hall.choose("start")
    serial = quiet_hall.scene.serial
    quiet_hall.workers.hold()
    quiet_hall.choose("queue")
    quiet_hall.happen(Chosen(serial, "check"), Left(serial))
    quiet_hall.workers.release()
    quiet_hall.settle()
    assert "A" in quiet_hall.offered


def test_serials_only_grow(quiet_hall):
    quiet_hall.choose("start", "queue")
    quiet_hall.back()
    quiet_hall.leave()
    serials = [scene.serial for scene in quiet_hall.face.scenes]
    assert serials == sorted(set(serials))


def test_the_touch_on_the_idle_screen_begins_whatever_scene_it_was_made_on(quiet_hall):
    quiet_hall.happen(Chosen(0, "start"))
    assert "letter" in quiet_hall.offered


def test_what_cannot_be_chosen_on_the_idle_screen_begins_nothing(quiet_hall):
    quiet_hall.intend(Chosen, "letter")
    quiet_hall.intend(HelpAsked)
    quiet_hall.intend(LanguageChosen, "de")
    assert quiet_hall.idle


# The way back and the way out.


def test_back_walks_the_steps_one_by_one(quiet_hall):
    quiet_hall.choose("start", "letter", "nik")
    assert isinstance(quiet_hall.view, KeypadView)
    quiet_hall.back()
    assert isinstance(quiet_hall.view, PresentCardView)
    quiet_hall.back()
    assert "letter" in quiet_hall.offered
    assert not quiet_hall.scene.can_go_back


def test_back_leads_over_what_is_not_gone_back_to(quiet_hall):
    quiet_hall.choose("start", "letter")
    quiet_hall.identify("siti")
    quiet_hall.choose("domisili")
    quiet_hall.back()
    assert "domisili" in quiet_hall.offered
    quiet_hall.back()
    assert isinstance(quiet_hall.view, PresentCardView)  # not the PIN


def test_an_intent_to_go_back_where_that_is_not_offered_does_nothing(quiet_hall):
    quiet_hall.choose("start")
    scene = quiet_hall.scene
    quiet_hall.intend(WentBack)
    assert quiet_hall.scene is scene


def test_no_way_leads_behind_a_final_step(hall):
    hall.choose("start", "queue", "A")
    view = hall.wait_for(ResultView)
    assert not hall.scene.can_go_back
    hall.intend(WentBack)
    assert hall.view is view


def test_leaving_ends_the_visit(quiet_hall):
    quiet_hall.choose("start", "letter")
    quiet_hall.leave()
    assert quiet_hall.idle
    assert ends(quiet_hall) == [EndReason.LEFT]


# Language, size, help.


def test_language_and_text_size_keep_the_step_and_what_was_typed(quiet_hall):
    quiet_hall.choose("start", "letter", "nik")
    assert quiet_hall.scene.fresh
    quiet_hall.intend(LanguageChosen, "en")
    assert (quiet_hall.scene.language, quiet_hall.scene.fresh) == ("en", False)
    assert quiet_hall.says("enter_nik")
    quiet_hall.intend(TextSizeToggled)
    assert (quiet_hall.scene.large_text, quiet_hall.scene.fresh) == (True, False)
    quiet_hall.back()
    assert (quiet_hall.scene.language, quiet_hall.scene.large_text) == ("en", True)
    quiet_hall.leave()
    quiet_hall.choose("start")
    assert (quiet_hall.scene.language, quiet_hall.scene.large_text) == ("id", False)


def test_a_language_chosen_on_the_idle_screen_begins_the_visit_in_it(quiet_hall):
    quiet_hall.intend(LanguageChosen, "jv")
    assert (quiet_hall.scene.language, "letter" in quiet_hall.offered) == ("jv", True)


def test_a_language_that_the_hall_does_not_offer_is_not_spoken(make_hall, settings):
    screen = config.changed(settings.screen, languages=("id", "jv"))
    hall = make_hall(printer=False, settings=config.changed(settings, screen=screen))
    hall.choose("start")
    hall.intend(LanguageChosen, "en")
    assert hall.scene.language == "id"


def test_help_and_back_again(quiet_hall):
    quiet_hall.choose("start", "queue")
    quiet_hall.intend(HelpAsked)
    assert quiet_hall.says("help_text")
    around = quiet_hall.scene
    assert not (around.can_go_back or around.can_leave or around.can_ask_help)  # «Kembali» is the one large button
    assert [choice.value for choice in quiet_hall.view.choices if not choice.quiet] == ["back"]
    quiet_hall.intend(HelpAsked)  # once is enough
    quiet_hall.back()
    assert "A" in quiet_hall.offered
    quiet_hall.back()
    assert "queue" in quiet_hall.offered
    assert len(quiet_hall.journal(Event.HELP_ASKED)) == 2


def test_help_on_the_pin_leads_back_to_the_pin(quiet_hall):
    quiet_hall.tap("siti")
    quiet_hall.intend(HelpAsked)
    quiet_hall.back()
    assert quiet_hall.says("enter_pin")


def test_a_card_that_is_laid_down_while_help_is_read_goes_on(quiet_hall):
    quiet_hall.choose("start", "letter")
    quiet_hall.intend(HelpAsked)
    quiet_hall.identify("siti")
    assert quiet_hall.says("greeting", name="SITI AMINAH")
    quiet_hall.back()
    assert isinstance(quiet_hall.view, PresentCardView)


def test_help_on_a_result_leads_back_to_the_result(hall):
    hall.choose("start", "queue", "A")
    view = hall.wait_for(ResultView)
    hall.intend(HelpAsked)
    assert hall.says("help_text")
    hall.back()
    assert hall.view == view
    assert not hall.scene.can_go_back


def test_help_is_over_when_what_the_kiosk_works_on_is_done(hall):
    hall.workers.hold()
    hall.happen(Chosen(0, "start"))
    hall.choose("queue")
    hall.workers.release()
    hall.settle()
    hall.outside.jam()
    hall.wait_until(lambda: not hall.devices.serving(Printer.kind))
    hall.choose("A")
    hall.wait_for(NoticeView)
    hall.intend(HelpAsked)
    scene = hall.scene
    [job] = hall.job_ids(PrintKind.TICKET)
    hall.happen(PrintChanged(job, PrintState.HELD, "PRINTER-CUTTER"))
    assert hall.scene is scene  # still the same, and help is still there
    hall.outside.clear_jam()
    assert hall.wait_for(ResultView).big == "A-001"
    assert not hall.scene.can_go_back


def test_help_and_back_while_the_kiosk_works_asks_nothing_twice(quiet_hall):
    quiet_hall.tap("siti")
    quiet_hall.workers.hold()
    quiet_hall.enter("975310")
    quiet_hall.pass_s(1)
    assert isinstance(quiet_hall.view, ProgressView)
    quiet_hall.intend(HelpAsked)
    quiet_hall.back()
    quiet_hall.pass_s(1)
    assert isinstance(quiet_hall.view, ProgressView)
    quiet_hall.workers.release()
    quiet_hall.settle()
    assert quiet_hall.says("wrong_pin", n=4)
    assert len(quiet_hall.journal(Event.PIN_WRONG)) == 1


# Deadlines.


def test_an_idle_visitor_is_warned_and_then_the_visit_ends(quiet_hall):
    patience = quiet_hall.settings.patience
    quiet_hall.choose("start")
    quiet_hall.pass_s(patience.before_warning_s - 1)
    assert quiet_hall.face.warnings == []
    quiet_hall.pass_s(1)
    for _ in range(int(patience.warning_s) - 1):
        quiet_hall.pass_s(1)
    assert [warning.seconds_left for warning in quiet_hall.face.warnings] == [*range(int(patience.warning_s), 0, -1)]
    assert not quiet_hall.idle
    quiet_hall.pass_s(1)
    assert quiet_hall.idle
    assert quiet_hall.face.warnings[-1] is None
    assert ends(quiet_hall) == [EndReason.IDLE]


@pytest.mark.parametrize(
    "touch", [StillHere, TextSizeToggled, lambda serial: Chosen(serial, "nothing"), lambda serial: Entered(serial, "1")]
)
def test_any_touch_extends_the_visit_as_often_as_it_takes(quiet_hall, touch):
    patience = quiet_hall.settings.patience
    quiet_hall.choose("start")
    for _ in range(12):
        quiet_hall.pass_s(patience.before_warning_s)
        assert quiet_hall.face.warnings[-1] is not None
        quiet_hall.pass_s(patience.warning_s - 1)
        quiet_hall.happen(touch(quiet_hall.scene.serial))
        assert quiet_hall.face.warnings[-1] is None
    assert ends(quiet_hall) == []


def test_ones_own_card_extends_the_visit(quiet_hall):
    quiet_hall.identify("siti")
    quiet_hall.pass_s(quiet_hall.settings.patience.before_warning_s)
    quiet_hall.tap("siti")
    assert quiet_hall.face.warnings[-1] is None


def test_a_touch_on_another_scene_does_not_extend_the_visit(quiet_hall):
    quiet_hall.choose("start")
    quiet_hall.pass_s(quiet_hall.settings.patience.before_warning_s)
    quiet_hall.happen(StillHere(quiet_hall.scene.serial - 1))
    assert quiet_hall.face.warnings[-1] is not None


def test_a_clock_that_is_set_ends_no_visit(quiet_hall):
    quiet_hall.choose("start")
    quiet_hall.clock.set(quiet_hall.clock.now().replace(year=2030))
    quiet_hall.pass_s(1)
    assert quiet_hall.face.warnings == []


def test_a_result_goes_back_to_idle_without_a_warning(quiet_hall):
    quiet_hall.tap("siti")
    quiet_hall.take_card()
    quiet_hall.choose("forgot")
    quiet_hall.pass_s(quiet_hall.settings.patience.after_result_s)
    assert quiet_hall.idle
    assert quiet_hall.face.warnings == []
    assert ends(quiet_hall) == [EndReason.DONE]


class WaitedForFace:
    """Shown to from the attendant's thread, and waited for from the test's."""

    def __init__(self):
        self.shown = queue.SimpleQueue()

    def show(self, scene):
        self.shown.put(type(scene.view))

    def warn(self, warning):
        if warning is not None:
            self.shown.put(type(warning))


def test_the_loop_keeps_its_deadlines_by_itself_and_stops(make_hall, settings):
    """`run` on a thread and a clock that goes, as in the kiosk: nobody posts anything when the time has come."""
    hall = make_hall(printer=False)
    patience = config.changed(settings.patience, before_warning_s=0.05, warning_s=0.05)
    bus, face = Bus(), WaitedForFace()
    attendant = Attendant(
        config.changed(settings, patience=patience), bus, Clock(), face, Devices(hall.scanner), hall.workers
    )
    thread = threading.Thread(target=attendant.run)
    thread.start()
    try:
        for event in (OfficeOpened(hall.office), Chosen(0, "start")):
            bus.post(event)
        shown = [face.shown.get(timeout=5) for _ in range(5)]
        assert shown == [IdleView, IdleView, ChoiceView, Warning, IdleView]
    finally:
        bus.post(Stop())
        thread.join(5)
    assert not thread.is_alive()


# Cards.


def test_another_persons_card_ends_the_visit_and_begins_theirs(quiet_hall):
    quiet_hall.happen(LanguageChosen(0, "en"))
    quiet_hall.choose("letter")
    quiet_hall.identify("siti")
    shown_before = len(quiet_hall.face.scenes)
    quiet_hall.tap("budi")
    assert quiet_hall.says("enter_pin")
    assert quiet_hall.scene.language == "en"
    assert not quiet_hall.scene.can_go_back
    assert ends(quiet_hall) == [EndReason.OTHER_CARD]
    assert not any(isinstance(scene.view, NoticeView) for scene in quiet_hall.face.scenes[shown_before:])
    quiet_hall.enter(DEMO_PIN)
    assert quiet_hall.says("greeting", name="BUDI SANTOSO")


def test_a_cards_owner_may_lay_it_down_again(quiet_hall):
    quiet_hall.identify("siti")
    scene = quiet_hall.scene
    quiet_hall.tap("siti")
    assert quiet_hall.scene is scene


def cradle_hall(make_hall, settings):
    reader = config.changed(settings.card_reader, cradle=True)
    return make_hall(printer=False, settings=config.changed(settings, card_reader=reader))


def test_taking_the_card_out_of_a_cradle_ends_the_visit(make_hall, settings):
    hall = cradle_hall(make_hall, settings)
    hall.identify("siti")
    assert hall.idle
    assert ends(hall) == [EndReason.CARD_TAKEN]


def test_taking_it_before_the_pin_was_given_does_too(make_hall, settings):
    hall = cradle_hall(make_hall, settings)
    hall.tap("siti")
    assert hall.says("enter_pin_detail") and not hall.says("enter_pin_detail_card"), "nobody is told to take it"
    hall.take_card()
    assert hall.idle
    assert ends(hall) == [EndReason.CARD_TAKEN]


def test_taking_it_while_it_is_looked_up_does_too(make_hall, settings):
    hall = cradle_hall(make_hall, settings)
    hall.workers.hold()
    hall.tap("siti")
    hall.take_card()
    hall.workers.release()
    hall.settle()
    assert hall.idle
    assert ends(hall) == [EndReason.CARD_TAKEN]


def test_a_card_that_is_of_no_use_may_leave_the_cradle_for_its_nik_to_be_read(make_hall, settings):
    hall = cradle_hall(make_hall, settings)
    hall.tap("nobody")
    hall.choose("nik")
    hall.take_card()
    hall.enter(NIKS["siti"], DEMO_PIN)
    assert hall.says("greeting", name="SITI AMINAH")


def test_who_came_by_nik_leaves_with_the_card_that_lay_there(make_hall, settings):
    hall = cradle_hall(make_hall, settings)
    hall.tap("nobody")
    hall.choose("nik")
    hall.enter(NIKS["siti"], DEMO_PIN)
    assert hall.says("greeting", name="SITI AMINAH")
    hall.take_card()
    assert hall.idle
    assert ends(hall) == [EndReason.CARD_TAKEN]


def test_where_a_tap_is_enough_the_card_may_be_lifted(quiet_hall):
    quiet_hall.identify("siti")
    assert quiet_hall.says("greeting", name="SITI AMINAH")


def test_a_card_that_still_lies_there_at_the_end_is_called_out(quiet_hall):
    quiet_hall.tap("siti")
    quiet_hall.enter(DEMO_PIN)
    quiet_hall.leave()
    assert quiet_hall.says("do_not_forget_card")
    quiet_hall.take_card()
    assert quiet_hall.idle


def test_a_card_that_is_left_behind_is_called_out_for_a_while_only(quiet_hall):
    quiet_hall.tap("siti")
    quiet_hall.leave()
    quiet_hall.pass_s(quiet_hall.settings.patience.after_result_s)
    assert quiet_hall.idle


def test_a_reader_that_is_gone_holds_no_card(quiet_hall):
    quiet_hall.tap("siti")
    quiet_hall.status(CardReader.kind, DeviceState.ABSENT)
    quiet_hall.leave()
    assert quiet_hall.idle


# What breaks.


class Broken(Step):
    """Shown well, and raises at every touch."""

    def view(self, visit):
        return ChoiceView("?")

    def on(self, event, visit):
        if isinstance(event, Chosen):
            raise RuntimeError("broken")


def test_a_step_that_raises_ends_on_the_apology_and_service_goes_on_by_itself(quiet_hall, monkeypatch, caplog):
    monkeypatch.setattr(home, "open_queue", Broken)
    quiet_hall.identify("siti")
    quiet_hall.leave()
    quiet_hall.happen(LanguageChosen(0, "en"))
    quiet_hall.choose("queue")
    quiet_hall.intend(Chosen, "anything")
    assert quiet_hall.says("something_broke") and "KIOSK-ERROR" in quiet_hall.words
    assert quiet_hall.scene.language == "en"
    assert not quiet_hall.scene.can_go_back and not quiet_hall.scene.can_leave
    assert len(quiet_hall.journal(Event.VISIT_FAILED)) == 1
    assert "ends on the apology: RuntimeError" in caplog.text
    quiet_hall.pass_s(quiet_hall.settings.patience.after_result_s)
    assert quiet_hall.idle
    quiet_hall.choose("start", "letter")  # and it serves
    quiet_hall.identify("budi")
    assert quiet_hall.says("greeting", name="BUDI SANTOSO")


def test_an_apology_may_be_left_at_once(quiet_hall):
    quiet_hall.choose("start")
    quiet_hall.happen(SceneFailed())
    quiet_hall.choose("done")
    assert quiet_hall.idle
    assert ends(quiet_hall) == [EndReason.ERROR]


def test_a_scene_that_could_not_be_drawn_ends_on_the_apology(quiet_hall):
    quiet_hall.identify("siti")
    quiet_hall.happen(SceneFailed())
    assert quiet_hall.says("something_broke")


def test_an_apology_that_could_not_be_drawn_goes_back_to_idle(quiet_hall):
    quiet_hall.choose("start")
    quiet_hall.happen(SceneFailed(), SceneFailed())
    assert quiet_hall.idle
    quiet_hall.choose("start")
    assert "letter" in quiet_hall.offered


def test_a_view_that_raises_ends_on_the_apology(quiet_hall, monkeypatch):
    monkeypatch.setattr(home, "open_queue", Step)
    quiet_hall.choose("start", "queue")
    assert quiet_hall.says("something_broke")


def test_an_office_that_cannot_answer_ends_on_the_apology(quiet_hall, monkeypatch):
    monkeypatch.setattr(type(quiet_hall.office.queue), "waiting", lambda self, code: 1 / 0)
    quiet_hall.choose("start", "queue")
    assert quiet_hall.says("something_broke")


def test_a_machine_without_a_sign_of_life_ends_on_the_apology(quiet_hall):
    quiet_hall.choose("start")
    quiet_hall.workers.hold()
    quiet_hall.choose("queue")
    quiet_hall.pass_s(1)
    assert quiet_hall.says("please_wait")
    quiet_hall.pass_s(MACHINE_LIMIT_S - 2)
    assert quiet_hall.says("please_wait")
    quiet_hall.pass_s(1)
    assert quiet_hall.says("something_broke")


def test_a_quick_answer_shows_no_progress(quiet_hall):
    quiet_hall.choose("start", "queue")
    assert not any(isinstance(scene.view, ProgressView) for scene in quiet_hall.face.scenes)


def test_an_answer_for_a_visit_that_has_ended_is_dropped_and_journalled(quiet_hall):
    quiet_hall.tap("siti")
    quiet_hall.workers.hold()
    quiet_hall.enter(DEMO_PIN)
    quiet_hall.tap("budi")  # not identified yet, so the visit goes on with another card
    quiet_hall.happen(SceneFailed())
    quiet_hall.workers.release()
    quiet_hall.settle()
    assert quiet_hall.says("something_broke")
    assert len(quiet_hall.journal(Event.REPLY_DROPPED)) >= 1


def test_a_journal_that_cannot_be_written_stops_nobody(quiet_hall, monkeypatch):
    def full(self, event, **facts):
        raise OSError("no space left on device")

    monkeypatch.setattr(type(quiet_hall.office.journal), "record", full)
    quiet_hall.choose("start", "queue")
    assert "A" in quiet_hall.offered


def test_the_end_of_a_visit_waits_for_no_database(quiet_hall):
    quiet_hall.identify("siti")
    quiet_hall.workers.hold()
    with quiet_hall.office.store.write():  # nobody else can write
        quiet_hall.leave()
        assert quiet_hall.idle
    quiet_hall.workers.release()
    assert ends(quiet_hall) == [EndReason.LEFT]


# Before the office is open, and when it cannot be.


def test_a_touch_before_the_office_is_open_waits_for_it(make_hall):
    hall = make_hall(printer=False, opened=False)
    hall.happen(LanguageChosen(0, "jv"))
    assert hall.says("please_wait")
    hall.open()
    assert (hall.scene.language, "letter" in hall.offered) == ("jv", True)


def test_a_card_before_the_office_is_open_waits_for_it(make_hall):
    hall = make_hall(printer=False, opened=False)
    hall.tap("budi")
    assert hall.says("please_wait")
    hall.tap("siti")
    hall.open()
    hall.enter(DEMO_PIN)
    assert hall.says("greeting", name="SITI AMINAH")


def test_help_before_the_office_is_open_does_not_lose_the_visit(make_hall):
    hall = make_hall(printer=False, opened=False)
    hall.happen(Chosen(0, "start"))
    hall.intend(HelpAsked)
    hall.open()
    assert "letter" in hall.offered or hall.scene.can_go_back


def test_a_kiosk_without_its_database_is_out_of_order_until_it_has_it(make_hall):
    hall = make_hall(printer=False, opened=False)
    hall.happen(Chosen(0, "start"))
    hall.happen(OfficeClosed("DATABASE-BROKEN"))
    assert hall.says("out_of_order") and "DATABASE-BROKEN" in hall.words
    scene = hall.scene
    hall.happen(Chosen(scene.serial, "start"), LanguageChosen(scene.serial, "id"))
    hall.tap("siti")
    hall.pass_s(1000)
    assert hall.scene is scene
    hall.open()
    assert hall.idle
    hall.choose("start")
    assert "letter" in hall.offered


def test_the_office_that_opens_on_an_idle_kiosk_leaves_it_idle(quiet_hall):
    quiet_hall.happen(OfficeOpened(quiet_hall.office))
    assert quiet_hall.idle


# Devices.


def test_the_idle_screen_says_in_plain_words_what_does_not_work(quiet_hall):
    assert quiet_hall.says("printer_away_today") and not quiet_hall.says("card_reader_away_today")
    quiet_hall.status(CardReader.kind, DeviceState.ABSENT, "CARD-READER-ABSENT")
    assert quiet_hall.says("card_reader_away_today")
    quiet_hall.status(CardReader.kind, DeviceState.READY)
    quiet_hall.status(Printer.kind, DeviceState.READY)
    assert quiet_hall.view.notices == ()


def test_a_change_that_changes_nothing_for_the_visitor_redraws_nothing(quiet_hall):
    scene = quiet_hall.scene
    quiet_hall.status(CardReader.kind, DeviceState.BUSY)
    assert quiet_hall.scene is scene
    assert quiet_hall.journal(Event.DEVICE_CHANGED)[-1]["state"] == "busy"


def test_the_scanner_listens_in_the_check_step_only(quiet_hall):
    def listens() -> bool:
        return quiet_hall.scanner._listening is not None

    assert not listens()
    quiet_hall.choose("start")
    assert not listens()
    quiet_hall.choose("check")
    assert isinstance(quiet_hall.view, ScanView) and listens()
    quiet_hall.intend(LanguageChosen, "en")
    assert listens()
    quiet_hall.intend(HelpAsked)
    assert not listens()
    quiet_hall.back()
    assert listens()
    quiet_hall.show_code(b"something else")
    quiet_hall.wait_for(ResultView)
    assert not listens()
    quiet_hall.choose("again")
    assert listens()
    quiet_hall.leave()
    assert not listens()


def test_the_scanner_stops_listening_when_the_visit_breaks(quiet_hall):
    quiet_hall.choose("start", "check")
    quiet_hall.happen(SceneFailed())
    assert quiet_hall.scanner._listening is None


# What is left.


def reachable(root: Any) -> Iterator[Any]:
    """Every object that can be reached from `root`, but not over modules, classes and the globals of functions."""
    seen, waiting = {}, [root]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, types.ModuleType | type | types.FrameType | logging.Logger):
            continue
        seen[id(item)] = item
        yield item
        if isinstance(item, types.FunctionType):
            waiting += [item.__closure__, item.__defaults__, item.__dict__]
        else:
            waiting += gc.get_referents(item)


def traces(hall) -> list[str]:
    """What the kiosk still knows of the visit told in `letter_up_to_the_review`."""
    found = []
    for item in reachable((hall.attendant, hall.face.scenes[-1])):
        if isinstance(item, Resident | Card | Entered):
            found.append(type(item).__name__)
        elif isinstance(item, str) and any(text in item for text in (NIKS["siti"], PURPOSE, DEMO_PIN, "SITI AMINAH")):
            found.append(item)
        elif isinstance(item, bytes) and item == DEMO_CARDS["siti"]:
            found.append("uid")
    return found


def letter_up_to_the_review(hall) -> None:
    hall.choose("start", "letter")
    hall.tap("siti")
    hall.enter(DEMO_PIN)
    hall.choose("domisili")
    hall.enter(PURPOSE)
    assert isinstance(hall.view, ReviewView)


def by_leaving(hall):
    hall.leave()


def by_idling(hall):
    hall.pass_s(hall.settings.patience.before_warning_s)
    hall.pass_s(hall.settings.patience.warning_s)


def by_breaking(hall):
    hall.happen(SceneFailed())


def by_another_card(hall):
    hall.tap_card(Card(bytes.fromhex("0102030405"), CardKind.OTHER))


@pytest.mark.parametrize("end", [by_leaving, by_idling, by_breaking, by_another_card])
def test_nothing_of_a_visit_is_left_after_it(quiet_hall, end, caplog):
    letter_up_to_the_review(quiet_hall)
    assert {"Resident", "Card", PURPOSE} <= set(traces(quiet_hall))  # so the walk does find them
    end(quiet_hall)
    quiet_hall.face.scenes = quiet_hall.face.scenes[-1:]
    assert not isinstance(quiet_hall.view, IdleView | ReviewView)  # the forgotten card, the apology or the next visit
    assert traces(quiet_hall) == []
    assert not any(text in caplog.text for text in (NIKS["siti"], PURPOSE, DEMO_PIN, "SITI AMINAH"))


def test_a_copy_that_waits_does_not_come_out_for_the_next_person(hall):
    hall.issue(hall.submit("siti"))
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving(Printer.kind))
    for end in (by_breaking, lambda hall: hall.tap("budi")):
        hall.identify("siti")
        hall.choose(hall.requests_of("siti")[0].number, "print")
        hall.wait_for(NoticeView)
        end(hall)
        hall.settle()
        [*_, job] = hall.job_ids(PrintKind.LETTER_COPY)
        assert (hall.job(job).state, hall.job(job).code) == (PrintState.CANCELLED, "PRINT-OWNER-LEFT")
        hall.pass_s(hall.settings.patience.after_result_s)
        while not hall.idle:
            hall.leave()
            hall.take_card()


def test_a_copy_whose_owner_left_while_it_was_asked_for_does_not_come_out(hall):
    hall.issue(hall.submit("siti"))
    papers = len(hall.outside.papers)
    hall.identify("siti")
    hall.choose(hall.requests_of("siti")[0].number)
    hall.workers.hold()
    hall.choose("print")
    hall.tap("budi")
    hall.workers.release()
    hall.settle()
    [job] = hall.job_ids(PrintKind.LETTER_COPY)
    assert hall.job_state(job) is PrintState.CANCELLED
    hall.enter(DEMO_PIN)
    hall.take_card()
    hall.choose("domisili")
    hall.enter(PURPOSE)
    hall.choose("send")
    hall.wait_for(ResultView)
    assert len(hall.outside.papers) == papers + 1


def test_a_copy_whose_owner_left_while_it_was_printed_does_not_come_out_later(make_hall):
    hall = make_hall(head_mm_per_s=2000.0)
    hall.issue(hall.submit("siti"))
    papers = len(hall.outside.papers)
    hall.identify("siti")
    hall.choose(hall.requests_of("siti")[0].number)
    hall.outside.paper_out_at_row(600)
    hall.choose("print")
    hall.wait_until(lambda: hall.job_state(hall.job_ids(PrintKind.LETTER_COPY)[0]) is PrintState.SENDING)
    hall.tap("budi")
    [job] = hall.job_ids(PrintKind.LETTER_COPY)
    hall.wait_until(lambda: hall.job_state(job) is not PrintState.SENDING)
    assert (hall.job(job).state, hall.job(job).code) == (PrintState.CANCELLED, "PRINT-OWNER-LEFT")
    hall.outside.refill()
    hall.wait_until(lambda: hall.devices.serving(Printer.kind))
    ticket = hall.office.queue.take("A", "after")
    hall.office.spooler.watch(ticket.print_job_id)
    hall.wait_until(lambda: hall.job_state(ticket.print_job_id) is PrintState.PRINTED)
    void, paper = hall.outside.papers[papers:]
    assert void.void
    assert hall.is_on(paper, ticket.print_job_id)


def test_a_scanner_that_goes_away_takes_its_choice_with_it(quiet_hall):
    quiet_hall.status(CodeScanner.kind, DeviceState.ABSENT)
    quiet_hall.choose("start")
    assert quiet_hall.offered["check"] is False
    quiet_hall.intend(Chosen, "check")
    assert "check" in quiet_hall.offered


def test_a_form_is_kept_when_help_was_looked_at(quiet_hall):
    quiet_hall.identify("siti")
    quiet_hall.choose("usaha")
    quiet_hall.enter("Warung makan")
    quiet_hall.intend(HelpAsked)
    quiet_hall.back()
    assert isinstance(quiet_hall.view, FormView) and quiet_hall.view.progress == (2, 3)
    quiet_hall.back()
    assert quiet_hall.view.value == "Warung makan"
