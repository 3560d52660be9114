"""What the scanners with a camera share: who watches, whose photo is waited for, and how pixels become a JPEG.

Pixels come from the decoding process and are made a JPEG here: whatever a stranger's paper did to that process, what
is kept is a plain picture, and the kiosk has unpacked nothing.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from hardware.code_scanner.decoder_messages import Answer
from hardware.code_scanner.decoder_process import DECODER, DecodingScanner
from hardware.code_scanner.interface import (
    LARGEST_JPEG_BYTES,
    PHOTO_S,
    Camera,
    FrameSeen,
    Photo,
    PhotoFailed,
    PhotoFlaw,
    Picture,
)
from hardware.code_scanner.listening import ABSENT

NO_PHOTO = "SCANNER-NO-PHOTO"

#: Tried in turn until a photo is small enough; below the last, text frays before it gets smaller any further.
QUALITIES = (85, 75, 65, 50)
_FLAWS = {
    Answer.PHOTO: None,
    Answer.DARK: PhotoFlaw.DARK,
    Answer.BLURRED: PhotoFlaw.BLURRED,
    Answer.EMPTY: PhotoFlaw.EMPTY,
}


class Watching:
    """One stretch of watching; what was seen in an earlier one is another visitor's."""


class PhotographingScanner(DecodingScanner, Camera):
    """A driver looks for `_is_wanted`, tells frames with `_tell_frame`, and an answer to PHOTOGRAPH with
    `_tell_photo`. It calls `super()._close()` in its `_close`."""

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        super().__init__(name, arguments)
        self._watching: Watching | None = None
        self._awaited: Future[Photo] | None = None
        self._one_at_a_time = threading.Lock()

    def watch(self, on: bool) -> None:
        with self._telling:
            if on != (self._watching is not None):
                self._watching = Watching() if on else None
        self._wake.set()

    def take_photo(self, timeout_s: float = PHOTO_S) -> Photo:
        with self._one_at_a_time:
            if not self.status.serving:
                raise PhotoFailed(self.status.code or ABSENT)
            self._awaited = awaited = Future()
            self._wake.set()
            try:
                return awaited.result(timeout_s)
            except TimeoutError as error:
                raise PhotoFailed(NO_PHOTO) from error
            finally:
                self._awaited = None

    @property
    def _is_wanted(self) -> bool:
        """Whether it is to be a camera now, and not to look for codes."""
        awaited = self._awaited
        return self._watching is not None or (awaited is not None and not awaited.done())

    def _tell_frame(self, frame: Picture, seen_in: Watching | None) -> None:
        with self._telling:
            if seen_in is not None and seen_in is self._watching:
                self._post(FrameSeen(self.name, frame))

    def _tell_photo(self, awaited: Future[Photo], answer: Answer, picture: Picture | None) -> None:
        if picture is not None:
            awaited.set_result(Photo(to_jpeg(picture), _FLAWS[answer]))
        elif answer is Answer.ERROR:
            awaited.set_exception(PhotoFailed(DECODER))
        else:  # LOST, and there is a new process to ask
            self._wake.set()

    def _close(self) -> None:
        super()._close()
        awaited = self._awaited
        if awaited is not None and not awaited.done():
            awaited.set_exception(PhotoFailed(self.status.code or ABSENT))


def to_jpeg(picture: Picture, largest_bytes: int = LARGEST_JPEG_BYTES) -> bytes:
    """As good as it can be in so many bytes: what does not fit at any quality is made smaller."""
    from PIL import Image

    image = Image.frombytes("RGB", (picture.width_px, picture.height_px), picture.rgb)
    while True:
        for quality in QUALITIES:
            file = io.BytesIO()
            image.save(file, "JPEG", quality=quality)
            if file.tell() <= largest_bytes:
                return file.getvalue()
        image = image.resize((image.width * 3 // 4, image.height * 3 // 4))
