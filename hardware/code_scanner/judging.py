"""Whether a photo of a paper is of any use, as far as a machine can see; runs in the decoding process only.

The limits were set with drawn papers from 640×480 up, sharp to out of focus, in good light to next to none: text on a
paper is lost somewhere between the last picture that passes and the first that does not. A person looks at every photo
besides: the resident at once, an officer later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hardware.code_scanner.interface import PhotoFlaw

if TYPE_CHECKING:
    import numpy

#: Pictures are judged at this size, where a camera's noise is averaged out and strokes of text still are strokes.
JUDGED_SIDE_PX = 1000
_NOISE_PX = 0.8
#: Grey levels of 255: a paper's white is above, also in a dim hall ...
DARKEST_PAPER = 70
#: ... and ink, or the table beside the paper, is this much darker or lighter.
LEAST_CONTRAST = 25
#: How sharply the sharpest edges bend (Laplacian), as a share of the contrast. Drawn papers out of focus by 1, 2, 3
#: and 5 pixels of 1 920 have 0.54, 0.29, 0.14 and 0.05.
LEAST_SHARPNESS = 0.2
_SHARPEST_PERCENTILE = 99.5


def flaw_of(picture: numpy.ndarray) -> PhotoFlaw | None:
    """What is wrong with `picture` (RGB, uint8, height × width × 3); None for nothing."""
    import cv2
    import numpy

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = JUDGED_SIDE_PX / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(grey, (0, 0), _NOISE_PX)
    dark, light = numpy.percentile(grey, (1, 99))
    if light < DARKEST_PAPER:
        return PhotoFlaw.DARK
    if light - dark < LEAST_CONTRAST:
        return PhotoFlaw.EMPTY
    bends = numpy.abs(cv2.Laplacian(grey, cv2.CV_32F))
    if numpy.percentile(bends, _SHARPEST_PERCENTILE) < LEAST_SHARPNESS * (light - dark):
        return PhotoFlaw.BLURRED
    return None


def small(picture: numpy.ndarray, width_px: int, height_px: int) -> numpy.ndarray:
    """`picture` made so small that it fits, its proportions kept."""
    import cv2

    scale = min(width_px / picture.shape[1], height_px / picture.shape[0])
    if scale >= 1:
        return picture
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
