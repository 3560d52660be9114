"""A vendor's program that reads a card: started, given a deadline, and believed in nothing."""

import os
import selectors
import signal
import subprocess
import threading
import time
from typing import IO

from hardware.card_reader.interface import BiodataError

#: Biodata is some hundred bytes.
LONGEST_OUTPUT_BYTES = 16_384


class CardProgram:
    """`command` without a shell: nothing about the card is on its command line, where every user could see it. Its
    standard error is not kept, because it may hold what was read."""

    def __init__(self, command: list[str], timeout_s: float) -> None:
        self._command, self._timeout_s = command, timeout_s
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen | None = None

    def run(self) -> bytes:
        """Its standard output, within the time-out. Raises BiodataError."""
        deadline_s = time.monotonic() + self._timeout_s
        if not self._one_at_a_time.acquire(timeout=self._timeout_s):
            raise BiodataError("BIODATA-TIMEOUT", "the program is at work on an earlier card")
        try:
            return self._run(deadline_s)
        finally:
            self._one_at_a_time.release()

    def kill(self) -> None:
        """End a `run` that is under way; from any thread."""
        process = self._process
        if process is not None:
            process.kill()

    def _run(self, deadline_s: float) -> bytes:
        try:
            self._process = process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # so that all it started ends with it
            )
        except OSError as error:
            raise BiodataError("BIODATA-NO-PROGRAM", error.strerror or "") from error
        try:
            output = _read(process.stdout, deadline_s)
            status = process.wait(max(0.0, deadline_s - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise BiodataError("BIODATA-TIMEOUT", "the program did not end") from error
        finally:
            if process.returncode is None:  # not yet waited for, so the number is still its own
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            process.stdout.close()
            self._process = None
        if status != 0:
            raise BiodataError("BIODATA-PROGRAM-FAILED", f"exit status {status}")
        return output


def _read(stream: IO[bytes], deadline_s: float) -> bytes:
    output = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while len(output) <= LONGEST_OUTPUT_BYTES:
            if not selector.select(max(0.0, deadline_s - time.monotonic())):
                raise BiodataError("BIODATA-TIMEOUT", "the program did not end its output")
            piece = os.read(stream.fileno(), LONGEST_OUTPUT_BYTES)
            if not piece:
                return output
            output += piece
    raise BiodataError("BIODATA-TOO-LONG", f"more than {LONGEST_OUTPUT_BYTES} bytes")
