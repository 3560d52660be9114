"""A finger for stories that are played without hands: SDL's own queue, the way that a real touch comes in."""

import ctypes

from screens.window import sdl, wake

_MOUSE_MOTION, _MOUSE_DOWN, _MOUSE_UP = 0x400, 0x401, 0x402
_LEFT = 1


class _MouseEvent(ctypes.Structure):
    """SDL_MouseButtonEvent and SDL_MouseMotionEvent, which differ in the four bytes before the place."""

    _fields_ = [
        ("type", ctypes.c_uint32),
        ("timestamp", ctypes.c_uint32),
        ("windowID", ctypes.c_uint32),
        ("which", ctypes.c_uint32),
        ("button", ctypes.c_uint8),
        ("state", ctypes.c_uint8),
        ("clicks", ctypes.c_uint8),
        ("padding", ctypes.c_uint8),
        ("x", ctypes.c_int32),
        ("y", ctypes.c_int32),
        ("rest", ctypes.c_uint8 * 32),  # the union SDL_Event has 56 bytes
    ]


def down(x: int, y: int) -> None:
    """The finger touches the glass; pixels from the window's upper left corner. Any thread."""
    _push(_MOUSE_DOWN, x, y)


def slide(x: int, y: int) -> None:
    """The finger that is down moves there."""
    _push(_MOUSE_MOTION, x, y)


def up(x: int, y: int) -> None:
    """The finger leaves the glass there; it slid if it came down elsewhere."""
    _push(_MOUSE_MOTION, x, y)
    _push(_MOUSE_UP, x, y)


def tap(x: int, y: int) -> None:
    down(x, y)
    up(x, y)


def _push(kind: int, x: int, y: int) -> None:
    event = _MouseEvent(type=kind, button=_LEFT, state=int(kind == _MOUSE_DOWN), clicks=1, x=x, y=y)
    if sdl().SDL_PushEvent(ctypes.byref(event)) != 1:
        raise RuntimeError("SDL did not take the touch: its queue is full or closed")
    wake()  # SDL tells the loop of an event before it is in the queue: the loop may have looked too early
