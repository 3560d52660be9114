"""The bench's socket: lets a panel, a second terminal or a test drive the world around a running kiosk.

One JSON object a line, both ways, over a Unix socket that only its owner may open:

    {"command": "tap", "arguments": ["siti"], "directory": "/home/me"}
    {"ok": true, "answer": "siti's card is on the reader"}
    {"ok": false, "error": "nobody is called 'sit'; the cards are of: budi, siti"}

`directory` is where relative paths begin. A command that waits is first told to the client, so that it knows how long
to be patient, `{"waiting_s": 60.0}`. After the command `subscribe` the connection also carries every change:

    {"event": "state", "state": {…}}
    {"event": "paper", "number": 3, "png": "<base64>"}
"""

import base64
import io
import json
import logging
import os
import selectors
import socket
import stat
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardware.bench.world import BenchError, NotYet, World

log = logging.getLogger(__name__)

#: What `sun_path` takes, less the closing NUL.
LONGEST_PATH_BYTES = 107
LONGEST_REQUEST_BYTES = 64 * 1024
#: A subscriber that is this far behind does not read any more.
MOST_UNSENT_BYTES = 16 * 1024 * 1024
#: How many of the newest papers a new subscriber gets.
PAPERS_AT_FIRST = 8


@dataclass
class _Waiting:
    """A request that is tried again after each change, until its deadline on the monotonic clock."""

    request: dict[str, Any]
    deadline_s: float


@dataclass(eq=False)
class _Client:
    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    waiting: _Waiting | None = None
    subscribed: bool = False
    papers_sent: int = 0
    state_sent: dict[str, Any] | None = None


class BenchServer:
    """Serves `world` at `socket_path`. One thread, many clients."""

    def __init__(self, world: World, socket_path: Path) -> None:
        self.socket_path = socket_path
        self._world = world
        self._clients: set[_Client] = set()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._waking = threading.Lock()  # devices change the world also while the server ends

    def start(self) -> None:
        """Listen, and serve from a thread. Raises BenchError where the socket cannot be made."""
        self._listener = _listen(self.socket_path)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._ended = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_fd, selectors.EVENT_READ)
        self._world.on_change = self._wake
        self._thread = threading.Thread(target=self._run, name="bench", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and take the socket away; returns when the thread has ended."""
        if self._thread is None:
            return
        self._stopping = True
        self._wake()
        self._thread.join()
        self._thread = None

    def _wake(self) -> None:
        with self._waking:
            if not self._ended:
                os.eventfd_write(self._wake_fd, 1)

    def _run(self) -> None:
        try:
            while not self._stopping:
                for key, events in self._selector.select(self._patience_s()):
                    self._attend(key, events)
                for client in list(self._clients):
                    self._bring_up_to_date(client)
        finally:
            self._world.on_change = None
            for client in list(self._clients):
                self._drop(client)
            self._selector.close()
            self._listener.close()
            with self._waking:
                self._ended = True
                os.close(self._wake_fd)
            self.socket_path.unlink(missing_ok=True)

    def _patience_s(self) -> float | None:
        """Until the first deadline of a waiting request."""
        deadlines_s = [client.waiting.deadline_s for client in self._clients if client.waiting]
        return max(0.0, min(deadlines_s) - time.monotonic()) if deadlines_s else None

    def _attend(self, key: selectors.SelectorKey, events: int) -> None:
        if key.fileobj is self._listener:
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            client = _Client(connection)
            self._clients.add(client)
            self._selector.register(connection, selectors.EVENT_READ, client)
        elif key.fileobj == self._wake_fd:
            os.eventfd_read(self._wake_fd)
        else:
            if events & selectors.EVENT_READ:
                self._receive(key.data)
            if events & selectors.EVENT_WRITE and key.data in self._clients:
                self._flush(key.data)

    def _receive(self, client: _Client) -> None:
        try:
            data = client.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._drop(client)
            return
        client.received += data
        self._handle_lines(client)
        if len(client.received) > LONGEST_REQUEST_BYTES:
            self._send(client, {"ok": False, "error": f"a request is at most {LONGEST_REQUEST_BYTES} bytes"})
            self._drop(client)

    def _handle_lines(self, client: _Client) -> None:
        """In order: a request that waits holds back those after it."""
        while not client.waiting and b"\n" in client.received:
            line, _, client.received = client.received.partition(b"\n")
            self._handle(client, bytes(line))

    def _handle(self, client: _Client, line: bytes) -> None:
        try:
            request = _parse(line)
        except BenchError as error:
            self._send(client, {"ok": False, "error": str(error)})
            return
        if request["command"] == "subscribe":
            client.subscribed = True
            client.papers_sent = max(0, len(self._world.papers) - PAPERS_AT_FIRST)
            self._send(client, {"ok": True, "answer": "subscribed"})
        else:
            self._try(client, request)

    def _try(self, client: _Client, request: dict[str, Any]) -> None:
        """Run a request; one that must wait is kept on the client."""
        first_time = client.waiting is None
        try:
            answer = self._world.run(request["command"], request["arguments"], Path(request["directory"]))
        except NotYet as not_yet:
            if first_time:
                client.waiting = _Waiting(request, time.monotonic() + not_yet.patience_s)
                self._send(client, {"waiting_s": not_yet.patience_s})
            elif time.monotonic() >= client.waiting.deadline_s:
                client.waiting = None
                self._send(client, {"ok": False, "error": str(not_yet)})
            return
        except BenchError as error:
            reply = {"ok": False, "error": str(error)}
        except Exception as error:  # the bench's own mistake must not take the kiosk's bench away
            log.exception("bench: unexpected error in %s", request["command"])
            reply = {"ok": False, "error": f"the bench failed: {type(error).__name__}: {error}"}
        else:
            reply = {"ok": True, "answer": answer}
        client.waiting = None
        self._send(client, reply)

    def _bring_up_to_date(self, client: _Client) -> None:
        if client.waiting:
            self._try(client, client.waiting.request)
            self._handle_lines(client)
        if not client.subscribed:
            return
        papers = self._world.papers
        while client.papers_sent < len(papers):
            client.papers_sent += 1
            png = _png(papers[client.papers_sent - 1])
            self._send(client, {"event": "paper", "number": client.papers_sent, "png": png})
        state = self._world.state()
        if state != client.state_sent:
            client.state_sent = state
            self._send(client, {"event": "state", "state": state})

    def _send(self, client: _Client, message: dict[str, Any]) -> None:
        if client not in self._clients:  # dropped meanwhile
            return
        client.unsent += json.dumps(message).encode() + b"\n"
        self._flush(client)
        if len(client.unsent) > MOST_UNSENT_BYTES:
            log.warning("bench: a client does not read any more and is dropped")
            self._drop(client)

    def _flush(self, client: _Client) -> None:
        try:
            sent = client.socket.send(client.unsent)
        except BlockingIOError:
            sent = 0
        except ConnectionError:
            self._drop(client)
            return
        del client.unsent[:sent]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent else 0)
        self._selector.modify(client.socket, wanted, client)

    def _drop(self, client: _Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._selector.unregister(client.socket)
            client.socket.close()


def _listen(path: Path) -> socket.socket:
    """A listening socket at `path`, 0600 from its first moment. A socket that nobody listens at is replaced."""
    length = len(os.fsencode(path))
    if length > LONGEST_PATH_BYTES:
        raise BenchError(f"{path}: is {length} bytes long, and a Unix socket's path at most {LONGEST_PATH_BYTES}")
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), 0o600)  # Linux gives the file the mode that the socket has when it is bound
        listener.bind(os.fsencode(path))
        listener.listen()
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise BenchError(f"{path}: no socket can be made here: {error.strerror}") from error
    return listener


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise BenchError(f"{path}: cannot be looked at: {error.strerror}") from error
    if not stat.S_ISSOCK(mode):
        raise BenchError(f"{path}: is there already, and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fsencode(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise BenchError(f"{path}: cannot be tried: {error.strerror}") from error
    raise BenchError(f"{path}: another kiosk's bench listens here")


def _parse(line: bytes) -> dict[str, Any]:
    """A request, complete; raises BenchError."""
    try:
        request = json.loads(line)
    except ValueError as error:
        raise BenchError(f"a request is one JSON object a line: {error}") from error
    if not isinstance(request, dict) or not isinstance(request.get("command"), str):
        raise BenchError('a request is {"command": "…", "arguments": ["…"]}')
    arguments = request.get("arguments", [])
    if not isinstance(arguments, list) or not all(isinstance(argument, str) for argument in arguments):
        raise BenchError("arguments are a list of texts")
    directory = request.get("directory", "/")
    if not isinstance(directory, str):
        raise BenchError("directory is a text")
    return {"command": request["command"], "arguments": arguments, "directory": directory}


def _png(image: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
