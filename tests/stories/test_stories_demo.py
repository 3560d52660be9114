"""`kiosk demo` without a display, as anybody runs it: all stories, a picture of each screen, and nothing personal left
behind in files, logs or names."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from support.personal import personal_in
from support.running_kiosk import DEMO_PROFILE, command

from kiosk.demo import LANDSCAPE, PORTRAIT, village
from kiosk.demo.stories import STORIES

PICTURES = os.environ.get("KIOSK_PICTURES")
PANELS = {"portrait": PORTRAIT, "landscape": LANDSCAPE}
#: Half of it on an idle machine.
STORIES_WITHIN_S = 240
pytestmark = pytest.mark.timeout(STORIES_WITHIN_S + 60)
PAPER_WIDTH_DOTS = 576

PAPERS = {
    "paper-request-slip",
    "paper-letter-copy",
    "paper-request-slip-sktm",
    "paper-slip-to-cancel",
    "paper-ticket",
    "paper-after-refill",
    "paper-test-page",
    "paper-report",
}
SCREENS = {
    "idle", "home", "present-card", "pin", "choose-letter", "field", "field-optional",
    "ask-paper", "lay-paper", "look-at-photo", "review",
    "request-sent", "letter-not-for-you", "field-amount", "my-letters", "letter-ready", "copy-printed", "show-code",
    "letter-genuine",
    "code-not-from-here", "choose-service", "ticket-taken", "paper-out", "card-not-registered", "nik", "help",
    "home-javanese", "home-english-large", "home-read-out", "letter-made", "request-under-way", "really-cancel",
    "request-cancelled", "card-with-a-code", "officers-code", "choose-pin", "repeat-pin", "pin-chosen",
    "technician", "technician-parts", "technician-card", "technician-scan", "technician-print-and-scan",
}  # fmt: skip


@pytest.fixture(scope="module", params=PANELS)
def told(request, tmp_path_factory) -> SimpleNamespace:
    """All stories on one panel: how it ended, what it said, the pictures and the state that it left."""
    folder = tmp_path_factory.mktemp(request.param)
    pictures = Path(PICTURES).absolute() / f"stories-{request.param}" if PICTURES else folder / "pictures"
    panel_options = ["--landscape"] if request.param == "landscape" else []
    arguments = ["demo", "--state", folder / "state", "--pictures", pictures, *panel_options]
    try:
        done = command(*arguments, timeout_s=STORIES_WITHIN_S)
    except subprocess.TimeoutExpired as late:
        pytest.fail(f"the stories did not come to their end:\n{(late.stderr or b'').decode()}")
    return SimpleNamespace(panel=PANELS[request.param], done=done, pictures=pictures, state=folder / "state")


def test_every_story_comes_to_its_end(told):
    assert told.done.returncode == 0, told.done.stderr
    for story in STORIES:
        assert f"  {story.__doc__}\n" in told.done.stdout
    assert "ERROR" not in told.done.stderr


def test_every_screen_and_paper_has_its_picture(told):
    found = {path.stem.partition("-")[2]: path for path in told.pictures.iterdir()}
    assert found.keys() >= PAPERS | SCREENS
    for name, path in found.items():
        with Image.open(path) as picture:
            if name in PAPERS:
                assert picture.width == PAPER_WIDTH_DOTS
                ink = picture.convert("L").histogram()[0]
                assert ink > 0.01 * picture.width * picture.height, path
            else:
                assert picture.size == (told.panel.width_px, told.panel.height_px)
                assert len(picture.getcolors(maxcolors=picture.width * picture.height)) > 16, path


def test_the_pictures_differ(told):
    seen = [path.read_bytes() for path in told.pictures.iterdir()]
    assert len(set(seen)) == len(seen)


# Nothing personal is left.


def test_the_search_finds_what_is_there():
    fields = village.demo_residents()[0]
    assert personal_in(f"x{fields['nik']}y".encode()) == {"a NIK"}
    assert personal_in(f"pin={village.DEMO_PIN}".encode()) == {"the PIN"}
    assert personal_in(b"uid 04A1B2C3D4E502") == {"a card's number"}
    assert personal_in(b"12:00:00.246802 and 112468020") == set()


def test_nothing_personal_is_in_any_file_of_the_state(told):
    kept = {path.name: path.read_bytes() for path in told.state.rglob("*") if path.is_file()}
    everything = b"".join(kept.values())
    assert b"request-submitted" in everything and b"letter-issued" in everything  # the journal is among it
    assert {name: personal_in(data) for name, data in kept.items()} == dict.fromkeys(kept, set())


def test_nothing_personal_is_in_what_it_said(told):
    assert "printer: ready" in told.done.stderr
    assert personal_in(told.done.stderr.encode()) == personal_in(told.done.stdout.encode()) == set()


def test_nothing_personal_is_in_the_names_of_files(told):
    names = [path.name for folder in (told.state, told.pictures) for path in folder.rglob("*")]
    assert personal_in("\n".join(names).encode()) == set()


def test_the_state_is_its_owner_s_alone(told):
    assert told.state.stat().st_mode & 0o077 == 0
    for secret in ("vault.key", "village-keys/1.pem"):
        assert (told.state / secret).stat().st_mode & 0o077 == 0


def test_a_hall_s_settings_are_no_demo_s(tmp_path):
    production = DEMO_PROFILE.with_name("production.toml")
    refused = command("demo", "--offscreen", "--state", tmp_path / "state", "--config", production)
    assert refused.returncode == 2
    assert f'{production}: profile: a demo runs with the profile "demo" only' in refused.stderr
    assert not (tmp_path / "state").exists()
