"""One window, played upon with touches at real positions; prints what it saw as JSON. One process per story.

story.py NAME
"""

import json
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Callable

from kiosk.intents import Intent, StillHere
from kiosk.views import (
    Choice,
    ChoiceView,
    ColourView,
    FormView,
    IdleView,
    KeypadView,
    PhotoView,
    PresentCardView,
    Scene,
    TouchGridView,
    Warning,
)
from screens import touch
from screens.face import SCREENS, Face, FaceSettings
from tests.support.touch import tap, tap_all, wait_for

SIZE = (1080, 1920)
IDLE = Scene(1, IdleView("Sentuh layar untuk mulai", village="Desa Socorejo"))
SERVICES = ChoiceView(
    "Pilih layanan", choices=(Choice("letter", "Minta surat", "letter"), Choice("queue", "Antre", "queue"))
)
PIN = KeypadView("Masukkan PIN", digits_count=6, secret=True)
FORM = FormView("Keterangan Usaha", label="Nama usaha", longest=12)


class Stage:
    """A running face, what it posted, the frames it drew and the errors it told."""

    def __init__(self) -> None:
        self.posted: queue.Queue[Intent] = queue.Queue()
        self.errors: queue.Queue[BaseException] = queue.Queue()
        self.frames_count = 0
        self.started = threading.Event()
        settings = FaceSettings(*SIZE, 102.5, False, "offscreen", "Desa Socorejo")
        self.face = Face(settings, self.posted.put, self.started.set, self._frame, self.errors.put)

    def _frame(self) -> None:
        self.frames_count += 1

    def intent(self) -> dict:
        """The next intent that is not merely a sign of life."""
        while True:
            intent = self.posted.get(timeout=5)
            if not isinstance(intent, StillHere):
                return {"kind": type(intent).__name__, **vars(intent)}

    def silent(self) -> bool:
        """Whether nothing was posted but signs of life."""
        return all(isinstance(intent, StillHere) for intent in list(self.posted.queue))

    def shown_texts(self) -> list[str]:
        def collect() -> list[str]:
            from screens.widgets import Text

            return [widget.shown for widget in self.face._root.walk() if isinstance(widget, Text) and widget.shown]

        return self.face.ask(collect)


def _idle_sleeps(stage: Stage) -> dict:
    stage.face.show(IDLE)
    wait_for(lambda: "start" in stage.face.targets())
    wait_for(lambda: stage.face.ask(lambda: len(stage.face._screens)) == len(SCREENS))  # all screens are warm
    frames, cpu_s, end_s = stage.frames_count, time.process_time(), time.monotonic() + 3
    while (left_s := end_s - time.monotonic()) > 0:
        threading.Event().wait(left_s)
    return {"cpu_s": time.process_time() - cpu_s, "frames": stage.frames_count - frames}


def _touch_anywhere(stage: Stage) -> dict:
    stage.face.show(IDLE)
    stage.face.targets()  # it is there before it is touched
    touch.tap(200, 1500)
    start = stage.intent()
    tap(stage.face, "bar:language:jv")
    return {"start": start, "language": stage.intent()}


def _double_strike(stage: Stage) -> dict:
    stage.face.show(Scene(7, SERVICES))
    x, y = stage.face.find("letter")
    touch.tap(x, y)
    first = stage.intent()
    stage.face.show(Scene(8, SERVICES))
    touch.tap(x + 3, y)
    stage.face.targets()  # the second strike has been handled
    swallowed = stage.posted.empty()
    time.sleep(0.6)  # the guard is a span of time
    touch.tap(x, y)
    return {"first": first, "swallowed": swallowed, "later": stage.intent()}


def _release_outside(stage: Stage) -> dict:
    stage.face.show(Scene(7, SERVICES))
    x, y = stage.face.find("letter")
    touch.down(x, y)
    touch.up(x, y + 900)
    stage.face.targets()
    return {"posted": stage.posted.qsize()}


def _stale_scene(stage: Stage) -> dict:
    """Pressed on one scene, released on the next: nothing is chosen there."""
    stage.face.show(Scene(7, SERVICES))
    x, y = stage.face.find("queue")
    touch.down(x, y)
    stage.face.targets()
    stage.face.show(Scene(8, SERVICES))
    stage.face.targets()  # the next scene is there before the finger is lifted
    touch.up(x, y)
    stage.face.targets()
    across = stage.posted.qsize()
    tap(stage.face, "letter")
    return {"across": across, "later": stage.intent()}


def _pin(stage: Stage) -> dict:
    stage.face.show(Scene(3, PIN))
    tap_all(stage.face, "123456")
    entered = stage.intent()
    screen = stage.face._shown
    return {"entered": entered, "kept": screen.digits, "texts": stage.shown_texts()}


def _form(stage: Stage) -> dict:
    stage.face.show(Scene(3, FORM))
    tap_all(stage.face, "toko ani")
    typed = stage.shown_texts()
    stage.face.show(Scene(3, FORM, language="en", large_text=True, fresh=False))
    kept = stage.shown_texts()
    tap(stage.face, "key:ok")
    entered = stage.intent()
    stage.face.show(IDLE)
    idle = stage.shown_texts()
    stage.face.show(Scene(5, FORM))
    return {"typed": typed, "kept": kept, "entered": entered, "idle": idle, "again": stage.shown_texts()}


def _warning(stage: Stage) -> dict:
    stage.face.show(Scene(9, SERVICES))
    x, y = stage.face.find("letter")
    stage.face.warn(Warning(20))
    shown = stage.shown_texts()
    touch.tap(x, y)
    kind = type(stage.posted.get(timeout=5)).__name__
    stage.face.targets()
    return {"shown": shown, "kind": kind, "more": stage.posted.qsize(), "after": list(stage.face.targets())}


def _errors(stage: Stage) -> dict:
    broken = ChoiceView("Pilih", choices=(Choice("a", "A", "no-such-icon"), Choice("b", "B", "ok")))
    stage.face.show(Scene(1, broken))
    told = type(stage.errors.get(timeout=5)).__name__

    def raising(_dt: float) -> None:
        raise ZeroDivisionError

    stage.face.ask(lambda: stage.face._clock.schedule_once(raising))
    callback = type(stage.errors.get(timeout=5)).__name__
    stage.face.show(Scene(2, SERVICES))
    return {"told": told, "callback": callback, "alive": "letter" in stage.face.targets()}


def _moving_picture(stage: Stage) -> dict:
    stage.face.show(Scene(1, PresentCardView("Tempelkan e-KTP")))
    stage.face.targets()
    frames = stage.frames_count
    wait_for(lambda: stage.frames_count >= frames + 3)
    stage.face.show(IDLE)
    stage.face.targets()
    from screens.moving import MovingScreen

    screens = [screen for screen in stage.face._screens.values() if isinstance(screen, MovingScreen)]
    return {"ticking": [screen._ticking is not None for screen in screens]}


def _live_picture(stage: Stage) -> dict:
    """The upper half of what the camera sees is red, the lower blue; then all of it is green, among many frames."""
    size = width_px, height_px = 639, 360  # a row of it is no multiple of four bytes
    red, green, blue = (bytes(255 if colour == each else 0 for each in range(3)) for colour in range(3))
    two_halves = (red * (width_px * height_px // 2)) + (blue * (width_px * height_px // 2))
    scene = Scene(1, PhotoView("Letakkan kertas", choices=(Choice("take", "Ambil foto", "camera"),)))
    stage.face.show(scene)
    waiting = "picture" in stage.face.marks()
    stage.face.show_frame(*size, two_halves)
    wait_for(lambda: "picture" in stage.face.marks())
    seen = colours_seen(stage)
    frames = stage.frames_count
    threading.Event().wait(0.5)  # that nothing happens takes time
    drawn_for_nothing = stage.frames_count - frames
    stage.face.show(Scene(2, scene.view, language="en", fresh=False))
    kept = colours_seen(stage)
    for _ in range(50):
        stage.face.show_frame(*size, two_halves)
    stage.face.show_frame(*size, green * (width_px * height_px))
    newest = colours_seen(stage)
    stage.face.show(IDLE)
    stage.face.show_frame(*size, two_halves)
    stage.face.targets()
    screen = stage.face._screens[PhotoView]
    left = screen._frame is not None or screen._picture is not None
    return {
        "waiting": waiting, "seen": seen, "drawn_for_nothing": drawn_for_nothing, "kept": kept, "newest": newest,
        "left": left, "errors": stage.errors.qsize(),
    }  # fmt: skip


def colours_seen(stage: Stage) -> list[str]:
    """The pure colours down the middle of the panel, each once."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        stage.face.picture(f"{folder}/seen.png")
        with Image.open(f"{folder}/seen.png") as picture:
            column = [picture.getpixel((SIZE[0] // 2, y)) for y in range(SIZE[1])]
    names = {(255, 0, 0): "red", (0, 255, 0): "green", (0, 0, 255): "blue"}
    seen = [names[pixel] for pixel in column if pixel in names]
    return list(dict.fromkeys(seen))


def _touch_grid(stage: Stage) -> dict:
    """One finger lies on the glass and is drawn over all squares but one, which is then touched by itself."""
    stage.face.show(Scene(4, TouchGridView("Usap", "Tengah")))
    grid = stage.face.ask(lambda: stage.face._shown._grid)
    height_px = SIZE[1]
    spots = [(cell.x + cell.w // 2, height_px - cell.y - cell.h // 2) for cell in grid.cells]
    touch.down(*spots[0])
    stage.face.targets()  # of the places that come in one go Kivy keeps the last
    for spot in spots[1:-1]:
        touch.slide(*spot)
        stage.face.targets()
    touch.up(*spots[-2])
    stage.face.targets()
    left, before = stage.face.ask(lambda: len(grid.left)), stage.silent()
    touch.tap(*spots[-1])
    return {"left": left, "silent": before, "intent": stage.intent(), "bars": list(stage.face.targets())}


def _touch_grid_given_up(stage: Stage) -> dict:
    stage.face.show(Scene(4, TouchGridView("Usap", "Tengah")))
    stage.face.targets()
    touch.tap(SIZE[0] // 2, SIZE[1] // 2)
    stage.face.targets()
    silent = stage.silent()
    touch.tap(SIZE[0] // 2, SIZE[1] // 2)
    return {"silent": silent, "intent": stage.intent()}


def _colour(stage: Stage) -> dict:
    stage.face.show(Scene(4, ColourView("Warna", colour="0000FF")))
    stage.face.targets()
    touch.tap(1, 1)
    return stage.intent()


def _icons(stage: Stage) -> dict:
    """How far each picture's ink lies from the middle of its place, across and up."""
    from config.icons import GLYPHS

    side_px = 96

    def draw(name: str) -> list[float]:
        import numpy as np
        from kivy.graphics import Fbo

        from screens.box import Box
        from screens.widgets import Icon

        icon = Icon(Box(side_px // 2, side_px // 2, side_px, side_px), name)
        buffer = Fbo(size=(2 * side_px, 2 * side_px))
        buffer.add(icon.canvas)
        buffer.draw()
        alpha = np.frombuffer(buffer.pixels, np.uint8).reshape(2 * side_px, 2 * side_px, 4)[..., 3]
        up, across = np.nonzero(alpha > 127)
        return [abs(float(place.min() + place.max() + 1) / 2 - side_px) for place in (across, up)]

    return {name: stage.face.ask(lambda name=name: draw(name)) for name in GLYPHS}


STORIES: dict[str, Callable[[Stage], dict]] = {
    name.removeprefix("_"): story
    for name, story in list(globals().items())
    if name.startswith("_") and callable(story) and not name.startswith("__")
}


def main() -> None:
    stage = Stage()
    result: dict = {}

    def work() -> None:
        try:
            if not stage.started.wait(10):
                raise TimeoutError("the window did not start")
            result.update(STORIES[sys.argv[1]](stage))
        finally:
            stage.face.stop()

    thread = threading.Thread(target=work)
    thread.start()
    stage.face.run()
    thread.join()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
