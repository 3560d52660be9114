"""The desk's HTTP server on a real socket: slow and silent clients, too much of everything, and TLS."""

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from support.ports import free_port
from support.tls import make_certificate

from config.settings import Desk
from kiosk.desk import serving
from kiosk.desk.serving import CannotServe, DeskServer, tls_context

PATIENCE_S = 10.0


def echo(environ, start_response):
    """Tells what came with the request, or as much as is asked for."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH", 0)))
    if environ["PATH_INFO"] == "/large":
        body = b"x" * 50_000_000
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Scheme", environ["wsgi.url_scheme"])])
    return [body]


@contextmanager
def running(**options) -> Iterator[Desk]:
    desk = Desk(port=free_port(), **options)
    with DeskServer(desk, echo):
        yield desk


@pytest.fixture
def desk(monkeypatch) -> Iterator[Desk]:
    monkeypatch.setattr(serving, "REQUEST_WITHIN_S", 0.5)
    monkeypatch.setattr(serving, "ANSWER_WITHIN_S", 0.5)
    with running() as desk:
        yield desk


def ask(desk: Desk, method: str = "GET", path: str = "/", body: bytes | None = None, **options) -> tuple[int, bytes]:
    kind = http.client.HTTPSConnection if desk.tls else http.client.HTTPConnection
    connection = kind("127.0.0.1", desk.port, timeout=PATIENCE_S, **options)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def connect(desk: Desk) -> socket.socket:
    return socket.create_connection(("127.0.0.1", desk.port), PATIENCE_S)


def test_it_answers(desk):
    assert ask(desk, "POST", body=b"a=1") == (200, b"a=1")


def test_a_request_that_drips_is_cut_off_however_often_it_drips(desk):
    with connect(desk) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        sock.settimeout(0.1)
        with pytest.raises((ConnectionError, EOFError)):
            for _ in range(100):  # ten times as long as a request may take
                sock.sendall(b"X-Drip: 1\r\n")
                try:
                    if sock.recv(1000) == b"":
                        raise EOFError
                except TimeoutError:
                    pass


@pytest.mark.parametrize("sent", [b"", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"])
def test_a_client_that_falls_silent_is_cut_off(desk, sent):
    with connect(desk) as sock:
        sock.sendall(sent)
        received = b""
        while piece := sock.recv(1000):
            received += piece
        assert b"200" not in received  # half a form is none


def test_who_reads_an_answer_too_slowly_loses_it(desk):
    with connect(desk) as sock:
        sock.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
        time.sleep(1.0)  # reads nothing for twice as long as an answer may take
        received = 0
        try:
            while piece := sock.recv(1 << 20):
                received += len(piece)
        except ConnectionError:
            pass
        assert received < 50_000_000


def test_one_address_holds_only_some_of_the_threads(monkeypatch):
    with ExitStack() as stack:
        desk = stack.enter_context(running())
        silent = [stack.enter_context(connect(desk)) for _ in range(serving.THREADS * 2)]
        for sock in silent:
            sock.sendall(b"GET / HTTP/1.1\r\n")
        # What is above its share is closed at once, and the threads of others are free.
        closed = 0
        for sock in silent[serving.UNDER_WAY_PER_ADDRESS :]:
            try:
                closed += sock.recv(100) == b""
            except ConnectionError:
                closed += 1
        assert closed == len(silent) - serving.UNDER_WAY_PER_ADDRESS
        other = http.client.HTTPConnection("127.0.0.1", desk.port, PATIENCE_S, source_address=("127.0.0.2", 0))
        other.request("GET", "/")
        assert other.getresponse().status == 200
        other.close()


def test_too_large_headers_and_bodies_are_refused(desk):
    with connect(desk) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * (serving.LONGEST_HEADERS_BYTES + 1) + b"\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 413")
    with connect(desk) as sock:
        length = serving.LONGEST_BODY_BYTES + 1
        sock.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        assert sock.recv(1000).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Content-Length: -1", 400),
        ("Content-Length: -5", 400),
        ("Content-Length: +5", 400),
        ("Transfer-Encoding: chunked", 411),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", 411),
    ],
)
def test_a_body_that_does_not_say_its_length_is_refused_unread(desk, header, status):
    with connect(desk) as sock:
        sock.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
        answer = b""
        while piece := sock.recv(1000):
            answer += piece
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()) and answer.count(b"\r\n\r\n") == 1


def test_nothing_of_the_server_is_told(desk):
    with connect(desk) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := sock.recv(1000):
            answer += piece
    assert b"cheroot" not in answer.lower() and b"python" not in answer.lower()


def test_a_port_that_is_taken_is_told(desk):
    with pytest.raises(CannotServe, match=rf"desk\.address: 127\.0\.0\.1 port {desk.port} cannot be used"):
        DeskServer(desk, echo).__enter__()


# TLS.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


def test_tls(certificate):
    with running(tls_certificate=str(certificate.certificate), tls_key=str(certificate.key)) as desk:
        trust = ssl.create_default_context(cafile=str(certificate.certificate))
        assert ask(desk, "POST", body=b"a=1", context=trust) == (200, b"a=1")
        with pytest.raises((OSError, http.client.HTTPException)):  # plain HTTP is not answered
            plain = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=PATIENCE_S)
            plain.request("GET", "/")
            plain.getresponse()
        assert tls_context(desk).minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_handshake_that_never_comes_holds_nobody_up(certificate):
    with ExitStack() as stack:
        desk = stack.enter_context(running(tls_certificate=str(certificate.certificate), tls_key=str(certificate.key)))
        for _ in range(3):
            stack.enter_context(connect(desk))
        trust = ssl.create_default_context(cafile=str(certificate.certificate))
        assert ask(desk, context=trust) == (200, b"")


def test_a_certificate_that_cannot_be_used_is_told(certificate, tmp_path):
    for name, key in (("missing.pem", certificate.key), (str(certificate.certificate), tmp_path / "none.pem")):
        with pytest.raises(CannotServe, match=r"desk\.tls_certificate: .*cannot be used"):
            DeskServer(Desk(tls_certificate=name, tls_key=str(key)), echo)
