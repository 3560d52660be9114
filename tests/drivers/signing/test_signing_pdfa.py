"""Letters as the kiosk draws them: a PDF/A stays one when it is signed, and looks the same."""

from datetime import UTC, datetime
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from steps.test_paper_pdf import LETTERS
from support.clock import FakeClock
from support.pdfs import with_one_byte_changed

from config.settings import Paper
from kiosk.paper.pdf import render_pdf
from kiosk.signing.interface import BadSignature, Passphrase, SignatureKind, SignedPdf
from kiosk.signing.opening import open_pdf_signer
from kiosk.signing.verification import Trust, verify_signed

CREATED_AT = datetime(2026, 11, 24, 2, 41, tzinfo=UTC)


@pytest.fixture(params=["domisili", "very-long"])
def letter(request) -> bytes:
    return render_pdf(LETTERS[request.param], Paper.F4, title="Surat", created_at=CREATED_AT)


@pytest.fixture
def signed(settings, officer, letter) -> SignedPdf:
    return open_pdf_signer(settings, FakeClock()).sign(letter, officer, "", Passphrase(""))


def test_a_drawn_letter_is_signed_and_verified(settings, letter, signed):
    trust = Trust(settings, FakeClock())
    verify_signed(letter, signed, trust)
    for at in range(100, len(signed.data), len(signed.data) // 12):
        with pytest.raises(BadSignature):
            verify_signed(letter, SignedPdf(with_one_byte_changed(signed.data, at), SignatureKind.VILLAGE), trust)


def test_a_signed_letter_is_still_pdf_a(letter, signed):
    """ISO 19005-2: the metadata are as they were, annotations are printed (6.3.2), forms are filled by no script and
    draw nothing themselves (6.4.1), and the only permission is a signature's (6.1.12)."""
    with pikepdf.open(BytesIO(letter)) as before, pikepdf.open(BytesIO(signed.data)) as after:
        assert after.pdf_version == before.pdf_version == "1.7"
        assert after.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
        assert dict(after.docinfo) == dict(before.docinfo)
        assert after.Root.OutputIntents[0].S == "/GTS_PDFA1"
        (field,) = after.Root.AcroForm.Fields
        assert field.FT == "/Sig"
        assert list(map(float, field.Rect)) == [0, 0, 0, 0]
        assert int(field.F) & 0b100111 == 0b100  # printed; neither invisible, hidden nor without view
        assert not {"/NeedAppearances", "/XFA"} & set(after.Root.AcroForm.keys())
        assert not {"/A", "/AA"} & set(field.keys())
        assert set(after.Root.Perms.keys()) == {"/DocMDP"}
        (reference,) = after.Root.Perms.DocMDP.Reference
        assert not {"/DigestLocation", "/DigestMethod", "/DigestValue"} & set(reference.keys())
        assert not {"/OpenAction", "/AA"} & set(after.Root.keys())


def test_a_signed_letter_looks_the_same(letter, signed):
    for before, after in zip(pypdfium2.PdfDocument(letter), pypdfium2.PdfDocument(signed.data), strict=True):
        pictures = [page.render(scale=2, may_draw_forms=True).to_pil() for page in (before, after)]
        assert pictures[0].tobytes() == pictures[1].tobytes()
