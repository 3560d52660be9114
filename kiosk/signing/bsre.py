"""BSrE signs for an officer, by either version of its e-sign service (esign-client-service), or seals for the village.

The officer's passphrase goes through once and is kept nowhere: not in a variable either, as a traceback may show those.
What the service says in words is not passed on, as it may name the officer. Its numbers are.
"""

import abc
import base64
import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec

from config.settings import Bsre
from kiosk.officers import Officer
from kiosk.signing.esign_http import Answer, Call, Credentials, ask, load_credentials
from kiosk.signing.interface import (
    Passphrase,
    PdfSigner,
    SignatureKind,
    SignedPdf,
    SignerStatus,
    SigningCode,
    SigningError,
    Verification,
)
from kiosk.signing.verification import Trust

#: The numbers of the service's errors (`status_code`).
_ERRORS = {2011: SigningCode.NOT_REGISTERED, 2031: SigningCode.WRONG_PASSPHRASE}
#: A user's certificate as the service calls it; only "ISSUE" may sign, and any other than these is refused too.
_MAY_SIGN = "ISSUE"
_STATUSES = {"EXPIRED": SigningCode.CERTIFICATE_EXPIRED, "NOT_REGISTERED": SigningCode.NOT_REGISTERED}
#: Nobody's NIK: asking for it tells whether the service answers this client.
NOBODYS_NIK = "0" * 16
#: As long as the database keeps it.
_DOCUMENT_ID = re.compile(r"[\w.\-]{1,120}")


class BsreSigner(PdfSigner):
    """What both versions share."""

    kind = SignatureKind.BSRE
    needs_passphrase = True

    def __init__(self, server: Bsre, village: str, sentence: str, trust: Trust) -> None:
        self.sentence = sentence
        self._server, self._village, self._trust = server, village, trust

    def status(self, nik: str) -> SignerStatus:
        try:
            self._require_may_sign(nik)
        except SigningError as error:
            return SignerStatus(error)
        return SignerStatus()

    def check(self) -> datetime:
        """See `PdfSigner.check`: the first of the trusted certificates to end."""
        ends = min(root.not_valid_after_utc for root in self._trust.roots(self.kind))
        try:
            self._user_status(NOBODYS_NIK)
        except SigningError as error:
            if error.code not in (SigningCode.NOT_REGISTERED, SigningCode.REFUSED):
                raise
        return ends

    def _require_may_sign(self, nik: str) -> None:
        if not nik:
            raise SigningError(SigningCode.NOT_REGISTERED, "the officer's NIK is not known here")
        status = self._user_status(nik)
        if status != _MAY_SIGN:
            raise SigningError(_STATUSES.get(status, SigningCode.MAY_NOT_SIGN), _word(status))

    @abc.abstractmethod
    def _user_status(self, nik: str) -> str:
        """What the service calls the state of a user's certificate. Raises SigningError."""

    def _ask(self, call: Call) -> Answer:
        """The service's answer to a call that it did not refuse. Raises SigningError."""
        answer = ask(self._server, self._credentials(), call)
        _raise_refusal(answer)
        return answer

    def _ask_json(self, call: Call) -> dict[str, Any]:
        return _json(self._ask(call).body)

    def _credentials(self) -> Credentials:
        return load_credentials(self._server.credentials)


class BsreV1Signer(BsreSigner):
    def sign(self, pdf: bytes, officer: Officer, nik: str, passphrase: Passphrase) -> SignedPdf:
        """See `PdfSigner.sign`. The passphrase is sent only for an officer who may sign."""
        self._require_may_sign(nik)
        answer = self._ask(
            _form_call(
                "/api/sign/pdf",
                {"file": _pdf_part(pdf), "nik": nik, "passphrase": passphrase.reveal(), "tampilan": "invisible"},
            )
        )
        document_id = answer.document_id if _DOCUMENT_ID.fullmatch(answer.document_id) else ""
        return SignedPdf(_pdf(answer.body), self.kind, document_id)

    def verify(self, pdf: bytes) -> Verification:
        told = self._ask_json(_form_call("/api/sign/verify", {"signed_file": _pdf_part(pdf)}))
        return _verification(told.get("summary"), told.get("jumlah_signature"))

    def _user_status(self, nik: str) -> str:
        return _text(self._ask_json(Call("GET", f"/api/user/status/{nik}")), "status")


class BsreV2Signer(BsreSigner):
    def sign(self, pdf: bytes, officer: Officer, nik: str, passphrase: Passphrase) -> SignedPdf:
        """See `PdfSigner.sign`. The passphrase is sent only for an officer who may sign."""
        self._require_may_sign(nik)
        document = self._document(pdf, "Surat desa")
        told = self._ask_json(
            _json_call("/api/v2/sign/pdf", {"nik": nik, "passphrase": passphrase.reveal(), **document})
        )
        return self._only_file(told)

    def verify(self, pdf: bytes) -> Verification:
        told = self._ask_json(_json_call("/api/v2/verify/pdf", {"file": _base64(pdf), "password": ""}))
        informations = told.get("signatureInformations")
        return _verification(told.get("conclusion"), len(informations) if isinstance(informations, list) else None)

    def _user_status(self, nik: str) -> str:
        return _text(self._ask_json(_json_call("/api/v2/user/check/status", {"nik": nik})), "status")

    def _document(self, pdf: bytes, reason: str) -> dict[str, Any]:
        """What a call says of a document and of the look of its signature: none, as a letter has its own QR code."""
        look = {"tampilan": "INVISIBLE", "reason": reason, "location": f"Desa {self._village}"}
        return {"signatureProperties": [look], "file": [_base64(pdf)]}

    def _only_file(self, told: Mapping[str, Any]) -> SignedPdf:
        match told.get("file"):
            case [str(file)]:
                return SignedPdf(_pdf(_from_base64(file)), self.kind)
        raise SigningError(SigningCode.BAD_ANSWER, "not one file")


class BsreSealer(BsreV2Signer):
    """The village's electronic seal instead of an officer's signature (PP 71/2019 art. 59): nobody types a passphrase.
    Each seal needs a one-time code, which the service gives for that of the activation."""

    needs_passphrase = False

    def sign(self, pdf: bytes, officer: Officer, nik: str, passphrase: Passphrase) -> SignedPdf:
        subscriber, document = self._subscription().seal_subscriber, self._document(pdf, "Segel surat desa")
        told = self._ask_json(
            _json_call("/api/v2/seal/pdf", {"idSubscriber": subscriber, "totp": self._one_time_code(), **document})
        )
        return self._only_file(told)

    def status(self, nik: str) -> SignerStatus:
        """Any officer may have a letter sealed, where the village has a seal."""
        try:
            self._subscription()
        except SigningError as error:
            return SignerStatus(error)
        return SignerStatus()

    def check(self) -> datetime:
        self._subscription()
        return super().check()

    def _one_time_code(self) -> str:
        subscription = self._subscription()
        told = self._ask_json(
            _json_call(
                "/api/v2/seal/get/totp",
                {"idSubscriber": subscription.seal_subscriber, "totp": subscription.seal_totp, "data": 1},
            )
        )
        return _text(told, "totp")

    def _subscription(self) -> Credentials:
        credentials = self._credentials()
        if not (credentials.seal_subscriber and credentials.seal_totp):
            raise SigningError(SigningCode.SETUP, "the credentials lack seal_subscriber or seal_totp")
        return credentials


def _raise_refusal(answer: Answer) -> None:
    """Raises SigningError for an answer by which the service, or what stands in its place, refuses."""
    number = _error_number(answer.body)
    if number in _ERRORS:
        raise SigningError(_ERRORS[number])
    if answer.status == HTTPStatus.OK and number is None:
        return
    detail = f"HTTP {answer.status}" if number is None else f"HTTP {answer.status}, status_code {number}"
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise SigningError(SigningCode.CLIENT_REFUSED, detail)
    if 500 <= answer.status < HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED:
        raise SigningError(SigningCode.SERVER_ERROR, detail)
    raise SigningError(SigningCode.BAD_ANSWER if number is None else SigningCode.REFUSED, detail)


def _error_number(body: bytes) -> int | None:
    """The number of the service's own «{error, status_code}», 0 for one without; None for any other answer."""
    told = _decoded(body)
    if not isinstance(told, dict) or "error" not in told:
        return None
    number = str(told.get("status_code"))
    return int(number) if re.fullmatch(r"[0-9]{1,6}", number) else 0


def _verification(conclusion: Any, signatures: Any) -> Verification:
    if not isinstance(conclusion, str) or not isinstance(signatures, int):
        raise SigningError(SigningCode.BAD_ANSWER, "no verdict in it")
    return Verification(conclusion == "VALID", signatures, _word(conclusion))


def _word(text: str) -> str:
    """One of the service's fixed words; whatever else it says is not shown."""
    return text if re.fullmatch(r"[A-Z_]{1,40}", text) else "?"


def _text(told: Mapping[str, Any], key: str) -> str:
    text = told.get(key)
    if not isinstance(text, str):
        raise SigningError(SigningCode.BAD_ANSWER, f"no {key} in it")
    return text


def _json(body: bytes) -> dict[str, Any]:
    told = _decoded(body)
    if not isinstance(told, dict):
        raise SigningError(SigningCode.BAD_ANSWER, "not the service's JSON")
    return told


def _decoded(body: bytes) -> Any:
    """What a body says in JSON; None where it is none."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None


def _pdf(data: bytes) -> bytes:
    if not data.startswith(b"%PDF-"):
        raise SigningError(SigningCode.BAD_ANSWER, "not a PDF")
    return data


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        pass
    raise SigningError(SigningCode.BAD_ANSWER, "not base64")


def _json_call(path: str, fields: Mapping[str, Any]) -> Call:
    return Call("POST", path, msgspec.json.encode(fields))


def _form_call(path: str, fields: Mapping[str, Any]) -> Call:
    """RFC 7578."""
    from urllib3.filepost import encode_multipart_formdata

    body, content_type = encode_multipart_formdata(fields)
    return Call("POST", path, body, content_type)


def _pdf_part(pdf: bytes) -> tuple[str, bytes, str]:
    return "surat.pdf", pdf, "application/pdf"
