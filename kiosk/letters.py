"""A letter's way from its request to its signed file: numbered, drawn, signed, verified, and only then kept.

The number is given first and in a transaction of its own, because the file says it; the file, its record and the
request's new state are written last and in one. Whatever happens between leaves a request that waits for the same
signature, with the number that it has.
"""

import logging
from collections.abc import Callable

from config.settings import Settings
from kiosk.clock import Clock
from kiosk.code_keys import CodeSigner
from kiosk.journal import Event, Journal
from kiosk.letter_types import LetterType
from kiosk.officers import Officer
from kiosk.paper.document import Document, from_json, to_json
from kiosk.paper.letter import CopyMark, Letter, as_copy, draft_of, letter_document, with_code
from kiosk.paper.text import UnprintableTextError
from kiosk.requests import ChangedMeanwhile, LetterRequest, Requests, SignedFile
from kiosk.residents import Resident, Residents
from kiosk.signing.interface import Passphrase, PdfSigner, SigningCode, SigningError
from kiosk.signing.verification import Trust, verify_signed

log = logging.getLogger(__name__)


class LetterTypeGone(LookupError):
    """The village no longer offers that type of letter."""


class Letters:
    """`nik_of` gives an officer's NIK, which only BSrE asks for. Every method may raise StoreError."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        journal: Journal,
        letter_types: dict[str, LetterType],
        residents: Residents,
        requests: Requests,
        codes: CodeSigner,
        pdf_signer: PdfSigner,
        nik_of: Callable[[int], str],
    ) -> None:
        self._settings, self._clock, self._journal = settings, clock, journal
        self._letter_types, self._residents, self._requests = letter_types, residents, requests
        self._codes, self._pdf_signer, self._nik_of = codes, pdf_signer, nik_of
        self._trust = Trust(settings, clock)

    @property
    def needs_passphrase(self) -> bool:
        """Whether whoever signs last types a passphrase for each letter."""
        return self._pdf_signer.needs_passphrase

    def type_of(self, request: LetterRequest) -> LetterType:
        """Raises LetterTypeGone."""
        letter_type = self._letter_types.get(request.letter_type)
        if letter_type is None:
            raise LetterTypeGone(f"The letter type {request.letter_type} is not on offer: run `kiosk letters check`.")
        return letter_type

    def fingerprint(self, request: LetterRequest) -> str:
        """What tells whether the register still says the same of everybody whom the letter names."""
        return self._residents.fingerprint(*self._people(request))

    def sign(
        self, number: str, officer: Officer, passphrase: Passphrase, register_read: str | None = None
    ) -> LetterRequest:
        """The signature of the one of the chain whose turn it is; the last one's makes the letter. `register_read` is
        the fingerprint of what the officer read. Blocks for as long as the signing server may take.

        Raises UnknownRequest, WrongState, NotYourTurn, NumberTaken, LetterTypeGone; SigningError where the file could
        not be signed or what came back is not it, and ChangedMeanwhile: the request then waits as before.
        """
        request = self._requests.by_number(number)
        letter_type = self.type_of(request)
        people = self._people(request)  # whom the letter names as they were read, whatever is changed from here on
        if register_read is not None and register_read != self._residents.fingerprint(*people):
            raise ChangedMeanwhile(f"The register says something else by now of whom request {number} names.")
        if request.signed + 1 < len(letter_type.signers):
            return self._requests.initial(number, officer, letter_type)
        if self.needs_passphrase and not passphrase:
            raise SigningError(SigningCode.WRONG_PASSPHRASE, "none was typed")
        self._draft(request, letter_type, people)  # what cannot be drawn takes no number
        numbered = self._requests.give_number(number, officer, letter_type, self._codes.letter)
        document = self._document(numbered, letter_type, people)
        try:
            file = self._signed_file(numbered, letter_type, document, officer, passphrase)
        except SigningError as error:
            self._journal.record(
                Event.SIGNING_FAILED, request=numbered.id, officer=officer.username, code=str(error.code)
            )
            raise
        return self._requests.issue(numbered, officer, file)

    def preview(self, number: str) -> bytes:
        """The letter as it will be, marked as a draft: without a number and without a code. Raises UnknownRequest,
        LetterTypeGone, and SigningError for a letter that cannot be drawn."""
        request = self._requests.by_number(number)
        return self._draft(request, self.type_of(request), self._people(request))

    def pdf(self, request_id: int) -> bytes:
        """The signed PDF. Raises UnknownRequest where there is none."""
        return self._requests.file(request_id).data

    def copy(self, request_id: int, mark: CopyMark) -> Document:
        """A copy of what was signed, whatever the register and the letter's type say by now. Its code alone is the one
        of now: the key that signed the first may have been revoked. Raises UnknownRequest."""
        original = from_json(self._requests.file(request_id).document)
        code = self._requests.get(request_id).token
        return as_copy(with_code(original, code), mark, self._settings.village)

    def _signed_file(
        self,
        numbered: LetterRequest,
        letter_type: LetterType,
        document: Document,
        officer: Officer,
        passphrase: Passphrase,
    ) -> SignedFile:
        unsigned = self._pdf(document, f"{letter_type.title} {numbered.letter_number}")
        signed = self._pdf_signer.sign(unsigned, officer, self._nik_of(officer.id), passphrase)
        verify_signed(unsigned, signed, self._trust)
        return SignedFile(signed.data, to_json(document), signed.kind, signed.document_id, self._clock.now())

    def _draft(self, request: LetterRequest, letter_type: LetterType, people: list[Resident]) -> bytes:
        today = self._clock.local_date(self._settings.village.timezone)
        draft = Letter("…", today, today, request.fields, "", "…")
        return self._pdf(draft_of(self._fill(letter_type, draft, people)), letter_type.title)

    def _document(self, numbered: LetterRequest, letter_type: LetterType, people: list[Resident]) -> Document:
        letter = Letter(
            numbered.letter_number,
            numbered.issued_on,
            numbered.valid_until,
            numbered.fields,
            numbered.token,
            numbered.signer_name,
            numbered.signer_nip,
            self._pdf_signer.sentence,
        )
        return self._fill(letter_type, letter, people)

    def _people(self, request: LetterRequest) -> list[Resident]:
        """Whom the letter names: the resident first, then the family where it lists them."""
        resident = self._residents.get(request.resident_id)
        letter_type = self._letter_types.get(request.letter_type)
        return [resident, *(self._residents.family(resident) if letter_type and letter_type.lists_family else ())]

    def _fill(self, letter_type: LetterType, letter: Letter, people: list[Resident]) -> Document:
        resident, *family = people
        return letter_document(letter_type, letter, resident, self._settings.village, family=family)

    def _pdf(self, document: Document, title: str) -> bytes:
        """Raises SigningError for what cannot be drawn."""
        from kiosk.paper.pdf import PdfError, render_pdf  # slow to import, and the kiosk's own process never draws one

        try:
            return render_pdf(document, self._settings.letters.paper, title=title, created_at=self._clock.now())
        except UnprintableTextError as error:
            code, detail = SigningCode.UNPRINTABLE, str(error)
        except PdfError as error:
            code, detail = SigningCode.UNREADABLE_PDF, str(error)
        log.error("%s: %s", code, detail)
        raise SigningError(code, detail)
