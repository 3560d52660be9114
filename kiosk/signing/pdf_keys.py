"""The village's own keys for signing PDFs: a root that recipients trust once, and the signers that it certifies.

Each is one PEM file in the state directory's `signing`, key and certificate together, so that neither is ever there
without the other: `root.pem`, then `signer-1.pem`, `signer-2.pem` after a renewal, and so on. The newest signs; what
the older ones signed stays valid, as it hangs on the same root.

RSA, as an elliptic curve would make the signed file PDF 2.0 (ISO/TS 32002) and so no PDF/A-2 or -3 any more.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from config.settings import Settings, Village
from kiosk.signing.interface import SigningCode, SigningError
from kiosk.store.key_file import create_key_file
from kiosk.store.state_files import SIGNING

KEY_BITS = 3072
ROOT_YEARS, SIGNER_YEARS = 20, 5
#: A certificate made while the kiosk's clock is a little fast must hold at once elsewhere.
BACKDATED = timedelta(days=1)
#: RFC 9336: signing documents.
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")


@dataclass(frozen=True)
class PdfKey:
    """A private key and its certificate, of the root or of a signer."""

    path: Path
    private: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as viewers show it: «3A:07:…»."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def signing_directory(settings: Settings) -> Path:
    return settings.state_path / SIGNING


def create_keys(settings: Settings, now: datetime) -> PdfKey:
    """A signer, and the root that certifies it where there is none. A file that is there is never replaced, so each
    call makes a further signer. Raises OSError, and SigningError for a root that cannot be used."""
    directory = signing_directory(settings)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    root_path = _root_path(settings)
    if not root_path.exists():
        _create_root(root_path, settings.village, now)
    root = load_key(root_path)
    numbers = [number for number, _ in _numbered_signers(settings)]
    path = directory / f"signer-{max(numbers, default=0) + 1}.pem"
    _create_signer(path, root, settings.village, now)
    return load_key(path)


def has_signer(settings: Settings) -> bool:
    return bool(_numbered_signers(settings))


def load_root_certificate(settings: Settings) -> x509.Certificate:
    """Raises SigningError."""
    path = _root_path(settings)
    return _certificate_in(_read(path), path)


def load_signers(settings: Settings) -> Sequence[PdfKey]:
    """Every signer, oldest first. Raises SigningError, also where there is none."""
    signers = [load_key(path) for _, path in _numbered_signers(settings)]
    if not signers:
        raise SigningError(SigningCode.NO_KEY, str(signing_directory(settings)))
    return signers


def load_signer(settings: Settings, now: datetime) -> PdfKey:
    """The newest signer. Raises SigningError, also where its certificate does not hold `now`."""
    signer = load_signers(settings)[-1]
    certificate = signer.certificate
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        ends = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
        raise SigningError(SigningCode.CERTIFICATE_EXPIRED, f"{signer.path} holds until {ends}")
    return signer


def load_key(path: Path) -> PdfKey:
    """The key and certificate in a PEM file that only its owner may read. Raises SigningError."""
    pem = _read(path)
    certificate = _certificate_in(pem, path)
    try:
        key = load_pem_private_key(pem, password=None)
    except ValueError:
        raise SigningError(SigningCode.KEY_BROKEN, f"{path} holds no key") from None
    if not isinstance(key, rsa.RSAPrivateKey) or certificate.public_key() != key.public_key():
        raise SigningError(SigningCode.KEY_BROKEN, f"{path}: its key and its certificate do not belong together")
    return PdfKey(path, key, certificate)


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except FileNotFoundError:
        raise SigningError(SigningCode.NO_KEY, str(path)) from None
    except OSError as error:
        raise SigningError(SigningCode.KEY_BROKEN, f"{path}: {error.strerror}") from error
    if mode & 0o077:
        raise SigningError(SigningCode.KEY_BROKEN, f"{path} can be read by others than its owner: chmod 600 {path}")
    return pem


def _certificate_in(pem: bytes, path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise SigningError(SigningCode.KEY_BROKEN, f"{path} holds no certificate") from None


def _root_path(settings: Settings) -> Path:
    return signing_directory(settings) / "root.pem"


def _numbered_signers(settings: Settings) -> list[tuple[int, Path]]:
    """In the order in which they were made."""
    return sorted(
        (int(match[1]), path)
        for path in signing_directory(settings).glob("signer-*.pem")
        if (match := re.fullmatch(r"signer-(\d+)\.pem", path.name))
    )


def _create_root(path: Path, village: Village, now: datetime) -> None:
    private = rsa.generate_private_key(65537, KEY_BITS)
    name = _name(village, f"Sertifikat induk Desa {village.name}")
    builder = _builder(name, name, private.public_key(), now, ROOT_YEARS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    _write(path, private, builder.sign(private, hashes.SHA256()))


def _create_signer(path: Path, root: PdfKey, village: Village, now: datetime) -> None:
    private = rsa.generate_private_key(65537, KEY_BITS)
    name = _name(village, f"Pemerintah Desa {village.name}")
    builder = _builder(name, root.certificate.subject, private.public_key(), now, SIGNER_YEARS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(digital_signature=True, content_commitment=True), critical=True)
    # Validators on NSS and OpenSSL judge a signature by the purpose of e-mail where they know no better one.
    purposes = x509.ExtendedKeyUsage([DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])
    builder = builder.add_extension(purposes, critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.private.public_key())
    builder = builder.add_extension(issuer, critical=False)
    _write(path, private, builder.sign(root.private, hashes.SHA256()))


def _name(village: Village, common_name: str) -> x509.Name:
    """Who the village is. Its code tells villages of one name apart."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, f"Kabupaten {village.kabupaten}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"Pemerintah Desa {village.name}"[:64]),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, village.code),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public: rsa.RSAPublicKey, now: datetime, years: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=365.25 * years))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _key_usage(**uses: bool) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    ).split()
    return x509.KeyUsage(**{use: uses.get(use, False) for use in every})


def _write(path: Path, private: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
    key_pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    create_key_file(path, key_pem + certificate.public_bytes(Encoding.PEM))
