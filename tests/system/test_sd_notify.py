"""What reaches a service manager, on a real datagram socket."""

import os
import socket
from collections.abc import Iterator

import pytest

from kiosk import sd_notify


@pytest.fixture
def manager(tmp_path, monkeypatch) -> Iterator[socket.socket]:
    """The end of the socket that systemd would hold."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield end


@pytest.fixture
def watchdog_3_s(monkeypatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))


def test_says_what_it_is_told(manager):
    assert sd_notify.notify("READY=1")
    assert manager.recv(100) == b"READY=1"
    assert sd_notify.notify("STATUS=kertas habis")
    assert manager.recv(100) == b"STATUS=kertas habis"


def test_abstract_socket(monkeypatch):
    name = f"anjungan-desa-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind("\0" + name)
        end.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        assert sd_notify.notify("STOPPING=1")
        assert end.recv(100) == b"STOPPING=1"


def test_nobody_asked(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not sd_notify.notify("READY=1")


def test_a_manager_that_is_gone_is_logged(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert not sd_notify.notify("READY=1")
    assert "could not be told READY" in caplog.text


def test_a_manager_that_does_not_read_never_blocks_the_caller(manager, caplog):
    while sd_notify.notify("WATCHDOG=1"):
        pass
    assert "could not be told WATCHDOG" in caplog.text


def test_no_pulse_without_a_watchdog(monkeypatch):
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert sd_notify.heartbeat_s() is None
    assert sd_notify.watchdog_pulse() is None


def test_the_watchdog_of_the_parent_is_not_ours(watchdog_3_s, monkeypatch):
    monkeypatch.setenv("WATCHDOG_PID", str(os.getppid()))
    assert sd_notify.watchdog_pulse() is None


def test_many_frames_make_few_pulses(manager, watchdog_3_s):
    assert sd_notify.heartbeat_s() == 1.0
    pulse = sd_notify.watchdog_pulse()
    for _ in range(1000):
        pulse()
    assert manager.recv(100) == b"WATCHDOG=1"
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(100)


def test_pulses_go_on(manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "3000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    pulse = sd_notify.watchdog_pulse()
    pulse()
    assert manager.recv(100) == b"WATCHDOG=1"
    manager.setblocking(False)
    heard = b""
    while not heard:
        pulse()
        try:
            heard = manager.recv(100)
        except BlockingIOError:
            continue
    assert heard == b"WATCHDOG=1"
