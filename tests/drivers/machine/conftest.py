"""Machines of every kind behind one face. The Linux driver reads a tree of files laid out as the kernel does."""

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware.device import DeviceState, StatusChanged
from hardware.machine import watching
from hardware.machine.linux import LinuxMachine
from hardware.machine.virtual import VirtualMachine

PATIENCE_S = 5.0

PI = {
    "proc/meminfo": "MemTotal:        3884384 kB\nMemFree:          101000 kB\nMemAvailable:    2048000 kB\n",
    "proc/uptime": "3600.25 14000.00\n",
    "sys/class/thermal/thermal_zone0/temp": "48312\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
    "sys/class/net/eth0/carrier": "1\n",
    "sys/class/net/eth0/device/uevent": "DRIVER=bcmgenet\n",
    "sys/class/net/lo/carrier": "1\n",
    "run/systemd/timesync/synchronized": "",
    "var/lib/anjungan-desa/kiosk.lock": "",
}


class Tree:
    """The files of a machine. Each is replaced in one go, as the kernel's answers are."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lay(PI)

    def lay(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}")
            new.write_text(text)
            new.replace(path)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()


class Events:
    """What a machine posted."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.post = self._queue.put

    def next(self) -> StatusChanged:
        try:
            return self._queue.get(timeout=PATIENCE_S)
        except queue.Empty:
            pytest.fail("the machine told nothing in time")

    def next_code(self) -> str:
        return self.next().status.code


class Rig:
    def __init__(self, machine: LinuxMachine | VirtualMachine) -> None:
        self.machine = machine
        self.events = Events()

    def start(self) -> "Rig":
        self.machine.start(self.events.post)
        assert self.events.next().status.state is DeviceState.READY
        return self


class VirtualRig(Rig):
    def __init__(self) -> None:
        super().__init__(VirtualMachine("bench", VirtualMachine.Options()))

    def heat(self, celsius: float) -> None:
        self.machine.set(temperature_c=celsius)

    def pull_network_cable(self) -> None:
        self.machine.set(network_up=False)

    def run_out_of_memory(self) -> None:
        self.machine.set(memory_available_bytes=60 * 1024 * 1024)


class LinuxRig(Rig):
    def __init__(self, root: Path) -> None:
        self.tree = Tree(root)
        super().__init__(LinuxMachine("pi", LinuxMachine.Options(root=str(root))))

    def heat(self, celsius: float) -> None:
        self.tree.lay({"sys/class/thermal/thermal_zone0/temp": f"{celsius * 1000:.0f}\n"})

    def pull_network_cable(self) -> None:
        self.tree.lay({"sys/class/net/eth0/carrier": "0\n"})

    def run_out_of_memory(self) -> None:
        self.tree.lay({"proc/meminfo": "MemTotal: 3884384 kB\nMemAvailable:   61000 kB\n"})


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture(params=["virtual", "linux"])
def rig(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr(watching, "READ_EVERY_S", 0.01)
    made = VirtualRig() if request.param == "virtual" else LinuxRig(tmp_path)
    yield made
    made.machine.stop()
