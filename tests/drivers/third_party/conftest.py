"""The example's driver, installed as a village would install it, and a reader on the network for it."""

import importlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from drivers.card_reader.conftest import Events, events, started  # noqa: F401 - fixtures of the contract

from hardware import drivers
from hardware.card_reader.interface import CardKind

EXAMPLE = Path(__file__).parent / "network_reader"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory where the example package is installed, on the path for as long as the tests run."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for name in ("setup.cfg", "pyproject.toml", "network_reader.py"):  # building leaves files in its directory
        (source / name).write_bytes((EXAMPLE / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation",
         "--disable-pip-version-check", "--root-user-action=ignore", "--target", str(target), str(source)],
        check=True,
    )  # fmt: skip
    sys.path.append(str(target))
    importlib.invalidate_caches()
    yield target
    sys.path.remove(str(target))
    sys.modules.pop("network_reader", None)


class NetworkRig:
    """A reader on loopback, and what lies on it."""

    kind = CardKind.EKTP

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lying = "-"
        self._address = ("127.0.0.1", 0)
        self._client: socket.socket | None = None
        self.plug()
        driver = drivers.load("card_reader", "network")
        options = {"host": self._address[0], "port": self._address[1]}
        self.reader = driver("front", msgspec.convert(options, driver.Options))

    def tap(self, uid: bytes) -> None:
        self._lay(f"+{uid.hex()}")

    def unreadable(self) -> None:
        self._lay("?")

    def remove(self) -> None:
        self._lay("-")

    def plug(self) -> None:
        self._listener = socket.create_server(self._address)
        self._address = self._listener.getsockname()
        self._thread = threading.Thread(target=self._accept, args=(self._listener,))
        self._thread.start()

    def unplug(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # ends the accept
        self._thread.join()
        self._listener.close()
        with self._lock:
            self._hang_up()

    def close(self) -> None:
        if self._thread.is_alive():
            self.unplug()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _address = listener.accept()
            except OSError:  # unplugged
                return
            with self._lock:
                self._hang_up()
                self._client = client
                self._tell()

    def _lay(self, line: str) -> None:
        with self._lock:
            self._lying = line
            self._tell()

    def _tell(self) -> None:
        if self._client is not None:
            try:
                self._client.sendall(f"{self._lying}\n".encode())
            except OSError:  # the driver was stopped
                self._hang_up()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


@pytest.fixture
def rig(installed: Path) -> Iterator[NetworkRig]:
    made = NetworkRig()
    yield made
    made.close()
