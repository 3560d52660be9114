"""A scanner on a serial line: RS-232, or USB in its CDC ("virtual COM port") mode.

Recommended over a keyboard wedge, which loses characters and depends on the keyboard's layout. The scanner must be
set up to end each code with CR, LF or both, as most are from the factory; payloads therefore hold neither.
"""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING

import msgspec

from hardware.code_scanner.interface import LONGEST_PAYLOAD
from hardware.code_scanner.listening import ABSENT, HALF_CODE, NO_PERMISSION, TOO_LONG, Listening, ListeningScanner
from hardware.device import DeviceError, DeviceState

if TYPE_CHECKING:
    import serial

#: A scanner sends a code in one go; after this much silence, no more of it comes.
QUIET_GAP_S = 0.3
_TERMINATORS = b"\r\n"


class SerialScanner(ListeningScanner):
    """Reads codes from `port`.

    CodeUnreadable is SCANNER-TOO-LONG for more than LONGEST_PAYLOAD bytes, and SCANNER-HALF-CODE when silence comes
    before the terminator; the next code begins after the next terminator or silence. A code that began before the
    scanner listened is dropped whole. ABSENT (SCANNER-ABSENT) while the port is gone, FAULT (SCANNER-NO-PERMISSION)
    when it may not be opened.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        port: str
        baudrate: int = 115200

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name)
        self.options = options
        self._port: serial.Serial | None = None
        self._port_lock = threading.Lock()  # `stop` must not wake a port that is just being closed
        self._started_in: Listening | None = None
        self._code = bytearray()
        self._skipping = False

    def _open(self) -> None:
        import serial

        self._begin_code()
        try:
            self._port = serial.Serial(self.options.port, self.options.baudrate, exclusive=True)
        except serial.SerialException as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                raise DeviceError(DeviceState.FAULT, NO_PERMISSION, self.options.port) from error
            raise DeviceError(DeviceState.ABSENT, ABSENT, self.options.port) from error

    def _serve(self) -> None:
        import serial

        try:
            while not self._stopping.is_set():
                self._take(self._read())
        except (serial.SerialException, OSError) as error:
            raise DeviceError(DeviceState.ABSENT, ABSENT, self.options.port) from error

    def _close(self) -> None:
        with self._port_lock:
            if self._port is not None:
                self._port.close()
                self._port = None

    def _interrupt(self) -> None:
        super()._interrupt()
        with self._port_lock:
            if self._port is not None:
                self._port.cancel_read()

    def _read(self) -> bytes:
        """What has come; empty when a code under way fell silent, or on `stop`. Between codes it only waits."""
        under_way = bool(self._code) or self._skipping
        self._port.timeout = QUIET_GAP_S if under_way else None
        return self._port.read(self._port.in_waiting or 1)

    def _take(self, read: bytes) -> None:
        if not read:
            self._fell_silent()
        for byte in read:
            if byte in _TERMINATORS:
                self._code_ended()
            else:
                self._take_byte(byte)

    def _take_byte(self, byte: int) -> None:
        if self._skipping:
            return
        if not self._code:
            self._started_in = self._listening
        self._code.append(byte)
        if len(self._code) > LONGEST_PAYLOAD:
            self._tell_unreadable(TOO_LONG, self._started_in)
            self._begin_code()
            self._skipping = True

    def _code_ended(self) -> None:
        self._tell_code(bytes(self._code), self._started_in)  # nothing is told of the nothing between CR and LF
        self._begin_code()

    def _fell_silent(self) -> None:
        if self._code and not self._stopping.is_set():
            self._tell_unreadable(HALF_CODE, self._started_in)
        self._begin_code()

    def _begin_code(self) -> None:
        self._code.clear()
        self._skipping = False
