"""What every machine promises, held by every driver."""

import threading
import time

import msgspec
import pytest

from hardware.device import DeviceState


def wait_until(true) -> bool:
    until_s = time.monotonic() + 5
    while not true():
        if time.monotonic() > until_s:
            return False
        threading.Event().wait(0.005)
    return True


def test_a_healthy_machine_is_ready_and_has_read_its_sensors(rig):
    assert rig.machine.readings().temperature_c is None
    readings = rig.start().machine.readings()
    assert readings.temperature_c == pytest.approx(48, abs=1)
    assert readings.throttling == frozenset()
    assert readings.disk_size_bytes > readings.disk_free_bytes > 0
    assert readings.memory_available_bytes > 10**9
    assert (readings.clock_kept, readings.network_up, readings.backup) == (True, True, None)
    assert readings.uptime_s == pytest.approx(3600, abs=1)


def test_heat_is_told_at_its_edges_only_and_with_some_play(rig):
    """Were a waver between the limits told, its event would come before the one that is waited for."""
    rig.start()
    rig.heat(85)
    hot = rig.events.next().status
    assert (hot.state, hot.code) == (DeviceState.ATTENTION, "MACHINE-HOT")
    for celsius in (79, 82, 75):
        rig.heat(celsius)
        assert wait_until(lambda wanted=celsius: rig.machine.readings().temperature_c == wanted)
    rig.heat(70)
    assert rig.events.next().status.state is DeviceState.READY
    rig.heat(79)
    assert wait_until(lambda: rig.machine.readings().temperature_c == 79)
    rig.pull_network_cable()
    assert rig.events.next_code() == "MACHINE-NETWORK-DOWN"


def test_the_worst_names_the_others(rig):
    rig.start()
    rig.pull_network_cable()
    assert rig.events.next_code() == "MACHINE-NETWORK-DOWN"
    rig.run_out_of_memory()
    worse = rig.events.next().status
    assert (worse.code, worse.detail) == ("MACHINE-MEMORY-LOW", "MACHINE-NETWORK-DOWN")
    assert worse.serving


def test_stops_promptly_and_leaves_no_thread(rig):
    before = set(threading.enumerate())
    rig.start()
    own = set(threading.enumerate()) - before
    assert len(own) == 1
    began_s = time.monotonic()
    rig.machine.stop()
    assert time.monotonic() - began_s < 0.5
    assert not any(thread.is_alive() for thread in own)


def test_refuses_an_unknown_option(rig):
    options = msgspec.to_builtins(rig.machine.options)
    assert msgspec.convert(options, type(rig.machine).Options) == rig.machine.options
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options | {"rot": "/"}, type(rig.machine).Options)
