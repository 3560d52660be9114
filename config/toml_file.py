"""Reads a TOML file into a checked table, and says of a wrong one: file, line, key, reason."""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

Table = TypeVar("Table")


class TomlError(Exception):
    """Why a file cannot be used; its str is for the technician: «usaha.toml:12: field[0].label: …»."""

    def __init__(self, file: Path, reason: str, key: str = "", line: int | None = None) -> None:
        super().__init__(f"{file}{f':{line}' if line else ''}: {f'{key}: ' if key else ''}{reason}")
        self.file, self.reason, self.key, self.line = file, reason, key, line


def read_toml(file: Path, table: type[Table]) -> Table:
    """The file as a `table`, a `msgspec.Struct`. Raises TomlError."""
    try:
        text = file.read_text("utf-8")
        return msgspec.convert(tomllib.loads(text), table)
    except OSError as error:
        raise TomlError(file, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TomlError(file, "cannot be read: is not UTF-8") from error
    except RecursionError as error:
        raise TomlError(file, "is not TOML that anybody wrote: it is nested too deeply") from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise TomlError(file, f"is not TOML: {error}", line=int(line[1]) if line else None) from error
    except msgspec.ValidationError as error:
        raise explained(file, text, error) from error


def convert(file: Path, table: type[Table], values: dict[str, Any], under: str) -> Table:
    """Part of a file that was read before, checked as a `table`; it stands in the file under that key. Raises
    TomlError."""
    try:
        return msgspec.convert(values, table)
    except msgspec.ValidationError as error:
        raise explained(file, file.read_text("utf-8"), error, under) from error


def refused(file: Path, key: str, reason: str) -> TomlError:
    """Why a file is refused that is well-formed by itself, with the line of that key."""
    return TomlError(file, reason, key, _line_of(file.read_text("utf-8"), key))


def explained(file: Path, text: str, error: msgspec.ValidationError, under: str = "") -> TomlError:
    """The parts of msgspec's «reason - at `$.field[0].label`», or of our own «key: reason»."""
    reason, _, where = str(error).partition(" - at ")
    found = re.search(r"`\$\.?([^`]*)`", where)
    keys = [under, found[1] if found else ""]
    if unknown := re.search(r"unknown field `([^`]+)`", reason):
        keys.append(unknown[1])
        reason = "no such key"
    elif own := re.match(r"([a-z_]+): (.*)", reason, re.DOTALL):
        keys.append(own[1])
        reason = own[2]
    key = ".".join(filter(None, keys))
    return TomlError(file, reason, key, _line_of(text, key))


def _line_of(text: str, key: str) -> int | None:
    """The line that sets `key` («field[1].label.id»), or the nearest table above it, where the file is laid out in
    the usual way."""
    wanted = re.findall(r"\w+", key)  # field 1 label id
    table: list[str] = []
    counts: dict[str, int] = {}  # array of tables → position of its newest
    nearest = None
    for number, line in enumerate(text.splitlines(), 1):
        if array := re.match(r"\s*\[\[\s*([\w.]+)\s*\]\]", line):
            counts[array[1]] = counts.get(array[1], -1) + 1
            for inner in [name for name in counts if name.startswith(f"{array[1]}.")]:
                del counts[inner]  # a new table's own arrays begin anew
            here = table = _place(array[1], counts)
        elif header := re.match(r"\s*\[\s*([\w.]+)\s*\]", line):
            here = table = _place(header[1], counts)
        elif setting := re.match(r"\s*([\w.]+)\s*=", line):
            here = [*table, *setting[1].split(".")]
        else:
            continue
        if here == wanted[: len(here)]:
            nearest = number
    return nearest


def _place(header: str, counts: dict[str, int]) -> list[str]:
    """«field.label» as field 1 label, where «field» is an array of tables."""
    parts = header.split(".")
    place = []
    for end, part in enumerate(parts, 1):
        place.append(part)
        position = counts.get(".".join(parts[:end]))
        if position is not None:
            place.append(str(position))
    return place
