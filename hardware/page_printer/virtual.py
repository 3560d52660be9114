"""A page printer that is not there: an IPP server with paper, pages that take their time and things that go wrong, and
the driver that prints on it. Its methods are what people and accidents do to a printer."""

import math
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

import msgspec

from hardware.device import Sink
from hardware.page_printer.ipp import IppPagePrinter, Paper
from hardware.page_printer.ipp_protocol import (
    Attribute,
    Group,
    IppFormatError,
    IppStatus,
    JobState,
    Message,
    Operation,
    PrinterState,
    Tag,
    Value,
    decode,
    encode,
)

PATH = "/ipp/print"
MEDIA = ("iso_a4_210x297mm", "na_foolscap_8.5x13in")
_PAGE = re.compile(rb"/Type\s*/Page\b")
_ENDED = (JobState.CANCELED, JobState.ABORTED, JobState.COMPLETED)


@dataclass
class Job:
    """A job as the printer keeps it. `sheets` counts what came out."""

    id: int
    title: str
    copies: int
    media: str
    pdf: bytes = b""
    state: JobState = JobState.PENDING_HELD  # until its document is there
    sheets: int = 0

    @property
    def pages(self) -> int:
        return self.copies * max(1, len(_PAGE.findall(self.pdf)))


class VirtualIppPrinter:
    """A printer to speak IPP with at `uri`, between `start` and `close`. Every method may be called from any thread.

    page_s: how long a sheet takes.
    stops_when_empty: as a queue of CUPS, it is paused by a fault and stays so after the refill.
    may_resume: whether anybody may resume it.
    device_uri: what a queue of CUPS tells of its printer; "" for a printer itself.
    """

    def __init__(
        self,
        page_s: float = 1.0,
        *,
        media: tuple[str, ...] = MEDIA,
        stops_when_empty: bool = False,
        may_resume: bool = True,
        device_uri: str = "",
    ) -> None:
        self.page_s = page_s
        self._media, self._device_uri = media, device_uri
        self._stops_when_empty, self._may_resume = stops_when_empty, may_resume
        #: Called from the printer's thread after each sheet.
        self.on_sheet: Callable[[], None] | None = None
        self._jobs: dict[int, Job] = {}
        self._changed = threading.Condition(threading.RLock())
        self._reasons: set[str] = set()
        self._accepting = True
        self._empty_after: int | None = None
        self._abort_next = False
        self._counts_sheets = True
        self.answering = _Answering()
        self._server: ThreadingHTTPServer | None = None
        self._closing = False

    # Its life.

    def start(self) -> None:
        self._closing = False
        # Bound and never listening, so that the port stays ours and refuses hosts while the printer is unplugged.
        self._reservation = socket.socket()
        self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reservation.bind(("127.0.0.1", 0))
        self.plug()
        self._worker = threading.Thread(target=self._print_jobs, name="virtual-page-printer", daemon=True)
        self._worker.start()

    def close(self) -> None:
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._worker.join()
        self.unplug()
        self._reservation.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def uri(self) -> str:
        return "ipp://{}:{}{}".format(*self._reservation.getsockname(), PATH)

    # What can be seen.

    @property
    def jobs(self) -> list[Job]:
        """All jobs, oldest first."""
        with self._changed:
            return list(self._jobs.values())

    @property
    def sheets(self) -> int:
        """How many came out in all."""
        return sum(job.sheets for job in self.jobs)

    @property
    def state(self) -> dict[str, bool]:
        with self._changed:
            return {
                "paper_out": "media-empty" in self._reasons,
                "paper_near_end": "media-low-warning" in self._reasons,
                "cover_open": "cover-open" in self._reasons,
                "jammed": "media-jam" in self._reasons,
                "silent": self.answering.after_s > 0,
                "powered_off": self._server is None,
            }

    def wait_for_sheets(self, count: int, timeout_s: float) -> None:
        """Wait until so many sheets in all came out. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.sheets >= count, timeout_s):
                raise TimeoutError(f"not {count} sheets after {timeout_s} s")

    def wait_for_documents(self, count: int, timeout_s: float) -> None:
        """Wait until so many jobs have got their document. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: sum(bool(job.pdf) for job in self._jobs.values()) >= count, timeout_s
            ):
                raise TimeoutError(f"not {count} documents after {timeout_s} s")

    def wait_until_resumed(self, timeout_s: float) -> None:
        """Wait until its queue is not paused. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: "paused" not in self._reasons, timeout_s):
                raise TimeoutError(f"still paused after {timeout_s} s")

    # What happens to a printer.

    def paper_out(self) -> None:
        self._add("media-empty", "paused" if self._stops_when_empty else "media-empty")

    def paper_out_after(self, sheets: int) -> None:
        """Let the paper end after so many more sheets."""
        with self._changed:
            self._empty_after = sheets

    def refill(self) -> None:
        """With the queue stopped, nobody looks whether there is paper: it goes on saying that there is none."""
        with self._changed:
            if "paused" not in self._reasons:
                self._remove("media-empty")
            self._remove("media-low-warning")
            self._empty_after = None

    def paper_near_end(self) -> None:
        self._add("media-low-warning")

    def open_cover(self) -> None:
        self._add("cover-open")

    def close_cover(self) -> None:
        self._remove("cover-open")

    def jam(self) -> None:
        self._add("media-jam")

    def clear_jam(self) -> None:
        self._remove("media-jam")

    def happen(self, reason: str) -> None:
        """A printer-state-reason: "media-jam", "cover-open", "toner-low-warning"."""
        self._add(reason)

    def mend(self, reason: str) -> None:
        self._remove(reason)

    def pause(self) -> None:
        self._add("paused")

    def reject_jobs(self) -> None:
        with self._changed:
            self._accepting = False

    def abort_next_job(self) -> None:
        with self._changed:
            self._abort_next = True

    def count_no_sheets(self) -> None:
        """Be a printer that does not tell how many sheets came out."""
        self._counts_sheets = False

    def answer(self, **how: float | bytes | int | None) -> None:
        """How it answers from now on: see `_Answering`. Without arguments: as it should."""
        with self._changed:
            self.answering = _Answering(**how)
            self._changed.notify_all()

    def go_silent(self) -> None:
        """Take requests, and answer none of them before `answer_again`."""
        self.answer(after_s=float("inf"))

    def answer_again(self) -> None:
        self.answer()

    def power_off(self) -> None:
        self.unplug()

    def power_on(self) -> None:
        self.plug()

    def unplug(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server_thread.join()
            self._server = None

    def plug(self) -> None:
        if self._server is None:
            self._server = _Server(self._reservation.getsockname(), _Handler)
            self._server.printer = self
            self._server_thread = threading.Thread(
                target=self._server.serve_forever, args=(0.02,), name="virtual-page-printer-server", daemon=True
            )
            self._server_thread.start()

    def _add(self, *reasons: str) -> None:
        with self._changed:
            self._reasons.update(reasons)
            self._changed.notify_all()

    def _remove(self, reason: str) -> None:
        with self._changed:
            self._reasons.discard(reason)
            self._changed.notify_all()

    # Printing.

    @property
    def _stopped(self) -> bool:
        return any(not reason.endswith(("-warning", "-report")) for reason in self._reasons)

    def _print_jobs(self) -> None:
        with self._changed:
            while not self._closing:
                job = next((job for job in self._jobs.values() if job.state is JobState.PENDING), None)
                if job is None or self._stopped:
                    self._changed.wait()
                    continue
                job.state = JobState.PROCESSING
                self._print(job)
                self._changed.notify_all()

    def _print(self, job: Job) -> None:
        while job.sheets < job.pages:
            if self._abort_next:
                self._abort_next, job.state = False, JobState.ABORTED
                return
            if self._empty_after == 0:
                self._empty_after = None
                self.paper_out()
            job.state = JobState.PROCESSING_STOPPED if self._stopped else JobState.PROCESSING
            if self._stopped:
                self._changed.wait_for(lambda: self._gone(job) or not self._stopped)
            elif not self._changed.wait_for(lambda: self._gone(job) or self._stopped, self.page_s):
                job.sheets += 1
                if self.on_sheet is not None:
                    self.on_sheet()
                if self._empty_after is not None:
                    self._empty_after -= 1
                self._changed.notify_all()
            if self._gone(job):
                return
        job.state = JobState.COMPLETED

    def _gone(self, job: Job) -> bool:
        return self._closing or job.state in _ENDED

    # IPP.

    def rest(self, seconds: float) -> None:
        """Let that time pass, unless the printer closes or answers otherwise meanwhile."""
        with self._changed:
            answering = self.answering
            longest_s = None if math.isinf(seconds) else seconds
            self._changed.wait_for(lambda: self._closing or self.answering is not answering, longest_s)

    def reply(self, request: Message) -> Message:
        operation = request.attributes(Group.OPERATION)
        with self._changed:
            answer = {
                Operation.GET_PRINTER_ATTRIBUTES: self._get_printer,
                Operation.RESUME_PRINTER: self._resume,
                Operation.CREATE_JOB: self._create_job,
                Operation.SEND_DOCUMENT: self._send_document,
                Operation.GET_JOB_ATTRIBUTES: self._get_job,
                Operation.CANCEL_JOB: self._cancel_job,
            }.get(request.code)
            if answer is None:
                status, group, attributes = IppStatus.OPERATION_NOT_SUPPORTED, Group.PRINTER, []
            else:
                status, group, attributes = answer(request, operation)
            self._changed.notify_all()
        head = [
            Attribute("attributes-charset", Tag.CHARSET, ["utf-8"]),
            Attribute("attributes-natural-language", Tag.LANGUAGE, ["en"]),
        ]
        return Message(status, request.request_id, [(Group.OPERATION, head), (group, attributes)])

    def _get_printer(self, request: Message, operation: Mapping[str, list[Value]]):
        printing = any(job.state is JobState.PROCESSING for job in self._jobs.values())
        state = PrinterState.STOPPED if self._stopped else PrinterState.PROCESSING if printing else PrinterState.IDLE
        attributes = [
            Attribute("printer-state", Tag.ENUM, [state]),
            Attribute("printer-state-reasons", Tag.KEYWORD, sorted(self._reasons) or ["none"]),
            Attribute("printer-is-accepting-jobs", Tag.BOOLEAN, [self._accepting]),
            Attribute("media-supported", Tag.KEYWORD, self._media),
        ]
        if self._device_uri:
            attributes.append(Attribute("device-uri", Tag.URI, [self._device_uri]))
        return IppStatus.OK, Group.PRINTER, attributes

    def _resume(self, request: Message, operation: Mapping[str, list[Value]]):
        if not self._may_resume:
            return IppStatus.NOT_AUTHORISED, Group.PRINTER, []
        self._reasons -= {"paused", "media-empty"}  # it looks at its printer again
        return IppStatus.OK, Group.PRINTER, []

    def _create_job(self, request: Message, operation: Mapping[str, list[Value]]):
        if not self._accepting:
            return IppStatus.NOT_ACCEPTING_JOBS, Group.JOB, []
        template = request.attributes(Group.JOB)
        job = Job(len(self._jobs) + 1, operation["job-name"][0], template["copies"][0], template["media"][0])
        self._jobs[job.id] = job
        return IppStatus.OK, Group.JOB, self._described(job)

    def _send_document(self, request: Message, operation: Mapping[str, list[Value]]):
        if operation["document-format"] != ["application/pdf"]:
            return IppStatus.FORMAT_NOT_SUPPORTED, Group.JOB, []
        return self._with_job(operation, lambda job: self._take_document(job, request.data))

    def _take_document(self, job: Job, pdf: bytes) -> IppStatus:
        if job.state is not JobState.PENDING_HELD:
            return IppStatus.NOT_POSSIBLE
        job.pdf, job.state = pdf, JobState.PENDING
        return IppStatus.OK

    def _get_job(self, request: Message, operation: Mapping[str, list[Value]]):
        return self._with_job(operation, lambda job: IppStatus.OK)

    def _cancel_job(self, request: Message, operation: Mapping[str, list[Value]]):
        return self._with_job(operation, self._cancel)

    def _cancel(self, job: Job) -> IppStatus:
        if job.state in _ENDED:
            return IppStatus.NOT_POSSIBLE
        job.state = JobState.CANCELED
        return IppStatus.OK

    def _with_job(self, operation: Mapping[str, list[Value]], do):
        job = self._jobs.get(operation["job-id"][0])
        if job is None:
            return IppStatus.NOT_FOUND, Group.JOB, []
        status = do(job)
        return status, Group.JOB, self._described(job)

    def _described(self, job: Job) -> list[Attribute]:
        attributes = [
            Attribute("job-id", Tag.INTEGER, [job.id]),
            Attribute("job-state", Tag.ENUM, [job.state]),
            Attribute("job-state-reasons", Tag.KEYWORD, ["none"]),
        ]
        if self._counts_sheets:
            attributes.append(Attribute("job-impressions-completed", Tag.INTEGER, [job.sheets]))
        return attributes


@dataclass(frozen=True)
class _Answering:
    """How answers leave: late, other bytes, only so many of them, one after another, with another HTTP status."""

    after_s: float = 0.0
    garbage: bytes | None = None
    most_bytes: int | None = None
    byte_every_s: float = 0.0
    http_status: int = 200
    #: Break the connection instead of doing this operation, or instead of answering it.
    break_before: int | None = None
    break_after: int | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a handler that answers late must not hold up a cable being pulled
    printer: VirtualIppPrinter

    def handle_error(self, request, client_address) -> None:
        """A host that hung up is nothing to write about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # noqa: N802 (http.server's)
        printer = self.server.printer
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        how = printer.answering
        self.close_connection = True
        try:
            request = decode(body)
        except IppFormatError:
            self.send_error(400)
            return
        printer.rest(how.after_s)
        if how.break_before == request.code:
            return
        status = how.http_status if urlsplit(self.path).path == PATH else 404
        reply = printer.reply(request)
        if how.break_after == request.code:
            return
        answer = encode(reply) if how.garbage is None else how.garbage
        self.send_response(status)
        self.send_header("Content-Type", "application/ipp")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        answer = answer[: how.most_bytes]
        if not how.byte_every_s:
            self.wfile.write(answer)
            return
        for byte in answer:
            self.wfile.write(bytes((byte,)))
            printer.rest(how.byte_every_s)

    def log_message(self, format: str, *arguments: object) -> None:
        """Silent: what a printer was asked is seen by its jobs."""


class VirtualPagePrinter(IppPagePrinter):
    """The real driver on a `VirtualIppPrinter`, which is its `outside`."""

    virtual = True

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        paper: Paper = Paper.F4
        page_s: float = 2.0

    def __init__(self, name: str, options: Options) -> None:
        self.outside = VirtualIppPrinter(options.page_s)
        # Stands in until `start`, when the outside has a port.
        super().__init__(name, IppPagePrinter.Options("ipp://127.0.0.1/ipp/print", options.paper))

    def start(self, sink: Sink) -> None:
        self.outside.start()
        self._address = urlsplit(self.outside.uri)
        super().start(sink)

    def stop(self, timeout_s: float = 2.0) -> None:
        super().stop(timeout_s)
        self.outside.close()

    def unplug(self) -> None:
        """Pull the network cable out."""
        self.outside.unplug()

    def plug(self) -> None:
        self.outside.plug()
