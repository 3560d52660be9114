"""The technician: the way in, every active check to a good and to a bad end, and nothing of a resident in reach."""

from dataclasses import replace

import pytest
from support.kiosk import NIKS, Hall

from config import settings as config
from hardware.card_reader.interface import Card, CardKind, CardPresented, CardReader, CardUnreadable
from hardware.code_scanner.interface import CodeScanner, CodeUnreadable
from hardware.device import DeviceState
from hardware.machine.virtual import VirtualMachine
from hardware.printer.interface import Acknowledgement
from kiosk.check_results import ABANDONED
from kiosk.flows.technician import BEGINNINGS, PANEL_COLOURS
from kiosk.intents import Chosen, HelpAsked
from kiosk.journal import Event
from kiosk.selftest.registry import CHECKS, Finding, Verdict
from kiosk.store.print_jobs import PrintKind, PrintState
from kiosk.views import (
    ChoiceView,
    ColourView,
    KeypadView,
    NoticeView,
    PresentCardView,
    ResultView,
    ReviewView,
    ScanView,
    TouchGridView,
)

pytest_plugins = ["support.kiosk"]

PIN, WRONG = "135791", "975318"
ANY_CARD = Card(bytes.fromhex("0a1b2c3d"), CardKind.UNKNOWN)


@pytest.fixture
def make_technicians_hall(make_hall):
    """A hall with every device, and the technician's PIN set."""
    started = []

    def make(**options) -> Hall:
        hall = make_hall(opened=False, **options)
        machine = VirtualMachine("machine", VirtualMachine.Options())
        machine.start(lambda event: None)
        started.append(machine)
        hall.others = {"speaker": hall.speaker, "machine": machine}
        hall.open()
        for device in hall.others.values():
            assert device.wait_for_status(lambda status: status.state is DeviceState.READY, 5).serving
            hall.status(device.kind, DeviceState.READY)
        hall.office.technician.set_pin(PIN)
        return hall

    yield make
    for device in started:
        device.stop()


@pytest.fixture
def hall(make_technicians_hall) -> Hall:
    return make_technicians_hall()


@pytest.fixture
def quiet_hall(make_technicians_hall) -> Hall:
    return make_technicians_hall(printer=False)


def come_in(hall: Hall) -> None:
    if hall.idle:
        hall.choose("start")
    hall.intend(HelpAsked)
    hall.choose("technician")
    hall.enter(PIN)
    assert "passive" in hall.offered


def last(hall: Hall, check: str) -> tuple[Verdict, str]:
    finding = hall.office.selftest.results.last()[check].finding
    return finding.verdict, finding.code


def ended(hall: Hall, check: str, verdict: Verdict, code: str = "") -> bool:
    """Whether that is kept and shown, and the menu is one touch away."""
    shown = isinstance(hall.view, ResultView) and hall.says(f"part_{check.replace(' ', '_')}")
    kept = last(hall, check) == (verdict, code)
    hall.choose("menu")
    return shown and kept and "passive" in hall.offered


def page(hall: Hall, check: str):
    """Begin a check that prints, and wait for its paper."""
    before = len(hall.outside.papers)
    hall.choose(check)
    hall.wait_until(lambda: isinstance(hall.view, NoticeView | ScanView))
    assert len(hall.outside.papers) == before + 1
    return hall.outside.papers[-1]


# The way in.


def test_every_active_check_can_be_begun():
    assert set(BEGINNINGS) == {check.name for check in CHECKS.values() if check.active}


def test_from_help_with_the_pin(quiet_hall):
    quiet_hall.choose("start")
    quiet_hall.intend(HelpAsked)
    [choice] = [choice for choice in quiet_hall.view.choices if choice.value == "technician"]
    assert choice.quiet
    quiet_hall.choose("technician")
    assert isinstance(quiet_hall.view, KeypadView) and quiet_hall.view.secret
    quiet_hall.enter(PIN)
    assert quiet_hall.view.title == "Teknisi"
    quiet_hall.leave()
    assert quiet_hall.idle


def test_a_wrong_pin_counts_and_locks_and_only_the_command_line_opens_it_again(quiet_hall):
    quiet_hall.choose("start")
    quiet_hall.intend(HelpAsked)
    quiet_hall.choose("technician")
    for left in (4, 3, 2, 1):
        quiet_hall.enter(WRONG)
        assert quiet_hall.says("wrong_pin", n=left)
    quiet_hall.enter(WRONG)
    assert quiet_hall.says("locked") and quiet_hall.says("technician_locked_until", time="09.15")
    quiet_hall.choose("done")
    come_to_pin(quiet_hall)
    quiet_hall.enter(PIN)
    assert quiet_hall.says("locked"), "also for the right one"
    quiet_hall.choose("done")
    assert {entry["by"] for entry in quiet_hall.journal(Event.PIN_WRONG, Event.LOCKED_OUT)} == {"technician"}
    quiet_hall.office.technician.set_pin(PIN)
    come_in(quiet_hall)


def come_to_pin(hall: Hall) -> None:
    hall.choose("start")
    hall.intend(HelpAsked)
    hall.choose("technician")


def test_after_ten_wrong_pins_no_time_opens_it(quiet_hall):
    come_to_pin(quiet_hall)
    for _ in range(10):
        if isinstance(quiet_hall.view, KeypadView):
            quiet_hall.enter(WRONG)
        if not isinstance(quiet_hall.view, KeypadView):
            quiet_hall.choose("done")
            quiet_hall.pass_s(24 * 3600)
            come_to_pin(quiet_hall)
    quiet_hall.enter(PIN)
    assert quiet_hall.says("technician_locked")


def test_a_resident_s_pin_is_not_the_technician_s(quiet_hall):
    come_to_pin(quiet_hall)
    quiet_hall.enter("246802")
    assert quiet_hall.says("wrong_pin", n=4)


def test_without_a_pin_nobody_comes_in(make_hall):
    hall = make_hall(printer=False)
    come_to_pin(hall)
    assert hall.says("technician_has_no_pin")
    hall.choose("done")
    assert hall.idle


def test_the_technician_takes_over_and_the_resident_is_gone(quiet_hall):
    quiet_hall.identify("siti")
    assert any("SITI" in text for text in quiet_hall.words)
    visit = quiet_hall.attendant._visit
    come_in(quiet_hall)
    assert visit.resident is None and visit.card is None
    assert quiet_hall.attendant._visit is not visit and not quiet_hall.scene.can_go_back
    for way in ("passive", "menu", "card", "give_up", "menu"):
        quiet_hall.choose(way)
        assert not quiet_hall.scene.can_go_back
        assert not any("SITI" in text or NIKS["siti"] in text for text in quiet_hall.words)


def test_the_menu_has_one_way_out(quiet_hall):
    come_in(quiet_hall)
    assert "done" not in quiet_hall.offered
    quiet_hall.leave()
    assert quiet_hall.idle


def test_a_resident_s_card_opens_nothing_in_the_technician_s_menu(quiet_hall):
    come_in(quiet_hall)
    before = quiet_hall.words
    quiet_hall.tap("siti")
    assert quiet_hall.words == before


def test_who_says_nothing_is_asked_and_then_left(quiet_hall):
    come_in(quiet_hall)
    patience = quiet_hall.settings.patience
    quiet_hall.pass_s(patience.before_warning_s)
    assert quiet_hall.face.warnings[-1] is not None
    quiet_hall.pass_s(patience.warning_s)
    assert quiet_hall.idle


def test_help_from_a_starting_kiosk_offers_no_technician(make_hall):
    hall = make_hall(printer=False, opened=False)
    hall.choose("start")
    hall.intend(HelpAsked)
    assert "technician" not in hall.offered
    hall.intend(Chosen, "technician")
    assert hall.says("help_text")


# Every part.


def test_every_part_is_told_and_again_when_a_device_changes(quiet_hall):
    come_in(quiet_hall)
    quiet_hall.choose("passive")
    assert isinstance(quiet_hall.view, ReviewView)
    facts = {fact.label: fact.value for fact in quiet_hall.view.facts}
    assert facts["Basis data"] == "Baik" and facts["Suhu"] == "Baik · 48 °C"
    machine = quiet_hall.others["machine"]
    machine.set(temperature_c=85.0)
    status = machine.wait_for_status(lambda status: status.code == "MACHINE-HOT", 5)
    quiet_hall.status("machine", status.state, status.code)
    facts = {fact.label: fact.value for fact in quiet_hall.view.facts}
    assert facts["Suhu"].startswith("Perhatian · MACHINE-HOT. Bersihkan debu")
    assert last(quiet_hall, "temperature") == (Verdict.ATTENTION, "MACHINE-HOT")
    quiet_hall.choose("again", "menu")
    quiet_hall.leave()
    assert quiet_hall.idle


def test_devices_that_change_during_a_look_make_one_more_look(quiet_hall):
    come_in(quiet_hall)
    quiet_hall.choose("passive")
    looks = []
    look = type(quiet_hall.office.selftest).look
    quiet_hall.workers.hold()
    for _ in range(5):
        quiet_hall.status("machine", DeviceState.ATTENTION, "MACHINE-HOT")
        quiet_hall.status("machine", DeviceState.READY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(quiet_hall.office.selftest), "look", lambda self: looks.append(1) or look(self))
        quiet_hall.workers.release()
        quiet_hall.settle()
    assert len(looks) == 2


def test_the_report_comes_on_paper(hall):
    results = hall.office.selftest.results
    results.end(results.begin("touch"), Finding("touch", Verdict.FAIL, "TOUCH-NOT-EVERYWHERE"))
    come_in(hall)
    hall.choose("report")
    hall.wait_until(lambda: "passive" in hall.offered)
    [job_id] = hall.job_ids(PrintKind.SELF_TEST)
    assert hall.job_state(job_id) is PrintState.PRINTED
    assert len(hall.outside.papers) == 1


# Active checks.


@pytest.mark.parametrize(
    ("answer", "verdict", "code"),
    [("touched", Verdict.PASS, ""), ("give_up", Verdict.FAIL, "TOUCH-NOT-EVERYWHERE")],
)
def test_touch(quiet_hall, answer, verdict, code):
    come_in(quiet_hall)
    quiet_hall.choose("touch")
    assert isinstance(quiet_hall.view, TouchGridView)
    quiet_hall.intend(Chosen, answer)
    assert ended(quiet_hall, "touch", verdict, code)


@pytest.mark.parametrize(
    ("answer", "verdict", "code"), [("yes", Verdict.PASS, ""), ("no", Verdict.FAIL, "SCREEN-NOT-EVEN")]
)
def test_colours(quiet_hall, answer, verdict, code):
    come_in(quiet_hall)
    quiet_hall.choose("colours")
    shown = []
    while isinstance(quiet_hall.view, ColourView):
        shown.append(quiet_hall.view.colour)
        quiet_hall.intend(Chosen, "next")
    assert tuple(shown) == PANEL_COLOURS
    quiet_hall.choose(answer)
    assert ended(quiet_hall, "colours", verdict, code)


def test_any_card_passes_and_its_number_is_not_shown(quiet_hall):
    come_in(quiet_hall)
    quiet_hall.choose("card")
    assert isinstance(quiet_hall.view, PresentCardView)
    quiet_hall.tap_card(ANY_CARD)
    mark = quiet_hall.office.technician.card_mark(ANY_CARD.uid)
    assert len(mark) == 4 and mark in quiet_hall.words
    assert mark != quiet_hall.office.technician.card_mark(bytes.fromhex("0a1b2c3e"))
    assert not any(ANY_CARD.uid.hex() in text.lower() for text in quiet_hall.words)
    kept = quiet_hall.office.selftest.results.last()["card"].finding
    assert kept.detail == "unknown"
    assert ended(quiet_hall, "card", Verdict.PASS)


def test_a_card_that_cannot_be_read_may_be_tried_again_and_given_up(quiet_hall):
    come_in(quiet_hall)
    quiet_hall.choose("card")
    quiet_hall.happen(CardUnreadable("card_reader", "CARD-MUTE"))
    assert any("CARD-MUTE" in text for text in quiet_hall.words)
    quiet_hall.choose("give_up")
    assert ended(quiet_hall, "card", Verdict.FAIL, "CARD-MUTE")
    quiet_hall.choose("card", "give_up")
    assert ended(quiet_hall, "card", Verdict.FAIL, "CHECK-GIVEN-UP")


def test_a_reader_that_is_or_goes_away_fails_the_card_check(quiet_hall):
    come_in(quiet_hall)
    quiet_hall.choose("card")
    quiet_hall.status(CardReader.kind, DeviceState.ABSENT, "CARD-READER-ABSENT")
    assert ended(quiet_hall, "card", Verdict.FAIL, "CARD-READER-ABSENT")
    quiet_hall.choose("card")
    assert ended(quiet_hall, "card", Verdict.FAIL, "CARD-READER-ABSENT")


def test_the_page_that_was_printed_is_read_back(hall):
    come_in(hall)
    paper = page(hall, "print and scan")
    assert isinstance(hall.view, ScanView)
    hall.scanner.show_picture(paper.image)
    hall.wait_for(ResultView)
    assert ended(hall, "print and scan", Verdict.PASS)


def test_an_older_page_does_not_stand_in_for_this_one(hall):
    come_in(hall)
    older = page(hall, "print and scan")
    hall.choose("give_up", "menu")
    page(hall, "print and scan")
    hall.scanner.show_picture(older.image)
    hall.wait_until(lambda: hall.says("not_the_code_of_this_page"))
    hall.choose("give_up")
    assert ended(hall, "print and scan", Verdict.FAIL, "SCANNER-OTHER-CODE")


def test_a_code_that_cannot_be_read_is_told(hall):
    come_in(hall)
    page(hall, "print and scan")
    hall.happen(CodeUnreadable("code_scanner", "SCANNER-HALF-CODE"))
    hall.choose("give_up")
    assert ended(hall, "print and scan", Verdict.FAIL, "SCANNER-HALF-CODE")


def test_a_scanner_that_is_away_fails_after_the_page(hall):
    hall.status(CodeScanner.kind, DeviceState.ABSENT, "SCANNER-ABSENT")
    come_in(hall)
    hall.choose("print and scan")
    hall.wait_for(ResultView)
    assert ended(hall, "print and scan", Verdict.FAIL, "SCANNER-ABSENT")


QUESTIONS = [("print quality", "PRINTER-BAD-PRINT"), ("cutter", "PRINTER-NOT-CUT")]


@pytest.mark.parametrize(("check", "code"), QUESTIONS)
def test_what_only_eyes_can_tell_of_a_page(hall, check, code):
    come_in(hall)
    page(hall, check)
    hall.choose("yes")
    assert ended(hall, check, Verdict.PASS)
    page(hall, check)
    hall.choose("no")
    assert ended(hall, check, Verdict.FAIL, code)


@pytest.mark.parametrize("check", ["print and scan", "print quality", "cutter"])
def test_without_paper_every_page_fails_and_none_comes_later(hall, check):
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving("printer"))
    come_in(hall)
    hall.choose(check)
    hall.wait_until(lambda: "without" in hall.offered)
    hall.choose("without")
    assert ended(hall, check, Verdict.FAIL, "PRINTER-PAPER-OUT")
    hall.outside.refill()
    hall.wait_until(lambda: hall.devices.serving("printer"))
    assert [hall.job_state(job) for job in hall.job_ids(PrintKind.SELF_TEST)] == [PrintState.CANCELLED]
    assert hall.outside.papers == []


def test_a_page_that_waits_is_not_printed_when_the_technician_has_left(hall):
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving("printer"))
    come_in(hall)
    hall.choose("cutter")
    hall.wait_until(lambda: "without" in hall.offered)
    hall.pass_s(hall.settings.patience.before_warning_s)
    hall.pass_s(hall.settings.patience.warning_s)
    assert hall.idle and last(hall, "cutter") == (Verdict.FAIL, ABANDONED)
    assert [hall.job_state(job) for job in hall.job_ids(PrintKind.SELF_TEST)] == [PrintState.CANCELLED]


def test_a_printer_that_never_answers_asks_the_technician(make_technicians_hall):
    hall = make_technicians_hall(acknowledgement=Acknowledgement.NONE)
    come_in(hall)
    hall.choose("print quality")
    hall.wait_until(lambda: hall.says("did_paper_come_out"))
    hall.choose("yes", "yes")
    assert ended(hall, "print quality", Verdict.PASS)


@pytest.mark.parametrize(
    ("answer", "verdict", "code"), [("yes", Verdict.PASS, ""), ("no", Verdict.FAIL, "SPEAKER-NOT-HEARD")]
)
def test_sound(quiet_hall, answer, verdict, code):
    come_in(quiet_hall)
    quiet_hall.choose("sound")
    speaker = quiet_hall.others["speaker"]
    assert speaker.wait_for_speech(lambda speech: speech.text.startswith("Selamat datang"), 5)
    quiet_hall.choose("again")
    assert speaker.wait_for_speech(lambda speech: len(speaker.spoken) == 2, 5)
    quiet_hall.choose(answer)
    assert ended(quiet_hall, "sound", verdict, code)


def test_a_speaker_that_is_away_fails(quiet_hall):
    quiet_hall.status("speaker", DeviceState.ABSENT, "SPEAKER-ABSENT")
    come_in(quiet_hall)
    quiet_hall.choose("sound")
    assert ended(quiet_hall, "sound", Verdict.FAIL, "SPEAKER-ABSENT")


# What is not there, what is not ended.


def test_what_the_hall_does_not_have_cannot_be_tested(make_technicians_hall, settings):
    hall = make_technicians_hall(settings=config.changed(settings, speaker=None, card_reader=None), printer=False)
    come_in(hall)
    assert {name for name, available in hall.offered.items() if not available} == {"sound", "card"}
    hall.intend(Chosen, "sound")
    assert isinstance(hall.view, ChoiceView) and hall.office.selftest.results.last() == {}


def test_a_printer_without_a_cutter_has_none_to_test(make_technicians_hall):
    hall = make_technicians_hall(has_cutter=False)
    come_in(hall)
    assert not hall.offered["cutter"] and hall.offered["print quality"]


@pytest.mark.parametrize("check", ["touch", "colours", "card", "sound"])
def test_who_leaves_or_falls_asleep_leaves_a_failed_check(quiet_hall, check):
    patience = quiet_hall.settings.patience
    come_in(quiet_hall)
    quiet_hall.choose(check)
    quiet_hall.leave()
    assert quiet_hall.idle and last(quiet_hall, check) == (Verdict.FAIL, ABANDONED)
    come_in(quiet_hall)
    quiet_hall.choose(check)
    quiet_hall.pass_s(patience.before_warning_s)
    quiet_hall.pass_s(patience.warning_s)
    assert quiet_hall.idle and last(quiet_hall, check) == (Verdict.FAIL, ABANDONED)


@pytest.mark.parametrize("check", BEGINNINGS)
def test_every_check_has_failed_until_its_end_says_otherwise(hall, check):
    come_in(hall)
    hall.choose(check)
    assert last(hall, check)[0] is Verdict.FAIL


@pytest.mark.parametrize("check", ["touch", "print and scan"])
def test_a_check_that_was_under_way_when_the_power_went_has_failed(hall, check):
    come_in(hall)
    if check == "touch":
        hall.choose(check)
    else:
        page(hall, check)
    hall.restart()
    assert last(hall, check) == (Verdict.FAIL, ABANDONED)
    come_in(hall)
    assert any(f"Gagal · {ABANDONED}" in text for text in hall.words)


def test_the_menu_tells_the_last_result_and_when(quiet_hall):
    come_in(quiet_hall)
    assert sum(text == "Belum pernah diuji" for text in quiet_hall.words) == 7
    quiet_hall.choose("touch")
    quiet_hall.intend(Chosen, "touched")
    quiet_hall.choose("menu")
    assert "Baik · 24-11-2026 09.00" in quiet_hall.words


def test_an_event_of_a_card_that_lies_there_after_the_check_changes_nothing(quiet_hall):
    come_in(quiet_hall)
    quiet_hall.choose("card")
    quiet_hall.tap_card(ANY_CARD)
    words = quiet_hall.words
    quiet_hall.happen(CardPresented("card_reader", replace(ANY_CARD, uid=b"1234")))
    assert quiet_hall.words == words
