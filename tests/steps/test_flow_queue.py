"""The queue story: a number without a card, on paper or, where that fails, at least on the screen."""

from config.translations import say
from kiosk.demo.village import DEMO_PIN
from kiosk.flows.queue import TicketTaken
from kiosk.intents import Chosen
from kiosk.journal import Event
from kiosk.store.print_jobs import PrintKind, PrintState
from kiosk.views import ChoiceView, NoticeView, ResultView

pytest_plugins = ["support.kiosk"]


def take(hall, service="A"):
    hall.choose("start", "queue", service)
    return hall.wait_for(ResultView)


def test_a_number_and_its_ticket_in_three_touches(hall):
    view = take(hall)
    assert (view.big, view.tone, hall.choices) == ("A-001", "good", 3)
    assert hall.says("take_your_ticket")
    [job] = hall.job_ids(PrintKind.TICKET)
    [paper] = hall.outside.wait_for_paper(1, 5)
    assert hall.is_on(paper, job)
    hall.choose("done")
    assert hall.idle


def test_numbers_count_for_each_service_and_say_how_many_wait(hall):
    nobody = say("id", "nobody")
    for service, number, waiting in (("A", "A-001", nobody), ("A", "A-002", "1"), ("B", "B-001", nobody)):
        view = take(hall, service)
        assert view.big == number
        assert waiting in hall.words
        hall.choose("done")
    hall.choose("start", "queue")
    assert hall.says("nobody_waiting") and not hall.says("people_waiting", n=0)
    assert hall.says("people_waiting", n=2) and hall.says("people_waiting", n=1)


def test_no_card_and_no_pin_are_asked_for(hall):
    take(hall)
    assert hall.journal(Event.IDENTIFIED, Event.PIN_WRONG, Event.CARD_UNKNOWN) == []
    assert DEMO_PIN not in hall.words


def test_a_service_that_there_is_not_gives_no_number(quiet_hall):
    quiet_hall.choose("start", "queue")
    quiet_hall.intend(Chosen, "Z")
    assert isinstance(quiet_hall.view, ChoiceView)
    assert quiet_hall.journal(Event.TICKET_TAKEN) == []


def test_a_number_is_never_taken_back(hall):
    view = take(hall)
    assert not hall.scene.can_go_back
    hall.pass_s(hall.settings.patience.after_result_s)
    assert hall.idle
    assert take(hall).big != view.big


def test_two_touches_on_a_service_take_one_number(quiet_hall):
    quiet_hall.choose("start", "queue")
    serial = quiet_hall.scene.serial
    quiet_hall.happen(Chosen(serial, "A"), Chosen(serial, "A"))
    assert len(quiet_hall.journal(Event.TICKET_TAKEN)) == 1


def test_without_a_printer_the_number_is_on_the_screen(quiet_hall):
    quiet_hall.choose("start", "queue", "A")
    quiet_hall.wait_for(NoticeView)
    assert quiet_hall.view.big == "A-001" and quiet_hall.says("remember_or_note_number")
    assert not quiet_hall.says("print_goes_on_by_itself")  # there is no printer that could
    assert quiet_hall.says("printer_fault") and quiet_hall.says("your_queue_number")
    quiet_hall.choose("without")
    view = quiet_hall.wait_for(ResultView)
    assert (view.big, view.tone) == ("A-001", "attention")
    assert quiet_hall.says("remember_your_number")
    [job] = quiet_hall.job_ids(PrintKind.TICKET)
    assert quiet_hall.job_state(job) is PrintState.CANCELLED


def test_paper_that_is_put_in_meanwhile_brings_the_ticket(hall):
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving("printer"))
    hall.choose("start", "queue", "A")
    hall.wait_for(NoticeView)
    assert hall.says("printer_paper_out") and "PRINTER-PAPER-OUT" in hall.words
    assert hall.view.big == "A-001" and hall.says("print_goes_on_by_itself")
    hall.outside.refill()
    view = hall.wait_for(ResultView)
    assert (view.big, view.tone) == ("A-001", "good")
    assert len(hall.outside.papers) == 1


def test_an_uncertain_ticket_is_asked_about_and_printed_again(hall):
    hall.outside.lose_power_at_cut("after")
    hall.choose("start", "queue", "A")
    hall.wait_until(lambda: hall.says("did_paper_come_out"))
    assert not hall.scene.can_go_back
    hall.outside.power_on()
    hall.choose("no")
    view = hall.wait_for(ResultView)
    assert (view.big, view.tone) == ("A-001", "good")
    [job] = hall.job_ids(PrintKind.TICKET)
    assert hall.is_on(hall.outside.papers[-1], job, printing=2)
    assert not hall.is_on(hall.outside.papers[-1], job, printing=1)


def power_cut_while_a_ticket_is_cut_off(hall):
    """The number's owner is still here, and the kiosk comes back."""
    hall.outside.lose_power_at_cut("after")
    hall.choose("start", "queue", "A")
    hall.wait_until(lambda: hall.says("did_paper_come_out"))
    hall.restart(printer_serves=False)
    hall.outside.power_on()
    hall.wait_until(lambda: hall.devices.serving("printer"))


def test_after_a_power_cut_the_owner_of_a_ticket_says_whether_it_came_out(hall):
    power_cut_while_a_ticket_is_cut_off(hall)
    hall.choose("start", "ticket:A-001")
    assert hall.says("did_paper_come_out")
    hall.choose("no")
    view = hall.wait_for(ResultView)
    assert (view.big, view.tone) == ("A-001", "good")
    [job] = hall.job_ids(PrintKind.TICKET)
    assert hall.is_on(hall.outside.papers[-1], job, printing=2)
    hall.choose("done", "start")
    assert set(hall.offered) == {"letter", "queue", "check"}  # and it is not asked about again


def test_a_ticket_that_was_called_is_not_asked_about_after_the_next_restart(hall):
    power_cut_while_a_ticket_is_cut_off(hall)
    hall.office.queue.call_next("A")
    hall.restart()
    hall.choose("start")
    assert set(hall.offered) == {"letter", "queue", "check"}


def test_an_uncertain_ticket_that_is_there_is_not_printed_again(hall):
    hall.outside.lose_power_at_cut("after")
    hall.choose("start", "queue", "A")
    hall.wait_until(lambda: hall.says("did_paper_come_out"))
    hall.choose("yes")
    assert hall.wait_for(ResultView).tone == "good"
    [job] = hall.job_ids(PrintKind.TICKET)
    assert (hall.job(job).state, hall.job(job).code) == (PrintState.PRINTED, "PRINT-CONFIRMED-BY-PERSON")
    assert len(hall.outside.papers) == 1


def test_a_ticket_whose_service_has_gone_from_the_settings_goes_by_its_letter(quiet_hall):
    ticket = quiet_hall.office.queue.take("Z", "of an old service")
    quiet_hall.choose("start")
    view = TicketTaken(ticket, on_paper=True).view(quiet_hall.attendant._visit)
    assert view.big == "Z-001" and "Z" in [fact.value for fact in view.facts]
