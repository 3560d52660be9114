"""Forms that are sent more than once while the first is still being done, and what is told of them."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

import pytest
from flask import Response, g, redirect
from support.desk import URL, DeskAtHand

from kiosk.desk import access
from kiosk.desk.access import FORMS_REMEMBERED, MOST_NOTICES, Forms

pytest_plugins = ["support.desk"]


class WatchedFuture(Future):
    """Tells of everybody who begins to wait for it."""

    waiting = threading.Semaphore(0)

    def result(self, timeout: float | None = None) -> str | None:
        self.waiting.release()
        return super().result(timeout)


@pytest.fixture
def in_threads(desk: DeskAtHand):
    """`in_threads(work)`: begin work for the same form in a thread of its own; what it gave is appended to `given`."""
    threads: list[threading.Thread] = []
    given: list[int] = []

    def run(work: Callable[[], Response]) -> None:
        with desk.app.test_request_context("/", method="POST", data={"mark": "one mark"}):
            g.token = "a session"
            given.append(work().status_code)

    def begin(work: Callable[[], Response]) -> list[int]:
        threads.append(threading.Thread(target=run, args=(work,)))
        threads[-1].start()
        return given

    yield begin, threads


def test_of_those_who_wait_for_a_form_that_failed_one_does_it(in_threads, monkeypatch):
    monkeypatch.setattr(access, "Future", WatchedFuture)
    begin, threads = in_threads
    forms, begun, go_on, done = Forms(), threading.Event(), threading.Event(), []

    def do() -> Response:
        done.append(threading.get_ident())
        if len(done) > 1:
            return redirect("/there", 303)
        begun.set()
        assert go_on.wait(10)
        return Response("refused", 422)

    given = begin(lambda: forms.do_once(do))
    assert begun.wait(10)
    for _ in range(2):
        begin(lambda: forms.do_once(do))
    assert all(WatchedFuture.waiting.acquire(timeout=10) for _ in range(2))
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert given == [422, 303, 303] and len(done) == 2


def test_a_form_that_takes_long_is_told_to_be_under_way(desk, monkeypatch):
    monkeypatch.setattr(access, "WAIT_FOR_TWIN_S", 0.05)
    desk.office.queue.take("A", "a")
    browser, begun, go_on = desk.browser("ratna"), threading.Event(), threading.Event()
    browser.open("/antrean/")
    fields = browser.form("/antrean/A/panggil")
    call = desk.office.queue.call_next

    def slowly(*arguments, **options):
        begun.set()
        assert go_on.wait(10)
        return call(*arguments, **options)

    monkeypatch.setattr(desk.office.queue, "call_next", slowly)
    answers: list[int] = []

    def press() -> None:
        twin = desk.browser()
        twin.keep(browser.cookie())
        answers.append(twin.post("/antrean/A/panggil", fields, headers={"Origin": URL}).status_code)

    first = threading.Thread(target=press)
    first.start()
    assert begun.wait(10)
    page = browser.post("/antrean/A/panggil", fields, headers={"Origin": URL})
    go_on.set()
    first.join(10)
    assert (page.status_code, answers) == (202, [303]) and "Masih dikerjakan" in page.text


def test_what_nobody_comes_to_read_is_forgotten():
    forms = Forms()
    for number in range(FORMS_REMEMBERED + 1):
        forms.tell(f"session {number}", "done")
    for number in range(MOST_NOTICES + 1):
        forms.tell("session 1", str(number))
    assert forms.told("session 0") == []
    assert forms.told("session 1") == [str(number) for number in range(1, MOST_NOTICES + 1)]
    assert forms.told("session 1") == []
