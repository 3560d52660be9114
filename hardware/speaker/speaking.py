"""What the drivers of this folder share: which sound is next, and when one is cut off."""

import threading
from abc import abstractmethod
from dataclasses import dataclass, field

from hardware.speaker.interface import LANGUAGES, Beep, Speaker

ABSENT = "SPEAKER-ABSENT"
NO_VOICE = "SPEAKER-NO-VOICE"

#: Between two looks at whether the speaker is still there.
PRESENCE_EVERY_S = 2.0


@dataclass(frozen=True)
class Speech:
    text: str = field(repr=False)
    language: str
    volume: int


@dataclass(frozen=True)
class Signal:
    beep: Beep
    volume: int


Sound = Speech | Signal


class OneVoice(Speaker):
    """A driver implements `_perform`, `_check_present` and, where it must be told, `_cut`."""

    def __init__(self, name: str, usual_volume: int) -> None:
        super().__init__(name, usual_volume)
        self._sounds = threading.Condition()  # guards the rest; never held while something takes time
        self._waiting: list[Sound] = []
        self._sounding: Sound | None = None

    def say(self, text: str, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"{language!r} is none of the languages {', '.join(LANGUAGES)}")
        speech = [Speech(text, language, self.volume)] if text.strip() else []
        with self._sounds:
            signals = [sound for sound in self._waiting if isinstance(sound, Signal)]
            self._replace(signals + speech, spare=Signal)

    @property
    def speaking(self) -> bool:
        with self._sounds:
            return any(isinstance(sound, Speech) for sound in (self._sounding, *self._waiting))

    def beep(self, kind: Beep) -> None:
        self._replace([Signal(kind, self.volume)])

    def hush(self) -> None:
        self._replace([])

    def _replace(self, sounds: list[Sound], spare: type | tuple[()] = ()) -> None:
        """Let `sounds` be what is next, and cut off what sounds now unless it is a `spare`."""
        with self._sounds:
            if not self.status.serving:
                return
            self._waiting = sounds
            if not isinstance(self._sounding, spare):
                self._cut()
            self._sounds.notify_all()

    # The device's thread.

    @abstractmethod
    def _perform(self, sound: Sound) -> None:
        """Let it be heard, to its end or until `_is_cut`. Raises DeviceError."""

    @abstractmethod
    def _check_present(self) -> None:
        """Raise DeviceError when the speaker is gone; must cost next to nothing."""

    def _cut(self) -> None:
        """Called with `_sounds` held."""
        self._sounding = None

    def _is_cut(self, sound: Sound) -> bool:
        return self._sounding is not sound

    def _serve(self) -> None:
        while not self._stopping.is_set():
            sound = self._next_sound()
            if sound is None:
                self._check_present()
            else:
                self._perform(sound)

    def _next_sound(self) -> Sound | None:
        with self._sounds:
            self._sounding = None
            self._sounds.wait_for(lambda: self._waiting or self._is_disturbed(), PRESENCE_EVERY_S)
            if self._waiting:
                self._sounding = self._waiting.pop(0)
            return self._sounding

    def _is_disturbed(self) -> bool:
        """Whether the thread should look up from its wait; called with `_sounds` held."""
        return self._stopping.is_set()

    def _close(self) -> None:
        with self._sounds:
            self._waiting.clear()
            self._cut()

    def _interrupt(self) -> None:
        with self._sounds:
            self._waiting.clear()
            self._cut()
            self._sounds.notify_all()
