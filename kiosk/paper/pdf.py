"""Sets a document on office paper: a tagged PDF/A-2u file (ISO 19005-2), with its typeface in it and text that can be
searched and copied. `pdf.typ` says how it looks; this module hands it over as data, never as markup. Same input, same
bytes: no clock, no system font and no file but the logo's is looked at.

Typst runs in a process of its own for each letter (`typesetter.py`): within ours it keeps the last dozen letters, and
120 MB, for as long as we live.
"""

import io
import json
import subprocess
import sys
from dataclasses import fields
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image

from config.fonts import FONTS_DIR, LETTER_TYPEFACE
from config.settings import Paper
from kiosk.paper.document import (
    BigNumber,
    Block,
    Document,
    Footer,
    IdentityTable,
    Items,
    Letterhead,
    Mark,
    Paragraph,
    QrCode,
    Rule,
    Signature,
    Space,
    Table,
    Title,
)
from kiosk.paper.qr import QUIET_MODULES, qr_matrix
from kiosk.paper.text import printable

SIZES_MM = {Paper.F4: (215, 330), Paper.A4: (210, 297)}
STANDARD = "a-2u"
#: Pixels of a logo's longer side: 25 mm at 240 dpi.
LOGO_PX = 240
#: A letter takes 0.1 s on a server, and perhaps 1 s on a small computer.
DEADLINE_S = 30.0
_TYPESETTER = str(files(__package__) / "typesetter.py")
_TEMPLATE = str(files(__package__) / "pdf.typ")


class PdfError(Exception):
    """The typesetter failed. Its text holds nothing of the letter."""


def render_pdf(document: Document, paper: Paper, *, title: str, language: str = "id", created_at: datetime) -> bytes:
    """The document as the bytes of a PDF of that paper, on one page where 10 pt let it be.

    title: what the file says it is, for whoever lists it: a letter's type and number, no personal data.
    language: of the document's text; read aloud by it.
    created_at: aware of its time zone; the only time in the file.

    Blocks for a tenth of a second, so it belongs on a worker. Raises PdfError, UnprintableTextError, ValueError for a
    naive time or a payload larger than a QR code, OSError for a logo that cannot be read, and TypeError for a block
    that it does not know.
    """
    if created_at.tzinfo is None:
        raise ValueError("created_at has no time zone")
    width_mm, height_mm = SIZES_MM[paper]
    job = {
        "title": title,
        "language": language,
        "typeface": LETTER_TYPEFACE,
        "width_mm": width_mm,
        "height_mm": height_mm,
        "blocks": [_described(block) for block in document.blocks],
    }
    return _typeset(job, int(created_at.timestamp()))


def _typeset(job: dict[str, Any], created_at_s: int) -> bytes:
    command = [sys.executable, "-I", _TYPESETTER, _TEMPLATE, FONTS_DIR, STANDARD, str(created_at_s)]
    try:
        done = subprocess.run(command, input=json.dumps(job).encode(), capture_output=True, timeout=DEADLINE_S)
    except subprocess.TimeoutExpired as error:
        raise PdfError(f"a letter was not set within {DEADLINE_S:g} s") from error
    if done.returncode:
        raise PdfError(f"a letter was not set: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _described(block: Block) -> dict[str, Any]:
    """The block as the template reads it: its fields, with pictures in place of paths and payloads."""
    values = {field.name: getattr(block, field.name) for field in fields(block)}
    match block:
        case Letterhead():
            values["logo"] = list(_logo(block.logo)) if block.logo else None
        case Signature():
            values["qr"] = _qr(values.pop("qr_payload")) if block.qr_payload else None
        case QrCode():
            values["qr"] = _qr(values.pop("payload"))
        case Title() | Paragraph() | IdentityTable() | Table() | Items() | BigNumber() | Mark():
            pass
        case Rule() | Space() | Footer():
            pass
        case _:
            raise TypeError(f"no way to print a {type(block).__name__}")
    return {"kind": type(block).__name__, **{name: _checked(value) for name, value in values.items()}}


def _checked(value: Any) -> Any:
    match value:
        case str():
            return printable(value)
        case tuple():
            return [_checked(part) for part in value]
    return value


def _qr(payload: str) -> dict[str, Any]:
    """The code as one filled path, a unit to the module, a bar to each run of black: within one path there are no
    hairlines between neighbours."""
    matrix = qr_matrix(payload)
    bars = []
    for y, row in enumerate(matrix):
        x = 0
        for black, run in groupby(row):
            width = len(list(run))
            if black:
                bars.append(f"M{x} {y}h{width}v1h-{width}z")
            x += width
    side = len(matrix)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path d="{"".join(bars)}"/></svg>'
    return {"modules": side, "quiet": QUIET_MODULES, "svg": svg}


@cache
def _logo(path: Path) -> bytes:
    """A logo on white, no larger than it is printed: a village's PNG may have thousands of pixels to a side."""
    with Image.open(path) as logo:
        logo = logo.convert("RGBA")
    paper = Image.new("RGBA", logo.size, "white")
    paper.alpha_composite(logo)
    paper.thumbnail((LOGO_PX, LOGO_PX))
    jpeg = io.BytesIO()
    paper.convert("RGB").save(jpeg, "JPEG", quality=85)
    return jpeg.getvalue()
