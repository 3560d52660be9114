"""The machine as the Linux kernel tells of it in /proc and /sys.

psutil would serve for a third of it, and cannot be pointed at another tree than the machine's own.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hardware.device import DeviceError, DeviceState
from hardware.machine.interface import PowerBackup, Readings, Throttling
from hardware.machine.watching import WatchedMachine

NO_DISK = "MACHINE-NO-DISK"

#: Chips of /sys/class/hwmon that measure the processor; most others show it as a thermal zone too.
PROCESSOR_CHIPS = frozenset({"coretemp", "k10temp"})
#: There once systemd-timesyncd has set the clock since the machine started (systemd-timesyncd.service(8)).
TIMESYNCD_MARK = "run/systemd/timesync/synchronized"
#: The firmware's answer to GET_THROTTLED, of which the low half says what is so now (raspberrypi.com, `vcgencmd
#: get_throttled`).
THROTTLING_BITS = {
    0: Throttling.UNDER_VOLTAGE,
    1: Throttling.FREQUENCY_CAPPED,
    2: Throttling.THROTTLED,
    3: Throttling.SOFT_TEMPERATURE_LIMIT,
}


class LinuxMachine(WatchedMachine):
    """FAULT (MACHINE-NO-DISK) where `disk`, a directory on the disk that the kiosk writes to, is not there.

    A UPS that speaks over USB to a service of its own (NUT, apcupsd) is not seen by the kernel, so not here.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        disk: str = "/var/lib/anjungan-desa"
        network: bool = True  # False in a hall that has none: its absence is then nothing to look at
        root: str = "/"  # where /proc, /sys and the others are

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name)
        self.options = options
        self._root = Path(options.root)

    def _read(self) -> Readings:
        disk = self._read_disk()
        return Readings(
            temperature_c=max(self._temperatures_c(), default=None),
            throttling=self._throttling(),
            disk_free_bytes=disk.f_bavail * disk.f_frsize,
            disk_size_bytes=disk.f_blocks * disk.f_frsize,
            memory_available_bytes=self._memory_available_bytes(),
            clock_kept=self._clock_kept(),
            network_up=self._network_up() if self.options.network else None,
            backup=self._backup(),
            uptime_s=self._uptime_s(),
        )

    def _read_disk(self) -> os.statvfs_result:
        try:
            return os.statvfs(self._root / self.options.disk.lstrip("/"))
        except OSError as error:
            raise DeviceError(DeviceState.FAULT, NO_DISK, f"{self.options.disk}: {error.strerror}") from error

    def _temperatures_c(self) -> Iterator[float]:
        sensors = list(self._root.glob("sys/class/thermal/thermal_zone*/temp"))
        for chip in self._root.glob("sys/class/hwmon/hwmon*"):
            if _text(chip / "name") in PROCESSOR_CHIPS:
                sensors += chip.glob("temp*_input")
        for sensor in sensors:
            millidegrees = _text(sensor)  # a zone that is off cannot be read
            if millidegrees:
                yield int(millidegrees) / 1000

    def _throttling(self) -> frozenset[Throttling] | None:
        # "soc" is followed by an address on a Pi 5.
        for file in self._root.glob("sys/devices/platform/soc*/soc*firmware/get_throttled"):
            answer = _text(file)
            if answer:
                bits = int(answer, 16)
                return frozenset(reason for bit, reason in THROTTLING_BITS.items() if bits >> bit & 1)
        return None

    def _memory_available_bytes(self) -> int | None:
        for line in (_text(self._root / "proc/meminfo") or "").splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * 1024
        return None

    def _clock_kept(self) -> bool:
        """A clock chip counts once the kernel has set its time from it: without a battery it has none to give."""
        chips = self._root.glob("sys/class/rtc/rtc*/hctosys")
        return any(_text(chip) == "1" for chip in chips) or (self._root / TIMESYNCD_MARK).exists()

    def _network_up(self) -> bool | None:
        """Only what has hardware behind it counts: a bridge or a tunnel is always up."""
        cards = [device.parent for device in self._root.glob("sys/class/net/*/device")]
        return any(_text(card / "carrier") == "1" for card in cards) if cards else None

    def _backup(self) -> PowerBackup | None:
        supplies = sorted(self._root.glob("sys/class/power_supply/*"))
        # The batteries of mice and keyboards have the scope "Device".
        batteries = [
            supply
            for supply in supplies
            if _text(supply / "type") in ("Battery", "UPS") and _text(supply / "scope") != "Device"
        ]
        if not batteries:
            return None
        charges = [_text(battery / "capacity") for battery in batteries]
        return PowerBackup(
            on_battery=any(_text(battery / "status") == "Discharging" for battery in batteries),
            charge_percent=min((int(charge) for charge in charges if charge), default=None),
        )

    def _uptime_s(self) -> float | None:
        uptime = _text(self._root / "proc/uptime")
        return float(uptime.split()[0]) if uptime else None


def _text(file: Path) -> str | None:
    """What a file of the kernel says; None where there is none, or its sensor does not answer."""
    try:
        return file.read_text("ascii", errors="replace").strip()
    except OSError:
        return None
