"""What signs a letter's PDF, what it gives back, and every way in which it can fail."""

import abc
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kiosk.officers import Officer
from kiosk.selftest.registry import advice


class SignatureKind(StrEnum):
    """Whose certificate signed: the village's own, or one that BSrE issued."""

    VILLAGE = "village"
    BSRE = "bsre"


class SigningCode(StrEnum):
    """Every reason why something is not signed. What to do about each is in the catalogue (`advice_<code>`)."""

    NO_KEY = "SIGNING-NO-KEY"
    KEY_BROKEN = "SIGNING-KEY-BROKEN"
    SETUP = "SIGNING-SETUP"
    WRONG_PASSPHRASE = "SIGNING-WRONG-PASSPHRASE"
    NOT_REGISTERED = "SIGNING-NOT-REGISTERED"
    MAY_NOT_SIGN = "SIGNING-MAY-NOT-SIGN"
    CERTIFICATE_EXPIRED = "SIGNING-CERTIFICATE-EXPIRED"
    NO_ANSWER = "SIGNING-NO-ANSWER"
    SERVER_CERTIFICATE = "SIGNING-SERVER-CERTIFICATE"
    SERVER_ERROR = "SIGNING-SERVER-ERROR"
    CLIENT_REFUSED = "SIGNING-CLIENT-REFUSED"
    REFUSED = "SIGNING-REFUSED"
    BAD_ANSWER = "SIGNING-BAD-ANSWER"
    UNPRINTABLE = "SIGNING-UNPRINTABLE"
    UNREADABLE_PDF = "SIGNING-UNREADABLE-PDF"
    BAD_SIGNATURE = "SIGNING-BAD-SIGNATURE"


class SigningError(Exception):
    """Nothing was signed and nothing has changed, so that it may be tried again.

    `code` tells why. `detail` is for the technician; neither it nor anything else of the error holds a passphrase, a
    NIK or a word of the server's.
    """

    def __init__(self, code: SigningCode, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else str(code))
        self.code, self.detail = code, detail

    @property
    def advice(self) -> str:
        """What the officer reads: what happened and what to do, in Indonesian."""
        return advice("id", self.code)


class BadSignature(SigningError):
    """What came back as the signed file is not our document, whole and signed by whom we trust."""

    def __init__(self, detail: str) -> None:
        super().__init__(SigningCode.BAD_SIGNATURE, detail)


class Passphrase:
    """An official's passphrase on its way through. It shows in no repr, so in no log and no traceback with locals."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text.encode(errors="replace").decode()  # an error about a part of it would hold it

    def __repr__(self) -> str:
        return "Passphrase(…)"

    def __bool__(self) -> bool:
        """Whether one was typed."""
        return bool(self._text)

    def reveal(self) -> str:
        """For the one call that needs it: never kept in a variable."""
        return self._text


@dataclass(frozen=True, repr=False)
class SignedPdf:
    """`document_id` is BSrE's own name for the file; empty where it gave none, and for the village's own."""

    data: bytes
    kind: SignatureKind
    document_id: str = ""

    def __repr__(self) -> str:
        return f"SignedPdf({self.kind}, {len(self.data)} bytes)"


@dataclass(frozen=True)
class SignerStatus:
    """Whether an officer may sign now, and if not why."""

    problem: SigningError | None = None

    @property
    def may_sign(self) -> bool:
        return self.problem is None


@dataclass(frozen=True)
class Verification:
    """What whoever verified a PDF says of it: `conclusion` in its own words."""

    valid: bool
    signatures: int
    conclusion: str


class PdfSigner(abc.ABC):
    """Signs PDFs. Every call blocks, for its deadline at most, and belongs on a worker: never on the window's thread
    nor on that of an event loop.

    sentence: what stands on the letters that it signs.
    needs_passphrase: whether the officer types one for each letter.
    """

    kind: SignatureKind
    sentence: str
    needs_passphrase: bool

    @abc.abstractmethod
    def sign(self, pdf: bytes, officer: Officer, nik: str, passphrase: Passphrase) -> SignedPdf:
        """The PDF signed by the officer. `nik` and `passphrase` are for those who need them. Raises SigningError."""

    @abc.abstractmethod
    def status(self, nik: str) -> SignerStatus:
        """Whether the officer with that NIK may sign now. Never raises SigningError: it is what the status tells."""

    @abc.abstractmethod
    def check(self) -> datetime:
        """See that what signing needs is there, whoever signs; until when its certificates are valid. Raises
        SigningError."""

    @abc.abstractmethod
    def verify(self, pdf: bytes) -> Verification:
        """What the one whose signature it is says of a signed PDF. Raises SigningError where nothing can be said."""
