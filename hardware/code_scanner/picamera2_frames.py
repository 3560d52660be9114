"""Frames of a Raspberry Pi's camera module: a program of its own, started by `pi_camera.py`.

    /usr/bin/python3 -I picamera2_frames.py CAMERA_NUMBER WIDTH_PX HEIGHT_PX

Debian's own Python runs it, because picamera2 and libcamera's binding exist as packages of Raspberry Pi OS only; so it
imports nothing of the kiosk. The libraries are loaded at once. The first byte of standard input opens the camera; each
byte is answered with one frame on standard output: width and height (`FRAME_SIZE`), then the grey pixels, row by row.
"""

import struct
import sys

#: `struct` format of what stands before each frame.
FRAME_SIZE = "!HH"
#: Exit status where picamera2 is not installed.
NO_PICAMERA2 = 3

#: For Indonesia's mains: lamps on 50 Hz flicker every 10 000 µs (libcamera: AeFlickerMode 1 is Manual). AfMode 2 is
#: Continuous: the paper is nearer than what the camera module 3 looks at otherwise.
_CONTROLS = {"AeFlickerMode": 1, "AeFlickerPeriod": 10_000, "AfMode": 2}


def opened(camera_number: int, width_px: int, height_px: int):
    """The camera, started. Frames that nobody asked for are not kept (`queue`): each is as the view is now."""
    camera = Picamera2(camera_number)
    controls = {name: value for name, value in _CONTROLS.items() if name in camera.camera_controls}
    main = {"size": (width_px, height_px), "format": "YUV420"}
    camera.configure(camera.create_video_configuration(main=main, queue=False, controls=controls))
    camera.start()
    return camera


def serve(camera_number: int, width_px: int, height_px: int) -> None:
    orders, frames = sys.stdin.buffer, sys.stdout.buffer
    if not orders.read(1):
        return
    camera = opened(camera_number, width_px, height_px)
    width_px, height_px = camera.camera_configuration()["main"]["size"]  # libcamera may have chosen another
    while True:
        grey = camera.capture_array("main")[:height_px, :width_px]  # the colours follow below, the padding beside
        frames.write(struct.pack(FRAME_SIZE, width_px, height_px) + grey.tobytes())
        frames.flush()
        if not orders.read(1):
            return


if __name__ == "__main__":
    try:
        from picamera2 import Picamera2
    except ImportError:
        sys.exit(NO_PICAMERA2)
    serve(*map(int, sys.argv[1:]))
