"""The desk's words for what the program calls by a name of its own."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import current_app
from markupsafe import Markup

from hardware.printer.interface import PrintOutcome
from kiosk.journal import Entry, Event
from kiosk.officers import Role
from kiosk.paper.text import date_in_words
from kiosk.requests import RequestState
from kiosk.store.requirement_papers import PaperState

ROLES = {
    Role.OPERATOR: "Operator",
    Role.SECRETARY: "Sekretaris Desa",
    Role.HEAD: "Kepala Desa",
}

#: HTTP status → title and text of its page.
ERRORS = {
    202: (
        "Masih dikerjakan",
        "Yang Anda kirim sudah diterima dan belum selesai. Jangan dikirim lagi; buka kembali halamannya sebentar lagi.",
    ),
    400: ("Permintaan tidak dapat dibaca", "Kembali ke halaman sebelumnya, lalu coba lagi."),
    403: (
        "Formulir ini tidak berlaku lagi",
        "Tidak ada yang diubah. Buka kembali halamannya, lalu isi dan kirim sekali lagi.",
    ),
    404: ("Halaman tidak ada", "Alamat itu tidak ada, atau bukan untuk peran Anda."),
    413: ("Kiriman terlalu besar", "Tidak ada yang disimpan. Kirim yang lebih kecil."),
    421: ("Alamat tidak dikenal", "Buka meja petugas dengan alamat yang diberikan kepada Anda."),
    429: ("Terlalu banyak permintaan", "Tunggu sebentar, lalu coba lagi."),
    500: ("Terjadi kesalahan", "Yang sedang dikerjakan mungkin belum tersimpan. Periksa dulu, lalu coba lagi."),
    503: ("Penyimpanan sedang tidak dapat dipakai", "Tidak ada yang diubah. Coba lagi sebentar, atau panggil teknisi."),
}

WEAK_PASSWORDS = {
    "too-short": "Kata sandi paling sedikit 10 huruf.",
    "too-long": "Kata sandi paling banyak 128 huruf.",
    "username": "Kata sandi tidak boleh memuat nama pengguna.",
    "common": "Kata sandi itu terlalu umum. Pakailah beberapa kata yang tidak berkaitan.",
    "too-few-characters": "Kata sandi memuat terlalu sedikit huruf yang berbeda.",
}

STATES = {
    RequestState.SUBMITTED: "Menunggu diperiksa",
    RequestState.CHECKING: "Sedang diperiksa",
    RequestState.RETURNED: "Dikembalikan",
    RequestState.SIGNING: "Menunggu tanda tangan",
    RequestState.READY: "Siap diambil",
    RequestState.COLLECTED: "Sudah diambil",
    RequestState.REFUSED: "Ditolak",
    RequestState.CANCELLED: "Dibatalkan warga",
    RequestState.WITHDRAWN: "Dicabut",
}

PAPERS = {
    None: "Belum ada",
    PaperState.DESK: "Dibawa warga ke loket",
    PaperState.PHOTO: "Difoto di anjungan",
    PaperState.RECEIVED: "Sudah diterima",
    PaperState.REFUSED: "Tidak sesuai",
}

PRINT_OUTCOMES = {
    PrintOutcome.PRINTED: "Surat sudah dicetak.",
    PrintOutcome.HELD: "Surat belum tercetak.",
    PrintOutcome.UNCERTAIN: "Belum pasti apakah surat tercetak. Lihat dulu di printer sebelum mencetak lagi.",
}

#: What the audit trail tells, each with the facts that it names.
EVENTS = {
    Event.REQUEST_SUBMITTED: "Surat diminta",
    Event.REQUEST_RESUBMITTED: "Permohonan diperbaiki dan diajukan lagi",
    Event.REQUEST_CHECKED: "Mulai diperiksa",
    Event.REQUEST_RETURNED: "Dikembalikan untuk diperbaiki",
    Event.REQUEST_CANCELLED: "Dibatalkan oleh warga",
    Event.REQUEST_APPROVED: "Disetujui",
    Event.REQUEST_REFUSED: "Ditolak",
    Event.LETTER_INITIALLED: "Ditandatangani sebelum penanda tangan terakhir",
    Event.LETTER_NUMBERED: "Diberi nomor {letter}",
    Event.SIGNING_FAILED: "Penandatanganan gagal ({code})",
    Event.LETTER_ISSUED: "Surat {letter} ditandatangani",
    Event.LETTER_TOLD: "Warga diberi tahu tentang surat ini di anjungan",
    Event.LETTER_PRINTED: "Dicetak di printer kantor: {outcome}",
    Event.LETTER_COLLECTED: "Surat diserahkan",
    Event.LETTER_WITHDRAWN: "Surat {letter} dicabut",
    Event.PAPER_RECEIVED: "Syarat diterima: {requirement}",
    Event.PAPER_REFUSED: "Syarat tidak sesuai: {requirement}",
    Event.COPY_REQUESTED: "Salinan ke-{copy} diminta di anjungan",
    Event.RESIDENT_ADDED: "Warga ditambahkan",
    Event.RESIDENT_CHANGED: "Data warga diubah",
    Event.CARD_ENROLLED: "Kartu dihubungkan dengan warga",
    Event.CARDS_UNLINKED: "Kartu warga diputuskan ({count})",
    Event.PIN_SET: "PIN warga dipasang",
    Event.ENROLMENT_OPENED: "Kode pendaftaran diberikan kepada warga",
    Event.UNLOCKED: "PIN yang terkunci dibuka",
    Event.TICKET_CALLED: "Antrean {number} dipanggil",
    Event.OFFICER_ADDED: "Petugas ditambahkan",
    Event.OFFICER_CHANGED: "Data petugas diubah",
    Event.OFFICER_PASSWORD_SET: "Kata sandi petugas diganti",
    Event.OFFICER_DEACTIVATED: "Petugas dinonaktifkan",
    Event.OFFICER_ACTIVATED: "Petugas diaktifkan lagi",
    Event.OFFICER_LOGGED_IN: "Masuk dari {address}",
    Event.OFFICER_LOGGED_OUT: "Keluar",
    Event.OFFICER_PASSWORD_WRONG: "Kata sandi salah dari {address}",
    Event.OFFICER_TRIES_PAUSED: "Terlalu banyak kata sandi salah dari {address}; dijeda",
}
#: What a fact says in a program's word.
_FACTS = {
    ("outcome", PrintOutcome.PRINTED): "tercetak",
    ("outcome", PrintOutcome.HELD): "belum tercetak",
    ("outcome", PrintOutcome.UNCERTAIN): "belum pasti tercetak",
}


def told(entry: Entry) -> str:
    """An entry of the journal in plain words, without when and by whom. One without words of its own is none of the
    officers' business and goes by its name."""
    words = EVENTS.get(entry.event, entry.event.id)
    return words.format_map({name: _FACTS.get((name, fact), fact) for name, fact in entry.facts.items()})


def moment(value: datetime) -> str:
    """«24 November 2026 pukul 09.15», in the hall's time."""
    there = value.astimezone(ZoneInfo(current_app.extensions["services"].settings.village.timezone))
    return f"{date_in_words(there.date())} pukul {there:%H.%M}"


def unbroken(number: str) -> Markup:
    """A number that a narrow page breaks after «/» only."""
    parts = number.replace("/", "/\n").split("\n")
    return Markup("<wbr>").join(Markup('<span class="unbroken">{}</span>').format(part) for part in parts)
