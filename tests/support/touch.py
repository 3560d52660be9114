"""A finger and an eye for tests: taps at real positions, pictures awaited rather than slept for."""

import time
from collections.abc import Callable

from screens import touch
from screens.face import Face


def tap(face: Face, value: str) -> None:
    """Touches the middle of the target with that name, through SDL's event queue."""
    touch.tap(*face.find(value))


def tap_all(face: Face, values: str, prefix: str = "key:") -> None:
    """Taps keys one after the other; waits out the double-strike guard where one repeats."""
    last = ""
    for value in values:
        if value == last:
            time.sleep(0.6)  # the guard is measured in time, so the finger must wait as a real one would
        tap(face, prefix + value)
        last = value


def wait_for(condition: Callable[[], object], deadline_s: float = 5.0) -> object:
    """The first true value of the condition. Raises TimeoutError."""
    end_s = time.monotonic() + deadline_s
    while time.monotonic() < end_s:
        if value := condition():
            return value
        time.sleep(0.01)
    raise TimeoutError("it did not come true in time")
