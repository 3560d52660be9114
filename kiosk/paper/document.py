"""One model for all paper: a document is a column of blocks, and says nothing of dots, fonts or page sizes.

The thermal roll (`thermal.render`) and the signed PDF render the same document. Every text passes `clean` when its
block is built, so nothing that a person typed or a register delivered reaches a printer with control characters in
it. A block may hold personal data: its repr shows none.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from kiosk.paper.text import clean


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


class Size(StrEnum):
    SMALL = "small"
    BODY = "body"
    LARGE = "large"


@dataclass(frozen=True, repr=False)
class Block:
    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _cleaned(getattr(self, field.name)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


def _cleaned(value: Any) -> Any:
    if type(value) is str:
        return clean(value)
    return tuple(map(_cleaned, value)) if isinstance(value, tuple) else value


@dataclass(frozen=True, repr=False)
class Letterhead(Block):
    """The kop: a logo at the left where there is one, the authorities from high to low, the village largest, its
    address, a double rule."""

    authorities: tuple[str, ...]
    village: str
    address: str
    logo: Path | None = None


@dataclass(frozen=True, repr=False)
class Title(Block):
    """Bold, centred and underlined; the number line («Nomor : …») stands under it."""

    text: str
    number: str = ""


@dataclass(frozen=True, repr=False)
class Paragraph(Block):
    text: str
    align: Align = Align.LEFT
    bold: bool = False
    size: Size = Size.BODY


@dataclass(frozen=True, repr=False)
class IdentityTable(Block):
    """Rows «label : value», numbered from 1 where `numbered`."""

    rows: tuple[tuple[str, str], ...]
    numbered: bool = False


@dataclass(frozen=True, repr=False)
class Table(Block):
    """Rows under bold headings, numbered from 1. Every row has a cell for each heading; the first says whom or what the
    row is about."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, repr=False)
class Signature(Block):
    """The block at the right: place and date, the role's lines, the QR or room for a pen, the name, the NIP. `note`
    is small print under the QR."""

    place_and_date: str
    role: tuple[str, ...]
    name: str
    nip: str = ""
    qr_payload: str = ""
    note: str = ""


@dataclass(frozen=True, repr=False)
class QrCode(Block):
    payload: str
    caption: str = ""


@dataclass(frozen=True, repr=False)
class BigNumber(Block):
    """As large as the paper lets it be, on one line."""

    text: str


@dataclass(frozen=True, repr=False)
class Items(Block):
    """A list with an empty box before each, to tick."""

    texts: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Rule(Block):
    pass


@dataclass(frozen=True, repr=False)
class Space(Block):
    height_mm: float = 2.0


@dataclass(frozen=True, repr=False)
class Mark(Block):
    """A short word in a frame that nobody can miss: «CETAKAN KE-2»."""

    text: str


@dataclass(frozen=True, repr=False)
class Footer(Block):
    """Small print under a thin rule."""

    lines: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Document:
    blocks: tuple[Block, ...]

    def __repr__(self) -> str:
        return f"Document({len(self.blocks)} blocks)"


def to_json(document: Document) -> str:
    """The document as it is kept with a letter's file, so that a copy says what was signed whatever the register says
    by then."""
    named = [(type(block).__name__, block) for block in document.blocks]
    return msgspec.json.encode(named, enc_hook=str).decode()


def from_json(text: str) -> Document:
    """The inverse of `to_json`. Raises KeyError or msgspec.ValidationError for what it did not make."""
    kinds = {kind.__name__: kind for kind in Block.__subclasses__()}
    named = msgspec.json.decode(text, type=list[tuple[str, dict[str, Any]]])
    blocks = (msgspec.convert(values, kinds[name], dec_hook=lambda kind, value: kind(value)) for name, values in named)
    return Document(tuple(blocks))
