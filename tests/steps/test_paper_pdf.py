"""Letters on office paper as they come out: read back from the PDF, its pages drawn and its codes decoded."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy
import pikepdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image
from pypdfium2 import raw as pdfium
from pyzbar import pyzbar
from steps.test_paper_slips import DOCUMENTS as SLIPS
from steps.test_paper_slips import LONG_PERSON, PERSON, PICTURES, TYPES, VILLAGE, a_letter, copy_of

from config.fonts import LETTER_TYPEFACE_HAS
from config.settings import Paper
from hardware.page_printer import ipp
from kiosk.paper.document import (
    BigNumber,
    Block,
    Document,
    Footer,
    IdentityTable,
    Items,
    Letterhead,
    Mark,
    Paragraph,
    QrCode,
    Signature,
    Table,
    Title,
)
from kiosk.paper.pdf import SIZES_MM, PdfError, render_pdf
from kiosk.paper.qr import QUIET_MODULES, qr_matrix
from kiosk.paper.samples import samples
from kiosk.paper.text import UnprintableTextError, printable

CREATED_AT = datetime(2026, 11, 24, 9, 41, tzinfo=timezone(timedelta(hours=7)))
TITLE = "Surat Keterangan Domisili 400.12.2.1/012/35.23.12.2002/XI/2026"
JAVA = Path("/usr/share/java")
MM_PER_PT = 25.4 / 72
MARGINS_MM = {"left": 30, "right": 20, "top": 20, "bottom": 25}
SMALLEST_PT = 10
ANSWER = "Untuk melengkapi berkas permohonan keringanan biaya pendidikan anak di sekolah menengah negeri. " * 3

HEAD = Letterhead(("PEMERINTAH KABUPATEN TUBAN", "KECAMATAN JENU"), "DESA SOCOREJO", VILLAGE.address)
SIGNED = Signature(
    "Socorejo, 24 November 2026",
    ("a.n. Kepala Desa Socorejo", "Sekretaris Desa"),
    "TITIK LESTARI, S.AP.",
    "197011241998031002",
    a_letter("domisili", PERSON).token_url,
    "Pindai kode QR ini untuk memeriksa keaslian surat.",
)
FOOT = Footer(("Berlaku sampai 22 Februari 2027", "Surat asli ada di Kantor Desa Socorejo."))


def a_very_long_letter() -> Document:
    """With seven long persons and four long answers, over several pages."""
    persons = (
        IdentityTable((("Nama", f"{LONG_PERSON.name} {n}"), ("Hubungan", "ANAK"), ("Alamat", LONG_PERSON.address)))
        for n in range(7)
    )
    answers = (Paragraph(f"{n}. {ANSWER}") for n in range(4))
    closing = Paragraph("Demikian surat ini dibuat dengan sebenarnya agar dapat dipakai sebagaimana mestinya.")
    title = Title("SURAT KETERANGAN TIDAK MAMPU", "Nomor : 400.9/7/35.23.12.2002/XI/2026")
    return Document((HEAD, title, *persons, *answers, closing, SIGNED, FOOT))


LETTERS = {
    "domisili": copy_of("domisili"),
    "usaha-long-again": copy_of("usaha", LONG_PERSON, printing=2),
    "very-long": a_very_long_letter(),
    "by-pen": Document((HEAD, Title("SURAT KETERANGAN"), Paragraph(ANSWER), replace(SIGNED, qr_payload="", note=""))),
}
#: The originals of all sixteen, with long names, addresses and answers, and seven dependants where they have any.
ORIGINALS = {
    f"{key}-{size}": original
    for key, letter_type in TYPES.items()
    for size, original, _ in samples(letter_type, VILLAGE)
    if size == "long" or key == "sktm"
}
DOCUMENTS = SLIPS | LETTERS | ORIGINALS
each_paper = pytest.mark.parametrize("paper", Paper)
each_letter = pytest.mark.parametrize("name", LETTERS)
each_document = pytest.mark.parametrize("name", DOCUMENTS)


def rendered(document: Document, paper: Paper = Paper.F4) -> bytes:
    return render_pdf(document, paper, title=TITLE, created_at=CREATED_AT)


@cache
def pdf_of(name: str, paper: Paper) -> bytes:
    pdf = rendered(DOCUMENTS[name], paper)
    if PICTURES:
        folder = Path(PICTURES) / "paper"
        folder.mkdir(parents=True, exist_ok=True)
        for number, picture in enumerate(pictures(pdf, 100), 1):
            picture.save(folder / f"{name}-{paper}-{number}.png")
    return pdf


def pictures(pdf: bytes, dpi: float) -> list[Image.Image]:
    with pypdfium2.PdfDocument(pdf) as opened:
        return [page.render(scale=dpi / 72).to_pil() for page in opened]


@dataclass(frozen=True)
class Char:
    """A glyph's box of ink: mm from the sheet's top left corner."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size_pt: float


def chars_of(pdf: bytes) -> list[list[Char]]:
    with pypdfium2.PdfDocument(pdf) as opened:
        return [list(_chars(page)) for page in opened]


def _chars(page: pypdfium2.PdfPage) -> Iterator[Char]:
    height_pt = page.get_height()
    textpage = page.get_textpage()
    for index in range(textpage.count_chars()):
        text = chr(pdfium.FPDFText_GetUnicode(textpage, index))
        if text.strip():
            left, bottom, right, top = textpage.get_charbox(index)
            box = (side * MM_PER_PT for side in (left, height_pt - top, right, height_pt - bottom))
            yield Char(text, *box, pdfium.FPDFText_GetFontSize(textpage, index))


def lines_of(chars: list[Char]) -> list[float]:
    """Where the lines of text stand, from the top."""
    bottoms = sorted(char.bottom for char in chars)
    return [bottom for before, bottom in zip([-9.0, *bottoms], bottoms, strict=False) if bottom - before > 2]


def words_of(block: Block) -> Iterator[str]:
    """What stands on the paper of a block, in the order of reading."""
    match block:
        case Letterhead():
            yield from (*block.authorities, block.village, block.address)
        case Title():
            yield from (block.text, block.number)
        case Paragraph() | BigNumber() | Mark():
            yield block.text
        case IdentityTable():
            for position, (label, value) in enumerate(block.rows, 1):
                yield f"{position}.{label}:{value}" if block.numbered else f"{label}:{value}"
        case Table():
            yield "No." + "".join(block.headings)
            yield from (f"{position}.{''.join(cells)}" for position, cells in enumerate(block.rows, 1))
        case Signature():
            yield from (block.place_and_date, *block.role, block.note, block.name)
            yield f"NIP {block.nip}" if block.nip else ""
        case QrCode():
            yield block.caption
        case Items():
            yield from block.texts
        case Footer():
            yield from block.lines


def together(text: str) -> str:
    return "".join(text.split())


@each_paper
@each_document
def test_the_text_can_be_copied_out_in_the_order_of_reading(name: str, paper: Paper) -> None:
    document = DOCUMENTS[name]
    headings = ["No." + together("".join(block.headings)) for block in document.blocks if isinstance(block, Table)]
    found = ""
    for number, page in enumerate(chars_of(pdf_of(name, paper)), 1):
        text = "".join(char.text for char in page)
        if number > 1:
            assert text.startswith(f"-{number}-")
            text = text.removeprefix(f"-{number}-")
            for heading in headings:  # of a table that goes on
                text = text.removeprefix(heading)
        found += text
    assert found == together("".join(words for block in document.blocks for words in words_of(block)))


@each_paper
@each_document
def test_nothing_overlaps_or_leaves_the_margins_or_is_too_small(name: str, paper: Paper) -> None:
    width_mm, height_mm = SIZES_MM[paper]
    for number, chars in enumerate(chars_of(pdf_of(name, paper)), 1):
        boxes = numpy.array([(char.left, char.top, char.right, char.bottom) for char in chars])
        left, top, right, bottom = boxes.T
        assert left.min() >= MARGINS_MM["left"] - 0.5 and right.max() <= width_mm - MARGINS_MM["right"] + 0.5
        assert top.min() >= (MARGINS_MM["top"] - 0.5 if number == 1 else 5)
        assert bottom.max() <= height_mm - MARGINS_MM["bottom"] + 1.5  # descenders
        across = numpy.minimum(right, right[:, None]) - numpy.maximum(left, left[:, None])
        down = numpy.minimum(bottom, bottom[:, None]) - numpy.maximum(top, top[:, None])
        overlapping = (across > 0.55) & (down > 0.35)  # kerned letters reach a little over each other
        numpy.fill_diagonal(overlapping, False)
        assert not overlapping.any()
        assert min(char.size_pt for char in chars) >= SMALLEST_PT - 0.01


@each_paper
@each_letter
def test_the_sheets_have_the_size_of_the_paper(name: str, paper: Paper) -> None:
    with pypdfium2.PdfDocument(pdf_of(name, paper)) as pdf:
        for page in pdf:
            size_mm = [side_pt * MM_PER_PT for side_pt in page.get_size()]
            assert size_mm == pytest.approx(SIZES_MM[paper], abs=0.01)


def test_the_page_printer_knows_the_same_papers() -> None:
    assert {paper.name: ipp.SIZES_MM[ipp.Paper[paper.name]] for paper in Paper} == {
        paper.name: SIZES_MM[paper] for paper in Paper
    }


@each_paper
def test_ordinary_letters_take_one_page_and_long_ones_two_or_three(paper: Paper) -> None:
    pages = {name: len(chars_of(pdf_of(name, paper))) for name in LETTERS}
    assert pages.pop("very-long") in (2, 3)
    assert set(pages.values()) == {1}


@each_paper
def test_a_signature_is_never_alone_on_its_page(paper: Paper) -> None:
    """Letters of ever more lines, over the end of the page."""
    page_counts = []
    for lines in range(60, 78):
        document = Document((*(Paragraph(f"Baris {line}.") for line in range(lines)), SIGNED, FOOT))
        pages = chars_of(rendered(document, paper))
        page_counts.append(len(pages))
        text = "".join(char.text for char in pages[-1])
        begins = text.index(together(SIGNED.place_and_date))
        above = [char for char in pages[-1][:begins] if char.bottom > MARGINS_MM["top"]]
        assert together(FOOT.lines[-1]) in text
        assert len(lines_of(above)) >= 2
    assert len(set(page_counts)) > 1, page_counts


@each_paper
@pytest.mark.parametrize("dpi", [150, 203])
def test_the_code_reads_back_from_the_sheet(paper: Paper, dpi: int) -> None:
    expected = SIGNED.qr_payload.encode()
    for name in ("domisili", "very-long"):
        picture = pictures(pdf_of(name, paper), dpi)[-1].convert("L")
        assert [code.bytes for code in zxingcpp.read_barcodes(picture)] == [expected]
        assert [code.data for code in pyzbar.decode(picture, [pyzbar.ZBarSymbol.QRCODE])] == [expected]


def test_the_code_is_large_sharp_and_surrounded_by_white() -> None:
    dots_per_mm = 20
    picture = pictures(pdf_of("domisili", Paper.F4), dots_per_mm * 25.4)[0].convert("L")
    (code,) = zxingcpp.read_barcodes(picture)
    pixels = numpy.array(picture)
    left, top, right, bottom = (
        code.position.top_left.x, code.position.top_left.y, code.position.bottom_right.x, code.position.bottom_right.y
    )  # fmt: skip
    assert code.ec_level == "M"
    assert (right - left) / dots_per_mm >= 25
    quiet = QUIET_MODULES * (right - left) / len(qr_matrix(SIGNED.qr_payload))
    blurred = 6  # how far the decoder's corners may be from the true ones, in pixels
    within = pixels[top + blurred : bottom - blurred, left + blurred : right - blurred]
    assert ((within > 64) & (within < 192)).mean() < 0.05
    reach = int(quiet) - blurred
    around = pixels[top - reach : bottom + reach, left - reach : right + reach].copy()
    skin = reach - blurred
    around[skin:-skin, skin:-skin] = 255
    assert around.min() > 250


def test_the_same_letter_is_the_same_file() -> None:
    again = rendered(DOCUMENTS["domisili"])
    assert again == pdf_of("domisili", Paper.F4)
    assert rendered(DOCUMENTS["usaha-long-again"]) != again
    assert (
        render_pdf(DOCUMENTS["domisili"], Paper.F4, title=TITLE, created_at=datetime(2026, 11, 25, tzinfo=UTC)) != again
    )


@each_paper
@each_document
def test_it_is_pdf_a(name: str, paper: Paper) -> None:
    """The rules of ISO 19005-2 that this kind of file could break."""
    with pikepdf.open(BytesIO(pdf_of(name, paper))) as pdf:
        assert pdf.check_pdf_syntax() == []
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "2U"
            assert metadata["dc:title"] == TITLE == pdf.docinfo["/Title"]
        assert not pdf.is_encrypted and len(pdf.trailer.ID) == 2
        (intent,) = pdf.Root.OutputIntents
        assert intent.S == "/GTS_PDFA1" and intent.DestOutputProfile.N == 3
        assert pdf.Root.Lang == "id" and pdf.Root.MarkInfo.Marked
        assert not {"/AA", "/OpenAction", "/Names", "/AcroForm"} & set(pdf.Root.keys())
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
                check_object(thing)


def test_a_validator_finds_no_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Debian has a validator for PDF/A-1b (Apache PDFBox's Preflight), and none for our PDF/A-2u, which allows more:
    the same letter, set as PDF/A-1b, is one."""
    if not (JAVA / "preflight.jar").exists():
        pytest.skip("Preflight is not installed (Debian: libpdfbox2-java)")
    monkeypatch.setattr("kiosk.paper.pdf.STANDARD", "a-1b")
    (tmp_path / "letter.pdf").write_bytes(rendered(DOCUMENTS["very-long"]))
    jars = ("preflight", "pdfbox2", "fontbox2", "xmpbox", "commons-logging", "javax.activation", "jaxb-api")
    class_path = ":".join(str(JAVA / f"{jar}.jar") for jar in jars)
    said = subprocess.run(
        ["java", "-cp", class_path, "org.apache.pdfbox.preflight.Validator_A1b", tmp_path / "letter.pdf"],
        capture_output=True,
        text=True,
    )
    assert "is a valid PDF/A-1b file" in said.stdout, said.stdout + said.stderr


def check_object(thing: pikepdf.Dictionary | pikepdf.Stream) -> None:
    """Fonts are in the file, in part, and say which characters their glyphs are; nothing shines through; no picture is
    smoothed; nothing acts."""
    if thing.get("/Type") == "/Font" and thing.Subtype != "/Type0":
        assert "/FontFile2" in thing.FontDescriptor and str(thing.BaseFont)[7] == "+"
    if thing.get("/Type") == "/Font" and thing.Subtype == "/Type0":
        assert "/ToUnicode" in thing
    assert thing.get("/ca", 1) == 1 and thing.get("/CA", 1) == 1 and "/SMask" not in thing
    assert not thing.get("/Interpolate", False)
    assert thing.get("/S") not in ("/JavaScript", "/Launch")
    if isinstance(thing, pikepdf.Stream):
        assert thing.get("/Filter") in (None, "/FlateDecode", "/DCTDecode")


def test_it_can_be_signed_as_it_is() -> None:
    """A signature is appended: that wants objects that stand for themselves, and a plain table of where they are."""
    pdf = pdf_of("domisili", Paper.F4)
    assert b"/ObjStm" not in pdf and b"\nxref\n" in pdf and b"/Linearized" not in pdf
    assert pdf.count(b"%%EOF") == 1


def test_what_the_file_tells_of_itself_names_nobody() -> None:
    with pikepdf.open(BytesIO(pdf_of("domisili", Paper.F4))) as pdf:
        told = pdf.Root.Metadata.read_bytes().decode() + repr(dict(pdf.docinfo))
    assert PERSON.nik not in told and PERSON.name not in told and "AMINAH" not in told


@each_paper
@each_letter
def test_files_stay_small(name: str, paper: Paper) -> None:
    assert len(pdf_of(name, paper)) < 60_000


def test_a_logo_stands_in_the_kop(tmp_path: Path) -> None:
    Image.new("RGBA", (1500, 2000), (0, 90, 0, 255)).save(tmp_path / "logo.png")
    document = Document((replace(HEAD, logo=tmp_path / "logo.png"), Title("SURAT")))
    (picture,) = pictures(rendered(document), 127)  # 5 pixels to the mm
    found = numpy.argwhere((numpy.array(picture)[:, :, 1] > 60) & (numpy.array(picture)[:, :, 0] < 40)) / 5
    (top, left), (bottom, right) = found.min(axis=0), found.max(axis=0)
    assert left >= 30 and top >= 19.5 and bottom - top == pytest.approx(25, abs=1) and right - left < 22


def test_every_character_that_the_typeface_claims_has_a_glyph() -> None:
    """The library refuses a file with a missing glyph."""
    claimed = "".join(char for char in map(chr, range(0x10000)) if LETTER_TYPEFACE_HAS.fullmatch(char))
    assert len(claimed) > 900
    texts = [claimed[start : start + 80] for start in range(0, len(claimed), 80)]
    rendered(Document(tuple(Paragraph(text, bold=bold) for text in texts for bold in (False, True))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("José «Añez» – D’Ávila…", "José «Añez» – D’Ávila…"),
        ("ﬁrma Ａ\u3000１", "firma A 1"),
        ("Zẹ\u0305no", "Zẹno"),
        ("Ma\u02bcruf \u02bfAbd", "Ma\u02bcruf \u02bfAbd"),
    ],
)
def test_letters_that_the_typeface_lacks_are_put_in_its_own(text: str, expected: str) -> None:
    assert printable(text) == expected


@pytest.mark.parametrize("text", ["SITI 中", "ꦱꦶꦠꦶ", "سيتي", "SITI \U0001f600"])
def test_a_name_that_cannot_be_printed_is_refused_and_not_told(text: str) -> None:
    with pytest.raises(UnprintableTextError, match=r"U\+[0-9A-F]{4}") as refused:
        rendered(Document((IdentityTable((("Nama", text),)),)))
    assert "SITI" not in str(refused.value) and text[-1] not in str(refused.value)


def test_text_is_never_taken_for_markup() -> None:
    hostile = '#panic("x") *b* _i_ $x$ `c` @ref <label> = h // c /* d */ \\ "q" -- ~'
    (page,) = chars_of(rendered(Document((Paragraph(hostile), Title(hostile), Items((hostile,))))))
    assert "".join(char.text for char in page) == together(hostile) * 3


def test_a_word_longer_than_a_line_is_broken_and_no_letter_of_it_lost() -> None:
    word = "HADIKUSUMODININGRAT" * 9
    (page,) = chars_of(rendered(Document((IdentityTable((("Nama", word),)), Title(word)))))
    assert "".join(char.text for char in page) == f"Nama:{word}{word}"
    assert max(char.right for char in page) <= 215 - MARGINS_MM["right"] + 0.5


def test_a_failure_tells_nothing_of_the_letter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    template = tmp_path / "broken.typ"
    template.write_text('#panic("`" + sys.inputs.job)')
    monkeypatch.setattr("kiosk.paper.pdf._TEMPLATE", str(template))
    with pytest.raises(PdfError) as failed:
        rendered(DOCUMENTS["domisili"])
    assert "panicked with" in str(failed.value) and "AMINAH" not in str(failed.value)


def test_a_typesetter_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.paper.pdf.DEADLINE_S", 0.001)
    with pytest.raises(PdfError, match=r"not set within 0\.001 s"):
        rendered(DOCUMENTS["domisili"])


def test_what_it_does_not_know_is_refused() -> None:
    class Photograph(Block):
        pass

    with pytest.raises(TypeError, match="Photograph"):
        rendered(Document((Photograph(),)))
    with pytest.raises(ValueError, match="Invalid version"):
        rendered(Document((QrCode("A" * 5000),)))
    with pytest.raises(ValueError, match="time zone"):
        render_pdf(DOCUMENTS["domisili"], Paper.F4, title=TITLE, created_at=datetime(2026, 11, 24))
