"""What a code scanner promises.

What it read is bytes from a stranger: at most `LONGEST_PAYLOAD` of them, and nothing trusts them until something
validates them.
"""

from abc import abstractmethod
from dataclasses import dataclass, field

from hardware.device import Device

#: The most that a QR code can hold is 2 953 bytes; longer is not a code.
LONGEST_PAYLOAD = 2953
#: The same code again within this time is the same showing of it.
SAME_SHOWING_S = 2.0


@dataclass(frozen=True)
class CodeScanned:
    scanner: str
    payload: bytes = field(repr=False)


@dataclass(frozen=True)
class CodeUnreadable:
    """Something like a code was there and it could not be used: too long, torn, not a QR code."""

    scanner: str
    code: str


class CodeScanner(Device):
    """Posts `CodeScanned` and `CodeUnreadable`, and only while it listens: a camera that nobody asked to look does
    not look."""

    kind = "code_scanner"

    @abstractmethod
    def listen(self, on: bool) -> None:
        """Start or stop looking for codes; from any thread, returns at once."""
