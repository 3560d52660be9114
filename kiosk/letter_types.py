"""Letter types are data: one TOML file each, in `config/letters` or the village's own directory.

A file that is wrong is refused with its name, the line where it can be told, the key and the reason; the other
letters stay on offer. docs/letters.md tells how to write one.
"""

import string
from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum, StrEnum
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from config.icons import check_icon
from config.settings import Settings
from config.toml_file import TomlError, read_toml, refused
from config.translations import say
from kiosk.letter_fields import AnyField, DateField, Key, Table, Text, Words, need_indonesian, other_date
from kiosk.officers import Role

if TYPE_CHECKING:
    from kiosk.residents import Resident

#: The letter types that come with the product.
DIRECTORY = Path(str(files("config") / "letters"))

#: What a sentence of a letter may name besides the letter's own fields.
SENTENCE_NAMES = frozenset(
    {"name", "address", "village", "kecamatan", "kabupaten", "issued_on", "valid_until", "family_count"}
)
#: What a signature line may name.
SIGNATURE_NAMES = frozenset({"village"})
#: What a number format may name; `{number:03}` pads the running number.
NUMBER_NAMES = frozenset({"code", "number", "village_code", "month_roman", "year"})

Sentence = Annotated[str, Meta(min_length=1, max_length=1000)]


class Insert(Enum):
    """What may stand in the statement in place of a paragraph: a table."""

    ANSWERS = "{answers}"  # of the answers that no sentence names
    FAMILY = "{family}"  # of those on the resident's family card


_INSERTS = {insert.value: insert for insert in Insert}


class IdentityRow(StrEnum):
    """A row of the table that says who the resident is."""

    NAME = "name"
    NIK = "nik"
    FAMILY_NUMBER = "family_number"
    BIRTH = "birth"
    SEX = "sex"
    RELIGION = "religion"
    MARITAL_STATUS = "marital_status"
    EDUCATION = "education"
    OCCUPATION = "occupation"
    CITIZENSHIP = "citizenship"
    FAMILY_RELATION = "family_relation"
    ADDRESS = "address"


#: What a letter says of its resident where its type does not choose.
USUAL_IDENTITY = tuple(
    row for row in IdentityRow if row not in (IdentityRow.FAMILY_NUMBER, IdentityRow.FAMILY_RELATION)
)


class Requirement(Table, kw_only=True):
    """A paper to bring to the desk."""

    key: Key
    label: Words

    def __post_init__(self) -> None:
        need_indonesian(self.label, "label")


class Asker(Table, kw_only=True):
    """Who may ask for the letter at the kiosk. What the register does not say of a resident refuses nobody: an officer
    looks at every request."""

    family_head: bool = False
    marital_statuses: tuple[Text, ...] = ()  # as the register writes them
    youngest_years: Annotated[int, Meta(ge=0, le=100)] = 0

    def refusal(self, resident: "Resident", today: date, language: str) -> str:
        """Why this resident may not, in `language`; empty for one who may."""
        if self.family_head and resident.family_relation and not resident.is_family_head:
            return say(language, "letter_for_family_heads")
        status = resident.marital_status
        if self.marital_statuses and status and status not in self.marital_statuses:
            return say(language, "letter_for_status", status=" / ".join(self.marital_statuses).title())
        if resident.age_on(today) < self.youngest_years:
            return say(language, "letter_from_age", n=self.youngest_years)
        return ""


class LetterType(Table, kw_only=True):
    """`statement` is a list of paragraphs and of the names of `Insert`. A paragraph that names a field which was left
    empty, or the family's count where there is none, is left out."""

    key: Key
    name: Words
    title: Text
    icon: Key = "letter"
    position: Annotated[int, Meta(ge=1, le=1000)] = 1000  # among the letters on offer, from 1
    code: Text  # classification; villages map letters to codes differently
    number_format: Text = "{code}/{number:03}/{village_code}/{month_roman}/{year}"
    counter: Key | None = None  # letters of one counter are numbered together; without it, each type for itself
    validity_days: Annotated[int, Meta(ge=1, le=3650)]
    signers: Annotated[tuple[Role, ...], Meta(min_length=1)] = (Role.HEAD,)  # in order; the last signs the file
    signature_lines: tuple[Text, ...] = ("Kepala Desa {village},",)
    asker: Asker = Asker()
    identity: Annotated[tuple[IdentityRow, ...], Meta(min_length=1)] = USUAL_IDENTITY
    opening: Sentence
    statement: Annotated[tuple[Sentence, ...], Meta(min_length=1)]
    closing: Sentence
    family_rows: Annotated[int, Meta(ge=1, le=20)] = 7  # most that are listed by name
    fields: tuple[AnyField, ...] = msgspec.field(name="field", default=())
    requirements: tuple[Requirement, ...] = msgspec.field(name="requirement", default=())

    def __post_init__(self) -> None:
        check_icon(self.icon)
        need_indonesian(self.name, "name")
        self._check_fields()
        self._check_sentences()
        if len(set(self.signers)) != len(self.signers):
            raise ValueError("signers: one is named twice")
        if Role.OPERATOR in self.signers:
            raise ValueError("signers: an operator checks and does not sign")
        if len(set(self.identity)) != len(self.identity):
            raise ValueError("identity: one is named twice")
        _check_names("number_format", self.number_format, NUMBER_NAMES, format_specs={"", "03", "04"})
        if not {"number", "year"} <= set(_names(self.number_format)):
            raise ValueError("number_format: must hold {number} and {year}, or two letters could have one number")

    def _check_fields(self) -> None:
        keys = [field.key for field in self.fields]
        if len(set(keys)) != len(keys):
            raise ValueError("field: two fields have the same key")
        if taken := SENTENCE_NAMES.union(name.strip("{}") for name in _INSERTS).intersection(keys):
            raise ValueError(f"field: the key {min(taken)!r} already means something else in a sentence")
        dates: set[str] = set()
        for field in self.fields:
            if not isinstance(field, DateField):
                continue
            for limit in (field.not_before, field.not_after):
                if other_date(limit) and other_date(limit) not in dates:
                    raise ValueError(
                        f"field: {field.key!r} has the limit {limit!r}, which is no date that was asked before"
                    )
            dates.add(field.key)

    def _check_sentences(self) -> None:
        keys = {field.key for field in self.fields}
        known = SENTENCE_NAMES | keys
        for place, sentences, names in (
            ("opening", (self.opening,), known),
            ("statement", self._paragraphs, known),
            ("closing", (self.closing,), known),
            ("signature_lines", self.signature_lines, SIGNATURE_NAMES),
        ):
            for sentence in sentences:
                _check_names(place, sentence, names)
        if Insert.ANSWERS.value not in self.statement and (lost := keys - self._named):
            raise ValueError(f"statement: names {{{min(lost)}}} nowhere and has no paragraph {Insert.ANSWERS.value}")

    @property
    def _paragraphs(self) -> list[str]:
        return [text for text in self.statement if text not in _INSERTS]

    @property
    def _named(self) -> set[str]:
        """What any sentence names."""
        return {name for text in (self.opening, *self._paragraphs, self.closing) for name in _names(text)}

    @property
    def lists_family(self) -> bool:
        return Insert.FAMILY.value in self.statement or "family_count" in self._named

    def counter_name(self, year: int) -> str:
        """The counter that the letter's running number comes from; it begins anew each year."""
        return f"letter/{self.counter or self.key}/{year}"

    def number(self, number: int, village_code: str, month_roman: str, year: int) -> str:
        """The letter's number: «400.12.2.1/012/35.23.12.2002/XI/2026»."""
        return self.number_format.format(
            code=self.code, number=number, village_code=village_code, month_roman=month_roman, year=year
        )

    def sentences(self, values: Mapping[str, str]) -> tuple[str, tuple[str | Insert, ...], str]:
        """Opening, statement and closing with `values` filled in: SENTENCE_NAMES, and the answers as they were given.
        Of the statement, each paragraph or which table stands there."""
        filled = {**values, **{field.key: text for field, text in self._answers(values)}}
        empty = {name for name, value in filled.items() if not value}
        return (
            self.opening.format_map(filled),
            tuple(
                _INSERTS.get(text) or text.format_map(filled)
                for text in self.statement
                if text in _INSERTS or not empty.intersection(_names(text))
            ),
            self.closing.format_map(filled),
        )

    def table_of_answers(self, answers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """What is called how in the table of answers: those that were given and that no sentence names."""
        named = self._named
        return tuple(
            (field.called("id"), text) for field, text in self._answers(answers) if text and field.key not in named
        )

    def _answers(self, answers: Mapping[str, str]) -> list[tuple[AnyField, str]]:
        """Each field with its answer as the letter has it, or an empty text."""
        given = [(field, answers.get(field.key, "").strip()) for field in self.fields]
        return [(field, field.on_letter(answer) if answer else "") for field, answer in given]


def letters_directory(settings: Settings) -> Path:
    """Where a hall's letter types are: its own directory, or the one that comes with the product."""
    return Path(settings.letters_dir) if settings.letters_dir else DIRECTORY


def load_letter_types(directory: Path = DIRECTORY) -> tuple[dict[str, LetterType], list[TomlError]]:
    """Every letter type of the directory's `*.toml` by its key, in the order in which they are offered, and what is
    wrong with the others, or with the directory itself."""
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
                raise refused(file, "key", f"another file has the key {letter_type.key!r}")
            _refuse_same_numbers(file, letter_type, found.values())
            found[letter_type.key] = letter_type
        except TomlError as error:
            errors.append(error)
    return {key: found[key] for key in sorted(found, key=lambda key: (found[key].position, key))}, errors


def _refuse_same_numbers(file: Path, letter_type: LetterType, others: Iterable[LetterType]) -> None:
    """Two counters that count into the same numbers would give one number to two letters."""
    for other in others:
        one, two = (kind.number(99_999, "00.00.00.0000", "I", 2000) for kind in (letter_type, other))
        if one == two and letter_type.counter_name(2000) != other.counter_name(2000):
            raise refused(
                file,
                "code",
                f"its numbers would be those of {other.key!r} too: give it another code or number_format, or both "
                "the same counter",
            )


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
