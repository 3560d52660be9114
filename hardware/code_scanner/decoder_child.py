"""The decoding process: a program of its own, started by `decoder_process.py`, never imported by the kiosk.

    python -m hardware.code_scanner.decoder_child camera SOURCE WIDTH_PX HEIGHT_PX
    python -m hardware.code_scanner.decoder_child pictures

Standard input is the socket that orders come on and answers go out on; its end is the end of the process. The
libraries are loaded and tried at once; on OPEN the camera is opened and then the process confines itself, before the
first frame is looked at.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

from hardware.code_scanner.capture import Absent, Capture
from hardware.code_scanner.decoder_messages import (
    LARGEST_PICTURE_BYTES,
    LONGEST_ORDER,
    LONGEST_SIDE_PX,
    LOOK,
    OPEN,
    PHOTOGRAPH,
    PICTURE_SIZE,
    WATCH,
    Answer,
)
from hardware.code_scanner.decoding import STEPS, CodeRefused, FrameDecoder, load_decoders
from hardware.code_scanner.interface import FRAME_PX, PhotoFlaw
from hardware.code_scanner.judging import flaw_of, small
from hardware.code_scanner.motion import MotionGate
from hardware.code_scanner.pi_camera import SOURCE_PREFIX, NoPicamera2, PiCamera
from hardware.code_scanner.sandbox import NotConfined, confine, die_with_parent

if TYPE_CHECKING:
    import numpy


class CameraView:
    """What a camera sees, frame by frame."""

    def __init__(self, source: str, width_px: str, height_px: str) -> None:
        self._source, self._size_px = source, (int(width_px), int(height_px))
        self._gate = MotionGate()
        self._decoder = FrameDecoder()
        # Its process takes long to load, and this is the time to wait for a visitor.
        self._pi_camera = PiCamera(source, *self._size_px) if source.startswith(SOURCE_PREFIX) else None

    def open(self) -> None:
        self._capture = self._pi_camera or Capture(self._source, *self._size_px)
        if not self._source.startswith("/dev/"):
            self._capture.fresh_frame()  # FFmpeg starts its threads with a video's first frame
        # Numbered pictures are opened while they are looked at. Neither they nor videos are a stranger's.
        confine(may_read_files="%" in self._source, largest_file_bytes=LARGEST_PICTURE_BYTES)
        self._capture.grab()

    def watch(self, size: bytes, descriptors: list[int]) -> bytes:
        frame = small(self._capture.fresh_picture(), *FRAME_PX)
        return _handed_over(frame, descriptors, Answer.FRAME)

    def photograph(self, size: bytes, descriptors: list[int]) -> bytes:
        picture = small(self._capture.fresh_picture(), LONGEST_SIDE_PX, LONGEST_SIDE_PX)
        return _handed_over(picture, descriptors, _JUDGEMENTS[flaw_of(picture)])

    def look(self, size: bytes, descriptors: list[int]) -> bytes:
        grey = self._capture.fresh_frame()
        if not self._gate.lets_pass(grey, time.monotonic()):
            return Answer.STILL.value
        return _answer(self._decoder.glance(grey) if self._gate.is_still else self._decoder.decode(grey))


class PicturesView:
    """Pictures that the kiosk hands over, each long enough for the decoders to try everything on it."""

    def open(self) -> None:
        confine()

    def watch(self, size: bytes, descriptors: list[int]) -> bytes:
        raise Absent  # who hands the pictures over has them

    def photograph(self, size: bytes, descriptors: list[int]) -> bytes:
        return _JUDGEMENTS[flaw_of(_handed_in(size, descriptors, (3,)))].value + size

    def look(self, size: bytes, descriptors: list[int]) -> bytes:
        grey = _handed_in(size, descriptors)
        decoder = FrameDecoder()
        tries = (decoder.decode(grey) for _ in range(STEPS))
        return _answer(next((payload for payload in tries if payload is not None), None))


VIEWS = {"camera": CameraView, "pictures": PicturesView}
_JUDGEMENTS = {
    None: Answer.PHOTO,
    PhotoFlaw.DARK: Answer.DARK,
    PhotoFlaw.BLURRED: Answer.BLURRED,
    PhotoFlaw.EMPTY: Answer.EMPTY,
}


def _handed_in(size: bytes, descriptors: list[int], colours: tuple[int, ...] = ()) -> numpy.ndarray:
    import numpy

    width_px, height_px = struct.unpack(PICTURE_SIZE, size)
    shape = (height_px, width_px, *colours)
    (descriptor,) = descriptors
    return numpy.frombuffer(os.pread(descriptor, numpy.prod(shape), 0), numpy.uint8).reshape(shape)


def _handed_over(picture: numpy.ndarray, descriptors: list[int], answer: Answer) -> bytes:
    (descriptor,) = descriptors
    rest = memoryview(picture).cast("B")
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    height_px, width_px, _ = picture.shape
    return answer.value + struct.pack(PICTURE_SIZE, width_px, height_px)


def _answer(payload: bytes | None) -> bytes:
    return Answer.NOTHING.value if payload is None else Answer.CODE.value + payload


def try_decoders() -> None:
    """Read a code with every step, so that no library has anything left to load or open when it no longer may.

    ImportError where a library is missing.
    """
    load_decoders()
    import cv2
    import numpy
    import zxingcpp

    cv2.setNumThreads(1)  # the kiosk needs the other cores more
    code = zxingcpp.create_barcode("TRIED", zxingcpp.BarcodeFormat.QRCode)
    picture: numpy.ndarray = numpy.array(code.to_image(scale=4))
    MotionGate().lets_pass(picture, 0.0)
    for frame in (picture, numpy.full_like(picture, 255)):
        decoder = FrameDecoder()
        for _ in range(STEPS):
            decoder.decode(frame)
    flaw_of(small(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), 64, 64))


def answer(view: CameraView | PicturesView, order: bytes, descriptors: list[int]) -> bytes:
    try:
        if order == OPEN:
            view.open()
            return Answer.OPENED.value
        do = {LOOK: view.look, WATCH: view.watch, PHOTOGRAPH: view.photograph}[order[:1]]
        return do(order[1:], descriptors)
    except Absent:
        return Answer.ABSENT.value
    except NoPicamera2:
        return Answer.NO_PICAMERA2.value
    except NotConfined:
        return Answer.UNCONFINED.value
    except CodeRefused:
        return Answer.PART.value
    except (AttributeError, NameError, TypeError):
        raise  # our own mistake, not the picture's: the process ends, which the kiosk counts and tells
    except Exception:
        # What a stranger's picture does to a decoder must not end the looking: the next frame is another one.
        return Answer.ERROR.value


def serve(kiosk: socket.socket, view: CameraView | PicturesView) -> None:
    while True:
        order, descriptors, _, _ = socket.recv_fds(kiosk, LONGEST_ORDER, 1)
        if not order:
            return
        kiosk.send(answer(view, order, descriptors))
        for descriptor in descriptors:
            os.close(descriptor)


def main(arguments: list[str]) -> None:
    die_with_parent()  # had the kiosk died before this, the socket would end
    kiosk = socket.socket(fileno=sys.stdin.fileno())
    name, *options = arguments
    try:
        try_decoders()
    except ImportError:
        kiosk.send(Answer.NO_DECODER.value)
        return
    kiosk.send(Answer.READY.value)
    serve(kiosk, VIEWS[name](*options))


if __name__ == "__main__":
    main(sys.argv[1:])
