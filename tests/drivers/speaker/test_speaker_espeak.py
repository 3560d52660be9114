"""The real voice: espeak-ng, aplay and ALSA itself, without a sound card."""

import pytest

from hardware.device import DeviceState
from hardware.speaker import espeak
from hardware.speaker.interface import Beep


def peak(samples) -> int:
    return max(map(abs, samples))


def test_what_is_heard_is_no_silence_and_softer_with_less_volume(espeak_rig):
    espeak_rig.start()
    peaks = []
    for volume in (100, 30, 0):
        espeak_rig.speaker.volume = volume
        espeak_rig.speaker.say("Selamat datang", "id")
        espeak_rig.listen_to_end()
        peaks.append(peak(espeak_rig.last))
    assert peaks[0] > 5_000
    assert peaks[0] > 2 * peaks[1] > 0
    assert peaks[2] == 0


def test_each_beep_is_a_sound_of_its_own(espeak_rig):
    espeak_rig.start()
    heard = set()
    for kind in Beep:
        espeak_rig.speaker.beep(kind)
        espeak_rig.listen_to_end()
        assert 5_000 < peak(espeak_rig.last) < 32_767
        heard.add(espeak_rig.last.tobytes())
    assert len(heard) == len(Beep)


def test_what_is_said_after_a_beep_waits_for_its_end(espeak_rig):
    espeak_rig.start()
    espeak_rig.speaker.beep(Beep.TAKEN)
    espeak_rig.speaker.say("Selamat datang di balai desa", "id")
    assert espeak_rig.listen_to_end() == pytest.approx(0.2, abs=0.1)
    assert espeak_rig.listen_to_end() > 1


@pytest.mark.parametrize("text", ["--version", "<break time='60s'/>", "Bu Siti, nomor A-001 — 5 °C", "\udcff\x00 a"])
def test_the_text_is_read_as_it_stands(espeak_rig, text):
    """No markup, no option, and what cannot be spoken does no harm."""
    espeak_rig.start()
    espeak_rig.speaker.say(text, "id")
    assert espeak_rig.listen_to_end() < 10
    assert espeak_rig.speaker.status.state is DeviceState.READY


def test_without_espeak_there_is_no_voice_until_it_is_installed(espeak_rig, programs):
    away = (programs / "espeak-ng").rename(programs / "away")
    espeak_rig.speaker.start(espeak_rig.events.post)
    status = espeak_rig.events.status(DeviceState.FAULT).status
    assert (status.code, status.detail) == ("SPEAKER-NO-VOICE", "espeak-ng is not installed")
    away.rename(programs / "espeak-ng")
    espeak_rig.wait_until_ready()


def test_without_aplay_that_is_what_is_told(espeak_rig, programs):
    (programs / "aplay").unlink()
    espeak_rig.speaker.start(espeak_rig.events.post)
    assert espeak_rig.events.status(DeviceState.FAULT).status.code == "SPEAKER-NO-PLAYER"


def test_an_espeak_without_its_voices_has_no_voice(espeak_rig, programs, monkeypatch, tmp_path):
    monkeypatch.setenv("ESPEAK_DATA_PATH", str(tmp_path))
    (programs / "espeak-ng").unlink()
    (programs / "espeak-ng").write_text("#!/bin/sh\necho 'The voice does not exist.' >&2\nexit 1\n")
    (programs / "espeak-ng").chmod(0o755)
    espeak_rig.speaker.start(espeak_rig.events.post)
    status = espeak_rig.events.status(DeviceState.FAULT).status
    assert (status.code, status.detail) == ("SPEAKER-NO-VOICE", "The voice does not exist.")


def test_a_program_that_hangs_is_a_fault(espeak_rig, programs, monkeypatch):
    monkeypatch.setattr(espeak, "TRIAL_WITHIN_S", 0.3)
    (programs / "espeak-ng").unlink()
    (programs / "espeak-ng").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    (programs / "espeak-ng").chmod(0o755)
    espeak_rig.speaker.start(espeak_rig.events.post)
    status = espeak_rig.events.status(DeviceState.FAULT).status
    assert (status.code, status.detail) == ("SPEAKER-NO-ANSWER", "espeak-ng")


def test_a_speaker_that_went_unnoticed_is_told_with_alsas_reason(espeak_rig):
    espeak_rig.start()
    espeak_rig.go_unnoticed()
    espeak_rig.speaker.say("Silakan", "id")
    status = espeak_rig.events.status(DeviceState.ABSENT).status
    assert status.code == "SPEAKER-ABSENT"
    assert "audio open error" in status.detail
    espeak_rig.plug()
    espeak_rig.wait_until_ready()


def test_a_sound_device_that_hangs_is_a_fault(espeak_rig, monkeypatch):
    monkeypatch.setattr(espeak, "PLAY_LATE_S", 0.1)
    espeak_rig.start()
    espeak_rig.speaker.say("Silakan tunggu sampai nomor Anda dipanggil", "id")  # and nobody listens
    status = espeak_rig.events.status(DeviceState.FAULT).status
    assert (status.code, status.detail) == ("SPEAKER-NO-ANSWER", "aplay")
