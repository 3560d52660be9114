"""A scanner without a scanner, driven from the outside world: for the bench and for tests."""

from __future__ import annotations

import os
import struct
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from hardware.code_scanner.decoder_messages import PICTURE_SIZE
from hardware.code_scanner.decoder_process import DecodingScanner
from hardware.code_scanner.listening import ABSENT, Listening
from hardware.device import DeviceError, DeviceState

if TYPE_CHECKING:
    from PIL import Image

#: A larger picture is made smaller: no camera sees more.
LONGEST_SIDE_PX = 4096


@dataclass(frozen=True)
class _Shown:
    what: bytes | Image.Image
    listening: Listening | None


class VirtualScanner(DecodingScanner):
    """The outside world shows it codes and unplugs it, from any thread; what is shown while it does not listen, or
    is unplugged, is not seen."""

    virtual = True

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        pass

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name, ("pictures",))
        self.options = options
        self._plugged = True
        self._shown: deque[_Shown] = deque()

    # The outside world.

    def show(self, payload: bytes) -> None:
        """Hold a code in front of the scanner."""
        self._hold_up(payload)

    def show_picture(self, picture: Image.Image) -> None:
        """Hold a picture in front of the scanner, long enough for the real decoders to try everything on it."""
        self._hold_up(picture)

    def unplug(self) -> None:
        self._plugged = False
        self._wake.set()

    def plug(self) -> None:
        """The driver notices at its next try to open, as with any device."""
        self._plugged = True

    def _hold_up(self, what: bytes | Image.Image) -> None:
        if self._plugged:
            self._shown.append(_Shown(what, self._listening))
            self._wake.set()

    # The driver.

    def _open(self) -> None:
        self._shown.clear()
        self._check_plugged()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._check_plugged()
            while self._shown:
                self._see(self._shown.popleft())
            self._rest()

    def _check_plugged(self) -> None:
        if not self._plugged:
            raise DeviceError(DeviceState.ABSENT, ABSENT)

    def _see(self, shown: _Shown) -> None:
        if isinstance(shown.what, bytes):
            self._tell_code(shown.what, shown.listening)
        else:
            self._see_picture(shown.what, shown.listening)

    def _see_picture(self, picture: Image.Image, listening: Listening | None) -> None:
        """In the decoding process that a camera has too; it is started for the first picture."""
        grey = picture.convert("L")
        grey.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        descriptor = os.memfd_create("picture")
        with os.fdopen(descriptor, "wb", buffering=0) as shared:
            shared.write(grey.tobytes())
            size = struct.pack(PICTURE_SIZE, *grey.size)
            self._tell_answer(*self._decoder.look(size, descriptor), listening)
