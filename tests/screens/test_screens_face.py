"""The face under a finger: real touches at real positions, in a window without a screen."""

import json
import os
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def _run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(REPO / "tests/screens" / script), *arguments],
        env=os.environ | {"PYTHONPATH": str(REPO)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _play(name: str) -> dict:
    done = _run("story.py", name)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_idle_sleeps() -> None:
    seen = _play("idle_sleeps")
    assert seen["cpu_s"] < 0.03, "an idle window takes no more than 1 % of a core"
    assert seen["frames"] == 0


def test_a_touch_anywhere_starts_and_languages_work_on_idle() -> None:
    seen = _play("touch_anywhere")
    assert seen["start"] == {"kind": "Chosen", "serial": 1, "value": "start"}
    assert seen["language"] == {"kind": "LanguageChosen", "serial": 1, "language": "jv"}


def test_a_double_strike_counts_once() -> None:
    seen = _play("double_strike")
    assert seen["first"] == {"kind": "Chosen", "serial": 7, "value": "letter"}
    assert seen["swallowed"]
    assert seen["later"] == {"kind": "Chosen", "serial": 8, "value": "letter"}


def test_a_finger_that_slides_off_chooses_nothing() -> None:
    assert _play("release_outside")["posted"] == 0


def test_a_touch_carries_the_serial_of_its_own_scene() -> None:
    seen = _play("stale_scene")
    assert seen["across"] == 0
    assert seen["later"] == {"kind": "Chosen", "serial": 8, "value": "letter"}


def test_a_pin_is_sent_by_itself_and_shown_nowhere() -> None:
    seen = _play("pin")
    assert seen["entered"] == {"kind": "Entered", "serial": 3, "text": "123456"}
    assert seen["kept"] == ""
    assert not any("123456" in text for text in seen["texts"])


def test_typed_text_is_kept_with_the_step_and_wiped_with_it() -> None:
    seen = _play("form")
    assert "Toko ani|" in seen["typed"]
    assert "Toko ani|" in seen["kept"]
    assert seen["entered"] == {"kind": "Entered", "serial": 3, "text": "Toko ani"}
    assert not any("Toko" in text for text in seen["idle"] + seen["again"])


def test_any_touch_answers_the_warning_and_presses_nothing_under_it() -> None:
    seen = _play("warning")
    assert "Anda masih di sini?" in seen["shown"]
    assert (seen["kind"], seen["more"]) == ("StillHere", 0)
    assert "still_here" not in seen["after"]


def test_an_exception_is_told_and_the_window_lives_on() -> None:
    assert _play("errors") == {"told": "KeyError", "callback": "ZeroDivisionError", "alive": True}


def test_the_picture_moves_and_stops_when_left() -> None:
    assert not any(_play("moving_picture")["ticking"])


def test_a_camera_s_frames_are_drawn_when_they_come_and_leave_nothing_behind() -> None:
    seen = _play("live_picture")
    assert seen["waiting"] is False
    assert seen["seen"] == seen["kept"] == ["red", "blue"]
    assert seen["drawn_for_nothing"] == 0
    assert seen["newest"] == ["green"]
    assert seen["left"] is False and seen["errors"] == 0


def test_the_touch_grid_ends_with_the_last_square_and_nothing_is_around_it() -> None:
    seen = _play("touch_grid")
    assert seen["left"] == 1 and seen["silent"]
    assert seen["intent"] == {"kind": "Chosen", "serial": 4, "value": "touched"}
    assert seen["bars"] == []


def test_the_middle_square_touched_again_gives_up() -> None:
    seen = _play("touch_grid_given_up")
    assert seen["silent"]
    assert seen["intent"] == {"kind": "Chosen", "serial": 4, "value": "give_up"}


def test_a_touch_anywhere_on_a_colour_goes_on() -> None:
    assert _play("colour") == {"kind": "Chosen", "serial": 4, "value": "next"}


def test_a_picture_is_in_the_middle_of_its_place() -> None:
    """By its ink: what the font leaves free around a glyph is not even."""
    off_px = _play("icons")
    assert len(off_px) > 50 and max(max(across, up) for across, up in off_px.values()) <= 2, off_px


def test_another_video_driver_than_asked_is_refused() -> None:
    environment = {key: "" for key in ("DISPLAY", "WAYLAND_DISPLAY")}
    code = (
        "from screens.face import Face, FaceSettings\n"
        "Face(FaceSettings(640, 480, 100, False, 'x11', 'Desa'), print, lambda: None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(REPO)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "WindowUnusable" in done.stderr
