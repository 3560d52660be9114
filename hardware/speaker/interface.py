"""What a speaker promises: one voice at a time, the newest, and silence at once."""

from abc import abstractmethod
from enum import StrEnum

from hardware.device import Device

LANGUAGES = ("id", "jv", "en")
LOUDEST = 100


class Beep(StrEnum):
    TAKEN = "taken"  # a card or a code was read
    REFUSED = "refused"  # it could not be used
    WARNING = "warning"  # look here: the time runs out


class Speaker(Device):
    """Every method may be called from any thread and returns at once.

    Everybody in the hall hears what is said, so the caller decides what is no secret. What is said to a speaker that
    does not serve is dropped: a voice that comes late would speak of another screen.

    ABSENT (SPEAKER-ABSENT) where there is nothing to play on, FAULT (SPEAKER-NO-VOICE) where nothing can speak.
    """

    kind = "speaker"

    def __init__(self, name: str, usual_volume: int) -> None:
        super().__init__(name)
        self._usual_volume = usual_volume
        self.reset_volume()

    @property
    def volume(self) -> int:
        """0 (silent) to LOUDEST; holds from the next sound on."""
        return self._volume

    @volume.setter
    def volume(self, volume: int) -> None:
        """Raises ValueError."""
        if not 0 <= volume <= LOUDEST:
            raise ValueError(f"a volume is 0 to {LOUDEST}, not {volume}")
        self._volume = volume

    def reset_volume(self) -> None:
        """Back to the hall's own, for the next visitor."""
        self.volume = self._usual_volume

    @abstractmethod
    def say(self, text: str, language: str) -> None:
        """Speak `text` (no markup) instead of what is being said. Raises ValueError for a language that is not one of
        LANGUAGES."""

    @property
    @abstractmethod
    def speaking(self) -> bool:
        """Whether something that was said is being heard or waits for its turn."""

    @abstractmethod
    def beep(self, kind: Beep) -> None:
        """Sound a signal instead of what is being said. What is said after it waits for its end, a fraction of a
        second."""

    @abstractmethod
    def hush(self) -> None:
        """Silence, now."""
