"""Residents from a CSV file, such as a spreadsheet or OpenSID's export saves it, with a report line by line.

A line that cannot be used is told with its column and reason, and the others are imported all the same. Importing the
same file again changes nothing. An empty cell empties what the register says there; a column that the file does not
have leaves it alone.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice

from kiosk.register_fields import REQUIRED, UNTOLD, WrongFields, doubt, read_fields
from kiosk.residents import Residents

#: Most of a file: more residents than any village has.
MOST_BYTES = 32 * 1024 * 1024
MOST_LINES = 100_000
MOST_COLUMNS = 200
LONGEST_LINE = 128 * 1024
#: Lines that are written in one transaction: the kiosk writes in between.
BATCH = 200
#: A file whose every line is wrong needs another file, not a longer report.
MOST_TOLD = 500

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


class Report:
    """How many lines came out how; of those with something to look at the first MOST_TOLD, and how many `more`."""

    def __init__(self) -> None:
        self.counts: Counter[Outcome] = Counter()
        self.told: list[Line] = []
        self.more = 0

    def add(self, line: Line) -> None:
        self.counts[line.outcome] += 1
        if line.reason and len(self.told) < MOST_TOLD:
            self.told.append(line)
        elif line.reason:
            self.more += 1


def import_residents(
    data: bytes,
    residents: Residents,
    today: date,
    tell: Callable[[Line], None],
    *,
    dry: bool = False,
    officer: str | None = None,
) -> None:
    """Add and change the residents of a file, and tell what became of each line; with `dry` only tell. `officer` is
    the username of the one at the desk. Raises UnusableFile, before anything is written or told, and StoreError: what
    was written before that stays, and the same file may be imported again."""
    for _ in _rows(data):
        pass  # all of it can be read
    rows = _rows(data)
    while batch := list(islice(rows, BATCH)):
        for line in _import_batch(batch, residents, today, dry, officer):
            tell(line)


def _import_batch(
    rows: Sequence[tuple[int, dict[str, str]]], residents: Residents, today: date, dry: bool, officer: str | None
) -> list[Line]:
    """One batch: what is right of it is written in one transaction."""
    lines: list[Line] = []
    right: list[tuple[int, dict[str, str | date]]] = []
    for number, cells in rows:
        try:
            right.append((number, read_fields(cells, today)))
        except WrongFields as wrong:
            field, reason = next(iter(wrong.reasons.items()))
            lines.append(Line(number, Outcome.REFUSED, HEADINGS[field][0], reason))
    outcomes = residents.put_all([fields for _, fields in right], UNTOLD, dry=dry, officer=officer) if right else []
    for (number, fields), outcome in zip(right, outcomes, strict=True):
        if isinstance(outcome, ValueError):
            raise outcome  # the register refuses nothing that `read_fields` finds right
        doubtful = doubt(fields)
        lines.append(Line(number, Outcome(outcome), HEADINGS["nik"][0] if doubtful else "", doubtful))
    return sorted(lines, key=lambda line: line.number)


def _rows(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by field, of every line that is not empty. Raises UnusableFile."""
    if len(data) > MOST_BYTES:
        raise UnusableFile(f"Berkas lebih besar dari {MOST_BYTES // 1024 // 1024} MiB.")
    text = io.TextIOWrapper(io.BytesIO(data), _encoding(data), newline="")
    reader = csv.reader(_bounded(text), dialect=_dialect(data), strict=True)
    try:
        headings = next(reader, [])
        fields = _fields_by_column(headings)
        before = reader.line_num
        for cells in reader:
            if any(cell.strip() for cell in cells):
                named = {field: cells[at].strip() if at < len(cells) else "" for field, at in fields.items()}
                yield before + 1, named
            before = reader.line_num
    except csv.Error as error:
        raise UnusableFile(f"Baris {reader.line_num}: bukan CSV ({error}).") from error


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if number > MOST_LINES:
            raise UnusableFile(f"Berkas berisi lebih dari {MOST_LINES} baris.")
        if len(line) > LONGEST_LINE:
            raise UnusableFile(f"Baris {number}: terlalu panjang.")
        yield line


def _encoding(data: bytes) -> str:
    """UTF-8 with or without its mark, or what Windows saves as «ANSI»."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if b"\0" in data:
            break
        return encoding
    raise UnusableFile("Bukan berkas teks. Simpan lembar kerja sebagai CSV.")


def _dialect(data: bytes) -> type[csv.Dialect]:
    """Excel separates by semicolons where the decimal sign is a comma, as in Indonesia."""
    first, _, _ = data.partition(b"\n")

    class Found(csv.excel):
        delimiter = max(";,\t", key=lambda separator: first.count(separator.encode()))

    return Found


def _fields_by_column(headings: list[str]) -> dict[str, int]:
    """Field → column. Raises UnusableFile where a required one is missing or one is there twice."""
    if len(headings) > MOST_COLUMNS:
        raise UnusableFile(f"Berkas berisi lebih dari {MOST_COLUMNS} kolom.")
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
