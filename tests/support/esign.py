"""BSrE's e-sign service as the facts describe it, on loopback: both versions, really signing with certificates of an
authority like BSrE's (root, issuer, officers, time stamps), and every way in which it goes wrong.

Faults are of the transport (`EsignService.fault`) or of the document that comes back (`EsignService.document`).
"""

import base64
import http.server
import json
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

CLIENT, SECRET = "desa-socorejo", "rahasia klien"
NIK, PASSPHRASE = "3523124107900001", "Rahasia#Kades 2026 é"
EXPIRED_NIK, NEW_NIK, UNKNOWN_NIK = "3523124107900002", "3523124107900003", "3523124107900009"
SUBSCRIBER, ACTIVATION = "desa-socorejo-segel", "917364"
DOCUMENT_ID = "5f2b1c9e-4c0d-4a53-9a52-1c1de0f7a001"
#: How long an answer dripping byte by byte pauses between them.
DRIP_S = 0.02


@dataclass(frozen=True)
class Authority:
    """A certificate authority, its officer's signing key and its time stamps."""

    root: x509.Certificate
    signer: SimpleSigner
    time_stamper: DummyTimeStamper

    @classmethod
    def make(cls, name: str) -> "Authority":
        root_key, root = _certificate(f"{name} Root CA", None, ca=True)
        issuer_key, issuer = _certificate(f"{name} CA", (root_key, root), ca=True)
        key, officer = _certificate("KEPALA DESA SOCOREJO", (issuer_key, issuer))
        tsa_key, tsa = _certificate(f"{name} TSA", (issuer_key, issuer), time_stamps=True)
        chain = SimpleCertificateStore.from_certs([_asn1(issuer), _asn1(root)])
        return cls(
            root,
            SimpleSigner(_asn1(officer), _asn1_key(key), chain),
            DummyTimeStamper(_asn1(tsa), _asn1_key(tsa_key), certs_to_embed=chain),
        )

    def sign(self, pdf: bytes) -> bytes:
        """An ordinary signature with a time stamp, as a further revision."""
        metadata = PdfSignatureMetadata(field_name="Signature1", md_algorithm="sha256")
        signer = PdfSigner(metadata, self.signer, timestamper=self.time_stamper)
        return signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf))).getvalue()


def _certificate(
    name: str,
    issuer: tuple[rsa.RSAPrivateKey, x509.Certificate] | None,
    ca: bool = False,
    time_stamps: bool = False,
    address: str = "",
) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    issuer_key = issuer[0] if issuer else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    uses = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False
    )  # fmt: skip
    uses |= {"key_cert_sign": True} if ca else {"digital_signature": True, "content_commitment": True}
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=800))
        .not_valid_after(now + timedelta(days=800))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**uses), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if time_stamps:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    if address:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        builder = builder.add_extension(names, critical=False)
    return key, builder.sign(issuer_key, hashes.SHA256())


def server_tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """For a server on loopback that only those believe who trust the certificate in the file."""
    root_key, root = _certificate("Hall CA", None, ca=True)
    key, certificate = _certificate("e-sign", (root_key, root), address="127.0.0.1")
    (folder / "server-ca.pem").write_bytes(root.public_bytes(Encoding.PEM))
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(key_pem + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, folder / "server-ca.pem"


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def _asn1_key(key: rsa.RSAPrivateKey) -> asn1_keys.PrivateKeyInfo:
    return asn1_keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


class Refusal(Exception):
    """The service's «{error, status_code}»."""

    def __init__(self, number: int, words: str, status: int = 400) -> None:
        self.status, self.body = status, {"error": words, "status_code": number}


WRONG_PASSPHRASE = Refusal(2031, "Passphrase anda salah")
NOT_REGISTERED = Refusal(2011, f"User dengan NIK {UNKNOWN_NIK} tidak terdaftar")


@dataclass
class EsignService:
    """What stands behind the HTTP. `calls` are the paths that were asked for; `fault` is how the next calls go wrong,
    `document` what it makes of a PDF instead of signing it."""

    authority: Authority
    users: dict[str, str] = field(default_factory=lambda: {NIK: "ISSUE", EXPIRED_NIK: "EXPIRED", NEW_NIK: "NEW"})
    calls: list[str] = field(default_factory=list)
    fault: Callable[["_Handler"], None] | None = None
    document: Callable[[bytes], bytes] | None = None
    one_time_codes: set[str] = field(default_factory=set)
    url: str = ""

    def sign(self, pdf: bytes) -> bytes:
        return self.document(pdf) if self.document else self.authority.sign(pdf)

    def sign_for(self, nik: str, passphrase: str, pdf: bytes) -> bytes:
        if nik not in self.users:
            raise NOT_REGISTERED
        if passphrase != PASSPHRASE:
            raise WRONG_PASSPHRASE
        return self.sign(pdf)

    def status_of(self, nik: str) -> dict[str, Any]:
        if nik not in self.users:
            raise NOT_REGISTERED
        return {"status_code": "1111", "message": "Status user", "status": self.users[nik]}

    def v2(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        match path:
            case "/api/v2/user/check/status":
                return self.status_of(asked["nik"])
            case "/api/v2/sign/pdf":
                self.check_look(asked)
                pdfs = [base64.b64decode(file) for file in asked["file"]]
                signed = [self.sign_for(asked["nik"], asked["passphrase"], pdf) for pdf in pdfs]
                return {"time": 812, "file": [base64.b64encode(pdf).decode() for pdf in signed]}
            case "/api/v2/seal/get/totp":
                if (asked["idSubscriber"], asked["totp"], asked["data"]) != (SUBSCRIBER, ACTIVATION, 1):
                    raise Refusal(2099, "TOTP tidak valid")
                code = f"{100000 + len(self.calls)}"
                self.one_time_codes.add(code)
                return {"result": True, "message": "OK", "totp": code, "expires": "2026-11-24T10:00:00"}
            case "/api/v2/seal/pdf":
                self.check_look(asked)
                if asked["idSubscriber"] != SUBSCRIBER or asked["totp"] not in self.one_time_codes:
                    raise Refusal(2099, "TOTP tidak valid")
                self.one_time_codes.remove(asked["totp"])
                return {"time": 5, "file": [base64.b64encode(self.sign(base64.b64decode(asked["file"][0]))).decode()]}
            case "/api/v2/verify/pdf":
                signed = b"/ByteRange" in base64.b64decode(asked["file"])
                conclusion = "VALID" if signed else "NO_SIGNATURE"
                return {"conclusion": conclusion, "description": "…", "signatureInformations": [{}] * signed}
        raise Refusal(404, "tidak ada", 404)

    def check_look(self, asked: dict[str, Any]) -> None:
        (look,) = asked["signatureProperties"]
        assert look["tampilan"] == "INVISIBLE"
        assert look["reason"] and look["location"]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: "_Server"

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def _serve(self, body: bytes) -> None:
        service = self.server.service
        service.calls.append(self.path)
        if service.fault is not None:
            service.fault(self)
            return
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {expected}":
            self.answer(401, b'{"error": "Unauthorized", "status_code": 401}')
            return
        try:
            self._answer_call(service, body)
        except Refusal as refusal:
            self.answer(refusal.status, json.dumps(refusal.body).encode())

    def _answer_call(self, service: EsignService, body: bytes) -> None:
        if self.path.startswith("/api/v2/"):
            assert self.headers["Content-Type"] == "application/json"
            self.answer(200, json.dumps(service.v2(self.path, json.loads(body))).encode())
        elif self.path.startswith("/api/user/status/"):
            self.answer(200, json.dumps(service.status_of(self.path.rsplit("/", 1)[1])).encode())
        elif self.path == "/api/sign/pdf":
            form = self._form(body)
            assert form["tampilan"] == b"invisible"
            signed = service.sign_for(form["nik"].decode(), form["passphrase"].decode(), form["file"])
            self.answer(200, signed, "application/pdf", id_dokumen=DOCUMENT_ID)
        elif self.path == "/api/sign/verify":
            signatures = int(b"/ByteRange" in self._form(body)["signed_file"])
            told = {"nama_dokumen": "surat.pdf", "jumlah_signature": signatures, "notes": "…", "details": []}
            self.answer(200, json.dumps({**told, "summary": "VALID" if signatures else "INVALID"}).encode())
        else:
            raise Refusal(404, "tidak ada", 404)

    def _form(self, body: bytes) -> dict[str, bytes]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + body)
        return {
            part.get_param("name", header="Content-Disposition"): part.get_payload(decode=True)
            for part in message.iter_parts()
        }

    def answer(
        self, status: int, body: bytes, content_type: str = "application/json", /, length: int | None = None, **headers
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    # Faults of the transport.

    def wait_for_nobody(self) -> None:
        """Say nothing until the other side gives up."""
        self.connection.settimeout(20)
        self.connection.recv(1)

    def drip(self, data: Iterator[bytes]) -> None:
        """One byte after the other, for as long as the other side listens."""
        for byte in data:
            if self.server.stopping.wait(DRIP_S):
                return
            try:
                self.wfile.write(byte)
            except OSError:
                return


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, service: EsignService, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service, self.stopping = service, threading.Event()
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: Any, address: Any) -> None:
        """A client that leaves is what many tests are about; a mistake in the service is not."""
        if not isinstance(sys.exception(), OSError):
            self.service.calls.append(f"BROKEN: {sys.exception()!r}")


class Faults:
    """Ways for the transport to fail, each for `EsignService.fault`."""

    @staticmethod
    def silent(handler: _Handler) -> None:
        handler.wait_for_nobody()

    @staticmethod
    def dripping_head(handler: _Handler) -> None:
        handler.drip(bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"." * 10_000)

    @staticmethod
    def dripping_body(handler: _Handler) -> None:
        handler.answer(200, b"", length=10_000)
        handler.drip(b"." for _ in range(10_000))

    @staticmethod
    def reset(handler: _Handler) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        handler.connection.close()

    @staticmethod
    def half(handler: _Handler) -> None:
        handler.answer(200, b'{"time": 1, "file": ["JVBERi0x', length=9_000)

    @staticmethod
    def endless(handler: _Handler) -> None:
        handler.answer(200, b"", length=1 << 40)
        block = bytes(1 << 16)
        while not handler.server.stopping.is_set():
            handler.wfile.write(block)

    @staticmethod
    def login_page(handler: _Handler) -> None:
        handler.answer(200, b"<!doctype html><title>Login Wi-Fi</title>", "text/html")

    @staticmethod
    def garbage(handler: _Handler) -> None:
        handler.wfile.write(b"\0\1\2 not HTTP at all\r\n\r\n")


def answering(status: int, body: bytes = b"", **headers: str) -> Callable[[_Handler], None]:
    """A fault that is an answer of its own."""
    return lambda handler: handler.answer(status, body, "application/json", **headers)


@pytest.fixture(scope="session")
def bsre_authority() -> Authority:
    return Authority.make("Balai Uji")


@pytest.fixture(scope="session")
def strange_authority() -> Authority:
    return Authority.make("Balai Palsu")


@pytest.fixture
def esign(bsre_authority: Authority) -> Iterator[EsignService]:
    """A service that answers at its `url`."""
    service = EsignService(bsre_authority)
    yield from serve(service)
    assert not [call for call in service.calls if call.startswith("BROKEN")]


def serve(service: EsignService, tls: ssl.SSLContext | None = None) -> Iterator[EsignService]:
    server = _Server(service, tls)
    service.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="e-sign service")
    thread.start()
    try:
        yield service
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def write_credentials(path: Path, secret: str = SECRET, more: str = "") -> Path:
    path.write_text(f'client_id = "{CLIENT}"\nclient_secret = "{secret}"\n{more}', "utf-8")
    path.chmod(0o600)
    return path
