"""What a printer says back: replies told apart by their fixed bits, and the condition that they add up to.

Sources: Epson's ESC/POS reference for DLE EOT, GS a, GS r and GS ( H function 48. In binary, x being free:

    DLE EOT     0xx1xx10                 real time, one byte
    GS a (ASB)  0xx1xx00 + three 0xx0xxxx   on every change, four bytes
    GS r        0xx0xxxx                 in order with the data, one byte
    GS ( H 48   37h 22h d1 d2 d3 d4 00h   when the printing before it is complete
    flow        11h XON, 13h XOFF
"""

from dataclasses import dataclass, replace

from hardware.device import DeviceState
from hardware.printer.codes import PrinterCode

XON, XOFF = 0x11, 0x13
PROCESS_ID_BEGINS = b"\x37\x22"
PROCESS_ID_BYTES = 7
AUTOMATIC_BYTES = 4


@dataclass(frozen=True)
class RealTime:
    """The answer to DLE EOT n. It does not say which n: that is known from the order of asking."""

    byte: int


@dataclass(frozen=True)
class Automatic:
    """Four bytes of ASB: the whole condition."""

    data: bytes


@dataclass(frozen=True)
class InOrder:
    """The answer to GS r."""

    byte: int


@dataclass(frozen=True)
class ProcessId:
    """The printing of everything before this id is complete."""

    id: bytes


@dataclass(frozen=True)
class Flow:
    """XON or XOFF that came through where the port does not handle it."""

    ready: bool


@dataclass(frozen=True)
class Garbage:
    """Bytes that are no reply."""

    data: bytes


Reply = RealTime | Automatic | InOrder | ProcessId | Flow | Garbage


class ReplyParser:
    """Replies from a stream of bytes that may be cut anywhere."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, data: bytes) -> list[Reply]:
        self._kept += data
        replies = []
        while self._kept and (reply := self._next()) is not None:
            replies.append(reply)
        return replies

    def forget(self) -> None:
        """Drop a reply that began and did not go on, so that its head does not swallow the next reply."""
        self._kept.clear()

    def _next(self) -> Reply | None:
        """Take one reply off the front; None when its rest has not come yet."""
        first = self._kept[0]
        if first in (XON, XOFF):
            return Flow(self._take(1)[0] == XON)
        if first & 0x93 == 0x12:
            return RealTime(self._take(1)[0])
        if first & 0x93 == 0x10:
            return self._frame(AUTOMATIC_BYTES, lambda rest: all(byte & 0x90 == 0 for byte in rest), Automatic)
        if first == PROCESS_ID_BEGINS[0]:
            return self._frame(PROCESS_ID_BYTES, _continues_process_id, lambda frame: ProcessId(frame[2:6]))
        if first & 0x90 == 0:
            return InOrder(self._take(1)[0])
        return Garbage(self._take(1))

    def _frame(self, length, continues, build) -> Reply | None:
        if not continues(self._kept[1:length]):
            return Garbage(self._take(1))
        return build(self._take(length)) if len(self._kept) >= length else None

    def _take(self, count: int) -> bytes:
        taken = bytes(self._kept[:count])
        del self._kept[:count]
        return taken


def _continues_process_id(rest: bytes) -> bool:
    """Whether these bytes, as far as they have come, can follow 37h: 22h, four printable ones, 00h."""
    return (
        (len(rest) < 1 or rest[0] == PROCESS_ID_BEGINS[1])
        and all(0x20 <= byte <= 0x7E for byte in rest[1:5])
        and (len(rest) < 6 or rest[5] == 0)
    )


@dataclass(frozen=True)
class Condition:
    """What the printer said of itself last."""

    offline: bool = False
    cover_open: bool = False
    paper_out: bool = False
    paper_near_end: bool = False
    cutter_error: bool = False
    error: bool = False

    @classmethod
    def from_automatic(cls, data: bytes) -> "Condition":
        """From the four bytes of ASB."""
        printer, faults, paper, _ = data
        return cls(
            offline=bool(printer & 0x08),
            cover_open=bool(printer & 0x20),
            cutter_error=bool(faults & 0x08),
            error=bool(faults & 0x64),
            paper_near_end=bool(paper & 0x03),
            paper_out=bool(paper & 0x0C),
        )

    def with_real_time(self, n: int, byte: int) -> "Condition":
        """With the answer to DLE EOT n (1 printer, 2 cause of being off line, 3 cause of an error, 4 paper)."""
        if n == 1:
            return replace(self, offline=bool(byte & 0x08))
        if n == 2:
            return replace(
                self,
                cover_open=bool(byte & 0x04),
                paper_out=self.paper_out or bool(byte & 0x20),
                error=bool(byte & 0x40),
            )
        if n == 3:
            return replace(self, cutter_error=bool(byte & 0x08))
        return replace(self, paper_near_end=bool(byte & 0x0C), paper_out=bool(byte & 0x60))

    @property
    def fault(self) -> PrinterCode | None:
        """Why it cannot print, most telling first; None when it can."""
        if self.cover_open:  # before paper: an open cover lifts the roll off the sensor
            return PrinterCode.COVER_OPEN
        if self.paper_out:
            return PrinterCode.PAPER_OUT
        if self.cutter_error:
            return PrinterCode.CUTTER
        if self.error:
            return PrinterCode.ERROR
        return PrinterCode.OFFLINE if self.offline else None

    @property
    def status(self) -> tuple[DeviceState, str]:
        if self.fault is not None:
            return DeviceState.FAULT, self.fault
        if self.paper_near_end:
            return DeviceState.ATTENTION, PrinterCode.PAPER_NEAR_END
        return DeviceState.READY, ""
