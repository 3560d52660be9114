"""Turns what is to be heard into WAV files: espeak-ng speaks, the signals are computed here."""

import io
import math
import wave
from array import array
from functools import cache

from hardware.speaker.interface import LOUDEST, Beep
from hardware.speaker.speaking import Signal, Speech

#: espeak-ng has no Javanese voice; the Indonesian one reads it nearly right, both being written as they are spoken.
VOICES = {"id": "id", "jv": "id", "en": "en"}
#: Slower than its usual 175: residents may be old, and the hall echoes.
WORDS_PER_MINUTE = 145

RATE_HZ = 22_050  # what espeak-ng's own voices have
WAV_HEADER_BYTES = 44
SAMPLE_BYTES = 2

#: (Hz, s) one after the other; 0 Hz is silence. Between 500 and 2000 Hz, where old ears still hear well.
_TONES: dict[Beep, tuple[tuple[int, float], ...]] = {
    Beep.TAKEN: ((880, 0.08), (1320, 0.12)),
    Beep.REFUSED: ((587, 0.15), (0, 0.05), (523, 0.25)),
    Beep.WARNING: ((988, 0.12), (0, 0.08), (988, 0.12)),
}
_FADE_S = 0.005  # without it the loudspeaker clicks


def espeak_command(speech: Speech) -> list[str]:
    """Reads the text as UTF-8 from its standard input and writes a WAV of 16-bit mono to its standard output. The text
    is not an argument: those can be read by every user of the machine."""
    return ["espeak-ng", "--stdin", "--stdout", "-b", "1", "-v", VOICES[speech.language],
            "-s", str(WORDS_PER_MINUTE), "-a", str(speech.volume)]  # fmt: skip


def duration_s(wav: bytes) -> float:
    """How long it sounds. From its size, as espeak-ng writes the header before it knows the length."""
    return max(0, len(wav) - WAV_HEADER_BYTES) / (SAMPLE_BYTES * RATE_HZ)


@cache
def beep_wav(signal: Signal) -> bytes:
    samples = array("h")
    for frequency_hz, tone_s in _TONES[signal.beep]:
        samples.extend(_tone(frequency_hz, tone_s, signal.volume / LOUDEST))
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, SAMPLE_BYTES, RATE_HZ, len(samples), "NONE", ""))
        wav.writeframes(samples.tobytes())
    return file.getvalue()


def _tone(frequency_hz: int, tone_s: float, loudness: float) -> array:
    count, fade = round(tone_s * RATE_HZ), _FADE_S * RATE_HZ
    turn = 2 * math.pi * frequency_hz / RATE_HZ
    return array(
        "h",
        (
            round(32_767 * 0.6 * loudness * min(1.0, at / fade, (count - at) / fade) * math.sin(turn * at))
            for at in range(count)
        ),
    )
