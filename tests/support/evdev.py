"""A keyboard that types, and a model of the kernel's event device for it, as containers have no uinput.

The model speaks the kernel's ABI to the code under test: real file descriptors, real `struct input_event`, and the two
ioctls with evdev's rules about who gets the keys.
"""

import contextlib
import errno
import os
import socket
import struct
import threading

from hardware.keyboard_wedge import Kernel

EVENT = struct.Struct("@llHHi")
EV_SYN, EV_KEY = 0, 1
SYN_REPORT, SYN_DROPPED = 0, 3
KEY_LEFTCTRL, KEY_LEFTSHIFT, KEY_CAPSLOCK, KEY_ENTER, KEY_NUMLOCK, KEY_KPENTER = 29, 42, 58, 28, 69, 96

#: linux/input-event-codes.h, written down here from the header and not from the code under test.
KEYS = {
    **dict(zip("1234567890", range(2, 12), strict=True)),
    **{"a": 30, "b": 48, "c": 46, "d": 32, "e": 18, "f": 33, "g": 34, "h": 35, "i": 23, "j": 36, "k": 37, "l": 38},
    **{"m": 50, "n": 49, "o": 24, "p": 25, "q": 16, "r": 19, "s": 31, "t": 20, "u": 22, "v": 47, "w": 17, "x": 45},
    **{"y": 21, "z": 44, "-": 12, "=": 13, "[": 26, "]": 27, ";": 39, "'": 40, "`": 41, "\\": 43, ",": 51, ".": 52},
    **{"/": 53, " ": 57},
}
SHIFTED = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./", strict=True))
KEYPAD = dict(zip("7894561230", (71, 72, 73, 75, 76, 77, 79, 80, 81, 82), strict=True))

Event = tuple[int, int, int]
REPORT = (EV_SYN, SYN_REPORT, 0)


def stroke(key: int) -> list[Event]:
    return [(EV_KEY, key, 1), REPORT, (EV_KEY, key, 0), REPORT]


def typed(text: str) -> list[Event]:
    """The events of a US keyboard on which `text` is typed; a line end is Enter."""
    events: list[Event] = []
    for character in text:
        plain = SHIFTED.get(character, character.lower())
        shift = plain != character
        events += [(EV_KEY, KEY_LEFTSHIFT, 1), REPORT] * shift
        events += stroke(KEY_ENTER if character == "\n" else KEYS[plain])
        events += [(EV_KEY, KEY_LEFTSHIFT, 0), REPORT] * shift
    return events


class ModelKernel(Kernel):
    """evdev with one keyboard. Whoever has it open gets every event, unless one has grabbed it."""

    path = "/dev/input/by-id/usb-Model_Wedge-event-kbd"

    def __init__(self) -> None:
        self.keys = {*KEYS.values(), KEY_ENTER, KEY_LEFTSHIFT}
        self.refusal = 0  # an errno that `open` answers with
        self._lock = threading.Lock()
        self._clients: dict[int, socket.socket] = {}  # descriptor that was given out, and its far end
        self._grabber: socket.socket | None = None
        self._plugged = True
        self.grabbed = threading.Event()  # set by every grab

    # The kernel.

    def open(self, path: str) -> int:
        with self._lock:
            if path != self.path or not self._plugged:
                raise OSError(errno.ENOENT, path)
            if self.refusal:
                raise OSError(self.refusal, path)
            self._forget_closed()
            near, far = socket.socketpair()
            near.setblocking(False)
            self._clients[descriptor := near.detach()] = far
            return descriptor

    def ioctl(self, descriptor: int, request: int, argument: int | bytes) -> int | bytes:
        with self._lock:
            self._forget_closed()
            if not self._plugged:
                raise OSError(errno.ENODEV, "")
            match request:
                case 0x80604521:  # EVIOCGBIT(EV_KEY, 96)
                    bits = sum(1 << key for key in self.keys)
                    return bits.to_bytes(len(argument), "little")
                case 0x40044590 if argument:  # EVIOCGRAB
                    if self._grabber is not None:
                        raise OSError(errno.EBUSY, "")
                    self._grabber = self._clients[descriptor]
                    self.grabbed.set()
                    return 0
            raise OSError(errno.EINVAL, "")

    def read(self, descriptor: int, size: int) -> bytes:
        data = os.read(descriptor, size)
        if not data:
            raise OSError(errno.ENODEV, "")
        return data

    # The world.

    def send(self, events: list[Event]) -> None:
        with self._lock:
            self._forget_closed()
            clients = self._clients.values() if self._grabber is None else [self._grabber]
            for event in events:  # one by one, so that no event is torn in two by a full buffer
                for client in clients:
                    client.sendall(EVENT.pack(0, 0, *event))

    def plug(self) -> None:
        with self._lock:
            self._plugged = True

    def unplug(self) -> None:
        with self._lock:
            self._plugged = False
            while self._clients:
                self._clients.popitem()[1].close()
            self._grabber = None

    def close(self) -> None:
        self.unplug()

    def _forget_closed(self) -> None:
        for descriptor, far in list(self._clients.items()):
            with contextlib.suppress(BlockingIOError):
                if not far.recv(1, socket.MSG_DONTWAIT):
                    far.close()
                    del self._clients[descriptor]
                    self._grabber = None if self._grabber is far else self._grabber


class Bystander:
    """Another program that has the keyboard open, as a console or a window system has."""

    def __init__(self, kernel: ModelKernel) -> None:
        self._descriptor = kernel.open(kernel.path)

    def heard(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            return os.read(self._descriptor, 4096)
        return b""

    def close(self) -> None:
        os.close(self._descriptor)
