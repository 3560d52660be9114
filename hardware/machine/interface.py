"""What is known of the machine that the kiosk runs on."""

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum

from hardware.device import Device


class Throttling(StrEnum):
    """Why a Raspberry Pi runs slower than it can."""

    UNDER_VOLTAGE = "under-voltage"  # a weak power supply or cable
    FREQUENCY_CAPPED = "frequency capped"
    THROTTLED = "throttled"
    SOFT_TEMPERATURE_LIMIT = "soft temperature limit"


@dataclass(frozen=True)
class PowerBackup:
    """A battery that the kernel knows: a laptop's, a UPS HAT's."""

    on_battery: bool
    charge_percent: int | None = None


@dataclass(frozen=True)
class Readings:
    """Each is None where the machine has nothing to read it from."""

    temperature_c: float | None = None
    throttling: frozenset[Throttling] | None = None  # empty: a Pi at its full speed
    disk_free_bytes: int | None = None  # what the kiosk may still write
    disk_size_bytes: int | None = None
    memory_available_bytes: int | None = None
    clock_kept: bool | None = None  # by a battery while the power is off, or by a time server since the start
    network_up: bool | None = None  # a cable or a radio link is there; nothing was sent
    backup: PowerBackup | None = None
    uptime_s: float | None = None


class Machine(Device):
    """Reads the sensors slowly, and says by its status when somebody should look.

    ATTENTION: MACHINE-HOT, MACHINE-THROTTLED, MACHINE-DISK-LOW, MACHINE-MEMORY-LOW, MACHINE-ON-BATTERY,
    MACHINE-NETWORK-DOWN. FAULT: MACHINE-DISK-FULL. Where several hold, the code is that of the worst and the detail
    names the others.
    """

    kind = "machine"

    @abstractmethod
    def readings(self) -> Readings:
        """The newest; all None before the first. From any thread, returns at once."""
