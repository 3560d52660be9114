"""The one queue that everything outside the visit ends in."""

import queue
from typing import Any


class FrameDrawn:
    """The window drew a frame. Posted only where a watchdog wants a sign of life."""


class Bus:
    """Many threads post, one consumer gets. Never blocks a poster."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def post(self, event: Any) -> None:
        self._events.put(event)

    def get(self, timeout_s: float | None) -> Any | None:
        """The next event, or None when `timeout_s` passed without one."""
        try:
            return self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None
