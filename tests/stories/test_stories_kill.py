"""The power fails at any moment: what was confirmed is there afterwards, once, and the paper tells the truth.

The printer lives in the test and so outlives the kiosk, as a real one does. Every paper that it cut off is compared dot
for dot with what the database says was printed.
"""

import random
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import cycle
from pathlib import Path

import pytest
from support.running_kiosk import RunningKiosk, command

from hardware.bench.world import BenchError
from hardware.printer import encoder
from hardware.printer.interpreter import Paper, interpret
from hardware.printer.profiles import load_profile
from hardware.printer.virtual import VirtualPrinter
from kiosk import demo
from kiosk.clock import Clock
from kiosk.devices import Devices
from kiosk.office import Office
from kiosk.paper.compose import Composer
from kiosk.spooler import PrintJob
from kiosk.store.print_jobs import PrintKind

PROFILE = load_profile(files("config") / "printers" / "virtual-80mm.toml")
SEED = 352312
KILLS = 10
#: A ticket takes a second.
SLOW_HEAD_MM_PER_S = 60.0
LONGEST_LIFE_S = 4.0
WITHIN_S = 30.0
TICKET_ROWS = 400
NUMBER = re.compile(r"A-\d{3}|\d{4}-\d{5}")


# What the database says should be on paper.


def papers_of_jobs(kiosk: RunningKiosk, config: Path) -> dict[int, bytes]:
    """Each job's paper as its newest printing draws it, by the job's id."""
    settings, _ = demo.settings_of(kiosk.state, config)
    office = Office.open(settings, Clock(), Devices(), printer=None, post=lambda event: None)
    parts = office.letter_types, office.residents, office.requests, office.papers, office.letters, office.queue
    compose = Composer(settings, PROFILE, *parts, office.signer, office.selftest)
    try:
        jobs = kiosk.rows("SELECT id, kind, subject_id, printing, language FROM print_jobs")
        return {job[0]: as_sent(compose(PrintJob(job[0], PrintKind(job[1]), *job[2:])).image) for job in jobs}
    finally:
        office.close()


def as_sent(image) -> bytes:
    data = b"".join(strip.data for strip in encoder.strips(image, PROFILE.width_dots)) + encoder.CUT
    (paper,), _ = interpret(data, PROFILE.width_dots)
    return dots(paper)


def dots(paper: Paper) -> bytes:
    return paper.image.tobytes()


def states(kiosk: RunningKiosk) -> dict[int, str]:
    return dict(kiosk.rows("SELECT id, state FROM print_jobs ORDER BY id"))


def wait_until_nothing_is_printed(kiosk: RunningKiosk) -> None:
    kiosk.wait_until(lambda: not {"queued", "sending", "held"} & set(states(kiosk).values()), "it still prints")


# Over and over.


@dataclass
class Visitors:
    """They take numbers and ask for letters until the kiosk dies; remembered is what the screen confirmed."""

    kiosk: RunningKiosk
    residents: Iterator[str]
    confirmed: list[str] = field(default_factory=list)
    broken: str = ""

    def come(self) -> None:
        try:
            while True:
                self._take_a_number()
                self._ask_for_a_letter(next(self.residents))
        except BenchError as error:
            self.broken = str(error)

    def _take_a_number(self) -> None:
        self.kiosk.touch("start", "queue", "A")
        self._be_confirmed()

    def _ask_for_a_letter(self, resident: str) -> None:
        self.kiosk.touch("start", "letter")
        self.kiosk.see("nik")
        self.kiosk.do("tap", resident)
        self.kiosk.type_pin()
        self.kiosk.do("take-card")
        self.kiosk.see("view:choice")
        if "new" in self.kiosk.do("screen"):
            self.kiosk.touch("new")
        self.kiosk.touch("domisili", "suggestion:Melamar pekerjaan", "send")
        self._be_confirmed()

    def _be_confirmed(self) -> None:
        self.kiosk.see("view:result")
        self.confirmed += [text for text in self.kiosk.do("read") if NUMBER.fullmatch(text)]
        self.kiosk.touch("done")
        self.kiosk.see("start")


def serve_until(kiosk: RunningKiosk, visitors: Visitors, moment: Callable[[threading.Thread], None]) -> None:
    """The kiosk starts and serves until `moment(visitors' thread)` returns; then the power goes."""
    kiosk.start()
    thread = threading.Thread(target=visitors.come)
    thread.start()
    try:
        moment(thread)
        assert thread.is_alive(), f"the visitors gave up: {visitors.broken}\n{kiosk.log}"
    except TimeoutError as error:
        raise AssertionError(f"{error}; {visitors.broken}\n{kiosk.log}") from error
    finally:
        kiosk.kill()
        thread.join(WITHIN_S)
    assert not thread.is_alive()


def wait_for_half_a_paper(printer: VirtualPrinter, dice: random.Random) -> None:
    """The first paper after an interrupted one is void."""
    printer.wait_for_paper(len(printer.papers) + dice.randrange(2, 5), WITHIN_S)
    printer.wait_for_rows(dice.randrange(1, TICKET_ROWS), WITHIN_S)


def test_confirmed_is_kept_once_and_no_paper_comes_twice(kiosk, config, printer):
    dice = random.Random(SEED)
    visitors = Visitors(kiosk, cycle(("budi", "sumarni", "joko")))
    for life in range(KILLS):
        if life % 2:
            serve_until(kiosk, visitors, lambda thread: thread.join(dice.uniform(0.2, LONGEST_LIFE_S)))
        else:
            serve_until(kiosk, visitors, lambda thread: wait_for_half_a_paper(printer, dice))
    kiosk.start()
    wait_until_nothing_is_printed(kiosk)
    kiosk.touch("start", "queue", "B")  # what hangs in the printer is voided and cut off before the next paper
    kiosk.see("view:result")
    assert kiosk.stop() == 0

    assert_numbers_have_no_gap(kiosk)
    assert_all_are_kept(kiosk, visitors.confirmed)
    assert_papers_tell_the_truth(kiosk, config, printer)


def assert_numbers_have_no_gap(kiosk: RunningKiosk) -> None:
    serials: dict[tuple, list[int]] = defaultdict(list)
    for day, service, serial in kiosk.rows("SELECT business_day, service_code, serial FROM tickets ORDER BY id"):
        serials[day, service].append(serial)
    for (number,) in kiosk.rows("SELECT number FROM letter_requests ORDER BY id"):
        year, serial = number.split("-")
        serials[year, "request"].append(int(serial))
    assert len(serials) >= 3
    for counted in serials.values():
        assert counted == list(range(1, len(counted) + 1))


def assert_all_are_kept(kiosk: RunningKiosk, confirmed: list[str]) -> None:
    tickets = kiosk.rows("SELECT service_code, serial FROM tickets")
    kept = {f"{service}-{serial:03}" for service, serial in tickets}
    kept |= {number for (number,) in kiosk.rows("SELECT number FROM letter_requests")}
    assert len(confirmed) >= KILLS, "too little was confirmed for a test"
    assert set(confirmed) <= kept
    assert [number for number, times in Counter(confirmed).items() if times > 1] == []
    taken = kiosk.rows("SELECT facts FROM journal WHERE event = 'ticket-taken'")
    assert len(taken) == len(tickets)


def assert_papers_tell_the_truth(kiosk: RunningKiosk, config: Path, printer: VirtualPrinter) -> None:
    expected = {paper: job for job, paper in papers_of_jobs(kiosk, config).items()}
    whole = [paper for paper in printer.papers if not paper.void]
    assert all(dots(paper) in expected for paper in whole), "a paper is not what any job is"
    came = Counter(expected[dots(paper)] for paper in whole)
    by_state: dict[str, set[int]] = defaultdict(set)
    for job, state in states(kiosk).items():
        by_state[state].add(job)

    assert by_state.keys() <= {"printed", "uncertain", "cancelled"}
    assert max(came.values()) == 1, "a paper came twice"
    assert by_state["printed"] <= came.keys(), "it says printed, and there is no paper"
    assert not by_state["cancelled"] & came.keys()
    assert len(by_state["uncertain"]) >= KILLS // 3, "too few prints were interrupted for a test"
    assert any(paper.void for paper in printer.papers)
    assert printer.errors == []
    assert printer.hanging.image.height == 0
    told = kiosk.rows("SELECT json_extract(facts, '$.job') FROM journal WHERE event = 'print-printed'")
    assert sorted(job for (job,) in told) == sorted(by_state["printed"])


# One interrupted print.


@pytest.fixture
def slow(printer) -> VirtualPrinter:
    printer.head_mm_per_s = SLOW_HEAD_MM_PER_S
    return printer


def job_of(kiosk: RunningKiosk, kind: PrintKind) -> tuple:
    """The newest: state, code, printing, attempt."""
    return kiosk.rows(
        "SELECT state, code, printing, attempt FROM print_jobs WHERE kind = ? ORDER BY id DESC LIMIT 1", kind
    )[0]


def interrupt_ticket(kiosk: RunningKiosk, printer: VirtualPrinter) -> None:
    """A ticket's print is cut short, and the kiosk starts again."""
    kiosk.start().touch("start", "queue", "A")
    interrupt(kiosk, printer, PrintKind.TICKET)


def interrupt(kiosk: RunningKiosk, printer: VirtualPrinter, kind: PrintKind) -> None:
    printer.wait_for_rows(100, WITHIN_S)
    kiosk.kill()
    assert job_of(kiosk, kind) == ("sending", "", 1, 1)
    kiosk.start()
    kiosk.wait_until(lambda: job_of(kiosk, kind)[0] != "sending", "it does not look at the print that was cut short")
    assert job_of(kiosk, kind) == ("uncertain", "PRINT-INTERRUPTED", 1, 1)
    assert printer.papers == []


def test_an_interrupted_ticket_is_asked_about_and_its_reprint_is_marked(kiosk, config, slow):
    interrupt_ticket(kiosk, slow)
    listed = command("office", "--demo", "--state", kiosk.state, "jobs").stdout
    assert "ticket\tuncertain\tPRINT-INTERRUPTED" in listed
    kiosk.touch("start", "ticket:A-001", "no")
    voided, again = slow.wait_for_paper(2, WITHIN_S)
    kiosk.see("view:result")
    assert "A-001" in kiosk.do("read")
    assert voided.void and not again.void
    assert job_of(kiosk, PrintKind.TICKET) == ("printed", "", 2, 2)
    (job,) = kiosk.rows("SELECT id FROM print_jobs WHERE kind = 'ticket'")[0]
    assert dots(again) == papers_of_jobs(kiosk, config)[job]  # which says "cetakan ke-2", as its printing does
    kiosk.touch("done", "start")
    kiosk.see("queue")
    assert "ticket:A-001" not in kiosk.do("screen")


def test_an_interrupted_ticket_that_came_out_is_not_printed_again(kiosk, slow):
    interrupt_ticket(kiosk, slow)
    kiosk.touch("start", "ticket:A-001", "yes")
    kiosk.see("view:result")
    assert job_of(kiosk, PrintKind.TICKET) == ("printed", "PRINT-CONFIRMED-BY-PERSON", 1, 1)
    assert slow.papers == []


def test_an_interrupted_slip_is_printed_again_where_its_owner_wants_it(kiosk, config, slow):
    kiosk.start().do("tap", "budi")
    kiosk.type_pin()
    kiosk.do("take-card")
    kiosk.touch("domisili", "suggestion:Melamar pekerjaan", "send")
    interrupt(kiosk, slow, PrintKind.REQUEST_SLIP)
    kiosk.do("tap", "budi")
    kiosk.type_pin()
    kiosk.do("take-card")
    ((job, number),) = kiosk.rows("SELECT max(id), number FROM letter_requests")
    kiosk.touch(number, "slip")
    voided, again = slow.wait_for_paper(2, WITHIN_S)
    kiosk.see("view:result")
    assert voided.void and not again.void
    assert job_of(kiosk, PrintKind.REQUEST_SLIP) == ("printed", "", 2, 2)
    assert dots(again) in papers_of_jobs(kiosk, config).values()
