"""Which readings are whose alarm, and when it ends."""

import pytest

from hardware.device import DeviceState, Status
from hardware.machine.alarms import MIB, Alarms
from hardware.machine.interface import PowerBackup, Readings, Throttling

READY = Status(DeviceState.READY)


@pytest.mark.parametrize(
    ("good", "bad", "still_bad", "good_again", "code", "state"),
    [
        ({"temperature_c": 79.9}, {"temperature_c": 80.0}, {"temperature_c": 72.1}, {"temperature_c": 72.0},
         "MACHINE-HOT", DeviceState.ATTENTION),
        ({"disk_free_bytes": 1025 * MIB}, {"disk_free_bytes": 1024 * MIB}, {"disk_free_bytes": 1535 * MIB},
         {"disk_free_bytes": 1536 * MIB}, "MACHINE-DISK-LOW", DeviceState.ATTENTION),
        ({"memory_available_bytes": 65 * MIB}, {"memory_available_bytes": 64 * MIB},
         {"memory_available_bytes": 127 * MIB}, {"memory_available_bytes": 128 * MIB},
         "MACHINE-MEMORY-LOW", DeviceState.ATTENTION),
        ({"throttling": frozenset()}, {"throttling": frozenset({Throttling.UNDER_VOLTAGE})},
         {"throttling": frozenset({Throttling.THROTTLED})}, {"throttling": frozenset()},
         "MACHINE-THROTTLED", DeviceState.ATTENTION),
        ({"backup": PowerBackup(False, 100)}, {"backup": PowerBackup(True, 99)}, {"backup": PowerBackup(True, 20)},
         {"backup": PowerBackup(False, 20)}, "MACHINE-ON-BATTERY", DeviceState.ATTENTION),
        ({"network_up": True}, {"network_up": False}, {"network_up": False}, {"network_up": True},
         "MACHINE-NETWORK-DOWN", DeviceState.ATTENTION),
    ],
)  # fmt: skip
def test_an_alarm_begins_and_ends_at_its_limits(good, bad, still_bad, good_again, code, state):
    alarms = Alarms()
    assert alarms.judge(Readings(**good)) == READY
    assert alarms.judge(Readings(**bad)) == Status(state, code)
    assert alarms.judge(Readings(**still_bad)) == Status(state, code)
    assert alarms.judge(Readings(**good_again)) == READY


def test_a_disk_fills_up_and_is_emptied():
    alarms = Alarms()
    told = [alarms.judge(Readings(disk_free_bytes=free * MIB)) for free in (2000, 1000, 100, 150, 201, 1400, 1600)]
    low, full = Status(DeviceState.ATTENTION, "MACHINE-DISK-LOW"), Status(
        DeviceState.FAULT, "MACHINE-DISK-FULL", "MACHINE-DISK-LOW"
    )  # fmt: skip
    assert told == [READY, low, full, full, low, low, READY]


def test_a_machine_without_sensors_has_no_alarms():
    assert Alarms().judge(Readings()) == READY


def test_an_alarm_ends_with_its_sensor():
    alarms = Alarms()
    assert alarms.judge(Readings(temperature_c=90.0)).code == "MACHINE-HOT"
    assert alarms.judge(Readings()) == READY


def test_the_detail_stays_while_the_alarms_do():
    """Else every reading would be an edge."""
    alarms = Alarms()
    first, second = (alarms.judge(Readings(temperature_c=celsius, network_up=False)) for celsius in (90.0, 91.0))
    assert first == second == Status(DeviceState.ATTENTION, "MACHINE-HOT", "MACHINE-NETWORK-DOWN")
