"""A Raspberry Pi's camera module, which V4L2 alone cannot drive; runs in the decoding process only.

libcamera goes on opening, mapping and signalling things for as long as it runs, so it would not survive the
confinement. It therefore has a process of its own, and the decoding process, which is what strangers' codes go into,
keeps a pipe of frames.
"""

from __future__ import annotations

import select
import struct
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hardware.code_scanner.capture import Absent
from hardware.code_scanner.picamera2_frames import FRAME_SIZE, NO_PICAMERA2

if TYPE_CHECKING:
    import numpy

#: "picamera2:0" is the first camera module, in the order of `rpicam-hello --list-cameras`.
SOURCE_PREFIX = "picamera2:"
#: It dies with the decoding process, which is killed when its looking is over.
COMMAND = ("/usr/bin/setpriv", "--pdeathsig", "KILL", "/usr/bin/python3", "-I")
_FRAMES = Path(__file__).with_name("picamera2_frames.py")

#: For the libraries to load and the camera to start. Shorter than the decoding process may take for it (OPEN_S).
FIRST_FRAME_S = 7.0
FRAME_S = 1.0


class NoPicamera2(Exception):
    """picamera2 is not installed."""


class PiCamera:
    """Frames of the camera module `source`. Its libraries begin to load at once, and the first frame opens it."""

    def __init__(self, source: str, width_px: int, height_px: int) -> None:
        number = source.removeprefix(SOURCE_PREFIX)
        self._process = subprocess.Popen(
            [*COMMAND, str(_FRAMES), number, str(width_px), str(height_px)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._patience_s = FIRST_FRAME_S
        self._readable = select.poll()
        self._readable.register(self._process.stdout, select.POLLIN)

    def grab(self) -> None:
        """Raises Absent when no frame comes."""
        self._fresh()

    def fresh_frame(self) -> numpy.ndarray:
        """The view as it is now, grey (uint8, height × width). Raises Absent, and NoPicamera2 for the first."""
        planes = self._fresh()
        return planes[: len(planes) * 2 // 3]

    def fresh_picture(self) -> numpy.ndarray:
        """The view as it is now, in colour (RGB, uint8, height × width × 3). Raises as `fresh_frame` does."""
        import cv2

        return cv2.cvtColor(self._fresh(), cv2.COLOR_YUV2RGB_I420)

    def _fresh(self) -> numpy.ndarray:
        """As the module's process gives it, I420 (uint8, 1.5 height × width)."""
        import numpy

        until_s = time.monotonic() + self._patience_s
        self._ask()
        width_px, height_px = struct.unpack(FRAME_SIZE, self._read(struct.calcsize(FRAME_SIZE), until_s))
        planes = self._read(width_px * height_px * 3 // 2, until_s)
        self._patience_s = FRAME_S
        return numpy.frombuffer(planes, numpy.uint8).reshape(-1, width_px)

    def _ask(self) -> None:
        try:
            self._process.stdin.write(b".")
        except BrokenPipeError as error:
            raise self._why_it_ended() from error

    def _read(self, size: int, until_s: float) -> bytearray:
        data = bytearray(size)
        unread = memoryview(data)
        while unread:
            if not self._readable.poll(max(0.0, until_s - time.monotonic()) * 1000):
                raise Absent
            count = self._process.stdout.readinto(unread)
            if not count:
                raise self._why_it_ended()
            unread = unread[count:]
        return data

    def _why_it_ended(self) -> Absent | NoPicamera2:
        """Once confined, this process can no longer ask (the kernel refuses), nor need it: the library was there."""
        if self._patience_s == FRAME_S:
            return Absent()
        return NoPicamera2() if self._process.wait(FRAME_S) == NO_PICAMERA2 else Absent()
