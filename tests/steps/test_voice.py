"""What is said of every kind of view: what it shows, in the order of the screen, and nothing that the hall must not
hear."""

import re
from dataclasses import fields

import pytest

from kiosk import views
from kiosk.views import (
    Choice,
    ChoiceView,
    ColourView,
    DateView,
    Fact,
    FormView,
    IdleView,
    KeypadView,
    NoticeView,
    NumberView,
    PhotoView,
    PresentCardView,
    ProgressView,
    ResultView,
    ReviewView,
    ScanView,
    TouchGridView,
    View,
)
from kiosk.voice import spoken

NIK = "3523124107900001"
YES = Choice("yes", "Ya, benar", "yes", prominent=True)
STAFF = Choice("technician", "Teknisi", "pin", quiet=True)

SAID: dict[type[View], tuple[View, str]] = {
    IdleView: (
        IdleView("Sentuh layar untuk mulai", village="Desa Socorejo", notices=("Kertas habis",)),
        "Sentuh layar untuk mulai. Kertas habis.",
    ),
    ChoiceView: (
        ChoiceView(
            "Selamat datang",
            "Apa yang Anda perlukan?",
            choices=(
                Choice("letter", "Minta surat", "letter", "Domisili, usaha, dan lain-lain"),
                Choice("check", "Periksa surat", "check", "Pembaca kode sedang terganggu", available=False),
                STAFF,
            ),
        ),
        "Selamat datang. Apa yang Anda perlukan? Anda dapat menyentuh: Minta surat. Domisili, usaha, dan lain-lain. "
        "Periksa surat. Pembaca kode sedang terganggu.",
    ),
    FormView: (
        FormView(
            "Keterangan Usaha",
            label="Nama usaha",
            value="WARUNG TINI",
            hint="Seperti pada papan nama",
            error="Terlalu panjang",
            suggestions=("Toko kelontong", "Bengkel"),
        ),
        "Keterangan Usaha. Terlalu panjang. Nama usaha. Seperti pada papan nama. Anda dapat menyentuh: "
        "Toko kelontong. Bengkel.",
    ),
    KeypadView: (
        KeypadView(
            "Masukkan PIN (6 angka)",
            "Kartu terbaca, silakan ambil.\nTutupi dengan tangan",
            secret=True,
            error="PIN salah",
            choices=(Choice("forgot", "Lupa PIN", "pin"),),
        ),
        "Masukkan PIN (6 angka). PIN salah. Kartu terbaca, silakan ambil. Tutupi dengan tangan. "
        "Anda dapat menyentuh: Lupa PIN.",
    ),
    NumberView: (
        NumberView("Penghasilan sebulan?", "Boleh dikosongkan", value="950250", prefix="Rp", grouped=True),
        "Penghasilan sebulan? Boleh dikosongkan.",
    ),
    DateView: (DateView("Kapan acaranya?", value="01122026", error="Sudah lewat"), "Kapan acaranya? Sudah lewat."),
    PhotoView: (
        PhotoView("Letakkan kertas", "Kamera di bawah layar", notice="Foto dihapus setelah 30 hari", choices=(YES,)),
        "Letakkan kertas. Kamera di bawah layar. Foto dihapus setelah 30 hari. Anda dapat menyentuh: Ya, benar.",
    ),
    PresentCardView: (
        PresentCardView("Tempelkan e-KTP", "Di bawah layar", error="Coba sekali lagi", choices=(YES,)),
        "Tempelkan e-KTP. Coba sekali lagi. Di bawah layar. Anda dapat menyentuh: Ya, benar.",
    ),
    ScanView: (ScanView("Arahkan kode QR ke kamera"), "Arahkan kode QR ke kamera."),
    ProgressView: (ProgressView("Mohon tunggu", "Surat dicetak", fraction=0.4), "Mohon tunggu. Surat dicetak."),
    ReviewView: (
        ReviewView(
            "Periksa data Anda",
            facts=(
                Fact("Nama", "SITI AMINAH"),
                Fact("NIK", "352312******0001"),
                Fact("Nomor KK", "3523 1241 0790 0002"),
            ),
            choices=(YES,),
        ),
        "Periksa data Anda. Nama: SITI AMINAH. NIK: nomor yang berakhiran 0 0 0 1. "
        "Nomor KK: nomor yang berakhiran 0 0 0 2. Anda dapat menyentuh: Ya, benar.",
    ),
    ResultView: (
        ResultView("Nomor Anda", "Simpan «karcis» Anda", big="A-012", facts=(Fact("Pemilik", "S*** A*****"),)),
        "Nomor Anda. Simpan karcis Anda. A 0 1 2. Pemilik: S A.",
    ),
    NoticeView: (
        NoticeView("Kertas habis", "Catat · nomor ini", big="P-2026-00014", code="PRINTER-PAPER-OUT", choices=(STAFF,)),
        "Kertas habis. Catat. nomor ini. P 2 0 2 6, 0 0 0 1 4.",
    ),
    TouchGridView: (TouchGridView("Usap semua kotak"), "Usap semua kotak."),
    ColourView: (ColourView("Warna layar", colour="FF0000"), "Warna layar."),
}


@pytest.mark.parametrize("kind", SAID, ids=lambda kind: kind.__name__)
def test_what_is_said_of_each_kind(kind: type[View]) -> None:
    view, words = SAID[kind]
    assert spoken(view, "id") == words


def test_no_kind_is_left_out() -> None:
    kinds = {value for value in vars(views).values() if isinstance(value, type) and issubclass(value, View)}
    assert set(SAID) == kinds - {View}


def test_no_text_of_a_view_is_left_out_by_oversight() -> None:
    """Each field that holds words is either said, or on this list of what is not."""
    unsaid = {"village", "value", "prefix", "code", "colour", "direction", "tone", "voice"}
    for kind, (view, _) in SAID.items():
        mute = {field.name for field in fields(kind) if isinstance(getattr(view, field.name), str)} - unsaid
        words = {name: f"Kata {name}" for name in mute}
        for text in words.values():
            assert text in spoken(kind(**words), "id"), kind


def test_a_view_may_carry_what_is_said_of_it() -> None:
    assert spoken(NoticeView("Δ", voice="Segitiga"), "id") == "Segitiga"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("id", "nomor yang berakhiran 0 0 0 1"),
        ("jv", "nomer ingkang pungkasanipun 0 0 0 1"),
        ("en", "number ending in 0 0 0 1"),
    ],
)
def test_in_the_language_of_the_visit(language: str, words: str) -> None:
    assert words in spoken(NoticeView("NIK 352312******0001"), language)


@pytest.mark.parametrize(
    "number", [NIK, "3523 1241 0790 0001", "35.23.12.410790.0001", "352312******0001", "************0001"]
)
@pytest.mark.parametrize(
    "view",
    [
        lambda text: NoticeView(text),
        lambda text: ReviewView("x", facts=(Fact("NIK", text),)),
        lambda text: FormView("x", label="NIK", error=f"{text} salah"),
        lambda text: ChoiceView("x", choices=(Choice("a", f"Ibu ({text})"),)),
    ],
)
def test_no_more_than_the_end_of_a_nik_is_heard(view, number: str) -> None:
    words = spoken(view(number), "id")
    assert "berakhiran 0 0 0 1" in words
    assert len(re.sub(r"\D", "", words)) == 4 and "*" not in words
