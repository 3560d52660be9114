"""The desk's process and its HTTP server.

cheroot does HTTP on a pool of threads. What it lacks is added here, because one silent client could hold the desk up:
a TLS handshake in the worker instead of in the accepting loop, a deadline for a whole request, however slowly its bytes
drip, and a limit to what one address may have under way.
"""

import io
import logging
import re
import signal
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from cheroot.server import HTTPConnection
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Gateway_10, Server

from config.settings import Listener, Settings
from kiosk import sd_notify
from kiosk.app import CannotRun

log = logging.getLogger(__name__)

THREADS = 24
#: Of one address: more than a browser opens at once, and half of the threads.
UNDER_WAY_PER_ADDRESS = 12
REQUEST_WITHIN_S = 15.0
ANSWER_WITHIN_S = 60.0
LONGEST_HEADERS_BYTES = 16 * 1024
MOST_KEPT_ALIVE = 100
#: More than any page takes, so that a page says what is too large for it.
LONGEST_BODY_BYTES = 12 * 1024 * 1024


class CannotServe(CannotRun):
    """The desk cannot run here; the text says why in plain words."""


def serve(settings: Settings, path: Path) -> int:
    """Run the desk until SIGTERM or SIGINT; 0. Raises SettingsError, StoreError, CannotServe."""
    from kiosk.app import build_device
    from kiosk.desk.app import create_app
    from kiosk.desk.check_page import create_check_app
    from kiosk.desk.services import Services

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    services = Services.open(settings, build_device(settings, path, "page_printer"))
    try:
        with ExitStack() as stack:
            stack.enter_context(DeskServer(settings.desk, create_app(services)))
            if settings.check_page is not None:
                stack.enter_context(DeskServer(settings.check_page, create_check_app(services)))
            sd_notify.notify("READY=1")
            print(f"The officers' desk is at {settings.desk.url}", flush=True)
            stopping.wait()
            sd_notify.notify("STOPPING=1")
    finally:
        services.close()
    return 0


class DeskServer:
    """`app` at the settings' address, from entering to leaving; what is under way then is answered. Raises CannotServe
    where the certificate or the address cannot be used."""

    def __init__(self, listener: Listener, app: Callable[..., Any]) -> None:
        self._server = _Server(listener, app)
        self._thread = threading.Thread(target=self._server.serve, name="desk")

    def __enter__(self) -> "DeskServer":
        self._server.bind_or_refuse()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop()
        self._thread.join()
        self._server.deadlines.stop()


def tls_context(listener: Listener) -> ssl.SSLContext:
    """TLS 1.2 and later with the settings' certificate. Raises CannotServe."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(listener.tls_certificate, listener.tls_key, password=_no_password)
    except (OSError, ValueError) as error:
        files = f"{listener.tls_certificate} and {listener.tls_key}"
        raise CannotServe(
            f"{listener.table}.tls_certificate: {files} cannot be used as certificate and key: {error}"
        ) from error
    return context


def _no_password() -> str:
    raise ValueError("the key has a password, which a machine that starts by itself cannot be asked for")


class _Server(Server):
    def __init__(self, listener: Listener, app: Callable[..., Any]) -> None:
        super().__init__(
            (listener.address, listener.port),
            app,
            numthreads=THREADS,
            max=THREADS,
            server_name="desk",
            request_queue_size=64,
        )
        self._table = listener.table
        self.gateway = _Gateway
        self.ConnectionClass = _Connection
        self.max_request_header_size = LONGEST_HEADERS_BYTES
        self.max_request_body_size = LONGEST_BODY_BYTES
        self.keep_alive_conn_limit = MOST_KEPT_ALIVE
        self.deadlines = _Deadlines()
        self._under_way: Counter[str] = Counter()
        self._counting = threading.Lock()
        if listener.tls:
            self.ssl_adapter = _TlsAdapter(listener)

    def bind_or_refuse(self) -> None:
        try:
            self.prepare()
        except OSError as error:
            host, port = self.bind_addr
            raise CannotServe(f"{self._table}.address: {host} port {port} cannot be used: {error}") from error
        self.deadlines.start()

    def admit(self, address: str) -> bool:
        """Whether one more request of that address may be under way; each that is admitted is released."""
        with self._counting:
            if self._under_way[address] >= UNDER_WAY_PER_ADDRESS:
                return False
            self._under_way[address] += 1
            return True

    def release(self, address: str) -> None:
        with self._counting:
            self._under_way[address] -= 1
            if not self._under_way[address]:
                del self._under_way[address]

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        log.log(level, "%s", msg, exc_info=traceback)


class _Connection(HTTPConnection):
    def communicate(self) -> bool:
        """One request and its answer; whether the connection stays."""
        address = self.remote_addr or ""
        if not self.server.admit(address):
            return False
        try:
            self.server.deadlines.set(self.socket, REQUEST_WITHIN_S)
            if isinstance(self.socket, ssl.SSLSocket) and self.socket.version() is None:
                self.socket.do_handshake()
            return super().communicate()
        except OSError as error:  # the handshake's: a scanner, or a browser that does not trust the certificate
            log.debug("no TLS with %s: %s", address, error)
            return False
        finally:
            self.server.deadlines.clear(self.socket)
            self.server.release(address)


class _Gateway(Gateway_10):
    def respond(self) -> None:
        """The page is made once the whole request is there, and may take its time, as signing does."""
        length = self.env.get("CONTENT_LENGTH", "0")
        if self.req.chunked_read:  # no browser sends a form so, and each of its pieces may be a byte
            return self._refuse("411 Length Required")
        if not re.fullmatch("[0-9]+", length):  # cheroot takes a negative one for as much as ever comes
            return self._refuse("400 Bad Request")
        body = self.req.rfile.read(LONGEST_BODY_BYTES)
        if len(body) < int(length):
            return self._refuse("400 Bad Request")
        self.env["wsgi.input"] = io.BytesIO(body)
        self.env["CONTENT_LENGTH"] = str(len(body))
        self.req.server.deadlines.clear(self.req.conn.socket)
        super().respond()

    def _refuse(self, status: str) -> None:
        """Nothing more is read of who sends that."""
        self.req.close_connection = self.req.sent_headers = True
        self.req.simple_response(status)

    def write(self, chunk: bytes) -> None:
        self.req.server.deadlines.set(self.req.conn.socket, ANSWER_WITHIN_S)
        super().write(chunk)


class _TlsAdapter(BuiltinSSLAdapter):
    def __init__(self, listener: Listener) -> None:
        context = tls_context(listener)
        super().__init__(listener.tls_certificate, listener.tls_key)
        self.context = context

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        """No handshake yet: it would hold up the loop that accepts."""
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}


class _Deadlines:
    """Shuts sockets whose time is up, on a thread of its own."""

    def __init__(self) -> None:
        self._ends_s: dict[socket.socket, float] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._watch, name="desk-deadlines", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def set(self, sock: socket.socket, in_s: float) -> None:
        with self._changed:
            self._ends_s[sock] = end_s = time.monotonic() + in_s
            if end_s <= min(self._ends_s.values()):
                self._changed.notify()

    def clear(self, sock: socket.socket) -> None:
        with self._changed:
            self._ends_s.pop(sock, None)

    def _watch(self) -> None:
        with self._changed:
            while not self._stopping:
                now_s = time.monotonic()
                for sock in [sock for sock, end_s in self._ends_s.items() if end_s <= now_s]:
                    del self._ends_s[sock]
                    with suppress(OSError):  # the client has hung up
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS, which another thread is using
                self._changed.wait(min(self._ends_s.values()) - now_s if self._ends_s else None)
