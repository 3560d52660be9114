"""Paper comes out, or it does not, or nobody can tell: the same for every flow that prints."""

from collections.abc import Callable
from typing import Any

from kiosk.intents import Chosen
from kiosk.spooler import PrintChanged
from kiosk.step import Next, Patience, Reply, Step, Wait
from kiosk.store.print_jobs import PrintState
from kiosk.views import Choice, NoticeView, ProgressView, View
from kiosk.visit import Visit

#: What follows; told whether the paper is in the visitor's hand.
Then = Callable[[bool], Step]

#: A printer that is not there will hardly come while its visitor waits: no paper is promised.
NOT_SOON = frozenset({"PRINTER-NONE", "PRINTER-ABSENT"})


class Print(Step):
    """Watches one job. The screen says "printed" only when the printer did. `number` is what the visitor must remember
    where no paper comes; empty where the paper is all there is."""

    patience = Patience.MACHINE
    final = True
    returnable = False
    leaves = False

    def __init__(self, job_id: int, title: str, then: Then, number: str = "") -> None:
        self._job_id, self._title, self._then, self._number = job_id, title, then, number
        self._fraction: float | None = None

    def enter(self, visit: Visit) -> None:
        # The job may have ended before this step began to look.
        visit.ask(lambda office: office.spooler.watch(self._job_id))

    def view(self, visit: Visit) -> View:
        title = f"{self._title}: {self._number}" if self._number else self._title
        return ProgressView(title, visit.say("printing_please_wait"), fraction=self._fraction)

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case PrintChanged(job_id=self._job_id) as change:
                return self._changed(change)
            case Reply(value=PrintChanged() as change):
                return self._changed(change)
        return None

    def _changed(self, change: PrintChanged) -> Next:
        match change.state:
            case PrintState.PRINTED:
                return self._then(True)
            case PrintState.HELD:
                return NotPrinted(self._job_id, self._title, self._then, self._number, change.code)
            case PrintState.UNCERTAIN:
                return DidItComeOut(self._job_id, self._title, self._then, self._number)
            case PrintState.CANCELLED:
                return self._then(False)
        if change.fraction is not None and change.fraction != self._fraction:
            self._fraction = change.fraction
            return self
        return None


class NotPrinted(Step):
    """The printer cannot, and says so. The job waits for it; the visitor need not."""

    final = True
    returnable = False
    leaves = False

    def __init__(self, job_id: int, title: str, then: Then, number: str, code: str) -> None:
        self._job_id, self._title, self._then, self._number, self._code = job_id, title, then, number, code

    def view(self, visit: Visit) -> View:
        told = ["printer_paper_out" if self._code == "PRINTER-PAPER-OUT" else "printer_fault"]
        if self._number:
            told.insert(0, "remember_or_note_number")
        if self._code not in NOT_SOON:
            told.append("print_goes_on_by_itself")
        return NoticeView(
            self._title,
            ". ".join(visit.say(key) for key in told),
            big=self._number,
            code=self._code,
            choices=(Choice("without", visit.say("finish_without_paper"), "leave"),),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case PrintChanged(job_id=self._job_id, state=PrintState.HELD, code=code):
                self._code = code
                return self
            case PrintChanged(job_id=self._job_id):
                return self._print()
            case Chosen(value="without"):
                return Wait(
                    lambda office: office.spooler.cancel(self._job_id),
                    lambda cancelled: self._then(False) if cancelled else self._print(),
                )
        return None

    def _print(self) -> Step:
        return Print(self._job_id, self._title, self._then, self._number)


class DidItComeOut(Step):
    """Bytes were sent and no answer tells whether they reached the paper: only the visitor can see it."""

    final = True
    returnable = False
    leaves = False

    def __init__(self, job_id: int, title: str, then: Then, number: str = "") -> None:
        self._job_id, self._title, self._then, self._number = job_id, title, then, number

    def view(self, visit: Visit) -> View:
        return NoticeView(
            visit.say("did_paper_come_out"),
            visit.say("did_paper_come_out_detail"),
            choices=(
                Choice("no", visit.say("no_print_again"), "printer"),
                Choice("yes", visit.say("yes_paper_is_whole"), "ok", prominent=True),
            ),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="yes"):
                return self._settle(True)
            case Chosen(value="no"):
                return self._settle(False)
        return None

    def _settle(self, came_out: bool) -> Step:
        return Wait(
            lambda office: office.spooler.settle(self._job_id, came_out),
            lambda _: self._then(True) if came_out else Print(self._job_id, self._title, self._then, self._number),
        )
