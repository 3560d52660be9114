"""From a print job to a page: what stands on it is read from the database when it is printed."""

from zoneinfo import ZoneInfo

from config.settings import Settings
from config.translations import in_language
from hardware.printer.interface import Page, PrinterProfile
from kiosk.code_keys import CodeSigner
from kiosk.letter_types import LetterType
from kiosk.letters import Letters
from kiosk.paper import slips
from kiosk.paper.document import Document
from kiosk.paper.letter import CopyMark
from kiosk.paper.thermal import render
from kiosk.papers import Papers, wanted
from kiosk.queue import Queue
from kiosk.requests import Requests
from kiosk.residents import Residents
from kiosk.selftest.registry import part_name
from kiosk.selftest.report import active_lines, lines_of
from kiosk.selftest.runner import SelfTest
from kiosk.spooler import PrintJob
from kiosk.store.print_jobs import PrintKind
from kiosk.store.requirement_papers import PaperState


class Composer:
    """Lays pages out for one printer. Calling it raises LookupError where a job's subject is gone."""

    def __init__(
        self,
        settings: Settings,
        profile: PrinterProfile,
        letter_types: dict[str, LetterType],
        residents: Residents,
        requests: Requests,
        papers: Papers,
        letters: Letters,
        queue: Queue,
        signer: CodeSigner,
        selftest: SelfTest,
    ) -> None:
        self._village, self._services = settings.village, {entry.code: entry for entry in settings.queue.services}
        self._zone = ZoneInfo(settings.village.timezone)
        self._profile, self._letter_types = profile, letter_types
        self._residents, self._requests, self._letters = residents, requests, letters
        self._queue, self._signer, self._selftest = queue, signer, selftest
        self._papers = papers

    def __call__(self, job: PrintJob) -> Page:
        return Page(render(self.document(job), self._profile.width_dots, self._profile.dots_per_mm))

    def document(self, job: PrintJob) -> Document:
        match job.kind:
            case PrintKind.TICKET:
                return self._ticket(job)
            case PrintKind.REQUEST_SLIP:
                return self._request_slip(job)
            case PrintKind.LETTER_COPY:
                return self._letter_copy(job)
            case PrintKind.SELF_TEST if job.subject_id is None:
                return self._report()
            case PrintKind.SELF_TEST:
                return self._test_page(job)

    def _ticket(self, job: PrintJob) -> Document:
        ticket = self._queue.get(job.subject_id)
        service = self._services.get(ticket.service_code)
        return slips.ticket(
            ticket.number,
            in_language(service.name, job.language) if service else ticket.service_code,
            ticket.waiting,
            self._village,
            ticket.taken_at.astimezone(self._zone),
            language=job.language,
            printing=job.printing,
        )

    def _request_slip(self, job: PrintJob) -> Document:
        request = self._requests.get(job.subject_id)
        letter_type = self._letter_types[request.letter_type]
        papers = self._papers.of_request(request.id)
        return slips.request_slip(
            request.number,
            in_language(letter_type.name, job.language),
            self._residents.get(request.resident_id),
            self._village,
            self._signer.request(request.number),
            request.submitted_at.astimezone(self._zone),
            tuple(in_language(requirement.label, job.language) for requirement in wanted(letter_type, papers)),
            sum(paper.state is PaperState.PHOTO for paper in papers.values()),
            language=job.language,
            printing=job.printing,
        )

    def _letter_copy(self, job: PrintJob) -> Document:
        return self._letters.copy(job.subject_id, CopyMark(self._requests.copy_number(job.id), job.printing))

    def _report(self) -> Document:
        lines = lines_of(self._selftest.look(), "id")
        lines += active_lines(self._selftest.results.last(), self._village.timezone, "id")
        return slips.self_test_slip(tuple(lines), self._village, self._selftest.clock.now().astimezone(self._zone))

    def _test_page(self, job: PrintJob) -> Document:
        result = self._selftest.results.get(job.subject_id)
        return slips.test_page(
            part_name(result.finding.check, job.language),
            result.finding.detail,
            self._village,
            result.at.astimezone(self._zone),
            language=job.language,
            printing=job.printing,
        )
