"""Every kind of view on three panels: sizes in millimetres, nothing cut, nothing on top of another."""

import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
PICTURES = Path(os.environ.get("KIOSK_PICTURES", REPO / "pictures" / "gallery"))
PANELS = {"portrait": (1080, 1920, 102.5), "landscape": (1366, 768, 100.5), "small": (1280, 800, 149.0)}
TARGET_MM, GAP_MM, CAPITAL_MM, CAPITAL_EM = 20.0, 1.0, 4.8, 0.714


@pytest.fixture(scope="module", params=PANELS)
def panel(request: pytest.FixtureRequest) -> dict:
    width_px, height_px, ppi = PANELS[request.param]
    command = [sys.executable, str(REPO / "tests/screens/gallery.py"), str(width_px), str(height_px), str(ppi)]
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    done = subprocess.run(
        [*command, str(PICTURES / request.param)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    result["name"] = request.param
    return result


def _mm(px: float, panel: dict) -> float:
    return px * 25.4 / panel["ppi"]


def test_nothing_failed(panel: dict) -> None:
    assert panel["errors"] == []


def test_targets_are_large_enough_and_inside(panel: dict) -> None:
    width_px, height_px = panel["window"]
    for name, scene in panel["scenes"].items():
        for value, (x, y, w, h) in scene["targets"].items():
            assert min(_mm(w, panel), _mm(h, panel)) >= TARGET_MM, (name, value)
            assert x >= 0 and y >= 0 and x + w <= width_px and y + h <= height_px, (name, value)


def test_targets_keep_their_distance(panel: dict) -> None:
    for name, scene in panel["scenes"].items():
        for (one, a), (other, b) in combinations(scene["targets"].items(), 2):
            across = max(a[0], b[0]) - min(a[0] + a[2], b[0] + b[2])
            down = max(a[1], b[1]) - min(a[1] + a[3], b[1] + b[3])
            assert _mm(max(across, down), panel) >= GAP_MM, (name, one, other)


def test_text_is_legible_and_whole(panel: dict) -> None:
    width_px, height_px = panel["window"]
    for name, scene in panel["scenes"].items():
        assert scene["texts"] or name.startswith("colour"), name
        for text in scene["texts"]:
            x, y, w, h = text["box"]
            assert not text["is_cut"], (name, text["shown"])
            assert text["texture"][0] <= w and text["texture"][1] <= h, (name, text["shown"])
            assert x >= 0 and y >= 0 and x + w <= width_px and y + h <= height_px, (name, text["shown"])
            assert _mm(text["size_px"] * CAPITAL_EM, panel) >= CAPITAL_MM, (name, text["shown"])


def test_texts_do_not_lie_on_each_other(panel: dict) -> None:
    for name, scene in panel["scenes"].items():
        if name == "warning":
            continue  # it covers the scene on purpose
        for one, other in combinations(scene["texts"], 2):
            a, b = one["box"], other["box"]
            across = max(a[0], b[0]) - min(a[0] + a[2], b[0] + b[2])
            down = max(a[1], b[1]) - min(a[1] + a[3], b[1] + b[3])
            assert max(across, down) >= 0, (name, one["shown"], other["shown"])


def test_pictures_are_not_skewed(panel: dict) -> None:
    """The bar below the form's keyboard is one colour from edge to edge, in every row of the picture's left margin."""
    from PIL import Image

    with Image.open(PICTURES / panel["name"] / "choice-services.png") as picture:
        assert picture.size == tuple(panel["window"])
        # The left margin beside the content has the page's colour all the way down; a skewed picture shears it.
        top, bottom = picture.height * 45 // 100, picture.height * 70 // 100
        assert {picture.getpixel((2, y)) for y in range(top, bottom)} == {(0xF4, 0xF6, 0xF3)}
        assert {picture.getpixel((picture.width - 3, y)) for y in range(top, bottom)} == {(0xF4, 0xF6, 0xF3)}


def test_a_keypad_has_a_place_for_each_digit_and_no_more(panel: dict) -> None:
    """Whoever saw eight places would wait for two more digits. All else on the two keypads is the same."""
    nik, code = (panel["scenes"][name]["cards"] for name in ("keypad-nik", "keypad-code"))
    assert nik - code == 16 - 6


def test_squares_to_touch_cover_the_whole_panel_once(panel: dict) -> None:
    """Every pixel of it, the rim too, belongs to one square, and a finger fits each."""
    import numpy as np

    width_px, height_px = panel["window"]
    covered = np.zeros((height_px, width_px), int)
    for x, y, w, h in panel["scenes"]["touch-grid"]["cells"]:
        assert min(_mm(w, panel), _mm(h, panel)) >= TARGET_MM
        covered[y : y + h, x : x + w] += 1
    assert covered.min() == covered.max() == 1
    assert panel["scenes"]["touch-grid"]["targets"] == {}


def test_a_colour_fills_the_whole_panel_and_nothing_else_is_there(panel: dict) -> None:
    from PIL import Image

    width_px, height_px = panel["window"]
    with Image.open(PICTURES / panel["name"] / "colour.png") as picture:
        assert picture.getcolors() == [(width_px * height_px, (255, 0, 0))]
    assert panel["scenes"]["colour"]["targets"] == {"next": [0, 0, width_px, height_px]}
