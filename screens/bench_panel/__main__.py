"""Starts the panel: options, Kivy's settings, the connection to the bench."""

import argparse
import logging
import os
import sys
from pathlib import Path

from hardware.bench.client import BenchClient
from hardware.bench.world import BenchError
from screens.window import VIDEO_DRIVERS, WindowSettings, WindowUnusable, prepare

WIDTH_PX, HEIGHT_PX = 1000, 880
FRAMES_PER_S = 30


def main() -> int:
    options = _parse()
    _log_to_stderr()
    try:
        subscription = BenchClient(options.socket).subscribe()
        prepare_kivy(options.video_driver, options.left)
    except (BenchError, WindowUnusable) as error:
        print(f"bench panel: {error}", file=sys.stderr)
        return 1
    from screens.bench_panel.panel import PanelApp

    return PanelApp(BenchClient(options.socket), subscription, options.picture, options.papers).run() or 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m screens.bench_panel", description="The world around a kiosk.")
    parser.add_argument("--socket", type=Path, required=True, help="the bench's socket of a running kiosk")
    parser.add_argument("--picture", type=Path, help="save a picture of the panel to this file, then end")
    parser.add_argument("--papers", type=int, default=1, help="how many papers to await before the picture (1)")
    parser.add_argument(
        "--video-driver", choices=VIDEO_DRIVERS, default=os.environ.get("SDL_VIDEODRIVER", "x11"), help="SDL's"
    )
    parser.add_argument("--left", type=int, default=0, metavar="PX", help="where on the desktop it begins")
    return parser.parse_args()


def _log_to_stderr() -> None:
    """Warnings, except that X's second clipboard needs xclip or xsel: the panel does without."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.addFilter(lambda record: not record.getMessage().startswith("Cutbuffer: Unable to find"))
    logging.basicConfig(format="bench panel: %(message)s", handlers=[handler])


def prepare_kivy(video_driver: str, left_px: int = 0) -> None:
    prepare(WindowSettings(WIDTH_PX, HEIGHT_PX, fullscreen=False, video_driver=video_driver, left_px=left_px))
    import kivy
    from kivy.config import Config

    # Unlike the kiosk's window, the panel is a desktop tool: stock widgets in stock style, in a window of any size.
    kivy.kivy_data_dir = str(Path(kivy.__file__).parent / "data")
    Config.set("graphics", "resizable", 1)
    Config.set("graphics", "maxfps", FRAMES_PER_S)


if __name__ == "__main__":
    sys.exit(main())
