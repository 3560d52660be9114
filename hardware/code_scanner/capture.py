"""The camera itself, through OpenCV (V4L2 for USB cameras); runs in the decoding process only."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

#: A frame that came sooner than this had been waiting in the driver's buffers.
_WAITED_S = 0.002
#: linux/videodev2.h: VIDIOC_S_CTRL is _IOWR('V', 28, struct v4l2_control), which is an id (u32) and a value (s32).
_VIDIOC_S_CTRL = 0xC008561C
_CONTROL = "=Ii"
_POWER_LINE_FREQUENCY, _50_HZ = 0x00980918, 1


class Absent(Exception):
    """No frame comes."""


class Capture:
    """Frames from `source`: a V4L2 device file, or a video or numbered pictures ("seen/%03d.png") in its place."""

    def __init__(self, source: str, width_px: int, height_px: int) -> None:
        import cv2

        if source.startswith("/dev/"):
            _set_anti_flicker(source)
        self._capture = cv2.VideoCapture(source, _backend(source))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width_px)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height_px)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._frames_in_buffers = max(0, int(self._capture.get(cv2.CAP_PROP_BUFFERSIZE)))  # 0 for videos and pictures

    def grab(self) -> None:
        """Raises Absent when no frame comes, whatever `isOpened()` says: after an unplug OpenCV goes on saying yes."""
        if not self._capture.grab():
            raise Absent

    def fresh_frame(self) -> numpy.ndarray:
        """The view as it is now, grey (uint8, height × width)."""
        return _in(self._fresh(), "GRAY")

    def fresh_picture(self) -> numpy.ndarray:
        """The view as it is now, in colour (RGB, uint8, height × width × 3)."""
        return _in(self._fresh(), "RGB")

    def _fresh(self) -> numpy.ndarray:
        """As OpenCV gives it, BGR or grey: frames that waited in the buffers are passed over."""
        for _ in range(self._frames_in_buffers):
            began_s = time.monotonic()
            self.grab()
            if time.monotonic() - began_s > _WAITED_S:
                break
        else:
            self.grab()
        done, frame = self._capture.retrieve()
        if not done:
            raise Absent
        return frame


def _in(frame: numpy.ndarray, colours: str) -> numpy.ndarray:
    import cv2

    given = "BGR" if frame.ndim == 3 else "GRAY"
    return frame if given == colours else cv2.cvtColor(frame, getattr(cv2, f"COLOR_{given}2{colours}"))


def _backend(source: str) -> int:
    import cv2

    if source.startswith("/dev/"):
        return cv2.CAP_V4L2
    # FFmpeg reads dozens of pictures ahead; OpenCV's own reader takes each when its turn comes, as a camera does.
    return cv2.CAP_IMAGES if "%" in source else cv2.CAP_ANY


def _set_anti_flicker(device: str) -> None:
    """For Indonesia's mains: under 50 Hz lamps a camera set for 60 Hz shows bands that wander, which look like motion.

    The device keeps the setting; OpenCV has no name for it.
    """
    with contextlib.suppress(OSError):  # a camera without this control, or none at all, as `grab` will tell
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(descriptor, _VIDIOC_S_CTRL, struct.pack(_CONTROL, _POWER_LINE_FREQUENCY, _50_HZ))
        finally:
            os.close(descriptor)
