"""The interpreter shows what a printer would print, and shows what it does not understand."""

import pytest
import zxingcpp
from escpos.printer import Dummy
from PIL import Image

from hardware.printer.encoder import CUT
from hardware.printer.interpreter import Cut, PaperRoll, Parser, UnknownCommand, interpret


def test_python_escpos_text_and_cut() -> None:
    printer = Dummy()
    printer.set(align="center", bold=True, double_height=True, double_width=True)
    printer.text("NOMOR ANTREAN\n")
    printer.set_with_default()
    printer.text("Surat dan administrasi\n")
    printer.cut()
    papers, hanging = interpret(printer.output, 576)
    assert papers[0].text.split("\n")[:2] == ["NOMOR ANTREAN", "Surat dan administrasi"]
    assert papers[0].unknown == ()
    ink = papers[0].image.crop((0, 0, 576, 48)).convert("L").point(lambda dot: 255 - dot).getbbox()
    assert abs((ink[0] + ink[2]) // 2 - 288) < 16, "in the middle"
    assert ink[2] - ink[0] > 250, "twice as wide"
    assert hanging.image.height == 0


def test_python_escpos_native_qr_can_be_scanned() -> None:
    printer = Dummy()
    printer.set(align="center")
    printer.qr("https://desa.example/s/ABC", native=True, size=5)
    printer.cut()
    papers, _ = interpret(printer.output, 384)
    canvas = Image.new("L", (384, papers[0].image.height + 80), 255)
    canvas.paste(papers[0].image.convert("L"), (0, 40))
    assert [code.text for code in zxingcpp.read_barcodes(canvas)] == ["https://desa.example/s/ABC"]
    assert papers[0].unknown == ()


@pytest.mark.parametrize("kind", ["bitImageRaster", "graphics"])
def test_python_escpos_images_come_out_dot_for_dot(kind: str, a_page) -> None:
    image = a_page(384, 300).image
    printer = Dummy()
    printer.image(image, impl=kind)
    printer.cut(feed=False)
    papers, _ = interpret(printer.output, 384)
    assert papers[0].unknown == ()
    assert papers[0].image.tobytes() == image.tobytes()


def test_long_text_wraps() -> None:
    papers, _ = interpret(b"x" * 70 + b"\n" + CUT, 384)
    assert papers[0].text.split("\n") == ["x" * 32, "x" * 32, "x" * 6]


def test_a_stream_cut_at_every_byte_gives_the_same_paper(a_page) -> None:
    printer = Dummy()
    printer.text("Antrean\n")
    printer.qr("A-001", native=True)
    printer.image(a_page(384, 120).image)
    printer.cut()
    whole, _ = interpret(printer.output, 384)
    parser, roll = Parser(384), PaperRoll(384)
    for byte in printer.output:
        for operation in parser.feed(bytes((byte,))):
            roll.apply(operation)
    assert [paper.image.tobytes() for paper in roll.papers] == [paper.image.tobytes() for paper in whole]


@pytest.mark.parametrize("command", [b"\x1bZ", b"\x1c.", b"\x1d(Z\x02\x00ab", b"\x1dV\x07", b"\x1bt\xfe", b"\x07"])
def test_an_unknown_command_is_shown_with_its_place(command: bytes) -> None:
    papers, _ = interpret(b"ok\n" + command + CUT, 384)
    (unknown,) = papers[0].unknown
    assert unknown.offset == 3
    assert unknown.data == command[: len(unknown.data)]
    assert str(unknown).endswith("at byte 3")
    assert papers[0].image.crop((0, 30, 384, 58)).histogram()[0] > 384 * 28 / 2, "a dark line on the paper"


def test_the_drawer_is_recorded() -> None:
    printer = Dummy()
    printer.cashdraw(2)
    printer.cut(feed=False)
    papers, _ = interpret(printer.output, 384)
    assert papers[0].pulses == 1


def test_offsets_count_over_many_feeds() -> None:
    parser = Parser(384)
    parser.feed(b"abc\n")
    assert [operation for operation in parser.feed(b"\x1bZ") if isinstance(operation, UnknownCommand)] == [
        UnknownCommand(4, b"\x1bZ")
    ]


def test_a_raster_that_breaks_off_swallows_what_follows_until_it_is_full() -> None:
    raster = b"\x1dv0\x00\x02\x00\x0a\x00" + b"\xff" * 5
    parser = Parser(384)
    assert not any(isinstance(operation, Cut) for operation in parser.feed(raster + CUT))
    assert any(isinstance(operation, Cut) for operation in parser.feed(bytes(20) + CUT))
