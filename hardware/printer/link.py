"""A conversation with a printer over a transport: what was sent, what it acknowledged, and how it says it is."""

import threading
import time
from collections import deque

from hardware.printer import encoder
from hardware.printer.codes import PrinterCode
from hardware.printer.interface import Acknowledgement
from hardware.printer.replies import Automatic, Condition, InOrder, ProcessId, RealTime, Reply, ReplyParser
from hardware.printer.transport import Transport

#: A printer in the room answers DLE EOT within milliseconds; Epson's own drivers give it this long.
REAL_TIME_ANSWER_WITHIN_S = 0.5
PROCESS_ID_FIRST, PROCESS_ID_COUNT = 0x21, 94  # printable, without the space


class Halt(Exception):
    """A job cannot go on; the connection may well be sound."""

    def __init__(self, code: PrinterCode) -> None:
        super().__init__(code)
        self.code = code


class Marks:
    """The acknowledgements that were asked for and have not come, oldest first. They outlive a connection: a printer
    may still owe answers to the one before."""

    def __init__(self, policy: Acknowledgement, first_number: int) -> None:
        self.policy = policy
        self._number = first_number
        self._pending: deque[bytes] = deque()

    def __len__(self) -> int:
        return len(self._pending)

    def request(self) -> bytes:
        """The bytes to send behind data to learn when the printer is past it; none where it never tells."""
        if self.policy is Acknowledgement.NONE:
            return b""
        mark = self._next_id()
        self._pending.append(mark)
        return encoder.process_id_mark(mark) if self.policy is Acknowledgement.PROCESS_ID else encoder.ASK_IN_ORDER

    def settle(self, reply: Reply) -> None:
        """Take an answer. An id also settles those asked for before it; one that nobody waits for is an old job's."""
        if self.policy is Acknowledgement.PROCESS_ID and isinstance(reply, ProcessId) and reply.id in self._pending:
            while self._pending.popleft() != reply.id:
                pass
        elif self.policy is Acknowledgement.IN_ORDER and isinstance(reply, InOrder) and self._pending:
            self._pending.popleft()

    def forget(self) -> None:
        self._pending.clear()

    def _next_id(self) -> bytes:
        self._number = (self._number + 1) % PROCESS_ID_COUNT**4
        return bytes(
            PROCESS_ID_FIRST + self._number // PROCESS_ID_COUNT**place % PROCESS_ID_COUNT for place in range(4)
        )


class Link:
    """One open connection, used by the device's thread alone but for `wake`."""

    def __init__(self, transport: Transport, marks: Marks, stopping: threading.Event) -> None:
        self.transport = transport
        self.marks = marks
        self.condition: Condition | None = None  # None: it has not said
        self._stopping = stopping
        self._parser = ReplyParser()
        self._real_time: deque[int] = deque()

    def receive(self, until_s: float, *, writable: bool = False) -> None:
        """Wait as `Transport.wait` does and take in what came. Raises DeviceError when the printer is gone."""
        self.transport.wait(until_s, writable=writable)
        for reply in self._parser.feed(self.transport.read()):
            if isinstance(reply, RealTime):
                self._real_time.append(reply.byte)
            elif isinstance(reply, Automatic):
                self.condition = Condition.from_automatic(reply.data)
            else:
                self.marks.settle(reply)

    def send(self, data: bytes, within_s: float) -> None:
        """Send all of `data`. Raises Halt when the printer does not take it in time, DeviceError when it is gone."""
        until_s = time.monotonic() + within_s
        rest = memoryview(data)
        while rest:
            accepted = self.transport.write(rest)
            rest = rest[accepted:]
            if not rest or accepted:
                continue
            self.halt_on_fault()
            if time.monotonic() >= until_s:
                raise Halt(self.reason())
            self.receive(until_s, writable=True)

    def ask(self, n: int) -> int | None:
        """The answer to DLE EOT n; None for silence."""
        self._real_time.clear()
        until_s = time.monotonic() + REAL_TIME_ANSWER_WITHIN_S
        request = encoder.real_time_request(n)
        while request := request[self.transport.write(request) :]:
            if time.monotonic() >= until_s or self._stopping.is_set():
                return None  # its buffer is full: it is not reading
            self.receive(until_s, writable=True)
        while not self._real_time and time.monotonic() < until_s and not self._stopping.is_set():
            self.receive(until_s)
        if self._real_time:
            return self._real_time.popleft()
        self._parser.forget()
        return None

    def ask_condition(self) -> Condition | None:
        """Ask everything that DLE EOT tells, one question after another, and keep it as `condition`.

        None for silence, which says nothing of the paper (unless the port itself does)."""
        condition = Condition()
        for n in (1, 2, 4):
            byte = self.ask(n)
            if byte is None:
                self.condition = Condition(offline=True, paper_out=True) if self.transport.paper_out() else None
                return self.condition
            condition = condition.with_real_time(n, byte)
        if condition.error and (byte := self.ask(3)) is not None:
            condition = condition.with_real_time(3, byte)
        self.condition = condition
        return condition

    def halt_on_fault(self) -> None:
        """Raise Halt for what ends a job at once. Being off line alone does not: so is a press on the feed button."""
        if self._stopping.is_set():
            raise Halt(PrinterCode.STOPPED)
        fault = self.condition.fault if self.condition else None
        if fault not in (None, PrinterCode.OFFLINE):
            raise Halt(fault)

    def reason(self) -> PrinterCode:
        """Why the printer did not answer in time, as far as it said."""
        return (self.condition.fault if self.condition else None) or PrinterCode.NO_ANSWER
