"""A PAdES signature made with pyHanko (ETSI EN 319 142-1, level B-B). Imported when something is first signed: pyHanko
takes a good second."""

from io import BytesIO

from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore

from kiosk.signing.interface import SigningCode, SigningError
from kiosk.signing.pdf_keys import PdfKey

#: The signature's field in the PDF.
FIELD = "TandaTanganDesa"


def sign_pades(pdf: bytes, key: PdfKey, name: str, location: str, reason: str) -> bytes:
    """The PDF with one more revision, which holds the signature. It certifies the file (DocMDP): no later change is
    allowed. The time stands in the signature's dictionary, which it covers: PAdES has no signed attribute for it.

    No byte is in the file that somebody could change unnoticed: the signature has no padding, and only the signer's
    certificate beside it, which is signed too. The root is a recipient's own (`kiosk keys certificate`).

    Raises SigningError for what is no PDF, or one that already has a certifying signature.
    """
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        name=name,
        location=location,
        reason=reason,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        subfilter=SigSeedSubFilter.PADES,
        tight_size_estimates=True,
    )
    try:
        return PdfSigner(metadata, _KeySigner(key)).sign_pdf(_Revision(BytesIO(pdf))).getvalue()
    except PdfError as error:
        raise SigningError(SigningCode.UNREADABLE_PDF, type(error).__name__) from error


def asn1(certificate: x509.Certificate) -> Certificate:
    """The certificate as pyHanko takes it."""
    return Certificate.load(certificate.public_bytes(Encoding.DER))


class _Revision(IncrementalPdfFileWriter):
    """Leaves the file's metadata alone: pyHanko would write its XMP packet anew in another shape, and a PDF/A must not
    have its conformance hang on that."""

    def _update_meta(self) -> None:
        pass


class _KeySigner(Signer):
    """Signs with a key that has been read: pyHanko's own would read and check it anew for each signature, half a second
    on two server cores."""

    def __init__(self, key: PdfKey) -> None:
        super().__init__(signing_cert=asn1(key.certificate), cert_registry=SimpleCertificateStore())
        self._private: RSAPrivateKey = key.private

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return self._private.sign(data, PKCS1v15(), SHA256())
