"""Letter types are data: one TOML file each, in `config/letters` or the village's own directory.

A file that is wrong is refused with its name, the line where it can be told, the key and the reason; the other
letters stay on offer. CONTRIBUTING tells how to write one.
"""

import string
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from config.icons import check_icon
from config.settings import Settings
from config.toml_file import TomlError, read_toml
from kiosk.officers import Role

#: The letter types that come with the product.
DIRECTORY = Path(str(files("config") / "letters"))

#: What a sentence of a letter may name besides the letter's own fields.
SENTENCE_NAMES = frozenset({"name", "address", "village", "kecamatan", "kabupaten", "issued_on", "valid_until"})
#: What a signature line may name.
SIGNATURE_NAMES = frozenset({"village"})
#: What a number format may name; `{number:03}` pads the running number.
NUMBER_NAMES = frozenset({"code", "number", "village_code", "month_roman", "year"})

Text = Annotated[str, Meta(min_length=1, max_length=100)]
Sentence = Annotated[str, Meta(min_length=1, max_length=1000)]
Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
Words = dict[Annotated[str, Meta(pattern=r"^(id|jv|en)\Z")], Text]  # language → text; "id" is always there


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every table of the file is."""


class Field(Table, kw_only=True):
    """One question to the resident. Suggestions are ready answers in Indonesian, as they will stand on the letter;
    `short` is what the answer is called where the question is too long."""

    key: Key
    label: Words
    short: Words = {}
    required: bool = False
    shortest: Annotated[int, Meta(ge=1)] = 3
    longest: Annotated[int, Meta(le=300)] = 100
    suggestions: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        _need_indonesian(self.label, "label")
        if self.short:
            _need_indonesian(self.short, "short")
        if self.shortest > self.longest:
            raise ValueError("shortest is above longest")
        for suggestion in self.suggestions:
            if not self.shortest <= len(suggestion) <= self.longest:
                raise ValueError(f"the suggestion {suggestion!r} is shorter or longer than an answer may be")


class Requirement(Table, kw_only=True):
    """A paper to bring to the desk."""

    key: Key
    label: Words

    def __post_init__(self) -> None:
        _need_indonesian(self.label, "label")


class LetterType(Table, kw_only=True):
    """`statement` is a list of paragraphs; one that names a field which was left empty is left out."""

    key: Key
    name: Words
    title: Text
    icon: Key = "letter"
    code: Text  # classification; villages map letters to codes differently
    number_format: Text = "{code}/{number:03}/{village_code}/{month_roman}/{year}"
    validity_days: Annotated[int, Meta(ge=1, le=3650)]
    signers: Annotated[tuple[Role, ...], Meta(min_length=1)] = (Role.HEAD,)  # in order; the last signs the file
    signature_lines: tuple[Text, ...] = ("Kepala Desa {village},",)
    opening: Sentence
    statement: Annotated[tuple[Sentence, ...], Meta(min_length=1)]
    closing: Sentence
    fields: tuple[Field, ...] = msgspec.field(name="field", default=())
    requirements: tuple[Requirement, ...] = msgspec.field(name="requirement", default=())

    def __post_init__(self) -> None:
        check_icon(self.icon)
        _need_indonesian(self.name, "name")
        keys = [field.key for field in self.fields]
        if len(set(keys)) != len(keys):
            raise ValueError("field: two fields have the same key")
        if taken := SENTENCE_NAMES.intersection(keys):
            raise ValueError(f"field: the key {min(taken)!r} already means something else in a sentence")
        known = SENTENCE_NAMES.union(keys)
        for place, sentences, names in (
            ("opening", (self.opening,), known),
            ("statement", self.statement, known),
            ("closing", (self.closing,), known),
            ("signature_lines", self.signature_lines, SIGNATURE_NAMES),
        ):
            for sentence in sentences:
                _check_names(place, sentence, names)
        if len(set(self.signers)) != len(self.signers):
            raise ValueError("signers: one is named twice")
        if Role.OPERATOR in self.signers:
            raise ValueError("signers: an operator checks and does not sign")
        _check_names("number_format", self.number_format, NUMBER_NAMES, format_specs={"", "03", "04"})
        if not {"number", "year"} <= set(_names(self.number_format)):
            raise ValueError("number_format: must hold {number} and {year}, or two letters could have one number")

    def number(self, number: int, village_code: str, month_roman: str, year: int) -> str:
        """The letter's number: «400.12.2.1/012/35.23.12.2002/XI/2026»."""
        return self.number_format.format(
            code=self.code, number=number, village_code=village_code, month_roman=month_roman, year=year
        )

    def sentences(self, values: Mapping[str, str]) -> tuple[str, tuple[str, ...], str]:
        """Opening, statement paragraphs and closing with `values` filled in: SENTENCE_NAMES and the answers."""
        answers = {field.key: values.get(field.key, "").strip() for field in self.fields}
        empty = {key for key, answer in answers.items() if not answer}
        filled = {**values, **answers}
        return (
            self.opening.format_map(filled),
            tuple(text.format_map(filled) for text in self.statement if not empty.intersection(_names(text))),
            self.closing.format_map(filled),
        )


def letters_directory(settings: Settings) -> Path:
    """Where a hall's letter types are: its own directory, or the one that comes with the product."""
    return Path(settings.letters_dir) if settings.letters_dir else DIRECTORY


def load_letter_types(directory: Path = DIRECTORY) -> tuple[dict[str, LetterType], list[TomlError]]:
    """Every letter type of the directory's `*.toml` by its key, in the order of the file names, and what is wrong
    with the others, or with the directory itself."""
    found: dict[str, LetterType] = {}
    errors: list[TomlError] = []
    try:
        files_found = sorted(path for path in directory.iterdir() if path.suffix == ".toml")
    except OSError as error:
        return {}, [TomlError(directory, f"cannot be read: {error.strerror}")]
    for file in files_found:
        try:
            letter_type = read_toml(file, LetterType)
            if letter_type.key in found:
                raise TomlError(file, f"another file has the key {letter_type.key!r}", "key")
            found[letter_type.key] = letter_type
        except TomlError as error:
            errors.append(error)
    return found, errors


def _need_indonesian(words: Words, key: str) -> None:
    if "id" not in words:
        raise ValueError(f"{key}: needs an Indonesian text ('id')")


def _names(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def _check_names(key: str, template: str, known: Iterable[str], format_specs: Iterable[str] = ("",)) -> None:
    """Only plain known names in braces: no attribute, index or conversion that would reach into the program."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{key}: braces do not match: {error}") from error
    for _, name, format_spec, conversion in parts:
        if name is None:
            continue
        if name not in known:
            raise ValueError(f"{key}: unknown name {{{name}}}; there are: {', '.join(sorted(known))}")
        if conversion or format_spec not in format_specs:
            raise ValueError(f"{key}: {{{name}}} takes no conversion or format")
