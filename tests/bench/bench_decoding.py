"""How many codes are read, and at what cost: zxing-cpp alone, zbar alone, and the kiosk's decoders, side by side.

    python tests/bench/bench_decoding.py [--views 40] [--seed 1]

Every view is a code held before a camera for four frames that differ in noise only. It counts as read when one of
its frames is, with the right text. Then what the decoding process costs: by the frame, at its start, in memory.
Everything is synthetic and made here; times are of this machine's one core.
"""

import argparse
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy
import qrcode
import zxingcpp
from pyzbar import pyzbar

from hardware.code_scanner.capture import Capture
from hardware.code_scanner.decoder_child import CameraView
from hardware.code_scanner.decoder_process import FIRST_PAUSE_S, Decoder
from hardware.code_scanner.decoding import STEPS, FrameDecoder
from hardware.code_scanner.motion import MotionGate

SIZE_PX = (640, 480)
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@dataclass(frozen=True)
class Mix:
    """The ranges that a view's troubles are drawn from."""

    name: str
    characters: tuple[int, int]
    module_px: tuple[float, float]
    turn_deg: float
    tilt: float
    light: tuple[float, float]
    blur_px: float
    noise: float
    specks: float


MIXES = (
    Mix("easy", (40, 120), (4.0, 6.0), 15, 0.05, (0.6, 1.0), 0.8, 4, 0.0),
    Mix("medium", (80, 240), (2.5, 4.5), 60, 0.25, (0.15, 0.9), 1.4, 8, 0.04),
    Mix("hard", (120, 316), (2.0, 3.5), 180, 0.4, (0.04, 0.6), 1.8, 10, 0.1),
)


def views(mix: Mix, count: int, seed: int) -> Iterator[tuple[bytes, list[numpy.ndarray]]]:
    """`count` views as (payload, frames)."""
    dice = numpy.random.default_rng(seed)
    for _ in range(count):
        payload = "".join(dice.choice(list(ALPHABET), dice.integers(*mix.characters))).encode()
        still = still_view(payload, mix, dice)
        yield payload, [with_noise(still, mix, dice) for _ in range(STEPS)]


def still_view(payload: bytes, mix: Mix, dice: numpy.random.Generator) -> numpy.ndarray:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=8, border=4)
    code.add_data(payload)
    return before_camera(numpy.array(code.make_image().get_image().convert("L")), 8, mix, dice)


def before_camera(
    picture: numpy.ndarray, module_dots: int, mix: Mix, dice: numpy.random.Generator, size_px: tuple[int, int] = SIZE_PX
) -> numpy.ndarray:
    """A square picture of a code on grey paper, turned, tilted, dimmed and out of focus; at most as large as the frame
    of `size_px` allows."""
    side_px = min(picture.shape[0] / module_dots * dice.uniform(*mix.module_px), 0.66 * size_px[1])
    turn = numpy.deg2rad(dice.uniform(-mix.turn_deg, mix.turn_deg))
    corners = numpy.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side_px / 2
    corners[:2, 0] *= 1 - dice.uniform(0, mix.tilt)  # the far edge of a tilted sheet is shorter
    corners = corners @ numpy.array([[numpy.cos(turn), numpy.sin(turn)], [-numpy.sin(turn), numpy.cos(turn)]])
    corners += numpy.array(size_px) / 2
    side_dots = picture.shape[0]
    before = numpy.float32([[0, 0], [side_dots, 0], [side_dots, side_dots], [0, side_dots]])
    lens = cv2.getPerspectiveTransform(before, corners.astype(numpy.float32))
    view = cv2.warpPerspective(picture, lens, size_px, flags=cv2.INTER_AREA, borderValue=190).astype(float)
    shade = numpy.linspace(1, dice.uniform(0.7, 1), size_px[0])
    blur_px = dice.uniform(0.2, mix.blur_px)
    return cv2.GaussianBlur(view * shade * dice.uniform(*mix.light), (0, 0), blur_px)


def with_noise(still: numpy.ndarray, mix: Mix, dice: numpy.random.Generator) -> numpy.ndarray:
    # A sensor's noise falls with the light it gets, though not to nothing.
    noisy = still + dice.normal(0, mix.noise * (0.2 + still.mean() / 255), still.shape)
    specks = dice.random(still.shape)
    share = dice.uniform(0, mix.specks)
    noisy[specks < share / 2] = 0
    noisy[specks > 1 - share / 2] = 255
    return numpy.clip(noisy, 0, 255).astype(numpy.uint8)


# The contestants: each makes a reader for one view.

Reader = Callable[[numpy.ndarray], bytes | None]


def zxing_only() -> Reader:
    def read(grey: numpy.ndarray) -> bytes | None:
        found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormat.QRCode)
        return found[0].bytes if found else None

    return read


def zbar_only() -> Reader:
    def read(grey: numpy.ndarray) -> bytes | None:
        found = pyzbar.decode(grey, symbols=[pyzbar.ZBarSymbol.QRCODE])
        return found[0].data if found else None

    return read


def kiosk() -> Reader:
    return FrameDecoder().decode


CONTESTANTS = {"zxing-cpp": zxing_only, "zbar": zbar_only, "kiosk": kiosk}


def measure(reader: Reader, payload: bytes, frames: list[numpy.ndarray], times_ms: list[float]) -> tuple[bool, bool]:
    """Whether the view was read, and whether a wrong text was; a reader stops at its first reading, as a kiosk does."""
    for frame in frames:
        began_s = time.perf_counter()
        read = reader(frame)
        times_ms.append((time.perf_counter() - began_s) * 1000)
        if read is not None:
            return read == payload, read != payload
    return False, False


def compare(count: int, seed: int) -> None:
    print(f"{'views':8} {'decoder':10} {'read':>9} {'wrong':>6} {'ms median':>10} {'ms p95':>8}")
    for mix in MIXES:
        made = list(views(mix, count, seed))
        for name, make_reader in CONTESTANTS.items():
            times_ms: list[float] = []
            hits = [measure(make_reader(), payload, frames, times_ms) for payload, frames in made]
            read, wrong = (sum(column) for column in zip(*hits, strict=True))
            median_ms, p95_ms = numpy.percentile(times_ms, (50, 95))
            print(f"{mix.name:8} {name:10} {read:4}/{count:<4} {wrong:6} {median_ms:10.2f} {p95_ms:8.2f}")


def idle(seed: int) -> None:
    """A still view without a code, with a sensor's noise, at 12 frames a second; with the gate for some minutes."""
    dice = numpy.random.default_rng(seed)
    print(f"\n{'idle':10} {'gate':6} {'ms/frame':>9} {'decoded':>9}")
    for size_px in (SIZE_PX, (1280, 720)):
        # A desk in a hall: soft shapes, some edges.
        desk = cv2.resize(dice.integers(60, 200, (12, 16)).astype(numpy.uint8), size_px, interpolation=cv2.INTER_CUBIC)
        frames = [numpy.clip(desk + dice.normal(0, 3, desk.shape), 0, 255).astype(numpy.uint8) for _ in range(24)]
        for gated, count in ((False, 120), (True, 2400)):
            gate, decoder, decoded = MotionGate(), FrameDecoder(), 0
            began_s = time.perf_counter()
            for number in range(count):
                grey = frames[number % len(frames)]
                if gated and not gate.lets_pass(grey, number / 12):
                    continue
                if gate.is_still:
                    decoder.glance(grey)
                else:
                    decoder.decode(grey)
                    decoded += 1
            frame_ms = (time.perf_counter() - began_s) * 1000 / count
            print(f"{size_px[0]}x{size_px[1]:<5} {'with' if gated else 'none':6} {frame_ms:9.2f} {decoded:5}/{count}")


# The decoding process.


def film(path: Path, size_px: tuple[int, int], frames: int) -> str:
    """A still desk without a code, in the format that cameras send."""
    desk = numpy.random.default_rng(1).integers(60, 200, (12, 16)).astype(numpy.uint8)
    desk = cv2.resize(desk, size_px, interpolation=cv2.INTER_CUBIC)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 12, size_px)
    for _ in range(frames):
        writer.write(cv2.cvtColor(desk, cv2.COLOR_GRAY2BGR))
    writer.release()
    return str(path)


def frame_ms(look: Callable[[], object], frames: int) -> float:
    began_s = time.perf_counter()
    for _ in range(frames):
        look()
    return (time.perf_counter() - began_s) * 1000 / frames


def memory_mb(pid: int) -> float:
    """Proportional set size: what is shared with other processes counts in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def apart(frames: int) -> None:
    """Grab, unpack, gate and decode a video's frames one by one without a pause: here, and in the child. And what it
    would cost to unpack here and hand each frame over."""
    print(f"\n{'video':10} {'here':>9} {'child':>9} {'copying':>9}   ms/frame")
    with tempfile.TemporaryDirectory() as folder:
        for width_px, height_px in (SIZE_PX, (1280, 720)):
            source = film(Path(folder) / "desk.avi", (width_px, height_px), 2 * frames)
            view = CameraView(source, str(width_px), str(height_px))
            view._capture = Capture(source, width_px, height_px)
            here_ms = frame_ms(partial(view.look, b"", []), frames)
            decoder = Decoder("bench", ("camera", source, str(width_px), str(height_px)), threading.Event())
            decoder.open()
            child_ms = frame_ms(decoder.look, frames)
            decoder.close()
            copying_ms = frame_ms(partial(hand_over, bytes(width_px * height_px)), 50)
            print(f"{width_px}x{height_px:<5} {here_ms:9.2f} {child_ms:9.2f} {copying_ms:9.2f}")


def hand_over(grey: bytes) -> bytes:
    with os.fdopen(os.memfd_create("frame"), "wb", buffering=0) as shared:
        shared.write(grey)
        return os.pread(shared.fileno(), len(grey), 0)


def life() -> None:
    """How long a child takes to come and to be replaced, and what it and its parent weigh."""
    with tempfile.TemporaryDirectory() as folder:
        source = film(Path(folder) / "desk.avi", (1280, 720), 100)
        decoder = Decoder("bench", ("camera", source, "1280", "720"), threading.Event())
        cold_ms = frame_ms(decoder.look, 1)
        decoder.renew()
        select.select([decoder._process._socket], [], [])  # until it has said that it is ready
        asleep_mb = memory_mb(decoder.pid)
        warm_ms = frame_ms(decoder.look, 1)
        frame_ms(decoder.look, 20)
        looking_mb = memory_mb(decoder.pid)
        os.kill(decoder.pid, signal.SIGKILL)
        lost_ms = frame_ms(decoder.look, 1) - FIRST_PAUSE_S * 1000
        back_ms = frame_ms(decoder.look, 1)
        decoder.close()
    print(f"\nfirst look of a new child {cold_ms:.0f} ms, of one that waited {warm_ms:.0f} ms")
    print(f"death seen within {lost_ms:.0f} ms, then a pause of {FIRST_PAUSE_S:.1f} s, replaced in {back_ms:.0f} ms")
    print(f"child asleep {asleep_mb:.0f} MB, looking {looking_mb:.0f} MB (proportional set size)")
    for what, imports in (
        ("with the decoding process", "hardware.code_scanner.decoder_process"),
        ("with the decoders loaded", "hardware.code_scanner.decoder_process, cv2, numpy, zxingcpp, pyzbar.pyzbar"),
    ):
        lines = f"import {imports}, sys; print(flush=True); sys.stdin.read()"
        parent = subprocess.Popen([sys.executable, "-c", lines], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with parent:
            parent.stdout.readline()
            print(f"parent {what} {memory_mb(parent.pid):.0f} MB")
            parent.stdin.close()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--views", type=int, default=40, help="views of each kind")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    cv2.setNumThreads(1)
    compare(options.views, options.seed)
    idle(options.seed)
    apart(100)
    life()


if __name__ == "__main__":
    main()
