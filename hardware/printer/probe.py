"""What a printer is, asked of the printer itself: fills a profile at installation.

Its sheet has, from top to bottom:

- a frame of two lines of text, between which the printer is asked what not every printer knows. One that does not know
  a command may print its bytes there, which is harmless and only looks strange;
- a ruler across for each usual width, named by a letter: the head is as wide as the last that ends in a whole block;
- a ruler along the paper: while it comes out, the acknowledgements tell the speed of the head.

Sources: Epson's ESC/POS reference for GS I, GS r, GS ( H function 48 and DLE EOT.
"""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from hardware.device import DeviceError, DeviceState
from hardware.printer import encoder
from hardware.printer.interface import Acknowledgement
from hardware.printer.link import Halt, Link, Marks
from hardware.printer.replies import InOrder, ProcessId, ReplyParser
from hardware.printer.transport import Address, open_transport

if TYPE_CHECKING:
    from PIL import Image

#: The printable widths of 58, 80 and 112 mm paper at 203 dpi, by the letter that stands at their ruler.
WIDTHS_DOTS = {"A": 384, "B": 576, "C": 832}
RULER_ROWS = 400
#: 203 dpi, as nearly all receipt printers have; the ruler along the paper shows whether it is so.
USUAL_DOTS_PER_MM = 8.0
USUAL_RULER_MM = RULER_ROWS / USUAL_DOTS_PER_MM
SHEET_MM = 130.0

ANSWER_WITHIN_S = 1.0
PRINTED_WITHIN_S = 10.0
TAKEN_WITHIN_S = 10.0
#: No receipt printer is as fast (the fastest are sold with 500 mm/s): what answers sooner has not printed yet.
FASTEST_HEAD_MM_PER_S = 600.0
#: For deadlines, where nothing could be measured: the slowest of the printers that halls buy.
UNMEASURED_HEAD_MM_PER_S = 70.0

MAKER, MODEL, FIRMWARE = 66, 67, 65
_IDENTITY = re.compile(rb"_([\x20-\x7e]{0,80})\x00")


@dataclass(frozen=True)
class Answers:
    """What the printer said; "" and None where it did not."""

    maker: str
    model: str
    firmware: str
    acknowledgement: Acknowledgement
    why: str  # that acknowledgement
    head_mm_per_s: float | None


class Probe:
    """A conversation with the printer at `address`, from entering to leaving the context. Raises DeviceError when it is
    not there, does not take what is sent, or says that it cannot print."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def __enter__(self) -> Self:
        self._transport = open_transport(self._address)
        self._link = Link(self._transport, Marks(Acknowledgement.NONE, 0), threading.Event())
        return self

    def __exit__(self, *error: object) -> None:
        self._transport.close()

    def ask(self) -> Answers:
        """Print the sheet, as far as the cut, and ask on the way."""
        real_time = self._can_print()
        self._send(encoder.INITIALISE + b"--- UJI PERINTAH / COMMAND TEST ---\n")
        maker, model, firmware = (self._identity(n) for n in (MAKER, MODEL, FIRMWARE))
        in_order, process_id = self._answers_in_order(), self._answers_process_id()
        self._send(b"\n" + encoder.INITIALISE + b"--- SELESAI / END ---\n\n")
        self._send_image(across())
        acknowledgement, why = _believed(real_time, in_order, process_id)
        speed = self._measure(acknowledgement)
        if speed is not None and speed > FASTEST_HEAD_MM_PER_S:
            acknowledgement, speed = Acknowledgement.NONE, None
            why = "it acknowledges before it has printed, so it is not believed"
        if real_time:
            self._can_print()
        return Answers(maker, model, firmware, acknowledgement, why, speed)

    def cut(self) -> None:
        """Cut, and wait until the sheet is out: closing a connection can throw away what has not been printed."""
        marks = self._link.marks
        self._send(encoder.end_of_page(False, USUAL_DOTS_PER_MM).data + encoder.CUT + marks.request())
        until_s = time.monotonic() + (PRINTED_WITHIN_S if len(marks) else SHEET_MM / UNMEASURED_HEAD_MM_PER_S)
        while (len(marks) or marks.policy is Acknowledgement.NONE) and time.monotonic() < until_s:
            self._link.receive(until_s)

    def _can_print(self) -> bool:
        """Whether it answers DLE EOT. Raises DeviceError with what it says is wrong."""
        condition = self._link.ask_condition()
        if condition is not None and condition.fault is not None:
            raise DeviceError(DeviceState.FAULT, condition.fault, f"{self._address} says so itself")
        return condition is not None

    def _identity(self, n: int) -> str:
        found = _IDENTITY.search(self._answer(b"\x1dI" + bytes((n,)), _IDENTITY.search))
        return found[1].decode("ascii").strip() if found else ""

    def _answers_in_order(self) -> bool:
        def complete(said: bytes) -> bool:
            return any(isinstance(reply, InOrder) for reply in _replies(said))

        return complete(self._answer(encoder.ASK_IN_ORDER, complete))

    def _answers_process_id(self) -> bool:
        expected = ProcessId(b"UJI1")

        def complete(said: bytes) -> bool:
            return expected in _replies(said)

        return complete(self._answer(encoder.process_id_mark(expected.id), complete))

    def _measure(self, acknowledgement: Acknowledgement) -> float | None:
        """Print the ruler along the paper. Returns the head's speed in mm/s, None where nothing acknowledges it."""
        marks = self._link.marks = Marks(acknowledgement, 0)
        strips = encoder.strips(along(), along().width)
        for strip in strips:
            self._send(strip.data + marks.request())
        if acknowledgement is Acknowledgement.NONE:
            return None
        # Time runs from the first acknowledgement, which comes after what was printed before, to the last.
        first_s, rows = None, 0
        now_s = time.monotonic()
        until_s = now_s + PRINTED_WITHIN_S
        while len(marks):
            if now_s >= until_s:
                return None
            self._link.receive(until_s)
            now_s = time.monotonic()
            if first_s is None and len(marks) < len(strips):
                first_s, rows = now_s, sum(strip.rows for strip in strips[len(strips) - len(marks) :])
        return rows / USUAL_DOTS_PER_MM / (now_s - first_s) if rows else math.inf

    def _answer(self, request: bytes, complete: Callable[[bytes], object]) -> bytes:
        """What it says to a request, as soon as that is `complete`, and at the latest after ANSWER_WITHIN_S."""
        self._transport.read()  # what came late to an earlier question
        self._send(request)
        said = b""
        until_s = time.monotonic() + ANSWER_WITHIN_S
        while not complete(said) and time.monotonic() < until_s:
            self._transport.wait(until_s)
            said += self._transport.read()
        return said

    def _send_image(self, image: Image.Image) -> None:
        for strip in encoder.strips(image, image.width):
            self._send(strip.data)

    def _send(self, data: bytes) -> None:
        try:
            self._link.send(data, TAKEN_WITHIN_S)
        except Halt as halt:
            raise DeviceError(DeviceState.UNKNOWN, halt.code, f"{self._address} takes no more data") from halt


def _replies(said: bytes) -> list:
    return ReplyParser().feed(said)


def _believed(real_time: bool, in_order: bool, process_id: bool) -> tuple[Acknowledgement, str]:
    if not real_time:
        # The driver asks before each job whether there is paper; without that it may not believe in an acknowledgement.
        return Acknowledgement.NONE, f"it does not answer DLE EOT{', though others' if in_order or process_id else ''}"
    if process_id:
        return Acknowledgement.PROCESS_ID, "it answers GS ( H: the printing before it is complete"
    if in_order:
        return Acknowledgement.IN_ORDER, "it answers GS r, and not GS ( H"
    return Acknowledgement.NONE, "it answers neither GS ( H nor GS r"


def across() -> Image.Image:
    """A ruler for each width, each ending in a block that is whole only where the head is as wide. Mode "1"."""
    from PIL import Image, ImageDraw, ImageFont

    row_dots, font = 72, ImageFont.load_default(size=40)
    image = Image.new("1", (max(WIDTHS_DOTS.values()), row_dots * len(WIDTHS_DOTS)), 1)
    draw = ImageDraw.Draw(image)
    for row, (letter, width) in enumerate(WIDTHS_DOTS.items()):
        top, bottom = row * row_dots, (row + 1) * row_dots - 12
        draw.text((8, top), f"{letter}  {width}", fill=0, font=font)
        draw.rectangle((0, bottom - 4, width - 1, bottom), fill=0)
        draw.rectangle((width - 24, top, width - 1, bottom), fill=0)
    return image


def along() -> Image.Image:
    """A ruler down the paper, RULER_ROWS long from its first to its last row, with a step every five millimetres at
    203 dpi. Narrow, so that a slow serial line is not what is measured. Mode "1"."""
    from PIL import Image, ImageDraw

    image = Image.new("1", (24, RULER_ROWS), 1)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 3, RULER_ROWS - 1), fill=0)
    for y in [*range(0, RULER_ROWS, round(5 * USUAL_DOTS_PER_MM)), RULER_ROWS - 2]:
        draw.rectangle((0, y, 23, y + 1), fill=0)
    return image


def profile_text(answers: Answers, *, width_dots: int, dots_per_mm: float, has_cutter: bool) -> str:
    """The profile as a file for `load_profile`, with comments that say where each value is from."""
    from escpos.capabilities import CAPABILITIES

    name = " ".join(filter(None, (answers.maker, answers.model))) or "unnamed printer"
    firmware = f", firmware {answers.firmware}" if answers.firmware else ""
    measured = answers.head_mm_per_s is not None
    speed = float(max(20, int(answers.head_mm_per_s))) if measured else UNMEASURED_HEAD_MM_PER_S
    speed_comment = "measured" if measured else "nothing acknowledges, so it could not be measured: a slow head"
    escpos_profile = answers.model if answers.model in CAPABILITIES["profiles"] else "default"
    return f"""\
# Written by `kiosk printer probe`{firmware}.
name = {json.dumps(name)}
# The printable width, as its rulers showed it.
width_dots = {width_dots}
dots_per_mm = {dots_per_mm}
has_cutter = {str(has_cutter).lower()}
# What it can tell of a job: {answers.why}.
acknowledgement = "{answers.acknowledgement}"
# For deadlines; {speed_comment}.
head_mm_per_s = {speed}
# python-escpos' profile, for its code pages.
escpos_profile = "{escpos_profile}"
"""
