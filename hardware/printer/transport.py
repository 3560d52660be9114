"""How bytes reach a printer: TCP 9100, a serial port, the kernel's USB printer device or libusb, behind one interface.

A connection is written as a URL:

    tcp://192.168.1.50:9100
    serial:///dev/ttyUSB0?baudrate=115200        (XON/XOFF; `&flow=rtscts` for hardware flow control)
    usblp:///dev/usb/lp0                         (preferred for USB)
    usb://04b8:0e15                              (libusb; `/SERIAL` where two are alike, `?detach=yes` to take it
                                                 from the kernel's driver)

All are non-blocking file descriptors. Only `wait` blocks, always until a deadline at the latest, and `wake`
ends it from another thread. Every fault is a `DeviceError` whose status tells what the technician should look at.
"""

import errno
import fcntl
import os
import re
import select
import socket
import stat
import termios
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from hardware.device import DeviceError, DeviceState
from hardware.network import connect
from hardware.printer.codes import PrinterCode
from hardware.printer.usb_port import UsbPort

#: Shorter than a device's time to stop, since nothing wakes a connection that is still being made.
CONNECT_WITHIN_S = 1.5
READ_BYTES = 4096

#: ioctl of the kernel's usblp (drivers/usb/class/usblp.c): the port's status byte, answered even while the printer
#: takes no data. Bit 5 is "paper out" (include/linux/lp.h).
LPGETSTATUS = 0x060B
LP_PAPER_OUT = 0x20

BAUDRATES = (9600, 19200, 38400, 57600, 115200)


class ConnectionUrlError(ValueError):
    """A connection's URL cannot be used; the text says why."""


@dataclass(frozen=True)
class Address:
    """A connection's URL, taken apart by `parse_connection`."""

    scheme: str  # tcp, serial, usblp, usb
    host: str = ""
    port: int = 0
    path: str = ""
    baudrate: int = 115200
    rtscts: bool = False
    vendor: int = 0
    product: int = 0
    serial: str = ""
    detach: bool = False

    def __str__(self) -> str:
        if self.scheme == "tcp":
            return f"tcp://{self.host}:{self.port}"
        if self.scheme == "usb":
            return f"usb://{self.vendor:04x}:{self.product:04x}{f'/{self.serial}' if self.serial else ''}"
        return f"{self.scheme}://{self.path}"


#: What may stand behind the "?" of a connection's URL.
QUERY_KEYS = {"tcp": set(), "serial": {"baudrate", "flow"}, "usblp": set(), "usb": {"detach"}}
USB_NUMBERS = re.compile("([0-9a-f]{4}):([0-9a-f]{4})", re.IGNORECASE)


def parse_connection(url: str) -> Address:
    """Take a connection's URL apart. Raises ConnectionUrlError, whose text names the part that is wrong."""

    def fail(reason: str) -> ConnectionUrlError:
        return ConnectionUrlError(f"printer connection {url!r}: {reason}")

    parts = urlsplit(url)
    if parts.scheme not in QUERY_KEYS:
        raise fail("must begin with tcp://, serial://, usblp:// or usb://")
    query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := set(query) - QUERY_KEYS[parts.scheme]:
        raise fail(f"unknown setting {min(unknown)!r}")
    if parts.scheme == "tcp":
        try:
            port = parts.port
        except ValueError:
            port = None
        if not parts.hostname or not port or parts.path not in ("", "/"):
            raise fail("a network printer is tcp://host:port, most often port 9100")
        return Address("tcp", host=parts.hostname, port=port)
    if parts.scheme == "usb":
        numbers = USB_NUMBERS.fullmatch(parts.netloc)
        if not numbers:
            raise fail("a USB printer is usb://VENDOR:PRODUCT, both four hexadecimal digits as lsusb shows them")
        detach = query.get("detach", "no")
        if detach not in ("yes", "no"):
            raise fail(f"detach must be yes or no, not {detach!r}")
        vendor, product = (int(number, 16) for number in numbers.groups())
        serial = unquote(parts.path.removeprefix("/"))
        return Address("usb", vendor=vendor, product=product, serial=serial, detach=detach == "yes")
    if parts.netloc or not parts.path.startswith("/") or parts.path == "/":
        raise fail(f"a device is {parts.scheme}:///dev/…, with three slashes")
    if parts.scheme == "usblp":
        return Address("usblp", path=parts.path)
    baudrate = query.get("baudrate", "115200")
    if baudrate not in map(str, BAUDRATES):
        raise fail(f"baudrate must be one of {', '.join(map(str, BAUDRATES))}, not {baudrate!r}")
    flow = query.get("flow", "xonxoff")
    if flow not in ("xonxoff", "rtscts"):
        raise fail(f"flow must be xonxoff or rtscts, not {flow!r}")
    return Address("serial", path=parts.path, baudrate=int(baudrate), rtscts=flow == "rtscts")


def open_transport(address: Address) -> "Transport":
    """Connect. Raises DeviceError when the printer is not there, not permitted or already in use."""
    kinds = {"tcp": TcpTransport, "serial": SerialTransport, "usblp": UsblpTransport, "usb": UsbTransport}
    return kinds[address.scheme](address)


class Transport(ABC):
    """An open way to one printer, and its only owner."""

    #: What the link itself can carry, for deadlines; 8-bit bytes per second.
    bytes_per_s: float = 1_000_000

    def __init__(self, address: Address) -> None:
        self.address = address
        self._wakeup = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        try:
            self._fd = self._open()
        except BaseException:
            os.close(self._wakeup)
            raise

    @abstractmethod
    def _open(self) -> int:
        """Open and return a non-blocking file descriptor, or raise DeviceError."""

    def write(self, data: bytes) -> int:
        """Offer bytes, without waiting: how many were accepted, 0 when there is no room. Raises DeviceError when the
        printer is gone."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._lost(error) from error

    def read(self) -> bytes:
        """What has come, without waiting; b"" when nothing has. Raises DeviceError when the printer is gone."""
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(error) from error
        if not data and (self._ends_when_empty or self._hung_up):
            raise DeviceError(DeviceState.ABSENT, PrinterCode.CONNECTION_LOST, f"{self.address} {self._ended}")
        return data

    def wait(self, until_s: float, *, writable: bool = False) -> None:
        """Return when there is something to read, room to write (if `writable`), a `wake`, or `until_s` (monotonic)
        has come."""
        events = self._wait_on(self._fd, select.POLLIN | (select.POLLOUT if writable else 0), until_s)
        self._hung_up = bool(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL))

    def wake(self) -> None:
        """End a `wait`, from any thread."""
        os.eventfd_write(self._wakeup, 1)

    def paper_out(self) -> bool | None:
        """What the port itself says of the paper, beside any reply; None where ports do not tell."""
        return None

    def close(self) -> None:
        self._close_port()
        os.close(self._wakeup)

    #: Whether a read of nothing means the end, as it does on a network. A serial port reads as nothing whenever
    #: nothing has come, and a USB printer may send empty packets: those end by a hang-up.
    _ends_when_empty = False
    _hung_up = False

    @property
    def _ended(self) -> str:
        """How the connection ended."""
        return "was closed"

    def _close_port(self) -> None:
        os.close(self._fd)

    def _wait_on(self, fd: int, events: int, until_s: float) -> int:
        """Wait for `events` on `fd`: those that came, 0 after a wake or at the deadline."""
        poll = select.poll()
        poll.register(fd, events)
        poll.register(self._wakeup, select.POLLIN)
        ready = dict(poll.poll(max(0.0, until_s - time.monotonic()) * 1000))
        if self._wakeup in ready:
            os.eventfd_read(self._wakeup)
        return ready.get(fd, 0)

    def _lost(self, error: OSError) -> DeviceError:
        gone = (errno.EPIPE, errno.ECONNRESET, errno.ETIMEDOUT, errno.EIO, errno.ENODEV, errno.ENXIO, errno.EBADF)
        if error.errno in gone or error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN):
            return DeviceError(DeviceState.ABSENT, PrinterCode.CONNECTION_LOST, f"{self.address}: {error.strerror}")
        return DeviceError(DeviceState.FAULT, PrinterCode.PORT, f"{self.address}: {error.strerror}")


class TcpTransport(Transport):
    """A raw TCP printer, port 9100."""

    _ends_when_empty = True

    def _open(self) -> int:
        try:
            self._socket = connect(self.address.host, self.address.port, CONNECT_WITHIN_S)
        except OSError as error:
            raise DeviceError(DeviceState.ABSENT, PrinterCode.ABSENT, f"{self.address}: {error.strerror}") from error
        self._socket.setblocking(False)
        # A strip must leave when it is written, not when the acknowledgement of the one before has come back.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket.fileno()

    def _close_port(self) -> None:
        self._socket.close()


class _DeviceFile(Transport):
    """A printer that is a file in /dev."""

    def _character_device(self) -> None:
        """Refuse anything that is not a character device before touching it. Raises DeviceError."""
        try:
            mode = os.stat(self.address.path).st_mode
        except OSError as error:
            raise self._not_opened(error.errno) from error
        if not stat.S_ISCHR(mode):
            raise DeviceError(DeviceState.FAULT, PrinterCode.WRONG_PATH, f"{self.address} is not a device")

    def _not_opened(self, number: int | None) -> DeviceError:
        detail = f"{self.address}: {os.strerror(number) if number else 'cannot be set up'}"
        if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR, errno.EIO):
            return DeviceError(DeviceState.ABSENT, PrinterCode.ABSENT, detail)
        if number in (errno.EACCES, errno.EPERM):
            return DeviceError(DeviceState.FAULT, PrinterCode.PERMISSION, detail)
        if number in (errno.EBUSY, errno.EAGAIN):
            return DeviceError(DeviceState.FAULT, PrinterCode.BUSY_PORT, detail)
        return DeviceError(DeviceState.FAULT, PrinterCode.PORT, detail)


class SerialTransport(_DeviceFile):
    """A serial printer. pyserial sets the line up and locks it; bytes then go straight through the descriptor, since
    pyserial's own write blocks until the paper is refilled."""

    def _open(self) -> int:
        import serial

        self._character_device()
        address = self.address
        self.bytes_per_s = address.baudrate / 10  # a byte is ten bits on the line: start, eight, stop
        try:
            self._serial = serial.Serial(
                address.path,
                address.baudrate,
                timeout=0,
                write_timeout=0,
                xonxoff=not address.rtscts,  # the kernel then stops sending; no reply contains 11h or 13h
                rtscts=address.rtscts,
                exclusive=True,
            )
        except serial.SerialException as error:
            raise self._not_opened(error.errno) from error
        return self._serial.fileno()

    def _close_port(self) -> None:
        # Bytes that a stalled printer has not taken would hold close() up for half a minute (closing_wait).
        with suppress(termios.error):  # a port that was pulled out has nothing left to drop
            self._serial.reset_output_buffer()
        self._serial.close()


class UsblpTransport(_DeviceFile):
    """A USB printer through the kernel's usblp: it does not reset the printer when opened, and can be waited on."""

    def _open(self) -> int:
        self._character_device()
        try:
            # Without O_CREAT: a path that went away between the check and here is an error, never a new file.
            fd = os.open(self.address.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise self._not_opened(error.errno) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise self._not_opened(error.errno) from error
        return fd

    def paper_out(self) -> bool | None:
        answer = bytearray(4)
        try:
            fcntl.ioctl(self._fd, LPGETSTATUS, answer)
        except OSError:
            return None  # the port does not tell
        return bool(int.from_bytes(answer, "little") & LP_PAPER_OUT)


class UsbTransport(Transport):
    """A USB printer through libusb."""

    _ends_when_empty = True

    def _open(self) -> int:
        address = self.address
        self._port = UsbPort(address.vendor, address.product, address.serial, address.detach, str(address))
        return self._port.host.fileno()

    def paper_out(self) -> bool | None:
        return self._port.paper_out()

    @property
    def _ended(self) -> str:
        return self._port.ended

    def _close_port(self) -> None:
        self._port.close()
