"""The face of the kiosk: draws scenes, turns touches into intents. Everything public may be called from any thread.

Only what the idle screen needs is imported with this module; the other screens follow one by one once it is shown.
"""

import gc
import importlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from kiosk.intents import Intent, StillHere
from kiosk.traces import trace_of
from kiosk.views import (
    ChoiceView,
    ColourView,
    DateView,
    FormView,
    IdleView,
    KeypadView,
    NoticeView,
    NumberView,
    PhotoView,
    PresentCardView,
    ProgressView,
    ResultView,
    ReviewView,
    ScanView,
    Scene,
    TouchGridView,
    Warning,
)
from screens.theme import Theme
from screens.window import Loop, WindowSettings, prepare

SCREENS = {
    IdleView: ("screens.idle", "IdleScreen"),
    ChoiceView: ("screens.choice", "ChoiceScreen"),
    PresentCardView: ("screens.present_card", "PresentCardScreen"),
    KeypadView: ("screens.keypad", "KeypadScreen"),
    FormView: ("screens.form", "FormScreen"),
    NumberView: ("screens.number", "NumberScreen"),
    DateView: ("screens.number", "DateScreen"),
    ScanView: ("screens.scan", "ScanScreen"),
    PhotoView: ("screens.photo", "PhotoScreen"),
    ProgressView: ("screens.progress", "ProgressScreen"),
    ReviewView: ("screens.review", "ReviewScreen"),
    ResultView: ("screens.result", "ResultScreen"),
    NoticeView: ("screens.notice", "NoticeScreen"),
    TouchGridView: ("screens.touch_grid", "TouchGridScreen"),
    ColourView: ("screens.colour", "ColourScreen"),
}
ALIVE_EVERY_S = 3.0
WARM_EVERY_S = 0.05
COLLECT_AFTER_S = 0.2  # out of the way of the touch that changed the scene
ANSWER_WITHIN_S = 10.0

log = logging.getLogger(__name__)


class FaceBusy(RuntimeError):
    """The window's thread did not answer in time, or does not run."""


@dataclass(frozen=True)
class FaceSettings:
    """The glass: pixels, pixels per inch, SDL's video driver ("KMSDRM", "x11", "offscreen"); KMSDRM's touch device.
    `heartbeat_s` draws a frame at least that often, for a watchdog that is fed by frames."""

    width_px: int
    height_px: int
    ppi: float
    fullscreen: bool
    video_driver: str
    village_name: str
    languages: tuple[str, ...] = ("id", "jv", "en")
    touch_device: str = "/dev/input/touchscreen"
    heartbeat_s: float | None = None

    def window(self) -> WindowSettings:
        return WindowSettings(self.width_px, self.height_px, self.fullscreen, self.video_driver, self.touch_device)


@dataclass
class _Answer:
    done: threading.Event = field(default_factory=threading.Event)
    value: Any = None
    error: BaseException | None = None


class Face:
    """Made on the main thread, before any Kivy window. `post` gets each intent; `on_started` is called once, after the
    first frame is on the glass; `on_frame` after each; `on_error` with every exception of drawing or of a touch, and
    the window runs on. All are called on the window's thread and must not block it.

    Raises WindowUnusable when the video driver or the touch device is not what was asked.
    """

    def __init__(
        self,
        settings: FaceSettings,
        post: Callable[[Intent], None],
        on_started: Callable[[], None],
        on_frame: Callable[[], None] | None = None,
        on_error: Callable[[BaseException], None] | None = None,
    ) -> None:
        prepare(settings.window())
        self._settings = settings
        self._post_intent, self._on_started = post, on_started
        self._frame_told, self._error_told = on_frame, on_error
        self._theme = Theme(settings.width_px, settings.height_px, settings.ppi)
        self._screens: dict[type, Any] = {}
        self._shown: Any = None
        self._scene: Scene | None = None
        self._warning: Warning | None = None
        self._frame: tuple[int, int, bytes] | None = None  # the newest, until it is drawn
        self._frame_lock = threading.Lock()
        self._alive_s = float("-inf")
        self._is_started = False
        self._loop = Loop(settings.window(), self._frame_drawn, self._failed)
        self._build()

    def _build(self) -> None:
        from kivy.clock import Clock

        from screens.chrome import Chrome
        from screens.root import Root
        from screens.theme import PAPER
        from screens.warning import WarningOverlay

        self._clock = Clock
        self._collect_soon = Clock.create_trigger(self._collect, COLLECT_AFTER_S)
        window = self._loop.window
        window.clearcolor = PAPER
        self._chrome = Chrome(self._settings.village_name, self._settings.languages, self._post)
        self._overlay = WarningOverlay(self._still_here)
        self._root = Root(self._theme)
        self._root.add_widget(self._chrome)
        window.add_widget(self._root)

    # From any thread.

    def run(self) -> None:
        """Blocks the main thread until `stop`."""
        if self._settings.heartbeat_s is not None:
            self._clock.schedule_interval(self._heartbeat, self._settings.heartbeat_s)
        self._loop.run()

    def stop(self) -> None:
        self._loop.stop()

    def show(self, scene: Scene) -> None:
        self._loop.call(lambda: self._show(scene))

    def show_frame(self, width_px: int, height_px: int, rgb: bytes) -> None:
        """What a camera sees now, where the scene is a `PhotoView` without a photo: bytes of red, green and blue from
        the upper left corner. Frames that come faster than they can be drawn are passed over."""
        with self._frame_lock:
            waits, self._frame = self._frame is not None, (width_px, height_px, rgb)
        if not waits:
            self._loop.call(self._show_frame)

    def warn(self, warning: Warning | None) -> None:
        """Asks «Anda masih di sini?» over the scene, or takes the question away."""
        self._loop.call(lambda: self._warn(warning))

    def picture(self, path: str) -> None:
        """Writes a PNG of what is shown. Not from the window's thread. Raises FaceBusy when it does not answer."""
        from PIL import Image

        size, pixels = self._ask(self._read_pixels)
        Image.frombytes("RGBA", size, pixels).transpose(Image.Transpose.FLIP_TOP_BOTTOM).convert("RGB").save(path)

    def targets(self) -> dict[str, tuple[int, int, int, int]]:
        """What can be touched now: its name → (x, y, width, height), pixels from the window's upper left corner. Names
        are the values of choices; "start"; "bar:back", "bar:leave", "bar:help", "bar:larger_text", "bar:listen",
        "bar:language:id"; "page:next", "page:previous"; "key:a" … "key:ok", "key:backspace"; "suggestion:…", "type";
        "still_here". Not from the window's thread. Raises FaceBusy when the window does not answer."""
        return self._ask(self._list_targets)

    def texts(self) -> list[str]:
        """The words on the glass, each piece as it is drawn. Not from the window's thread. Raises FaceBusy when the
        window does not answer."""
        return self._ask(self._list_texts)

    def marks(self) -> list[str]:
        """What is shown: the kind of view, "view:choice"; its language, "language:jv"; "text:large" or "text:normal";
        "voice:on" or "voice:off"; of a field which question, "field:2"; and "picture" where a camera's is drawn."""
        return self._ask(self._list_marks)

    def find(self, value: str) -> tuple[int, int]:
        """The middle of that target. Raises KeyError where it is not shown."""
        x, y, width, height = self.targets()[value]
        return x + width // 2, y + height // 2

    def ask(self, function: Callable[[], Any]) -> Any:
        """What the function returns or raises when run on the window's thread, after all that was asked before."""
        return self._ask(function)

    def _ask(self, function: Callable[[], Any]) -> Any:
        answer = _Answer()

        def work() -> None:
            try:
                answer.value = function()
            except BaseException as error:
                answer.error = error
            finally:
                answer.done.set()

        if not self._loop.call(work):
            raise FaceBusy("the window has been closed")
        if not answer.done.wait(ANSWER_WITHIN_S):
            raise FaceBusy(f"the window did not answer within {ANSWER_WITHIN_S:.0f} s")
        if answer.error is not None:
            raise answer.error
        return answer.value

    # On the window's thread.

    def _show(self, scene: Scene) -> None:
        try:
            self._draw(scene)
        except Exception:
            # A half-drawn screen must not be touched, and may hold the visitor's data.
            if self._shown is not None:
                self._shown.leave()
            raise

    def _show_frame(self) -> None:
        with self._frame_lock:
            frame, self._frame = self._frame, None
        if self._shown is not None:
            self._shown.show_frame(*frame)

    def _draw(self, scene: Scene) -> None:
        theme = self._theme.with_large_text(scene.large_text)
        screen = self._screen(type(scene.view))
        if self._shown is not None and (screen is not self._shown or scene.fresh):
            self._shown.leave()
        if screen is not self._shown:
            if self._shown is not None:
                self._root.remove_widget(self._shown)
            self._root.add_widget(screen, index=len(self._root.children))
            self._shown = screen
        self._scene = scene
        with_top = not (theme.compact and screen.hides_top_on_compact)
        if screen.covers_panel:
            self._chrome.hide()
        else:
            self._chrome.show(scene, theme, with_top)
        screen.show(scene, theme, self._area(scene, theme, with_top, screen.covers_panel))
        self._collect_soon()
        if self._warning is not None:
            self._overlay.show(self._warning.seconds_left, scene.language, theme)

    def _area(self, scene: Scene, theme: Theme, with_top: bool, whole: bool) -> Any:
        from screens.box import Box
        from screens.chrome import bottom_h, top_h

        area = Box(0, 0, theme.width_px, theme.height_px)
        if whole:
            return area
        area.cut_bottom(bottom_h(theme, scene))
        if with_top:
            area.cut_top(top_h(theme))
        if isinstance(scene.view, IdleView):
            return area
        return area.inset(theme.margin, theme.margin if theme.portrait else theme.px(2.5))

    def _screen(self, kind: type) -> Any:
        if kind not in self._screens:
            module, name = SCREENS[kind]
            self._screens[kind] = getattr(importlib.import_module(module), name)(self._post, self._alive)
        return self._screens[kind]

    def _warm(self, _dt: float) -> None:
        """Imports one more screen, so that the first touch need not."""
        missing = [kind for kind in SCREENS if kind not in self._screens]
        if missing:
            self._screen(missing[0])
            self._clock.schedule_once(self._warm, WARM_EVERY_S)
        else:
            gc.collect()
            gc.freeze()  # what is there now stays, and need not be looked at after each scene

    def _collect(self, _dt: float) -> None:
        """Kivy's widgets are full of cycles: the last scene and the visitor's data in it go now, not some day.
        Mesa keeps deleted textures until the pipeline is finished; without that, 100 MiB of them gather."""
        from kivy.graphics.context import get_context
        from kivy.graphics.opengl import glFinish

        gc.collect()
        get_context().gl_dealloc()  # else only at the next tick
        glFinish()

    def _warn(self, warning: Warning | None) -> None:
        self._warning = warning
        if warning is None or self._scene is None:
            self._root.remove_widget(self._overlay)
            return
        theme = self._theme.with_large_text(self._scene.large_text)
        self._overlay.show(warning.seconds_left, self._scene.language, theme)
        if self._overlay.parent is None:
            self._root.add_widget(self._overlay)

    def _still_here(self) -> None:
        self._post(StillHere)
        self._warn(None)

    def _post(self, kind: type[Intent], *values: object) -> None:
        if self._scene is not None:
            self._post_intent(kind(self._scene.serial, *values))

    def _alive(self) -> None:
        if monotonic() - self._alive_s >= ALIVE_EVERY_S:
            self._alive_s = monotonic()
            self._post(StillHere)

    def _frame_drawn(self) -> None:
        if self._frame_told is not None:
            self._frame_told()
        if not self._is_started:
            self._is_started = True
            self._on_started()
            self._clock.schedule_once(self._warm, WARM_EVERY_S)

    def _failed(self, error: BaseException) -> None:
        log.error("drawing or touch failed: %s", trace_of(error))
        if self._error_told is not None:
            self._error_told(error)

    def _heartbeat(self, _dt: float) -> None:
        self._loop.window.canvas.ask_update()

    def _read_pixels(self) -> tuple[tuple[int, int], bytes]:
        from kivy.graphics.opengl import GL_RGBA, GL_UNSIGNED_BYTE, glReadPixels

        window = self._loop.window
        window.dispatch("on_draw")
        width, height = window.size
        # RGBA: rows of RGB are padded to four bytes, and a width such as 1366 comes out skewed.
        return (width, height), glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE)

    def _list_marks(self) -> list[str]:
        if self._scene is None:
            return []
        view = self._scene.view
        kind = type(view).__name__.removesuffix("View").lower()
        size = "large" if self._scene.large_text else "normal"
        voice = "on" if self._scene.listens else "off"
        language = self._scene.language
        field = [f"field:{view.progress[0]}"] if isinstance(view, FormView | NumberView | DateView) else []
        picture = ["picture"] if self._shown is not None and self._shown.has_picture else []
        return [f"view:{kind}", f"language:{language}", f"text:{size}", f"voice:{voice}", *field, *picture]

    def _list_texts(self) -> list[str]:
        from screens.widgets import Text

        return [widget.shown for widget in self._root.walk() if isinstance(widget, Text) and widget.shown]

    def _list_targets(self) -> dict[str, tuple[int, int, int, int]]:
        from screens.widgets import Button

        root = self._overlay if self._overlay.parent is not None else self._root
        buttons = [widget for widget in root.walk() if isinstance(widget, Button)]
        height = self._theme.height_px
        return {button.value: (button.box.x, height - button.box.top, button.box.w, button.box.h) for button in buttons}
