"""When somebody should look at the machine, and when no longer.

An alarm ends at another value than the one at which it began, so that a reading that wavers is not a row of alarms.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hardware.device import DeviceState, Status
from hardware.machine.interface import Readings

MIB = 1024 * 1024


@dataclass(frozen=True)
class Alarm:
    """`begins` and `ends` answer None where the reading is missing; such an alarm is off."""

    code: str
    begins: Callable[[Readings], bool | None]
    ends: Callable[[Readings], bool | None]
    state: DeviceState = DeviceState.ATTENTION

    def holds(self, readings: Readings, held: bool) -> bool:
        if held:
            return self.ends(readings) is False
        return self.begins(readings) is True


def _above(code: str, reading: str, begins_at: float, ends_at: float) -> Alarm:
    return Alarm(code, _compare(reading, begins_at, above=True), _compare(reading, ends_at, above=False))


def _below(code: str, reading: str, begins_at: int, ends_at: int, state: DeviceState = DeviceState.ATTENTION) -> Alarm:
    return Alarm(code, _compare(reading, begins_at, above=False), _compare(reading, ends_at, above=True), state)


def _while(code: str, is_so: Callable[[Readings], bool | None]) -> Alarm:
    def is_over(readings: Readings) -> bool | None:
        so = is_so(readings)
        return None if so is None else not so

    return Alarm(code, is_so, is_over)


def _compare(reading: str, limit: float, above: bool) -> Callable[[Readings], bool | None]:
    def compare(readings: Readings) -> bool | None:
        value = getattr(readings, reading)
        return None if value is None else (value >= limit if above else value <= limit)

    return compare


def _throttled(readings: Readings) -> bool | None:
    return None if readings.throttling is None else bool(readings.throttling)


def _on_battery(readings: Readings) -> bool | None:
    return None if readings.backup is None else readings.backup.on_battery


def _network_down(readings: Readings) -> bool | None:
    return None if readings.network_up is None else not readings.network_up


#: The worst first.
ALARMS = (
    _below("MACHINE-DISK-FULL", "disk_free_bytes", 100 * MIB, 200 * MIB, DeviceState.FAULT),
    # A Raspberry Pi slows itself down from 80 °C.
    _above("MACHINE-HOT", "temperature_c", 80.0, 72.0),
    _while("MACHINE-THROTTLED", _throttled),
    _while("MACHINE-ON-BATTERY", _on_battery),
    _below("MACHINE-DISK-LOW", "disk_free_bytes", 1024 * MIB, 1536 * MIB),
    # The kiosk needs about 150 MiB, and reading a letter from the camera 50 more.
    _below("MACHINE-MEMORY-LOW", "memory_available_bytes", 64 * MIB, 128 * MIB),
    _while("MACHINE-NETWORK-DOWN", _network_down),
)


class Alarms:
    """Those of `ALARMS` that hold."""

    def __init__(self) -> None:
        self._held: frozenset[str] = frozenset()

    def judge(self, readings: Readings) -> Status:
        """How the machine is, given what held at the last reading."""
        holding = [alarm for alarm in ALARMS if alarm.holds(readings, alarm.code in self._held)]
        self._held = frozenset(alarm.code for alarm in holding)
        if not holding:
            return Status(DeviceState.READY)
        worst, *others = holding
        return Status(worst.state, worst.code, ", ".join(alarm.code for alarm in others))
