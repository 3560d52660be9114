"""The driver for page printers over IPP: a printer itself, or a queue of the print service (CUPS).

A job is made first (Create-Job, no paper yet) and its document sent after, so that whatever breaks, the job has a
number by which it can be asked about and cancelled. Its end is then waited for:

- PRINTED when the printer says "completed". A CUPS queue whose printer does not speak IPP says so when the last byte
  was sent, so such a job ends UNCERTAIN (`ONLY_SENT`).
- On a fault (no paper, a jam, the kiosk stops) the job is cancelled, so that it does not come out later for nobody.
  HELD when the printer then counts no sheet, UNCERTAIN otherwise.

CUPS leaves a queue stopped after a fault, also when the paper has long been refilled. The driver resumes it, as far as
the kiosk's user may; otherwise the status says that it is paused. Sources: RFC 8011; PWG 5100.1 and 5101.1.
"""

import itertools
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from hardware.device import DeviceError, DeviceState, Status
from hardware.page_printer.codes import PagePrinterCode
from hardware.page_printer.interface import PagePrinter
from hardware.page_printer.ipp_http import exchange
from hardware.page_printer.ipp_protocol import (
    Attribute,
    Group,
    IppStatus,
    JobState,
    Message,
    Operation,
    PrinterState,
    Tag,
    Value,
    media_for,
)
from hardware.printer.interface import PrintOutcome, PrintResult

log = logging.getLogger(__name__)

USER = "anjungan-desa"
PDF = "application/pdf"
ASKED_OF_PRINTER = (
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "media-supported",
    "device-uri",
)
LOOK_SERVING_EVERY_S = 10.0
LOOK_FAULTY_EVERY_S = 2.0
RESUME_EVERY_S = 30.0
#: Shorter than a device's time to stop.
LOOK_WITHIN_S = 1.5

Values = Mapping[str, Sequence[Value]]


class Paper(StrEnum):
    A4 = "A4"
    F4 = "F4"  # 215×330 mm, the paper of Indonesian offices


SIZES_MM = {Paper.A4: (210.0, 297.0), Paper.F4: (215.0, 330.0)}
#: PWG 5101.1, for a queue that does not tell what it knows.
STANDARD_MEDIA = {Paper.A4: "iso_a4_210x297mm", Paper.F4: "na_foolscap_8.5x13in"}

_STATUS_CODES = {
    IppStatus.FORBIDDEN: PagePrinterCode.REFUSED,
    IppStatus.NOT_AUTHENTICATED: PagePrinterCode.REFUSED,
    IppStatus.NOT_AUTHORISED: PagePrinterCode.REFUSED,
    IppStatus.NOT_FOUND: PagePrinterCode.NO_QUEUE,
    IppStatus.FORMAT_NOT_SUPPORTED: PagePrinterCode.NO_PDF,
    IppStatus.NOT_ACCEPTING_JOBS: PagePrinterCode.REJECTS,
}
#: printer-state-reasons that stop a printer, most telling first (RFC 8011 5.4.12, PWG 5100.9; "offline" is CUPS').
_FAULTS = {
    "cover-open": PagePrinterCode.COVER_OPEN,
    "door-open": PagePrinterCode.COVER_OPEN,
    "interlock-open": PagePrinterCode.COVER_OPEN,
    "media-jam": PagePrinterCode.JAM,
    "input-tray-missing": PagePrinterCode.TRAY_MISSING,
    "media-empty": PagePrinterCode.PAPER_OUT,
    "media-needed": PagePrinterCode.PAPER_OUT,
    "marker-supply-empty": PagePrinterCode.INK_OUT,
    "toner-empty": PagePrinterCode.INK_OUT,
    "output-area-full": PagePrinterCode.OUTPUT_FULL,
    "offline": PagePrinterCode.OFFLINE,
    "shutdown": PagePrinterCode.OFFLINE,
    "timed-out": PagePrinterCode.OFFLINE,
    "paused": PagePrinterCode.PAUSED,
}
_WARNINGS = {
    "media-empty": PagePrinterCode.PAPER_OUT,  # a tray, and another may have paper; or the printer has not tried yet
    "media-low": PagePrinterCode.PAPER_NEAR_END,
    "toner-low": PagePrinterCode.INK_LOW,
    "marker-supply-low": PagePrinterCode.INK_LOW,
    "toner-empty": PagePrinterCode.INK_OUT,
    "marker-supply-empty": PagePrinterCode.INK_OUT,
}
_SEVERITIES = ("-error", "-warning", "-report")
_ENDED = (JobState.CANCELED, JobState.ABORTED, JobState.COMPLETED)


class IppPagePrinter(PagePrinter):
    """A printer or queue at an `ipp://` address."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        # ipp://printer.local/ipp/print, or a queue of CUPS: ipp://localhost/printers/NAME
        uri: Annotated[str, msgspec.Meta(pattern=r"^ipp://[A-Za-z0-9.\-\[\]:]+/\S+$")]
        paper: Paper  # what lies in it; the documents' pages have its size

    #: What one request may take, and the one that carries the document.
    answer_within_s = 5.0
    send_within_s = 30.0
    poll_s = 0.5
    #: A fault that passes by itself, as a printer that wakes up, is waited for so long.
    fault_patience_s = 5.0
    #: A job that makes no progress, without a fault, is given up after so long.
    stuck_after_s = 120.0

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name)
        self._address = urlsplit(options.uri)
        self._paper = options.paper
        self._request_ids = itertools.count(1)
        self._one_at_a_time = threading.Lock()
        self._wakeup = threading.Event()
        self._resume_at_s = 0.0
        self._resume_refused = False

    def print_pdf(self, pdf: bytes, title: str, copies: int = 1) -> PrintResult:
        """See `PagePrinter.print_pdf`. Raises ValueError for what is no PDF or no number of copies."""
        if not pdf.startswith(b"%PDF-") or copies < 1:
            raise ValueError("a document is a PDF, and at least one copy of it is printed")
        with self._one_at_a_time:
            try:
                job_id, believed = self._create_job(title, copies)
            except DeviceError as error:
                result = PrintResult(PrintOutcome.HELD, error.status.code)
            else:
                result = self._print(job_id, pdf, believed)
        self._wakeup.set()
        log.info("page printer %s: job %s %s", self.name, result.outcome, result.code)
        return result

    # The device's thread.

    def _open(self) -> None:
        self._wakeup.clear()
        self._look()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._wakeup.wait(LOOK_SERVING_EVERY_S if self.status.serving else LOOK_FAULTY_EVERY_S)
            self._wakeup.clear()
            if not self._stopping.is_set():
                self._look()

    def _close(self) -> None:
        pass

    def _interrupt(self) -> None:
        self._wakeup.set()

    # How the printer is.

    def _look(self) -> tuple[Status, Values]:
        """Ask the printer how it is, tell it, and resume a paused queue. Raises DeviceError."""
        printer = self._printer()
        if "paused" not in _reasons(printer):
            self._resume_refused = False
        elif time.monotonic() >= self._resume_at_s:
            self._resume_at_s = time.monotonic() + RESUME_EVERY_S
            try:
                self._request(Operation.RESUME_PRINTER, within_s=LOOK_WITHIN_S)
                self._resume_refused = False
                printer = self._printer()
            except DeviceError as error:
                log.info("page printer %s: its queue is paused and not resumed: %s", self.name, error)
                self._resume_refused = True
        status = condition(printer, self._resume_refused)
        if self._media(printer) is None:
            status = Status(DeviceState.FAULT, PagePrinterCode.PAPER_SIZE, f"it knows no {self._paper}")
        self._announce(status)
        return status, printer

    def _printer(self) -> Values:
        wanted = Attribute("requested-attributes", Tag.KEYWORD, ASKED_OF_PRINTER)
        return self._request(Operation.GET_PRINTER_ATTRIBUTES, wanted, within_s=LOOK_WITHIN_S)

    def _media(self, printer: Values) -> str | None:
        """What the printer calls the paper of the settings; None where it cannot take it."""
        supported = _texts(printer, "media-supported")
        return media_for(SIZES_MM[self._paper], supported) if supported else STANDARD_MEDIA[self._paper]

    # A job.

    def _create_job(self, title: str, copies: int) -> tuple[int, bool]:
        """The number of a new job without a document, and whether its end will mean that it is on paper. Raises
        DeviceError: then nothing can come out."""
        status, printer = self._look()
        if not status.serving:
            raise DeviceError(status.state, status.code, status.detail)
        template = [
            Attribute("copies", Tag.INTEGER, [copies]),
            Attribute("media", Tag.KEYWORD, [self._media(printer)]),
        ]
        job = self._request(Operation.CREATE_JOB, Attribute("job-name", Tag.NAME, [title]), job=template)
        job_id = _number(job, "job-id")
        if job_id is None:
            raise self._bad_answer("a job without a number")
        return job_id, _end_means_printed(printer)

    def _print(self, job_id: int, pdf: bytes, believed: bool) -> PrintResult:
        try:
            self._request(
                Operation.SEND_DOCUMENT,
                Attribute("document-format", Tag.MIME_TYPE, [PDF]),
                Attribute("last-document", Tag.BOOLEAN, [True]),
                job_id=job_id,
                data=pdf,
                within_s=self.send_within_s,
            )
            job, why = self._follow(job_id)
        except DeviceError as error:
            job, why = None, error.status.code
        if job is None:
            job = self._cancel(job_id)
        return _result(job, why, believed)

    def _follow(self, job_id: int) -> tuple[Values | None, str]:
        """Wait for the job's end: the job. Or None, and why it should be cancelled."""
        moved_at_s = well_at_s = time.monotonic()
        progress = None
        while True:
            before = progress
            try:
                job = self._job(job_id)
                if _state(job) in _ENDED:
                    return job, PagePrinterCode.JOB_ENDED
                progress = _state(job), _number(job, "job-impressions-completed")
                status, _ = self._look()
            except DeviceError as error:
                status = error.status
            now_s = time.monotonic()
            if status.serving:
                well_at_s = now_s
            if progress != before:
                moved_at_s = now_s
            if self._stopping.is_set():
                return None, PagePrinterCode.STOPPED
            if now_s - well_at_s >= self.fault_patience_s:
                return None, status.code
            if now_s - moved_at_s >= self.stuck_after_s:
                return None, status.code or PagePrinterCode.STUCK
            self._stopping.wait(self.poll_s)

    def _cancel(self, job_id: int) -> Values | None:
        """Cancel the job and wait until it has ended: the job, or None where that cannot be known."""
        until_s = time.monotonic() + self.answer_within_s
        try:
            self._request(Operation.CANCEL_JOB, job_id=job_id)
        except DeviceError as error:
            log.info("page printer %s: a job could not be cancelled: %s", self.name, error)  # it may have ended
        pause = threading.Event()
        while time.monotonic() < until_s:
            try:
                job = self._job(job_id)
            except DeviceError:
                return None
            if _state(job) in _ENDED:
                return job
            pause.wait(self.poll_s)
        return None

    def _job(self, job_id: int) -> Values:
        job = self._request(Operation.GET_JOB_ATTRIBUTES, job_id=job_id)
        if _state(job) is None:
            raise self._bad_answer("a job without a state")
        return job

    # Requests.

    def _request(
        self,
        operation: Operation,
        *attributes: Attribute,
        job_id: int | None = None,
        job: Sequence[Attribute] = (),
        data: bytes = b"",
        within_s: float | None = None,
    ) -> Values:
        """Ask, and return the attributes of the printer or the job that the answer is about. Raises DeviceError."""
        # RFC 8011 wants these two first, and then the target: the printer, and its job.
        head = [
            Attribute("attributes-charset", Tag.CHARSET, ["utf-8"]),
            Attribute("attributes-natural-language", Tag.LANGUAGE, ["en"]),
            Attribute("printer-uri", Tag.URI, [self._address.geturl()]),
        ]
        if job_id is not None:
            head.append(Attribute("job-id", Tag.INTEGER, [job_id]))
        head.append(Attribute("requesting-user-name", Tag.NAME, [USER]))
        groups = [(Group.OPERATION, [*head, *attributes])] + ([(Group.JOB, job)] if job else [])
        request = Message(operation, next(self._request_ids), groups, data)
        answer = exchange(self._address, request, within_s or self.answer_within_s)
        if answer.code >= 0x100:
            code = _STATUS_CODES.get(answer.code, PagePrinterCode.ERROR)
            raise DeviceError(DeviceState.FAULT, code, f"{self._address.geturl()}: IPP status {answer.code:#06x}")
        about_printer = operation is Operation.GET_PRINTER_ATTRIBUTES
        return answer.attributes(Group.PRINTER if about_printer else Group.JOB)

    def _bad_answer(self, what: str) -> DeviceError:
        return DeviceError(DeviceState.UNKNOWN, PagePrinterCode.BAD_ANSWER, f"{self._address.geturl()}: {what}")


def condition(printer: Values, resume_refused: bool) -> Status:
    """How a printer says it is. A paused queue that the kiosk may not resume is that before all else: what it says
    beside may be long mended."""
    reasons = _reasons(printer)
    detail = " ".join(sorted(reasons))
    stopped = _number(printer, "printer-state") == PrinterState.STOPPED
    if resume_refused:
        return Status(DeviceState.FAULT, PagePrinterCode.PAUSED, detail)
    for reason, code in _FAULTS.items():
        severe = reasons.get(reason) == "-error" or stopped or code is PagePrinterCode.OFFLINE
        if reason in reasons and severe:
            return Status(DeviceState.FAULT, code, detail)
    if stopped:
        return Status(DeviceState.FAULT, PagePrinterCode.ERROR, detail)
    if printer.get("printer-is-accepting-jobs") == [False]:
        return Status(DeviceState.FAULT, PagePrinterCode.REJECTS, detail)
    for reason, code in _WARNINGS.items():
        if reason in reasons:
            return Status(DeviceState.ATTENTION, code, detail)
    busy = _number(printer, "printer-state") == PrinterState.PROCESSING
    return Status(DeviceState.BUSY if busy else DeviceState.READY)


def _reasons(printer: Values) -> dict[str, str]:
    """printer-state-reasons without their severity → that severity; a keyword without one is an error."""
    reasons = {}
    for text in _texts(printer, "printer-state-reasons"):
        severity = next((each for each in _SEVERITIES if text.endswith(each)), "")
        reasons[text.removesuffix(severity)] = severity or "-error"
    reasons.pop("none", None)
    return reasons


def _end_means_printed(printer: Values) -> bool:
    """A printer that is asked itself knows. A CUPS queue tells by `device-uri` how it reaches its printer: over IPP it
    follows the job to its end, otherwise (usb, socket, lpd) it only knows that it has sent it."""
    reached_by = "".join(_texts(printer, "device-uri")[:1])
    return not reached_by or reached_by.startswith(("ipp:", "ipps:")) or "._ipp" in reached_by


def _result(job: Values | None, why: str, believed: bool) -> PrintResult:
    """What became of a job that has ended; None is one of which nothing is known."""
    if job is not None and _state(job) == JobState.COMPLETED:
        if "job-completed-with-errors" in _texts(job, "job-state-reasons"):
            return PrintResult(PrintOutcome.UNCERTAIN, PagePrinterCode.ERROR)
        if not believed:
            return PrintResult(PrintOutcome.UNCERTAIN, PagePrinterCode.ONLY_SENT)
        return PrintResult(PrintOutcome.PRINTED)
    nothing_came_out = job is not None and _number(job, "job-impressions-completed") == 0
    return PrintResult(PrintOutcome.HELD if nothing_came_out else PrintOutcome.UNCERTAIN, why)


def _state(job: Values) -> int | None:
    return _number(job, "job-state")


def _number(values: Values, name: str) -> int | None:
    found = values.get(name, ())
    return found[0] if found and isinstance(found[0], int) else None


def _texts(values: Values, name: str) -> list[str]:
    return [value for value in values.get(name, ()) if isinstance(value, str)]
