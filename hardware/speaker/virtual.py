"""The speaker of the bench: nothing sounds, and the outside world knows what was said."""

import subprocess
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from hardware.device import DeviceError, DeviceState
from hardware.speaker.interface import LOUDEST
from hardware.speaker.speaking import ABSENT, OneVoice, Signal, Sound, Speech
from hardware.speaker.synthesis import beep_wav, duration_s, espeak_command

#: The pace of its speech, about that of the real voice.
CHARACTERS_PER_S = 15.0
SAVE_WITHIN_S = 5.0
#: How much of what was heard is remembered.
REMEMBERED = 100


class VirtualSpeaker(OneVoice):
    """Keeps the same promises as a real one, and takes its time like it."""

    virtual = True

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        volume: Annotated[int, msgspec.Meta(ge=0, le=LOUDEST)] = 80

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name, options.volume)
        self.options = options
        #: Called from the device's thread when something begins to sound.
        self.on_heard: Callable[[], None] | None = None
        self._plugged = True
        self._heard: deque[Sound] = deque(maxlen=REMEMBERED)

    # The outside world; from any thread.

    @property
    def spoken(self) -> list[Speech]:
        """What it began to say so far, the newest last."""
        with self._sounds:
            return [sound for sound in self._heard if isinstance(sound, Speech)]

    @property
    def beeps(self) -> list[Signal]:
        with self._sounds:
            return [sound for sound in self._heard if isinstance(sound, Signal)]

    @property
    def sounding(self) -> Sound | None:
        """What can be heard now."""
        return self._sounding

    def wait_for_speech(self, accepts: Callable[[Speech], bool], timeout_s: float) -> Speech | None:
        """The first thing said that `accepts` likes, also before the call; None when it does not come in time."""
        with self._sounds:
            return self._sounds.wait_for(lambda: next(filter(accepts, self.spoken), None), timeout_s)

    def save_speech(self, path: Path) -> None:
        """Write what was said last as a WAV, in the real voice. Raises IndexError where nothing was said, OSError where
        espeak-ng is not installed or the file cannot be written, subprocess.SubprocessError where it cannot speak."""
        speech = self.spoken[-1]
        text = speech.text.encode(errors="replace")
        done = subprocess.run(
            espeak_command(speech), input=text, capture_output=True, check=True, timeout=SAVE_WITHIN_S
        )
        path.write_bytes(done.stdout)

    def unplug(self) -> None:
        self._plug(False)

    def plug(self) -> None:
        """The driver notices at its next try to open, as with any device."""
        self._plug(True)

    def _plug(self, plugged: bool) -> None:
        with self._sounds:
            self._plugged = plugged
            self._sounds.notify_all()

    # The driver.

    def _open(self) -> None:
        self._check_present()

    def _check_present(self) -> None:
        if not self._plugged:
            raise DeviceError(DeviceState.ABSENT, ABSENT)

    def _is_disturbed(self) -> bool:
        return super()._is_disturbed() or not self._plugged

    def _perform(self, sound: Sound) -> None:
        with self._sounds:
            if self._is_cut(sound):
                return
            self._heard.append(sound)
            self._sounds.notify_all()
            if self.on_heard is not None:
                self.on_heard()
            self._sounds.wait_for(lambda: self._is_cut(sound) or self._is_disturbed(), _duration_s(sound))
        self._check_present()


def _duration_s(sound: Sound) -> float:
    return duration_s(beep_wav(sound)) if isinstance(sound, Signal) else len(sound.text) / CHARACTERS_PER_S
