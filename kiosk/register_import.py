"""Residents from a CSV file, such as a spreadsheet or OpenSID's export saves it, with a report line by line.

A line that cannot be used is told with its column and reason, and the others are imported all the same. Importing the
same file again changes nothing.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from kiosk.residents import InvalidNik, Residents

#: Most bytes of a file: some 100 000 residents.
MOST_BYTES = 32 * 1024 * 1024
#: Lines that are written in one transaction: the kiosk writes in between.
BATCH = 200

#: Headings (without case, spaces and signs) by the field of a resident that they fill.
HEADINGS = {
    "nik": ("nik", "nomornik", "noktp"),
    "name": ("nama", "namalengkap"),
    "birth_place": ("tempatlahir", "tempatlhr", "tmplahir"),
    "birth_date": ("tanggallahir", "tgllahir", "tanggallhr"),
    "sex": ("jeniskelamin", "kelamin", "sex", "jk"),
    "religion": ("agama",),
    "marital_status": ("statusperkawinan", "statuskawin", "status"),
    "education": ("pendidikan", "pendidikankk", "pendidikandalamkk"),
    "occupation": ("pekerjaan",),
    "citizenship": ("kewarganegaraan", "warganegara", "wn"),
    "address": ("alamat", "dusun"),
    "rt": ("rt", "nort"),
    "rw": ("rw", "norw"),
    "family_number": ("nokk", "nomorkk", "nomorkartukeluarga", "kk"),
    "family_relation": ("hubungankeluarga", "shdk", "statushubungandalamkeluarga", "hubungan"),
}
REQUIRED = ("nik", "name", "birth_place", "birth_date", "sex", "address")
#: What the register's empty cells mean.
USUAL = {"citizenship": "WNI"}
SEXES = {"L": "LAKI-LAKI", "LK": "LAKI-LAKI", "LAKI LAKI": "LAKI-LAKI", "P": "PEREMPUAN", "PR": "PEREMPUAN"}
DATE_FORMS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d")
FIRST_YEAR = 1900


class UnusableFile(ValueError):
    """The file as a whole cannot be imported; the text says why."""


class Outcome(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Line:
    """What became of a line of the file, counted as an editor shows it. `column` and `reason` say what is wrong with a
    refused one, or what to look at in another; neither holds what the line says."""

    number: int
    outcome: Outcome
    column: str = ""
    reason: str = ""


def import_residents(data: bytes, residents: Residents, today: date, *, dry: bool = False) -> list[Line]:
    """Add and change the residents of a file; with `dry` only say what would become of each line. Raises UnusableFile,
    before anything is written, and StoreError."""
    rows = _rows(data)
    lines: list[Line] = []
    for batch in _batches(rows):
        lines += _import_batch(batch, residents, today, dry)
    return lines


def _import_batch(
    rows: Sequence[tuple[int, dict[str, str]]], residents: Residents, today: date, dry: bool
) -> list[Line]:
    """One batch: what is right of it is written in one transaction."""
    lines: list[Line] = []
    right: list[tuple[int, dict[str, str | date]]] = []
    for number, cells in rows:
        try:
            right.append((number, _fields(cells, today)))
        except _Wrong as wrong:
            lines.append(Line(number, Outcome.REFUSED, wrong.column, wrong.reason))
    outcomes = residents.put_all([fields for _, fields in right], dry=dry)
    for (number, fields), outcome in zip(right, outcomes, strict=True):
        if isinstance(outcome, ValueError):
            lines.append(Line(number, Outcome.REFUSED, *_said(outcome)))
        else:
            lines.append(Line(number, Outcome(outcome), *_doubt(fields)))
    return sorted(lines, key=lambda line: line.number)


class _Wrong(Exception):
    def __init__(self, column: str, reason: str) -> None:
        self.column, self.reason = column, reason


_NIK_REASONS = {
    "not-16-digits": "bukan 16 angka",
    "unknown-province": "kode provinsi tidak dikenal",
    "impossible-date": "tanggal di dalamnya tidak mungkin",
    "serial-0000": "nomor urut 0000 tidak pernah diterbitkan",
}


def _said(error: ValueError) -> tuple[str, str]:
    if isinstance(error, InvalidNik):
        return "nik", _NIK_REASONS[error.reason]
    return "no_kk", "bukan 16 angka"


def _rows(data: bytes) -> list[tuple[int, dict[str, str]]]:
    """Line number and cells by field, of every line that is not empty."""
    if len(data) > MOST_BYTES:
        raise UnusableFile(f"Berkas lebih besar dari {MOST_BYTES // 1024 // 1024} MiB.")
    text = _text(data)
    reader = csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text), strict=True)
    try:
        headings = next(reader, [])
        fields = _fields_by_column(headings)
        rows = []
        before = reader.line_num
        for cells in reader:
            if any(cell.strip() for cell in cells):
                named = {field: cells[at].strip() if at < len(cells) else "" for field, at in fields.items()}
                rows.append((before + 1, named))
            before = reader.line_num
    except csv.Error as error:
        raise UnusableFile(f"Baris {reader.line_num}: bukan CSV ({error}).") from error
    return rows


def _text(data: bytes) -> str:
    """UTF-8 with or without its mark, or what Windows saves as «ANSI»."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise UnusableFile("Bukan berkas teks. Simpan lembar kerja sebagai CSV.")


def _dialect(text: str) -> type[csv.Dialect]:
    """Excel separates by semicolons where the decimal sign is a comma, as in Indonesia."""
    first, _, _ = text.partition("\n")

    class Found(csv.excel):
        delimiter = max(";,\t", key=first.count)

    return Found


def _fields_by_column(headings: list[str]) -> dict[str, int]:
    """Field → column. Raises UnusableFile where a required one is missing or one is there twice."""
    fields: dict[str, int] = {}
    for at, heading in enumerate(headings):
        plain = re.sub(r"[^a-z]", "", heading.lower())
        for field, names in HEADINGS.items():
            if plain in names:
                if field in fields:
                    raise UnusableFile(f"Dua kolom berisi hal yang sama: {headings[fields[field]]} dan {heading}.")
                fields[field] = at
    if missing := [HEADINGS[field][0] for field in REQUIRED if field not in fields]:
        raise UnusableFile(f"Baris pertama harus berisi nama kolom. Tidak ada kolom: {', '.join(missing)}.")
    return fields


def _batches(rows: list[tuple[int, dict[str, str]]]) -> Iterator[list[tuple[int, dict[str, str]]]]:
    for at in range(0, len(rows), BATCH):
        yield rows[at : at + BATCH]


def _fields(cells: dict[str, str], today: date) -> dict[str, str | date]:
    """A resident's fields from a line's cells. Raises _Wrong."""
    for field in REQUIRED:
        if not cells[field]:
            raise _Wrong(HEADINGS[field][0], "kosong")
    for field in ("nik", "family_number"):
        # A spreadsheet that took the number for an amount has destroyed its last digits.
        if re.fullmatch(r"[0-9.,]+E\+?[0-9]+", cells.get(field, ""), re.IGNORECASE):
            raise _Wrong(HEADINGS[field][0], "rusak oleh lembar kerja: jadikan kolomnya teks, lalu isi kembali")
    texts = {field: cells.get(field) or USUAL.get(field, "") for field in HEADINGS}
    sex = SEXES.get(texts["sex"].upper().replace("-", " ").strip(), texts["sex"].upper())
    if sex not in SEXES.values():
        raise _Wrong(HEADINGS["sex"][0], "harus L atau P")
    return {
        **texts,
        "nik": _digits(texts["nik"]),
        "family_number": _digits(texts["family_number"]),
        "sex": sex,
        "birth_date": _day(texts["birth_date"], today),
        "rt": _neighbourhood("rt", texts["rt"]),
        "rw": _neighbourhood("rw", texts["rw"]),
    }


def _digits(text: str) -> str:
    """Without the signs that spreadsheets and people put around a number to keep it a text."""
    return re.sub(r"[\s'’.-]", "", text)


def _neighbourhood(field: str, text: str) -> str:
    """«1» and «001» are the same; «-» and «000» are none."""
    digits = text.lstrip("'")
    if digits in ("", "-") or re.fullmatch("0+", digits):
        return ""
    if not re.fullmatch(r"[0-9]{1,3}", digits):
        raise _Wrong(field, "harus paling banyak 3 angka")
    return f"{int(digits):03}"


def _day(text: str, today: date) -> date:
    for form in DATE_FORMS:
        try:
            day = datetime.strptime(text, form).date()
        except ValueError:
            continue
        if not FIRST_YEAR <= day.year or day > today:
            raise _Wrong(HEADINGS["birth_date"][0], "tidak mungkin")
        return day
    raise _Wrong(HEADINGS["birth_date"][0], "bukan tanggal; tulislah seperti 31-12-1990")


def _doubt(fields: dict[str, str | date]) -> tuple[str, str]:
    """What is worth a look, though it is imported: papers do differ."""
    nik, born = str(fields["nik"]), fields["birth_date"]
    assert isinstance(born, date)
    day = born.day + (40 if fields["sex"] == "PEREMPUAN" else 0)
    if nik[6:12] != f"{day:02}{born:%m%y}":
        return HEADINGS["nik"][0], "tidak cocok dengan tanggal lahir atau jenis kelamin; periksalah"
    return "", ""
