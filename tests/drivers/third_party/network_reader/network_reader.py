"""A reader on the hall's network. Whoever connects is told, a line each, what lies there and every change of it:
`+04A1A2A3A4A5A6` for a card, `-` for none and `?` for one that cannot be read."""

import select
import socket
import time

import msgspec

from hardware.card_reader.interface import Card, CardKind, CardReader
from hardware.card_reader.presence import CardPresence
from hardware.device import DeviceError, DeviceState

CONNECT_TIMEOUT_S = 2.0
#: Ten bytes in hex and the sign; a line that is longer is cut, and is then no number.
LONGEST_LINE = 22
TORN = "CARD-TORN"


class NetworkReader(CardReader):
    """ABSENT (CARD-READER-ABSENT) while it cannot be reached; CardUnreadable is CARD-TORN."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        host: str
        port: int

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name)
        self._address = (options.host, options.port)
        self._socket: socket.socket | None = None
        self._stop_near, self._stop_far = socket.socketpair()
        self._presence = CardPresence(name, self._post)

    def _open(self) -> None:
        while select.select([self._stop_near], [], [], 0)[0]:  # of an earlier stop
            self._stop_near.recv(1)
        try:
            self._socket = socket.create_connection(self._address, CONNECT_TIMEOUT_S)
        except OSError as error:
            raise self._absent() from error

    def _serve(self) -> None:
        line = b""
        while not self._stopping.is_set():
            ready, _, _ = select.select([self._socket, self._stop_near], [], [], self._wait_s())
            if self._socket in ready:
                for byte in self._receive():
                    if byte == ord("\n"):
                        self._see(line)
                        line = b""
                    else:
                        line = (line + bytes([byte]))[:LONGEST_LINE]
            self._presence.settle()

    def _close(self) -> None:
        self._presence.forget()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _interrupt(self) -> None:
        self._stop_far.send(b"x")

    def _receive(self) -> bytes:
        try:
            received = self._socket.recv(4096)
        except OSError as error:
            raise self._absent() from error
        if not received:
            raise self._absent()
        return received

    def _see(self, line: bytes) -> None:
        self._presence.gone()
        if line == b"-":
            return
        try:
            uid = bytes.fromhex(line.decode("ascii").removeprefix("+"))
        except ValueError:
            self._presence.unreadable(TORN)
        else:
            self._presence.read(Card(uid, CardKind.EKTP))

    def _wait_s(self) -> float | None:
        leaves_at_s = self._presence.leaves_at_s
        return None if leaves_at_s is None else max(0.0, leaves_at_s - time.monotonic())

    def _absent(self) -> DeviceError:
        return DeviceError(DeviceState.ABSENT, "CARD-READER-ABSENT", f"{self._address[0]}:{self._address[1]}")
