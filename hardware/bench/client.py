"""Talks to the bench of a running kiosk."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from hardware.bench.world import BenchError

ANSWER_S = 10.0


class BenchClient:
    """Drives the bench that listens at `socket_path`. Each call is a connection of its own, so that one client may
    be used by several threads."""

    def __init__(self, socket_path: Path) -> None:
        self.socket_path = socket_path

    def call(self, command: str, *arguments: str) -> Any:
        """The answer to a command of the table in `world.py`. Raises BenchError in plain words: no bench listens,
        it does not answer within its time, or it refused."""
        with _Connection(self.socket_path) as connection:
            reply = connection.ask(command, *arguments)
            if "waiting_s" in reply:
                connection.be_patient(reply["waiting_s"] + ANSWER_S)
                reply = connection.reply()
        return _answer(reply)

    def subscribe(self) -> "Subscription":
        """The bench's changes from now on, after its state and newest papers. Raises BenchError."""
        connection = _Connection(self.socket_path)
        try:
            _answer(connection.ask("subscribe"))
        except BaseException:
            connection.close()
            raise
        return Subscription(connection)


class Subscription:
    """Iterates over events as they come (see `server.py`), and ends when the kiosk does or `close` is called, which
    another thread may do."""

    def __init__(self, connection: "_Connection") -> None:
        connection.be_patient(None)
        self._connection = connection

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while (event := self._connection.read()) is not None:
            yield event

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Connection:
    """One connection to a bench: JSON lines both ways."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._received = bytearray()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_S)
        try:
            self._socket.connect(os.fsencode(path))
        except OSError as error:
            self._socket.close()
            reason = error.strerror or str(error)
            raise BenchError(f"no kiosk is running with a bench at {path} ({reason})") from error

    def be_patient(self, seconds: float | None) -> None:
        """How long to wait for each line; None for ever."""
        self._socket.settimeout(seconds)

    def ask(self, command: str, *arguments: str) -> dict[str, Any]:
        request = {"command": command, "arguments": arguments, "directory": os.getcwd()}
        with suppress(ConnectionError):  # a kiosk that ends is told by its missing reply
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        return self.reply()

    def reply(self) -> dict[str, Any]:
        """The next line, which must come. Raises BenchError."""
        try:
            reply = self.read()
        except TimeoutError as error:
            raise BenchError(f"the bench at {self._path} does not answer") from error
        if reply is None:
            raise BenchError(f"the kiosk with the bench at {self._path} has ended")
        return reply

    def read(self) -> dict[str, Any] | None:
        """The next line, None where the kiosk ended, was killed, or `close` was called. Raises TimeoutError."""
        while b"\n" not in self._received:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise
            except OSError:
                return None
            if not data:
                return None
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return json.loads(line)

    def close(self) -> None:
        with suppress(OSError):  # the kiosk closed first
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _answer(reply: dict[str, Any]) -> Any:
    if not reply["ok"]:
        raise BenchError(reply["error"])
    return reply["answer"]
