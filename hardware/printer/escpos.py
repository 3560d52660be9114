"""The driver for ESC/POS receipt printers over TCP, serial or USB.

A job is printed so that its outcome is known (the rules behind it are in the `PrintOutcome`s):

1. Ask DLE EOT 1, 2 and 4. Silence or a fault: HELD, nothing was sent.
2. After an unclean stop: as many NULs as the longest strip, which fill a raster that the printer may still be waiting
   for; ESC @; a line that voids whatever hangs in the printer; and a cut.
3. Send strips, each with a mark that the printer acknowledges, at most two of them unacknowledged.
4. Cut only when every strip is acknowledged, so that whatever was not complete stays in the printer: HELD.
5. PRINTED when the mark behind the cut is acknowledged. Once the cut has left and nothing answers: UNCERTAIN.

What acknowledges depends on the model (`Acknowledgement`): GS ( H answers when the printing is complete; GS r answers
in order, a moment early; a printer without either is never believed, so each of its jobs ends UNCERTAIN.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

import msgspec

from hardware.device import DeviceError, DeviceState
from hardware.printer import encoder
from hardware.printer.codes import PrinterCode
from hardware.printer.interface import (
    Acknowledgement,
    Page,
    Printer,
    PrinterProfile,
    PrintOutcome,
    PrintResult,
)
from hardware.printer.link import PROCESS_ID_COUNT, Halt, Link, Marks
from hardware.printer.transport import open_transport, parse_connection

log = logging.getLogger(__name__)

MOST_UNACKNOWLEDGED = 2
#: More answers than this are never waited for after repeated unclean stops.
MOST_OWED = 6
#: How much slower than its profile a head may be: dense print, a hot head, a weak power supply.
SLOWNESS = 3.0
QUIET_S = 0.3
PING_SERVING_EVERY_S = 5.0
PING_FAULTY_EVERY_S = 1.0
SILENT_PINGS_TO_RECONNECT = 3
TAKEN_WITHIN_S = 1.0


class _Job:
    """One page on its way, shared by the thread that waits for it and the device's."""

    def __init__(self, strips: list[encoder.Strip], after_unclean_stop: bool, progress) -> None:
        self.strips = strips
        self.after_unclean_stop = after_unclean_stop
        self.taken = threading.Event()
        self.done = threading.Event()
        self.result: PrintResult | None = None
        self.cut_sent = False
        self._progress = progress
        self._rows_total = sum(strip.rows for strip in strips)

    def acknowledged(self, strip_count: int) -> None:
        if self._progress is not None:
            self._progress(sum(strip.rows for strip in self.strips[:strip_count]) / self._rows_total)

    def finish(self, result: PrintResult) -> None:
        if not self.done.is_set():
            self.result = result
            self.done.set()

    def interrupted(self, code: str) -> PrintResult:
        """Before the cut everything hangs in the printer still; after it, nobody knows."""
        return PrintResult(PrintOutcome.UNCERTAIN if self.cut_sent else PrintOutcome.HELD, code)


class EscposPrinter(Printer):
    """An ESC/POS printer. Raises ConnectionUrlError when its connection cannot be understood."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        connection: str  # see hardware/printer/transport.py

    #: What a printer is given to answer, and to cut, beyond the time of the printing itself.
    answer_within_s = 3.0

    def __init__(self, name: str, profile: PrinterProfile, options: Options) -> None:
        super().__init__(name, profile)
        self._address = parse_connection(options.connection)
        self._end_of_page = encoder.end_of_page(profile.has_cutter, profile.dots_per_mm)
        # A random start, so that an id of a process before this one is not taken for one of ours.
        self._marks = Marks(profile.acknowledgement, int.from_bytes(os.urandom(4), "big") % PROCESS_ID_COUNT**4)
        self._unclean = False
        self._one_at_a_time = threading.Lock()
        self._handover = threading.Lock()  # guards _job and _link between threads
        self._job: _Job | None = None
        self._link: Link | None = None

    def print(
        self, page: Page, *, after_unclean_stop: bool = False, progress: Callable[[float], None] | None = None
    ) -> PrintResult:
        """See `Printer.print`. Raises ValueError for a page that is not 1-bit or does not fit the profile."""
        return self._hand_over(_Job(encoder.strips(page.image, self.profile.width_dots), after_unclean_stop, progress))

    def void_unfinished(self, *, after_unclean_stop: bool = False) -> PrintResult:
        """See `Printer.void_unfinished`."""
        return self._hand_over(_Job([], after_unclean_stop, None))

    def _hand_over(self, job: _Job) -> PrintResult:
        """Give a job to the device's thread and wait for its result."""
        with self._one_at_a_time:
            with self._handover:
                self._job = job
                if self._link is not None:
                    self._link.transport.wake()
            if not job.taken.wait(TAKEN_WITHIN_S):
                with self._handover:
                    if not job.taken.is_set():
                        self._job = None
                        return PrintResult(PrintOutcome.HELD, self.status.code or PrinterCode.ABSENT)
            if not job.done.wait(self._longest_s(job)):
                return PrintResult(PrintOutcome.UNCERTAIN, PrinterCode.NO_ANSWER)
            return job.result

    # The device's thread.

    def _open(self) -> None:
        link = Link(open_transport(self._address), self._marks, self._stopping)
        with self._handover:
            self._link = link
        if self.profile.acknowledgement is not Acknowledgement.NONE:
            link.transport.write(encoder.AUTOMATIC_STATUS_ON)  # a stalled printer takes none; every job asks again
        link.ask_condition()
        self._show_condition()

    def _serve(self) -> None:
        silent_pings = 0
        ping_at_s = time.monotonic() + self._ping_every_s
        while not self._stopping.is_set():
            if job := self._take_job():
                self._work(job)
                ping_at_s = time.monotonic() + self._ping_every_s
                continue
            before = self._link.condition
            self._link.receive(ping_at_s)
            if self._link.condition != before:
                self._show_condition()
            if time.monotonic() < ping_at_s:
                continue
            silent_pings = 0 if self._link.ask_condition() else silent_pings + 1
            self._show_condition()
            if silent_pings >= SILENT_PINGS_TO_RECONNECT and self.profile.acknowledgement is not Acknowledgement.NONE:
                # A connection that the network forgot stays silent for a quarter of an hour; a new one tells at once.
                raise DeviceError(DeviceState.UNKNOWN, PrinterCode.NO_ANSWER, str(self._address))
            ping_at_s = time.monotonic() + self._ping_every_s

    def _close(self) -> None:
        with self._handover:
            link, self._link = self._link, None
            job = self._job if self._job is not None and self._job.taken.is_set() else None
            if job is not None:
                self._job = None
        if link is not None:
            link.transport.close()
        if job is not None:  # the driver itself failed in the middle of it
            job.finish(job.interrupted(PrinterCode.NO_ANSWER))

    def _interrupt(self) -> None:
        with self._handover:
            if self._link is not None:
                self._link.transport.wake()

    @property
    def _ping_every_s(self) -> float:
        return PING_SERVING_EVERY_S if self.status.serving else PING_FAULTY_EVERY_S

    def _take_job(self) -> _Job | None:
        with self._handover:
            if self._job is not None:
                self._job.taken.set()
            return self._job

    def _show_condition(self) -> None:
        condition = self._link.condition
        if condition is not None:
            self._set_status(*condition.status)
        elif self.profile.acknowledgement is Acknowledgement.NONE:
            # This model never answers, so its silence is no news: it serves, and every job is asked about.
            self._set_status(DeviceState.ATTENTION, PrinterCode.NO_ANSWER)
        else:
            self._set_status(DeviceState.UNKNOWN, PrinterCode.NO_ANSWER)

    def _work(self, job: _Job) -> None:
        """Print one job and finish it with its result; raises DeviceError when the printer is gone."""
        self._set_status(DeviceState.BUSY)
        try:
            result = self._print(job)
        except Halt as halt:
            result = job.interrupted(halt.code)
            if halt.code is PrinterCode.NO_ANSWER:
                self._link.condition = None
        except DeviceError as error:
            self._announce(error.status)
            self._leave(job, job.interrupted(error.status.code))
            raise
        self._show_condition()
        self._leave(job, result)

    def _leave(self, job: _Job, result: PrintResult) -> None:
        with self._handover:
            self._job = None
        log.info("printer %s: job %s %s", self.name, result.outcome, result.code)
        job.finish(result)

    def _print(self, job: _Job) -> PrintResult:
        link, believed = self._link, self.profile.acknowledgement is not Acknowledgement.NONE
        self._preflight()
        if self._unclean or job.after_unclean_stop:
            self._resynchronise(job.after_unclean_stop)
        if not job.strips:  # there was only something to void
            self._unclean = False
            return PrintResult(PrintOutcome.PRINTED)
        self._unclean = True
        prefix = encoder.INITIALISE + (encoder.AUTOMATIC_STATUS_ON if believed else b"")
        for sent, strip in enumerate(job.strips):
            self._wait_for_marks(MOST_UNACKNOWLEDGED - 1)
            job.acknowledged(sent - len(self._marks))
            link.send(prefix + strip.data + self._marks.request(), self._allowed_s)
            prefix = b""
        self._wait_for_marks(0, rows=sum(strip.rows for strip in job.strips))
        job.acknowledged(len(job.strips))
        link.halt_on_fault()
        job.cut_sent = True
        link.send(self._end_of_page.data + self._marks.request(), self._allowed_s)
        self._wait_for_marks(0, rows=self._end_of_page.rows, halt_on_fault=False)
        self._unclean = False
        return (
            PrintResult(PrintOutcome.PRINTED)
            if believed
            else PrintResult(PrintOutcome.UNCERTAIN, PrinterCode.NO_ANSWER)
        )

    def _preflight(self) -> None:
        condition = self._link.ask_condition()
        if condition is None and self.profile.acknowledgement is not Acknowledgement.NONE:
            raise Halt(PrinterCode.NO_ANSWER)
        if condition is not None and condition.fault is not None:
            raise Halt(condition.fault)

    def _resynchronise(self, owed_by_another_process: bool) -> None:
        """Bring the printer's parser back in step, and void and cut off what hangs in it."""
        link, marks = self._link, self._marks
        owed = min(max(len(marks), MOST_UNACKNOWLEDGED if owed_by_another_process else 0), MOST_OWED)
        marks.forget()
        self._unclean = True
        out_of_step = bytes(encoder.longest_strip_bytes(self.profile.width_dots)) + encoder.INITIALISE
        if self.profile.acknowledgement is not Acknowledgement.NONE:
            out_of_step += encoder.AUTOMATIC_STATUS_ON
        void = encoder.void_mark(self.profile.escpos_profile) + self._end_of_page.data
        # Answers to GS r carry no name. One more than could still be owed proves that ours are among them.
        in_order = self.profile.acknowledgement is Acknowledgement.IN_ORDER
        asked = b"".join(marks.request() for _ in range(owed + 1 if in_order else 1))
        link.send(out_of_step + void + asked, self._allowed_s * 2)
        self._wait_for_marks(0, rows=2 * encoder.STRIP_ROWS + self._end_of_page.rows)
        if in_order:
            quiet_at_s = time.monotonic() + QUIET_S
            while time.monotonic() < quiet_at_s:
                link.halt_on_fault()
                link.receive(quiet_at_s)

    def _wait_for_marks(self, most: int, *, rows: int = 0, halt_on_fault: bool = True) -> None:
        """Until at most `most` marks are unacknowledged. Raises Halt when none comes within the time that the printing
        of the strips on their way may take; `rows` is all that was sent, for a printer that never acknowledges."""
        link, marks = self._link, self._marks
        if self.profile.acknowledgement is Acknowledgement.NONE:
            self._wait_for_head(rows)
            return
        now_s = time.monotonic()
        until_s, ping_at_s = now_s + self._allowed_s, now_s + PING_FAULTY_EVERY_S
        while len(marks) > most:
            if halt_on_fault:
                link.halt_on_fault()
            before = len(marks)
            link.receive(min(until_s, ping_at_s))
            now_s = time.monotonic()
            if len(marks) < before:
                until_s, ping_at_s = now_s + self._allowed_s, now_s + PING_FAULTY_EVERY_S
            elif now_s >= until_s or self._stopping.is_set():
                raise Halt(PrinterCode.STOPPED if self._stopping.is_set() else link.reason())
            elif now_s >= ping_at_s:
                link.ask_condition()
                ping_at_s = time.monotonic() + PING_FAULTY_EVERY_S

    def _wait_for_head(self, rows: int) -> None:
        """Give a printer that never acknowledges the time to print, and notice what it may yet say."""
        until_s = time.monotonic() + rows / self._rows_per_s
        while time.monotonic() < until_s:
            self._link.halt_on_fault()
            self._link.receive(until_s)

    @property
    def _rows_per_s(self) -> float:
        return self.profile.head_mm_per_s * self.profile.dots_per_mm

    @property
    def _allowed_s(self) -> float:
        """For the strips on their way to be carried, printed and acknowledged, or the end of the page."""
        rows = max(MOST_UNACKNOWLEDGED * encoder.STRIP_ROWS, self._end_of_page.rows)
        bytes_ = MOST_UNACKNOWLEDGED * encoder.longest_strip_bytes(self.profile.width_dots)
        link = self._link
        carried_s = bytes_ / link.transport.bytes_per_s
        return self.answer_within_s + carried_s + SLOWNESS * rows / self._rows_per_s

    def _longest_s(self, job: _Job) -> float:
        """Beyond any sum of the waits in a job: it ends by itself long before."""
        rows = sum(strip.rows for strip in job.strips) + self._end_of_page.rows + 4 * encoder.STRIP_ROWS
        steps = len(job.strips) + 8
        return steps * (2 * self.answer_within_s + 2.0) + 2 * SLOWNESS * rows / self._rows_per_s + 60.0
