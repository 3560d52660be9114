"""Pages become bytes that printers in the field print as they were laid out."""

import random
import re

import pytest
from PIL import Image

from hardware.printer import encoder
from hardware.printer.interpreter import interpret

#: A real-time command with an argument that some model knows.
REAL_TIME = re.compile(rb"\x10[\x04\x05\x14][\x00-\x08\x12]")


def encoded(image: Image.Image, width_dots: int) -> bytes:
    return b"".join(strip.data for strip in encoder.strips(image, width_dots)) + encoder.CUT


def printed(image: Image.Image, width_dots: int) -> Image.Image:
    papers, hanging = interpret(encoded(image, width_dots), width_dots)
    assert len(papers) == 1
    assert hanging.image.height == 0
    assert papers[0].unknown == ()
    return papers[0].image


@pytest.mark.parametrize("width_dots", [384, 576, 832])
def test_a_page_comes_out_dot_for_dot(width_dots: int, a_page) -> None:
    page = a_page(width_dots, 1307, number=0b1010101)
    assert printed(page.image, width_dots).tobytes() == page.image.tobytes()


def test_a_narrow_page_keeps_its_place_at_the_left() -> None:
    image = Image.new("1", (13, 30), 0)
    paper = printed(image, 384)
    assert paper.size == (384, 30)
    assert paper.crop((0, 0, 13, 30)).tobytes() == image.tobytes()
    assert paper.crop((13, 0, 384, 30)).getextrema() == (255, 255)


@pytest.mark.parametrize(
    "rows", [*range(1, 12), 16, 31, 32, 33, 63, 64, 65, 99, 100, 101, 102, 104, 108, 116, 128, 132, 164, 256]
)
def test_every_height_is_kept_and_cut_into_safe_strips(rows: int) -> None:
    ink = Image.new("1", (16, rows), 0)
    page = Image.new("1", (16, rows + 200), 1)
    page.paste(ink, (0, 100))
    strips = encoder.strips(page, 16)
    assert sum(strip.rows for strip in strips) == page.height
    assert all(strip.rows <= encoder.STRIP_ROWS for strip in strips)
    assert all(strip.rows & (strip.rows - 1) for strip in strips), "a power of two stalls a TM-T20II"
    assert printed(page, 16).tobytes() == page.tobytes()


def test_ink_on_the_last_row_alone_is_kept() -> None:
    page = Image.new("1", (16, 60), 1)
    page.putpixel((3, 59), 0)
    assert all(strip.rows & (strip.rows - 1) for strip in encoder.strips(page, 16))
    assert printed(page, 16).tobytes() == page.tobytes()


def test_blank_rows_cost_a_byte_each() -> None:
    page = Image.new("1", (576, 1000), 1)
    assert len(encoded(page, 576)) < 1200


def test_a_raster_never_imitates_a_real_time_command() -> None:
    chooser = random.Random(7)
    data = bytes(chooser.choice((0x10, 0x04, 0x05, 0x14, 0x01, 0x02, 0x08, 0x12, 0x00)) for _ in range(72 * 500))
    assert len(REAL_TIME.findall(data)) > 500, "the page must be able to fail"
    page = Image.frombytes("1", (576, 500), data, "raw", "1;I")
    assert not REAL_TIME.search(encoded(page, 576))
    flipped = sum(
        (before ^ after).bit_count() for before, after in zip(page.tobytes(), printed(page, 576).tobytes(), strict=True)
    )
    assert flipped == len(REAL_TIME.findall(data)), "one pixel each, and no more"


@pytest.mark.parametrize(
    "image", [Image.new("L", (100, 10)), Image.new("1", (577, 10)), Image.new("1", (100, 0)), Image.new("1", (0, 10))]
)
def test_a_page_that_does_not_fit_is_refused(image: Image.Image) -> None:
    with pytest.raises(ValueError, match="page"):
        encoder.strips(image, 576)


def test_no_strip_is_longer_than_the_nuls_that_fill_it() -> None:
    page = Image.new("1", (832, 1000), 0)
    assert max(len(strip.data) for strip in encoder.strips(page, 832)) == encoder.longest_strip_bytes(832)


def test_the_cut_is_the_one_of_python_escpos() -> None:
    from escpos.printer import Dummy

    printer = Dummy()
    printer.cut(feed=False)
    assert printer.output == encoder.CUT


def test_control_bytes_of_a_typed_name_are_dropped() -> None:
    name = "Bu\x1b@di \x1dVB\x00\x10\x14\x01\x00\x05San\x7ftoso\x9b"
    assert encoder.printable(name) == "Bu@di VBSantoso"


def test_the_void_mark_is_text_within_32_columns() -> None:
    papers, _ = interpret(encoder.void_mark("default") + encoder.CUT, 384)
    assert papers[0].void
    assert encoder.VOID_MARK in papers[0].text.split("\n"), "on one line"
    assert papers[0].unknown == ()
