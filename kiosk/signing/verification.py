"""Is a signed file ours? Nothing is stored and no letter changes its state before this module has said so.

What comes back from a server is a stranger's file: it must be read whole, every signature in it must be intact and by
somebody whom we trust, the last one must cover every byte, and it must be the document that was sent: its pages, and
nothing beside them that acts, is attached or is filled in.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from cryptography import x509

from config.settings import Bsre, Settings
from kiosk.clock import Clock
from kiosk.signing.interface import BadSignature, SignatureKind, SignedPdf, SigningCode, SigningError
from kiosk.signing.page_looks import additions, page_looks
from kiosk.signing.pdf_keys import load_root_certificate

Looked = TypeVar("Looked")

# What pyHanko logs of a certificate names the official whose it is.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)


class Trust:
    """Whose signatures the village believes, as of now."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    def now(self) -> datetime:
        return self._clock.now()

    def roots(self, kind: SignatureKind) -> Sequence[x509.Certificate]:
        """The certificates from which a signature of that kind must descend. Raises SigningError."""
        match kind:
            case SignatureKind.VILLAGE:
                return [load_root_certificate(self._settings)]
            case SignatureKind.BSRE:
                return _bsre_roots(self._settings.signing.bsre)


def _bsre_roots(bsre: Bsre | None) -> Sequence[x509.Certificate]:
    if bsre is None:
        raise SigningError(SigningCode.SETUP, "the settings have no table signing.bsre")
    try:
        return x509.load_pem_x509_certificates(Path(bsre.trust).read_bytes())
    except OSError as error:
        raise SigningError(SigningCode.SETUP, f"{bsre.trust}: {error.strerror}") from error
    except ValueError:
        raise SigningError(SigningCode.SETUP, f"{bsre.trust} holds no certificates") from None


def verify_signed(original: bytes, signed: SignedPdf, trust: Trust) -> None:
    """See that `signed` is the document `original`, signed by whom its kind says. Blocks for a good second at the first
    call. Not for the thread of an event loop.

    Raises BadSignature where it is not, and SigningError where nobody can tell.
    """
    check_signatures(signed.data, trust, signed.kind)
    if _reading(page_looks, signed.data) != page_looks(original):
        raise BadSignature("its pages are not those of the document")
    if added := _reading(additions, signed.data, original):
        raise BadSignature(f"more was added than a signature: {min(added)}")


def check_signatures(pdf: bytes, trust: Trust, kind: SignatureKind) -> int:
    """How many signatures are in a PDF: at least one, all of them valid and of that kind, and the last covers all of
    it. Raises BadSignature, and SigningError where nobody can tell."""
    return _reading(_check_signatures, pdf, trust.roots(kind), trust.now())


def _reading(look: Callable[..., Looked], pdf: bytes, *arguments: Any) -> Looked:
    """What `look` sees in a stranger's file. A parser may say anything to one: all of it means that it is not ours."""
    try:
        return look(pdf, *arguments)
    except BadSignature:
        raise
    except Exception as error:
        raise BadSignature(f"cannot be read: {type(error).__name__}") from error


def _check_signatures(pdf: bytes, roots: Sequence[x509.Certificate], now: datetime) -> int:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    from kiosk.signing.pades import asn1

    signatures = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    if not signatures:
        raise BadSignature("no signature is in it")
    trusted = [asn1(root) for root in roots]
    for signature in signatures:
        if not (_fills_its_gap(pdf, signature) and _agrees_with_itself(signature)):
            raise BadSignature("a signature is not written as one is")
        context = ValidationContext(trust_roots=trusted, allow_fetching=False, moment=now)
        status = validate_pdf_signature(signature, context)
        if not status.bottom_line:
            raise BadSignature(f"a signature is {status.summary()}")
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        raise BadSignature("something stands in the file after the last signature")
    return len(signatures)


# What no digest covers: the gap that a signature leaves for itself, and in it the fields around what is signed. A byte
# changed there forges nothing; but a file is either as it was signed, or it is not.


def _fills_its_gap(pdf: bytes, signature: Any) -> bool:
    """Whether the gap holds the signature in hexadecimal digits of one case, then zeros, and nothing else."""
    from asn1crypto.cms import ContentInfo

    content = signature.pkcs7_content
    padding = content[len(ContentInfo.load(content).dump()) :]
    _, gap_start, gap_end, _ = signature.byte_range
    digits = content.hex().encode()
    return not any(padding) and pdf[gap_start:gap_end] in (b"<%b>" % digits, b"<%b>" % digits.upper())


def _agrees_with_itself(signature: Any) -> bool:
    """Whether the signature names its certificate by the bytes that stand in it, its versions are those that RFC 5652
    (5.1, 5.3) then wants, and its digest is the only one, told without parameters (RFC 5754, 2)."""
    from asn1crypto.algos import DigestAlgorithm
    from asn1crypto.core import Null

    signed_data, signer, named = signature.signed_data, signature.signer_info, signature.signer_info["sid"]
    version = "v3"
    if named.name == "issuer_and_serial_number":
        version = "v1"
        if named.chosen["issuer"].dump() != signature.signer_cert.issuer.dump():
            return False
    digest = signer["digest_algorithm"]
    name = digest["algorithm"].native
    told = [DigestAlgorithm({"algorithm": name, **rest}).dump() for rest in ({}, {"parameters": Null()})]
    return (
        signer["version"].native == signed_data["version"].native == version
        and digest.dump() in told
        and [each.dump() in told for each in signed_data["digest_algorithms"]] == [True]
    )
