"""The camera scanner on pictures that come through the real VideoCapture."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy
import pytest
from PIL import Image

from hardware.code_scanner import decoder_process
from hardware.code_scanner.camera import CameraScanner
from hardware.code_scanner.capture import Absent, Capture
from hardware.code_scanner.interface import CodeScanned, CodeUnreadable, FrameSeen
from hardware.code_scanner.motion import STILL_TRY_S
from hardware.device import DeviceState

MIDDLE = (320, 240)


def film(path: Path, frame: numpy.ndarray, frames: int) -> Path:
    height_px, width_px = frame.shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (width_px, height_px))
    for _ in range(frames):
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def is_open(path: Path, scanner: CameraScanner) -> bool:
    """Whether this process or the scanner's decoding process holds the file open; either may change meanwhile."""
    for process in ("self", scanner._decoder.pid):
        with contextlib.suppress(FileNotFoundError):
            if any(os.path.realpath(opened) == str(path) for opened in Path(f"/proc/{process}/fd").iterdir()):
                return True
    return False


@pytest.fixture
def looking(camera):
    camera.start()
    camera.scanner.listen(True)
    return camera


def test_reads_a_turned_dim_and_noisy_code(looking, pictures):
    frame = pictures.scene((pictures.qr(b"POOR LIGHT"), MIDDLE))
    looking.film([pictures.seen_by_camera(frame, turn_deg=17, light=0.35, blur_px=0.8, noise=6)])
    assert looking.events.next_reading() == CodeScanned("camera", b"POOR LIGHT")


def test_tells_one_part_of_a_code_as_unreadable_and_once(looking, pictures):
    looking.film([pictures.scene((pictures.part(b"HALF OF A LETTER"), MIDDLE))])
    assert looking.events.next_reading() == CodeUnreadable("camera", "SCANNER-PART-OF-CODE")
    looking.settle()
    looking.show(b"WHOLE")
    assert looking.events.next_reading() == CodeScanned("camera", b"WHOLE")


def test_a_still_view_is_hardly_ever_decoded(looking, pictures):
    looking.film([pictures.scene()])
    looking.wait_for_frames(25)  # past the moment after the first motion
    before_s, tries = time.monotonic(), looking.scanner.statistics.tries
    looking.wait_for_frames(30)
    most = (time.monotonic() - before_s) / STILL_TRY_S + 1
    assert 1 <= looking.scanner.statistics.tries - tries <= most


def test_a_code_that_appears_in_a_still_view_is_read(looking, pictures):
    looking.film([pictures.scene()])
    looking.wait_for_frames(25)
    looking.show(b"AT LAST")
    assert looking.events.next_reading().payload == b"AT LAST"


def test_a_new_listening_looks_at_what_lies_there_already(looking):
    looking.show(b"LEFT LYING")
    looking.events.next_reading()
    looking.wait_for_frames(25)  # the gate has shut
    looking.scanner.listen(False)
    looking.scanner.listen(True)
    before = looking.scanner.statistics.frames
    assert looking.events.next_reading().payload == b"LEFT LYING"
    assert looking.scanner.statistics.frames - before <= 3


def test_the_camera_is_open_only_while_it_is_listened_to(tmp_path, camera, pictures):
    video = film(tmp_path / "seen.avi", pictures.scene((pictures.qr(b"FILMED"), MIDDLE)), frames=200)
    scanner = CameraScanner("video", CameraScanner.Options(source=str(video)))
    scanner.start(camera.events.post)
    try:
        camera.events.status(DeviceState.READY)
        assert camera.events.wait_until(lambda: not is_open(video, scanner))
        assert scanner.statistics.frames == 0
        scanner.listen(True)
        assert camera.events.next_reading().payload == b"FILMED"
        assert is_open(video, scanner)
        scanner.listen(False)
        assert camera.events.wait_until(lambda: not is_open(video, scanner))
    finally:
        scanner.stop()


def test_decoders_that_fail_do_not_end_the_looking(camera, run_as_child):
    run_as_child("""
        import zxingcpp
        from hardware.code_scanner import decoder_child

        read_barcodes, faults = zxingcpp.read_barcodes, iter([RuntimeError("torn")] * 3)

        def failing_at_first(*args, **options):
            if fault := next(faults, None):
                raise fault
            return read_barcodes(*args, **options)

        decoder_child.try_decoders()
        decoder_child.try_decoders = lambda: setattr(zxingcpp, "read_barcodes", failing_at_first)
        decoder_child.main(sys.argv[1:])
    """)
    camera.start()
    camera.scanner.listen(True)
    camera.show(b"STILL HERE")
    assert camera.events.next_reading().payload == b"STILL HERE"
    assert camera.scanner.statistics.decoder_errors == 3
    assert camera.scanner.status.serving


def test_reads_a_video_and_is_absent_at_its_end(tmp_path, camera, pictures):
    video = film(tmp_path / "seen.avi", pictures.scene((pictures.qr(b"FILMED"), MIDDLE)), frames=6)
    scanner = CameraScanner("video", CameraScanner.Options(source=str(video)))
    scanner.listen(True)
    scanner.start(camera.events.post)
    try:
        assert camera.events.next_reading() == CodeScanned("video", b"FILMED")
        camera.events.status(DeviceState.ABSENT)
    finally:
        scanner.stop()


def test_a_missing_device_file_is_absent(camera):
    scanner = CameraScanner("none", CameraScanner.Options(source="/dev/video-not-there"))
    scanner.start(camera.events.post)
    try:
        assert camera.events.status(DeviceState.ABSENT).status.code == "SCANNER-ABSENT"
    finally:
        scanner.stop()


def test_frames_without_any_contrast_are_no_trouble(looking):
    looking.film([numpy.zeros((480, 640), numpy.uint8), numpy.full((480, 640), 255, numpy.uint8)])
    looking.wait_for_frames(8)
    assert looking.scanner.statistics.decoder_errors == 0
    looking.show(b"LIGHT AGAIN")
    assert looking.events.next_reading().payload == b"LIGHT AGAIN"


CAMERA_SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A camera's driver, as far as this one control goes; with the numbers of the kernel's own header. */
int ioctl(int fd, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (request == VIDIOC_S_CTRL) {
        struct v4l2_control *control = argument;
        if (control->id == V4L2_CID_POWER_LINE_FREQUENCY) {
            FILE *told = fopen(getenv("TOLD"), "a");
            fprintf(told, "%d\\n", control->value);
            fclose(told);
            return 0;
        }
    }
    return ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(fd, request, argument);
}
"""
_50_HZ = "1"  # V4L2_CID_POWER_LINE_FREQUENCY_50HZ


def test_a_cameras_anti_flicker_is_set_to_the_mains_by_the_kernels_own_call(tmp_path):
    source, shim, told = tmp_path / "shim.c", tmp_path / "shim.so", tmp_path / "told"
    source.write_text(CAMERA_SHIM)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True, timeout=30)
    subprocess.run(
        [sys.executable, "-c", "from hardware.code_scanner.capture import Capture; Capture('/dev/null', 640, 480)"],
        env=os.environ | {"LD_PRELOAD": str(shim), "TOLD": str(told)},
        check=True,
        timeout=30,
    )
    assert told.read_text().split() == [_50_HZ]


def test_a_camera_without_that_control_is_used_all_the_same():
    with pytest.raises(Absent):  # as it sends no picture, and not because it was refused the control
        Capture("/dev/null", 640, 480).grab()


# A Raspberry Pi's camera module

PICAMERA2 = """
import pathlib, runpy, sys, types

import cv2
import numpy

PADDING = 64  # bytes that libcamera adds to each row, half as many to one of a colour


class Picamera2:
    '''As much of picamera2's class as is called, and as strict: it sees the picture that lies in `view`.'''

    camera_controls = {"AeFlickerMode": (0, 1, 0), "AeFlickerPeriod": (100, 1_000_000, None)}  # and no AfMode

    def __init__(self, camera_num):
        if camera_num != 0:
            raise IndexError("list index out of range")
        self._started = False

    def create_video_configuration(self, main, colour_space, queue, controls):
        return {"main": main, "colour_space": colour_space, "queue": queue, "controls": controls}

    def configure(self, configuration):
        assert configuration["controls"] == {"AeFlickerMode": 1, "AeFlickerPeriod": 10_000}
        assert configuration["colour_space"] == "BT.601"
        assert configuration["queue"] is False and configuration["main"]["format"] == "YUV420"

    def start(self):
        self._started = True

    def _seen(self):
        return numpy.load(view)

    def camera_configuration(self):
        height, width, *_ = self._seen().shape
        return {"main": {"size": (width, height)}}

    def capture_array(self, name):
        assert self._started and name == "main"
        seen = self._seen()
        height, width, *_ = seen.shape
        yuv = numpy.full((height * 3 // 2, width + PADDING), 128, numpy.uint8)
        if seen.ndim == 2:
            yuv[:height, :width] = seen
            return yuv
        planes = cv2.cvtColor(seen, cv2.COLOR_RGB2YUV_I420)
        yuv[:height, :width] = planes[:height]
        colours = yuv[height:].reshape(2, height // 2, -1)
        colours[:, :, : width // 2] = planes[height:].reshape(2, height // 2, width // 2)
        return yuv


view, script, *arguments = sys.argv[1:]
color_space = types.SimpleNamespace(Smpte170m=lambda: "BT.601")
sys.modules["libcamera"] = types.SimpleNamespace(ColorSpace=color_space)
sys.modules["picamera2"] = types.SimpleNamespace(Picamera2=Picamera2)
sys.argv = [script, *arguments]
runpy.run_path(script, run_name="__main__")
"""


class PiCameraRig:
    """A kiosk's scanner over the real chain of processes, with a stand-in for picamera2 at its end."""

    def __init__(self, tmp_path, run_as_child, pictures) -> None:
        self.view, self._stand_in = tmp_path / "view.npy", tmp_path / "stand_in.py"
        self._stand_in.write_text(PICAMERA2)
        self._pictures = pictures
        self.show(pictures.scene())
        command = (sys.executable, str(self._stand_in), str(self.view))
        run_as_child(f"""
            from hardware.code_scanner import decoder_child, pi_camera

            pi_camera.COMMAND = pi_camera.COMMAND[:3] + {command!r}
            decoder_child.main(sys.argv[1:])
        """)

    def show(self, frame: numpy.ndarray) -> None:
        new = self.view.with_name("new.npy")
        numpy.save(new, frame)
        new.replace(self.view)

    def processes(self) -> list[int]:
        """Those that hold the camera."""
        lines = {path.parent.name: path for path in Path("/proc").glob("[0-9]*/cmdline")}
        found = []
        for pid, path in lines.items():
            with contextlib.suppress(OSError):
                if str(self._stand_in).encode() in path.read_bytes():
                    found.append(int(pid))
        return found


@pytest.fixture
def pi(tmp_path, run_as_child, pictures):
    return PiCameraRig(tmp_path, run_as_child, pictures)


@pytest.fixture
def scanner_of(camera):
    """`scanner_of(source)`: started, its events in `camera.events`."""
    made = []

    def start(source: str) -> CameraScanner:
        made.append(CameraScanner("module", CameraScanner.Options(source=source)))
        made[0].start(camera.events.post)
        return made[0]

    yield start
    for scanner in made:
        scanner.stop()


def test_a_camera_module_is_read_from_the_confined_process(pi, scanner_of, camera, pictures):
    scanner = scanner_of("picamera2:0")
    camera.events.status(DeviceState.READY)
    scanner.listen(True)
    pi.show(pictures.scene((pictures.qr(b"BY THE MODULE"), MIDDLE)))
    assert camera.events.next_reading() == CodeScanned("module", b"BY THE MODULE")
    assert scanner.statistics.decoder_errors == 0


def test_a_camera_module_shows_and_photographs_a_paper_in_its_colours(pi, scanner_of, camera, papers):
    paper = numpy.array(papers.good())
    paper[:100, :100] = RED
    pi.show(paper)
    scanner = scanner_of("picamera2:0")
    camera.events.status(DeviceState.READY)
    scanner.watch(True)
    frame = camera.events.wait_for(lambda event: isinstance(event, FrameSeen)).frame
    assert is_red(Image.frombytes("RGB", (frame.width_px, frame.height_px), frame.rgb))
    photo = scanner.take_photo()
    image = Image.open(io.BytesIO(photo.jpeg))
    assert photo.flaw is None and image.size == papers.good().size
    assert is_red(image)
    assert scanner.statistics.crashes == 0


RED = (200, 30, 40)


def is_red(image: Image.Image) -> bool:
    return numpy.allclose(image.getpixel((5, 5)), RED, atol=12)


def test_a_mistake_of_the_kiosks_own_ends_the_process_and_is_told(camera, run_as_child, monkeypatch):
    monkeypatch.setattr(decoder_process, "FIRST_PAUSE_S", 0.01)
    run_as_child("""
        from hardware.code_scanner import decoder_child

        decoder_child.CameraView.look = lambda self, size, descriptors: self.no_such_thing()
        decoder_child.main(sys.argv[1:])
    """)
    camera.start()
    camera.scanner.listen(True)
    assert camera.events.status(DeviceState.FAULT).status.code == "SCANNER-DECODER"


def test_a_camera_module_that_goes_is_absent_and_comes_back_and_leaves_no_process(pi, scanner_of, camera, wait_until):
    scanner = scanner_of("picamera2:0")
    camera.events.status(DeviceState.READY)
    scanner.listen(True)
    assert wait_until(lambda: scanner.statistics.frames)
    (module,) = pi.processes()
    os.kill(module, signal.SIGKILL)
    assert camera.events.status(DeviceState.ABSENT).status.code == "SCANNER-ABSENT"
    camera.events.status(DeviceState.READY)
    assert module not in pi.processes()
    scanner.stop()
    assert wait_until(lambda: not pi.processes())


def test_a_camera_module_that_is_not_there_is_absent(pi, scanner_of, camera):
    scanner_of("picamera2:1")
    assert camera.events.status(DeviceState.ABSENT).status.code == "SCANNER-ABSENT"


@pytest.mark.skipif(Path("/usr/lib/python3/dist-packages/picamera2").exists(), reason="picamera2 is installed here")
def test_without_picamera2_the_technician_is_told_what_to_install(scanner_of, camera):
    scanner_of("picamera2:0")
    assert camera.events.status(DeviceState.FAULT).status.code == "SCANNER-NO-PICAMERA2"
