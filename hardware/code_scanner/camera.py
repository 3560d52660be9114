"""A camera that looks for QR codes and photographs papers.

The camera is open only while the scanner listens or is watched: nobody is filmed who was not asked to show something,
and the camera's lamp says so. The price is the time a camera takes to open, some tenths of a second for a UVC camera,
which passes while the resident brings the letter to the slot. It is opened and looked through in another process
(`decoder_process.py` says why): one for codes, and one for photos, which opens the camera with more pixels.
"""

import os
from pathlib import Path

import msgspec

from hardware.code_scanner.decoder_messages import PHOTOGRAPH, WATCH
from hardware.code_scanner.decoder_process import Decoder
from hardware.code_scanner.listening import ABSENT, NO_PERMISSION, Listening
from hardware.code_scanner.photographing import PhotographingScanner
from hardware.device import DeviceError, DeviceState

#: Between looks. A hand shows a code for a second or more; looking more often only heats the machine.
LOOK_EVERY_S = 0.08
#: A camera that is not in use is not opened to see whether it is still there, but its device file is looked for.
PRESENCE_EVERY_S = 5.0
#: Between frames for a person who lays a paper straight.
WATCH_EVERY_S = 0.1


class CameraScanner(PhotographingScanner):
    """Looks at `source`: a V4L2 device file; a Raspberry Pi's camera module ("picamera2:0"); or a video or numbered
    pictures ("seen/%03d.png") in their place.

    ABSENT (SCANNER-ABSENT) when no frame comes. FAULT: SCANNER-NO-PERMISSION when the device file may not be read,
    SCANNER-NO-DECODER when a library is missing (SCANNER-NO-PICAMERA2 for that one), SCANNER-SANDBOX when the decoding
    process cannot be confined here (then nothing is decoded), SCANNER-DECODER when it dies again and again.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        source: str = "/dev/video0"
        frame_width_px: int = 1280
        frame_height_px: int = 720
        #: Of photos: a camera that cannot gives what it can. A page of A4 wants some 1 900 pixels.
        photo_width_px: int = 1920
        photo_height_px: int = 1080

    def __init__(self, name: str, options: Options) -> None:
        size_px = options.frame_width_px, options.frame_height_px
        super().__init__(name, ("camera", options.source, *map(str, size_px)))
        self.options = options
        self._is_device = options.source.startswith("/dev/")
        self._looked_in: Listening | None = None
        photo_px = options.photo_width_px, options.photo_height_px
        self._photographer = Decoder(name, ("camera", options.source, *map(str, photo_px)), self._stopping)

    def _open(self) -> None:
        self._decoder.check()
        self._check_presence()
        self._looked_in = self._listening
        self._decoder.open()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            if self._is_wanted:
                self._be_camera()
            else:
                self._photographer.close()
                self._be_scanner()

    def _be_camera(self) -> None:
        if self._decoder.is_open:  # a camera opens once
            self._decoder.renew()
        awaited, watching = self._awaited, self._watching
        if awaited is not None and not awaited.done():
            self._tell_photo(awaited, *self._photographer.see(PHOTOGRAPH))
        elif watching is not None:
            _, frame = self._photographer.see(WATCH)
            if frame is not None:
                self._tell_frame(frame, watching)
            self._rest(WATCH_EVERY_S)

    def _be_scanner(self) -> None:
        listening = self._listening
        if self._decoder.is_open and (listening is None or listening is not self._looked_in):
            # What it saw was for an earlier visitor; and what lies there already is news to a new one.
            self._decoder.renew()
        if listening is None:
            self._check_presence()
            self._rest(PRESENCE_EVERY_S)
        else:
            self._looked_in = listening
            self._tell_answer(*self._decoder.look(), listening)
            self._rest(LOOK_EVERY_S)

    def _interrupt(self) -> None:
        super()._interrupt()
        self._photographer.interrupt()

    def _close(self) -> None:
        self._photographer.close()
        super()._close()

    def _check_presence(self) -> None:
        if not self._is_device:
            return
        source = self.options.source
        if not Path(source).exists():
            raise DeviceError(DeviceState.ABSENT, ABSENT, source)
        if not os.access(source, os.R_OK | os.W_OK):
            raise DeviceError(DeviceState.FAULT, NO_PERMISSION, source)
