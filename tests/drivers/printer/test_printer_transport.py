"""Every way to a printer, and every way in which it is not there, says what to look at."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from hardware.device import DeviceError, DeviceState
from hardware.printer.codes import PrinterCode
from hardware.printer.transport import ConnectionUrlError, open_transport, parse_connection
from hardware.printer.virtual import VirtualPrinter


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("192.168.1.50:9100", "must begin with"),
        ("http://192.168.1.50", "must begin with"),
        ("tcp://192.168.1.50", "tcp://host:port"),
        ("tcp://:9100", "tcp://host:port"),
        ("tcp://printer:99999", "tcp://host:port"),
        ("tcp://printer:9100/raw", "tcp://host:port"),
        ("tcp://printer:9100?speed=3", "unknown setting 'speed'"),
        ("serial://dev/ttyUSB0", "three slashes"),
        ("serial:///dev/ttyUSB0?baudrate=fast", "baudrate must be one of"),
        ("serial:///dev/ttyUSB0?flow=maybe", "flow must be"),
        ("usblp:///", "three slashes"),
        ("usblp:///dev/usb/lp0?baudrate=9600", "unknown setting 'baudrate'"),
        ("usb://epson", "usb://VENDOR:PRODUCT"),
        ("usb://04b8:0e15?detach=maybe", "detach must be yes or no"),
        ("usb://04b8:0e15?reset=yes", "unknown setting 'reset'"),
    ],
)
def test_a_wrong_url_says_what_is_wrong(url: str, reason: str) -> None:
    with pytest.raises(ConnectionUrlError, match=reason) as caught:
        parse_connection(url)
    assert url in str(caught.value)


def test_urls_are_taken_apart() -> None:
    tcp = parse_connection("tcp://192.168.1.50:9100")
    assert (tcp.host, tcp.port) == ("192.168.1.50", 9100)
    serial = parse_connection("serial:///dev/ttyS0?baudrate=9600&flow=rtscts")
    assert (serial.path, serial.baudrate, serial.rtscts) == ("/dev/ttyS0", 9600, True)
    assert parse_connection("usblp:///dev/usb/lp0").path == "/dev/usb/lp0"
    usb = parse_connection("usb://04B8:0e15/A%2F1?detach=yes")
    assert (usb.vendor, usb.product, usb.serial, usb.detach) == (0x04B8, 0x0E15, "A/1", True)
    assert not parse_connection("usb://04b8:0e15").detach


def refused(url: str) -> tuple[DeviceState, str]:
    with pytest.raises(DeviceError) as caught:
        open_transport(parse_connection(url))
    return caught.value.status.state, caught.value.status.code


@pytest.mark.parametrize("scheme", ["serial", "usblp"])
class TestDeviceFile:
    def test_a_wrong_path_is_absent_and_creates_nothing(self, scheme: str, tmp_path: Path) -> None:
        assert refused(f"{scheme}://{tmp_path}/lp0") == (DeviceState.ABSENT, PrinterCode.ABSENT)
        assert list(tmp_path.iterdir()) == []

    def test_a_plain_file_is_refused_and_not_touched(self, scheme: str, tmp_path: Path) -> None:
        plain = tmp_path / "lp0"
        plain.write_bytes(b"letter")
        assert refused(f"{scheme}://{plain}") == (DeviceState.FAULT, PrinterCode.WRONG_PATH)
        assert plain.read_bytes() == b"letter"

    def test_a_folder_is_refused(self, scheme: str, tmp_path: Path) -> None:
        assert refused(f"{scheme}://{tmp_path}") == (DeviceState.FAULT, PrinterCode.WRONG_PATH)

    def test_no_permission(self, scheme: str) -> None:
        ours, theirs = os.openpty()
        path = os.ttyname(theirs)
        os.chmod(path, 0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # root may open anything
        try:
            assert refused(f"{scheme}://{path}") == (DeviceState.FAULT, PrinterCode.PERMISSION)
        finally:
            os.seteuid(user)
            os.close(ours)
            os.close(theirs)

    def test_a_second_owner_is_refused(self, scheme: str) -> None:
        with VirtualPrinter(port="pty") as outside:
            url = outside.connection.replace("serial:", f"{scheme}:").partition("?")[0]
            first = open_transport(parse_connection(url))
            assert refused(url) == (DeviceState.FAULT, PrinterCode.BUSY_PORT)
            first.close()
            open_transport(parse_connection(url)).close()

    def test_the_port_of_a_terminal_tells_nothing_of_paper(self, scheme: str) -> None:
        with VirtualPrinter(port="pty") as outside:
            transport = open_transport(
                parse_connection(outside.connection.replace("serial:", f"{scheme}:").partition("?")[0])
            )
            assert transport.paper_out() is None
            transport.close()


def test_nobody_listens() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        assert refused(f"tcp://127.0.0.1:{port}") == (DeviceState.ABSENT, PrinterCode.ABSENT)


@pytest.mark.parametrize("port", ["tcp", "pty"])
class TestOpen:
    def test_bytes_go_out_and_come_back(self, port: str) -> None:
        with VirtualPrinter(port=port) as outside:
            transport = open_transport(parse_connection(outside.connection))
            assert transport.write(b"\x10\x04\x01") == 3
            deadline_s = time.monotonic() + 2
            answer = b""
            while not answer and time.monotonic() < deadline_s:
                transport.wait(deadline_s)
                answer = transport.read()
            assert answer == b"\x12"
            transport.close()

    def test_a_stalled_printer_takes_what_fits_and_does_not_block(self, port: str) -> None:
        with VirtualPrinter(port=port, buffer_bytes=256) as outside:
            outside.open_cover()
            transport = open_transport(parse_connection(outside.connection))
            accepted = last = transport.write(bytes(1 << 20))
            while last:
                last = transport.write(bytes(1 << 20))
                accepted += last
            assert 256 <= accepted
            began_s = time.monotonic()
            transport.wait(began_s + 0.05, writable=True)
            assert time.monotonic() - began_s < 1
            transport.close()

    def test_another_thread_can_wake_a_wait(self, port: str) -> None:
        with VirtualPrinter(port=port) as outside:
            transport = open_transport(parse_connection(outside.connection))
            began_s = time.monotonic()
            threading.Timer(0.02, transport.wake).start()
            transport.wait(began_s + 5)
            assert time.monotonic() - began_s < 2
            transport.close()

    def test_a_cable_that_is_pulled_is_a_lost_connection(self, port: str) -> None:
        with VirtualPrinter(port=port) as outside:
            transport = open_transport(parse_connection(outside.connection))
            transport.write(b"\n")
            outside.unplug()
            deadline_s = time.monotonic() + 2
            with pytest.raises(DeviceError) as caught:
                while time.monotonic() < deadline_s:
                    transport.wait(deadline_s)
                    transport.read()
            assert caught.value.status.state is DeviceState.ABSENT
            assert caught.value.status.code == PrinterCode.CONNECTION_LOST
            transport.close()

    def test_nothing_stays_open(self, port: str) -> None:
        with VirtualPrinter(port=port) as outside:
            before = len(os.listdir("/proc/self/fd"))
            for _ in range(5):
                open_transport(parse_connection(outside.connection)).close()
                refused("tcp://127.0.0.1:1" if port == "tcp" else "serial:///dev/absent")
            deadline_s = time.monotonic() + 2
            while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < deadline_s:
                threading.Event().wait(0.01)  # the printer's end of the connection closes in its own thread
            assert len(os.listdir("/proc/self/fd")) <= before
