"""ESC/POS read back: the very bytes that a driver sent, as the papers that would come out.

`Parser` turns bytes into operations, `PaperRoll` operations into papers; `interpret` does both at once. An unknown
command is an error that shows: it is recorded with its offset, and a line on the paper says so.

Text is drawn in a plain font in the cells of font A (12×24 dots) or B (9×17); rasters come out dot for dot. The gap
between head and cutter is left out, so that a paper begins with the first row after the cut before it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from hardware.printer.encoder import VOID_MARK

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

CELLS = {0: (12, 24), 1: (9, 17)}
LINE_SPACING_DOTS = 30
CODE_PAGES = {
    0: "cp437",
    2: "cp850",
    3: "cp860",
    4: "cp863",
    5: "cp865",
    16: "cp1252",
    17: "cp866",
    18: "cp852",
    19: "cp858",
}
DLE, ESC, GS, NUL, HT, LF, CR = 0x10, 0x1B, 0x1D, 0x00, 0x09, 0x0A, 0x0D


@dataclass(frozen=True)
class Rows:
    """Rows of dots that leave the head, as packed bits, 1 being black."""

    bits: bytes
    row_bytes: int

    @property
    def count(self) -> int:
        return len(self.bits) // self.row_bytes

    def split(self, rows: int) -> tuple[Rows, Rows]:
        at = rows * self.row_bytes
        return replace(self, bits=self.bits[:at]), replace(self, bits=self.bits[at:])


@dataclass(frozen=True)
class Text:
    """What the following rows say, for whoever cannot read dots."""

    text: str


@dataclass(frozen=True)
class Cut:
    pass


@dataclass(frozen=True)
class Pulse:
    """The drawer's solenoid was fired."""


@dataclass(frozen=True)
class AskStatus:
    """GS r n."""

    n: int


@dataclass(frozen=True)
class AskIdentity:
    """GS I n."""

    n: int


@dataclass(frozen=True)
class ProcessIdMark:
    """GS ( H 48."""

    id: bytes


@dataclass(frozen=True)
class AutomaticStatus:
    """GS a n; 0 turns it off."""

    mask: int


@dataclass(frozen=True)
class UnknownCommand:
    """Bytes that this interpreter has no meaning for."""

    offset: int
    data: bytes

    def __str__(self) -> str:
        return f"unknown command {self.data.hex(' ')} at byte {self.offset}"


Operation = Rows | Text | Cut | Pulse | AskStatus | AskIdentity | ProcessIdMark | AutomaticStatus | UnknownCommand


@dataclass(frozen=True)
class _Style:
    font: int = 0
    bold: bool = False
    underline: int = 0
    reverse: bool = False
    upside_down: bool = False
    across: int = 1
    down: int = 1
    spacing_dots: int = 0

    @property
    def cell(self) -> tuple[int, int]:
        width, height = CELLS[self.font]
        return (width + self.spacing_dots) * self.across, height * self.down


@dataclass
class _QrCode:
    module_dots: int = 3
    correction: str = "L"
    data: bytes = b""


@dataclass
class _State:
    """What ESC @ resets."""

    style: _Style = _Style()
    align: int = 0
    line_spacing: int = LINE_SPACING_DOTS
    code_page: str = "cp437"
    line: list[tuple[str, _Style]] = field(default_factory=list)
    qr: _QrCode = field(default_factory=_QrCode)


class _Incomplete(Exception):
    """The rest of the command has not come yet."""


class Parser:
    """Bytes in, operations out, in order. A command may be cut anywhere between two `feed`s."""

    def __init__(self, width_dots: int) -> None:
        self.width_dots = width_dots
        self._kept = bytearray()
        self._at = 0  # of the next byte in _kept
        self._offset = 0  # of _kept[0] in the stream
        self._raster_bytes_left = 0
        self._raster_row_bytes = 0
        self._state = _State()

    def feed(self, data: bytes) -> list[Operation]:
        self._kept += data
        operations: list[Operation] = []
        while self._kept:
            self._at = 0
            try:
                operations += self._next()
            except _Incomplete:
                break
            del self._kept[: self._at]
            self._offset += self._at
        return operations

    def _take(self, count: int = 1) -> bytes:
        taken = self._kept[self._at : self._at + count]
        if len(taken) < count:
            raise _Incomplete
        self._at += count
        return bytes(taken)

    def _byte(self) -> int:
        return self._take()[0]

    def _word(self) -> int:
        return int.from_bytes(self._take(2), "little")

    def _next(self) -> Iterator[Operation] | list[Operation]:
        if self._raster_bytes_left:
            return self._raster_rows()
        first = self._byte()
        if first in (ESC, GS, DLE):
            command = self._byte()
            handler = _COMMANDS.get((first, command))
            return list(handler(self) or ()) if handler else self._unknown()
        if first == LF:
            return list(self._line_feed())
        if first in (NUL, CR):
            return []
        if first == HT:
            column = sum(style.cell[0] for _, style in self._state.line) // self._state.style.cell[0]
            self._state.line += [(" ", self._state.style)] * (8 - column % 8)
            return []
        if first < 0x20 or first == 0x7F:
            return self._unknown()
        return self._character(bytes((first,)).decode(self._state.code_page, "replace"))

    def _unknown(self) -> list[Operation]:
        return [UnknownCommand(self._offset, bytes(self._kept[: self._at]))]

    # Rasters: rows are given out as they arrive, as they leave a head.

    def _raster(self) -> list[Operation]:
        kind, mode = self._take(2)
        row_bytes, rows = self._word(), self._word()
        if kind != 0x30 or mode not in (0, 0x30):
            return self._unknown()
        self._raster_row_bytes, self._raster_bytes_left = row_bytes, row_bytes * rows
        return list(self._flush())

    def _raster_rows(self) -> list[Operation]:
        whole = min(self._raster_bytes_left, len(self._kept)) // self._raster_row_bytes
        if not whole:
            raise _Incomplete
        bits = self._take(whole * self._raster_row_bytes)
        self._raster_bytes_left -= len(bits)
        return [Rows(bits, self._raster_row_bytes)]

    def _graphics(self) -> list[Operation]:
        """GS ( L functions 112 (store a raster) and 50 (print it), as far as python-escpos sends them."""
        body = self._take(self._word())
        function = body[1] if len(body) > 1 else 0
        if function in (2, 50):
            return []
        if function != 112 or len(body) < 10:
            return self._unknown()
        width, height = (int.from_bytes(body[at : at + 2], "little") for at in (6, 8))
        row_bytes = (width + 7) // 8
        bits = body[10:]
        if len(bits) != row_bytes * height:
            return self._unknown()
        return [*self._flush(), Rows(bits, row_bytes)]

    # Text.

    def _character(self, character: str) -> list[Operation]:
        used = sum(style.cell[0] for _, style in self._state.line)
        wrapped = list(self._line_feed()) if used + self._state.style.cell[0] > self.width_dots else []
        self._state.line.append((character, self._state.style))
        return wrapped

    def _flush(self) -> Iterator[Operation]:
        """Print what stands in the line, without a feed."""
        line, self._state.line = self._state.line, []
        if line:
            yield Text("".join(character for character, _ in line))
            yield _as_rows(_draw_line(line, self.width_dots, self._state.align))

    def _line_feed(self) -> Iterator[Operation]:
        printed = list(self._flush())
        yield from printed
        if not printed:
            yield Text("")
        height = printed[-1].count if printed else 0
        yield from self._feed(max(0, self._state.line_spacing - height))

    def _feed(self, dots: int) -> Iterator[Operation]:
        if dots:
            yield Rows(bytes(dots), 1)

    def _feed_lines(self) -> Iterator[Operation]:
        lines = self._byte()
        yield from self._flush()
        yield from self._feed(lines * self._state.line_spacing)

    def _feed_dots(self) -> Iterator[Operation]:
        dots = self._byte()
        yield from self._flush()
        yield from self._feed(dots)

    def _cut(self) -> list[Operation]:
        mode = self._byte()
        feed = self._byte() if mode in (0x41, 0x42) else 0
        if mode not in (0, 1, 0x30, 0x31, 0x41, 0x42):
            return self._unknown()
        return [*self._flush(), *self._feed(feed), Cut()]

    # Settings.

    def _initialise(self) -> None:
        self._state = _State()

    def _style(self, **changes) -> None:
        self._state.style = replace(self._state.style, **changes)

    def _print_mode(self) -> None:
        n = self._byte()
        self._style(
            font=n & 1,
            bold=bool(n & 8),
            down=2 if n & 16 else 1,
            across=2 if n & 32 else 1,
            underline=1 if n & 128 else 0,
        )

    def _size(self) -> None:
        n = self._byte()
        self._style(across=(n >> 4 & 7) + 1, down=(n & 7) + 1)

    def _font(self) -> list[Operation] | None:
        n = self._byte() & 0x0F
        if n not in CELLS:
            return self._unknown()
        self._style(font=n)
        return None

    def _align(self) -> None:
        self._state.align = min(self._byte() & 0x0F, 2)

    def _line_spacing(self) -> None:
        self._state.line_spacing = self._byte()

    def _default_line_spacing(self) -> None:
        self._state.line_spacing = LINE_SPACING_DOTS

    def _code_page(self) -> list[Operation] | None:
        n = self._byte()
        if n not in CODE_PAGES:
            return self._unknown()
        self._state.code_page = CODE_PAGES[n]
        return None

    # What is answered or done beside the paper.

    def _process_id(self) -> list[Operation]:
        body = self._take(self._word())
        if len(body) != 6 or body[:2] != b"00":
            return self._unknown()
        return [*self._flush(), ProcessIdMark(body[2:])]

    def _pulse(self) -> list[Operation]:
        self._take(3)
        return [Pulse()]

    def _real_time(self) -> list[Operation]:
        """DLE EOT: answered when it arrived, so nothing is left to do in its place in the data."""
        return [] if self._byte() in range(1, 5) else self._unknown()

    def _two_dimensional(self) -> list[Operation]:
        """GS ( k: a native QR code (cn 49)."""
        body = self._take(self._word())
        code, function, arguments = body[:1], body[1:2], body[2:]
        qr = self._state.qr
        if code != b"1" or not arguments:
            return self._unknown()
        if function == b"A":
            return []
        if function == b"C":
            qr.module_dots = arguments[0]
        elif function == b"E":
            qr.correction = {0x30: "L", 0x31: "M", 0x32: "Q", 0x33: "H"}.get(arguments[0], "L")
        elif function == b"P":
            qr.data = arguments[1:]
        elif function == b"Q":
            return [*self._flush(), _as_rows(_placed(_draw_qr(qr), self.width_dots, self._state.align))]
        else:
            return self._unknown()
        return []


_COMMANDS: dict[tuple[int, int], Callable[[Parser], list[Operation] | Iterator[Operation] | None]] = {
    (ESC, ord("@")): Parser._initialise,
    (ESC, ord("!")): Parser._print_mode,
    (ESC, ord("-")): lambda parser: parser._style(underline=parser._byte() & 0x0F),
    (ESC, ord(" ")): lambda parser: parser._style(spacing_dots=parser._byte()),
    (ESC, ord("2")): Parser._default_line_spacing,
    (ESC, ord("3")): Parser._line_spacing,
    (ESC, ord("E")): lambda parser: parser._style(bold=bool(parser._byte() & 1)),
    (ESC, ord("G")): lambda parser: parser._style(bold=bool(parser._byte() & 1)),
    (ESC, ord("J")): Parser._feed_dots,
    (ESC, ord("M")): Parser._font,
    (ESC, ord("a")): Parser._align,
    (ESC, ord("d")): Parser._feed_lines,
    (ESC, ord("p")): Parser._pulse,
    (ESC, ord("t")): Parser._code_page,
    (ESC, ord("{")): lambda parser: parser._style(upside_down=bool(parser._byte() & 1)),
    (GS, ord("!")): Parser._size,
    (GS, ord("B")): lambda parser: parser._style(reverse=bool(parser._byte() & 1)),
    (GS, ord("b")): lambda parser: parser._take() and None,  # smoothing: dots of large letters, nothing to place
    (GS, ord("V")): Parser._cut,
    (GS, ord("a")): lambda parser: [AutomaticStatus(parser._byte())],
    (GS, ord("I")): lambda parser: [AskIdentity(parser._byte())],
    (GS, ord("r")): lambda parser: [AskStatus(parser._byte())],
    (DLE, 0x04): Parser._real_time,
}


def _graphic_command(second: int, handler) -> None:
    """A GS command of two letters: `GS v 0`, `GS ( k`."""
    _COMMANDS[(GS, second)] = handler


def _bracketed(parser: Parser) -> list[Operation]:
    letter = parser._byte()
    handler = {ord("H"): Parser._process_id, ord("k"): Parser._two_dimensional, ord("L"): Parser._graphics}.get(letter)
    if handler is not None:
        return handler(parser)
    parser._take(parser._word())  # its length is known, so what follows stays in step
    return parser._unknown()


_graphic_command(ord("v"), Parser._raster)
_graphic_command(ord("("), _bracketed)


@dataclass(frozen=True)
class Paper:
    """One piece of paper as it left the printer, or hangs in it."""

    image: Image.Image  # mode "1", 0 is black
    text: str = ""  # of text mode only
    pulses: int = 0
    unknown: tuple[UnknownCommand, ...] = ()

    @property
    def void(self) -> bool:
        """Whether the driver voided it."""
        return VOID_MARK in self.text


class PaperRoll:
    """Puts operations on paper."""

    def __init__(self, width_dots: int) -> None:
        self.width_dots = width_dots
        self.papers: list[Paper] = []
        self._begin()

    def _begin(self) -> None:
        self._bits = bytearray()
        self._lines: list[str] = []
        self._pulses = 0
        self._unknown: list[UnknownCommand] = []

    def apply(self, operation: Operation) -> None:
        if isinstance(operation, Rows):
            self._bits += _fitted(operation, (self.width_dots + 7) // 8)
        elif isinstance(operation, Text):
            self._lines.append(operation.text)
        elif isinstance(operation, Pulse):
            self._pulses += 1
        elif isinstance(operation, UnknownCommand):
            log.error("%s", operation)
            self._unknown.append(operation)
            self.apply(_as_rows(_draw_error(str(operation), self.width_dots)))
        elif isinstance(operation, Cut):
            self.papers.append(self.hanging)
            self._begin()

    @property
    def rows(self) -> int:
        return len(self._bits) // ((self.width_dots + 7) // 8)

    @property
    def hanging(self) -> Paper:
        """What has been printed since the last cut."""
        from PIL import Image

        image = Image.frombytes("1", (self.width_dots, self.rows), bytes(self._bits), "raw", "1;I")
        return Paper(image, "\n".join(self._lines), self._pulses, tuple(self._unknown))


def interpret(data: bytes, width_dots: int) -> tuple[list[Paper], Paper]:
    """The papers that these bytes cut off, and what then hangs in the printer."""
    parser, roll = Parser(width_dots), PaperRoll(width_dots)
    for operation in parser.feed(data):
        roll.apply(operation)
    return roll.papers, roll.hanging


def _fitted(rows: Rows, row_bytes: int) -> bytes:
    """Rows as wide as the paper; what is wider falls off its edge."""
    if rows.row_bytes == row_bytes:
        return rows.bits
    starts = range(0, len(rows.bits), rows.row_bytes)
    return b"".join(rows.bits[at : at + min(rows.row_bytes, row_bytes)].ljust(row_bytes, b"\0") for at in starts)


def _as_rows(image: Image.Image) -> Rows:
    return Rows(image.tobytes("raw", "1;I"), (image.width + 7) // 8)


@cache
def _font(height_dots: int):
    from PIL import ImageFont

    return ImageFont.load_default(size=height_dots * 0.8)


def _draw_character(character: str, style: _Style) -> Image.Image:
    from PIL import Image, ImageChops, ImageDraw

    width, height = CELLS[style.font]
    cell = Image.new("1", (width + style.spacing_dots, height), 1)
    if character.isprintable():
        draw = ImageDraw.Draw(cell)
        draw.text((width / 2, height / 2), character, fill=0, font=_font(height), anchor="mm")
        if style.bold:
            draw.text((width / 2 + 1, height / 2), character, fill=0, font=_font(height), anchor="mm")
        if style.underline:
            draw.rectangle((0, height - style.underline, cell.width, height), fill=0)
    cell = ImageChops.invert(cell) if style.reverse else cell
    cell = cell.rotate(180) if style.upside_down else cell
    return cell.resize(style.cell, Image.Resampling.NEAREST)


def _draw_line(line: list[tuple[str, _Style]], width_dots: int, align: int) -> Image.Image:
    from PIL import Image

    size = sum(style.cell[0] for _, style in line), max(style.cell[1] for _, style in line)
    image = Image.new("1", size, 1)
    x = 0
    for character, style in line:
        image.paste(_draw_character(character, style), (x, size[1] - style.cell[1]))
        x += style.cell[0]
    return _placed(image, width_dots, align)


def _placed(image: Image.Image, width_dots: int, align: int) -> Image.Image:
    """On paper of that width: 0 left, 1 in the middle, 2 right."""
    from PIL import Image

    placed = Image.new("1", (width_dots, image.height), 1)
    placed.paste(image, ((width_dots - image.width) * align // 2, 0))
    return placed


def _draw_qr(qr: _QrCode) -> Image.Image:
    import qrcode
    from PIL import Image

    code = qrcode.QRCode(error_correction=getattr(qrcode.constants, f"ERROR_CORRECT_{qr.correction}"), border=0)
    code.add_data(qr.data, optimize=0)
    code.make()
    modules = code.get_matrix()
    image = Image.new("1", (len(modules), len(modules)), 1)
    image.putdata([0 if dark else 1 for row in modules for dark in row])
    return image.resize((image.width * qr.module_dots,) * 2, Image.Resampling.NEAREST)


def _draw_error(message: str, width_dots: int) -> Image.Image:
    """White on black, so that nobody takes it for part of the page."""
    from PIL import Image, ImageDraw

    image = Image.new("1", (width_dots, 28), 0)
    ImageDraw.Draw(image).text((4, 2), message, fill=1, font=_font(24))
    return image
