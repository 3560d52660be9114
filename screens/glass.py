"""The kiosk's screen as the bench sees and touches it."""

import queue
import threading
import time

from screens.face import Face
from screens.touch import tap
from screens.widgets import DOUBLE_STRIKE_S, SAME_PLACE_MM

#: Two touches at one place are further apart than an unsteady hand's, also where drawing held the first one up.
SAME_PLACE_S = 2 * DOUBLE_STRIKE_S


class Glass:
    """A finger with a thread of its own, which waits between two touches at the same place as a person would."""

    def __init__(self, face: Face, ppi: float) -> None:
        self._face = face
        self._same_place_px = SAME_PLACE_MM * ppi / 25.4
        self._spots: queue.SimpleQueue[tuple[int, int] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._move, name="finger", daemon=True)
        self._thread.start()

    def targets(self) -> dict[str, tuple[int, int, int, int]]:
        """What can be touched; and, nowhere, what is shown: «view:choice», «language:jv», «text:large»."""
        return {**dict.fromkeys(self._face.marks(), (0, 0, 0, 0)), **self._face.targets()}

    def texts(self) -> list[str]:
        return self._face.texts()

    def picture(self, path: str) -> None:
        self._face.picture(path)

    def tap(self, x: int, y: int) -> None:
        self._spots.put((x, y))

    def close(self) -> None:
        self._stopping.set()
        self._spots.put(None)
        self._thread.join(2.0)

    def _move(self) -> None:
        last, last_s = (0, 0), float("-inf")
        while (spot := self._spots.get()) is not None:
            if all(abs(a - b) <= self._same_place_px for a, b in zip(spot, last, strict=True)):
                self._stopping.wait(max(0.0, last_s + SAME_PLACE_S - time.monotonic()))
            tap(*spot)
            last, last_s = spot, time.monotonic()
