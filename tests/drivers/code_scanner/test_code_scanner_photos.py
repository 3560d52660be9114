"""What a scanner with a camera promises of papers, held by the real camera driver and by the bench's."""

import io
import os
import signal
import threading
import time
from pathlib import Path

import numpy
import pytest
from PIL import Image, ImageChops

from hardware.code_scanner import decoder_process
from hardware.code_scanner.interface import (
    FRAME_PX,
    LARGEST_JPEG_BYTES,
    CodeScanned,
    FrameSeen,
    PhotoFailed,
    PhotoFlaw,
    Picture,
)
from hardware.code_scanner.judging import flaw_of
from hardware.code_scanner.photographing import to_jpeg
from hardware.code_scanner.serial_port import SerialScanner
from hardware.code_scanner.virtual import VirtualScanner
from hardware.device import DeviceState


def opened(jpeg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


def image_of(frame: Picture) -> Image.Image:
    return Image.frombytes("RGB", (frame.width_px, frame.height_px), frame.rgb)


def look_alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether a hundredth of the pixels, made small, differ at most; a JPEG is not its picture dot for dot."""
    small = [image.convert("L").resize((96, 54), Image.Resampling.BOX) for image in (one, other)]
    difference = numpy.asarray(ImageChops.difference(*small))
    return numpy.count_nonzero(difference > 24) <= difference.size / 100


def next_frame(rig) -> Picture:
    return rig.events.wait_for(lambda event: isinstance(event, FrameSeen)).frame


def test_a_photo_is_the_whole_view_in_full_and_nothing_but_a_picture(photographer, papers):
    photographer.start()
    photographer.lay(papers.good())
    photo = photographer.scanner.take_photo()
    image = opened(photo.jpeg)
    assert photo.flaw is None
    assert (image.format, image.size) == ("JPEG", papers.good().size)
    assert look_alike(image, papers.good())
    assert len(photo.jpeg) <= LARGEST_JPEG_BYTES
    assert not image.getexif() and "comment" not in image.info
    assert "jpeg=" not in repr(photo)


@pytest.mark.parametrize("flaw", PhotoFlaw)
def test_a_photo_that_is_of_no_use_is_told_and_the_next_one_is_good(photographer, papers, flaw):
    photographer.start()
    photographer.lay(getattr(papers, flaw)())
    assert photographer.scanner.take_photo().flaw is flaw
    photographer.lay(papers.good())
    assert photographer.scanner.take_photo().flaw is None


def test_who_watches_sees_what_lies_there_and_what_comes_next(photographer, papers):
    photographer.lay(papers.empty())
    photographer.start()
    photographer.scanner.watch(True)
    assert look_alike(image_of(next_frame(photographer)), papers.empty())
    photographer.lay(papers.good())
    seen = photographer.events.wait_for(
        lambda event: isinstance(event, FrameSeen) and look_alike(image_of(event.frame), papers.good())
    )
    frame = seen.frame
    assert frame.width_px <= FRAME_PX[0] and frame.height_px <= FRAME_PX[1]
    assert "rgb" not in repr(seen)


def test_no_frame_comes_unasked_nor_after_the_watching(photographer):
    photographer.start()
    photographer.scanner.watch(True)
    next_frame(photographer)
    photographer.scanner.watch(False)
    photographer.events.drain()
    photographer.scanner.take_photo()
    assert photographer.events.drain() == []


def test_codes_are_read_before_and_after_and_not_meanwhile(photographer):
    photographer.start()
    photographer.scanner.listen(True)
    photographer.show(b"BEFORE")
    assert photographer.events.next_reading().payload == b"BEFORE"
    photographer.scanner.watch(True)
    next_frame(photographer)
    photographer.show(b"MEANWHILE")
    photographer.scanner.take_photo()
    assert all(isinstance(event, FrameSeen) for event in photographer.events.drain())
    photographer.show_nothing()
    photographer.scanner.watch(False)
    photographer.scanner.listen(False)
    photographer.scanner.listen(True)
    photographer.show(b"AFTER")
    assert photographer.events.wait_for(lambda event: isinstance(event, CodeScanned)).payload == b"AFTER"


def test_a_camera_that_is_away_takes_no_photo_and_says_why(photographer):
    photographer.start()
    photographer.scanner.watch(True)
    photographer.unplug()
    photographer.events.status(DeviceState.ABSENT)
    with pytest.raises(PhotoFailed) as failed:
        photographer.scanner.take_photo()
    assert failed.value.code == "SCANNER-ABSENT"
    photographer.plug()
    photographer.events.status(DeviceState.READY)
    assert photographer.scanner.take_photo().jpeg


def photo_in_a_thread(scanner) -> tuple[threading.Thread, list]:
    answers: list = []

    def take() -> None:
        try:
            answers.append(scanner.take_photo())
        except PhotoFailed as failed:
            answers.append(failed)

    thread = threading.Thread(target=take)
    thread.start()
    return thread, answers


def test_a_camera_that_goes_away_while_it_takes_a_photo_is_told(camera, monkeypatch):
    monkeypatch.setattr(decoder_process, "LOOK_S", 0.5)
    camera.start()
    camera.scanner.watch(True)
    next_frame(camera)
    os.kill(camera.scanner._photographer.pid, signal.SIGSTOP)  # it holds the photo up until the cable is out
    thread, answers = photo_in_a_thread(camera.scanner)
    camera.unplug()
    thread.join(10)
    assert [failed.code for failed in answers] == ["SCANNER-ABSENT"]
    camera.plug()
    camera.events.status(DeviceState.READY)
    assert camera.scanner.take_photo().flaw is PhotoFlaw.EMPTY


def test_a_process_that_dies_over_a_photo_is_replaced_and_the_photo_taken(camera, papers):
    camera.lay(papers.good())
    camera.start()
    camera.scanner.watch(True)
    next_frame(camera)
    os.kill(camera.scanner._photographer.pid, signal.SIGSEGV)
    assert camera.scanner.take_photo().flaw is None


def test_a_photo_that_does_not_come_in_time_is_given_up(virtual):
    virtual.start()
    with pytest.raises(PhotoFailed) as failed:
        virtual.scanner.take_photo(timeout_s=0.0)
    assert failed.value.code == "SCANNER-NO-PHOTO"
    assert virtual.scanner.take_photo().flaw is None


def test_stopping_ends_a_photo_under_way_at_once(camera):
    camera.start()
    camera.scanner.watch(True)
    next_frame(camera)
    os.kill(camera.scanner._photographer.pid, signal.SIGSTOP)
    thread, answers = photo_in_a_thread(camera.scanner)
    began_s = time.monotonic()
    camera.scanner.stop()
    thread.join(5)
    assert time.monotonic() - began_s < 1
    assert isinstance(answers[0], PhotoFailed)


def test_the_camera_is_closed_when_nobody_watches_any_more(camera):
    camera.start()
    camera.scanner.watch(True)
    next_frame(camera)
    pid = camera.scanner._photographer.pid
    camera.scanner.watch(False)
    assert camera.events.wait_until(lambda: not Path(f"/proc/{pid}").exists())
    assert camera.scanner._photographer.pid is None


LIES = {
    "too_long": "b'g' + bytes(5)",
    "too_large": "b'g\\xff\\xff\\xff\\xff'",
    "nothing_in_it": "b'g\\x00\\x00\\x00\\x00'",
    "half_a_picture": "b'g\\x0f\\xff\\x0f\\xff'",
    "a_code_instead": "b'cCODE'",
    "a_frame_instead": "b'f\\x00\\x10\\x00\\x10'",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_process_that_lies_about_a_photo_gives_none(virtual, run_as_child, monkeypatch, lie):
    monkeypatch.setattr(decoder_process, "FIRST_PAUSE_S", 0.01)
    virtual.start()
    run_as_child(f"""
        import socket

        kiosk = socket.socket(fileno=0)
        kiosk.send(b"r")
        kiosk.recv(8)
        kiosk.send(b"o")
        while kiosk.recv(8):
            kiosk.send({lie})
    """)
    with pytest.raises(PhotoFailed) as failed:
        virtual.scanner.take_photo()
    assert failed.value.code == "SCANNER-DECODER"


def test_a_scanner_without_a_camera_says_so(tmp_path):
    assert not SerialScanner("serial", SerialScanner.Options(port=str(tmp_path / "none"))).can_photograph
    assert not VirtualScanner("bench", VirtualScanner.Options(camera=False)).can_photograph


def test_any_photo_is_small_enough(papers):
    noise = numpy.random.default_rng(1).integers(0, 256, (1080, 1920, 3), numpy.uint8)
    jpeg = to_jpeg(Picture(1920, 1080, noise.tobytes()))
    assert 0 < len(jpeg) <= LARGEST_JPEG_BYTES
    assert opened(jpeg).width < 1920  # no quality would do


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (640, 480)], ids=str)
@pytest.mark.parametrize(
    ("paper", "flaw"),
    [
        ("good", None),
        ("dark", PhotoFlaw.DARK),
        ("blurred", PhotoFlaw.BLURRED),
        ("empty", PhotoFlaw.EMPTY),
        ("blank", PhotoFlaw.EMPTY),
    ],
)
def test_papers_are_judged_alike_at_any_size_and_through_a_cameras_noise(papers, paper, flaw, size):
    picture = numpy.asarray(getattr(papers, paper)().resize(size)).astype(float)
    noisy = numpy.random.default_rng(3).normal(0, 4, picture.shape) + picture
    assert flaw_of(numpy.clip(noisy, 0, 255).astype(numpy.uint8)) is flaw
