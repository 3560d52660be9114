"""Replies are told apart by their fixed bits, however the stream is cut."""

import pytest

from hardware.device import DeviceState
from hardware.printer.codes import PrinterCode
from hardware.printer.replies import Automatic, Condition, Flow, Garbage, InOrder, ProcessId, RealTime, ReplyParser

STREAM = b"\x12" + b"\x18\x00\x0c\x0f" + b"\x11" + b"\x37\x22AB~!\x00" + b"\x03" + b"\x13" + b"\x1a" + b"\x00"
REPLIES = [
    RealTime(0x12),
    Automatic(b"\x18\x00\x0c\x0f"),
    Flow(True),
    ProcessId(b"AB~!"),
    InOrder(0x03),
    Flow(False),
    RealTime(0x1A),
    InOrder(0x00),
]


def test_a_whole_stream() -> None:
    assert ReplyParser().feed(STREAM) == REPLIES


def test_a_stream_cut_at_every_byte() -> None:
    parser = ReplyParser()
    assert [reply for byte in STREAM for reply in parser.feed(bytes((byte,)))] == REPLIES


def test_junk_is_garbage_and_the_next_reply_is_found() -> None:
    assert ReplyParser().feed(b"\xff\x9c\x12") == [Garbage(b"\xff"), Garbage(b"\x9c"), RealTime(0x12)]


@pytest.mark.parametrize("head", [b"\x10", b"\x18\x00", b"\x37", b"\x37\x22AB"])
def test_a_frame_that_breaks_off_does_not_swallow_a_process_id(head: bytes) -> None:
    replies = ReplyParser().feed(head + b"\x37\x22wxyz\x00")
    assert replies[0] == Garbage(head[:1])
    assert replies[-1] == ProcessId(b"wxyz")


def test_forget_drops_a_half_reply() -> None:
    parser = ReplyParser()
    assert parser.feed(b"\x10") == []
    parser.forget()
    assert parser.feed(b"\x00") == [InOrder(0)]


@pytest.mark.parametrize(
    ("data", "state", "code"),
    [
        (b"\x10\x00\x00\x0f", DeviceState.READY, ""),
        (b"\x10\x00\x03\x0f", DeviceState.ATTENTION, PrinterCode.PAPER_NEAR_END),
        (b"\x18\x00\x0f\x0f", DeviceState.FAULT, PrinterCode.PAPER_OUT),
        (b"\x38\x00\x0f\x0f", DeviceState.FAULT, PrinterCode.COVER_OPEN),
        (b"\x18\x08\x00\x0f", DeviceState.FAULT, PrinterCode.CUTTER),
        (b"\x18\x20\x00\x0f", DeviceState.FAULT, PrinterCode.ERROR),
        (b"\x18\x00\x00\x0f", DeviceState.FAULT, PrinterCode.OFFLINE),
    ],
)
def test_conditions_of_automatic_status(data: bytes, state: DeviceState, code: str) -> None:
    assert Condition.from_automatic(data).status == (state, code)


@pytest.mark.parametrize(
    ("n", "byte", "code"),
    [
        (1, 0x12, None),
        (1, 0x1A, PrinterCode.OFFLINE),
        (2, 0x16, PrinterCode.COVER_OPEN),
        (2, 0x32, PrinterCode.PAPER_OUT),
        (2, 0x52, PrinterCode.ERROR),
        (3, 0x1A, PrinterCode.CUTTER),
        (4, 0x1E, None),
        (4, 0x7E, PrinterCode.PAPER_OUT),
    ],
)
def test_conditions_of_real_time_status(n: int, byte: int, code: PrinterCode | None) -> None:
    assert Condition().with_real_time(n, byte).fault == code
