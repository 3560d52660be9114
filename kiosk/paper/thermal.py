"""Draws a document on a roll: 384, 576 or 832 dots wide (58, 80 and 112 mm paper), as long as it needs to be.

Text is put together from glyphs in the rasteriser's own 1-bit mode (hinted, never dithered: a dithered grey edge
prints ragged), each rasterised once for a process: a letter has 900 characters and 70 glyphs. This module brings in
Pillow and the QR library, so whoever prints first imports it, not the start-up.
"""

import re
from collections.abc import Callable
from functools import cache, singledispatch
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from config.fonts import font_path
from kiosk.paper.document import (
    Align,
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
    Size,
    Space,
    Table,
    Title,
)
from kiosk.paper.qr import QUIET_MODULES, qr_matrix

BLACK, WHITE = 0, 1

# Font sizes (em) and distances in mm, so a 300 dpi head prints the same paper.
EM_MM = {Size.SMALL: 2.6, Size.BODY: 3.1, Size.LARGE: 4.0}
NIK_DIGITS = 16
NARROW_MM = 60.0  # below it, body text shrinks so that a NIK stays on one line beside its label
NARROW_BODY_EM_MM = 2.6
BIG_NUMBER_EM_MM = 20.0
LINE_HEIGHT = 1.22  # × em
MARGIN_MM = 1.0
GAP_MM = 1.6  # under each block
LOGO_MM = 14.0
PEN_ROOM_MM = 15.0

# Widths of one QR module: 6, 5 or 4 dots at 203 dpi, the largest that stays within QR_LARGEST_MM and the column.
MODULE_MM = (0.75, 0.625, 0.5)
QR_LARGEST_MM = 42.0


def render(document: Document, width_dots: int, dots_per_mm: float) -> Image.Image:
    """The document as an image of mode "1" (0 is black), exactly `width_dots` wide and as high as it needs.

    Raises ValueError for a QR payload that the width cannot hold at 4 dots of 203 dpi per module.
    """
    sheet = _Sheet(width_dots, dots_per_mm)
    for block in document.blocks:
        _lay(block, sheet)
    return sheet.image()


class Typeface:
    """One weight at one size. Lengths in dots, without kerning, as it is drawn."""

    def __init__(self, weight: str, em_dots: int) -> None:
        self.size = em_dots
        self._font = ImageFont.truetype(font_path(weight), em_dots, layout_engine=ImageFont.Layout.BASIC)
        self._glyphs: dict[str, tuple[int, Image.Image | None, int, int]] = {}

    def length(self, text: str) -> int:
        return sum(self._glyph(char)[0] for char in text)

    def write(self, image: Image.Image, x: int, baseline: int, text: str) -> None:
        for char in text:
            advance, shape, right, down = self._glyph(char)
            if shape:
                image.paste(BLACK, (x + right, baseline + down), shape)
            x += advance

    def _glyph(self, char: str) -> tuple[int, Image.Image | None, int, int]:
        """How far it moves the pen, its shape (none for a space), and where that stands from pen and baseline."""
        if char not in self._glyphs:
            left, top, right, bottom = map(round, self._font.getbbox(char, mode="1", anchor="ls"))
            shape = None
            if right > left and bottom > top:
                shape = Image.new("1", (right - left, bottom - top))
                ImageDraw.Draw(shape).text((-left, -top), char, fill=1, font=self._font, anchor="ls")
            self._glyphs[char] = (round(self._font.getlength(char, mode="1")), shape, left, top)
        return self._glyphs[char]


@cache
def typeface(weight: str, em_dots: int) -> Typeface:
    return Typeface(weight, em_dots)


class _Sheet:
    """Collects strokes while `y` moves down; the image is made when its height is known. All in dots."""

    def __init__(self, width: int, dots_per_mm: float) -> None:
        self.dots_per_mm = dots_per_mm
        self.width = width
        self.left = self.dots(MARGIN_MM)
        self.right = width - self.left
        self.y = self.dots(MARGIN_MM)
        self._em_mm = EM_MM
        if width < NARROW_MM * dots_per_mm:
            self._em_mm = {**EM_MM, Size.BODY: NARROW_BODY_EM_MM}
        self._strokes: list[Callable[[Image.Image, ImageDraw.ImageDraw], None]] = []

    def dots(self, mm: float) -> int:
        return max(1, round(mm * self.dots_per_mm))

    def font(self, size: Size = Size.BODY, bold: bool = False) -> Typeface:
        return typeface("bold" if bold else "regular", self.dots(self._em_mm[size]))

    def gap(self, mm: float = GAP_MM) -> None:
        self.y += self.dots(mm)

    def text(
        self,
        text: str,
        font: Typeface,
        *,
        align: Align = Align.LEFT,
        left: int | None = None,
        right: int | None = None,
        underline: bool = False,
    ) -> None:
        """Wrapped text between `left` and `right` from `y` down."""
        left, right = self.left if left is None else left, self.right if right is None else right
        lines = (wrap_evenly if align is Align.CENTRE else wrap)(text, font, right - left)
        for line, length in lines:
            spare = right - left - length
            x = left + {Align.LEFT: 0, Align.CENTRE: spare // 2, Align.RIGHT: spare}[align]
            self._write(x, self.y, line, font)
            self.y += round(font.size * LINE_HEIGHT)
            if underline:
                under = self.y - round(font.size * 0.12)
                self.box(x, under, x + length, under + self.dots(0.25))
                self.y += self.dots(0.5)

    def _write(self, x: int, y: int, line: str, font: Typeface) -> None:
        baseline = y + round(font.size * 0.98)
        self._strokes.append(lambda image, draw: font.write(image, x, baseline, line))

    def box(self, left: int, top: int, right: int, bottom: int, *, outline: int = 0) -> None:
        """A filled rectangle, or with `outline` only its edge of that many dots; right and bottom are outside it."""
        fill = None if outline else BLACK
        self._strokes.append(
            lambda image, draw: draw.rectangle(
                (left, top, right - 1, bottom - 1), fill=fill, outline=BLACK, width=outline or 1
            )
        )

    def rule(self, thickness_mm: float) -> None:
        thickness = self.dots(thickness_mm)
        self.box(self.left, self.y, self.right, self.y + thickness)
        self.y += thickness

    def picture(self, picture: Image.Image, left: int, top: int) -> None:
        self._strokes.append(lambda image, draw: image.paste(picture, (left, top)))

    def image(self) -> Image.Image:
        image = Image.new("1", (self.width, self.y), WHITE)
        draw = ImageDraw.Draw(image)
        for stroke in self._strokes:
            stroke(image, draw)
        return image


def wrap(text: str, font: Typeface, width: int) -> list[tuple[str, int]]:
    """`text` in lines of at most `width` dots, each with its length: broken at spaces, after slashes (a letter's number
    has no spaces), and inside a word that is longer than a line."""
    lines: list[tuple[str, int]] = []
    line, length = "", 0
    for piece in re.findall(r"\s*(?:[^\s/]+/*|/+)", text):
        piece_length = font.length(piece)
        if line and length + piece_length <= width:
            line, length = line + piece, length + piece_length
            continue
        if line:
            lines.append((line, length))
        line = piece.lstrip()
        length = font.length(line)
        while length > width:
            fitting = _fitting(line, font, width)
            lines.append((line[:fitting], font.length(line[:fitting])))
            line = line[fitting:]
            length = font.length(line)
    if line:
        lines.append((line, length))
    return lines


def wrap_evenly(text: str, font: Typeface, width: int) -> list[tuple[str, int]]:
    """As `wrap`, in as many lines, but of lengths that are nearly the same: a centred last word alone looks lost."""
    lines = wrap(text, font, width)
    if len(lines) > 1:
        for tenths in range(5, 10):
            narrower = wrap(text, font, width * tenths // 10)
            if len(narrower) == len(lines):
                return narrower
    return lines


def _words_fit(text: str, font: Typeface, width: int) -> bool:
    return all(font.length(word) <= width for word in text.split())


def _fitting(word: str, font: Typeface, width: int) -> int:
    """How many characters of `word`, which is longer than `width`, fit; at least one."""
    return max(1, next(count for count in range(len(word)) if font.length(word[: count + 1]) > width))


def _qr(payload: str, sheet: _Sheet, column: int) -> Image.Image:
    """The code with its quiet zone, in the largest module that the column allows."""
    matrix = qr_matrix(payload)
    side = len(matrix)
    for module in map(sheet.dots, MODULE_MM):
        width = (side + 2 * QUIET_MODULES) * module
        if width <= column and (side * module <= sheet.dots(QR_LARGEST_MM) or module == sheet.dots(MODULE_MM[-1])):
            break
    else:
        raise ValueError(f"a QR code of {side} modules does not fit into {column} dots")
    picture = Image.new("1", (width, width), WHITE)
    small = Image.frombytes("L", (side, side), bytes(0 if black else 255 for row in matrix for black in row))
    scaled = small.resize((side * module, side * module), Image.Resampling.NEAREST)
    picture.paste(scaled.convert("1", dither=Image.Dither.NONE), (QUIET_MODULES * module,) * 2)
    return picture


@cache
def _logo(path: Path, side: int) -> Image.Image:
    """A logo in pure black and white, within a square of `side` dots."""
    with Image.open(path) as logo:
        logo = logo.convert("RGBA")
    paper = Image.new("RGBA", logo.size, "white")
    paper.alpha_composite(logo)
    paper.thumbnail((side, side))
    return paper.convert("L").point(lambda grey: 255 * (grey >= 128)).convert("1", dither=Image.Dither.NONE)


@singledispatch
def _lay(block: Block, sheet: _Sheet) -> None:
    raise TypeError(f"no way to print a {type(block).__name__}")


@_lay.register
def _(block: Letterhead, sheet: _Sheet) -> None:
    top, left = sheet.y, sheet.left
    if block.logo:
        logo = _logo(block.logo, sheet.dots(LOGO_MM))
        sheet.picture(logo, left, top)
        left += logo.width + sheet.dots(1)
    for line in block.authorities:
        sheet.text(line, sheet.font(bold=True), align=Align.CENTRE, left=left)
    sheet.text(block.village, sheet.font(Size.LARGE, bold=True), align=Align.CENTRE, left=left)
    sheet.text(block.address, sheet.font(Size.SMALL), align=Align.CENTRE, left=left)
    if block.logo:
        sheet.y = max(sheet.y, top + logo.height)
    sheet.gap(0.6)
    sheet.rule(0.6)
    sheet.gap(0.4)
    sheet.rule(0.2)
    sheet.gap()


@_lay.register
def _(block: Title, sheet: _Sheet) -> None:
    sheet.gap(0.5)
    sheet.text(block.text, sheet.font(bold=True), align=Align.CENTRE, underline=True)
    if block.number:
        sheet.text(block.number, sheet.font(), align=Align.CENTRE)
    sheet.gap()


@_lay.register
def _(block: Paragraph, sheet: _Sheet) -> None:
    sheet.text(block.text, sheet.font(block.size, block.bold), align=block.align)
    sheet.gap()


@_lay.register
def _(block: IdentityTable, sheet: _Sheet) -> None:
    font = sheet.font()
    number = font.length(f"{len(block.rows)}. ") if block.numbered else 0
    label_left = sheet.left + number
    colon = font.length(" : ")
    # A value's column always takes a NIK on one line.
    room = sheet.right - label_left - colon - font.length("0" * NIK_DIGITS)
    label_right = label_left + min(max(font.length(label) for label, _ in block.rows), room)
    value_left = label_right + colon
    for position, (label, value) in enumerate(block.rows, 1):
        top = sheet.y
        if block.numbered:
            sheet.text(f"{position}.", font)
            sheet.y = top
        if _words_fit(label, font, label_right - label_left):
            sheet.text(label, font, left=label_left, right=label_right)
        else:  # a line of its own
            sheet.text(label, font, left=label_left)
            top = sheet.y
        below_label, sheet.y = sheet.y, top
        sheet.text(":", font, left=label_right + font.length(" "))
        fitting = (each for each in (font, sheet.font(Size.SMALL)) if _words_fit(value, each, sheet.right - value_left))
        if value_font := next(fitting, None):
            sheet.y = top
            sheet.text(value, value_font, left=value_left)
        else:  # rather under its label than with a word of it broken
            sheet.text(value, font, left=label_left + number)
        sheet.y = max(below_label, sheet.y)
    sheet.gap()


@_lay.register
def _(block: Table, sheet: _Sheet) -> None:
    font, bold = sheet.font(), sheet.font(bold=True)
    number = font.length(f"{len(block.rows)}. ")
    gap = font.length("  ")
    columns = list(zip(block.headings, *block.rows, strict=True))
    lengths = [max(bold.length(heading), *map(font.length, cells)) for heading, *cells in columns]
    spare = sheet.right - sheet.left - number - sum(lengths[1:]) - gap * len(lengths[1:])
    if spare >= min(lengths[0], font.length("0" * NIK_DIGITS)):
        _lay_columns(block, sheet, [min(lengths[0], spare), *lengths[1:]], number, gap)
    else:
        _lay_stacked(block, sheet, number)
    sheet.gap()


def _lay_columns(block: Table, sheet: _Sheet, widths: list[int], number: int, gap: int) -> None:
    """Side by side; only the first column may need a second line."""
    bold, font = sheet.font(bold=True), sheet.font()
    for position, cells in enumerate((block.headings, *block.rows)):
        top = bottom = sheet.y
        left = sheet.left + number
        if position:
            sheet.text(f"{position}.", font)
        for cell, width in zip(cells, widths, strict=True):
            sheet.y = top
            sheet.text(cell, font if position else bold, left=left, right=left + width)
            bottom = max(bottom, sheet.y)
            left += width + gap
        sheet.y = bottom
        if not position:
            sheet.rule(0.15)


def _lay_stacked(block: Table, sheet: _Sheet, number: int) -> None:
    """On a narrow roll the other cells stand under the first, each with its heading."""
    bold, font = sheet.font(bold=True), sheet.font()
    for position, (first, *others) in enumerate(block.rows, 1):
        top = sheet.y
        sheet.text(f"{position}.", font)
        sheet.y = top
        sheet.text(first, bold, left=sheet.left + number)
        named = (f"{heading}: {cell}" for heading, cell in zip(block.headings[1:], others, strict=True))
        sheet.text(", ".join(named), font, left=sheet.left + number)


@_lay.register
def _(block: Signature, sheet: _Sheet) -> None:
    body, bold, small = sheet.font(), sheet.font(bold=True), sheet.font(Size.SMALL)
    full = sheet.right - sheet.left
    code = _qr(block.qr_payload, sheet, full) if block.qr_payload else None
    lengths = [body.length(line) for line in (block.place_and_date, *block.role)]
    widest = max(*lengths, bold.length(block.name), code.width if code else 0)
    left = sheet.right - min(widest, full)
    for line in (block.place_and_date, *block.role):
        sheet.text(line, body, align=Align.CENTRE, left=left)
    if code:
        sheet.picture(code, (left + sheet.right - code.width) // 2, sheet.y)
        sheet.y += code.height
        sheet.text(block.note, small, align=Align.CENTRE, left=left)
        sheet.gap()
    else:
        sheet.gap(PEN_ROOM_MM)
    sheet.text(block.name, bold, align=Align.CENTRE, left=left, underline=True)
    if block.nip:
        sheet.text(f"NIP {block.nip}", small, align=Align.CENTRE, left=left)
    sheet.gap()


@_lay.register
def _(block: QrCode, sheet: _Sheet) -> None:
    code = _qr(block.payload, sheet, sheet.right - sheet.left)
    sheet.picture(code, (sheet.width - code.width) // 2, sheet.y)
    sheet.y += code.height
    if block.caption:
        sheet.text(block.caption, sheet.font(Size.SMALL), align=Align.CENTRE)
        sheet.gap()


@_lay.register
def _(block: BigNumber, sheet: _Sheet) -> None:
    largest = sheet.dots(BIG_NUMBER_EM_MM)
    length = typeface("bold", largest).length(block.text)
    font = typeface("bold", min(largest, int(largest * (sheet.right - sheet.left) / length)))
    # Digits and capitals only: no room for accents above or descenders below.
    sheet.y -= round(font.size * 0.2)
    sheet.text(block.text, font, align=Align.CENTRE)
    sheet.y -= round(font.size * 0.18)
    sheet.gap()


@_lay.register
def _(block: Items, sheet: _Sheet) -> None:
    font = sheet.font()
    side = round(font.size * 0.7)
    for text in block.texts:
        top = sheet.y + round(font.size * 0.28)
        sheet.box(sheet.left, top, sheet.left + side, top + side, outline=sheet.dots(0.25))
        sheet.text(text, font, left=sheet.left + round(font.size * 1.1))
    sheet.gap()


@_lay.register
def _(block: Rule, sheet: _Sheet) -> None:
    sheet.rule(0.25)
    sheet.gap()


@_lay.register
def _(block: Space, sheet: _Sheet) -> None:
    sheet.gap(block.height_mm)


@_lay.register
def _(block: Mark, sheet: _Sheet) -> None:
    font = sheet.font(bold=True)
    padding = sheet.dots(1)
    width = min(font.length(block.text) + 4 * padding, sheet.right - sheet.left)
    left, top = (sheet.width - width) // 2, sheet.y
    sheet.y += padding // 2
    sheet.text(block.text, font, align=Align.CENTRE, left=left + padding, right=left + width - padding)
    sheet.y += padding
    sheet.box(left, top, left + width, sheet.y, outline=sheet.dots(0.4))
    sheet.gap()


@_lay.register
def _(block: Footer, sheet: _Sheet) -> None:
    sheet.rule(0.15)
    sheet.gap(0.6)
    for line in block.lines:
        sheet.text(line, sheet.font(Size.SMALL), align=Align.CENTRE)
    sheet.gap()
