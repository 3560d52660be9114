"""A letter's code on the narrowest paper: read from the dots, and from what a camera makes of them."""

from dataclasses import replace
from datetime import date

import cv2
import numpy
import pytest
import zxingcpp
from bench.bench_decoding import MIXES, before_camera, with_noise
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardware.code_scanner.decoding import STEPS, FrameDecoder
from kiosk.codes import LetterFacts, Signer
from kiosk.paper import thermal
from kiosk.paper.document import Document, QrCode

WIDTH_DOTS, DOTS_PER_MM = 384, 203 / 25.4  # 58 mm paper prints 48 mm
#: Of so many views, as many at least are read at the first try; whoever is not read holds it again.
VIEWS, LEAST_READ = 12, {"easy": 12, "medium": 9}
#: Dots to a module, as the paper has room for.
MODULE_DOTS = {"usual": 5, "longest plausible": 4}
#: A camera above a flat slot that is as wide as the paper; the kiosk's own is asked for 1280×720.
CAMERA_PX = (1280, 720)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
USUAL = LetterFacts(
    "35.23.12.2002",
    "9f86d081884c7d659a2feaa0c55ad015",
    "domisili",
    "400.12.2.1/012/35.23.12.2002/XI/2026",
    "S*** A*****",
    date(2026, 11, 24),
    date(2027, 2, 22),
)
LONGEST_PLAUSIBLE = replace(
    USUAL,
    letter_type="keterangan_penghasilan_orang_tua",
    letter_number="400.10.2.2/1234/35.23.12.2002/VIII/2026",
    masked_name=" ".join("M" + "*" * 11 for _ in range(5)),
)
#: What no village writes, and its settings and its register would still let through.
LONGEST_POSSIBLE = replace(USUAL, letter_type="k" * 40, letter_number="4" * 120, masked_name="R" + "*" * 199)

CODES = {
    "usual": Signer(KEY, USUAL.village_code, "1", "HTTPS://CEK.SOCOREJO.DESA.ID/S/").letter(USUAL),
    "longest plausible": Signer(KEY, USUAL.village_code, "12", "HTTPS://CEK.SUMBERNGEPOHKULON.DESA.ID/S/").letter(
        LONGEST_PLAUSIBLE
    ),
    "longest possible": Signer(KEY, USUAL.village_code, "12", f"HTTPS://{'A' * 52}/").letter(LONGEST_POSSIBLE),
}


def printed(payload: str) -> numpy.ndarray:
    """The code as it stands on the paper, in the printer's dots, with some paper around it."""
    image = thermal.render(Document((QrCode(payload, "Pindai kode ini"),)), WIDTH_DOTS, DOTS_PER_MM)
    return numpy.array(image.convert("L"))


def square(picture: numpy.ndarray) -> numpy.ndarray:
    """The code alone, with the quiet zone that the paper gives it."""
    [code] = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    at, side = code.position.top_left, code.position.bottom_right.x - code.position.top_left.x
    quiet = min(at.x, WIDTH_DOTS - at.x - side, at.y)
    return picture[at.y - quiet : at.y + side + quiet, at.x - quiet : at.x + side + quiet]


@pytest.mark.parametrize("name", CODES)
def test_it_reads_back_from_the_dots(name):
    [code] = zxingcpp.read_barcodes(printed(CODES[name]), formats=zxingcpp.BarcodeFormat.QRCode)
    assert code.bytes == CODES[name].encode()


@pytest.mark.parametrize("mix", MIXES[:2], ids=lambda mix: mix.name)
@pytest.mark.parametrize("name", ["usual", "longest plausible"])
def test_it_reads_back_from_what_a_camera_sees(name, mix):
    """Blurred ink, then turned, tilted, dim, out of focus and noisy, as the bench of decoders has it; each view for as
    many frames as the decoder takes for all its tries."""
    dice = numpy.random.default_rng(7)
    bled = cv2.GaussianBlur(square(printed(CODES[name])), (0, 0), 0.8)  # a thermal dot has no sharp edge
    read = []
    for _ in range(VIEWS):
        decoder, still = FrameDecoder(), before_camera(bled, MODULE_DOTS[name], mix, dice, CAMERA_PX)
        answers = (decoder.decode(with_noise(still, mix, dice)) for _ in range(STEPS))
        read.append(next((answer for answer in answers if answer is not None), None))
    assert {answer for answer in read if answer is not None} == {CODES[name].encode()}  # never another text
    assert sum(answer is not None for answer in read) >= LEAST_READ[mix.name]
