"""What only the virtual scanner has: the outside world."""

import pytest
from PIL import Image

from hardware.code_scanner.interface import CodeScanned, CodeUnreadable


@pytest.fixture
def bench(virtual):
    virtual.start()
    virtual.scanner.listen(True)
    return virtual


def test_a_picture_goes_through_the_real_decoders(bench, pictures):
    bench.scanner.show_picture(pictures.qr(b"ON PAPER").convert("RGB"))
    assert bench.events.next_reading() == CodeScanned("bench", b"ON PAPER")


def test_a_picture_without_a_code_is_nothing(bench, pictures):
    bench.scanner.show_picture(Image.new("RGB", (640, 480), "white"))
    bench.scanner.show_picture(pictures.qr(b"ON PAPER"))
    assert bench.events.next_reading() == CodeScanned("bench", b"ON PAPER")


def test_a_part_of_a_code_is_refused(bench, pictures):
    bench.scanner.show_picture(pictures.part(b"HALF"))
    assert bench.events.next_reading() == CodeUnreadable("bench", "SCANNER-PART-OF-CODE")


def test_four_kilobytes_are_refused(bench):
    bench.show(b"A" * 4096)
    assert bench.events.next_reading() == CodeUnreadable("bench", "SCANNER-TOO-LONG")


def test_binary_junk_comes_through_as_it_is(bench):
    bench.show(bytes(range(256)))
    assert bench.events.next_reading().payload == bytes(range(256))


def test_what_is_shown_to_an_unplugged_scanner_is_not_seen(bench):
    bench.unplug()
    bench.show(b"UNSEEN")
    bench.plug()
    bench.events.wait_until(lambda: bench.scanner.status.serving)
    bench.show(b"SEEN")
    assert bench.events.next_reading().payload == b"SEEN"


def test_says_that_it_is_of_the_bench(virtual):
    assert virtual.scanner.virtual
