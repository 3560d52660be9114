"""The bench's speaker, as the outside world hears it."""

import wave

import pytest

from hardware.speaker.interface import Beep
from hardware.speaker.speaking import Signal, Speech

PATIENCE_S = 5.0


def test_what_was_said_is_kept_in_order_with_language_and_volume(virtual_rig):
    speaker = virtual_rig.start().speaker
    speaker.say("Selamat datang", "id")
    assert speaker.wait_for_speech(lambda speech: speech.language == "id", PATIENCE_S)
    speaker.volume = 40
    speaker.say("Sugeng rawuh", "jv")
    assert speaker.wait_for_speech(lambda speech: speech.language == "jv", PATIENCE_S)
    assert speaker.spoken == [Speech("Selamat datang", "id", 80), Speech("Sugeng rawuh", "jv", 40)]


def test_waiting_for_what_is_never_said_ends(virtual_rig):
    assert virtual_rig.start().speaker.wait_for_speech(lambda speech: True, 0.05) is None


def test_a_beep_is_finished_before_what_is_said_after_it(virtual_rig):
    speaker = virtual_rig.start().speaker
    speaker.beep(Beep.TAKEN)
    assert virtual_rig.hears_something()
    speaker.say("Selamat datang", "id")
    assert speaker.sounding == Signal(Beep.TAKEN, 80)
    assert speaker.wait_for_speech(lambda speech: speech.text == "Selamat datang", PATIENCE_S)
    assert speaker.beeps == [Signal(Beep.TAKEN, 80)]


def test_what_was_said_can_be_heard_in_the_real_voice(virtual_rig, tmp_path):
    speaker = virtual_rig.start().speaker
    speaker.say("Selamat datang di balai desa", "id")
    assert speaker.wait_for_speech(lambda speech: True, PATIENCE_S)
    speaker.save_speech(tmp_path / "speech.wav")
    with wave.open(str(tmp_path / "speech.wav")) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (1, 2, 22_050)
        assert any(wav.readframes(22_050))


def test_nothing_said_cannot_be_saved(virtual_rig, tmp_path):
    with pytest.raises(IndexError):
        virtual_rig.start().speaker.save_speech(tmp_path / "speech.wav")


def test_speech_is_not_shown_when_printed(virtual_rig):
    speaker = virtual_rig.start().speaker
    speaker.say("Ibu Siti", "id")
    assert "Siti" not in repr(speaker.wait_for_speech(lambda speech: True, PATIENCE_S))
