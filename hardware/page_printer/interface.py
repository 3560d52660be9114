"""What a page printer promises: as a receipt printer, it never says "printed" unless the printer said so."""

from abc import abstractmethod

from hardware.device import Device
from hardware.printer.interface import PrintResult


class PagePrinter(Device):
    """Posts `StatusChanged` as paper, cover, queue and connection change."""

    kind = "page_printer"

    @abstractmethod
    def print_pdf(self, pdf: bytes, title: str, copies: int = 1) -> PrintResult:
        """Print a document; blocks the calling thread (never the window's) with a deadline on every wait.

        pdf: its pages have the size of the paper that the settings name.
        title: what the print queue shows to whoever looks at it, so it holds no personal data: a number, not a name.

        A fault is a result, not an exception: HELD when no sheet of it can have come out, UNCERTAIN when one may have.
        """
