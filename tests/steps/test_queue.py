"""Queue numbers: none twice, none skipped, whatever the processes and the clock do."""

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from support.clock import FakeClock

from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.queue import Queue, Ticket
from kiosk.store.print_jobs import PrintKind, PrintState
from kiosk.store.schema import print_jobs, tickets
from kiosk.store.store import Store

pytest_plugins = ["support.databases"]

ZONE = "Asia/Jakarta"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(store: Store, clock: FakeClock) -> Queue:
    return Queue(store, clock, ZONE)


def test_numbers_count_up_per_service(queue: Queue) -> None:
    numbers = [queue.take(code, f"{n}").number for n, code in enumerate("AABA")]
    assert numbers == ["A-001", "A-002", "B-001", "A-003"]


def test_a_ticket_says_how_many_were_before_it(queue: Queue, clock: FakeClock) -> None:
    first, second = queue.take("A", "1"), queue.take("A", "2")
    assert (first.waiting, second.waiting, queue.waiting("A"), queue.waiting("B")) == (0, 1, 2, 0)
    assert (second.taken_at, second.business_day) == (clock.now(), date(2026, 11, 24))


def test_a_ticket_comes_with_its_print_job_and_journal_entry(queue: Queue, store: Store, clock: FakeClock) -> None:
    ticket = queue.take("A", "key")
    with store.read() as tx:
        job = tx.execute(select(print_jobs)).one()
    assert (job.id, job.kind, job.subject_id) == (ticket.print_job_id, PrintKind.TICKET, ticket.id)
    assert (job.state, job.attempt, job.printing, job.code) == (PrintState.QUEUED, 0, 1, "")
    (entry,) = Journal(store, clock).entries()
    assert (entry.event, entry.facts) == (Event.TICKET_TAKEN, {"ticket": ticket.id, "number": "A-001"})


def test_who_waits_and_who_was_called_last(queue: Queue) -> None:
    first, second, _ = (queue.take(code, f"{n}") for n, code in enumerate("AAB"))
    assert queue.line("A") == [first, second] and queue.last_called("A") is None
    assert queue.call_next("A") == first
    assert queue.line("A") == [second] and queue.last_called("A") == first
    assert queue.last_called("B") is None


def test_the_same_key_gets_the_same_ticket(queue: Queue) -> None:
    ticket = queue.take("A", "key")
    queue.take("A", "other")
    assert queue.take("A", "key") == ticket == queue.get(ticket.id)
    assert queue.take("A", "third").number == "A-003"


def test_the_same_key_at_once_gets_one_ticket(queue: Queue) -> None:
    together = threading.Barrier(4)
    given: list[Ticket] = []

    def take() -> None:
        together.wait(10)
        given.append(queue.take("A", "key"))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(given) == 4 and len(set(given)) == 1
    assert queue.take("A", "next").number == "A-002"


def test_numbers_restart_at_the_halls_midnight(queue: Queue, clock: FakeClock) -> None:
    clock.set(datetime(2026, 11, 24, 16, 59, tzinfo=UTC))  # 23.59 in Jakarta
    assert queue.take("A", "1").number == "A-001"
    clock.pass_s(60)
    assert queue.waiting("A") == 0
    ticket = queue.take("A", "2")
    assert (ticket.number, ticket.waiting, ticket.business_day) == ("A-001", 0, date(2026, 11, 25))


def test_a_clock_set_back_goes_on_with_the_same_day(queue: Queue, store: Store, clock: FakeClock) -> None:
    queue.take("A", "1")
    clock.set(clock.now() - timedelta(days=300))
    again = Queue(store, clock, ZONE)  # as after a restart
    assert again.waiting("A") == 1
    assert again.take("A", "2").number == "A-002"
    assert again.take("A", "3").business_day == date(2026, 11, 24)


@pytest.mark.parametrize(("days", "kept", "number"), [(31, False, "A-001"), (32, False, "A-002"), (32, True, "A-001")])
def test_a_long_jump_forward_needs_a_kept_clock(
    queue: Queue, clock: FakeClock, days: int, kept: bool, number: str
) -> None:
    queue.take("A", "1")
    clock.set(clock.now() + timedelta(days=days))
    clock.kept = kept
    assert queue.take("A", "2").number == number


def test_calling_goes_in_order_and_ends(queue: Queue) -> None:
    for n in range(2):
        queue.take("A", f"{n}")
    called = [queue.call_next("A") for _ in range(3)]
    assert [ticket and ticket.number for ticket in called] == ["A-001", "A-002", None]
    assert queue.waiting("A") == 0


def test_the_kernel_tells_whether_it_keeps_the_clock() -> None:
    assert Clock().synchronised() in (True, False)
    assert Clock().now().tzinfo is UTC and len(Clock().boot_id()) == 36


# Processes, and their ends.


@contextmanager
def takers(store: Store, count: int, each: int) -> Iterator[list[subprocess.Popen]]:
    url = store.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.support.takes", url, bytes(range(32)).hex(), str(each)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


def serials(store: Store) -> list[int]:
    with store.read() as tx:
        return list(tx.execute(select(tickets.c.serial).order_by(tickets.c.serial)).scalars())


def test_eight_processes_get_every_number_once(store: Store) -> None:
    with takers(store, 8, 25) as running:
        said = [number for process in running for number in process.communicate(timeout=100)[0].split()]
    assert sorted(said) == [f"A-{n:03}" for n in range(1, 201)]
    assert serials(store) == list(range(1, 201))


def test_killed_takers_lose_no_number_that_they_gave(store: Store) -> None:
    """Each is killed after it has said some numbers, wherever it then is in taking the next."""
    given: list[str] = []
    for _ in range(6):
        with takers(store, 1, 10_000) as (process,):
            given += [process.stdout.readline().strip() for _ in range(random.randint(1, 30))]
            process.kill()
            given += process.stdout.read().split()
    kept = serials(store)
    assert kept == list(range(1, len(kept) + 1))
    assert len(set(given)) == len(given) and set(given) <= {f"A-{n:03}" for n in kept}
    with store.read() as tx:
        printed = tx.execute(select(print_jobs.c.subject_id)).scalars().all()
    assert sorted(printed) == sorted(set(printed)) and len(printed) == len(kept)
