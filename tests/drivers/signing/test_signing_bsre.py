"""BSrE's e-sign service, both versions: what it signs is taken, what it gets wrong is refused, and the passphrase
leaves no trace."""

import logging
import threading
import time
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from support.clock import FakeClock
from support.esign import (
    ACTIVATION,
    DOCUMENT_ID,
    EXPIRED_NIK,
    NEW_NIK,
    NIK,
    PASSPHRASE,
    SECRET,
    SUBSCRIBER,
    UNKNOWN_NIK,
    EsignService,
    Faults,
    answering,
    serve,
    server_tls,
    write_credentials,
)
from support.pdfs import (
    plain_pdf,
    with_a_note,
    with_in_its_catalogue,
    with_one_byte_changed,
    with_other_words,
    written_anew,
)

from config import settings as config
from config.settings import Bsre, Settings, Signing, SigningMethod
from kiosk.clock import Clock
from kiosk.selftest import runner as _registers_the_checks  # noqa: F401
from kiosk.selftest.registry import CHECKS, Bench, Verdict
from kiosk.signing.interface import BadSignature, Passphrase, PdfSigner, SignatureKind, SigningCode, SigningError
from kiosk.signing.opening import open_pdf_signer
from kiosk.signing.verification import Trust, verify_signed

pytest_plugins = ["support.esign"]

LETTER = plain_pdf("Surat Keterangan Domisili", "Halaman kedua")
SECRETS = (PASSPHRASE, PASSPHRASE.split()[0], SECRET)


@pytest.fixture(params=[SigningMethod.BSRE_V1, SigningMethod.BSRE_V2])
def method(request) -> SigningMethod:
    return request.param


@pytest.fixture
def bsre(esign, bsre_authority, tmp_path) -> Bsre:
    trust = tmp_path / "bsre.pem"
    trust.write_bytes(bsre_authority.root.public_bytes(Encoding.PEM))
    return Bsre(url=esign.url, credentials=str(write_credentials(tmp_path / "client.toml")), trust=str(trust))


def signing_by(settings: Settings, method: SigningMethod, bsre: Bsre) -> Settings:
    return config.changed(settings, signing=Signing(method=method, bsre=bsre))


@pytest.fixture
def bsre_settings(settings, method, bsre) -> Settings:
    return signing_by(settings, method, bsre)


@pytest.fixture
def signer(bsre_settings) -> PdfSigner:
    return open_pdf_signer(bsre_settings, Clock())


@pytest.fixture
def trust(bsre_settings) -> Trust:
    return Trust(bsre_settings, Clock())


def refusal(signer: PdfSigner, officer, nik: str = NIK, passphrase: str = PASSPHRASE) -> SigningError:
    """Why it does not sign. Nobody learns the passphrase from it, not even from every frame's variables."""
    with pytest.raises(SigningError) as refused:
        signer.sign(LETTER, officer, nik, Passphrase(passphrase))
    below = refused.tb.tb_next  # this function knows it
    told = traceback.TracebackException(SigningError, refused.value, below, capture_locals=True).format()
    assert not [secret for secret in (passphrase, *SECRETS) if secret in "".join(told)]
    assert refused.value.__context__ is None
    assert nik not in str(refused.value) + refused.value.advice or not nik
    return refused.value


def test_what_bsre_signs_is_the_letter(signer, trust, esign, officer, method):
    signed = signer.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE))
    verify_signed(LETTER, signed, trust)
    assert signed.kind is SignatureKind.BSRE
    assert signed.document_id == (DOCUMENT_ID if method is SigningMethod.BSRE_V1 else "")
    assert signer.needs_passphrase
    assert "BSrE" in signer.sentence


def test_status_and_verdict(signer, esign, officer):
    assert signer.status(NIK).may_sign
    assert signer.status(EXPIRED_NIK).problem.code is SigningCode.CERTIFICATE_EXPIRED
    assert signer.status(NEW_NIK).problem.code is SigningCode.MAY_NOT_SIGN
    assert signer.status(UNKNOWN_NIK).problem.code is SigningCode.NOT_REGISTERED
    assert signer.status("").problem.code is SigningCode.NOT_REGISTERED
    signed = signer.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE))
    verdict = signer.verify(signed.data)
    assert (verdict.valid, verdict.signatures, verdict.conclusion) == (True, 1, "VALID")
    assert not signer.verify(LETTER).valid


def test_a_wrong_passphrase_and_then_the_right_one(signer, trust, officer):
    assert refusal(signer, officer, passphrase="salah sekali").code is SigningCode.WRONG_PASSPHRASE
    assert refusal(signer, officer, passphrase="\ud800 salah").code is SigningCode.WRONG_PASSPHRASE
    verify_signed(LETTER, signer.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE)), trust)


def test_somebody_whom_bsre_does_not_know(signer, officer):
    assert refusal(signer, officer, UNKNOWN_NIK).code is SigningCode.NOT_REGISTERED


@pytest.mark.parametrize("nik", [EXPIRED_NIK, NEW_NIK, ""])
def test_a_passphrase_is_not_sent_for_somebody_who_may_not_sign(signer, esign, officer, nik):
    refusal(signer, officer, nik)
    assert not [call for call in esign.calls if "/sign/pdf" in call]


FAULTS = {
    "reset": (Faults.reset, SigningCode.NO_ANSWER),
    "half": (Faults.half, SigningCode.BAD_ANSWER),
    "endless": (Faults.endless, SigningCode.BAD_ANSWER),
    "login page": (Faults.login_page, SigningCode.BAD_ANSWER),
    "garbage": (Faults.garbage, SigningCode.BAD_ANSWER),
    "login needed": (answering(511), SigningCode.BAD_ANSWER),
    "moved": (answering(302, Location="http://127.0.0.1:9/"), SigningCode.BAD_ANSWER),
    "not there": (answering(404, b"<html>"), SigningCode.BAD_ANSWER),
    "nothing": (answering(200), SigningCode.BAD_ANSWER),
    "a list": (answering(200, b"[]"), SigningCode.BAD_ANSWER),
    "deep": (answering(200, b"[" * 100_000), SigningCode.BAD_ANSWER),
    "no PDF": (answering(200, b'{"status": "ISSUE", "file": ["SGVsbG8="]}'), SigningCode.BAD_ANSWER),
    "no base64": (answering(200, b'{"status": "ISSUE", "file": ["JVBERi0x?"]}'), SigningCode.BAD_ANSWER),
    "two files": (answering(200, b'{"status": "ISSUE", "file": ["JVBERi0x", "JVBERi0x"]}'), SigningCode.BAD_ANSWER),
    "no file": (answering(200, b'{"status": "ISSUE"}'), SigningCode.BAD_ANSWER),
    "error with 200": (answering(200, b'{"error": "salah", "status_code": "2031"}'), SigningCode.WRONG_PASSPHRASE),
    "another number": (answering(400, b'{"error": "lain", "status_code": 2099}'), SigningCode.REFUSED),
    "client refused": (answering(401), SigningCode.CLIENT_REFUSED),
    "client forbidden": (answering(403, b"<html>"), SigningCode.CLIENT_REFUSED),
    "broken": (answering(500, b'{"error": "NullPointerException"}'), SigningCode.SERVER_ERROR),
    "gone": (answering(503, b"<html>"), SigningCode.SERVER_ERROR),
}


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_goes_wrong_has_its_code(signer, esign, officer, name):
    esign.fault, code = FAULTS[name]
    assert refusal(signer, officer).code is code


def test_after_a_fault_it_may_be_tried_again(signer, trust, esign, officer):
    esign.fault = Faults.half
    refusal(signer, officer)
    esign.fault = None
    verify_signed(LETTER, signer.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE)), trust)


@pytest.mark.parametrize("fault", [Faults.silent, Faults.dripping_head, Faults.dripping_body])
def test_an_answer_that_is_too_slow_is_none(settings, method, bsre, esign, officer, fault):
    esign.fault = fault
    hurried = signing_by(settings, method, config.changed(bsre, deadline_s=0.4))
    began_s = time.monotonic()
    assert refusal(open_pdf_signer(hurried, Clock()), officer).code is SigningCode.NO_ANSWER
    assert time.monotonic() - began_s < 5
    for thread in threading.enumerate():  # nothing keeps the passphrase behind the officer's back
        if thread.name == "e-sign call":
            thread.join(5)
            assert not thread.is_alive()


def test_nobody_listens(settings, method, bsre, officer):
    nowhere = signing_by(settings, method, config.changed(bsre, url="http://127.0.0.1:9"))
    assert refusal(open_pdf_signer(nowhere, Clock()), officer).code is SigningCode.NO_ANSWER


DOCUMENTS = {
    "unsigned": lambda pdf, ours, strange: pdf,
    "another letter": lambda pdf, ours, strange: ours.sign(plain_pdf("Surat orang lain")),
    "other words": lambda pdf, ours, strange: ours.sign(with_other_words(pdf, "Surat lain")),
    "a note on it": lambda pdf, ours, strange: ours.sign(with_a_note(pdf)),
    "a note after": lambda pdf, ours, strange: with_a_note(ours.sign(pdf)),
    "a strange authority": lambda pdf, ours, strange: strange.sign(pdf),
    "one byte changed": lambda pdf, ours, strange: with_one_byte_changed(ours.sign(pdf), 300),
    "half of it": lambda pdf, ours, strange: ours.sign(pdf)[:-3000],
}


ADDITIONS = [
    ("/OpenAction",),
    ("/AA", "/WC"),
    ("/Names", "/JavaScript"),
    ("/Names", "/EmbeddedFiles"),
    ("/OCProperties",),
    ("/AcroForm", "/XFA"),
    ("/AcroForm", "/Fields"),
]


@pytest.mark.parametrize("path", ADDITIONS, ids="".join)
def test_a_file_that_does_more_than_the_letter_is_refused(settings, bsre, esign, officer, bsre_authority, path):
    by_v2 = signing_by(settings, SigningMethod.BSRE_V2, bsre)
    esign.document = lambda pdf: bsre_authority.sign(with_in_its_catalogue(pdf, *path))
    signed = open_pdf_signer(by_v2, Clock()).sign(LETTER, officer, NIK, Passphrase(PASSPHRASE))
    with pytest.raises(BadSignature, match="more was added than a signature"):
        verify_signed(LETTER, signed, Trust(by_v2, Clock()))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_file_that_is_not_the_letter_well_signed_is_refused(
    signer, trust, esign, officer, bsre_authority, strange_authority, name
):
    esign.document = lambda pdf: DOCUMENTS[name](pdf, bsre_authority, strange_authority)
    signed = signer.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE))
    with pytest.raises(BadSignature):
        verify_signed(LETTER, signed, trust)


def test_a_service_that_writes_the_file_anew_is_taken(signer, trust, esign, officer, bsre_authority):
    esign.document = lambda pdf: bsre_authority.sign(written_anew(pdf))
    signed = signer.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE))
    assert not signed.data.startswith(LETTER)
    verify_signed(LETTER, signed, trust)


def test_bsres_signature_is_not_the_villages_nor_the_other_way_round(settings, signer, trust, officer):
    village = open_pdf_signer(settings, FakeClock()).sign(LETTER, officer, "", Passphrase(""))
    bsres = signer.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE))
    for signed, kind in ((village, SignatureKind.BSRE), (bsres, SignatureKind.VILLAGE)):
        with pytest.raises(BadSignature, match="UNTRUSTED"):
            verify_signed(LETTER, type(signed)(signed.data, kind), trust)


def test_the_passphrase_is_in_no_log(signer, esign, officer, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for fault, _ in FAULTS.values():
        esign.fault = fault
        refusal(signer, officer)
    esign.fault = None
    signer.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE))
    told = caplog.text + "".join(capfd.readouterr())
    assert "SIGNING-NO-ANSWER" in told
    assert not [secret for secret in (*SECRETS, NIK) if secret in told]
    assert not [call for call in esign.calls if "Rahasia" in call]
    assert "Rahasia" not in repr(Passphrase(PASSPHRASE))


def test_the_environment_and_redirects_get_nothing(signer, esign, officer, monkeypatch, tmp_path):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login other password other\n", "utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert signer.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE)).data
    esign.fault, before = answering(307, Location=f"{esign.url}/elsewhere"), len(esign.calls)
    refusal(signer, officer)
    assert len(esign.calls) == before + 1


# The seal.


@pytest.fixture
def sealer(settings, bsre, tmp_path) -> PdfSigner:
    more = f'seal_subscriber = "{SUBSCRIBER}"\nseal_totp = "{ACTIVATION}"\n'
    credentials = write_credentials(tmp_path / "seal.toml", more=more)
    sealing = config.changed(bsre, credentials=str(credentials), seal=True)
    return open_pdf_signer(signing_by(settings, SigningMethod.BSRE_V2, sealing), Clock())


def test_a_seal_needs_no_passphrase_and_a_code_for_each(settings, bsre, sealer, esign, officer):
    trust = Trust(signing_by(settings, SigningMethod.BSRE_V2, bsre), Clock())
    assert not sealer.needs_passphrase
    assert "segel" in sealer.sentence
    assert sealer.status("").may_sign
    for _ in range(2):
        verify_signed(LETTER, sealer.sign(LETTER, officer, "", Passphrase("")), trust)
    assert esign.calls.count("/api/v2/seal/get/totp") == 2
    assert not esign.one_time_codes


def test_no_seal_without_its_subscription(settings, bsre, esign, officer):
    sealing = signing_by(settings, SigningMethod.BSRE_V2, config.changed(bsre, seal=True))
    sealer = open_pdf_signer(sealing, Clock())
    assert sealer.status(NIK).problem.code is SigningCode.SETUP
    with pytest.raises(SigningError, match="seal_subscriber"):
        sealer.sign(LETTER, officer, NIK, Passphrase(""))
    assert esign.calls == []


# The client's files, and the server's certificate.


def test_the_client_must_be_the_one_that_bsre_knows(signer, bsre, officer, tmp_path):
    write_credentials(tmp_path / "client.toml", secret="lain")
    assert refusal(signer, officer).code is SigningCode.CLIENT_REFUSED


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o666])
def test_a_secret_that_others_can_read_is_refused(signer, officer, tmp_path, mode):
    (tmp_path / "client.toml").chmod(mode)
    assert refusal(signer, officer).code is SigningCode.SETUP


@pytest.mark.parametrize("text", ["", 'client_id = "a"', f'client_id = "a"\nclient_secret = "{SECRET}', "\0"])
def test_a_torn_file_of_secrets_is_refused(signer, officer, tmp_path, text):
    (tmp_path / "client.toml").write_text(text, "utf-8")
    assert refusal(signer, officer).code is SigningCode.SETUP


def test_the_secret_may_be_a_systemd_credential(settings, method, bsre, officer, tmp_path, monkeypatch):
    named = open_pdf_signer(signing_by(settings, method, config.changed(bsre, credentials="bsre")), Clock())
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert refusal(named, officer).code is SigningCode.SETUP
    write_credentials(tmp_path / "bsre").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert named.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE)).data


@pytest.mark.parametrize("content", [None, b"", b"not PEM"])
def test_without_trusted_certificates_nothing_is_believed(signer, trust, bsre, officer, content):
    signed = signer.sign(LETTER, officer, NIK, Passphrase(PASSPHRASE))
    Path(bsre.trust).unlink()
    if content is not None:
        Path(bsre.trust).write_bytes(content)
    with pytest.raises(SigningError) as refused:
        verify_signed(LETTER, signed, trust)
    assert refused.value.code is SigningCode.SETUP


@pytest.fixture
def tls_service(bsre_authority, tmp_path):
    """The service behind TLS with a certificate that no public authority vouches for."""
    tls, server_ca = server_tls(tmp_path)
    for service in serve(EsignService(bsre_authority), tls):
        yield service, server_ca


def test_only_a_server_that_can_prove_itself_gets_the_passphrase(settings, method, bsre, tls_service, officer):
    service, server_ca = tls_service
    unknown = config.changed(bsre, url=service.url)
    assert refusal(open_pdf_signer(signing_by(settings, method, unknown), Clock()), officer).code is (
        SigningCode.SERVER_CERTIFICATE
    )
    assert service.calls == []
    known = config.changed(unknown, server_ca=str(server_ca))
    assert open_pdf_signer(signing_by(settings, method, known), Clock()).sign(
        LETTER, officer, NIK, Passphrase(PASSPHRASE)
    )


# The self-test.


def test_the_self_test_asks_whether_the_service_takes_this_client(bsre_settings, esign, tmp_path):
    look = CHECKS["signing"].look
    finding = look(Bench(bsre_settings))
    assert (finding.verdict, finding.code) == (Verdict.PASS, "")
    esign.fault = answering(503)
    assert look(Bench(bsre_settings)).code == SigningCode.SERVER_ERROR
    esign.fault = Faults.login_page
    assert look(Bench(bsre_settings)).code == SigningCode.BAD_ANSWER
    esign.fault = None
    write_credentials(tmp_path / "client.toml", secret="lain")
    finding = look(Bench(bsre_settings))
    assert (finding.verdict, finding.code) == (Verdict.FAIL, SigningCode.CLIENT_REFUSED)
    assert not [call for call in esign.calls if NIK in call]
