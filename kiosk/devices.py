"""What the attendant knows of the hall's devices."""

import logging
from collections.abc import Callable
from typing import TypeVar

from hardware.code_scanner.interface import CodeScanner, Photo
from hardware.device import Status, StatusChanged
from hardware.speaker.interface import Speaker

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Devices:
    """The devices' last status, whether a card lies on a reader, and the voice. A kind that the hall does not have is
    simply never there."""

    def __init__(self, scanner: CodeScanner | None = None, speaker: Speaker | None = None) -> None:
        self._scanner, self._speaker = scanner, speaker
        self._statuses: dict[str, Status] = {}
        self.card_present = False

    def note(self, change: StatusChanged) -> None:
        self._statuses[change.kind] = change.status

    def serving(self, kind: str) -> bool:
        return kind in self._statuses and self._statuses[kind].serving

    def code(self, kind: str) -> str:
        """The technician's code of the kind's trouble, empty where there is none."""
        status = self._statuses.get(kind)
        return status.code if status is not None else ""

    @property
    def can_photograph(self) -> bool:
        """Whether papers can be photographed now."""
        return self._scanner is not None and self._scanner.can_photograph and self.serving(CodeScanner.kind)

    def watch(self, on: bool) -> None:
        """Have the camera tell what it sees, where there is one."""
        if self._scanner is not None and self._scanner.can_photograph:
            self._scanner.watch(on)

    def take_photo(self) -> Photo:
        """Waits for it. Raises PhotoFailed; only where `can_photograph` was true once."""
        return self._scanner.take_photo()

    def listen_for_code(self, on: bool) -> None:
        if self._scanner is not None:
            self._scanner.listen(on)

    @property
    def speaking(self) -> bool:
        """Whether a voice is heard, or about to be."""
        return self._speaker_does(lambda speaker: speaker.speaking, False)

    def say(self, text: str, language: str) -> None:
        self._speaker_does(lambda speaker: speaker.say(text, language), None)

    def hush(self) -> None:
        self._speaker_does(lambda speaker: speaker.hush(), None)

    def reset_volume(self) -> None:
        self._speaker_does(lambda speaker: speaker.reset_volume(), None)

    def _speaker_does(self, do: Callable[[Speaker], Answer], otherwise: Answer) -> Answer:
        """A visit goes on without a voice, whatever a driver of one does."""
        if self._speaker is None:
            return otherwise
        try:
            return do(self._speaker)
        except Exception:
            log.exception("the speaker's driver failed; the visit goes on without a voice")
            return otherwise
