"""What the drivers of this folder share: when a code that was read is told, and when it is not."""

import threading
import time

from hardware.code_scanner.interface import LONGEST_PAYLOAD, SAME_SHOWING_S, CodeScanned, CodeScanner, CodeUnreadable

ABSENT = "SCANNER-ABSENT"
NO_PERMISSION = "SCANNER-NO-PERMISSION"
TOO_LONG = "SCANNER-TOO-LONG"
HALF_CODE = "SCANNER-HALF-CODE"


#: No hand shows more codes than this within SAME_SHOWING_S: a scanner that reads more is broken, or fed by a program.
MOST_SHOWN = 8


class Listening:
    """One stretch of listening. What was read in an earlier one belongs to an earlier visitor and is dropped; so is
    the memory of what was shown in it."""

    def __init__(self) -> None:
        self._seen_at_s: dict[bytes | str, float] = {}

    def is_new_showing(self, what: bytes | str, now_s: float) -> bool:
        """`what` is seen now; was it out of view before? Seeing it prolongs its showing. Of a flood it is not even
        looked at."""
        self._seen_at_s = {seen: at_s for seen, at_s in self._seen_at_s.items() if now_s - at_s < SAME_SHOWING_S}
        is_new = what not in self._seen_at_s
        if is_new and len(self._seen_at_s) == MOST_SHOWN:
            return False
        self._seen_at_s[what] = now_s
        return is_new


class ListeningScanner(CodeScanner):
    """A driver notes `self._listening` before it reads, and gives it back with what it read to `_tell_code` or
    `_tell_unreadable`. Between its looks at the world it calls `_rest`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._listening: Listening | None = None
        self._telling = threading.Lock()
        self._wake = threading.Event()

    def listen(self, on: bool) -> None:
        """Once `listen(False)` has returned, nothing more is told."""
        with self._telling:
            if on != (self._listening is not None):
                self._listening = Listening() if on else None
        self._wake.set()

    def _interrupt(self) -> None:
        self._wake.set()

    def _rest(self, timeout_s: float | None = None) -> None:
        """Until there is something new to do, so at once when it came since the last rest."""
        self._wake.wait(timeout_s)
        self._wake.clear()

    def _tell_code(self, payload: bytes, read_in: Listening | None) -> None:
        if len(payload) > LONGEST_PAYLOAD:
            self._tell_unreadable(TOO_LONG, read_in)
        elif payload:
            self._tell(payload, CodeScanned(self.name, payload), read_in)

    def _tell_unreadable(self, code: str, read_in: Listening | None) -> None:
        self._tell(code, CodeUnreadable(self.name, code), read_in)

    def _tell(self, what: bytes | str, event: CodeScanned | CodeUnreadable, read_in: Listening | None) -> None:
        """Post `event` unless it is the same showing still, or nobody listens any more."""
        with self._telling:
            if read_in is None or read_in is not self._listening:
                return
            if read_in.is_new_showing(what, time.monotonic()):
                self._post(event)
