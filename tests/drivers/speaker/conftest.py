"""Speakers of every kind behind one face: a rig has the driver under test and the ears of the outside world.

The real driver plays through ALSA's own "file" plug-in into a FIFO. Who reads the FIFO is the loudspeaker: it hears
every sample, and a player that nobody listens to is held up, as a sound card would hold it up.
"""

import os
import queue
import select
import shutil
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware.device import DeviceState, StatusChanged
from hardware.speaker import espeak, speaking
from hardware.speaker.espeak import EspeakSpeaker
from hardware.speaker.virtual import VirtualSpeaker

PATIENCE_S = 10.0
#: Of 22 050 samples of 16 bit.
BYTES_PER_S = 44_100
FIFO_PLUGGED = 'pcm.!default {{ type file file "{fifo}" format raw slave.pcm {{ type null }} }}\n'
UNPLUGGED = "pcm.!default { type hw card 31 }\n"


def wait_until(true: Callable[[], Any], timeout_s: float = PATIENCE_S) -> bool:
    """Whether `true()` became so in time; for what is seen from outside without an event."""
    until_s = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > until_s:
            return False
        threading.Event().wait(0.005)
    return True


class Events:
    """What a speaker posted, waited for with a deadline."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.post = self._queue.put

    def status(self, state: DeviceState) -> StatusChanged:
        while True:
            try:
                event = self._queue.get(timeout=PATIENCE_S)
            except queue.Empty:
                pytest.fail(f"the speaker was not {state} in time")
            if event.status.state is state:
                return event


class Rig:
    def __init__(self, speaker: EspeakSpeaker | VirtualSpeaker) -> None:
        self.speaker = speaker
        self.events = Events()

    def start(self) -> "Rig":
        self.speaker.start(self.events.post)
        self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        self.events.status(DeviceState.READY)

    def close(self) -> None:
        self.speaker.stop()


class VirtualRig(Rig):
    def __init__(self) -> None:
        super().__init__(VirtualSpeaker("bench", VirtualSpeaker.Options()))
        self.unplug = self.speaker.unplug
        self.plug = self.speaker.plug

    def hears_something(self) -> bool:
        return wait_until(lambda: self.speaker.sounding)

    def listen_to_end(self) -> float:
        assert self.hears_something()
        return self.listen_to_end_of_rest()

    def listen_to_end_of_rest(self) -> float:
        began_s, sound = time.monotonic(), self.speaker.sounding
        assert wait_until(lambda: self.speaker.sounding is not sound or sound is None)
        return time.monotonic() - began_s

    def hears_nothing(self) -> bool:
        return not self.speaker.sounding and not self.speaker.spoken


class EspeakRig(Rig):
    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._fifo, self._config, self._cards = directory / "fifo", directory / "asound.conf", directory / "cards"
        os.mkfifo(self._fifo)
        self._ear = os.open(self._fifo, os.O_RDONLY | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._ear, select.POLLIN)
        self.heard = b""  # since the last `listen_to_end`
        self.plug()
        monkeypatch.setenv("ALSA_CONFIG_PATH", str(self._config))
        monkeypatch.setattr(espeak, "CARDS", self._cards)
        monkeypatch.setattr(speaking, "PRESENCE_EVERY_S", 0.05)
        super().__init__(EspeakSpeaker("hall", EspeakSpeaker.Options()))

    def plug(self) -> None:
        self._configure(FIFO_PLUGGED.format(fifo=self._fifo))
        self._cards.write_text(" 0 [Device]: USB-Audio - USB Audio Device\n")

    def unplug(self) -> None:
        self.go_unnoticed()
        self._cards.write_text("--- no soundcards ---\n")

    def go_unnoticed(self) -> None:
        """The device is no longer there, and the kernel's list says nothing of it."""
        self._configure(UNPLUGGED)

    def wait_until_ready(self) -> None:
        super().wait_until_ready()
        assert self._listen()  # the trial: a moment of silence
        assert not any(self.heard)
        self.heard = b""

    def hears_something(self) -> bool:
        return wait_until(self._listen)

    def listen_to_end(self) -> float:
        """How many seconds of sound there were, until the player closed the device."""
        assert self.hears_something()
        return self.listen_to_end_of_rest()

    def listen_to_end_of_rest(self) -> float:
        """The same of a sound that began to be heard before."""
        assert wait_until(lambda: not self._listen() and self._is_closed())
        heard, self.heard = self.heard, b""
        self.last = array("h", heard[: len(heard) // 2 * 2])
        return len(heard) / BYTES_PER_S

    def hears_nothing(self) -> bool:
        return not self._listen() and self._is_closed()

    def close(self) -> None:
        super().close()
        os.close(self._ear)

    def _configure(self, text: str) -> None:
        new = self._config.with_suffix(".new")
        new.write_text(text)
        new.replace(self._config)

    def _listen(self) -> bool:
        """Whether anything has come."""
        came = b""
        while any(events & select.POLLIN for _, events in self._poll.poll(0)):
            came += os.read(self._ear, 1 << 16)
        self.heard += came
        return bool(came)

    def _is_closed(self) -> bool:
        return any(events == select.POLLHUP for _, events in self._poll.poll(0))


@pytest.fixture
def espeak_rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EspeakRig]:
    made = EspeakRig(tmp_path, monkeypatch)
    yield made
    made.close()


@pytest.fixture
def virtual_rig() -> Iterator[VirtualRig]:
    made = VirtualRig()
    yield made
    made.close()


@pytest.fixture(params=["virtual", "espeak"])
def rig(request: pytest.FixtureRequest) -> Rig:
    return request.getfixturevalue(f"{request.param}_rig")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory that programs are looked for in; it holds what the driver needs."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in ("espeak-ng", "aplay"):
        (directory / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(directory))
    return directory
