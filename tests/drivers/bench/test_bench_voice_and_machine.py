"""The bench's speaker and machine, driven by the commands that people type."""

import wave
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from hardware.bench.world import BenchError, NotYet, World
from hardware.device import DeviceState
from hardware.machine.virtual import VirtualMachine
from hardware.speaker.virtual import VirtualSpeaker

PATIENCE_S = 5.0


@pytest.fixture
def bench() -> Iterator[SimpleNamespace]:
    speaker = VirtualSpeaker("speaker", VirtualSpeaker.Options())
    machine = VirtualMachine("machine", VirtualMachine.Options())
    world = World(None, None, None, {}, speaker=speaker, machine=machine)
    for device in (speaker, machine):
        device.start(world.watch(lambda event: None))
        assert device.wait_for_status(lambda status: status.serving, PATIENCE_S).serving
    yield SimpleNamespace(world=world, speaker=speaker, machine=machine)
    speaker.stop()
    machine.stop()


def test_what_was_said_last_is_heard_and_saved(bench, tmp_path):
    for command in (("heard",), ("save-speech", "speech.wav")):
        with pytest.raises(BenchError, match="nothing has been said yet"):
            bench.world.run(command[0], command[1:], tmp_path)
    bench.speaker.say("Silakan ambil nomor", "id")
    assert bench.speaker.wait_for_speech(lambda speech: True, PATIENCE_S)
    assert bench.world.run("heard") == "Silakan ambil nomor"
    saved = bench.world.run("save-speech", ["speech.wav"], tmp_path)
    with wave.open(saved) as wav:
        assert any(wav.readframes(22_050))


def test_the_state_tells_what_is_being_said(bench):
    assert bench.world.state()["voice"] == {"speaking": False, "said": ""}
    with pytest.raises(NotYet, match="'nomor' was not said; said last was nothing"):
        bench.world.run("wait-heard", ["nomor"])
    bench.speaker.say("Silakan ambil nomor", "id")
    assert bench.speaker.wait_for_speech(lambda speech: True, PATIENCE_S)
    assert bench.world.state()["voice"] == {"speaking": True, "said": "Silakan ambil nomor"}
    assert bench.world.run("wait-heard", ["nomor"]) == "Silakan ambil nomor"
    bench.speaker.hush()
    assert not bench.world.state()["voice"]["speaking"]


def test_speech_that_cannot_be_saved_is_told(bench, tmp_path, monkeypatch):
    bench.speaker.say("Silakan", "id")
    assert bench.speaker.wait_for_speech(lambda speech: True, PATIENCE_S)
    with pytest.raises(BenchError, match="missing/speech.wav: No such file or directory"):
        bench.world.run("save-speech", ["missing/speech.wav"], tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="espeak-ng: No such file or directory"):
        bench.world.run("save-speech", ["speech.wav"], tmp_path)


def test_a_speaker_that_is_unplugged_is_absent_until_it_is_back(bench):
    bench.world.run("unplug", ["speaker"])
    assert bench.speaker.wait_for_status(lambda status: not status.serving, PATIENCE_S).code == "SPEAKER-ABSENT"
    assert bench.world.state()["unplugged"] == ["speaker"]
    bench.world.run("plug", ["speaker"])
    assert bench.speaker.wait_for_status(lambda status: status.serving, PATIENCE_S).serving


def test_heat_is_the_machines_status(bench):
    bench.world.run("heat", ["85"])
    hot = bench.machine.wait_for_status(lambda status: status.state is DeviceState.ATTENTION, PATIENCE_S)
    assert hot.code == "MACHINE-HOT"
    bench.world.run("heat", ["40"])
    assert bench.machine.wait_for_status(lambda status: status.state is DeviceState.READY, PATIENCE_S).code == ""


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["heat", "hot"], "'hot' is no temperature"),
        (["unplug", "machine"], "the machine has no cable to pull"),
        (["plug", "machine"], "the machine has no cable to pull"),
    ],
)
def test_what_cannot_be_done_is_told(bench, command, told):
    with pytest.raises(BenchError, match=told):
        bench.world.run(command[0], command[1:])
