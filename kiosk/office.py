"""Everything that a step, or an officer at the command line, may ask of the kiosk, in one place."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from config.settings import Settings
from hardware.printer.interface import Printer
from kiosk.clock import Clock
from kiosk.code_keys import CodeSigner
from kiosk.codes import NotFromHere, RequestSlip, Verdict
from kiosk.devices import Devices
from kiosk.enrolments import Enrolments
from kiosk.housekeeping import Housekeeping
from kiosk.journal import Journal
from kiosk.letter_types import LetterType, letters_directory, load_letter_types
from kiosk.letters import Letters
from kiosk.officers import Officers
from kiosk.paper.compose import Composer
from kiosk.papers import Papers
from kiosk.queue import Queue
from kiosk.requests import Requests, RequestState, UnknownRequest
from kiosk.residents import Residents
from kiosk.selftest.registry import Bench
from kiosk.selftest.runner import SelfTest
from kiosk.signing.opening import open_pdf_signer
from kiosk.spooler import Spooler
from kiosk.store.errors import StoreError
from kiosk.store.opening import open_store
from kiosk.store.store import Store
from kiosk.technician import Technician
from kiosk.village_codes import VillageCodes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownRequest:
    """A request slip of this village was scanned. It shows no name: whoever holds the slip may ask."""

    number: str
    letter_type: str
    state: RequestState


@dataclass(frozen=True)
class Office:
    settings: Settings
    store: Store
    clock: Clock
    letter_types: dict[str, LetterType]
    residents: Residents
    enrolments: Enrolments
    requests: Requests
    papers: Papers
    officers: Officers
    letters: Letters
    queue: Queue
    journal: Journal
    codes: VillageCodes
    spooler: Spooler
    devices: Devices
    technician: Technician
    selftest: SelfTest
    housekeeping: Housekeeping

    @classmethod
    def open(
        cls,
        settings: Settings,
        clock: Clock,
        devices: Devices,
        printer: Printer | None,
        post: Callable[[Any], None],
        bench: Bench | None = None,
    ) -> "Office":
        """Everything on the settings' database; neither spooler nor self-test nor housekeeping is started. `bench` is
        what the self-test looks at, where there is more than the database. Raises StoreError."""
        store = open_store(settings)
        village = settings.village
        letter_types, broken = load_letter_types(letters_directory(settings))
        for error in broken:
            log.error("%s", error)
        residents = Residents(store, clock, settings.kiosk_id)
        requests = Requests(store, clock, village.code, village.timezone)
        try:
            codes = VillageCodes.open(settings, store, clock, requests)
        except StoreError:
            store.close()
            raise
        papers = Papers(store, clock)
        queue = Queue(store, clock, village.timezone)
        journal = Journal(store, clock)
        officers = Officers(store, clock)
        letters = Letters(
            settings,
            clock,
            journal,
            letter_types,
            residents,
            requests,
            codes.signer,
            open_pdf_signer(settings, clock),
            officers.nik_of,
        )
        selftest = SelfTest(bench or Bench(settings), store, clock)
        compose = (
            Composer(
                settings,
                printer.profile,
                letter_types,
                residents,
                requests,
                papers,
                letters,
                queue,
                codes.signer,
                selftest,
            )
            if printer
            else None
        )
        spooler = Spooler(store, clock, journal, printer, compose, post)
        return cls(
            settings,
            store,
            clock,
            letter_types,
            residents,
            Enrolments(store, clock, residents, settings.kiosk_id),
            requests,
            papers,
            officers,
            letters,
            queue,
            journal,
            codes,
            spooler,
            devices,
            Technician(store, clock, settings.kiosk_id),
            selftest,
            Housekeeping(papers, timedelta(days=settings.photos_kept_days)),
        )

    @property
    def signer(self) -> CodeSigner:
        return self.codes.signer

    def today(self) -> date:
        """In the hall."""
        return self.clock.local_date(self.settings.village.timezone)

    def close(self) -> None:
        self.codes.sync.stop()
        self.housekeeping.stop()
        self.selftest.stop()
        self.spooler.stop()
        self.store.close()

    def check_code(self, payload: bytes) -> Verdict | KnownRequest:
        """What a scanned code is, told without a network. Never raises for what `payload` holds."""
        verdict = self.codes.check(payload)
        if not isinstance(verdict, RequestSlip) or verdict.village_code != self.settings.village.code:
            return verdict
        try:
            request = self.requests.by_number(verdict.number)
        except UnknownRequest:
            return NotFromHere()
        return KnownRequest(request.number, request.letter_type, request.state)


@dataclass(frozen=True)
class OfficeOpened:
    """The database and all that stands on it are ready."""

    office: Office


@dataclass(frozen=True)
class OfficeClosed:
    """They could not be opened: the kiosk says so and serves nobody. `code` is for the technician."""

    code: str
