"""One call of BSrE's e-sign service over HTTP, within a deadline for all of it: the name, TLS, sending, and every byte
that comes back. An answer that drips in is as late as one that does not come.

Nothing of the environment counts (no proxy, no password file), and no redirect is followed: the call holds a client's
secret and an official's passphrase. No exception of a library leaves this module, since its frames would hold them too.
"""

import base64
import contextlib
import http.client
import logging
import os
import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from config.settings import Bsre
from config.toml_file import TomlError, read_toml
from kiosk.signing.interface import SigningCode, SigningError

log = logging.getLogger(__name__)

#: A letter is some 100 kB; base64 makes it a third longer.
LONGEST_ANSWER_BYTES = 16 << 20


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the client has from BSrE: its name and secret, and for electronic seals the subscriber and the code of its
    activation. None of it shows in a repr."""

    client_id: str
    client_secret: str
    seal_subscriber: str = ""
    seal_totp: str = ""

    def __repr__(self) -> str:
        return "Credentials(…)"


@dataclass(frozen=True, repr=False)
class Call:
    """`path` is the API's, below the server's URL."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/json"

    def __repr__(self) -> str:
        return "Call(…)"


@dataclass(frozen=True, repr=False)
class Answer:
    """Whatever came, with HTTP's status. `document_id` is BSrE's header of that name, "" without one."""

    status: int
    body: bytes
    document_id: str

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"


def load_credentials(name: str) -> Credentials:
    """From the TOML file at an absolute path, which others than its owner and group cannot read, or from the systemd
    credential of that name. Raises SigningError."""
    path = Path(os.environ.get("CREDENTIALS_DIRECTORY", ""), name)  # an absolute name stands for itself
    if not path.is_absolute():
        raise SigningError(SigningCode.SETUP, f"systemd gave no credential {name} (LoadCredential=)")
    try:
        mode = path.stat().st_mode
        credentials = read_toml(path, Credentials)
    except (OSError, TomlError) as error:
        reason = str(error)
    else:
        reason = ""
    if reason:  # raised out here, where no error hangs on it whose frames hold the file
        raise SigningError(SigningCode.SETUP, reason)
    if Path(name).is_absolute() and mode & 0o027:
        raise SigningError(SigningCode.SETUP, f"{path} is open to others than its owner and group: chmod 640 {path}")
    return credentials


def ask(server: Bsre, credentials: Credentials, call: Call) -> Answer:
    """Raises SigningError where no whole answer came in time."""
    exchange = _Exchange(server, credentials, call)
    thread = threading.Thread(target=exchange.run, name="e-sign call", daemon=True)
    thread.start()
    thread.join(server.deadline_s)
    outcome = exchange.outcome  # as it is now: being abandoned ends a call in its own way
    exchange.abandon()
    if outcome is None:
        outcome = SigningError(SigningCode.NO_ANSWER, f"nothing whole within {server.deadline_s:g} s")
    if isinstance(outcome, SigningError):
        log.warning("e-sign service: %s", outcome)
        raise outcome
    return outcome


class _Exchange:
    """A call on its way. `outcome` is there once it ended, and is None for one that was abandoned."""

    def __init__(self, server: Bsre, credentials: Credentials, call: Call) -> None:
        self.outcome: Answer | SigningError | None = None
        self._server, self._credentials, self._call = server, credentials, call
        self._abandoned = threading.Event()
        self._socket: socket.socket | None = None

    def run(self) -> None:
        try:
            self.outcome = self._exchange()
        except ssl.SSLError as error:
            self.outcome = SigningError(SigningCode.SERVER_CERTIFICATE, error.reason or type(error).__name__)
        except OSError as error:
            self.outcome = SigningError(SigningCode.NO_ANSWER, error.strerror or type(error).__name__)
        except http.client.HTTPException as error:
            self.outcome = SigningError(SigningCode.BAD_ANSWER, type(error).__name__)

    def abandon(self) -> None:
        """Nobody waits any more: end the connection under the thread, wherever it stands."""
        self._abandoned.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it is over already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # not TLS's own, which is for its one thread

    def _exchange(self) -> Answer | SigningError | None:
        with contextlib.closing(_connection(self._server)) as connection:
            connection.connect()
            self._socket = connection.sock  # the connection itself forgets it once the answer begins
            return self._send_and_receive(connection)

    def _send_and_receive(self, connection: http.client.HTTPConnection) -> Answer | SigningError | None:
        if self._abandoned.is_set():
            return None  # a passphrase is not sent for somebody who has left
        headers = {"Authorization": self._authorization(), "Accept-Encoding": "identity"}
        if self._call.body:
            headers["Content-Type"] = self._call.content_type
        prefix = urlsplit(self._server.url).path.rstrip("/")
        connection.request(self._call.method, prefix + self._call.path, self._call.body, headers)
        with connection.getresponse() as response:
            body = response.read(LONGEST_ANSWER_BYTES + 1)
            if len(body) > LONGEST_ANSWER_BYTES:
                return SigningError(SigningCode.BAD_ANSWER, "longer than any letter")
            if response.length:
                return SigningError(SigningCode.BAD_ANSWER, "only a part of it came")
            return Answer(response.status, body, response.getheader("id_dokumen", ""))

    def _authorization(self) -> str:
        """RFC 7617."""
        pair = f"{self._credentials.client_id}:{self._credentials.client_secret}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _connection(server: Bsre) -> http.client.HTTPConnection:
    address = urlsplit(server.url)
    if address.scheme == "http":
        return http.client.HTTPConnection(address.hostname, address.port, timeout=server.deadline_s)
    import certifi

    context = ssl.create_default_context(cafile=server.server_ca or certifi.where())
    return http.client.HTTPSConnection(address.hostname, address.port, timeout=server.deadline_s, context=context)
