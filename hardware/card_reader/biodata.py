"""What a vendor's SAM reader hands over of an e-KTP, from its text to `Biodata`.

Two formats: JSON with the keys of `Biodata`, and the quoted CSV of the card's own biodata file. Nothing of the text is
ever part of an error, because it is personal data.
"""

import csv
import re
from datetime import date, datetime

import msgspec

from hardware.card_reader.interface import Biodata, BiodataError

NIK_LENGTH = 16
LONGEST_NAME = 100
#: Fields of the card's CSV that are known, by position.
CSV_NIK, CSV_NAME, CSV_BIRTH_DATE = 0, 13, 14
#: As the card writes a date, and as ISO 8601 does.
DATE_FORMATS = ("%d-%m-%Y", "%Y-%m-%d")


class _Json(msgspec.Struct):
    nik: str
    name: str
    birth_date: str
    birth_place: str = ""


def parse_json(output: bytes) -> Biodata | None:
    """An object with `nik`, `name`, `birth_date` and perhaps `birth_place`; other keys are passed over. None for
    `null` and for no output: the card gave nothing. Raises BiodataError BIODATA-GARBLED."""
    text = _text(output)
    if not text:
        return None
    try:
        fields = msgspec.json.decode(text, type=_Json | None)
    except (msgspec.DecodeError, RecursionError):
        raise _garbled("not JSON with nik, name and birth_date") from None
    return None if fields is None else _biodata(fields.nik, fields.name, fields.birth_date, fields.birth_place)


def parse_csv(output: bytes) -> Biodata | None:
    """One line of quoted fields: [0] NIK, [13] name, [14] birth date. None for no output: the card gave nothing.
    Raises BiodataError BIODATA-GARBLED."""
    text = _text(output)
    if not text:
        return None
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        raise _garbled("not one line of CSV") from None
    fields = rows[0] if len(rows) == 1 else []
    if len(fields) <= CSV_BIRTH_DATE:
        raise _garbled(f"{len(fields)} fields of CSV, where at least {CSV_BIRTH_DATE + 1} are needed")
    return _biodata(fields[CSV_NIK], fields[CSV_NAME], fields[CSV_BIRTH_DATE])


PARSERS = {"json": parse_json, "csv": parse_csv}


def _text(output: bytes) -> str:
    try:
        return output.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise _garbled("not UTF-8") from None


def _biodata(nik: str, name: str, birth_date: str, birth_place: str = "") -> Biodata:
    if not re.fullmatch(rf"[0-9]{{{NIK_LENGTH}}}", nik):
        raise _garbled(f"the NIK is not {NIK_LENGTH} digits")
    return Biodata(
        nik=nik,
        name=_words("name", name, required=True),
        birth_date=_date(birth_date.strip()),
        birth_place=_words("birth place", birth_place),
    )


def _words(what: str, text: str, required: bool = False) -> str:
    """`text` with single blanks between its words."""
    words = re.sub(" +", " ", text).strip()
    if required and not words:
        raise _garbled(f"the {what} is empty")
    if len(words) > LONGEST_NAME:
        raise _garbled(f"the {what} is longer than {LONGEST_NAME} characters")
    if not words.isprintable():
        raise _garbled(f"the {what} holds control characters")
    return words


def _date(text: str) -> date:
    for date_format in DATE_FORMATS:
        try:
            return datetime.strptime(text, date_format).date()
        except ValueError:
            continue
    raise _garbled("the birth date is neither dd-mm-yyyy nor yyyy-mm-dd")


def _garbled(detail: str) -> BiodataError:
    return BiodataError("BIODATA-GARBLED", detail)
