"""What is read from the kernel's files, machine by machine."""

import shutil
import time

import pytest

from hardware.device import DeviceError, DeviceState
from hardware.machine.interface import PowerBackup, Readings, Throttling
from hardware.machine.linux import LinuxMachine


def read(root, **options) -> Readings:
    return LinuxMachine("machine", LinuxMachine.Options(root=str(root), **options))._read()


def test_this_machine():
    readings = read("/", disk="/")
    assert readings.disk_size_bytes == shutil.disk_usage("/").total
    assert readings.memory_available_bytes > 0
    assert readings.uptime_s == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=1)


def test_a_machine_without_sensors(tmp_path):
    readings = read(tmp_path, disk="/")
    disk = shutil.disk_usage(tmp_path)
    assert readings.disk_free_bytes == pytest.approx(disk.free, rel=0.05)
    assert readings == Readings(
        disk_free_bytes=readings.disk_free_bytes, disk_size_bytes=disk.total, clock_kept=False
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "throttling"),
    [
        ("0", set()),
        ("50000", set()),  # it has been so, and is not now
        ("50005", {Throttling.UNDER_VOLTAGE, Throttling.THROTTLED}),
        ("a", {Throttling.FREQUENCY_CAPPED, Throttling.SOFT_TEMPERATURE_LIMIT}),
    ],
)
def test_throttling(tree, answer, throttling):
    tree.lay({"sys/devices/platform/soc/soc:firmware/get_throttled": f"{answer}\n"})
    assert read(tree.root).throttling == throttling


def test_throttling_where_a_pi_5_has_it(tree):
    tree.remove("sys/devices/platform/soc/soc:firmware/get_throttled")
    assert read(tree.root).throttling is None
    tree.lay({"sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled": "1\n"})
    assert read(tree.root).throttling == {Throttling.UNDER_VOLTAGE}


def test_the_hottest_sensor_of_the_processor_counts(tree):
    tree.lay({
        "sys/class/hwmon/hwmon0/name": "nvme\n",
        "sys/class/hwmon/hwmon0/temp1_input": "99000\n",
        "sys/class/hwmon/hwmon1/name": "k10temp\n",
        "sys/class/hwmon/hwmon1/temp1_input": "61500\n",
    })  # fmt: skip
    assert read(tree.root).temperature_c == 61.5


def test_a_sensor_that_does_not_answer_is_passed_over(tree):
    (tree.root / "sys/class/thermal/thermal_zone1/temp").mkdir(parents=True)  # to read it is an OSError
    tree.lay({"sys/class/thermal/thermal_zone2/temp": ""})
    assert read(tree.root).temperature_c == 48.312


def test_a_clock_is_kept_by_a_chip_that_had_a_time_or_by_a_time_server(tree):
    assert read(tree.root).clock_kept
    tree.remove("run/systemd/timesync/synchronized")
    assert not read(tree.root).clock_kept
    tree.lay({"sys/class/rtc/rtc0/hctosys": "0\n"})
    assert not read(tree.root).clock_kept
    tree.lay({"sys/class/rtc/rtc0/hctosys": "1\n"})
    assert read(tree.root).clock_kept


def test_a_network_is_a_card_with_a_link(tree):
    assert read(tree.root).network_up is True
    tree.lay({"sys/class/net/eth0/carrier": "0\n", "sys/class/net/docker0/carrier": "1\n"})
    assert read(tree.root).network_up is False
    tree.lay({"sys/class/net/wlan0/carrier": "1\n", "sys/class/net/wlan0/device/uevent": ""})
    assert read(tree.root).network_up is True
    assert read(tree.root, network=False).network_up is None


def test_no_network_card_is_no_reading(tree):
    shutil.rmtree(tree.root / "sys/class/net/eth0")
    assert read(tree.root).network_up is None


def supply(name: str, **facts: object) -> dict[str, str]:
    return {f"sys/class/power_supply/{name}/{fact}": f"{value}\n" for fact, value in facts.items()}


def test_a_battery_that_discharges_carries_the_machine(tree):
    tree.lay(supply("AC", type="Mains", online=1))
    assert read(tree.root).backup is None
    tree.lay(supply("BAT0", type="Battery", status="Full", capacity=100))
    assert read(tree.root).backup == PowerBackup(on_battery=False, charge_percent=100)
    tree.lay(supply("BAT0", type="Battery", status="Discharging", capacity=63))
    assert read(tree.root).backup == PowerBackup(on_battery=True, charge_percent=63)


def test_the_battery_of_a_mouse_carries_no_machine(tree):
    tree.lay(supply("hid-mouse", type="Battery", scope="Device", status="Discharging", capacity=5))
    assert read(tree.root).backup is None


def test_a_ups_that_does_not_know_its_charge(tree):
    tree.lay(supply("ups", type="UPS", status="Discharging"))
    assert read(tree.root).backup == PowerBackup(on_battery=True, charge_percent=None)


def test_a_disk_that_is_not_there_is_a_fault(tree):
    with pytest.raises(DeviceError) as told:
        read(tree.root, disk="/srv/kiosk")
    status = told.value.status
    assert (status.state, status.code) == (DeviceState.FAULT, "MACHINE-NO-DISK")
    assert status.detail == "/srv/kiosk: No such file or directory"
