"""A letter signed with the village's own key: accepted by two validators that share no code, and by none once a byte of
it is another."""

import subprocess
from datetime import timedelta
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from support.clock import FakeClock
from support.kiosk import DEMO
from support.pdfs import plain_pdf, with_a_note, with_one_byte_changed, with_other_words, written_anew

from config import settings as config
from kiosk.cli import main
from kiosk.clock import Clock
from kiosk.selftest import runner as _registers_the_checks  # noqa: F401
from kiosk.selftest.registry import CHECKS, Bench, Verdict
from kiosk.signing.interface import BadSignature, Passphrase, SignatureKind, SignedPdf, SigningCode, SigningError
from kiosk.signing.opening import open_pdf_signer
from kiosk.signing.pdf_keys import SIGNER_YEARS, create_keys, load_root_certificate, load_signers
from kiosk.signing.verification import Trust, verify_signed

LETTER = plain_pdf("Surat Keterangan Domisili", "Halaman kedua")
NIK, NO_PASSPHRASE = "3523124107900001", Passphrase("")


@pytest.fixture
def signer(settings):
    return open_pdf_signer(settings, FakeClock())


@pytest.fixture
def trust(settings) -> Trust:
    return Trust(settings, FakeClock())


@pytest.fixture
def signed(signer, officer) -> SignedPdf:
    return signer.sign(LETTER, officer, NIK, NO_PASSPHRASE)


def refused(original: bytes, data: bytes, trust: Trust) -> str:
    """Why a file is not taken for the signed original."""
    with pytest.raises(BadSignature) as refusal:
        verify_signed(original, SignedPdf(data, SignatureKind.VILLAGE), trust)
    return refusal.value.detail


def test_the_signed_letter_is_the_letter(trust, signer, signed, officer):
    verify_signed(LETTER, signed, trust)
    assert (signed.kind, signed.document_id) == (SignatureKind.VILLAGE, "")
    assert signed.data.startswith(LETTER)
    (signature,) = PdfFileReader(BytesIO(signed.data)).embedded_signatures
    assert signature.sig_object["/Name"] == officer.name
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert signature.docmdp_level.name == "NO_CHANGES"
    assert signature.signer_cert.public_key.bit_size == 3072
    assert signature.self_reported_timestamp is not None
    assert signer.verify(signed.data).valid
    assert signer.status(NIK).may_sign


def test_a_letter_of_the_village_never_claims_to_be_certified(signer, signed):
    assert "bukan tanda tangan tersertifikasi" in signer.sentence
    assert "Socorejo" in signer.sentence
    for claim in ("TTE", "BSrE"):
        assert claim not in signer.sentence
        assert claim.encode() not in signed.data


@pytest.mark.parametrize("at", [9, 300, len(LETTER) - 20, len(LETTER) + 200, -30])
def test_one_changed_byte_is_refused(trust, signer, signed, at):
    spoilt = with_one_byte_changed(signed.data, at % len(signed.data))
    refused(LETTER, spoilt, trust)
    assert not signer.verify(spoilt).valid


@pytest.mark.parametrize("bit", [0x01, 0x02, 0x20])
def test_not_even_a_byte_that_no_digest_covers_may_change(trust, signed, bit):
    """Those of the signature itself: its framing, its padding, the case of its digits."""
    (signature,) = PdfFileReader(BytesIO(signed.data)).embedded_signatures
    _, gap_start, gap_end, _ = signature.byte_range
    for at in (*range(gap_start, gap_start + 100), *range(gap_start, gap_end, 41)):
        if bit != 0x20 or signed.data[at : at + 1].isalpha():
            refused(LETTER, with_one_byte_changed(signed.data, at, bit), trust)


@pytest.mark.parametrize("kept", [0, 1, 500, len(LETTER), -1, -400])
def test_half_a_file_is_refused(trust, signed, kept):
    refused(LETTER, signed.data[:kept], trust)


def test_what_is_no_signed_letter_is_refused(trust):
    assert refused(LETTER, LETTER, trust) == "no signature is in it"
    assert "cannot be read" in refused(LETTER, b"<html>Login Wi-Fi</html>", trust)


@pytest.mark.parametrize(
    "spoil", [with_a_note, lambda pdf: with_other_words(pdf, "Surat lain"), lambda pdf: pdf + b"\n%more"]
)
def test_what_is_added_after_the_signature_is_refused(trust, signed, spoil):
    refused(LETTER, spoil(signed.data), trust)


@pytest.mark.parametrize(
    "other",
    [
        plain_pdf("Surat Keterangan Usaha", "Halaman kedua"),
        plain_pdf("Surat Keterangan Domisili"),
        plain_pdf("Surat Keterangan Domisili", "Halaman kedua", ""),
        plain_pdf("Halaman kedua", "Surat Keterangan Domisili"),
        with_a_note(LETTER),
        with_other_words(LETTER, "Surat lain"),
    ],
)
def test_a_well_signed_file_that_is_another_document_is_refused(trust, signer, officer, other):
    assert "pages" in refused(LETTER, signer.sign(other, officer, NIK, NO_PASSPHRASE).data, trust)


def test_a_file_that_was_written_anew_is_still_the_document(trust, signer, officer):
    anew = written_anew(LETTER)
    assert anew != LETTER
    verify_signed(LETTER, signer.sign(anew, officer, NIK, NO_PASSPHRASE), trust)


def test_another_villages_signature_is_refused(settings, signed, tmp_path):
    other = config.changed(settings, state_dir=str(tmp_path / "other"))
    create_keys(other, FakeClock().now())
    assert "UNTRUSTED" in refused(LETTER, signed.data, Trust(other, FakeClock()))


# The second validator: poppler's, on Mozilla's NSS.


@pytest.fixture(scope="session")
def pdfsig(keyed_state, tmp_path_factory):
    """`pdfsig(pdf)`: what poppler says of a file, with the village's root as the only one that it trusts."""
    folder = tmp_path_factory.mktemp("nss")
    settings = config.changed(config.load(DEMO), state_dir=str(keyed_state))
    (folder / "root.crt").write_bytes(load_root_certificate(settings).public_bytes(Encoding.PEM))
    certutil = ["certutil", "-d", f"sql:{folder}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    subprocess.run([*certutil, "-A", "-n", "desa", "-t", "CT,C,C", "-i", folder / "root.crt"], check=True)

    def run(pdf: bytes) -> str:
        (folder / "letter.pdf").write_bytes(pdf)
        command = ["pdfsig", "-nssdir", f"sql:{folder}", folder / "letter.pdf"]
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout

    return run


def test_poppler_accepts_the_letter_and_no_other_byte(pdfsig, signed):
    said = pdfsig(signed.data)
    assert "Signature is Valid" in said
    assert "Certificate is Trusted" in said
    assert "Total document signed" in said
    assert "Signature is Valid" not in pdfsig(with_one_byte_changed(signed.data, 300))


# The keys.


def test_a_village_without_a_key_is_told_so(settings, signer, officer, tmp_path):
    bare = open_pdf_signer(config.changed(settings, state_dir=str(tmp_path / "bare")), FakeClock())
    assert bare.status(NIK).problem.code is SigningCode.NO_KEY
    with pytest.raises(SigningError) as refusal:
        bare.sign(LETTER, officer, NIK, NO_PASSPHRASE)
    assert refusal.value.code is SigningCode.NO_KEY
    assert "kiosk keys create" in refusal.value.advice


def test_a_key_that_others_can_read_is_refused(settings, signer, officer):
    load_signers(settings)[0].path.chmod(0o640)
    assert signer.status(NIK).problem.code is SigningCode.KEY_BROKEN
    with pytest.raises(SigningError, match="chmod 600"):
        signer.sign(LETTER, officer, NIK, NO_PASSPHRASE)


@pytest.mark.parametrize("spoil", [lambda pem: pem[:900], lambda pem: pem[-900:], lambda pem: b""])
def test_a_torn_key_file_is_refused(settings, signer, spoil):
    path = load_signers(settings)[0].path
    path.write_bytes(spoil(path.read_bytes()))
    assert signer.status(NIK).problem.code is SigningCode.KEY_BROKEN


def test_an_expired_certificate_signs_nothing(settings, officer):
    clock = FakeClock()
    signer = open_pdf_signer(settings, clock)
    clock.pass_s(timedelta(days=366 * 5).total_seconds())
    assert signer.status(NIK).problem.code is SigningCode.CERTIFICATE_EXPIRED
    with pytest.raises(SigningError):
        signer.sign(LETTER, officer, NIK, NO_PASSPHRASE)


def test_after_a_renewal_both_old_and_new_letters_hold(settings, trust, signer, signed, officer):
    (old,) = load_signers(settings)
    new = create_keys(settings, FakeClock().now())
    assert [key.path for key in load_signers(settings)] == [old.path, new.path]
    renewed = signer.sign(LETTER, officer, NIK, NO_PASSPHRASE)
    for letter, key in ((signed, old), (renewed, new)):
        verify_signed(LETTER, letter, trust)
        (signature,) = PdfFileReader(BytesIO(letter.data)).embedded_signatures
        assert signature.signer_cert.serial_number == key.certificate.serial_number


def test_the_command_makes_a_key_once_and_lists_it(tmp_path, capsys):
    def keys(*arguments: str) -> tuple[int, str, str]:
        status = main(["keys", "--demo", "--state", str(tmp_path), *arguments])
        return status, *capsys.readouterr()

    assert keys("list")[1].endswith("no key that signs letters\n")
    assert keys("create")[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "signing").iterdir()}
    assert before.keys() == {"root.pem", "signer-1.pem"}
    status, _, error = keys("create")
    assert (status, "--renew" in error) == (1, True)
    assert keys("create", "--renew")[0] == 0
    assert {name: (tmp_path / "signing" / name).read_bytes() for name in before} == before
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "signing").iterdir())
    status, listed, _ = keys("list")
    assert (status, listed.count("signer-")) == (0, 2)
    assert keys("certificate")[1].startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in keys("certificate")[1]
    (tmp_path / "letter.pdf").write_bytes(LETTER)
    assert keys("verify", str(tmp_path / "letter.pdf"))[0] == 1
    assert keys("verify", str(tmp_path / "none.pdf"))[0] == 1


@pytest.mark.parametrize(
    ("days_left", "verdict", "code"),
    [
        (40, Verdict.PASS, ""),
        (20, Verdict.ATTENTION, "SIGNING-CERTIFICATE-ENDS"),
        (-20, Verdict.FAIL, "SIGNING-CERTIFICATE-EXPIRED"),
    ],
)
def test_the_self_test_tells_before_the_certificate_ends(settings, tmp_path, days_left, verdict, code):
    fresh = config.changed(settings, state_dir=str(tmp_path / "fresh"))
    assert CHECKS["signing"].look(Bench(fresh)).code == SigningCode.NO_KEY
    create_keys(fresh, Clock().now() - timedelta(days=365.25 * SIGNER_YEARS - days_left))
    finding = CHECKS["signing"].look(Bench(fresh))
    assert (finding.verdict, finding.code) == (verdict, code)
