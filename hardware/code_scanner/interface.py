"""What a code scanner promises, and what one with a camera can do besides.

What it read is bytes from a stranger: at most `LONGEST_PAYLOAD` of them, and nothing trusts them until something
validates them.
"""

from abc import abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum

from hardware.device import Device

#: The most that a QR code can hold is 2 953 bytes; longer is not a code.
LONGEST_PAYLOAD = 2953
#: The same code again within this time is the same showing of it.
SAME_SHOWING_S = 2.0
#: What a frame fits into: enough to lay a paper straight, and little to draw.
FRAME_PX = (640, 480)
#: No photo is larger.
LARGEST_JPEG_BYTES = 400_000
#: For a photo: a camera may have to open first, and a decoding process that died over it to be replaced.
PHOTO_S = 12.0


@dataclass(frozen=True)
class CodeScanned:
    scanner: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True)
class CodeUnreadable:
    """Something like a code was there and it could not be used: too long, torn, not a QR code."""

    scanner: str
    code: str


@dataclass(frozen=True)
class Picture:
    """RGB, a byte each, row by row from the top."""

    width_px: int
    height_px: int
    rgb: bytes = field(repr=False)


@dataclass(frozen=True)
class FrameSeen:
    """What a camera sees now, small enough to be drawn often (`FRAME_PX`)."""

    scanner: str
    frame: Picture


class PhotoFlaw(StrEnum):
    """What is wrong with a photo, as far as a machine can see."""

    DARK = "dark"
    BLURRED = "blurred"
    EMPTY = "empty"  # no paper, or one without anything on it


@dataclass(frozen=True)
class Photo:
    """A JPEG of the camera's whole view, at most `LARGEST_JPEG_BYTES`, without EXIF or anything else in it."""

    jpeg: bytes = field(repr=False)
    flaw: PhotoFlaw | None = None


class PhotoFailed(Exception):
    """There is no photo; `code` tells the technician why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class CodeScanner(Device):
    """Posts `CodeScanned` and `CodeUnreadable`, and only while it listens: a camera that nobody asked to look does
    not look."""

    kind = "code_scanner"
    #: Whether it is a `Camera` that photographs papers.
    can_photograph: bool = False

    @abstractmethod
    def listen(self, on: bool) -> None:
        """Start or stop looking for codes; from any thread, returns at once."""


class Camera(CodeScanner):
    """A code scanner that photographs papers too. While it is watched or takes a photo it looks for no codes."""

    can_photograph = True

    @abstractmethod
    def watch(self, on: bool) -> None:
        """Start or stop posting `FrameSeen`, some ten a second while the view changes; from any thread, returns at
        once. Once `watch(False)` has returned, no more is posted."""

    @abstractmethod
    def take_photo(self, timeout_s: float = PHOTO_S) -> Photo:
        """What the camera sees now, in its full resolution; waits for it, also for another thread's photo before it.
        Raises PhotoFailed."""
