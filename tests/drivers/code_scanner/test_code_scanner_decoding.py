"""Pictures in, bytes out."""

import subprocess
import sys

import numpy
import pytest

from hardware.code_scanner.decoding import STEPS, CodeRefused, FrameDecoder, decode_qr
from hardware.code_scanner.motion import AFTER_MOTION_S, STILL_TRY_S, MotionGate

MIDDLE = (320, 240)


@pytest.fixture
def frame(pictures):
    return pictures.scene((pictures.qr(b"A LETTER"), MIDDLE))


@pytest.mark.parametrize("turn_deg", [0, 30, 90, 135, 180, 300])
def test_reads_at_any_angle(pictures, frame, turn_deg):
    assert decode_qr(pictures.seen_by_camera(frame, turn_deg=turn_deg)) == b"A LETTER"


def test_reads_a_dark_mode_screen(frame):
    assert decode_qr(255 - frame) == b"A LETTER"


def test_reads_every_byte_as_it_is(pictures):
    every_byte = bytes(range(256))
    assert decode_qr(pictures.scene((pictures.qr(every_byte), MIDDLE))) == every_byte


def test_zbar_reads_what_zxing_cpp_does_not(pictures, frame):
    """Very dark: without the second opinion nothing is read."""
    import zxingcpp

    dark = pictures.seen_by_camera(frame, light=0.05, noise=1)
    assert not zxingcpp.read_barcodes(dark, formats=zxingcpp.BarcodeFormat.QRCode)
    assert decode_qr(dark) == b"A LETTER"


def test_the_frames_of_one_view_together_read_more_than_one_frame(pictures, frame):
    """Under one and the same specks the plain frame is lost and an enhanced one is read."""
    specks = pictures.specks(frame)
    assert decode_qr(specks) is None
    decoder = FrameDecoder()
    assert b"A LETTER" in [decoder.decode(specks) for _ in range(STEPS)]


def test_of_two_codes_the_one_nearer_to_the_middle_wins(pictures):
    aimed_at, beside = pictures.qr(b"AIMED AT", box_px=3), pictures.qr(b"BESIDE", box_px=3)
    assert decode_qr(pictures.scene((aimed_at, (350, 250)), (beside, (120, 120)))) == b"AIMED AT"
    assert decode_qr(pictures.scene((aimed_at, (120, 120)), (beside, (350, 250)))) == b"BESIDE"


@pytest.mark.parametrize("index", [0, 1, 2])
def test_refuses_any_part_of_a_code(pictures, index):
    with pytest.raises(CodeRefused):
        decode_qr(pictures.scene((pictures.part(b"SOME OF IT", index, 3), MIDDLE)))


def test_refuses_a_part_that_only_zxing_cpp_reads(pictures):
    with pytest.raises(CodeRefused):
        decode_qr(255 - pictures.scene((pictures.part(b"DARK MODE"), MIDDLE)))


def test_reads_nothing_in_noise():
    noise = numpy.random.default_rng(7).integers(0, 256, (480, 640), numpy.uint8)
    assert FrameDecoder().decode(noise) is None


def test_the_drivers_are_light_to_import():
    """The start-up budget is about 100 ms for the whole kiosk: nobody has asked for a code yet."""
    lines = (
        "import sys",
        "import hardware.code_scanner.camera, hardware.code_scanner.serial_port, hardware.code_scanner.virtual",
        "print(*{'cv2', 'numpy', 'zxingcpp', 'pyzbar', 'serial', 'PIL'} & set(sys.modules))",
    )
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_gate_opens_for_motion_stays_open_for_a_moment_and_shuts(frame):
    gate, empty = MotionGate(), numpy.full((480, 640), 200, numpy.uint8)
    assert gate.lets_pass(empty, 10.0)
    assert gate.lets_pass(empty, 10.0 + AFTER_MOTION_S - 0.1)
    assert not gate.is_still
    assert not gate.lets_pass(empty, 10.0 + AFTER_MOTION_S)
    assert gate.lets_pass(frame, 12.0)


def test_gate_tries_a_still_view_once_in_a_while():
    gate, empty = MotionGate(), numpy.full((480, 640), 200, numpy.uint8)
    passed = [gate.is_still for tenth in range(600) if gate.lets_pass(empty, tenth / 10)]
    assert passed.count(False) == 10 * AFTER_MOTION_S
    assert len(passed) == pytest.approx(60 / STILL_TRY_S + 10 * AFTER_MOTION_S, abs=5)


def test_gate_takes_a_change_of_light_for_no_motion(frame):
    gate = MotionGate()
    gate.lets_pass(frame // 2, 0.0)
    gate.lets_pass(frame // 2, 1.9)
    assert not gate.lets_pass(frame // 2 + 30, 2.0)


def test_gate_takes_sensor_noise_for_no_motion(pictures, frame):
    gate = MotionGate()
    gate.lets_pass(pictures.seen_by_camera(frame, noise=12, seed=1), 0.0)
    gate.lets_pass(pictures.seen_by_camera(frame, noise=12, seed=2), 1.9)
    assert not gate.lets_pass(pictures.seen_by_camera(frame, noise=12, seed=3), 2.0)


def test_gate_notices_a_small_code_anywhere(pictures):
    gate, empty = MotionGate(), numpy.full((480, 640), 200, numpy.uint8)
    gate.lets_pass(empty, 0.0)
    gate.lets_pass(empty, 1.9)
    small = pictures.scene((pictures.qr(b"SMALL", box_px=2), (60, 60)))
    assert gate.lets_pass(small, 2.0)


def test_a_glance_reads_a_code_and_spares_zbar(frame, monkeypatch):
    monkeypatch.setattr(
        "pyzbar.pyzbar.decode", lambda *arguments, **options: pytest.fail("zbar takes ten times as long")
    )
    assert FrameDecoder().glance(numpy.full_like(frame, 200)) is None
    monkeypatch.undo()
    assert FrameDecoder().glance(frame) == b"A LETTER"
