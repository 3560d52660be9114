"""The kiosk's paper as it comes out: read back from the image, at every roll's width."""

import os
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image, ImageChops

from config.settings import Village
from kiosk.codes import LetterFacts, Signer
from kiosk.letter_types import load_letter_types
from kiosk.paper import slips, thermal
from kiosk.paper.document import (
    Document,
    IdentityTable,
    Items,
    Letterhead,
    Mark,
    Paragraph,
    QrCode,
    Signature,
    Table,
    Title,
    from_json,
    to_json,
)
from kiosk.paper.letter import CopyMark, Letter, as_copy, letter_document
from kiosk.paper.samples import samples
from kiosk.residents import Resident

WIDTHS_DOTS = (384, 576, 832)
DOTS_PER_MM = 8.0
PICTURES = os.environ.get("KIOSK_PICTURES")

VILLAGE = Village(
    code="35.23.12.2002",
    name="Socorejo",
    kecamatan="Jenu",
    kabupaten="Tuban",
    address="Jl. Raya Tuban–Semarang Km. 14, Socorejo, Kode Pos 62352",
)
PERSON = Resident(
    id=1,
    name="SITI AMINAH",
    nik="3523124107900001",
    birth_place="TUBAN",
    birth_date=date(1990, 7, 1),
    sex="PEREMPUAN",
    religion="ISLAM",
    marital_status="KAWIN",
    education="SLTA/SEDERAJAT",
    occupation="MENGURUS RUMAH TANGGA",
    address="DUSUN MLANGI",
    rt="002",
    rw="001",
    citizenship="WNI",
)
LONG_PERSON = replace(
    PERSON,
    name="RADEN RORO SULISTYANINGRUM KUSUMAWARDHANI PRABANINGRAT HADIKUSUMODININGRATWIDYASTUTI, S.Pd., M.Pd.",
    address="PERUMAHAN GRIYA PERMATA JENU INDAH BLOK ANGGREK NOMOR 127 DUSUN MLANGI DESA SOCOREJO "
    "KECAMATAN JENU KABUPATEN TUBAN PROVINSI JAWA TIMUR",
)
NOW = datetime(2026, 11, 24, 9, 41)
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)), VILLAGE.code, "1", "HTTPS://CEK.TUBAN.DESA.ID/S/")
TYPES, _ = load_letter_types()


def a_letter(key: str, person: Resident) -> Letter:
    number = TYPES[key].number(12, VILLAGE.code, "XI", 2026)
    facts = LetterFacts(
        VILLAGE.code, "9f" * 16, key, number, person.masked_name(), date(2026, 11, 24), date(2027, 2, 22)
    )
    answers = {"purpose": "Melamar pekerjaan", "business": "Warung Makan Bu Siti"}
    return Letter(
        number, facts.issued_on, facts.valid_until, answers, SIGNER.letter(facts), "TITIK LESTARI", "197011241998031002"
    )


def copy_of(key: str, person: Resident = PERSON, printing: int = 1) -> Document:
    original = letter_document(TYPES[key], a_letter(key, person), person, VILLAGE)
    return as_copy(original, CopyMark(1, printing), VILLAGE)


def a_request_slip(person: Resident = PERSON, language: str = "id") -> Document:
    papers = tuple(requirement.label[language] for requirement in TYPES["domisili"].requirements)
    return slips.request_slip(
        "P-0012", TYPES["domisili"].name[language], person, VILLAGE, SIGNER.request("P-0012"), NOW, papers,
        language=language,
    )  # fmt: skip


DOCUMENTS = {
    "ticket": slips.ticket("A-012", "Administrasi Kependudukan", 3, VILLAGE, NOW),
    "ticket-again-en": slips.ticket("A-012", "Population records", 0, VILLAGE, NOW, language="en", printing=2),
    "request-slip": a_request_slip(),
    "request-slip-long-jv": a_request_slip(LONG_PERSON, "jv"),
    "copy-domisili": copy_of("domisili"),
    "copy-usaha-long-again": copy_of("usaha", LONG_PERSON, printing=2),
    "self-test": slips.self_test_slip(("Pembaca kartu: SIAP", "Pemindai: SIAP", "Suara: GANGGUAN"), VILLAGE, NOW),
}
everywhere = pytest.mark.parametrize("width_dots", WIDTHS_DOTS)
each_document = pytest.mark.parametrize("name", DOCUMENTS)


def drawn(name: str, width_dots: int) -> Image.Image:
    return thermal.render(DOCUMENTS[name], width_dots, DOTS_PER_MM)


def codes_on(image: Image.Image) -> list[bytes]:
    return [code.bytes for code in zxingcpp.read_barcodes(image.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)]


@everywhere
@each_document
def test_nothing_reaches_over_the_edges(name: str, width_dots: int) -> None:
    image = drawn(name, width_dots)
    assert image.mode == "1"
    assert image.width == width_dots
    ink = ImageChops.invert(image.convert("L")).getbbox()
    assert ink is not None
    assert ink[0] >= 4 and ink[2] <= width_dots - 4 and ink[1] >= 1 and ink[3] < image.height
    if PICTURES:
        folder = Path(PICTURES) / "paper"
        folder.mkdir(parents=True, exist_ok=True)
        image.save(folder / f"{name}-{width_dots}.png")


@everywhere
def test_the_copys_code_reads_back_from_the_paper(width_dots: int) -> None:
    expected = a_letter("usaha", LONG_PERSON).token_url.encode()
    assert codes_on(drawn("copy-usaha-long-again", width_dots)) == [expected]


@everywhere
def test_the_slips_code_reads_back_from_the_paper(width_dots: int) -> None:
    assert codes_on(drawn("request-slip", width_dots)) == [SIGNER.request("P-0012").encode()]


@pytest.mark.parametrize(
    ("name", "width_dots", "mm"),
    [
        ("ticket", 384, (35, 66)),
        ("ticket", 576, (35, 60)),
        ("request-slip", 384, (95, 150)),
        ("request-slip", 576, (95, 142)),
        ("copy-domisili", 384, (170, 280)),
        ("copy-domisili", 576, (140, 225)),
        ("copy-domisili", 832, (110, 200)),
    ],
)
def test_paper_is_neither_wasted_nor_crammed(name: str, width_dots: int, mm: tuple[int, int]) -> None:
    assert mm[0] <= drawn(name, width_dots).height / DOTS_PER_MM <= mm[1]


def all_text(document: Document) -> str:
    words: list[str] = []

    def gather(value: object) -> None:
        if isinstance(value, str):
            words.append(value)
        elif isinstance(value, tuple):
            for part in value:
                gather(part)

    for block in document.blocks:
        for field in block.__dataclass_fields__:
            gather(getattr(block, field))
    return "\n".join(words)


def test_a_slip_and_a_ticket_show_no_nik_and_no_name() -> None:
    for language in ("id", "jv", "en"):
        text = all_text(a_request_slip(language=language))
        assert PERSON.nik not in text and PERSON.nik[:6] not in text and PERSON.name not in text
        assert "************0001" in text and "S*** A*****" in text


def test_a_copy_says_what_it_is() -> None:
    text = all_text(copy_of("domisili"))
    assert "Nomor : 400.12.2.1/012/35.23.12.2002/XI/2026" in text
    assert "SALINAN ke-1, bukan surat asli." in text and "Berlaku sampai 22 Februari 2027." in text
    assert "Kantor Desa Socorejo" in text and "DUSUN MLANGI RT 002 RW 001" in text
    assert "cetakan" not in text.lower()
    assert "Kepala Desa Socorejo," in text and "Status Perkawinan" in text and "Kewarganegaraan" in text
    assert copy_of("domisili").blocks[0] == Mark("SALINAN")
    assert "untuk keperluan: Melamar pekerjaan." in text


@everywhere
@pytest.mark.parametrize("key", TYPES)
def test_each_letter_fits_each_roll_with_short_and_with_long_data(key: str, width_dots: int) -> None:
    for _, original, copy in samples(TYPES[key], VILLAGE):
        image = thermal.render(copy, width_dots, DOTS_PER_MM)
        ink = ImageChops.invert(image.convert("L")).getbbox()
        assert ink[0] >= 4 and ink[2] <= width_dots - 4
        assert len(codes_on(image)) == 1
        # A copy says every word of its original, and that it is none.
        assert set(all_text(original).splitlines()) < set(all_text(copy).splitlines())


def test_seven_dependants_are_listed_and_the_rest_is_said_in_words() -> None:
    for name, original, _ in samples(TYPES["sktm"], VILLAGE):
        (table,) = (block for block in original.blocks if isinstance(block, Table))
        assert len(table.rows) == {"short": 1, "long": 7}[name]
        rest = "dan 1 (satu) orang lainnya yang tercantum dalam Kartu Keluarga."
        assert (rest in all_text(original)) is (name == "long")


def test_a_head_without_dependants_is_not_said_to_have_any() -> None:
    text = all_text(letter_document(TYPES["sktm"], a_letter("sktm", PERSON), PERSON, VILLAGE))
    assert "menanggung" not in text and "Penghasilan" not in text and "tidak mampu" in text


def test_a_copy_of_a_kept_document_is_the_copy_of_the_letter() -> None:
    original = letter_document(TYPES["sktm"], a_letter("sktm", PERSON), PERSON, VILLAGE, family=[LONG_PERSON])
    copy = as_copy(original, CopyMark(3, 2), VILLAGE)
    assert as_copy(from_json(to_json(original)), CopyMark(3, 2), VILLAGE) == copy
    assert "SALINAN ke-3, cetakan ke-2, bukan surat asli." in all_text(copy)


def test_only_a_repeated_printing_is_marked() -> None:
    again = copy_of("domisili", printing=2)
    assert Mark("CETAKAN KE-2") in again.blocks and "cetakan ke-2" in all_text(again)
    assert [block.text for block in copy_of("domisili").blocks if isinstance(block, Mark)] == ["SALINAN"]


def test_whoever_signed_stands_under_the_letter() -> None:
    by_secretary = msgspec.structs.replace(
        TYPES["domisili"], signature_lines=("a.n. Kepala Desa {village}", "Sekretaris Desa")
    )
    document = letter_document(by_secretary, a_letter("domisili", PERSON), PERSON, VILLAGE)
    (signature,) = (block for block in document.blocks if isinstance(block, Signature))
    assert signature.role == ("a.n. Kepala Desa Socorejo", "Sekretaris Desa")
    assert (signature.name, signature.nip) == ("TITIK LESTARI", "197011241998031002")


def test_the_original_is_no_copy_and_says_how_it_is_signed() -> None:
    sentence = "Ditandatangani secara elektronik dengan kunci Desa Socorejo."
    signed = replace(a_letter("domisili", PERSON), signature_sentence=sentence)
    document = letter_document(TYPES["domisili"], signed, PERSON, VILLAGE)
    text = all_text(document)
    assert not any(isinstance(block, Mark) for block in document.blocks) and "alinan" not in text.lower()
    assert sentence in text and "Berlaku sampai 22 Februari 2027" in text
    assert sentence in all_text(letter_document(TYPES["domisili"], signed, PERSON, VILLAGE))


def test_a_name_with_printer_commands_reaches_paper_without_them() -> None:
    hostile = replace(PERSON, name="SITI\x1bi\x1d\x56\x00 AMI\u202eNAH\r\n", address="JL.\x1b@ MAWAR\x10\x14\x01")
    for document in (copy_of("domisili", hostile), a_request_slip(hostile)):
        text = all_text(document).replace("\n", "")
        assert text.isprintable()
    assert "SITIiV AMINAH" in all_text(copy_of("domisili", hostile))


def test_nothing_of_a_document_shows_in_a_repr() -> None:
    document = copy_of("domisili")
    shown = repr(document) + "".join(map(repr, document.blocks)) + repr(PERSON) + repr(a_letter("domisili", PERSON))
    assert PERSON.name not in shown and PERSON.nik not in shown and "HTTPS" not in shown


@everywhere
def test_a_logo_stands_in_the_kop(width_dots: int, tmp_path: Path) -> None:
    Image.new("RGBA", (200, 260), (0, 0, 0, 255)).save(tmp_path / "logo.png")
    head = Letterhead(
        ("PEMERINTAH KABUPATEN TUBAN", "KECAMATAN JENU"), "DESA SOCOREJO", "Jl. Raya", tmp_path / "logo.png"
    )
    image = thermal.render(Document((head, Title("SURAT"))), width_dots, DOTS_PER_MM)
    corner = image.crop((8, 8, 8 + 60, 8 + 100))
    assert corner.convert("L").getextrema() == (0, 0)


@everywhere
def test_a_300_dpi_head_prints_the_same_sizes(width_dots: int) -> None:
    fine = thermal.render(DOCUMENTS["ticket"], round(width_dots * 1.5), DOTS_PER_MM * 1.5)
    assert fine.height / 1.5 == pytest.approx(drawn("ticket", width_dots).height, rel=0.03)


def test_a_long_word_is_broken_and_no_letter_of_it_lost() -> None:
    font = thermal.typeface("regular", 25)
    word = "HADIKUSUMODININGRAT" * 9
    lines = thermal.wrap(f"RADEN {word} S.Pd.", font, 300)
    assert "".join(line for line, _ in lines).replace(" ", "") == f"RADEN{word}S.Pd."
    assert all(font.length(line) <= 300 for line, _ in lines)


def test_a_number_breaks_after_its_slashes() -> None:
    font = thermal.typeface("regular", 25)
    lines = [line for line, _ in thermal.wrap("400.12.2.1/012/35.23.12.2002/XI/2026", font, 300)]
    assert len(lines) == 2 and lines[0] == "400.12.2.1/012/"


def test_a_payload_too_large_for_the_roll_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        thermal.render(Document((QrCode("A" * 2500),)), 384, DOTS_PER_MM)


def test_an_empty_text_takes_no_line() -> None:
    empty = thermal.render(Document((Paragraph(""), Items(()), IdentityTable((("", ""),)))), 384, DOTS_PER_MM)
    assert empty.convert("L").getextrema()[1] == 255
