"""Saves the work of decoding frames in which nothing happens.

Looking for a code that is not there is the dearest case of all (zbar: 26 ms at 720p on a server core), and a waiting
kiosk sees nothing else. A frame is worth decoding while something moves and for a moment after it, and a glance (a
tenth of the work) once in a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

#: Frames stay worth decoding so long after the last motion: a hard code held still needs several tries.
AFTER_MOTION_S = 1.5
#: A still view is glanced at this often all the same. Shorter than SAME_SHOWING_S, so that a code left lying stays one
#: showing.
STILL_TRY_S = 1.5
#: A pixel of the small picture has changed when it differs by more (grey levels of 255) ...
_CHANGE_LEVELS = 8
#: ... and the view when more pixels of it have (of 4 800): about a tenth of a code that is 20 mm wide.
_CHANGED_PIXELS = 24
_SMALL_PX = (80, 60)


class MotionGate:
    """Tells frame by frame whether it is worth decoding.

    is_still: nothing has moved for AFTER_MOTION_S, so that a frame which is let pass is worth a glance.
    """

    def __init__(self) -> None:
        self.is_still = False
        self._reference: numpy.ndarray | None = None
        self._moved_at_s = -AFTER_MOTION_S
        self._passed_at_s = -STILL_TRY_S

    def lets_pass(self, grey: numpy.ndarray, now_s: float) -> bool:
        """`grey` is uint8, height × width; `now_s` is on the monotonic clock."""
        if self._moved(grey):
            self._moved_at_s = now_s
        self.is_still = now_s - self._moved_at_s >= AFTER_MOTION_S
        passes = not self.is_still or now_s - self._passed_at_s >= STILL_TRY_S
        if passes:
            self._passed_at_s = now_s
        return passes

    def _moved(self, grey: numpy.ndarray) -> bool:
        """Compared with the view after the last motion, not with the last frame: a slow hand adds up too."""
        import cv2
        import numpy

        small = cv2.resize(grey, _SMALL_PX, interpolation=cv2.INTER_AREA).astype(numpy.int16)
        if self._reference is not None:
            change = small - self._reference
            # The whole view getting lighter or darker is the camera's exposure or a cloud, not a code.
            change -= numpy.int16(numpy.median(change))
            if numpy.count_nonzero(numpy.abs(change) > _CHANGE_LEVELS) <= _CHANGED_PIXELS:
                return False
        self._reference = small
        return True
