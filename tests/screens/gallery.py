"""Draws every kind of view and tells, as JSON on stdout, what is where; one process, one window, no screen.

gallery.py WIDTH_PX HEIGHT_PX PPI FOLDER
"""

import io
import json
import sys
import threading
from pathlib import Path

from config.translations import in_language
from hardware.code_scanner.example_paper import example_paper
from kiosk.letter_types import load_letter_types
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
    Scene,
    TouchGridView,
    View,
    Warning,
)
from screens.face import Face, FaceSettings

LONG_NAME = "R. Ay. SITI NURHALIZAH KUSUMANINGRUM WULANDARI BINTI HADIKUSUMO"
LONG_ADDRESS = "JL. RAYA TUBAN - SEMARANG KM 12, DUSUN KRAJAN LOR, RT 004 RW 002, SOCOREJO, JENU, TUBAN"

YES_NO = (Choice("yes", "Ya, benar", "yes", prominent=True), Choice("no", "Belum benar", "edit"))
LETTERS = tuple(
    Choice(
        key,
        in_language(letter_type.name, "id"),
        letter_type.icon,
        "Perlu: " + ", ".join(requirement.label["id"] for requirement in letter_type.requirements),
        available=key != "sktm",
    )
    for key, letter_type in load_letter_types()[0].items()
)
RELIGIONS = tuple(
    Choice(f"option:{option.key}", option.label["id"], option.icon)
    for field in load_letter_types()[0]["beda_identitas"].fields
    if field.key == "religion"
    for option in field.options
)
SERVICES_JV = (
    Choice("letter", "Nyuwun serat", "letter", "Domisili, usaha, saha sanesipun", prominent=True),
    Choice("queue", "Mundhut nomer antrian", "queue", "Boten perlu e-KTP"),
    Choice("check", "Mriksa kaaslianipun serat", "check", "Mawi kode QR ing serat"),
)
SERVICES = (
    Choice("letter", "Minta surat", "letter", "Domisili, usaha, dan lain-lain", prominent=True),
    Choice("queue", "Ambil nomor antrean", "queue", "Tidak perlu e-KTP"),
    Choice("check", "Periksa keaslian surat", "check", "Dengan kode QR pada surat", available=False),
)
FACTS = (
    Fact("Nama", LONG_NAME),
    Fact("NIK", "3523124107900001"),
    Fact("Tempat, tanggal lahir", "TUBAN, 1 JULI 1990"),
    Fact("Jenis kelamin", "PEREMPUAN"),
    Fact("Agama", "ISLAM"),
    Fact("Pekerjaan", "MENGURUS RUMAH TANGGA"),
    Fact("Alamat", LONG_ADDRESS),
)
CODES = (Fact("Nomor surat", "400.12.2.1/014/35.23.12.2002/XI/2026"), Fact("Atas nama", "S. N. K. W."))
BIG_FACTS = (Fact("Layanan", "Pelayanan Umum"), Fact("Menunggu", "4 orang"), Fact("Jam", "09.42"))

LIVE = example_paper().resize((639, 360))  # a row of it is no multiple of four bytes


def photo_of_paper() -> bytes:
    """A JPEG of the bench's invented paper."""
    file = io.BytesIO()
    example_paper().save(file, "JPEG")
    return file.getvalue()


VIEWS: dict[str, View] = {
    "idle": IdleView("Sentuh layar untuk mulai", "Mangga layaripun dipuntutul kangge miwiti", village="Desa Socorejo"),
    "idle-notices": IdleView(
        "Sentuh layar untuk mulai",
        village="Desa Sumurgeneng Wetan",
        notices=("Mesin cetak sedang terganggu", "Jaringan terganggu. Data Anda tersimpan"),
    ),
    "choice-services": ChoiceView("Pilih layanan", choices=SERVICES),
    "choice-services-jv": ChoiceView("Mangga milih layanan", choices=SERVICES_JV),
    "choice-letters": ChoiceView(
        "Pilih jenis surat", choices=LETTERS, notices=("Kertas habis. Mohon beri tahu petugas",)
    ),
    "present-card": PresentCardView(
        "Silakan tempelkan e-KTP Anda",
        "Taruh e-KTP di kotak di bawah layar ini",
        choices=(Choice("nik", "Tidak membawa e-KTP? Pakai NIK", "keypad"),),
    ),
    "present-card-right": PresentCardView(
        "Silakan tempelkan e-KTP Anda",
        "Taruh e-KTP di kotak di sebelah kanan layar ini",
        direction="right",
        choices=(Choice("nik", "Tidak membawa e-KTP? Pakai NIK", "keypad"),),
    ),
    "present-card-left": PresentCardView(
        "Silakan tempelkan e-KTP Anda",
        "Taruh e-KTP di kotak di sebelah kiri layar ini",
        direction="left",
        choices=(Choice("nik", "Tidak membawa e-KTP? Pakai NIK", "keypad"),),
    ),
    "present-card-error": PresentCardView(
        "Silakan tempelkan e-KTP Anda",
        error="Kartu tidak terbaca. Coba sekali lagi",
        choices=(Choice("nik", "Pakai NIK", "keypad"), Choice("queue", "Ambil nomor antrean", "queue")),
    ),
    "keypad-pin": KeypadView(
        "Masukkan PIN layanan desa (6 angka)",
        "Kartu terbaca, silakan ambil.\nIni bukan PIN ATM. Tutupi tombol dengan tangan.",
        secret=True,
        choices=(Choice("forgot", "Lupa PIN", "forgot"),),
    ),
    "keypad-pin-error": KeypadView(
        "Masukkan PIN layanan desa (6 angka)",
        "Ini bukan PIN ATM. Tutupi tombol dengan tangan.",
        secret=True,
        error="PIN salah. Masih bisa mencoba 2 kali",
        choices=(Choice("forgot", "Lupa PIN", "forgot"),),
    ),
    "keypad-code": KeypadView("Masukkan kode dari petugas", "6 angka yang disebutkan petugas", digits_count=6),
    "keypad-nik": KeypadView(
        "Masukkan NIK Anda",
        "16 angka pada e-KTP atau Kartu Keluarga.\nSetelah angka terakhir, layar lanjut sendiri",
        digits_count=16,
    ),
    "form": FormView(
        "Keterangan Usaha",
        "Sebutkan nama usaha seperti pada papan nama.",
        label="Nama usaha",
        hint="Contoh: Warung Bu Tini",
        progress=(1, 2),
    ),
    "form-suggestions": FormView(
        "Keterangan Domisili",
        label="Surat ini untuk keperluan apa?",
        value="",
        hint="Tulis keperluan Anda",
        suggestions=("Melamar kerja", "Sekolah anak", "Membuka rekening bank", "Berobat", "Mengurus bantuan sosial"),
    ),
    "form-error": FormView(
        "Keterangan Usaha",
        label="Nama usaha",
        value="WARUNG KOPI LESEHAN PANTAI BOOM BAROKAH JAYA ABADI SEJAHTERA BERSAMA",
        error="Nama usaha terlalu panjang",
        progress=(1, 2),
    ),
    "form-long": FormView(
        "Pengantar Laporan Kehilangan",
        label="Rincian barang: nomor, atas nama siapa, warna",
        value="STNK SEPEDA MOTOR S 1234 AB ATAS NAMA SITI AMINAH WARNA HITAM, BESERTA KUNCI DAN DOMPET KULIT COKELAT",
        longest=200,
        lines=4,
        progress=(2, 3),
    ),
    "choice-religion": ChoiceView(
        "Agama yang tertulis di situ", "Keterangan Beda Identitas  ·  Pertanyaan 7 dari 11", choices=RELIGIONS
    ),
    "number-amount": NumberView(
        "Berapa penghasilan keluarga setiap bulan?",
        "Keterangan Tidak Mampu (SKTM)  ·  Pertanyaan 2 dari 2\nBoleh dikosongkan",
        value="1500000",
        prefix="Rp",
        grouped=True,
        longest=12,
        progress=(2, 2),
    ),
    "number-error": NumberView(
        "Nomor telepon penanggung jawab",
        "Pengantar Izin Keramaian  ·  Pertanyaan 6 dari 6\nBoleh dikosongkan",
        value="0812",
        error="Kurang. Sedikitnya 8 angka",
        longest=14,
        progress=(6, 6),
    ),
    "date": DateView(
        "Tanggal lahir yang tertulis di situ",
        "Pertanyaan 5 dari 11\nContoh: 5 Maret 1990 ditulis 05 03 1990",
        value="24091990",
        progress=(5, 11),
    ),
    "date-error": DateView(
        "Sampai tanggal berapa?",
        "Pertanyaan 4 dari 6\nContoh: 5 Maret 1990 ditulis 05 03 1990\nBoleh dikosongkan",
        value="31022027",
        error="Tanggal itu tidak ada. Isi tanggal, bulan, dan tahun",
        progress=(4, 6),
    ),
    "scan": ScanView(
        "Arahkan kode QR ke kamera",
        "Kamera ada di sebelah kanan layar ini. Pegang diam, satu jengkal di depan kamera",
        error="Kode QR tidak terbaca",
    ),
    "photo-live": PhotoView(
        "Letakkan kertas di depan kamera",
        "Kamera ada di sebelah kanan layar ini. Seluruh kertas harus terlihat",
        notice="Foto hanya untuk memeriksa permohonan ini, dan dihapus 30 hari setelah selesai",
        choices=(
            Choice("desk", "Bawa ke loket", "counter"),
            Choice("take", "Ambil foto", "camera", prominent=True),
        ),
    ),
    "photo-taken": PhotoView(
        "Surat pengantar RT/RW",
        "Apakah semua tulisan terbaca?",
        picture=photo_of_paper(),
        choices=(
            Choice("again", "Ulangi foto", "camera"),
            Choice("use", "Pakai foto ini", "ok", prominent=True),
        ),
    ),
    "photo-error": PhotoView(
        "Surat pengantar RT/RW",
        picture=photo_of_paper(),
        error="Foto kurang jelas. Ratakan kertas, lalu ulangi",
        choices=(
            Choice("use", "Tetap pakai foto ini", "ok"),
            Choice("again", "Ulangi foto", "camera", prominent=True),
        ),
    ),
    "progress": ProgressView("Mohon tunggu sebentar", "Permohonan sedang dikirim"),
    "progress-fraction": ProgressView("Surat sedang dicetak", fraction=0.4),
    "review": ReviewView("Periksa data Anda", "Apakah data ini sudah benar?", facts=FACTS, choices=YES_NO),
    "result-queue": ResultView(
        "Silakan duduk dan tunggu dipanggil",
        "Simpan karcis Anda",
        big="A-027",
        facts=BIG_FACTS,
        choices=(Choice("done", "Selesai", "ok", prominent=True),),
    ),
    "result-big": ResultView("Nomor permohonan Anda", "Petugas akan memeriksa permohonan", big="P-2026-00014"),
    "result-genuine": ResultView("Surat ini asli dan tercatat", facts=CODES),
    "result-bad": ResultView(
        "Surat tidak ditemukan",
        "Surat ini tidak tercatat di desa ini. Silakan tanyakan kepada petugas.",
        tone="bad",
        choices=(Choice("again", "Periksa surat lain", "scan"), Choice("done", "Selesai", "ok", prominent=True)),
    ),
    "notice": NoticeView(
        "Mesin cetak sedang terganggu",
        "Permohonan Anda sudah tersimpan. Silakan ambil slip di loket.",
        code="PRN-03",
        choices=(
            Choice("retry", "Coba cetak lagi", "printer"),
            Choice("desk", "Lanjut tanpa slip", "next", prominent=True),
        ),
    ),
    "notice-big": NoticeView(
        "Nomor antrean Anda",
        "Ingat atau catat nomor ini. Kertas habis. Mohon beri tahu petugas. Kertas keluar sendiri begitu mesin siap",
        big="B-001",
        code="PRINTER-PAPER-OUT",
        choices=(Choice("without", "Selesai tanpa kertas", "leave"),),
    ),
    "notice-three": NoticeView(
        "Kartu ini belum terdaftar",
        "Ambil kembali e-KTP Anda, lalu silakan ke loket. Petugas akan mendaftarkan kartu dan PIN Anda, hanya sekali",
        choices=(
            Choice("done", "Selesai", "leave"),
            Choice("nik", "Pakai NIK dan PIN", "keypad"),
            Choice("queue", "Ambil nomor antrean", "queue", prominent=True),
        ),
    ),
    "help": NoticeView(
        "Butuh bantuan?",
        "Silakan ke loket. Petugas siap membantu Anda",
        tone="help",
        choices=(
            Choice("back", "Kembali", "back", prominent=True),
            Choice("technician", "Teknisi", "pin", quiet=True),
        ),
    ),
    "touch-grid": TouchGridView("Usap semua kotak", "Ada yang tidak mau? Sentuh kotak tengah sekali lagi"),
    "colour": ColourView("Warna layar", colour="FF0000"),
}


def scenes() -> dict[str, Scene]:
    """Every view in Indonesian, in large text, and the chrome in the other languages."""
    result: dict[str, Scene] = {}
    for name, view in VIEWS.items():
        language = "jv" if name.endswith("-jv") else "id"
        inside = not isinstance(view, IdleView)
        alone = name == "help"  # nothing is below it
        for large in (False, True):
            serial = len(result) + 1
            key = f"{name}-large" if large else name
            result[key] = Scene(
                serial,
                view,
                language,
                large,
                can_go_back=inside and not alone,
                can_leave=inside and not alone,
                leaving_loses=name.startswith("form"),
                can_ask_help=inside and not alone,
                can_listen=inside,
                listens=large,
            )
    for language in ("jv", "en"):
        serial = len(result) + 1
        result[f"form-{language}"] = Scene(
            serial,
            VIEWS["form-suggestions"],
            language,
            can_go_back=True,
            can_leave=True,
            leaving_loses=True,
            can_ask_help=True,
            can_listen=True,
            listens=True,
        )
    return result


def report(face: Face) -> dict:
    """Geometry of all that is drawn: targets, texts, size of the window."""

    def collect() -> dict:
        from screens.touch_grid import Grid
        from screens.widgets import Card, Text

        cells = [cell for widget in face._root.walk() if isinstance(widget, Grid) for cell in widget.cells]
        texts = [widget for widget in face._root.walk() if isinstance(widget, Text) and widget.shown]
        return {
            "texts": [
                {
                    "box": [text.box.x, text.box.y, text.box.w, text.box.h],
                    "texture": list(text.texture_size),
                    "size_px": text.size_px,
                    "shown": text.shown,
                    "is_cut": text.is_cut,
                }
                for text in texts
            ],
            "cells": [[cell.x, cell.y, cell.w, cell.h] for cell in cells],
            "cards": sum(type(widget) is Card for widget in face._root.walk()),
        }

    return {"targets": face.targets(), **face.ask(collect)}


def play(face: Face, folder: Path) -> dict:
    result = {}
    for name, scene in scenes().items():
        face.show(scene)
        if isinstance(scene.view, PhotoView) and scene.view.picture is None:
            face.show_frame(*LIVE.size, LIVE.tobytes())
        result[name] = report(face)
        face.picture(str(folder / f"{name}.png"))
    face.warn(Warning(15))
    result["warning"] = report(face)
    face.picture(str(folder / "warning.png"))
    return result


def main() -> None:
    width_px, height_px, ppi, folder = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
    folder.mkdir(parents=True, exist_ok=True)
    errors: list[str] = []
    result: dict = {}
    settings = FaceSettings(width_px, height_px, ppi, False, "offscreen", "Desa Socorejo")

    def work() -> None:
        try:
            result.update(play(face, folder))
        finally:
            face.stop()

    thread = threading.Thread(target=work)
    face = Face(settings, lambda intent: None, thread.start, on_error=lambda error: errors.append(repr(error)))
    face.run()
    thread.join()
    print(json.dumps({"scenes": result, "errors": errors, "window": [width_px, height_px], "ppi": ppi}))


if __name__ == "__main__":
    main()
