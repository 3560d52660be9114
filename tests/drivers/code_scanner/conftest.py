"""Scanners of every kind behind one face: a rig has the driver under test and the outside world's means."""

import os
import pty
import queue
import textwrap
import threading
import time
import tty
from itertools import cycle
from pathlib import Path

import cv2
import numpy
import pytest
import qrcode
from PIL import Image, ImageEnhance, ImageFilter
from qrcode import base, util
from support.evdev import Event, ModelKernel, typed

from hardware.code_scanner import decoder_process
from hardware.code_scanner.camera import CameraScanner
from hardware.code_scanner.evdev import EvdevScanner
from hardware.code_scanner.example_paper import bare_table, example_paper
from hardware.code_scanner.interface import CodeScanned, CodeUnreadable
from hardware.code_scanner.serial_port import SerialScanner
from hardware.code_scanner.virtual import VirtualScanner
from hardware.device import DeviceState, StatusChanged

DEADLINE_S = 8.0


# Pictures


class Pictures:
    """Synthetic pictures: codes, and frames (uint8, height × width) with codes in them."""

    @staticmethod
    def qr(payload: bytes, box_px: int = 4) -> Image.Image:
        code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=box_px, border=4)
        code.add_data(payload)
        return code.make_image().get_image().convert("L")

    @staticmethod
    def part(payload: bytes, index: int = 0, parts: int = 2, box_px: int = 4) -> Image.Image:
        """A part of a structured-append code (ISO/IEC 18004): the header before the data says which of how many."""
        version, level = 5, qrcode.constants.ERROR_CORRECT_M
        blocks = base.rs_blocks(version, level)
        bits = util.BitBuffer()
        for value, length in ((0b0011, 4), (index, 4), (parts - 1, 4), (0x5A, 8), (0b0100, 4), (len(payload), 8)):
            bits.put(value, length)
        for byte in payload:
            bits.put(byte, 8)
        bits.put(0, 4)
        bits.put(0, -len(bits) % 8)
        missing = sum(block.data_count for block in blocks) - len(bits) // 8
        for pad, _ in zip(cycle((util.PAD0, util.PAD1)), range(missing), strict=False):
            bits.put(pad, 8)
        code = qrcode.QRCode(version=version, error_correction=level, box_size=box_px, border=4)
        code.data_cache = util.create_bytes(bits, blocks)
        code.makeImpl(False, 2)
        return code.make_image().get_image().convert("L")

    @staticmethod
    def scene(*codes: tuple[Image.Image, tuple[int, int]], background: int = 200) -> numpy.ndarray:
        """A VGA frame with each code's middle at its place."""
        frame = Image.new("L", (640, 480), background)
        for code, (x_px, y_px) in codes:
            frame.paste(code, (x_px - code.width // 2, y_px - code.height // 2))
        return numpy.array(frame)

    @staticmethod
    def seen_by_camera(frame, *, turn_deg=0.0, light=1.0, blur_px=0.0, noise=0.0, seed=1) -> numpy.ndarray:
        """`frame` as a poor camera sees it: turned, dim, out of focus, noisy."""
        height_px, width_px = frame.shape
        turn = cv2.getRotationMatrix2D((width_px / 2, height_px / 2), turn_deg, 1.0)
        seen = cv2.warpAffine(frame, turn, (width_px, height_px), borderValue=200).astype(float) * light
        if blur_px:
            seen = cv2.GaussianBlur(seen, (0, 0), blur_px)
        return numpy.clip(seen + numpy.random.default_rng(seed).normal(0, noise, seen.shape), 0, 255).astype(
            numpy.uint8
        )

    @staticmethod
    def specks(frame, share: float = 0.2) -> numpy.ndarray:
        """`frame` with that share of its pixels black or white."""
        dice = numpy.random.default_rng(1).random(frame.shape)
        return numpy.where(dice < share / 2, 0, numpy.where(dice > 1 - share / 2, 255, frame)).astype(numpy.uint8)


@pytest.fixture
def pictures():
    return Pictures


# Events


class Events:
    """What a scanner posted, waited for with a deadline."""

    def __init__(self) -> None:
        self._queue: queue.Queue = queue.Queue()

    def post(self, event) -> None:
        self._queue.put(event)

    def wait_for(self, wanted, timeout_s: float = DEADLINE_S):
        """The next event for which `wanted(event)` is true; those before it are passed over."""
        until_s = time.monotonic() + timeout_s
        while True:
            try:
                event = self._queue.get(timeout=max(0.0, until_s - time.monotonic()))
            except queue.Empty:
                pytest.fail("the event did not come in time")
            if wanted(event):
                return event

    def next_reading(self) -> CodeScanned | CodeUnreadable:
        return self.wait_for(lambda event: not isinstance(event, StatusChanged))

    def drain(self) -> list:
        """All that has come, taken away."""
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]

    @staticmethod
    def wait_until(true, timeout_s: float = DEADLINE_S) -> bool:
        """Whether `true()` became so in time; for what is seen from outside without an event."""
        until_s = time.monotonic() + timeout_s
        while not true():
            if time.monotonic() > until_s:
                return False
            threading.Event().wait(0.005)
        return True

    def status(self, state: DeviceState) -> StatusChanged:
        return self.wait_for(lambda event: isinstance(event, StatusChanged) and event.status.state is state)


@pytest.fixture
def wait_until():
    return Events.wait_until


# Rigs


class Rig:
    """A scanner under test, and the means of the outside world."""

    def __init__(self, scanner) -> None:
        self.scanner = scanner
        self.events = Events()

    def start(self) -> "Rig":
        self.scanner.start(self.events.post)
        self.events.status(DeviceState.READY)
        return self

    def show_unheard(self, payload: bytes) -> None:
        """`show` while the scanner does not listen, done when it can no longer be heard."""
        self.show(payload)

    def show_nothing(self) -> None:
        """Take away what is shown; nothing to do where a code is a message, not a view."""

    def settle(self) -> None:
        """Wait until what is shown has been seen; nothing to do where what comes first is told first."""

    def close(self) -> None:
        self.scanner.stop()


class VirtualRig(Rig):
    def __init__(self, tmp_path: Path) -> None:
        super().__init__(VirtualScanner("bench", VirtualScanner.Options()))

    def show(self, payload: bytes) -> None:
        self.scanner.show(payload)

    def lay(self, paper: Image.Image) -> None:
        self.scanner.lay_paper(paper)

    def unplug(self) -> None:
        self.scanner.unplug()

    def plug(self) -> None:
        self.scanner.plug()


class CameraRig(Rig):
    """The camera looks at a folder of numbered pictures, which is put there anew for every scene."""

    FRAMES = 900

    def __init__(self, tmp_path: Path) -> None:
        self._base = tmp_path
        self._view = tmp_path / "view"
        self._scenes = 0
        self.film([Pictures.scene()])
        super().__init__(CameraScanner("camera", CameraScanner.Options(source=f"{self._view}/%04d.png")))

    def film(self, frames: list) -> None:
        """Play `frames`, the last of them for as long as the camera runs."""
        folder = self._base / f"scene-{self._scenes}"
        self._scenes += 1
        folder.mkdir()
        for number, frame in enumerate(frames):
            cv2.imwrite(str(folder / f"{number:04d}.png"), frame)
        for number in range(len(frames), self.FRAMES):
            os.link(folder / f"{len(frames) - 1:04d}.png", folder / f"{number:04d}.png")
        self._point_at(folder)

    def show(self, payload: bytes) -> None:
        self.film([Pictures.scene((Pictures.qr(payload), (320, 240)))])

    def show_nothing(self) -> None:
        self.film([Pictures.scene()])

    def lay(self, paper: Image.Image) -> None:
        self.film([numpy.array(paper)[..., ::-1]])

    def settle(self) -> None:
        self.wait_for_frames(3)

    def wait_for_frames(self, more: int) -> None:
        wanted = self.scanner.statistics.frames + more
        assert self.events.wait_until(lambda: self.scanner.statistics.frames >= wanted)

    def unplug(self) -> None:
        self._view.unlink()

    def plug(self) -> None:
        self._view.symlink_to(self._base / f"scene-{self._scenes - 1}")

    def _point_at(self, folder: Path) -> None:
        """The camera goes on with the frame of the same number in the other folder."""
        new = self._base / "view-new"
        new.symlink_to(folder)
        new.replace(self._view)


class SerialRig(Rig):
    """The far end of a pseudo-terminal is the scanner; a symlink stands for the udev name."""

    def __init__(self, tmp_path: Path) -> None:
        self._name = tmp_path / "ttyScanner"
        self.plug()
        super().__init__(SerialScanner("serial", SerialScanner.Options(port=str(self._name))))

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._far_end, data) :]

    def show(self, payload: bytes) -> None:
        self.send(payload + b"\r\n")

    def show_unheard(self, payload: bytes) -> None:
        self.send(payload)
        self.wait_for_bytes_of_a_code()
        self.send(b"\r\n")

    def wait_for_bytes_of_a_code(self) -> None:
        """Nothing is told of a code under way, so this looks into the driver."""
        assert self.events.wait_until(lambda: self.scanner._code)

    def wait_for_silence(self) -> None:
        assert self.events.wait_until(lambda: not self.scanner._code and not self.scanner._skipping)

    def plug(self) -> None:
        self._far_end, near_end = pty.openpty()
        tty.setraw(near_end)
        self._name.symlink_to(os.ttyname(near_end))
        os.close(near_end)  # the far end alone keeps the pair alive

    def unplug(self) -> None:
        self._name.unlink()
        os.close(self._far_end)
        self._far_end = -1

    def close(self) -> None:
        super().close()
        if self._far_end >= 0:
            os.close(self._far_end)


class EvdevRig(Rig):
    """The scanner is a keyboard that types on a model of the kernel's event device."""

    def __init__(self, tmp_path: Path) -> None:
        self.kernel = ModelKernel()
        super().__init__(EvdevScanner("evdev", EvdevScanner.Options(device=self.kernel.path), self.kernel))
        self.plug, self.unplug = self.kernel.plug, self.kernel.unplug

    def send(self, events: list[Event]) -> None:
        self.kernel.send(events)

    def show(self, payload: bytes) -> None:
        self.send(typed(payload.decode("ascii") + "\n"))

    def show_unheard(self, payload: bytes) -> None:
        self.send(typed(payload.decode("ascii")))
        self.wait_for_keys_of_a_code()
        self.send(typed("\n"))

    def wait_for_keys_of_a_code(self) -> None:
        """Nothing is told of a code under way, so this looks into the driver."""
        assert self.events.wait_until(lambda: self.scanner._assembly.under_way)

    def close(self) -> None:
        super().close()
        self.kernel.close()


RIGS = {"virtual": VirtualRig, "camera": CameraRig, "serial": SerialRig, "evdev": EvdevRig}


@pytest.fixture(params=RIGS)
def rig(request, tmp_path):
    made = RIGS[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def run_as_child(tmp_path, monkeypatch):
    """Makes a script of lines take the decoding process's place; `sys` is there for it."""

    def run(lines: str) -> None:
        script = tmp_path / "child.py"
        start = f"import sys\nsys.path.insert(0, {str(Path(__file__).parents[3])!r})\n"
        script.write_text(start + textwrap.dedent(lines))
        monkeypatch.setattr(decoder_process, "CHILD", (str(script),))

    return run


@pytest.fixture
def camera(tmp_path):
    made = CameraRig(tmp_path)
    yield made
    made.close()


@pytest.fixture
def serial_line(tmp_path):
    made = SerialRig(tmp_path)
    yield made
    made.close()


@pytest.fixture
def keyboard(tmp_path):
    made = EvdevRig(tmp_path)
    yield made
    made.close()


@pytest.fixture
def virtual(tmp_path):
    made = VirtualRig(tmp_path)
    yield made
    made.close()


# Papers


class Papers:
    """What lies before a camera (RGB): a paper in good and in bad light, out of focus, blank, and none."""

    @staticmethod
    def good() -> Image.Image:
        return example_paper()

    @staticmethod
    def dark() -> Image.Image:
        return ImageEnhance.Brightness(example_paper()).enhance(0.2)

    @staticmethod
    def blurred() -> Image.Image:
        return example_paper().filter(ImageFilter.GaussianBlur(5))

    @staticmethod
    def empty() -> Image.Image:
        return bare_table()

    @staticmethod
    def blank() -> Image.Image:
        """So near that nothing but white is seen."""
        return Image.new("RGB", (1280, 720), "white")


@pytest.fixture
def papers():
    return Papers


@pytest.fixture(params=["virtual", "camera"])
def photographer(request, tmp_path):
    """A rig of a scanner that has a camera for papers."""
    made = RIGS[request.param](tmp_path)
    yield made
    made.close()
