"""What the drivers of this folder share: reading now and then, and telling only what changes."""

import threading
from abc import abstractmethod

from hardware.machine.alarms import Alarms
from hardware.machine.interface import Machine, Readings

READ_EVERY_S = 30.0


class WatchedMachine(Machine):
    """A driver implements `_read`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._readings = Readings()
        self._alarms = Alarms()
        self._wake = threading.Event()

    def readings(self) -> Readings:
        return self._readings

    @abstractmethod
    def _read(self) -> Readings:
        """Everything, now. Raises DeviceError."""

    def _open(self) -> None:
        self._look()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(READ_EVERY_S)
            self._wake.clear()
            if not self._stopping.is_set():
                self._look()

    def _close(self) -> None:
        """Nothing is held open."""

    def _interrupt(self) -> None:
        self._wake.set()

    def _look(self) -> None:
        self._readings = self._read()
        self._announce(self._alarms.judge(self._readings))
