"""Frames of a Raspberry Pi's camera module: a program of its own, started by `pi_camera.py`.

    /usr/bin/python3 -I picamera2_frames.py CAMERA_NUMBER WIDTH_PX HEIGHT_PX

Debian's own Python runs it, because picamera2 and libcamera's binding exist as packages of Raspberry Pi OS only; so it
imports nothing of the kiosk. The libraries are loaded at once. The first byte of standard input opens the camera; each
byte is answered with one frame on standard output: width and height (`FRAME_SIZE`), then its three planes without
padding, row by row: grey, and at half its width and height the two colours (I420).
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
    colours = ColorSpace.Smpte170m()  # BT.601, which OpenCV converts; picamera2's own choice depends on the size
    camera.configure(camera.create_video_configuration(main=main, colour_space=colours, queue=False, controls=controls))
    camera.start()
    return camera


def planes(picture, width_px: int, height_px: int):
    """Grey and the two colours of what picamera2 gives: the colours below the grey, and padding beside each row."""
    yield picture[:height_px, :width_px]
    for colour in picture[height_px:].reshape(2, height_px // 2, -1):
        yield colour[:, : width_px // 2]


def serve(camera_number: int, width_px: int, height_px: int) -> None:
    orders, frames = sys.stdin.buffer, sys.stdout.buffer
    if not orders.read(1):
        return
    camera = opened(camera_number, width_px, height_px)
    width_px, height_px = camera.camera_configuration()["main"]["size"]  # libcamera may have chosen another
    while True:
        frames.write(struct.pack(FRAME_SIZE, width_px, height_px))
        for plane in planes(camera.capture_array("main"), width_px, height_px):
            frames.write(plane.tobytes())
        frames.flush()
        if not orders.read(1):
            return


if __name__ == "__main__":
    try:
        from libcamera import ColorSpace
        from picamera2 import Picamera2
    except ImportError:
        sys.exit(NO_PICAMERA2)
    serve(*map(int, sys.argv[1:]))
