"""The pieces of paper that the kiosk hands out, as documents.

They are in the visitor's language and show no more of a NIK than its end. Letters are in `letter.py`.
"""

from datetime import datetime

from config.settings import Village
from config.translations import say
from kiosk.paper.document import (
    Align,
    BigNumber,
    Block,
    Document,
    Footer,
    IdentityTable,
    Items,
    Mark,
    Paragraph,
    QrCode,
    Rule,
    Size,
    Title,
)
from kiosk.paper.text import date_in_words
from kiosk.residents import Resident

#: Thin and thick strokes, upright and round.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"


def ticket(
    number: str,
    service_name: str,
    waiting: int,
    village: Village,
    taken_at: datetime,
    *,
    language: str = "id",
    printing: int = 1,
) -> Document:
    """A queue number. `taken_at` is in the village's own time; `waiting` is how many are before it."""
    before = say(language, "paper_waiting", n=waiting) if waiting else say(language, "paper_nobody_waiting")
    return Document(
        (
            *_slip_head(village),
            *printing_mark(printing, language),
            Paragraph(say(language, "your_queue_number"), Align.CENTRE),
            BigNumber(number),
            Paragraph(service_name, Align.CENTRE, bold=True, size=Size.LARGE),
            Paragraph(before, Align.CENTRE),
            Footer((_date_and_time(taken_at, language), say(language, "sit_and_wait"))),
        )
    )


def request_slip(
    number: str,
    letter_name: str,
    resident: Resident,
    village: Village,
    qr_payload: str,
    sent_at: datetime,
    requirements: tuple[str, ...] = (),
    photographed: int = 0,
    *,
    language: str = "id",
    printing: int = 1,
) -> Document:
    """What a resident keeps until the letter is ready. `requirements` are the papers still to bring, in `language`, and
    `photographed` counts those that need not be; `sent_at` is in the village's own time."""
    bring: tuple[Block, ...] = ()
    if photographed:
        bring = (Paragraph(say(language, "paper_photographed", n=photographed)),)
    if requirements:
        bring += (Paragraph(say(language, "paper_please_bring"), bold=True), Items(requirements))
    return Document(
        (
            *_slip_head(village),
            *printing_mark(printing, language),
            Paragraph(say(language, "your_request_number"), Align.CENTRE),
            BigNumber(number),
            Paragraph(letter_name, Align.CENTRE, bold=True, size=Size.LARGE),
            IdentityTable(
                (
                    (say(language, "paper_name"), resident.masked_name()),
                    ("NIK", resident.masked_nik()),
                    (say(language, "paper_sent"), _date_and_time(sent_at, language)),
                )
            ),
            *bring,
            Paragraph(say(language, "paper_what_next")),
            QrCode(qr_payload, say(language, "paper_show_at_desk")),
            Footer((say(language, "paper_slip_is_no_letter"),)),
        )
    )


def self_test_slip(lines: tuple[str, ...], village: Village, tested_at: datetime) -> Document:
    """The technician's paper: one result a line, and two rules across that show a worn head."""
    return Document(
        (
            *_slip_head(village),
            Title("UJI MANDIRI ANJUNGAN", _date_and_time(tested_at, "id")),
            *map(Paragraph, lines),
            Rule(),
            Rule(),
        )
    )


def test_page(
    check: str, code_text: str, village: Village, printed_at: datetime, *, language: str = "id", printing: int = 1
) -> Document:
    """A technician's page: a code to show to the scanner, and what shows a worn head or a slipping roller."""
    return Document(
        (
            *_slip_head(village),
            *printing_mark(printing, language),
            Title("HALAMAN UJI", f"{check}, {_date_and_time(printed_at, language)}"),
            QrCode(code_text, code_text),
            Rule(),
            BigNumber("8 8 8 8"),
            Rule(),
            Paragraph(ALPHABET, Align.CENTRE, size=Size.LARGE, bold=True),
            Paragraph(ALPHABET, Align.CENTRE),
            Paragraph(ALPHABET, Align.CENTRE, size=Size.SMALL),
            Rule(),
            Footer((say(language, "paper_test_page"),)),
        )
    )


def _slip_head(village: Village) -> tuple[Block, ...]:
    return (
        Paragraph(f"DESA {village.name.upper()}", Align.CENTRE, bold=True),
        Paragraph(f"Kecamatan {village.kecamatan}, Kabupaten {village.kabupaten}", Align.CENTRE, size=Size.SMALL),
        Rule(),
    )


def printing_mark(printing: int, language: str) -> tuple[Block, ...]:
    return (Mark(say(language, "paper_printed_again", n=printing)),) if printing > 1 else ()


def _date_and_time(moment: datetime, language: str) -> str:
    return f"{date_in_words(moment.date(), language)}, {moment:%H.%M}"
