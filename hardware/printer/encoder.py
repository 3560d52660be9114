"""A page as the bytes of ESC/POS, in pieces that a printer can acknowledge one by one.

The page is rastered with GS v 0 in strips of about 100 rows. Blank stretches are rasters one byte wide: they cost a
byte a row and are exact in dots on every model, where ESC J counts in a unit that differs between models (1/203,
1/360, 1/406 inch) and that the cheapest cannot be told (no GS P).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

INITIALISE = b"\x1b@"
#: GS a: send four status bytes at every change of on line (2), error (4) or paper (8). ESC @ forgets it.
AUTOMATIC_STATUS_ON = b"\x1da\x0e"
#: GS r 1: answer once everything before it has been processed.
ASK_IN_ORDER = b"\x1dr\x01"
#: GS V 66 0: feed to the cutter and cut.
CUT = b"\x1dVB\x00"

#: Above 255 rows firmware corrupts in the field, and at powers of two a TM-T20II stalls.
STRIP_ROWS = 100
#: A blank stretch of fewer rows costs less as part of the strip than as a command of its own.
BLANK_ROWS = 24
#: What a printer without a cutter is fed so that the paper can be torn off below the print.
TEAR_OFF_MM = 15

#: Printed, and cut off where possible, where an earlier job was cut short. Fits 32 columns, the narrowest paper.
VOID_MARK = "*** BATAL - TIDAK BERLAKU ***"


@dataclass(frozen=True)
class Strip:
    """Bytes that end between two commands, and the rows of paper that they move."""

    data: bytes
    rows: int


def real_time_request(n: int) -> bytes:
    """DLE EOT n: asked beside the data; 1 printer, 2 cause of being off line, 3 cause of an error, 4 paper."""
    return bytes((0x10, 0x04, n))


def process_id_mark(process_id: bytes) -> bytes:
    """GS ( H function 48: answer with these four printable bytes when the printing before them is complete."""
    return b"\x1d(H\x06\x00\x30\x30" + process_id


def strips(image: Image.Image, width_dots: int) -> list[Strip]:
    """A 1-bit page as strips, from its top to its last row.

    Raises ValueError for an image that is not mode "1", is empty, or is wider than the printer.
    """
    if image.mode != "1":
        raise ValueError(f"a page is a 1-bit image, not mode {image.mode!r}")
    if not 0 < image.width <= width_dots or not image.height:
        raise ValueError(f"a page of {image.width}×{image.height} dots does not fit a printer of {width_dots} dots")
    row_bytes = (image.width + 7) // 8
    raster = image.tobytes("raw", "1;I")
    pieces = []
    for begin, end, blank in _stretches(raster, row_bytes):
        for rows in _strip_heights(end - begin):
            data = bytes(rows) if blank else raster[begin * row_bytes : (begin + rows) * row_bytes]
            pieces.append(Strip(_raster_command(data, 1 if blank else row_bytes, rows), rows))
            begin += rows
    return pieces


def longest_strip_bytes(width_dots: int) -> int:
    """The most bytes one strip can have: so many NULs fill any raster that a printer is still waiting for."""
    return len(_raster_command(b"", 1, 1)) + (width_dots + 7) // 8 * STRIP_ROWS


def end_of_page(has_cutter: bool, dots_per_mm: float) -> Strip:
    """Cut, or feed far enough to tear off."""
    if has_cutter:
        return Strip(CUT, 0)
    rows = round(TEAR_OFF_MM * dots_per_mm)
    return Strip(b"".join(_raster_command(bytes(height), 1, height) for height in _strip_heights(rows)), rows)


@cache
def void_mark(escpos_profile: str) -> bytes:
    """One line of text that voids the paper it stands on. Text, since it must come out of a printer whose state is
    unknown, and small."""
    from escpos.printer import Dummy  # 0.2 s, and needed only after something went wrong

    printer = Dummy(profile=escpos_profile)
    printer.set(align="center", bold=True, double_height=True)
    printer.text("\n" + printable(VOID_MARK) + "\n\n")
    return printer.output


def printable(text: str) -> str:
    """Text without control characters, in which a printer would read commands."""
    return "".join(character for character in text if character == "\n" or character.isprintable())


def _raster_command(data: bytes, row_bytes: int, rows: int) -> bytes:
    header = b"\x1dv0\x00" + row_bytes.to_bytes(2, "little") + rows.to_bytes(2, "little")
    return header + _without_real_time_commands(data)


#: DLE EOT, DLE ENQ and DLE DC4 with an argument that some model knows.
_IMITATION = re.compile(rb"\x10([\x04\x05\x14])([\x00-\x08\x12])")


def _without_real_time_commands(raster: bytes) -> bytes:
    """Flip one pixel wherever a raster would look like a real-time command: printers look for those in every byte
    that arrives, and some would answer, clear their buffer or open the drawer."""
    return _IMITATION.sub(lambda found: bytes((0x10, found[1][0] ^ 0x02, found[2][0])), raster)


def _stretches(raster: bytes, row_bytes: int) -> list[tuple[int, int, bool]]:
    """The page as (first row, row after the last, blank), where short blank stretches count as printed."""
    blank_row = bytes(row_bytes)
    rows = [raster[at : at + row_bytes] == blank_row for at in range(0, len(raster), row_bytes)]
    stretches: list[tuple[int, int, bool]] = []
    end = 0
    for blank, group in groupby(rows):
        begin, end = end, end + sum(1 for _ in group)
        blank = blank and end - begin >= BLANK_ROWS
        if stretches and not blank and not stretches[-1][2]:
            begin = stretches.pop()[0]
        stretches.append((begin, end, blank))
    return _widened(stretches)


def _widened(stretches: list[tuple[int, int, bool]]) -> list[tuple[int, int, bool]]:
    """Give a printed stretch of 1, 2 or 4 rows five rows of its blank neighbour, so that no strip is a power of two."""
    for at, (begin, end, blank) in enumerate(stretches):
        if blank or end - begin not in (1, 2, 4):
            continue
        if at + 1 < len(stretches):
            stretches[at], stretches[at + 1] = (begin, end + 5, False), (end + 5, stretches[at + 1][1], True)
        elif at:
            stretches[at - 1], stretches[at] = (stretches[at - 1][0], begin - 5, True), (begin - 5, end, False)
    return stretches


def _strip_heights(rows: int) -> list[int]:
    """Cut a stretch into strips of at most STRIP_ROWS, none of them a power of two (but for a whole
    page of 1, 2 or 4 rows)."""
    heights = [STRIP_ROWS] * (rows // STRIP_ROWS)
    rest = rows % STRIP_ROWS
    if rest and rest & (rest - 1) == 0:
        if heights:
            return [*heights[:-1], STRIP_ROWS - 5, rest + 5]
        if rest >= 8:
            return [rest - 5, 5]
    return [*heights, rest] if rest else heights
