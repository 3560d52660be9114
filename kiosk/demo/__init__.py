"""`kiosk demo`: a kiosk of virtual devices in an invented village, with the panel of the outside world beside it.

Where there is no display, the stories are played offscreen and a picture of every screen and paper is kept.
"""

import argparse
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config import settings as config
from config.settings import PROFILES, Profile, Screen, Settings, SettingsError
from hardware.bench.client import BenchClient
from kiosk.app import Kiosk
from kiosk.demo import village
from kiosk.demo.stories import STORIES, Storyteller

PROFILE = Path(str(PROFILES / "demo.toml"))

#: A standing 21.5" Full HD panel and a lying 15.6" one.
PORTRAIT = Screen(width_px=1080, height_px=1920, ppi=102.5, fullscreen=False, video_driver="offscreen")
LANDSCAPE = Screen(width_px=1366, height_px=768, ppi=100.5, fullscreen=False, video_driver="offscreen")
#: In a window on a desktop the panel is drawn at half its size, so that the whole of it fits beside the bench.
WINDOW_SCALE = 0.5
SECRETS = (
    f"Every resident's PIN is {village.DEMO_PIN}, the technician's {village.DEMO_TECHNICIAN_PIN}. "
    f"At the officers' desk everybody's password is «{village.DEMO_PASSWORD}»: "
    + ", ".join(f"{officer.username} ({officer.role})" for officer in village.DEMO_OFFICERS)
    + "."
)
BENCH = "bench.sock"
#: The desk answers what is under way first.
ENDED_WITHIN_S = 10.0
#: Between the kiosk's window and the panel's.
BESIDE_PX = 16


def run(options: argparse.Namespace) -> int:
    """Run the demo that the options ask for. Raises SettingsError and CannotRun."""
    settings, path = settings_of(options.state, options.config or PROFILE)
    panel = LANDSCAPE if options.landscape else PORTRAIT
    has_display = bool(os.environ.get("DISPLAY"))
    if options.pictures or not (has_display or options.offscreen):
        pictures = options.pictures or Path("pictures")
        return _play_stories(_with_screen(settings, panel), path, pictures)
    beside = [] if options.no_desk else [_desk(settings, path)]
    if options.offscreen:
        print(f"The demo is drawn into memory; drive it with: kiosk bench --state {options.state} COMMAND", flush=True)
        screen = panel
    else:
        print(f"The kiosk's bench is at {settings.state_path / BENCH}: try `kiosk bench tap siti`.", flush=True)
        screen = _windowed(panel)
        beside += [] if options.no_panel else [_panel(settings, screen)]
    print(SECRETS, flush=True)
    return _run_beside(_with_screen(settings, screen), path, beside)


def settings_of(state: Path, path: Path = PROFILE) -> tuple[Settings, Path]:
    """The demo's settings with their state in that directory, and the file that they come from. Raises SettingsError,
    also for a hall's own: its kiosk is not driven from a bench, and invented residents do not move in there."""
    settings = config.load(path)
    if settings.profile is not Profile.DEMO:
        raise SettingsError(f'{path}: profile: a demo runs with the profile "demo" only')
    return config.changed(settings, state_dir=str(state.absolute())), path


def _with_screen(settings: Settings, screen: Screen) -> Settings:
    return config.changed(settings, screen=screen)


def _windowed(panel: Screen) -> Screen:
    return config.changed(
        panel,
        width_px=round(panel.width_px * WINDOW_SCALE),
        height_px=round(panel.height_px * WINDOW_SCALE),
        ppi=panel.ppi * WINDOW_SCALE,
        video_driver="x11",
    )


def _kiosk(settings: Settings, path: Path, on_ready: Callable[[], None] | None = None) -> Kiosk:
    return Kiosk(
        settings,
        path,
        bench_cards=village.demo_cards(),
        prepare_office=_settle_village,
        on_ready=on_ready,
        bench_biodata=village.demo_biodata(),
    )


def _settle_village(office: Any) -> None:
    village.fill(office)
    for job in office.spooler.open_jobs():
        if job.idempotency_key == village.READY_LETTER_KEY:
            office.spooler.cancel(job.id)  # its slip was taken home long ago
    if not office.technician.has_pin():
        office.technician.set_pin(village.DEMO_TECHNICIAN_PIN)


def _desk(settings: Settings, path: Path) -> list[str]:
    """The command that runs the officers' desk."""
    state = ["--state", settings.state_dir]
    return [sys.executable, "-m", "kiosk", "desk", "--demo", "--config", str(path), *state]


def _panel(settings: Settings, screen: Screen) -> list[str]:
    """The command that shows the panel of the outside world, beside the kiosk's window."""
    socket, left = settings.state_path / BENCH, screen.width_px + BESIDE_PX
    return [sys.executable, "-m", "screens.bench_panel", "--socket", str(socket), "--left", str(left)]


def _run_beside(settings: Settings, path: Path, commands: list[list[str]]) -> int:
    """The kiosk, and once it serves these commands beside it, which end with it."""
    beside: list[subprocess.Popen] = []

    def start() -> None:
        beside.extend(subprocess.Popen(command) for command in commands)

    try:
        return _kiosk(settings, path, start).run()
    finally:
        for process in beside:
            process.terminate()
        for process in beside:
            process.wait(ENDED_WITHIN_S)


def _play_stories(settings: Settings, path: Path, pictures: Path) -> int:
    """Every story in order, offscreen, with a picture of each screen and paper in `pictures`."""
    pictures = pictures.absolute()
    pictures.mkdir(parents=True, exist_ok=True)
    print(f"There is no display: the stories are played offscreen, with pictures in {pictures}", flush=True)
    failures: list[BaseException] = []
    kiosk: Kiosk

    def play() -> None:
        try:
            teller = Storyteller(BenchClient(settings.state_path / BENCH), pictures, settings)
            for story in STORIES:
                print(f"  {story.__doc__}", flush=True)
                story(teller)
        except BaseException as error:  # told below, and by the exit status
            failures.append(error)
        finally:
            kiosk.stop(exit_status=int(bool(failures)))

    kiosk = _kiosk(settings, path, on_ready=threading.Thread(target=play, name="stories").start)
    status = kiosk.run()
    for failure in failures:
        print(f"kiosk demo: {failure}", file=sys.stderr)
    if not failures:
        print(f"All stories were played; the pictures are in {pictures}")
    return status
