"""Devices that type what they read, as a USB keyboard does: many card readers and code scanners.

Read from the kernel's event device (Linux, Documentation/input/input.rst) and grabbed, so that nothing else on the
machine gets the keys: typed into a screen or a console, a card's number would be anybody's to read.
The ABI is one struct and three ioctls, which is less than the package that wraps it.
"""

import errno
import fcntl
import math
import os
import select
import struct
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from hardware.device import DeviceError, DeviceState

#: A wedge types in one go; after this much silence, no more of a scan comes.
QUIET_GAP_S = 0.3

# linux/input.h. The time is two kernel longs on every architecture, also where time_t is longer.
_EVENT = struct.Struct("@llHHi")
_EVENTS_PER_READ = 64
EV_SYN, EV_KEY = 0, 1
SYN_REPORT, SYN_DROPPED = 0, 3
PRESSED, RELEASED = 1, 0  # 2 is the repetition of a key that is held

KEY_ENTER, KEY_KEYPAD_ENTER = 28, 96
KEY_NUM_LOCK = 69
SHIFT_KEYS = frozenset({42, 54})
#: Control, alt and meta, left and right: with one of them held, a key is no character.
COMMAND_KEYS = frozenset({29, 97, 56, 100, 125, 126})
ENTER_KEYS = frozenset({KEY_ENTER, KEY_KEYPAD_ENTER})
#: What a keyboard must have to be taken for a wedge: a power button or a touch panel is none.
NEEDED_KEYS = frozenset(range(2, 12)) | {KEY_ENTER}

_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (55, "*", "*"),
    (57, " ", " "),
    (71, "789-456+1230.", "789-456+1230."),
    (98, "/", "/"),
)
#: Key code to its character, plain and with shift, on the US layout, which wedges type on from the factory. The keypad
#: types digits: its Num Lock is the console's business, and the console does not get these keys.
US_LAYOUT = {
    first + at: (plain[at], shifted[at]) for first, plain, shifted in _ROWS for at in range(len(plain))
}  # fmt: skip


def _ioctl_number(direction: int, number: int, size: int) -> int:
    """asm-generic/ioctl.h, as on x86, ARM and RISC-V; the type of all evdev's ioctls is "E"."""
    return direction << 30 | size << 16 | ord("E") << 8 | number


_KEY_BITS_BYTES = 96  # KEY_CNT is 0x300
EVIOCGRAB = _ioctl_number(1, 0x90, struct.calcsize("i"))
EVIOCGBIT_KEY = _ioctl_number(2, 0x20 + EV_KEY, _KEY_BITS_BYTES)


class InputEvent(NamedTuple):
    type: int
    code: int
    value: int


class Kernel:
    """What a keyboard is asked for; the tests have one of their own where there is no uinput."""

    def open(self, path: str) -> int:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def ioctl(self, descriptor: int, request: int, argument: int | bytes) -> int | bytes:
        return fcntl.ioctl(descriptor, request, argument)

    def read(self, descriptor: int, size: int) -> bytes:
        return os.read(descriptor, size)


class Keyboard:
    """One grabbed event device. `wake` may come from any thread; the rest belongs to one.

    Raises DeviceError with one of these codes, each after `code_prefix` ("SCANNER", "CARD-READER"):
        -ABSENT          absent  there is no such device, or it was unplugged
        -NO-PERMISSION   fault   it may not be opened: the user is not in the group `input`
        -NOT-A-KEYBOARD  fault   the path names something that has no digits and Enter
        -TAKEN           fault   another program has grabbed it
    """

    def __init__(self, path: str, code_prefix: str, kernel: Kernel) -> None:
        self._path, self._code_prefix, self._kernel = path, code_prefix, kernel
        self._descriptor = -1
        self._waker = -1
        self._waker_lock = threading.Lock()  # `wake` must not write to what is just being closed

    def open(self) -> None:
        with self._waker_lock:
            self._waker = os.eventfd(0)
        try:
            self._descriptor = self._kernel.open(self._path)
        except OSError as error:
            raise self._error(error) from error
        if not self._keys() >= NEEDED_KEYS:
            raise self._not_a_keyboard()
        try:
            self._kernel.ioctl(self._descriptor, EVIOCGRAB, 1)
        except OSError as error:
            raise self._error(error) from error

    def read(self, timeout_s: float | None) -> list[InputEvent]:
        """What has come, in order; empty at the time-out or when woken. None waits for ever."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.register(self._waker, select.POLLIN)
        ready = poll.poll(None if timeout_s is None else math.ceil(timeout_s * 1000))
        if all(descriptor != self._descriptor for descriptor, _ in ready):
            return []
        try:
            data = self._kernel.read(self._descriptor, _EVENT.size * _EVENTS_PER_READ)
        except OSError as error:
            raise self._error(error) from error
        return [InputEvent(*fields[2:]) for fields in _EVENT.iter_unpack(data)]

    def wake(self) -> None:
        """End the `read` that is under way, and every one until the next `open`."""
        with self._waker_lock:
            if self._waker >= 0:
                os.eventfd_write(self._waker, 1)

    def close(self) -> None:
        """The kernel ends the grab with the descriptor."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        with self._waker_lock:
            if self._waker >= 0:
                os.close(self._waker)
                self._waker = -1

    def _keys(self) -> set[int]:
        try:
            bits = self._kernel.ioctl(self._descriptor, EVIOCGBIT_KEY, bytes(_KEY_BITS_BYTES))
        except OSError as error:
            if error.errno == errno.ENODEV:
                raise self._error(error) from error
            raise self._not_a_keyboard() from error
        return {8 * at + bit for at, byte in enumerate(bits) for bit in range(8) if byte >> bit & 1}

    def _not_a_keyboard(self) -> DeviceError:
        return DeviceError(DeviceState.FAULT, f"{self._code_prefix}-NOT-A-KEYBOARD", self._path)

    def _error(self, error: OSError) -> DeviceError:
        match error.errno:
            case errno.EACCES | errno.EPERM:
                return DeviceError(DeviceState.FAULT, f"{self._code_prefix}-NO-PERMISSION", self._path)
            case errno.EBUSY:
                return DeviceError(DeviceState.FAULT, f"{self._code_prefix}-TAKEN", self._path)
        return DeviceError(DeviceState.ABSENT, f"{self._code_prefix}-ABSENT", self._path)


class Flaw(StrEnum):
    """Why what was typed cannot be used."""

    OVERRUN = "overrun"  # the kernel dropped keys, because the wedge typed faster than they were read
    STRANGE_KEY = "strange key"  # a key that is no character of the US layout
    TOO_LONG = "too long"


@dataclass(frozen=True)
class Scan:
    """What was typed between two pauses. `ended`: by Enter, not by silence."""

    text: str = field(repr=False)
    ended: bool
    flaw: Flaw | None


class ScanAssembly:
    """Puts keys together into scans of at most `longest` characters. Pure: who reads says when it fell silent."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self.forget()

    @property
    def under_way(self) -> bool:
        return bool(self._text) or self._flaw is not None

    def forget(self) -> None:
        """Begin anew, as after the device was opened."""
        self._begin()
        self._held: set[int] = set()
        self._dropping = False

    def take(self, event: InputEvent) -> Scan | None:
        """The scan that `event` ends, if it ends one."""
        if event.type == EV_SYN:
            self._synchronise(event.code)
        elif event.type == EV_KEY and not self._dropping:
            return self._take_key(event.code, event.value)
        return None

    def fell_silent(self) -> Scan | None:
        """QUIET_GAP_S went by without a key: the scan that was under way, if any."""
        return self._end(by_enter=False) if self.under_way else None

    def _synchronise(self, code: int) -> None:
        if code == SYN_DROPPED:
            # Up to the next report nothing counts, and which keys are held is not known any more.
            self._dropping = True
            self._held.clear()
            self._spoil(Flaw.OVERRUN)
        elif code == SYN_REPORT:
            self._dropping = False

    def _take_key(self, key: int, value: int) -> Scan | None:
        if key in SHIFT_KEYS or key in COMMAND_KEYS:
            (self._held.discard if value == RELEASED else self._held.add)(key)
        elif value == PRESSED and key in ENTER_KEYS:
            return self._end(by_enter=True) if self.under_way else None
        elif value == PRESSED and key != KEY_NUM_LOCK:
            self._type(key)
        return None

    def _type(self, key: int) -> None:
        if key not in US_LAYOUT or self._held & COMMAND_KEYS:
            self._spoil(Flaw.STRANGE_KEY)
        elif len(self._text) == self._longest:
            self._spoil(Flaw.TOO_LONG)
        else:
            plain, shifted = US_LAYOUT[key]
            self._text.append(shifted if self._held & SHIFT_KEYS else plain)

    def _spoil(self, flaw: Flaw) -> None:
        self._flaw = self._flaw or flaw

    def _end(self, by_enter: bool) -> Scan:
        scan = Scan("".join(self._text), by_enter, self._flaw)
        self._begin()
        return scan

    def _begin(self) -> None:
        self._text: list[str] = []
        self._flaw: Flaw | None = None
