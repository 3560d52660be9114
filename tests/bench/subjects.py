"""What bench_kiosk.py compares: a bare tuned Kivy window, and the kiosk with a finger and a watch inside.

subjects.py bare                    a window with one label, until it is terminated; says READY=1 as the kiosk does
subjects.py bare-touched STARTED_S  the same, touched; prints what it measured as JSON
subjects.py kiosk STARTED_S CONFIG [FIRST_TOUCH_AFTER_S]

STARTED_S is the monotonic time at which the process was made. Little is imported before the first frame, because its
time is measured.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

SIZE_PX = (1080, 1920)
TOUCHES = 12
CARDS = 8
TICKETS = 6
#: When a person touches again because nothing happened.
TRY_AGAIN_S = 3.0
MOST_LOST_TOUCHES = 3
PATIENCE_S = 20.0
#: Between two touches: the face takes a second strike at the same place within half a second for an unsteady hand's.
PAUSE_S = 0.6


class Frames:
    """Every frame that was drawn, with what it showed. `drawn` is called on the window's thread."""

    def __init__(self, shown: Callable[[], Any]) -> None:
        self._shown = shown
        self._frames: list[tuple[float, Any]] = []
        self._changed = threading.Condition()

    def drawn(self) -> None:
        now_s = time.monotonic()
        with self._changed:
            self._frames.append((now_s, self._shown()))
            self._changed.notify_all()

    def first_s(self) -> float:
        return self.after_s(0.0)

    def after_s(
        self, since_s: float, shows: Callable[[Any], bool] = lambda shown: True, patience_s: float = PATIENCE_S
    ) -> float:
        """When the first frame since then that `shows` likes was on the glass. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._find(since_s, shows) is not None, patience_s):
                raise TimeoutError(f"not drawn within {patience_s} s")
            return self._find(since_s, shows)

    def _find(self, since_s: float, shows: Callable[[Any], bool]) -> float | None:
        return next((at_s for at_s, shown in self._frames if at_s >= since_s and shows(shown)), None)


def pause(seconds: float = PAUSE_S) -> None:
    """As a person does between two touches."""
    threading.Event().wait(seconds)


def in_background(measure: Callable[[], dict[str, Any]], stop: Callable[[], None]) -> None:
    """Measures in a thread, prints the result and ends the window, which keeps the main thread."""

    def work() -> None:
        import json

        try:
            print(json.dumps(measure()), flush=True)
        finally:
            stop()

    threading.Thread(target=work, name="measuring").start()


# The bare window.


def bare(touched_since_s: float | None) -> None:
    from screens.window import Loop, WindowSettings, prepare

    settings = WindowSettings(*SIZE_PX, fullscreen=False, video_driver="offscreen")
    prepare(settings)
    frames = Frames(lambda: None)
    is_told = False

    def drawn() -> None:
        nonlocal is_told
        frames.drawn()
        if not is_told:
            is_told = True
            tell_ready()

    loop = Loop(settings, drawn, print)
    from kivy.graphics import Rectangle
    from kivy.uix.label import Label

    label = Label(text="Sentuh layar untuk mulai", font_size=60)
    with label.canvas:
        picture = Rectangle()

    def draw() -> None:
        label.texture_update()
        picture.texture, picture.size, picture.pos = label.texture, label.texture_size, (100, 900)

    def touched(*_: object) -> None:
        label.text = label.text[:-1] if label.text.endswith(".") else f"{label.text}."
        draw()

    draw()
    loop.window.add_widget(label)
    loop.window.bind(on_touch_down=touched, on_touch_up=touched)
    if touched_since_s is not None:
        in_background(lambda: touch_bare(frames, touched_since_s), loop.stop)
    loop.run()


def tell_ready() -> None:
    import socket

    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages:
            messages.sendto(b"READY=1", address)


def touch_bare(frames: Frames, started_s: float) -> dict[str, Any]:
    from screens import touch

    started_ms = (frames.first_s() - started_s) * 1000
    pause(2.0)
    touch_ms, change_ms = [], []
    for number in range(TOUCHES):
        place = (150 + 200 * (number % 4), 450 + 270 * (number % 3))
        for moved, found in ((touch.down, touch_ms), (touch.up, change_ms)):
            pause()
            since_s = time.monotonic()
            moved(*place)
            found.append((frames.after_s(since_s) - since_s) * 1000)
    return {"start_ms": started_ms, "touch_ms": touch_ms, "change_ms": change_ms}


# The kiosk.


def kiosk(started_s: float, config_path: str, first_touch_after_s: float | None) -> None:
    from pathlib import Path

    from config import settings as config
    from kiosk.app import Kiosk

    path = Path(config_path)
    frames = Frames(lambda: subject.face._scene)

    class Watched(Kiosk):
        """The kiosk, told of its frames also without a watchdog."""

        def _open_face(self) -> Any:
            face = super()._open_face()
            face._frame_told = frames.drawn
            return face

    subject = Watched(config.load(path), path)
    visitor = Visitor(subject, frames)
    in_background(lambda: visitor.visit(started_s, first_touch_after_s), subject.stop)
    subject.run()


class Visitor:
    """Stands at the kiosk with a watch."""

    def __init__(self, subject: Any, frames: Frames) -> None:
        self._kiosk, self._frames = subject, frames

    def visit(self, started_s: float, first_touch_after_s: float | None) -> dict[str, Any]:
        """`first_touch_after_s` after the first frame; where it is None, everything else is measured too."""
        frame_s = self._frames.first_s()
        pause(first_touch_after_s or 0.0)
        touched_s, drawn_s, home_s, lost = self._first_touch()
        found = {
            "lost_touches": lost,
            "start_ms": (frame_s - started_s) * 1000,
            "first_touch_ms": (drawn_s - touched_s) * 1000,
            "touch_to_home_ms": (home_s - touched_s) * 1000,
            "usable_ms": (home_s - started_s) * 1000,
        }
        if first_touch_after_s is None:
            pause(2.0)
            found |= self._touches() | {"card_ms": self._cards(), "ticket_touched_s": self._tickets()}
            found["pss_visited_mib"] = pss_mib("self")
        return found

    def _first_touch(self) -> tuple[float, float, float, int]:
        """When the idle screen was first touched, when that was to be seen, when Home was there, and how many touches
        did not lead there."""
        from screens import touch

        middle = (SIZE_PX[0] // 2, SIZE_PX[1] // 2)
        touched_s = time.monotonic()
        touch.down(*middle)
        drawn_s = self._frames.after_s(touched_s)
        touch.up(*middle)
        for lost in range(MOST_LOST_TOUCHES):
            try:
                return touched_s, drawn_s, self._frames.after_s(touched_s, showing("Choice"), TRY_AGAIN_S), lost
            except TimeoutError:
                touch.tap(*middle)
        raise TimeoutError(f"{MOST_LOST_TOUCHES} touches of the idle screen did not lead to Home")

    def _touches(self) -> dict[str, Any]:
        """Home and help, in turns."""
        touch_ms, change_ms = [], []
        for number in range(TOUCHES):
            name, kind = ("back", "Choice") if number % 2 else ("bar:help", "Notice")
            down_ms, touched_s, changed_s = self._touch(name, kind)
            touch_ms.append(down_ms)
            change_ms.append((changed_s - touched_s) * 1000)
        self._touch("bar:leave", "Idle")
        return {"touch_ms": touch_ms, "change_ms": change_ms}

    def _touch(self, name: str, kind: str) -> tuple[float, float, float]:
        """Milliseconds from the finger's coming down to its frame; when it left; when that kind of view was there."""
        from screens import touch

        pause()
        place = self._kiosk.face.find(name)
        down_s = time.monotonic()
        touch.down(*place)
        down_ms = (self._frames.after_s(down_s) - down_s) * 1000
        pause(0.1)
        up_s = time.monotonic()
        touch.up(*place)
        return down_ms, up_s, self._frames.after_s(up_s, showing(kind))

    def _cards(self) -> list[float]:
        from kiosk.demo.village import demo_cards

        reader, card, greeted_ms = self._kiosk.devices["card_reader"], demo_cards()["budi"], []
        for _ in range(CARDS):
            pause()
            tapped_s = time.monotonic()
            reader.tap(card)
            greeted_ms.append((self._frames.after_s(tapped_s, showing("Keypad")) - tapped_s) * 1000)
            reader.remove()
            pause(2.0)  # longer than the same card is taken for one that was never away
            self._touch("bar:leave", "Idle")
        return greeted_ms

    def _tickets(self) -> list[float]:
        """When the finger left the service's button."""
        touched_s = []
        for _ in range(TICKETS):
            self._touch("start", "Choice")
            queue_s = self._touch("queue", "Choice")[1]
            self._frames.after_s(queue_s, offering("A"))
            touched_s.append(self._touch("A", "Result")[1])
            self._touch("done", "Idle")
        return touched_s


def showing(kind: str) -> Callable[[Any], bool]:
    return lambda scene: scene is not None and type(scene.view).__name__ == f"{kind}View"


def offering(value: str) -> Callable[[Any], bool]:
    return lambda scene: any(choice.value == value for choice in getattr(scene.view, "choices", ()))


def pss_mib(process: int | str, field: str = "Pss") -> float:
    """Of one process, by the kernel's own sum."""
    with open(f"/proc/{process}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith(f"{field}:")) / 1024


if __name__ == "__main__":
    what, *more = sys.argv[1:]
    if what == "kiosk":
        kiosk(float(more[0]), more[1], float(more[2]) if len(more) > 2 else None)
    else:
        bare(float(more[0]) if what == "bare-touched" else None)
