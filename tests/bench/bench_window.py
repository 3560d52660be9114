"""The face beside a bare tuned Kivy window with one label, in one run: start, idle CPU, memory, touch to pixels.

bench_window.py [--runs 7] [--driver offscreen]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
SIZE = (1080, 1920)
IDLE_SPAN_S = 3.0
TAPS_COUNT = 20
LIMITS = {"start_ms": 1.5, "touch_ms": 1.5}


class Measured:
    """Takes the times of one child: frames by an event, everything else between them."""

    def __init__(self) -> None:
        self.frame = threading.Event()
        self.first_frame_s: float | None = None

    def frame_drawn(self) -> None:
        if self.first_frame_s is None:
            self.first_frame_s = time.time()
        self.frame.set()

    def run(self, started_s: float, stop: Callable[[], None]) -> None:
        try:
            self._measure(started_s)
        finally:
            stop()

    def _measure(self, started_s: float) -> None:
        from screens import touch

        self.frame.wait()
        threading.Event().wait(1.5)  # the other screens are being warmed
        cpu_s = time.process_time()
        threading.Event().wait(IDLE_SPAN_S)
        idle = (time.process_time() - cpu_s) / IDLE_SPAN_S
        touches_ms, changes_ms = [], []
        for number in range(TAPS_COUNT):
            threading.Event().wait(0.03)
            # Another place each time: the face ignores a second strike at the same one.
            place = (150 + 200 * (number % 4), 450 + 270 * (number % 3))
            touches_ms.append(self._until_frame_ms(lambda place=place: touch.down(*place)))
            changes_ms.append(self._until_frame_ms(lambda place=place: touch.up(*place)))
        pss_kib = next(
            int(line.split()[1]) for line in Path("/proc/self/smaps_rollup").read_text().splitlines() if "Pss:" in line
        )
        print(
            json.dumps(
                {
                    "start_ms": (self.first_frame_s - started_s) * 1000,
                    "idle_percent": idle * 100,
                    "pss_mib": pss_kib / 1024,
                    "touch_ms": statistics.median(touches_ms),
                    "change_ms": statistics.median(changes_ms),
                }
            ),
            flush=True,
        )

    def _until_frame_ms(self, act: Callable[[], None]) -> float:
        self.frame.clear()
        begin_s = time.perf_counter()
        act()
        if not self.frame.wait(2):
            raise TimeoutError("no frame followed the touch")
        return (time.perf_counter() - begin_s) * 1000


def bare(driver: str, started_s: float) -> None:
    from screens.window import Loop, WindowSettings, prepare

    measured = Measured()
    settings = WindowSettings(*SIZE, False, driver)
    prepare(settings)
    loop = Loop(settings, measured.frame_drawn, print)
    from kivy.graphics import Rectangle
    from kivy.uix.label import Label

    label = Label(text="Sentuh layar untuk mulai", font_size=60)
    with label.canvas:
        picture = Rectangle()

    def draw(*_: object) -> None:
        label.texture_update()
        picture.texture, picture.size, picture.pos = label.texture, label.texture_size, (100, 900)

    draw()

    def touched(*_: object) -> None:
        label.text = label.text[:-1] if label.text.endswith(".") else f"{label.text}."
        draw()

    loop.window.add_widget(label)
    loop.window.bind(on_touch_down=touched, on_touch_up=touched)
    threading.Thread(target=measured.run, args=(started_s, loop.stop)).start()
    loop.run()


def face(driver: str, started_s: float) -> None:
    from kiosk.views import Choice, ChoiceView, IdleView, Scene
    from screens.face import Face, FaceSettings

    measured = Measured()
    idle = IdleView("Sentuh layar untuk mulai", "Minta surat · Ambil nomor antrean", village="Desa Socorejo")
    services = ChoiceView(
        "Pilih layanan",
        choices=tuple(Choice(icon, icon.title(), icon, "Tidak perlu e-KTP") for icon in ("letter", "queue", "check")),
    )
    scenes = iter(range(2, 1000))
    shown: list = []

    def post(_intent: object) -> None:
        shown.append(None)
        # Each touch anywhere leads to another screen: idle, services, idle …
        kiosk.show(Scene(next(scenes), services if len(shown) % 2 else idle))

    kiosk = Face(
        FaceSettings(*SIZE, 102.5, False, driver, "Desa Socorejo"), post, lambda: None, measured.frame_drawn, print
    )
    kiosk.show(Scene(1, idle))
    threading.Thread(target=measured.run, args=(started_s, kiosk.stop)).start()
    kiosk.run()


def _child(kind: str, driver: str) -> dict:
    command = [sys.executable, __file__, "--child", kind, "--driver", driver, "--started", repr(time.time())]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(REPO)}, capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--driver", default="offscreen")
    parser.add_argument("--child", choices=("bare", "face"), help=argparse.SUPPRESS)
    parser.add_argument("--started", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        {"bare": bare, "face": face}[arguments.child](arguments.driver, arguments.started)
        return
    results: dict[str, list[dict]] = {"bare": [], "face": []}
    for _ in range(arguments.runs):
        for kind, found in results.items():  # in turns, so that a busy machine is busy for both
            found.append(_child(kind, arguments.driver))
    print(f"medians of {arguments.runs} runs, {SIZE[0]}×{SIZE[1]}, {arguments.driver}")
    for key in ("start_ms", "idle_percent", "pss_mib", "touch_ms", "change_ms"):
        one, other = (statistics.median(found[key] for found in results[kind]) for kind in ("bare", "face"))
        ratio = f"{other / one:5.2f} ×" if one else "      –"
        limit = f"  (aim ≤ {LIMITS[key]} ×)" if key in LIMITS else ""
        print(f"{key:13} bare {one:8.2f}   face {other:8.2f}   {ratio}{limit}")


if __name__ == "__main__":
    main()
