"""The letter story, from the first touch to the paper, and what can happen on the way."""

import logging
from datetime import timedelta

import pytest
from support.kiosk import NIKS, OFFICER, texts_of

from config.translations import say
from kiosk import spooler
from kiosk.demo.village import DEMO_PIN
from kiosk.flows.letter import ENDED_SHOWN
from kiosk.intents import Chosen, Entered, LanguageChosen
from kiosk.journal import Event
from kiosk.paper.document import Table
from kiosk.requests import RequestState
from kiosk.store.print_jobs import PrintKind, PrintState
from kiosk.views import ChoiceView, FormView, NoticeView, ResultView, ReviewView

pytest_plugins = ["support.kiosk"]

PURPOSE = "Menyewa perahu layar"
#: From the idle screen to the paper, besides PIN and text (the issue's promise).
MOST_TOUCHES = 8


def come(hall, name="siti"):
    """From the idle screen to one's letters, by card."""
    hall.choose("start", "letter")
    hall.identify(name)


def send(hall):
    hall.choose("send")
    return hall.wait_for(ResultView)


@pytest.mark.parametrize(
    ("letter_type", "answers"), [("domisili", [PURPOSE]), ("usaha", ["Warung makan", "Bu Siti", PURPOSE])]
)
def test_from_idle_to_the_slip(hall, letter_type, answers):
    come(hall)
    papers = say("id", "needs_papers", papers="surat pengantar RT/RW, fotokopi KK")
    assert hall.words.count(papers) >= 2  # for either letter, before anything is asked
    hall.choose(letter_type)
    hall.enter(*answers)
    assert isinstance(hall.view, ReviewView) and hall.scene.leaving_loses
    assert set(answers) <= set(hall.words) and "SITI AMINAH" in hall.words
    assert hall.office.residents.by_nik(NIKS["siti"]).full_address() in hall.words
    assert "Keperluan" in hall.words  # not the whole question
    view = send(hall)
    assert hall.choices <= MOST_TOUCHES
    [request] = hall.requests_of("siti")
    assert (request.letter_type, request.state) == (letter_type, RequestState.SUBMITTED)
    assert list(request.fields.values()) == answers
    assert (view.big, view.tone) == (request.number, "good")
    assert hall.says("take_your_slip")
    assert hall.says("hand_in_at_desk") and "Surat pengantar RT/RW, fotokopi KK" in hall.words
    [paper] = hall.outside.papers
    assert hall.is_on(paper, request.print_job_id)
    hall.choose("done")
    assert hall.idle


def test_a_field_that_may_be_left_empty_may_be_left_empty(hall):
    come(hall)
    hall.choose("domisili")
    assert hall.says("may_be_left_empty") and hall.view.shortest == 0
    hall.enter("")
    assert "–" in hall.words
    send(hall)
    assert hall.requests_of("siti")[0].fields == {"purpose": ""}


@pytest.mark.parametrize("text", ["", " " * 10, "x" * 61, "Toko\x1b@", "Toko\nKedua"])
def test_what_a_field_does_not_allow_goes_no_further(quiet_hall, text):
    """The screen lets none of these through; a step does not rely on it."""
    come(quiet_hall)
    quiet_hall.choose("usaha")
    quiet_hall.intend(Entered, text)
    assert quiet_hall.view.error and quiet_hall.view.progress == (1, 3)
    quiet_hall.enter("Warung makan")
    assert not quiet_hall.view.error and quiet_hall.view.progress == (2, 3)


def test_a_date_that_cannot_be_is_told_and_kept_to_be_mended(quiet_hall):
    come(quiet_hall, "budi")
    quiet_hall.choose("keramaian")
    quiet_hall.enter("Khitanan", "Hajatan", "31022027")
    assert quiet_hall.says("date_does_not_exist") and quiet_hall.view.value == "31022027"
    quiet_hall.intend(LanguageChosen, "en")
    assert quiet_hall.view.error == say("en", "date_does_not_exist")
    quiet_hall.enter("01032027", "28022027")
    assert quiet_hall.view.error == say("en", "date_too_early", date="1 March 2027")
    quiet_hall.back()
    assert (quiet_hall.view.value, quiet_hall.view.error) == ("01032027", "")
    quiet_hall.enter("01022027", "28022027", "", "")
    assert "28 February 2027" in quiet_hall.words


def test_a_choice_shows_what_was_chosen_before(quiet_hall):
    come(quiet_hall, "budi")
    quiet_hall.choose("beda_identitas")
    for _ in range(5):
        quiet_hall.answer()
    quiet_hall.choose("option:p")
    quiet_hall.intend(Entered, "islam")  # what no screen of choices sends
    quiet_hall.back()
    assert [choice.value for choice in quiet_hall.view.choices if choice.prominent] == ["option:p"]


def test_a_letter_that_is_not_for_this_resident_is_explained(quiet_hall):
    come(quiet_hall)  # Siti is a wife
    assert quiet_hall.offered["sktm"] is False and quiet_hall.says("letter_for_family_heads")
    quiet_hall.intend(Chosen, "sktm")
    assert quiet_hall.says("letter_for_family_heads") and quiet_hall.says("letter_ask_desk")
    quiet_hall.choose("other", "domisili")
    assert isinstance(quiet_hall.view, FormView)


def test_the_dependants_stand_on_the_copy(hall):
    answers = {"purpose": "Beasiswa", "income": "1500000"}
    letter = hall.issue(hall.submit("budi", "sktm", **answers))
    come(hall, "budi")
    hall.choose(letter.number, "print")
    hall.wait_until(lambda: hall.says("letter_printed"))
    [job] = hall.job_ids(PrintKind.LETTER_COPY)
    composed = hall.office.spooler._compose.document(spooler._job(hall.job(job)))
    [table] = [block for block in composed.blocks if isinstance(block, Table)]
    assert table.rows == (("SITI AMINAH", "Istri", "01-10-1979"),)
    assert hall.is_on(hall.outside.papers[-1], job)


def test_spaces_around_an_answer_are_taken_off(quiet_hall):
    come(quiet_hall)
    quiet_hall.choose("domisili")
    quiet_hall.enter(f"  {PURPOSE} ")
    assert PURPOSE in quiet_hall.words


def test_back_and_another_answer(hall):
    come(hall)
    hall.choose("usaha")
    hall.enter("Warung makan", "", "Lain")
    hall.back()
    hall.back()
    hall.back()
    assert isinstance(hall.view, FormView) and (hall.view.value, hall.view.progress) == ("Warung makan", (1, 3))
    hall.enter("Toko kelontong", "")
    assert hall.view.value == "Lain"
    hall.enter(PURPOSE)
    send(hall)
    assert hall.requests_of("siti")[0].fields == {"kind": "Toko kelontong", "business": "", "purpose": PURPOSE}


def test_back_and_another_letter_keeps_none_of_the_answers(quiet_hall):
    come(quiet_hall)
    quiet_hall.choose("domisili")
    quiet_hall.enter(PURPOSE)
    quiet_hall.back()
    quiet_hall.back()
    quiet_hall.choose("domisili")
    assert quiet_hall.view.value == ""


def test_answers_that_are_not_correct_are_typed_again(hall):
    come(hall)
    hall.choose("domisili")
    hall.enter("Salah")
    hall.choose("edit", "answers")
    assert hall.view.value == "Salah"
    hall.enter(PURPOSE)
    send(hall)
    assert hall.requests_of("siti")[0].fields == {"purpose": PURPOSE}


def test_what_the_register_says_wrong_is_the_desks_to_change(quiet_hall):
    come(quiet_hall)
    quiet_hall.choose("domisili")
    quiet_hall.enter("")
    quiet_hall.choose("edit", "register")
    assert quiet_hall.says("register_ask_desk")
    quiet_hall.choose("done")
    assert quiet_hall.idle
    assert quiet_hall.requests_of("siti") == []


def test_two_letters_in_one_visit_are_two_requests(hall):
    come(hall)
    hall.choose("domisili")
    hall.enter(PURPOSE)
    first = send(hall).big
    hall.choose("another")
    assert not hall.scene.can_go_back  # to what was sent
    hall.choose("new", "domisili")
    assert hall.view.value == ""
    hall.enter(PURPOSE)
    second = send(hall).big
    assert first != second
    assert [request.number for request in hall.requests_of("siti")] == [second, first]
    assert len(hall.outside.papers) == 2
    assert len(hall.journal(Event.VISIT_BEGAN)) == 1


def test_two_touches_on_send_are_one_request(hall):
    come(hall)
    hall.choose("domisili")
    hall.enter(PURPOSE)
    serial = hall.scene.serial
    hall.happen(Chosen(serial, "send"), Chosen(serial, "send"))
    hall.wait_for(ResultView)
    assert len(hall.requests_of("siti")) == 1


def test_a_request_that_was_sent_is_kept_though_the_slip_does_not_come(hall):
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving("printer"))
    come(hall)
    hall.choose("domisili")
    hall.enter(PURPOSE)
    hall.choose("send")
    hall.wait_for(NoticeView)
    hall.choose("without")
    view = hall.wait_for(ResultView)
    assert hall.says("remember_your_number") and view.tone == "attention"
    assert hall.requests_of("siti")[0].number == view.big
    hall.outside.refill()
    hall.wait_until(lambda: hall.devices.serving("printer"))
    assert hall.job_state(hall.requests_of("siti")[0].print_job_id) is PrintState.CANCELLED


def test_who_has_letters_under_way_sees_them_first(quiet_hall):
    request = quiet_hall.submit("siti")
    come(quiet_hall)
    assert list(quiet_hall.offered) == ["new", request.number]
    assert quiet_hall.says("state_submitted")
    assert [choice.value for choice in quiet_hall.view.choices if choice.prominent] == ["new"]
    quiet_hall.choose(request.number)
    assert set(quiet_hall.offered) == {"done", "cancel", "slip"}
    quiet_hall.choose("done")
    come(quiet_hall, "budi")
    assert set(quiet_hall.offered) == set(quiet_hall.office.letter_types)  # and nobody else's


def test_a_returned_request_is_corrected_and_sent_again(hall):
    request = hall.submit("siti", "usaha", kind="Warung", business="", purpose="?")
    hall.give_back(request, "Keperluan belum jelas")
    papers = len(hall.outside.papers)
    come(hall)
    hall.choose(request.number)
    assert "Keperluan belum jelas" in hall.words and hall.says("state_returned")
    hall.choose("correct")
    assert hall.view.value == "Warung"
    hall.enter("Warung", "", PURPOSE)
    view = send(hall)
    [again] = hall.requests_of("siti")
    assert (again.number, again.state) == (request.number, RequestState.SUBMITTED) and view.big == request.number
    assert again.fields == {"kind": "Warung", "business": "", "purpose": PURPOSE}
    assert again.print_job_id != request.print_job_id
    assert hall.is_on(hall.outside.papers[papers], again.print_job_id)


def test_a_correction_that_is_given_up_changes_nothing(quiet_hall):
    request = quiet_hall.submit("siti")
    quiet_hall.give_back(request)
    come(quiet_hall)
    quiet_hall.choose(request.number, "correct")
    quiet_hall.enter(PURPOSE)
    quiet_hall.leave()
    [kept] = quiet_hall.requests_of("siti")
    assert (kept.fields, kept.state) == (request.fields, RequestState.RETURNED)


def test_what_is_under_way_is_shown_and_for_a_while_what_ended_badly(quiet_hall):
    def requested() -> str:
        return quiet_hall.submit("siti").number

    def issued() -> str:
        return quiet_hall.issue(quiet_hall.submit("siti")).number

    requests = quiet_hall.office.requests
    submitted, ready = shown = requested(), issued()
    collected, withdrawn = issued(), issued()
    returned = quiet_hall.give_back(quiet_hall.submit("siti")).number
    refused = quiet_hall.refuse(quiet_hall.submit("siti"), "Usaha tidak ada di desa ini").number
    cancelled = requested()
    requests.cancel(requests.by_number(cancelled).id)
    requests.collect(collected, OFFICER)
    requests.withdraw(requests.by_number(withdrawn).letter_number, OFFICER, "?")
    come(quiet_hall)
    assert set(quiet_hall.offered) == {*shown, returned, refused, withdrawn, "new"}
    for number, tone in zip((submitted, ready, returned), ("waiting", "good", "attention"), strict=True):
        quiet_hall.choose(number)
        assert quiet_hall.view.tone == tone
        quiet_hall.back()
    quiet_hall.choose(refused)
    assert quiet_hall.says("state_refused") and "Usaha tidak ada di desa ini" in quiet_hall.words
    assert set(quiet_hall.offered) == {"done"}
    quiet_hall.choose("done")
    quiet_hall.clock.pass_s((ENDED_SHOWN + timedelta(days=1)).total_seconds())
    come(quiet_hall)
    assert set(quiet_hall.offered) == {*shown, returned, "new"}


def test_a_request_is_cancelled_after_a_question(quiet_hall):
    request = quiet_hall.submit("siti")
    come(quiet_hall)
    quiet_hall.choose(request.number, "cancel")
    assert quiet_hall.says("really_cancel_request")
    quiet_hall.choose("keep")
    assert quiet_hall.says("state_submitted")
    quiet_hall.choose("cancel", "cancel")
    assert quiet_hall.says("request_cancelled") and not quiet_hall.scene.can_go_back
    assert quiet_hall.office.requests.get(request.id).state is RequestState.CANCELLED


def test_what_an_officer_took_in_hand_meanwhile_is_not_cancelled(quiet_hall):
    request = quiet_hall.submit("siti")
    come(quiet_hall)
    quiet_hall.choose(request.number, "cancel")
    quiet_hall.office.requests.begin_check(request.number, OFFICER)
    quiet_hall.choose("cancel")
    assert quiet_hall.says("request_checked_meanwhile")
    assert quiet_hall.office.requests.get(request.id).state is RequestState.CHECKING


def test_a_resident_is_told_first_of_letters_made_in_their_name(quiet_hall):
    letters = [quiet_hall.issue(quiet_hall.submit("siti"), told=False) for _ in range(2)]
    come(quiet_hall)
    assert quiet_hall.says("letters_you_asked_for") and quiet_hall.offered == {"continue": True}
    assert quiet_hall.says("letters_in_your_name_ask_desk")
    assert [fact.value for fact in quiet_hall.view.facts] == [say("id", "made_on", date="24 November 2026")] * 2
    quiet_hall.leave()
    come(quiet_hall)
    quiet_hall.choose("continue")
    assert {letter.number for letter in letters} <= set(quiet_hall.offered)
    quiet_hall.leave()
    come(quiet_hall)
    assert quiet_hall.says("your_letters")


def test_a_letter_that_an_officer_asked_for_is_not_called_the_residents_wish(quiet_hall):
    quiet_hall.issue(quiet_hall.submit("siti"), told=False)
    siti = quiet_hall.requests_of("siti")[0].resident_id
    asked = quiet_hall.office.requests.submit(siti, "domisili", {}, "desk", asked_by=OFFICER)
    quiet_hall.issue(asked, told=False)
    come(quiet_hall)
    assert quiet_hall.says("letters_in_your_name") and not quiet_hall.says("letters_you_asked_for")


def test_a_letter_that_is_ready_stands_before_the_way_to_another_and_the_rest_after_it(quiet_hall):
    waiting = quiet_hall.submit("siti")
    ready = quiet_hall.issue(quiet_hall.submit("siti"))
    come(quiet_hall)
    assert list(quiet_hall.offered) == [ready.number, "new", waiting.number]


def test_a_copy_of_a_letter_that_is_ready(hall):
    letter = hall.issue(hall.submit("siti"))
    papers = len(hall.outside.papers)
    come(hall)
    assert hall.says("ready_touch_to_see")
    assert [choice.value for choice in hall.view.choices if choice.prominent] == [letter.number]
    hall.choose(letter.number)
    assert letter.letter_number in hall.words and hall.says("ready_original_or_copy")
    assert not hall.scene.can_leave  # it has its own «Selesai»
    hall.choose("print")
    hall.wait_until(lambda: hall.says("letter_printed"))
    assert hall.says("copy_is_a_copy") and hall.view.tone == "good"
    [job] = hall.job_ids(PrintKind.LETTER_COPY)
    assert hall.is_on(hall.outside.papers[papers], job)
    assert hall.requests_of("siti")[0].copies == 1
    hall.choose("another", letter.number, "print")
    hall.wait_until(lambda: len(hall.outside.papers) == papers + 2)
    hall.wait_until(lambda: hall.says("letter_printed"))
    assert hall.requests_of("siti")[0].copies == 2


def test_a_copy_that_is_not_waited_for_is_not_printed(hall):
    letter = hall.issue(hall.submit("siti"))
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving("printer"))
    come(hall)
    hall.choose(letter.number, "print")
    hall.wait_for(NoticeView)
    hall.choose("without")
    hall.wait_until(lambda: hall.says("copy_not_printed"))
    assert hall.says("copy_waits_for_you")


def test_a_slip_printed_again_says_so(hall):
    request = hall.submit("siti")
    come(hall)
    hall.choose(request.number, "slip")
    hall.wait_until(lambda: hall.says("take_your_slip"))
    again = hall.outside.papers[-1]
    assert len(hall.outside.papers) == 2
    assert hall.is_on(again, request.print_job_id, printing=2)
    assert not hall.is_on(again, request.print_job_id, printing=1)


def test_what_the_state_does_not_allow_is_neither_offered_nor_done(quiet_hall):
    request = quiet_hall.submit("siti")
    come(quiet_hall)
    quiet_hall.choose(request.number)
    view = quiet_hall.view
    for value in ("print", "correct", "nothing"):
        quiet_hall.intend(Chosen, value)
        assert quiet_hall.view is view
    assert quiet_hall.job_ids(PrintKind.LETTER_COPY) == []


def test_a_letter_withdrawn_meanwhile_is_not_copied(quiet_hall):
    letter = quiet_hall.issue(quiet_hall.submit("siti"))
    come(quiet_hall)
    quiet_hall.choose(letter.number)
    quiet_hall.office.requests.withdraw(letter.letter_number, OFFICER, "?")
    quiet_hall.choose("print")
    assert quiet_hall.job_ids(PrintKind.LETTER_COPY) == []
    assert quiet_hall.says("something_broke")


def test_a_letter_type_that_was_taken_off_offer_is_called_by_its_key(quiet_hall):
    request = quiet_hall.submit("siti")
    del quiet_hall.office.letter_types["domisili"]
    come(quiet_hall)
    assert "domisili" in quiet_hall.words
    quiet_hall.choose(request.number)
    assert set(quiet_hall.offered) == {"done", "cancel"}
    quiet_hall.back()
    quiet_hall.choose("new")
    quiet_hall.intend(Chosen, "domisili")
    assert isinstance(quiet_hall.view, ChoiceView)


def test_the_story_in_another_language_down_to_the_paper(hall):
    hall.intend(LanguageChosen, "en")
    hall.choose("letter")
    hall.identify("siti")
    assert "Proof of residence" in hall.words
    hall.choose("domisili")
    assert "What is the letter for?" in hall.words
    hall.enter(PURPOSE)
    send(hall)
    [job] = hall.job_ids(PrintKind.REQUEST_SLIP)
    assert hall.job(job).language == "en"
    assert hall.is_on(hall.outside.papers[0], job)


def test_the_nik_is_never_shown_whole_and_nothing_personal_is_logged(hall, caplog):
    caplog.set_level(logging.DEBUG)
    come(hall)
    hall.choose("domisili")
    hall.enter(PURPOSE)
    assert f"{NIKS['siti'][:6]}******{NIKS['siti'][12:]}" in hall.words
    send(hall)
    shown = [text for scene in hall.face.scenes for text in texts_of(scene.view)]
    assert PURPOSE in shown
    for secret in (NIKS["siti"], DEMO_PIN):
        assert not any(secret in text for text in shown) and secret not in caplog.text
    for personal in (PURPOSE, "SITI"):
        assert personal not in caplog.text
    assert not any(personal in str(entry) for entry in hall.office.journal.entries() for personal in (PURPOSE, "SITI"))
