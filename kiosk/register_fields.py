"""What people and spreadsheets write of a resident, read as the register has it: the same for a form and for a file."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

from kiosk.paper.text import UnprintableTextError, clean, printable
from kiosk.residents import LONGEST_TEXT, InvalidNik, validate_nik

REQUIRED = ("nik", "name", "birth_place", "birth_date", "sex", "address")
#: The others, which a register may leave empty.
OPTIONAL = (
    "religion",
    "marital_status",
    "education",
    "occupation",
    "citizenship",
    "rt",
    "rw",
    "family_number",
    "family_relation",
)
#: What the register's empty cells mean.
USUAL = {"citizenship": "WNI"}
#: The optional fields of a resident of whom nothing but the required ones is told.
UNTOLD = {field: USUAL.get(field, "") for field in OPTIONAL}
SEXES = {"L": "LAKI-LAKI", "LK": "LAKI-LAKI", "LAKI LAKI": "LAKI-LAKI", "P": "PEREMPUAN", "PR": "PEREMPUAN"}
DATE_FORMS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d")
FIRST_YEAR = 1900

NIK_REASONS = {
    "not-16-digits": "bukan 16 angka",
    "unknown-province": "kode provinsi tidak dikenal",
    "impossible-date": "tanggal di dalamnya tidak mungkin",
    "serial-0000": "nomor urut 0000 tidak pernah diterbitkan",
}


class WrongFields(ValueError):
    """`reasons`: field → what is wrong with it, in Indonesian and without what it says. There is at least one."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


def read_fields(written: Mapping[str, str], today: date) -> dict[str, str | date]:
    """The fields that `Residents.add` takes, of texts by field. A required one that is not there is empty; an optional
    one is left out, as a file without its column says nothing of it. Raises WrongFields."""
    read: dict[str, str | date] = {}
    reasons: dict[str, str] = {}
    for field in (*REQUIRED, *(field for field in OPTIONAL if field in written)):
        text = clean(written.get(field, "")).strip() or USUAL.get(field, "")
        try:
            read[field] = _read(field, text, today)
        except _Wrong as wrong:
            reasons[field] = str(wrong)
    if reasons:
        raise WrongFields(reasons)
    return read


def doubt(fields: Mapping[str, str | date]) -> str:
    """What is worth a look at the NIK of fields that are right, as papers do differ; or empty."""
    nik, born = str(fields["nik"]), fields["birth_date"]
    assert isinstance(born, date)
    day = born.day + (40 if fields["sex"] == "PEREMPUAN" else 0)
    fits = nik[6:12] == f"{day:02}{born:%m%y}"
    return "" if fits else "tidak cocok dengan tanggal lahir atau jenis kelamin; periksalah"


class _Wrong(Exception):
    pass


def _read(field: str, text: str, today: date) -> str | date:
    if field in REQUIRED and not text:
        raise _Wrong("kosong")
    if len(text) > LONGEST_TEXT:
        raise _Wrong(f"lebih dari {LONGEST_TEXT} huruf")
    try:
        printable(text)
    except UnprintableTextError:
        raise _Wrong("memuat huruf atau tanda yang tidak dapat dicetak di surat") from None
    return _day(text, today) if field == "birth_date" else _READERS.get(field, str)(text)


def _nik(text: str) -> str:
    nik = _digits(text)
    try:
        validate_nik(nik)
    except InvalidNik as error:
        raise _Wrong(NIK_REASONS[error.reason]) from error
    return nik


def _family_number(text: str) -> str:
    number = _digits(text)
    if number and not re.fullmatch("[0-9]{16}", number):
        raise _Wrong("bukan 16 angka")
    return number


def _digits(text: str) -> str:
    """Without the signs that spreadsheets and people put around a number to keep it a text."""
    # A spreadsheet that took the number for an amount has destroyed its last digits.
    if re.fullmatch(r"[0-9.,]+E\+?[0-9]+", text, re.IGNORECASE):
        raise _Wrong("rusak oleh lembar kerja: jadikan kolomnya teks, lalu isi kembali")
    return re.sub(r"[\s'’.-]", "", text)


def _sex(text: str) -> str:
    sex = SEXES.get(text.upper().replace("-", " "), text.upper())
    if sex not in SEXES.values():
        raise _Wrong("harus L atau P")
    return sex


def _neighbourhood(text: str) -> str:
    """«1» and «001» are the same; «-» and «000» are none."""
    digits = text.lstrip("'")
    if digits in ("", "-") or re.fullmatch("0+", digits):
        return ""
    if not re.fullmatch(r"[0-9]{1,3}", digits):
        raise _Wrong("harus paling banyak 3 angka")
    return f"{int(digits):03}"


def _day(text: str, today: date) -> date:
    for form in DATE_FORMS:
        try:
            day = datetime.strptime(text, form).date()
        except ValueError:
            continue
        if not FIRST_YEAR <= day.year or day > today:
            raise _Wrong("tidak mungkin")
        return day
    raise _Wrong("bukan tanggal; tulislah seperti 31-12-1990")


#: Those that are more than their text. Letter types compare the upper-case ones with words of their own.
_READERS: dict[str, Callable[[str], str]] = {
    "nik": _nik,
    "family_number": _family_number,
    "sex": _sex,
    "rt": _neighbourhood,
    "rw": _neighbourhood,
    "marital_status": str.upper,
    "family_relation": str.upper,
}
