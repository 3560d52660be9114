"""From a grey picture to the bytes of its QR code.

zxing-cpp first, then zbar: zxing-cpp is faster, returns the payload's very bytes and reads dark-mode screens; zbar
reads steep tilt and very dark frames that zxing-cpp does not. Both look for QR only. The libraries are imported on
first use, since they are not on the kiosk's start path.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    import zxingcpp

#: One part of a structured-append code: it is not the whole payload, so it is none.
PART_OF_CODE = "SCANNER-PART-OF-CODE"


class CodeRefused(Exception):
    """A QR code was read and must not be used: it is one part of a structured-append code."""


def decode_qr(grey: numpy.ndarray) -> bytes | None:
    """The payload of the QR code in `grey` (uint8, height × width), or None when none can be read.

    Of several codes the one nearest to the picture's centre wins: a letter may carry two, and the resident aims with
    the one that is meant. Raises CodeRefused for one part of a structured-append code.
    """
    payload = _read_with_zxing(grey)
    return payload if payload is not None else _read_with_zbar(grey)


class FrameDecoder:
    """Decodes successive frames of one view, each with another enhancement: what plain reading misses, the next
    frame may give. `STEPS` frames go through all of them."""

    def __init__(self) -> None:
        self._enhancements = cycle(_ENHANCEMENTS)

    def decode(self, grey: numpy.ndarray) -> bytes | None:
        """Like `decode_qr`: the plain frame for zxing-cpp, then the enhanced one for both decoders."""
        enhance = next(self._enhancements)
        if enhance is None:
            return decode_qr(grey)
        payload = _read_with_zxing(grey)
        return payload if payload is not None else decode_qr(enhance(grey))

    def glance(self, grey: numpy.ndarray) -> bytes | None:
        """Like `decode`, with what costs least: a tenth of it where there is no code."""
        return _read_with_zxing(grey)


def load_decoders() -> None:
    """Import what decoding needs; ImportError where a library (also zbar's shared one) is missing."""
    import cv2  # noqa: F401
    import zxingcpp  # noqa: F401
    from pyzbar import pyzbar  # noqa: F401


def _read_with_zxing(grey: numpy.ndarray) -> bytes | None:
    import zxingcpp

    height_px, width_px = grey.shape

    def off_centre_px2(barcode: zxingcpp.Barcode) -> float:
        one, other = barcode.position.top_left, barcode.position.bottom_right
        return ((one.x + other.x - width_px) / 2) ** 2 + ((one.y + other.y - height_px) / 2) ** 2

    barcodes = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormat.QRCode)
    if not barcodes:
        return None
    barcode = min(barcodes, key=off_centre_px2)
    _refuse_part(barcode)
    return barcode.bytes  # `.text` would rewrite control characters


def _refuse_part(barcode: zxingcpp.Barcode) -> None:
    """zxing-cpp hands out one part of a structured-append code as if it were the whole, and its Python binding does
    not tell. zbar does, so it is shown the modules that zxing-cpp sampled, drawn anew and clean (below 1 ms)."""
    import numpy

    _read_with_zbar(numpy.array(barcode.to_image(scale=2)))


def _read_with_zbar(grey: numpy.ndarray) -> bytes | None:
    from pyzbar import pyzbar

    try:
        symbols = pyzbar.decode(grey, symbols=[pyzbar.ZBarSymbol.QRCODE])
    except ValueError as error:  # pyzbar 0.1.9 cannot name the orientation of an incomplete structured append
        raise CodeRefused from error
    height_px, width_px = grey.shape

    def off_centre_px2(symbol: pyzbar.Decoded) -> float:
        box = symbol.rect
        return (box.left + (box.width - width_px) / 2) ** 2 + (box.top + (box.height - height_px) / 2) ** 2

    # zbar guesses a character set and rewrites to UTF-8 whatever is not ASCII: such a reading may not be what the
    # code holds, so it is none.
    faithful = [symbol for symbol in symbols if symbol.type == "QRCODE" and symbol.data.isascii()]
    return min(faithful, key=off_centre_px2).data if faithful else None


def _stretch_contrast(grey: numpy.ndarray) -> numpy.ndarray:
    """The darkest 2 % become black, the lightest 2 % white."""
    import cv2
    import numpy

    dark, light = numpy.percentile(grey[::4, ::4], (2, 98))
    scale = 255 / max(light - dark, 1)
    return cv2.addWeighted(grey, scale, grey, 0, -dark * scale)


def _remove_specks(grey: numpy.ndarray) -> numpy.ndarray:
    import cv2

    return cv2.medianBlur(grey, 3)


def _sharpen(grey: numpy.ndarray) -> numpy.ndarray:
    """Unsharp mask."""
    import cv2

    return cv2.addWeighted(grey, 2.5, cv2.GaussianBlur(grey, (0, 0), 2), -1.5, 0)


_ENHANCEMENTS: tuple[Callable[[numpy.ndarray], numpy.ndarray] | None, ...] = (
    None, _stretch_contrast, _remove_specks, _sharpen,
)  # fmt: skip
#: How many frames it takes `FrameDecoder` to try everything.
STEPS = len(_ENHANCEMENTS)
