"""Kivy's window, set up for an appliance: fixed settings, a named video driver, a loop that sleeps until it is needed.

Kivy reads its settings while it is imported, so `prepare` comes before every other Kivy import of the process.
"""

import ctypes
import importlib.resources
import logging
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

VIDEO_DRIVERS = ("KMSDRM", "x11", "offscreen")
# A signal handler runs only between two bytecodes, and SDL looks at its devices only when asked: both within a second.
LONGEST_SLEEP_S = 1.0
_USER_EVENT = 0x8000
_POLL_SENTINEL = 0x7F00  # SDL's own end mark, pushed by each poll: waking on it would never sleep
_EVENT_BYTES = 56  # sizeof(SDL_Event)

log = logging.getLogger(__name__)


class WindowUnusable(RuntimeError):
    """The screen or its touch device cannot be used as asked; the message says why."""


@dataclass(frozen=True)
class WindowSettings:
    """Pixels of the screen and how to get at it. `touch_device` is read on KMSDRM only, where SDL hears no touch;
    `left_px` is where a window on a desktop begins."""

    width_px: int
    height_px: int
    fullscreen: bool
    video_driver: str
    touch_device: str = "/dev/input/touchscreen"
    left_px: int = 0


def prepare(settings: WindowSettings) -> None:
    """Sets the environment and Kivy's configuration. Raises WindowUnusable for an unknown driver or a touch device that
    cannot be read, and RuntimeError where a Kivy window was imported before."""
    if settings.video_driver not in VIDEO_DRIVERS:
        raise WindowUnusable(f"video driver {settings.video_driver!r} is not one of {', '.join(VIDEO_DRIVERS)}")
    if "kivy.core.window" in sys.modules:
        raise RuntimeError("prepare() must run before Kivy's window is imported")
    os.environ.update(
        KIVY_NO_ARGS="1",
        KIVY_NO_CONFIG="1",
        KIVY_NO_FILELOG="1",
        KIVY_NO_ENV_CONFIG="1",
        KIVY_LOG_MODE="PYTHON",
        KIVY_WINDOW="sdl2",
        KIVY_IMAGE="sdl2",
        KIVY_TEXT="sdl2",
        SDL_VIDEODRIVER=settings.video_driver,
    )
    import kivy

    # The stock style.kv costs 32 ms to parse and styles widgets that are not used here. The shaders stay Kivy's own,
    # which is why the environment variable KIVY_DATA_DIR does not do.
    data = importlib.resources.files("screens") / "data"
    kivy.kivy_data_dir = str(data)
    from kivy.config import Config

    from config.fonts import font_path

    graphics = {
        "multisamples": 0,
        "width": settings.width_px,
        "height": settings.height_px,
        "fullscreen": int(settings.fullscreen),
        "borderless": int(settings.fullscreen),
        "position": "custom",
        "left": settings.left_px,
        "top": 0,
        "resizable": 0,
        "allow_screensaver": 0,
        "maxfps": 0,  # the loop below paces itself
        "show_cursor": int(settings.video_driver == "x11" and not settings.fullscreen),
    }
    for key, value in graphics.items():
        Config.set("graphics", key, value)
    regular, bold = font_path("regular"), font_path("bold")
    Config.set("kivy", "default_font", ["Noto Sans", regular, regular, bold, bold])
    Config.set("kivy", "exit_on_escape", 0)
    Config.set("kivy", "window_icon", str(data / "window.png"))
    Config.remove_section("input")
    Config.add_section("input")
    if settings.video_driver == "KMSDRM":
        _require_readable(settings.touch_device)
        _register_waking_mtdev()
        Config.set("input", "touch", f"waking_mtdev,{settings.touch_device}")
    else:
        Config.set("input", "touch", "mouse,disable_multitouch")


def _require_readable(device: str) -> None:
    if not os.access(device, os.R_OK):
        raise WindowUnusable(f"touch device {device} is missing or may not be read")


def _register_waking_mtdev() -> None:
    """Kivy's mtdev provider queues touches on its own thread and wakes nobody."""
    from kivy.input.factory import MotionEventFactory
    from kivy.input.providers.mtdev import MTDMotionEventProvider

    class WakingQueue(deque):
        def append(self, item: object) -> None:
            super().append(item)
            wake()

    class WakingMtdev(MTDMotionEventProvider):
        def _thread_run(self, **kwargs: object) -> None:
            self.queue = kwargs["queue"] = WakingQueue()
            super()._thread_run(**kwargs)

    MotionEventFactory.register("waking_mtdev", WakingMtdev)


@cache
def sdl() -> ctypes.CDLL:
    """The SDL2 that Kivy has loaded (the wheel's or the system's). Raises WindowUnusable before there is one."""
    with open("/proc/self/maps") as maps:
        for line in maps:
            path = line.rstrip().rpartition(" ")[2]
            if "/libSDL2-2" in path:
                return ctypes.CDLL(path)
    raise WindowUnusable("SDL2 is not loaded: Kivy's window could not be imported")


def wake() -> None:
    """Ends the loop's sleep. Any thread; does nothing while no loop is there."""
    if _loop is not None:
        _loop.wake()


_loop: "Loop | None" = None


class Loop:
    """Kivy's main loop without its polling: it sleeps until touch, a due Clock event or `call` from another thread.

    On X11 it sleeps in SDL's own wait. The other drivers have none (SDL would poll each millisecond), so there it waits
    on an eventfd, which an event watch writes whenever any thread pushes an SDL event.
    """

    def __init__(
        self, settings: WindowSettings, on_frame: Callable[[], None], on_error: Callable[[BaseException], None]
    ) -> None:
        import kivy.core.window  # noqa: F401, the import makes the window
        from kivy.base import EventLoop
        from kivy.clock import Clock

        if EventLoop.window is None:
            raise WindowUnusable(f"SDL opened no window on {settings.video_driver}: no display, or no right to it")
        self._event_loop, self._clock, self.window = EventLoop, Clock, EventLoop.window
        self._on_frame, self._on_error = on_frame, on_error
        self._calls: deque[Callable[[], None]] = deque()
        self._sdl = sdl()
        self._require_driver(settings.video_driver)
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        # Other threads live longer than the loop, and must not write to the file that gets its descriptor's number.
        self._ending = threading.Lock()
        self._ended = False
        self._poll = select.poll()
        self._poll.register(self._wake_fd, select.POLLIN)
        self._sdl_waits = settings.video_driver == "x11"
        # On KMSDRM the first frame shows only once a second one is drawn.
        self._frames_to_force = 1 if settings.video_driver == "KMSDRM" else 0
        self._watch = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(self._event_was_pushed)
        self._flip = self.window.flip
        self.window.flip = self._flip_and_tell

    def _require_driver(self, asked: str) -> None:
        """SDL falls back to another driver in silence, and the kiosk would run on, black."""
        self._sdl.SDL_GetCurrentVideoDriver.restype = ctypes.c_char_p
        current = (self._sdl.SDL_GetCurrentVideoDriver() or b"none").decode()
        if current.lower() != asked.lower():
            raise WindowUnusable(f"asked SDL for video driver {asked}, got {current}: no display, or no right to it")

    def call(self, function: Callable[[], None]) -> bool:
        """Runs it soon on the loop's thread; False where the loop has ended, and never will. Any thread."""
        with self._ending:
            if self._ended:
                return False
            self._calls.append(function)
        self.wake()
        return True

    def wake(self) -> None:
        if self._sdl_waits:
            event = (ctypes.c_uint8 * _EVENT_BYTES)()
            ctypes.c_uint32.from_buffer(event).value = _USER_EVENT
            self._sdl.SDL_PushEvent(event)
        else:
            self._ring()

    def _ring(self) -> None:
        with self._ending:
            if not self._ended:
                os.eventfd_write(self._wake_fd, 1)

    def run(self) -> None:
        """Blocks until `stop`. Exceptions of callbacks go to `on_error`, and the loop runs on."""
        global _loop
        from kivy.base import runTouchApp, stopTouchApp

        runTouchApp(embedded=True)
        if not self._sdl_waits:
            self._sdl.SDL_AddEventWatch(self._watch, None)
        _loop = self
        try:
            while not self._event_loop.quit and self._event_loop.status == "started":
                try:
                    self._turn()
                except Exception as error:
                    self._on_error(error)
        finally:
            _loop = None
            if not self._sdl_waits:
                self._sdl.SDL_DelEventWatch(self._watch, None)
            with self._ending:
                self._ended = True
                os.close(self._wake_fd)
            self._run_calls()  # whoever asked before the end gets an answer
            stopTouchApp()

    def stop(self) -> None:
        """Any thread."""
        self.call(self._quit)

    def _quit(self) -> None:
        self._event_loop.quit = True

    def _turn(self) -> None:
        self._sleep()
        self.window.mainloop()  # reads SDL's events
        self._event_loop.dispatch_input()  # a touch belongs to what was shown when it came, so it goes before the calls
        self._run_calls()
        self._event_loop.idle()  # due Clock events, the frame where something changed

    def _run_calls(self) -> None:
        for _ in range(len(self._calls)):
            try:
                self._calls.popleft()()
            except Exception as error:
                self._on_error(error)

    def _sleep(self) -> None:
        due_s = self._clock.get_min_timeout() - self._clock.time()
        sleep_ms = int(max(0.0, min(due_s, LONGEST_SLEEP_S)) * 1000 + 0.999)
        if self._calls or self.window.canvas.needs_redraw:
            sleep_ms = 0
        if self._sdl_waits:
            self._sdl.SDL_WaitEventTimeout(None, sleep_ms)
        elif self._poll.poll(sleep_ms):
            os.eventfd_read(self._wake_fd)

    def _event_was_pushed(self, _user_data: int, event: int) -> int:
        if ctypes.c_uint32.from_address(event).value != _POLL_SENTINEL:
            self._ring()
        return 0

    def _flip_and_tell(self) -> None:
        self._flip()
        if self._frames_to_force:
            self._frames_to_force -= 1
            self.window.canvas.ask_update()
        self._on_frame()
