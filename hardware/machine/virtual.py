"""The machine of the bench: its sensors read what the outside world sets."""

import dataclasses
import threading
from typing import Any

import msgspec

from hardware.machine.interface import Readings
from hardware.machine.watching import WatchedMachine

GIB = 1024**3

#: A healthy Raspberry Pi.
HEALTHY = Readings(
    temperature_c=48.0,
    throttling=frozenset(),
    disk_free_bytes=20 * GIB,
    disk_size_bytes=32 * GIB,
    memory_available_bytes=2 * GIB,
    clock_kept=True,
    network_up=True,
    backup=None,
    uptime_s=3600.0,
)


class VirtualMachine(WatchedMachine):
    """Keeps the same promises as a real one, and looks at once when the outside world has changed something."""

    virtual = True

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """Nothing to choose."""

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name)
        self.options = options
        self._changing = threading.Lock()
        self._sensors = HEALTHY

    # The outside world; from any thread.

    def set(self, **readings: Any) -> None:
        """Let the sensors read so: `set(temperature_c=85.0, network_up=False)`, the names being those of Readings."""
        with self._changing:
            self._sensors = dataclasses.replace(self._sensors, **readings)
        self._wake.set()

    # The driver.

    def _read(self) -> Readings:
        return self._sensors
