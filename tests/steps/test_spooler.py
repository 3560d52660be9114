"""The spooler, with the real driver on a virtual printer: how each job stands, after whatever happened to it."""

import socket
import sqlite3
import threading

import pytest

from hardware.printer.interface import Acknowledgement, Printer
from kiosk import spooler
from kiosk.journal import Event
from kiosk.paper.compose import Composer
from kiosk.queue import Queue
from kiosk.spooler import PrintChanged
from kiosk.store import store
from kiosk.store.errors import StoreError
from kiosk.store.print_jobs import PrintKind, PrintState, queue_print
from kiosk.store.schema import print_jobs

pytest_plugins = ["support.kiosk"]

#: In the middle of every paper here.
SOME_ROWS = 200


def queue_ticket(hall, key="one"):
    """A ticket that was taken and not looked at yet; the id of its print job."""
    return hall.office.queue.take("A", key).print_job_id


def print_ticket(hall, key="one"):
    job = queue_ticket(hall, key)
    hall.office.spooler.watch(job)
    return job


def wait_for(hall, job, state):
    hall.wait_until(lambda: hall.job_state(job) is state)
    return hall.job(job)


def printed(hall, job):
    return wait_for(hall, job, PrintState.PRINTED)


def jobs_history(hall, job):
    """The states that the journal tells of, in order."""
    return [
        entry.event.id.removeprefix("print-")
        for entry in hall.office.journal.entries()
        if entry.facts.get("job") == job and entry.event.id.startswith("print-")
    ]


def cut_short(hall, kind=None):
    """Kill the kiosk while it sends: the row says SENDING, and half a raster has reached the printer."""
    job = queue_ticket(hall, "cut short")
    hall.close()
    state = {"state": PrintState.SENDING, "attempt": 1} | ({"kind": kind} if kind else {})
    database = store.create_engine(hall.settings.store_url)
    with database.begin() as tx:
        tx.execute(print_jobs.update().where(print_jobs.c.id == job).values(state))
    database.dispose()
    host, port = hall.outside.connection.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(b"\x1dv0\x00\x48\x00\x64\x00" + bytes([0xAA]) * 72 * 30)  # 30 of 100 rows
    hall.settle()
    hall.start()
    return job


class RefusingDisk:
    """From `refuse` to `take_again` nobody can write to the database, as on a disk that is full."""

    def __init__(self, hall):
        self._database = sqlite3.connect(hall.settings.state_path / "kiosk.sqlite", check_same_thread=False)

    def refuse(self):
        self._database.execute("BEGIN IMMEDIATE")

    def take_again(self):
        self._database.rollback()
        self._database.close()


# As it should be.


def test_a_job_is_printed_and_every_step_of_it_is_journalled(hall):
    job = print_ticket(hall)
    row = printed(hall, job)
    assert (row.code, row.attempt, row.printing) == ("", 1, 1)
    assert jobs_history(hall, job) == ["sending", "printed"]
    [paper] = hall.outside.papers
    assert hall.is_on(paper, job) and not paper.unknown
    assert hall.outside.errors == []


def test_jobs_come_out_in_the_order_in_which_they_were_queued(hall):
    jobs = [queue_ticket(hall, str(number)) for number in range(4)]
    hall.office.spooler.watch(jobs[-1])
    printed(hall, jobs[-1])
    assert [hall.is_on(paper, job) for paper, job in zip(hall.outside.papers, jobs, strict=True)] == [True] * 4


def test_progress_is_told_and_only_grows(hall, monkeypatch):
    told = []
    monkeypatch.setattr(hall.bus, "post", told.append)
    job = print_ticket(hall)
    hall.outside.wait_for_paper(1, 5)
    hall.office.spooler.stop()
    changes = [event for event in told if isinstance(event, PrintChanged)]
    assert {change.job_id for change in changes} == {job}
    fractions = [change.fraction for change in changes if change.fraction is not None]
    assert len(fractions) > 1 and fractions == sorted(fractions) and fractions[-1] == 1.0
    assert [change.state for change in changes if change.fraction is None] == [PrintState.SENDING, PrintState.PRINTED]


def test_nothing_is_told_to_be_printed_before_it_is_cut_off(hall):
    hall.outside.jam()
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.HELD)
    assert hall.outside.papers == []
    hall.outside.clear_jam()
    printed(hall, job)
    assert hall.is_on(hall.outside.papers[-1], job)


# Held, and on by itself.


def test_no_paper_holds_the_job_until_there_is_some(hall):
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving(Printer.kind))
    job = print_ticket(hall)
    assert wait_for(hall, job, PrintState.HELD).code == "PRINTER-PAPER-OUT"
    assert hall.job(job).attempt == 0
    hall.outside.refill()
    row = printed(hall, job)
    assert (row.printing, row.attempt) == (1, 1)
    [paper] = hall.outside.papers
    assert hall.is_on(paper, job)


def test_paper_that_ends_in_the_middle_is_voided_and_the_whole_job_comes_after(hall):
    hall.outside.paper_out_at_row(SOME_ROWS)
    job = print_ticket(hall)
    assert wait_for(hall, job, PrintState.HELD).code == "PRINTER-PAPER-OUT"
    assert hall.outside.papers == []
    hall.outside.refill()
    assert printed(hall, job).printing == 1  # the first whole one
    void, paper = hall.outside.papers
    assert void.void and hall.is_on(paper, job)


@pytest.mark.parametrize(
    ("breaks", "codes", "mends"),
    [
        ("open_cover", {"PRINTER-COVER-OPEN"}, "close_cover"),
        ("power_off", {"PRINTER-CONNECTION-LOST", "PRINTER-ABSENT"}, "power_on"),
        ("unplug", {"PRINTER-CONNECTION-LOST", "PRINTER-ABSENT"}, "plug"),
    ],
)
def test_whatever_is_mended_lets_all_waiting_jobs_out_once(hall, breaks, codes, mends):
    getattr(hall.outside, breaks)()
    hall.wait_until(lambda: not hall.devices.serving(Printer.kind))
    jobs = [print_ticket(hall, str(number)) for number in range(3)]
    for job in jobs:
        assert wait_for(hall, job, PrintState.HELD).code in codes
    getattr(hall.outside, mends)()
    for job in jobs:
        printed(hall, job)
    whole = [paper for paper in hall.outside.papers if not paper.void]
    assert [hall.is_on(paper, job) for paper, job in zip(whole, jobs, strict=True)] == [True] * 3


def test_a_printer_that_says_nothing_is_tried_again_at_a_pace(hall):
    """It answers no question before the job, so nothing is sent; nobody announces that it answers again."""
    hall.outside.go_silent()
    job = print_ticket(hall)
    assert wait_for(hall, job, PrintState.HELD).code == "PRINTER-NO-ANSWER"
    assert hall.outside.papers == []
    hall.outside.answer_again()
    assert printed(hall, job).printing == 1


def test_a_held_job_may_be_cancelled(hall):
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving(Printer.kind))
    job, other = print_ticket(hall), print_ticket(hall, "other")
    wait_for(hall, other, PrintState.HELD)
    assert hall.office.spooler.cancel(job)
    assert not hall.office.spooler.cancel(job)  # once is enough
    assert (hall.job(job).state, hall.job(job).code) == (PrintState.CANCELLED, "PRINT-NOT-WANTED")
    hall.outside.refill()
    printed(hall, other)
    [paper] = hall.outside.papers
    assert hall.is_on(paper, other)
    assert not hall.office.spooler.cancel(other)


def test_a_job_that_is_cancelled_while_it_is_laid_out_is_not_sent(hall, monkeypatch):
    compose = Composer.__call__

    def slowly(self, job):
        page = compose(self, job)
        if job.id == cancelled:
            assert hall.office.spooler.cancel(job.id)
        return page

    monkeypatch.setattr(Composer, "__call__", slowly)
    cancelled, other = queue_ticket(hall), queue_ticket(hall, "other")
    hall.office.spooler.watch(cancelled)
    printed(hall, other)
    assert hall.job_state(cancelled) is PrintState.CANCELLED
    [paper] = hall.outside.papers
    assert hall.is_on(paper, other)


def test_a_hall_without_a_printer_holds_and_says_why(quiet_hall):
    job = print_ticket(quiet_hall)
    assert wait_for(quiet_hall, job, PrintState.HELD).code == "PRINTER-NONE"
    assert [row.id for row in quiet_hall.office.spooler.open_jobs()] == [job]


# Uncertain, and asked about.


@pytest.mark.parametrize("when", ["before", "after"])
def test_power_that_goes_at_the_cut_leaves_it_to_a_person(hall, when):
    hall.outside.lose_power_at_cut(when)
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.UNCERTAIN)
    assert [(ticket.job_id, ticket.number) for ticket in hall.office.spooler.uncertain_tickets] == [(job, "A-001")]
    hall.outside.power_on()
    hall.wait_until(lambda: hall.devices.serving(Printer.kind))
    other = print_ticket(hall, "other")
    printed(hall, other)
    assert hall.job_state(job) is PrintState.UNCERTAIN  # never repeated by itself
    assert sum(hall.is_on(paper, job) for paper in hall.outside.papers) == (when == "after")
    hall.office.spooler.settle(job, came_out=when == "after")
    row = printed(hall, job)
    if when == "after":
        assert (row.printing, row.code) == (1, "PRINT-CONFIRMED-BY-PERSON")
        assert hall.is_on(hall.outside.papers[-1], other)
    else:
        assert (row.printing, row.code) == (2, "")
        assert hall.is_on(hall.outside.papers[-1], job, printing=2)
    assert hall.office.spooler.uncertain_tickets == ()


def test_what_two_people_say_of_one_paper_counts_once(hall):
    hall.outside.lose_power_at_cut("after")
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.UNCERTAIN)
    hall.office.spooler.settle(job, came_out=True)
    hall.office.spooler.settle(job, came_out=False)
    assert hall.job_state(job) is PrintState.PRINTED
    assert jobs_history(hall, job) == ["sending", "uncertain", "printed"]


def test_a_printer_that_never_answers_is_never_believed(make_hall):
    hall = make_hall(acknowledgement=Acknowledgement.NONE)
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.UNCERTAIN)
    [paper] = hall.outside.wait_for_paper(1, 5)
    assert hall.is_on(paper, job)


def test_power_that_goes_in_the_middle_prints_the_whole_again(hall):
    hall.outside.lose_power_at_row(SOME_ROWS)
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.HELD)
    hall.outside.power_on()
    assert printed(hall, job).printing == 1
    assert sum(hall.is_on(paper, job) for paper in hall.outside.papers) == 1


# After a restart.


def test_a_job_that_was_being_sent_is_told_as_such_and_never_repeated_by_itself(hall):
    job = cut_short(hall)
    hall.open()
    assert (hall.job(job).state, hall.job(job).code) == (PrintState.UNCERTAIN, "PRINT-INTERRUPTED")
    assert [ticket.job_id for ticket in hall.office.spooler.uncertain_tickets] == [job]
    other = print_ticket(hall, "other")
    printed(hall, other)
    void, paper = hall.outside.papers
    assert void.void and void.image.height > SOME_ROWS  # with the half raster that hung there
    assert hall.is_on(paper, other)
    assert hall.job_state(job) is PrintState.UNCERTAIN
    hall.office.spooler.settle(job, came_out=False)
    printed(hall, job)
    assert hall.is_on(hall.outside.papers[-1], job, printing=2)
    assert len(hall.outside.papers) == 3  # and nothing more to void


def test_a_printer_that_cannot_be_brought_in_step_yet_is_brought_in_step_later(hall):
    cut_short(hall)
    hall.open()
    hall.outside.go_silent()  # known to nobody until the next job asks
    other = print_ticket(hall, "other")
    wait_for(hall, other, PrintState.HELD)
    hall.outside.answer_again()
    printed(hall, other)
    void, paper = hall.outside.papers
    assert void.void and hall.is_on(paper, other)


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_paper_that_hung_half_printed_is_voided_after_a_restart(hall, cancelled):
    hall.outside.paper_out_at_row(SOME_ROWS)
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.HELD)
    if cancelled:
        hall.office.spooler.cancel(job)
    hall.restart(printer_serves=False)
    hall.outside.refill()
    hall.wait_until(lambda: hall.devices.serving(Printer.kind))
    other = print_ticket(hall, "other")
    printed(hall, other)
    void, *whole = hall.outside.papers
    assert void.void
    assert [hall.is_on(paper, each) for paper, each in zip(whole, [other] if cancelled else [job, other], strict=True)]


def test_a_torn_paper_is_voided_when_the_printer_can_and_not_in_front_of_the_next_person(hall):
    hall.outside.paper_out_at_row(SOME_ROWS)
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.HELD)
    hall.office.spooler.cancel(job)
    assert hall.outside.papers == []
    hall.outside.refill()  # and nobody prints anything
    [void] = hall.outside.wait_for_paper(1, 5)
    assert void.void and void.image.height > SOME_ROWS
    other = print_ticket(hall, "other")
    printed(hall, other)
    _, paper = hall.outside.papers
    assert hall.is_on(paper, other)


def test_a_paper_that_was_cut_short_by_the_end_of_the_kiosk_is_voided_at_its_next_start(hall):
    cut_short(hall)
    hall.open()
    [void] = hall.outside.wait_for_paper(1, 5)
    assert void.void and void.image.height > SOME_ROWS


def test_a_paper_that_somebody_is_asked_about_hangs_until_they_have_left(hall):
    hall.outside.lose_power_at_cut("before")
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.UNCERTAIN)
    hall.outside.power_on()
    hall.wait_until(lambda: hall.devices.serving(Printer.kind))
    with pytest.raises(TimeoutError):  # the paper is left to whoever looks at it
        hall.outside.wait_for_paper(1, 1.0)
    hall.office.spooler.abandon("somebody")
    [void] = hall.outside.wait_for_paper(1, 5)
    assert void.void


def test_a_clock_set_back_hides_no_paper_that_hangs_half_printed(hall):
    printed(hall, print_ticket(hall, "before"))
    hall.clock.set(hall.clock.now().replace(hour=1))
    hall.outside.paper_out_at_row(SOME_ROWS)
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.HELD)
    hall.restart(printer_serves=False)
    hall.outside.refill()
    printed(hall, job)
    _, void, paper = hall.outside.papers
    assert void.void and hall.is_on(paper, job)


def test_after_a_clean_restart_nothing_is_voided(hall):
    printed(hall, print_ticket(hall))
    hall.restart()
    job = print_ticket(hall, "after")
    printed(hall, job)
    assert hall.is_on(hall.outside.papers[1], job)
    assert not any(paper.void for paper in hall.outside.papers)


def test_tickets_that_waited_are_printed_after_a_restart(hall):
    jobs = [queue_ticket(hall, str(number)) for number in range(2)]
    hall.restart()
    for job in jobs:
        assert printed(hall, job).printing == 1
    assert len(hall.outside.papers) == 2


def test_held_tickets_are_printed_after_a_restart(hall):
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving(Printer.kind))
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.HELD)
    hall.restart(printer_serves=False)
    hall.outside.refill()
    printed(hall, job)
    assert len(hall.outside.papers) == 1


def test_copies_that_waited_are_cancelled_at_a_restart(hall):
    letter = hall.issue(hall.submit("siti"))
    papers = len(hall.outside.papers)
    job = hall.office.requests.request_copy(letter.id, "some-visit:copy:1")
    hall.restart()
    assert (hall.job(job).state, hall.job(job).code) == (PrintState.CANCELLED, "PRINT-OWNER-LEFT")
    after = print_ticket(hall, "after")
    printed(hall, after)
    assert len(hall.outside.papers) == papers + 1


def test_only_the_copies_of_who_left_are_cancelled(hall):
    letter = hall.issue(hall.submit("siti"))
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving(Printer.kind))
    theirs = hall.office.requests.request_copy(letter.id, "left:copy:1")
    others = hall.office.requests.request_copy(letter.id, "stays:copy:1")
    ticket = queue_ticket(hall, "left:ticket:1")
    hall.office.spooler.abandon("left")
    assert hall.job_state(theirs) is PrintState.CANCELLED
    hall.outside.refill()
    hall.office.spooler.watch(ticket)
    printed(hall, ticket)
    assert hall.job_state(others) is PrintState.PRINTED


# Once more, on purpose.


def test_a_job_that_was_cancelled_before_it_was_sent_is_printed_for_the_first_time(hall):
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving(Printer.kind))
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.HELD)
    hall.office.spooler.cancel(job)
    hall.outside.refill()
    hall.wait_until(lambda: hall.devices.serving(Printer.kind))
    assert hall.office.spooler.print_again(job) == job
    assert printed(hall, job).printing == 1


def test_a_job_that_still_waits_is_not_printed_twice(hall):
    job = queue_ticket(hall)
    hall.office.spooler.print_again(job)
    printed(hall, job)
    assert hall.job(job).printing == 1
    hall.office.spooler.print_again(job)
    hall.wait_until(lambda: hall.job(job).printing == 2 and hall.job_state(job) is PrintState.PRINTED)
    assert len(hall.outside.papers) == 2


# What breaks inside.


def test_a_result_that_the_disk_refuses_is_written_later_and_nothing_is_printed_twice(make_hall, monkeypatch):
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.02)
    hall = make_hall()
    post, disk, tried = hall.bus.post, RefusingDisk(hall), threading.Event()
    job, other = queue_ticket(hall), queue_ticket(hall, "other")

    def post_and_refuse(event):
        if isinstance(event, PrintChanged) and (event.job_id, event.fraction) == (job, 1.0):
            disk.refuse()  # after the last strip and before the cut, in the driver's thread
        post(event)

    def log_error(*arguments, **options):
        tried.set()

    monkeypatch.setattr(hall.bus, "post", post_and_refuse)
    monkeypatch.setattr(spooler.log, "exception", log_error)
    hall.office.spooler.watch(job)
    [paper] = hall.outside.wait_for_paper(1, 5)
    assert tried.wait(5)
    tried.clear()
    assert tried.wait(5)  # it keeps trying
    assert hall.job_state(job) is PrintState.SENDING
    assert len(hall.outside.papers) == 1  # and begins no other job before
    disk.take_again()
    printed(hall, other)
    assert hall.job_state(job) is PrintState.PRINTED
    assert hall.is_on(paper, job)
    assert len(hall.outside.papers) == 2
    assert jobs_history(hall, job) == ["sending", "printed"]


def test_nothing_is_sent_that_the_disk_does_not_know_of(make_hall, monkeypatch):
    monkeypatch.setattr(store, "BUSY_TIMEOUT_S", 0.02)
    hall = make_hall()
    job = queue_ticket(hall)
    disk = RefusingDisk(hall)
    disk.refuse()
    hall.office.spooler.watch(job)
    with pytest.raises(StoreError):
        hall.office.spooler.cancel(job)
    assert hall.outside.hanging.image.height == 0 and hall.outside.papers == []
    disk.take_again()
    printed(hall, job)
    assert len(hall.outside.papers) == 1


def test_a_page_that_cannot_be_laid_out_is_cancelled_and_the_next_comes(hall):
    with hall.office.store.write() as tx:
        job = queue_print(tx, PrintKind.TICKET, 4711, "of nothing", hall.clock.now())
    other = print_ticket(hall, "other")
    printed(hall, other)
    assert (hall.job(job).state, hall.job(job).code) == (PrintState.CANCELLED, "PRINT-NO-LAYOUT")
    assert len(hall.outside.papers) == 1


def test_a_database_that_fails_while_a_page_is_laid_out_loses_no_paper(hall, monkeypatch):
    get, failures = Queue.get, iter([StoreError("the disk")] * 3)

    def sometimes(self, ticket_id):
        if error := next(failures, None):
            raise error
        return get(self, ticket_id)

    monkeypatch.setattr(Queue, "get", sometimes)
    job = print_ticket(hall)
    printed(hall, job)
    assert jobs_history(hall, job) == ["sending", "printed"]


def test_a_page_that_the_driver_refuses_is_asked_about_and_the_next_comes(hall, monkeypatch):
    compose = Composer.__call__

    def too_wide(self, job):
        page = compose(self, job)
        if job.id == 1:
            page.image.__init__()
        return page

    monkeypatch.setattr(Composer, "__call__", too_wide)
    job, other = queue_ticket(hall), queue_ticket(hall, "other")
    hall.office.spooler.watch(other)
    printed(hall, other)
    assert (hall.job(job).state, hall.job(job).code) == (PrintState.UNCERTAIN, "PRINTER-DRIVER")


def test_stopping_ends_its_thread_and_leaves_the_rest_for_the_next_start(hall):
    hall.outside.paper_out()
    hall.wait_until(lambda: not hall.devices.serving(Printer.kind))
    job = print_ticket(hall)
    wait_for(hall, job, PrintState.HELD)
    hall.office.spooler.stop()
    hall.outside.refill()
    hall.office.spooler.watch(job)
    assert hall.job_state(job) is PrintState.HELD
    assert hall.outside.papers == []


def test_what_is_journalled_of_a_print_names_nobody(hall):
    request = hall.submit("siti")
    facts = hall.journal(Event.PRINT_SENDING, Event.PRINT_PRINTED)
    assert facts == [{"job": request.print_job_id, "code": ""}] * 2
