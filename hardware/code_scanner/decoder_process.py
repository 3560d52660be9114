"""Strangers' pictures are looked at in a process of their own, which has nothing and can do nothing.

The decoders, and the libraries that unpack a camera's frames, are the largest body of C in the kiosk that eats what
a stranger holds up; the kiosk holds residents' data and the key to it. So the child is a fresh interpreter (not a
fork: nothing of the kiosk is in its memory) with an empty environment and no descriptor but its socket, confined by
`sandbox.py`. What it can still do is lie about what a code says, as a stranger's code can: a payload is trusted by
nobody before its signature is.

The cut is before the camera, not behind it: the child opens the camera, grabs, gates and decodes, and the kiosk gets
a letter per frame, or a payload. So a hostile camera meets no code of the kiosk's process, which loads neither OpenCV
nor NumPy (9 MB instead of 26), and no frame is copied (0.6 ms at 720p). A look costs about 1 ms more than without a
child (of 16 ms for 720p MJPEG, decoded; all measured by tests/bench/bench_decoding.py).

One child looks for one visitor and dies with that stretch of listening, and with it every frame. The next child waits
for the next visitor, loaded and asleep: 30 MB and no time, for a first look after 0.03 s instead of 0.12 s. On a
machine five times slower that is the difference between at once and too late, as the camera has to open as well.

A child that dies or hangs over a frame is replaced and the frame is dropped, never tried again. Several in a short
time are a FAULT (SCANNER-DECODER), which passes by itself.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hardware.code_scanner.decoder_messages import (
    LONGEST_ANSWER,
    LOOK,
    OPEN,
    PICTURE_SIZE,
    PICTURES,
    Answer,
)
from hardware.code_scanner.decoding import PART_OF_CODE
from hardware.code_scanner.interface import LONGEST_PAYLOAD, Picture
from hardware.code_scanner.listening import ABSENT, Listening, ListeningScanner
from hardware.device import DeviceError, DeviceState

log = logging.getLogger(__name__)

NO_DECODER = "SCANNER-NO-DECODER"
NO_PICAMERA2 = "SCANNER-NO-PICAMERA2"
NOT_CONFINED = "SCANNER-SANDBOX"
DECODER = "SCANNER-DECODER"

#: For the interpreter and the libraries, from a cold SD card.
START_S = 20.0
#: For a camera to open and send its first frame.
OPEN_S = 8.0
#: For a look: a camera that sends nothing is given up after a second (below), and the decoders take tenths of one.
LOOK_S = 4.0
#: For the kernel to take a killed process away.
KILLED_S = 1.0
#: So many lost within this time are a FAULT, until fewer are.
MOST_LOST, LOST_WITHIN_S = 5, 30.0
#: Before the second child; doubled for each further one.
FIRST_PAUSE_S = 0.1

CHILD = ("-m", "hardware.code_scanner.decoder_child")
_PACKAGES = Path(__file__).parents[2]
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "1",  # seconds; OpenCV's own is ten
}
_LONGEST_PAYLOADS = {answer: struct.calcsize(PICTURE_SIZE) for answers, _ in PICTURES.values() for answer in answers}
_LONGEST_PAYLOADS[Answer.CODE] = LONGEST_PAYLOAD
_REFUSALS = {
    Answer.NO_DECODER: NO_DECODER,
    Answer.NO_PICAMERA2: NO_PICAMERA2,
    Answer.UNCONFINED: NOT_CONFINED,
}


@dataclass
class DecoderStatistics:
    """Since the start of the driver."""

    frames: int = 0
    #: Frames that the motion gate let pass to the decoders.
    tries: int = 0
    decoder_errors: int = 0
    #: Processes that died over an order, or answered what is no answer.
    crashes: int = 0
    #: Processes that were killed because they did not answer.
    hangs: int = 0

    def count(self, answer: Answer) -> None:
        self.frames += 1
        self.tries += answer is not Answer.STILL
        self.decoder_errors += answer is Answer.ERROR


class DecoderLost(Exception):
    """The process died, hung or talked nonsense, and is of no more use."""

    def __init__(self, how: str, hung: bool = False) -> None:
        super().__init__(how)
        self.hung = hung


class DecoderProcess:
    """One child. It is killed when the thread that made it ends (`die_with_parent`), so a device's own thread does."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._socket, childs_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with childs_end:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, *CHILD, *arguments],
                    stdin=childs_end,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # a decoder's messages may quote what it read
                    env=_ENVIRONMENT,
                    cwd=_PACKAGES,
                    start_new_session=True,  # an interrupt typed at the kiosk's terminal is not for it
                )
            except OSError:
                self._socket.close()
                raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, order: bytes, timeout_s: float, picture: int | None = None) -> tuple[Answer, bytes]:
        """Give an order (with a picture's descriptor) and await its answer and payload. Raises DecoderLost."""
        try:
            socket.send_fds(self._socket, [order], [] if picture is None else [picture])
        except OSError as error:
            raise DecoderLost("died") from error
        return self.answer(timeout_s)

    def answer(self, timeout_s: float) -> tuple[Answer, bytes]:
        """The next answer. Raises DecoderLost, also when a child says what no answer is."""
        self._socket.settimeout(timeout_s)
        try:
            packet = self._socket.recv(LONGEST_ANSWER)
        except TimeoutError as error:
            raise DecoderLost(f"no answer within {timeout_s:.0f} s", hung=True) from error
        except OSError as error:
            raise DecoderLost("died") from error
        if not packet:
            raise DecoderLost("died")
        return _checked(packet)

    def interrupt(self) -> None:
        """Wake `ask` and `answer`; from any thread."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("the decoding process is gone already")

    def close(self) -> int | None:
        """Kill it; its exit status, negative for a signal, or None when not even that helps (a stuck USB driver)."""
        self._socket.close()
        self._process.kill()
        try:
            return self._process.wait(KILLED_S)
        except subprocess.TimeoutExpired:
            log.error("a decoding process could not be killed")
            return None


def _checked(packet: bytes) -> tuple[Answer, bytes]:
    try:
        answer = Answer(packet[:1])
    except ValueError as error:
        raise DecoderLost("spoke nonsense") from error
    payload = packet[1:]
    if len(payload) > _LONGEST_PAYLOADS.get(answer, 0):
        raise DecoderLost("spoke too long")
    return answer, payload


@contextmanager
def picture_file(content: bytes = b"") -> Iterator[int]:
    """The descriptor of a file in memory that holds `content`, to be handed over."""
    with os.fdopen(os.memfd_create("picture"), "wb", buffering=0) as file:
        file.write(content)
        yield file.fileno()


def _read_picture(size: bytes, largest_px: tuple[int, int], descriptor: int) -> Picture:
    """What the file holds, in a copy that nobody can change any more. Raises DecoderLost where it is no picture of
    that size, or of one that is asked for."""
    try:
        width_px, height_px = struct.unpack(PICTURE_SIZE, size)
    except struct.error as error:
        raise DecoderLost("spoke nonsense") from error
    if not (0 < width_px <= largest_px[0] and 0 < height_px <= largest_px[1]):
        raise DecoderLost("handed over a picture of another size")
    rgb = os.pread(descriptor, 3 * width_px * height_px, 0)
    if len(rgb) != 3 * width_px * height_px:
        raise DecoderLost("handed over half a picture")
    return Picture(width_px, height_px, rgb)


class Decoder:
    """A decoding process that is always there: replaced when it dies, hangs or has looked for long enough.

    `arguments` are those of `decoder_child.py`. `interrupt` may be called from any thread, after `stopping` was set;
    all else belongs to the device's own thread.
    """

    def __init__(self, name: str, arguments: Sequence[str], stopping: threading.Event) -> None:
        self._name = name
        self._arguments = tuple(arguments)
        self._stopping = stopping
        self._process: DecoderProcess | None = None
        self._process_lock = threading.Lock()
        self._lost_at_s: deque[float] = deque()
        self.is_open = False
        self.statistics = DecoderStatistics()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def check(self) -> None:
        """Raises DeviceError (FAULT) while too many were lost a short time ago."""
        while self._lost_at_s and time.monotonic() - self._lost_at_s[0] > LOST_WITHIN_S:
            self._lost_at_s.popleft()
        if len(self._lost_at_s) >= MOST_LOST:
            raise DeviceError(DeviceState.FAULT, DECODER, f"lost {MOST_LOST} times in {LOST_WITHIN_S:.0f} s")

    def open(self) -> None:
        """Open what is looked at, to see that it can be. Raises DeviceError."""
        try:
            self._open()
        except DecoderLost as lost:
            self._lost(lost)
            if not self._stopping.is_set():
                raise DeviceError(DeviceState.FAULT, DECODER, str(lost)) from lost

    def look(self, size: bytes = b"", picture: int | None = None) -> tuple[Answer, bytes]:
        """Look once; the payload goes with CODE only. LOST when the process was lost over it: the next look starts
        another. Raises DeviceError: ABSENT when nothing can be seen, FAULT when there is no decoding any more."""
        try:
            answer, payload = self._ask(LOOK + size, picture)
        except DecoderLost as lost:
            self._lost(lost)
            return Answer.LOST, b""
        self.statistics.count(answer)
        if answer is Answer.ERROR and self.statistics.decoder_errors == 1:
            log.warning("%s: a decoder failed on a frame (told once)", self._name)
        return answer, payload

    def see(self, order: bytes, handed_over: Picture | None = None) -> tuple[Answer, Picture | None]:
        """WATCH or PHOTOGRAPH what the process sees, or PHOTOGRAPH what is handed over. There is no picture with
        ERROR and LOST; LOST and DeviceError as with `look`."""
        wanted, largest_px = PICTURES[order]
        if handed_over is not None:
            order += struct.pack(PICTURE_SIZE, handed_over.width_px, handed_over.height_px)
        with picture_file(handed_over.rgb if handed_over else b"") as descriptor:
            try:
                answer, size = self._ask(order, descriptor)
                if answer is Answer.ERROR:
                    return answer, None
                if answer not in wanted:
                    raise DecoderLost(f"said {answer.name} for a picture")
                return answer, _read_picture(size, largest_px, descriptor)
            except DecoderLost as lost:
                self._lost(lost)
                return Answer.LOST, None

    def renew(self) -> None:
        """A process that has not looked at anything yet, loading its libraries meanwhile."""
        self.close()
        self._start()

    def interrupt(self) -> None:
        with self._process_lock:
            if self._process is not None:
                self._process.interrupt()

    def close(self) -> int | None:
        self.is_open = False
        with self._process_lock:
            process, self._process = self._process, None
        return process.close() if process else None

    def _start(self) -> None:
        with self._process_lock:  # either `interrupt` finds the process, or this finds that all is to stop
            if self._process is None and not self._stopping.is_set():
                self._process = DecoderProcess(self._arguments)

    def _ask(self, order: bytes, picture: int | None) -> tuple[Answer, bytes]:
        if not self.is_open:
            self._open()
        answer, payload = self._process.ask(order, LOOK_S, picture)
        self._refuse(answer)
        return answer, payload

    def _open(self) -> None:
        self.check()
        self._start()
        if self._process is None:
            raise DecoderLost("stopping")
        self._expect(Answer.READY, *self._process.answer(START_S))
        self._expect(Answer.OPENED, *self._process.ask(OPEN, OPEN_S))
        self.is_open = True

    def _expect(self, wanted: Answer, answer: Answer, payload: bytes) -> None:
        self._refuse(answer)
        if answer is not wanted:
            raise DecoderLost(f"said {answer.name} for {wanted.name}")

    def _refuse(self, answer: Answer) -> None:
        if answer is Answer.ABSENT:
            raise DeviceError(DeviceState.ABSENT, ABSENT, " ".join(self._arguments))
        if answer in _REFUSALS:
            raise DeviceError(DeviceState.FAULT, _REFUSALS[answer])

    def _lost(self, lost: DecoderLost) -> None:
        """Count it, and pause the longer the more were lost lately. Raises DeviceError when these are too many."""
        status = self.close()
        if self._stopping.is_set():
            return
        self.statistics.hangs += lost.hung
        self.statistics.crashes += not lost.hung
        log.warning("%s: its decoding process is lost: %s, exit status %s", self._name, lost, status)
        self._lost_at_s.append(time.monotonic())
        self.check()
        self._stopping.wait(FIRST_PAUSE_S * 2 ** (len(self._lost_at_s) - 1))


class DecodingScanner(ListeningScanner):
    """A scanner that sees pictures: what it tells of an answer. A driver closes `_decoder` in its `_close`."""

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        super().__init__(name)
        self._decoder = Decoder(name, arguments, self._stopping)

    @property
    def statistics(self) -> DecoderStatistics:
        return self._decoder.statistics

    def _interrupt(self) -> None:
        super()._interrupt()
        self._decoder.interrupt()

    def _close(self) -> None:
        self._decoder.close()

    def _tell_answer(self, answer: Answer, payload: bytes, read_in: Listening | None) -> None:
        if answer is Answer.CODE:
            self._tell_code(payload, read_in)
        elif answer is Answer.PART:
            self._tell_unreadable(PART_OF_CODE, read_in)
