"""What happens to text before it stands on paper: cleaned, dates and numbers in words."""

import unicodedata
from datetime import date

from config.fonts import LETTER_TYPEFACE_HAS

# CLDR's month names. A table, as Babel brings 33 MB to the disk and 25 ms to the first slip for these 24 words.
_MONTHS_ID = (
    "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember".split()
)  # Javanese has the same
_MONTHS_EN = "January February March April May June July August September October November December".split()


class UnprintableTextError(ValueError):
    """A text with characters that the letters' typeface lacks. Says which, and nothing else of the text."""


def clean(text: str) -> str:
    """`text` without control, format, surrogate, private and unassigned characters (category C); a tab or a line end
    becomes a space. A name with ESC/POS bytes in it could otherwise cut the paper, one with a right-to-left mark
    could turn a line around."""
    text = unicodedata.normalize("NFC", text)
    if text.isprintable():
        return text
    spaced = "".join(" " if char in "\t\n\r" else char for char in text)
    return "".join(char for char in spaced if unicodedata.category(char)[0] != "C")


def printable(text: str) -> str:
    """`text` with what the letters' typeface lacks put in its own letters: «ﬁ» becomes «fi», a wide «Ａ» an «A», and a
    letter loses an accent that it has no glyph for (NFKC, then NFKD without marks). Raises UnprintableTextError where
    that leaves characters without a glyph: a letter never shows a box in place of a name."""
    if LETTER_TYPEFACE_HAS.fullmatch(text):
        return text
    put = "".join(map(_put, text))
    if lacking := sorted({char for char in put if not LETTER_TYPEFACE_HAS.fullmatch(char)}):
        raise UnprintableTextError(f"the typeface has no {', '.join(f'U+{ord(char):04X}' for char in lacking)}")
    return put


def _put(char: str) -> str:
    compatible = unicodedata.normalize("NFKC", char)
    without_marks = "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    return next(filter(LETTER_TYPEFACE_HAS.fullmatch, (char, compatible, without_marks)), char)


def date_in_words(day: date, language: str = "id") -> str:
    """«24 November 2026»."""
    months = _MONTHS_EN if language == "en" else _MONTHS_ID
    return f"{day.day} {months[day.month - 1]} {day.year}"


def grouped(number: int) -> str:
    """«1.500.000», as Indonesia writes it."""
    return f"{number:,}".replace(",", ".")


def number_and_words(number: int) -> str:
    """«7 (tujuh)», as numbers stand in letters."""
    return f"{grouped(number)} ({_in_words(number)})"


def rupiah_and_words(amount: int) -> str:
    """«Rp1.500.000 (satu juta lima ratus ribu rupiah)»."""
    return f"Rp{grouped(amount)} ({_in_words(amount)} rupiah)"


def _in_words(number: int) -> str:
    """Cardinals only: of Indonesian ordinals, num2words makes «kedua puluh satu»."""
    from num2words import num2words

    return num2words(number, lang="id")
