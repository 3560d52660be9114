"""A scanner without a scanner, driven from the outside world: for the bench and for tests."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from hardware.code_scanner.decoder_messages import LONGEST_SIDE_PX, PHOTOGRAPH, PICTURE_SIZE
from hardware.code_scanner.decoder_process import picture_file
from hardware.code_scanner.example_paper import example_paper
from hardware.code_scanner.interface import FRAME_PX, Picture
from hardware.code_scanner.listening import ABSENT, Listening
from hardware.code_scanner.photographing import PhotographingScanner, Watching
from hardware.device import DeviceError, DeviceState

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class _Shown:
    what: bytes | Image.Image
    listening: Listening | None


class VirtualScanner(PhotographingScanner):
    """The outside world shows it codes, lays papers before it and unplugs it, from any thread. A code that is shown
    while it does not listen, or is unplugged, is not seen; a paper lies there until another does."""

    virtual = True

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        camera: bool = True  # False: one that reads codes and nothing else

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name, ("pictures",))
        self.options = options
        self._plugged = True
        self._shown: deque[_Shown] = deque()
        self.can_photograph = options.camera
        self._paper: Image.Image | None = None  # the example, drawn when it is first seen
        self._told: tuple[Watching | None, Image.Image | None] = (None, None)

    # The outside world.

    def show(self, payload: bytes) -> None:
        """Hold a code in front of the scanner."""
        self._hold_up(payload)

    def show_picture(self, picture: Image.Image) -> None:
        """Hold a picture in front of the scanner, long enough for the real decoders to try everything on it."""
        self._hold_up(picture)

    def lay_paper(self, paper: Image.Image) -> None:
        """Lay a paper before the camera, in place of the one that lies there: a picture of all that it sees then."""
        self._paper = paper
        self._wake.set()

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
        self._told = (None, None)
        self._check_plugged()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._check_plugged()
            if self._is_wanted:
                self._be_camera()
            while self._shown:
                self._see(self._shown.popleft())
            self._rest()

    def _check_plugged(self) -> None:
        if not self._plugged:
            raise DeviceError(DeviceState.ABSENT, ABSENT)

    def _be_camera(self) -> None:
        """One frame for who begins to watch, and one for each change of the view."""
        self._shown.clear()
        if self._paper is None:
            self._paper = example_paper()
        paper, awaited, watching = self._paper, self._awaited, self._watching
        if watching is not None and self._told != (watching, paper):
            self._told = watching, paper
            self._tell_frame(_picture(paper, FRAME_PX), watching)
        if awaited is not None and not awaited.done():
            handed_over = _picture(paper, (LONGEST_SIDE_PX, LONGEST_SIDE_PX))
            self._tell_photo(awaited, *self._decoder.see(PHOTOGRAPH, handed_over))

    def _see(self, shown: _Shown) -> None:
        if isinstance(shown.what, bytes):
            self._tell_code(shown.what, shown.listening)
        else:
            self._see_picture(shown.what, shown.listening)

    def _see_picture(self, picture: Image.Image, listening: Listening | None) -> None:
        """In the decoding process that a camera has too; it is started for the first picture."""
        grey = picture.convert("L")
        grey.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        with picture_file(grey.tobytes()) as descriptor:
            size = struct.pack(PICTURE_SIZE, *grey.size)
            self._tell_answer(*self._decoder.look(size, descriptor), listening)


def _picture(image: Image.Image, largest_px: tuple[int, int]) -> Picture:
    colours = image.convert("RGB")
    colours.thumbnail(largest_px)
    return Picture(*colours.size, colours.tobytes())
