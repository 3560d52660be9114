"""A printer that is not there: the outside world's end of the cable, and the driver that prints on it.

`VirtualPrinter` is a whole receipt printer behind a TCP port or a pseudo-terminal: it has a finite receive buffer, a
head with a speed, a roll of paper, a cover, and answers what real ones answer. Its methods are what people and
accidents do to a printer. `VirtualEscposPrinter` is the real driver, connected to one over TCP.
"""

import os
import re
import select
import socket
import struct
import threading
import time
import tty
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from hardware.device import Sink
from hardware.printer.escpos import EscposPrinter
from hardware.printer.interface import Acknowledgement, PrinterProfile
from hardware.printer.interpreter import (
    AskIdentity,
    AskStatus,
    AutomaticStatus,
    Cut,
    Operation,
    Paper,
    PaperRoll,
    Parser,
    ProcessIdMark,
    Rows,
    UnknownCommand,
)
from hardware.printer.transport import parse_connection

#: How far the paper may be behind the parser, as in a printer's line buffer; also how often the head's thread looks.
LINE_BUFFER_S = 0.01
PARSED_AT_ONCE_BYTES = 512
#: GS I 65 (firmware), 66 (maker) and 67 (model).
IDENTITY = {65: "1.00", 66: "Anjungan", 67: "Virtual"}
_REAL_TIME = re.compile(rb"\x10\x04([\x01-\x04])")


class VirtualPrinter:
    """A printer to talk ESC/POS to at `connection`, between `start` and `close`. Every method may be called from any
    thread; `on_paper` is called from the printer's."""

    def __init__(
        self,
        width_dots: int = 576,
        *,
        dots_per_mm: float = 8.0,
        head_mm_per_s: float = 150.0,
        acknowledgement: Acknowledgement = Acknowledgement.PROCESS_ID,
        port: str = "tcp",  # or "pty"
        buffer_bytes: int = 4096,
        paper_mm: float | None = None,  # None: the roll never ends by itself
        identity: Mapping[int, str] = IDENTITY,  # what it answers to GS I n; empty for one that knows no GS I
        on_paper: Callable[[Paper], None] | None = None,
    ) -> None:
        self.on_paper = on_paper
        self.head_mm_per_s = head_mm_per_s
        self.errors: list[str] = []
        self.received_bytes = 0
        self.last_received_at_s = 0.0  # monotonic
        self._dots_per_mm = dots_per_mm
        self._acknowledgement = acknowledgement
        self._identity = identity
        self._buffer_bytes = buffer_bytes
        self._roll_rows = None if paper_mm is None else round(paper_mm * dots_per_mm)
        self._rows_left = self._roll_rows
        self._roll = PaperRoll(width_dots)
        self._port: _Port = {"tcp": _TcpPort, "pty": _PtyPort}[port]()
        self._changed = threading.Condition(threading.RLock())
        self._wakeup = -1
        self._thread: threading.Thread | None = None
        self._closing = False
        self._powered, self._plugged, self._silent = True, True, False
        self._paper_out, self._near_end, self._cover_open, self._jammed = False, False, False, False
        self._reset_after_bytes: int | None = None
        self._rows_until_power_loss: int | None = None
        self._power_loss_at_cut: str | None = None
        self._delivered: list[Paper] = []
        self._forget()

    # Its life.

    def start(self) -> None:
        self._closing = False
        self._wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._port.reserve()
        self._connect_or_not()
        self._thread = threading.Thread(target=self._run, name="virtual-printer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self._thread is None:
            return
        with self._changed:
            self._closing = True
            self._wake()
        self._thread.join()
        self._thread = None
        self._port.close()
        self._port.release()
        os.close(self._wakeup)
        self._wakeup = -1

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def connection(self) -> str:
        """Where it is, as the driver's option; the same for its whole life."""
        return self._port.connection

    # What can be seen.

    @property
    def papers(self) -> list[Paper]:
        """Every paper that was cut off, oldest first."""
        with self._changed:
            return list(self._roll.papers)

    def take_papers(self) -> list[Paper]:
        """Take away every paper that was cut off, oldest first."""
        with self._changed:
            papers = list(self._roll.papers)
            self._roll.papers.clear()
            return papers

    @property
    def hanging(self) -> Paper:
        """What was printed and not cut off."""
        with self._changed:
            return self._roll.hanging

    @property
    def state(self) -> dict[str, bool]:
        with self._changed:
            return {
                "paper_out": self._paper_out,
                "paper_near_end": self._near_end,
                "cover_open": self._cover_open,
                "jammed": self._jammed,
                "silent": self._silent,
                "powered_off": not self._powered,
                "unplugged": not self._plugged,
            }

    def wait_for_paper(self, count: int, timeout_s: float) -> list[Paper]:
        """Wait until `count` papers in all were cut off. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._roll.papers) >= count, timeout_s):
                raise TimeoutError(f"{len(self._roll.papers)} papers instead of {count} after {timeout_s} s")
            return list(self._roll.papers)

    def wait_for_rows(self, rows: int, timeout_s: float) -> None:
        """Wait until `rows` rows hang in the printer. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._roll.rows >= rows, timeout_s):
                raise TimeoutError(f"{self._roll.rows} rows instead of {rows} after {timeout_s} s")

    # What happens to a printer.

    def paper_out(self) -> None:
        self._happen(_paper_out=True)

    def paper_near_end(self) -> None:
        self._happen(_near_end=True)

    def refill(self) -> None:
        self._happen(_paper_out=False, _near_end=False, _rows_left=self._roll_rows)

    def paper_out_at_row(self, rows: int) -> None:
        """Let the paper end after so many more rows."""
        self._happen(_rows_left=rows)

    def open_cover(self) -> None:
        self._happen(_cover_open=True)

    def close_cover(self) -> None:
        self._happen(_cover_open=False)

    def jam(self) -> None:
        """The cutter is stuck."""
        self._happen(_jammed=True)

    def clear_jam(self) -> None:
        self._happen(_jammed=False)

    def go_silent(self) -> None:
        """Print, and answer nothing."""
        self._happen(_silent=True)

    def answer_again(self) -> None:
        self._happen(_silent=False)

    def power_off(self) -> None:
        """What was not on paper yet is lost."""
        with self._changed:
            self._lose_power()
            self._wake()

    def power_on(self) -> None:
        with self._changed:
            self._powered = True
            self._connect_or_not()
            self._wake()

    def lose_power_at_row(self, rows: int) -> None:
        """Lose power after so many more rows."""
        self._happen(_rows_until_power_loss=rows)

    def lose_power_at_cut(self, when: str = "before") -> None:
        """Lose power just "before" or just "after" the next cut."""
        self._happen(_power_loss_at_cut=when)

    def unplug(self) -> None:
        """Pull the data cable: the printer stays powered and prints what it has."""
        with self._changed:
            self._plugged = False
            self._connect_or_not()
            self._wake()

    def plug(self) -> None:
        with self._changed:
            self._plugged = True
            self._connect_or_not()
            self._wake()

    def reset_at_byte(self, count: int) -> None:
        """Break the connection once so many more bytes have arrived; what arrived is printed."""
        self._happen(_reset_after_bytes=count)

    def say(self, data: bytes) -> None:
        """Send these bytes to the host, whatever they mean."""
        with self._changed:
            self._port.send(data)

    def _happen(self, **state: object) -> None:
        with self._changed:
            before = self._automatic_status()
            for name, value in state.items():
                setattr(self, name, value)
            self._tell_change(before)
            self._wake()

    # The inside. Everything below runs with the lock held.

    def _wake(self) -> None:
        self._changed.notify_all()
        if self._wakeup >= 0:
            os.eventfd_write(self._wakeup, 1)

    def _forget(self) -> None:
        """What a printer loses with its power."""
        self._buffer = bytearray()
        self._seen = b""
        self._operations: deque[Operation] = deque()
        self._parser = Parser(self._roll.width_dots)
        self._automatic_mask = 0
        self._head_free_at_s = 0.0

    def _lose_power(self) -> None:
        self._powered = False
        self._rows_until_power_loss = None
        self._forget()
        self._connect_or_not()

    def _connect_or_not(self) -> None:
        if self._plugged and (self._powered or self._port.outlives_power):
            self._port.open()
        else:
            self._port.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closing:
                    return
                due_in_s = self._work()
                papers, self._delivered = self._delivered, []
                watched = self._port.watched(room=len(self._buffer) < self._buffer_bytes)
            for paper in papers:
                if self.on_paper is not None:
                    self.on_paper(paper)
            poll = select.poll()
            poll.register(self._wakeup, select.POLLIN)
            for fd, events in watched.items():
                poll.register(fd, events)
            ready = dict(poll.poll(None if due_in_s is None else max(0.0, due_in_s * 1000)))
            with self._changed:
                if ready.pop(self._wakeup, 0):
                    os.eventfd_read(self._wakeup)
                    continue  # the port may be another one now
                for fd in ready.keys() & self._port.watched(room=True).keys():
                    self._receive(self._port.service(fd, ready[fd], self._room()))

    def _room(self) -> int:
        room = self._buffer_bytes - len(self._buffer)
        return room if self._reset_after_bytes is None else min(room, max(1, self._reset_after_bytes))

    def _receive(self, data: bytes) -> None:
        if not data or not self._powered:
            return
        self.received_bytes += len(data)
        self.last_received_at_s = time.monotonic()
        self._buffer += data
        # Real-time requests are looked for in every byte that arrives, whatever it belongs to.
        seen, kept = self._seen + data, len(self._seen)
        for found in _REAL_TIME.finditer(seen):
            if found.end() > kept:
                self._reply(bytes((self._real_time_status(found[1][0]),)))
        self._seen = seen[-2:]
        if self._reset_after_bytes is not None:
            self._reset_after_bytes -= len(data)
            if self._reset_after_bytes <= 0:
                self._reset_after_bytes = None
                self._port.reset()

    def _work(self) -> float | None:
        """Do what is due. In how many seconds more is due; None when only an event can bring more."""
        while self._powered and not self._offline:
            behind_s = self._head_free_at_s - time.monotonic()
            if not self._operations:
                if not self._buffer:
                    return None
                self._operations += self._parser.feed(bytes(self._buffer[:PARSED_AT_ONCE_BYTES]))
                del self._buffer[:PARSED_AT_ONCE_BYTES]
                continue
            operation = self._operations[0]
            if isinstance(operation, Rows):
                if behind_s > LINE_BUFFER_S:
                    return behind_s - LINE_BUFFER_S / 2
                self._print_rows(operation)
            elif isinstance(operation, (ProcessIdMark, Cut)) and behind_s > 0:
                return behind_s
            else:
                self._operations.popleft()
                self._do(operation)
        return None

    def _print_rows(self, rows: Rows) -> None:
        rows_per_s = self.head_mm_per_s * self._dots_per_mm
        count = min(rows.count, max(1, int(rows_per_s * LINE_BUFFER_S)))
        for limit in (self._rows_left, self._rows_until_power_loss):
            count = count if limit is None else min(count, limit)
        self._operations.popleft()
        now, later = rows.split(count)
        if later.count:
            self._operations.appendleft(later)
        self._roll.apply(now)
        self._changed.notify_all()
        self._head_free_at_s = max(time.monotonic(), self._head_free_at_s) + count / rows_per_s
        if self._rows_left is not None:
            self._rows_left -= count
            if self._rows_left == 0:
                self._rows_left = None
                self._happen(_paper_out=True)
        if self._rows_until_power_loss is not None:
            self._rows_until_power_loss -= count
            if self._rows_until_power_loss == 0:
                self._lose_power()

    def _do(self, operation: Operation) -> None:
        if isinstance(operation, ProcessIdMark):
            if self._acknowledgement is Acknowledgement.PROCESS_ID:
                self._reply(b"\x37\x22" + operation.id + b"\x00")
        elif isinstance(operation, AskStatus):
            self._reply(bytes((self._automatic_status()[2] if operation.n in (1, 0x31) else 0,)))
        elif isinstance(operation, AskIdentity):
            if operation.n in self._identity:
                self._reply(b"_" + self._identity[operation.n].encode("ascii") + b"\x00")
        elif isinstance(operation, AutomaticStatus):
            self._automatic_mask = operation.mask
            if operation.mask:
                self._reply(self._automatic_status())
        elif isinstance(operation, Cut):
            self._cut()
        else:
            if isinstance(operation, UnknownCommand):
                self.errors.append(str(operation))
            self._roll.apply(operation)

    def _cut(self) -> None:
        when, self._power_loss_at_cut = self._power_loss_at_cut, None
        if when != "before":
            self._roll.apply(Cut())
            self._delivered.append(self._roll.papers[-1])
            self._changed.notify_all()
        if when is not None:
            self._lose_power()

    # What it says.

    @property
    def _offline(self) -> bool:
        return self._paper_out or self._cover_open or self._jammed

    def _reply(self, data: bytes) -> None:
        if self._powered and not self._silent and self._acknowledgement is not Acknowledgement.NONE:
            self._port.send(data)

    def _tell_change(self, before: bytes) -> None:
        after = self._automatic_status()
        if after != before and self._automatic_mask:
            self._reply(after)

    def _automatic_status(self) -> bytes:
        printer = 0x10 | 0x08 * self._offline | 0x20 * self._cover_open
        paper = 0x03 * (self._near_end or self._paper_out) | 0x0C * self._paper_out
        return bytes((printer, 0x08 * self._jammed, paper, 0x0F))

    def _real_time_status(self, n: int) -> int:
        fixed = 0x12
        if n == 1:
            return fixed | 0x08 * self._offline
        if n == 2:
            return fixed | 0x04 * self._cover_open | 0x20 * self._paper_out | 0x40 * self._jammed
        if n == 3:
            return fixed | 0x08 * self._jammed
        return fixed | 0x0C * (self._near_end or self._paper_out) | 0x60 * self._paper_out


class _Port(ABC):
    """Where the cable goes in."""

    #: Whether the host still sees the port when the printer has no power.
    outlives_power: bool

    @property
    @abstractmethod
    def connection(self) -> str: ...

    @abstractmethod
    def reserve(self) -> None:
        """Choose the address, for as long as the printer lives."""

    @abstractmethod
    def release(self) -> None: ...

    @abstractmethod
    def open(self) -> None:
        """Be there; does nothing when it is already."""

    @abstractmethod
    def close(self) -> None:
        """Be gone; does nothing when it is already."""

    @abstractmethod
    def reset(self) -> None:
        """Break the present connection."""

    @abstractmethod
    def watched(self, room: bool) -> dict[int, int]:
        """The descriptors to wait on and for what; data only while there is room for it."""

    @abstractmethod
    def service(self, fd: int, events: int, most: int) -> bytes:
        """See to one descriptor: at most so many bytes that came."""

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send to the host, if there is one."""


class _TcpPort(_Port):
    """Port 9100 as printers have it: one host at a time, others wait."""

    outlives_power = False

    def __init__(self) -> None:
        self._listener: socket.socket | None = None
        self._host: socket.socket | None = None

    @property
    def connection(self) -> str:
        return "tcp://{}:{}".format(*self._reservation.getsockname())

    def reserve(self) -> None:
        # Bound and never listening, so that the port stays ours and refuses hosts while the printer is off.
        self._reservation = socket.socket()
        self._reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reservation.bind(("127.0.0.1", 0))

    def release(self) -> None:
        self._reservation.close()

    def open(self) -> None:
        if self._listener is not None:
            return
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # the smallest that Linux gives is near it
        self._listener.bind(self._reservation.getsockname())
        self._listener.listen(4)
        self._listener.setblocking(False)

    def close(self) -> None:
        self.reset()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def reset(self) -> None:
        if self._host is not None:
            self._host.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._hang_up()

    def watched(self, room: bool) -> dict[int, int]:
        if self._host is not None:
            return {self._host.fileno(): select.POLLIN if room else select.POLLRDHUP}
        return {self._listener.fileno(): select.POLLIN} if self._listener is not None else {}

    def service(self, fd: int, events: int, most: int) -> bytes:
        if self._host is None:
            with suppress(OSError):  # whoever knocked has gone again
                self._host, _ = self._listener.accept()
                self._host.setblocking(False)
                self._host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return b""
        try:
            data = self._host.recv(most) if events & select.POLLIN else b""
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return data

    def send(self, data: bytes) -> None:
        if self._host is not None:
            with suppress(OSError):  # the host has gone or reads nothing: its reply is lost, as on a real cable
                self._host.send(data)

    def _hang_up(self) -> None:
        self._host.close()
        self._host = None


class _PtyPort(_Port):
    """A serial port. Its path is a link that stays the same when it is unplugged and comes back."""

    outlives_power = True

    def __init__(self) -> None:
        self._ours = self._theirs = -1

    @property
    def connection(self) -> str:
        return f"serial://{self._link}?baudrate=115200"

    def reserve(self) -> None:
        import tempfile  # heavy for a start, and for tests only

        self._directory = tempfile.TemporaryDirectory(prefix="virtual-printer-")
        self._link = Path(self._directory.name) / "tty"

    def release(self) -> None:
        self._directory.cleanup()

    def open(self) -> None:
        if self._ours >= 0:
            return
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)  # and kept open, so that a host that closes it does not end the line
        os.set_blocking(self._ours, False)
        self._link.symlink_to(os.ttyname(self._theirs))

    def close(self) -> None:
        if self._ours >= 0:
            self._link.unlink()
            os.close(self._ours)
            os.close(self._theirs)
            self._ours = self._theirs = -1

    def reset(self) -> None:
        self.close()
        self.open()

    def watched(self, room: bool) -> dict[int, int]:
        return {self._ours: select.POLLIN} if room and self._ours >= 0 else {}

    def service(self, fd: int, events: int, most: int) -> bytes:
        try:
            return os.read(self._ours, most)
        except BlockingIOError:
            return b""

    def send(self, data: bytes) -> None:
        if self._ours >= 0:
            with suppress(BlockingIOError):  # nobody reads
                os.write(self._ours, data)


class VirtualEscposPrinter(EscposPrinter):
    """The real driver on a `VirtualPrinter`, which is its `outside`."""

    virtual = True

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        head_mm_per_s: float | None = None  # None: as the profile says

    def __init__(self, name: str, profile: PrinterProfile, options: Options) -> None:
        self.outside = VirtualPrinter(
            profile.width_dots,
            dots_per_mm=profile.dots_per_mm,
            head_mm_per_s=options.head_mm_per_s or profile.head_mm_per_s,
            acknowledgement=profile.acknowledgement,
        )
        # Stands in until `start`, when the outside has a port.
        super().__init__(name, profile, EscposPrinter.Options("tcp://127.0.0.1:9100"))

    def start(self, sink: Sink) -> None:
        self.outside.start()
        self._address = parse_connection(self.outside.connection)
        super().start(sink)

    def stop(self, timeout_s: float = 2.0) -> None:
        super().stop(timeout_s)
        self.outside.close()

    def unplug(self) -> None:
        """Pull the data cable out."""
        self.outside.unplug()

    def plug(self) -> None:
        self.outside.plug()
