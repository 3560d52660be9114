"""What a printer promises: it never says "printed" unless the printer said so."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hardware.device import Device

if TYPE_CHECKING:
    from PIL import Image


class PrintOutcome(StrEnum):
    PRINTED = "printed"  # the printer acknowledged the last strip and the cut
    HELD = "held"  # not complete, known so, and nothing was cut off: may be tried again
    UNCERTAIN = "uncertain"  # bytes left and no answer tells whether they reached the paper: ask the person


@dataclass(frozen=True)
class PrintResult:
    outcome: PrintOutcome
    code: str = ""  # why it is held or uncertain, for the technician: `PRINTER-PAPER-OUT`


@dataclass(frozen=True)
class Page:
    """One piece of paper: a 1-bit image (mode "1", 0 is black), `image.width` ≤ the profile's `width_dots`, laid out
    for the profile's dots per inch. It is cut off at its end where the printer can cut."""

    image: Image.Image


class Acknowledgement(StrEnum):
    """What a printer can tell of a job; the policy for each is in `escpos.py`."""

    PROCESS_ID = "process_id"  # GS ( H: answers when the printing of the data before it is complete
    IN_ORDER = "in_order"  # GS r: answers in order, slightly before the last lines leave the head
    NONE = "none"  # never answers: nothing is ever called printed without asking


@dataclass(frozen=True)
class PrinterProfile:
    """A model's data, from `config/printers/*.toml`."""

    name: str
    width_dots: int  # 384, 576 or 832; 512 at 180 dpi
    dots_per_mm: float  # 8 at 203 dpi, 7.09 at 180
    has_cutter: bool
    acknowledgement: Acknowledgement
    head_mm_per_s: float  # for deadlines
    escpos_profile: str  # the name of python-escpos' profile


class Printer(Device):
    """Posts `StatusChanged` as paper, cover and connection change."""

    kind = "printer"

    def __init__(self, name: str, profile: PrinterProfile) -> None:
        super().__init__(name)
        self.profile = profile

    @abstractmethod
    def print(
        self, page: Page, *, after_unclean_stop: bool = False, progress: Callable[[float], None] | None = None
    ) -> PrintResult:
        """Print one page; blocks the calling thread (never the window's) with a deadline on every wait.

        after_unclean_stop: a job before this one was cut short, perhaps by another process: first bring the
            printer's parser back in step and mark what hangs in it as void.
        progress: told the acknowledged fraction, 0 to 1, from the printer's thread.

        A fault is a result (HELD or UNCERTAIN with a code), not an exception.
        """

    @abstractmethod
    def void_unfinished(self, *, after_unclean_stop: bool = False) -> PrintResult:
        """Void and cut off what hangs in the printer of a job that was cut short, so that it is not handed out with the
        next one; nothing comes out where nothing hangs. Blocks like `print`. PRINTED says that nothing hangs any more.

        after_unclean_stop: the job was cut short by another process, of which this driver knows nothing.
        """
