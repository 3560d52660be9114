"""How long a letter's paper takes to lay out and encode, beside its parts and the ways not taken.

Run: python tests/bench/bench_paper.py [--runs N]. Prints medians in ms for each roll. The aim is ≤ 10 ms for layout and
encoding of a letter, after the first one of the process (fonts, libraries).
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import qrcode

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "steps")]

from test_paper_slips import DOCUMENTS, DOTS_PER_MM, PERSON, TYPES, VILLAGE, WIDTHS_DOTS, a_letter  # noqa: E402

from hardware.printer.encoder import Strip, strips  # noqa: E402
from kiosk.paper import thermal  # noqa: E402
from kiosk.paper.document import Document, Signature  # noqa: E402
from kiosk.paper.letter import CopyMark, as_copy, letter_document  # noqa: E402
from kiosk.paper.qr import qr_matrix  # noqa: E402


def median_ms(work: Callable[[], object], runs: int) -> float:
    work()
    spans = []
    for _ in range(runs):
        begun_s = time.perf_counter()
        work()
        spans.append((time.perf_counter() - begun_s) * 1000)
    return statistics.median(spans)


def best_of_eight_masks(payload: str) -> None:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(payload)
    code.make()


def letter_strips(width_dots: int) -> list[Strip]:
    """A letter from its data to the bytes that go to the printer."""
    original = letter_document(TYPES["domisili"], a_letter("domisili", PERSON), PERSON, VILLAGE)
    document = as_copy(original, CopyMark(1), VILLAGE)
    return strips(thermal.render(document, width_dots, DOTS_PER_MM), width_dots)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    runs = parser.parse_args().runs
    payload = a_letter("domisili", PERSON).token_url
    print(f"QR matrix, one mask (as printed)     {median_ms(lambda: qr_matrix(payload), runs):6.2f} ms")
    print(f"QR matrix, best of 8 masks (library) {median_ms(lambda: best_of_eight_masks(payload), runs):6.2f} ms")
    for width_dots in WIDTHS_DOTS:
        whole = DOCUMENTS["copy-domisili"]
        without_code = Document(tuple(block for block in whole.blocks if not isinstance(block, Signature)))

        def printed(width_dots: int = width_dots) -> None:
            letter_strips(width_dots)

        def laid_out(document: Document, width_dots: int = width_dots) -> Callable[[], object]:
            return lambda: thermal.render(document, width_dots, DOTS_PER_MM)

        print(
            f"{width_dots} dots: letter from data to the printer's bytes {median_ms(printed, runs):6.2f} ms"
            f" · layout alone {median_ms(laid_out(whole), runs):6.2f}"
            f" · without its signature block and QR {median_ms(laid_out(without_code), runs):6.2f}"
            f" · ticket {median_ms(laid_out(DOCUMENTS['ticket']), runs):6.2f}"
        )


if __name__ == "__main__":
    main()
