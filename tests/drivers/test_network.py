"""A name server that is away holds nobody up: neither a device's thread nor its end."""

import errno
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from hardware import network
from hardware.device import DeviceError, DeviceState
from hardware.page_printer.codes import PagePrinterCode
from hardware.page_printer.ipp_http import exchange
from hardware.page_printer.ipp_protocol import Message, Operation
from hardware.printer.codes import PrinterCode
from hardware.printer.transport import CONNECT_WITHIN_S, open_transport, parse_connection

NAME = "printer.kantor.example"


@pytest.fixture
def answering(monkeypatch) -> Iterator[threading.Event]:
    """Until it is set, no name server answers; then the name is this machine's."""
    answering, real = threading.Event(), socket.getaddrinfo

    def getaddrinfo(host: str, port: int, **options: int) -> list:
        if host != NAME or options.get("flags"):
            return real(host, port, **options)
        answering.wait()
        return real("127.0.0.1", port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield answering
    answering.set()


def test_a_printer_whose_name_nobody_knows_in_time_is_absent(answering) -> None:
    began_s = time.monotonic()
    with pytest.raises(DeviceError) as refused:
        open_transport(parse_connection(f"tcp://{NAME}:9100"))
    assert time.monotonic() - began_s < CONNECT_WITHIN_S + 0.5
    assert (refused.value.status.state, refused.value.status.code) == (DeviceState.ABSENT, PrinterCode.ABSENT)
    assert "no name server" in refused.value.status.detail


def test_a_page_printer_too(answering) -> None:
    request = Message(Operation.GET_PRINTER_ATTRIBUTES, 1, [])
    with pytest.raises(DeviceError) as refused:
        exchange(urlsplit(f"ipp://{NAME}/ipp/print"), request, 0.2)
    assert refused.value.status.code == PagePrinterCode.NO_ANSWER


def test_a_name_is_looked_up_once_however_often_it_is_asked_for_and_used_when_it_comes(answering) -> None:
    for _ in range(5):
        with pytest.raises(TimeoutError):
            network.resolve(NAME, 9100, 0.02)
    assert [thread.name for thread in threading.enumerate()].count(f"name:{NAME}") == 1
    answering.set()
    assert network.resolve(NAME, 9100, 5.0) == [("127.0.0.1", 9100)]


def test_the_next_address_is_tried_where_the_first_refuses(monkeypatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(network, "resolve", lambda *asked: [("127.0.0.2", port), ("127.0.0.1", port)])
        network.connect("two.example", port, 2.0).close()


def test_a_name_that_is_none_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="."):
        network.connect("a..b", 9100, 2.0)


def test_an_address_that_takes_no_connection_is_late(monkeypatch) -> None:
    with socket.socket() as full:  # its backlog is full, so that the kernel does not answer
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with socket.socket() as first, pytest.raises(OSError) as late:  # noqa: PT012
            first.connect(full.getsockname())
            for _ in range(3):
                network.connect(*full.getsockname(), 0.2)
        assert late.value.errno == errno.ETIMEDOUT
