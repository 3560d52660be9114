"""The kiosk's voice: espeak-ng turns text into a WAV, and ALSA's aplay plays it.

A machine without a sound card is not told by espeak-ng, which ends with success; aplay does tell.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Annotated

import msgspec

from hardware.device import DeviceError, DeviceState
from hardware.speaker.interface import LANGUAGES, LOUDEST
from hardware.speaker.speaking import ABSENT, NO_VOICE, OneVoice, Signal, Sound, Speech
from hardware.speaker.synthesis import RATE_HZ, beep_wav, duration_s, espeak_command

NO_PLAYER = "SPEAKER-NO-PLAYER"
NO_ANSWER = "SPEAKER-NO-ANSWER"

#: The kernel's list of sound cards; it changes when one is plugged in or pulled out.
CARDS = Path("/proc/asound/cards")

#: espeak-ng takes 0.1 s for a sentence of 7 s on a server's core.
RENDER_WITHIN_S = 5.0
#: What a sound may take beyond its own length.
PLAY_LATE_S = 3.0
#: Shorter than a device's time to stop, as nothing interrupts the trial.
TRIAL_WITHIN_S = 1.5

_MISSING = {"espeak-ng": NO_VOICE, "aplay": NO_PLAYER}
_FAILED = {"espeak-ng": (DeviceState.FAULT, NO_VOICE), "aplay": (DeviceState.ABSENT, ABSENT)}


class EspeakSpeaker(OneVoice):
    """Plays on the ALSA device `device` ("default", or one of `aplay -L`).

    Besides the interface's codes: FAULT (SPEAKER-NO-PLAYER) where aplay is not installed, FAULT (SPEAKER-NO-ANSWER)
    when a program hangs. A card that is pulled out is noticed in the kernel's list, without opening it: that can be
    heard on some.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        device: str = "default"
        volume: Annotated[int, msgspec.Meta(ge=0, le=LOUDEST)] = 80

    def __init__(self, name: str, options: Options) -> None:
        super().__init__(name, options.volume)
        self.options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._cards = b""

    def _open(self) -> None:
        _check_installed()
        self._cards = _cards()
        self._try_player()  # before the voices: it is all that a hall without a loudspeaker pays for at each try
        for language in LANGUAGES:
            trial = Speech("a", language, LOUDEST)
            _try(espeak_command(trial), trial.text.encode())

    def _check_present(self) -> None:
        cards = _cards()
        if cards != self._cards:
            self._try_player()
            self._cards = cards

    def _try_player(self) -> None:
        """Open the sound device in its usual format, and play nothing on it: a moment of silence."""
        _try(self._aplay("-t", "raw", "-f", "S16_LE", "-r", str(RATE_HZ)), b"")

    def _aplay(self, *arguments: str) -> list[str]:
        return ["aplay", "-q", "-D", self.options.device, *arguments]

    def _perform(self, sound: Sound) -> None:
        wav = beep_wav(sound) if isinstance(sound, Signal) else self._render(sound)
        if wav is not None and duration_s(wav) > 0:
            self._run(sound, self._aplay(), wav, duration_s(wav) + PLAY_LATE_S)

    def _render(self, speech: Speech) -> bytes | None:
        text = speech.text.encode(errors="replace")
        return self._run(speech, espeak_command(speech), text, RENDER_WITHIN_S)

    def _run(self, sound: Sound, command: list[str], given: bytes, within_s: float) -> bytes | None:
        """What the program writes; None when the sound was cut off meanwhile."""
        with _start(command) as process:
            with self._sounds:
                if self._is_cut(sound):
                    process.kill()
                self._process = process
            try:
                return _finish(process, given, within_s)
            except DeviceError:
                if self._is_cut(sound):
                    return None
                raise
            finally:
                with self._sounds:
                    self._process = None

    def _cut(self) -> None:
        super()._cut()
        if self._process is not None:
            self._process.kill()


def _try(command: list[str], given: bytes) -> None:
    with _start(command) as process:
        _finish(process, given, TRIAL_WITHIN_S)


def _check_installed() -> None:
    for program, code in _MISSING.items():
        if shutil.which(program) is None:
            raise DeviceError(DeviceState.FAULT, code, f"{program} is not installed")


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _finish(process: subprocess.Popen[bytes], given: bytes, within_s: float) -> bytes:
    """What the program writes. Raises DeviceError when it fails or takes longer."""
    program = process.args[0]
    try:
        output, told = process.communicate(given, within_s)
    except subprocess.TimeoutExpired as error:
        process.kill()
        raise DeviceError(DeviceState.FAULT, NO_ANSWER, program) from error
    if process.returncode:
        lines = told.decode(errors="replace").strip().splitlines() or [f"exit status {process.returncode}"]
        raise DeviceError(*_FAILED[program], lines[-1])
    return output


def _cards() -> bytes:
    try:
        return CARDS.read_bytes()
    except FileNotFoundError:  # a kernel without sound
        return b""
