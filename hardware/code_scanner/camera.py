"""A camera that looks for QR codes, through OpenCV (V4L2 for USB cameras).

The camera is open only while the scanner listens: nobody is filmed who was not asked to show a code, and the
camera's lamp says so. The price is the time a camera takes to open, some tenths of a second for a UVC camera, which
passes while the resident brings the letter to the slot.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hardware.code_scanner.decoding import CodeRefused, FrameDecoder, load_decoders
from hardware.code_scanner.listening import ABSENT, NO_PERMISSION, Listening, ListeningScanner
from hardware.code_scanner.motion import MotionGate
from hardware.device import DeviceError, DeviceState

if TYPE_CHECKING:
    import cv2
    import numpy

log = logging.getLogger(__name__)

NO_DECODER = "SCANNER-NO-DECODER"
#: Between looks. A hand shows a code for a second or more; looking more often only heats the machine.
LOOK_EVERY_S = 0.08
#: A camera that is not in use is not opened to see whether it is still there, but its device file is looked for.
PRESENCE_EVERY_S = 5.0
#: A frame that came sooner than this had been waiting in the driver's buffers.
_WAITED_S = 0.002
#: For `read()` on a camera that sends nothing; in whole seconds, so that `stop()` is prompt.
_FRAME_TIMEOUT_S = 1


@dataclass
class CameraStatistics:
    """Since the start of the driver."""

    frames: int = 0
    #: Frames that the motion gate let pass to the decoders.
    tries: int = 0
    decoder_errors: int = 0


class CameraScanner(ListeningScanner):
    """Looks at `source`: a V4L2 device file, or a video or numbered pictures ("seen/%03d.png") in its place.

    ABSENT (SCANNER-ABSENT) when no frame comes, whatever `isOpened()` says: after an unplug OpenCV goes on saying yes.
    FAULT (SCANNER-NO-PERMISSION) when the device file may not be read, FAULT (SCANNER-NO-DECODER) when a library is
    missing. Keep the camera's anti-flicker at 50 Hz, or the mains' banding looks like motion.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        source: str = "/dev/video0"
        frame_width_px: int = 1280
        frame_height_px: int = 720

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name)
        self.options = options
        self._is_device = options.source.startswith("/dev/")
        self.statistics = CameraStatistics()
        self._capture: cv2.VideoCapture | None = None
        self._frames_in_buffers = 0
        self._looked_in: Listening | None = None
        self._gate = MotionGate()
        self._decoder = FrameDecoder()

    def _open(self) -> None:
        try:
            load_decoders()
        except ImportError as error:
            raise DeviceError(DeviceState.FAULT, NO_DECODER, error.name or str(error)) from error
        self._open_capture()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            if listening := self._listening:
                if self._capture is None:
                    self._open_capture()
                if self._looked_in is not listening:  # what lies there already is news to a new visitor
                    self._looked_in, self._gate, self._decoder = listening, MotionGate(), FrameDecoder()
                self._look(listening)
                self._rest(LOOK_EVERY_S)
            else:
                self._close()
                self._check_presence()
                self._rest(PRESENCE_EVERY_S)

    def _close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _open_capture(self) -> None:
        # OpenCV's own time-out is ten seconds; it reads this when the first camera is opened.
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(_FRAME_TIMEOUT_S))
        import cv2

        cv2.setNumThreads(1)  # the kiosk's other threads need the cores more
        self._check_presence()
        self._capture = cv2.VideoCapture(self.options.source, self._backend())
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, self.options.frame_width_px)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self.options.frame_height_px)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._frames_in_buffers = max(0, int(self._capture.get(cv2.CAP_PROP_BUFFERSIZE)))  # 0 for videos and pictures
        if not self._capture.grab():
            raise self._absent()

    def _backend(self) -> int:
        import cv2

        if self._is_device:
            return cv2.CAP_V4L2
        # FFmpeg reads dozens of pictures ahead; OpenCV's own reader takes each when its turn comes, as a camera does.
        return cv2.CAP_IMAGES if "%" in self.options.source else cv2.CAP_ANY

    def _check_presence(self) -> None:
        if not self._is_device:
            return
        source = self.options.source
        if not Path(source).exists():
            raise self._absent()
        if not os.access(source, os.R_OK | os.W_OK):
            raise DeviceError(DeviceState.FAULT, NO_PERMISSION, source)

    def _absent(self) -> DeviceError:
        return DeviceError(DeviceState.ABSENT, ABSENT, self.options.source)

    def _look(self, listening: Listening) -> None:
        grey = self._fresh_frame()
        self.statistics.frames += 1
        if not self._gate.lets_pass(grey, time.monotonic()):
            return
        self.statistics.tries += 1
        try:
            payload = self._decoder.decode(grey)
        except CodeRefused as refused:
            self._tell_unreadable(refused.code, listening)
        except Exception:
            # What a stranger's picture does to a decoder must not end the looking: the next frame is another one.
            if self.statistics.decoder_errors == 0:
                log.exception("%s %s: a decoder failed (told once)", self.kind, self.name)
            self.statistics.decoder_errors += 1
        else:
            if payload is not None:
                self._tell_code(payload, listening)

    def _fresh_frame(self) -> numpy.ndarray:
        """The view as it is now, grey: frames that waited in the buffers meanwhile are passed over."""
        import cv2

        for _ in range(self._frames_in_buffers):
            began_s = time.monotonic()
            if not self._capture.grab():
                raise self._absent()
            if time.monotonic() - began_s > _WAITED_S:
                break
        else:
            if not self._capture.grab():
                raise self._absent()
        done, frame = self._capture.retrieve()
        if not done:
            raise self._absent()
        return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) if frame.ndim == 3 else frame
