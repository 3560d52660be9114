"""The letter story on real components: pcscd with a card, the printer's driver on a network printer, the camera's
decoders on pictures of the paper that came out, and touches in the real window."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy
import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageFilter
from support.pcsc import running_pcscd
from support.running_kiosk import RunningKiosk, changed_profile

from config.translations import say
from hardware.code_scanner.example_paper import example_paper
from hardware.printer.interpreter import Paper
from kiosk import demo
from kiosk.clock import Clock
from kiosk.demo.village import DEMO_CARDS, demo_residents
from kiosk.devices import Devices
from kiosk.office import Office

WITHIN_S = 30.0
FRAME_PX = (1280, 720)
#: At the camera's pace of looks this is more than a minute.
FRAMES = 900
BUDI = next(person for person in demo_residents() if person["name"] == "BUDI SANTOSO")


class View:
    """What lies before the camera: a folder of numbered pictures, put there anew for every scene."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._scenes = folder, 0
        self.source = folder / "view" / "%04d.png"
        self.show_nothing()

    def show_nothing(self) -> None:
        self.show(Image.new("L", FRAME_PX, 190))

    def show(self, frame: Image.Image) -> None:
        scene = self._folder / f"scene-{self._scenes}"
        self._scenes += 1
        scene.mkdir()
        cv2.imwrite(str(scene / "0000.png"), numpy.array(frame))
        for number in range(1, FRAMES):
            os.link(scene / "0000.png", scene / f"{number:04}.png")
        new = self._folder / "new-view"
        new.symlink_to(scene)
        new.replace(self._folder / "view")

    def show_code(self, paper: Paper) -> None:
        """A hand holds the paper's code before the camera: turned, a little out of focus."""
        picture = paper.image.convert("L")
        (code,) = zxingcpp.read_barcodes(numpy.array(picture), formats=zxingcpp.BarcodeFormat.QRCode)
        corners = (code.position.top_left, code.position.bottom_right)
        x, y = (sum(corner.x for corner in corners) // 2, sum(corner.y for corner in corners) // 2)
        part = picture.crop((x - 260, y - 260, x + 260, y + 260)).rotate(5, expand=True, fillcolor=255)
        frame = Image.new("L", FRAME_PX, 190)
        frame.paste(part, ((FRAME_PX[0] - part.width) // 2, (FRAME_PX[1] - part.height) // 2))
        self.show(frame.filter(ImageFilter.GaussianBlur(0.8)))


@pytest.fixture
def hall(tmp_path, make_kiosk, printer, network_printer) -> Iterator[SimpleNamespace]:
    """A kiosk none of whose devices is virtual to it, and what stands around it."""
    view = View(tmp_path)
    with running_pcscd(tmp_path) as pcscd:
        config = changed_profile(
            tmp_path / "hall.toml",
            ('[card_reader]\ndriver = "virtual"', '[card_reader]\ndriver = "pcsc"'),
            (
                '[code_scanner]\ndriver = "virtual"',
                f'[code_scanner]\ndriver = "camera"\noptions = {{ source = "{view.source}" }}',
            ),
            network_printer,
        )
        kiosk = make_kiosk(config=config, environment=pcscd.environment).start()
        yield SimpleNamespace(kiosk=kiosk, card=pcscd.card, printer=printer, view=view)


def photograph(hall: SimpleNamespace, key: str, paper: Image.Image) -> None:
    hall.view.show(paper)
    hall.kiosk.touch(f"photo:{key}")
    hall.kiosk.see("picture")
    hall.kiosk.touch("take", "use")
    hall.kiosk.see("desk:kk")
    hall.view.show_nothing()


def stored_photo(kiosk: RunningKiosk, key: str) -> Image.Image:
    """As an officer would see it, of the only request."""
    settings, _ = demo.settings_of(kiosk.state)
    office = Office.open(settings, Clock(), Devices(), printer=None, post=lambda event: None)
    try:
        ((request_id,),) = kiosk.rows("SELECT request_id FROM requirement_papers WHERE photo IS NOT NULL")
        return Image.open(io.BytesIO(office.papers.photo(request_id, key)))
    finally:
        office.close()


def look_alike(one: Image.Image, other: Image.Image) -> bool:
    small = [image.convert("L").resize((96, 54), Image.Resampling.BOX) for image in (one, other)]
    return numpy.count_nonzero(numpy.asarray(ImageChops.difference(*small)) > 24) < 50


def identify(kiosk: RunningKiosk, card) -> None:
    card.insert(uid=DEMO_CARDS["budi"])
    kiosk.type_pin()
    card.remove()


def test_a_resident_asks_for_a_letter_and_its_copy_is_genuine(hall):
    kiosk, printer = hall.kiosk, hall.printer
    kiosk.touch("start", "letter")
    kiosk.see("nik")
    identify(kiosk, hall.card)
    kiosk.touch("usaha", "suggestion:Toko kelontong")
    kiosk.see("field:2")
    kiosk.touch("key:ok", "suggestion:Mengajukan pinjaman bank")
    paper = example_paper().resize(FRAME_PX)
    photograph(hall, "pengantar_rt", paper)
    kiosk.touch("desk:kk", "send")
    (slip,) = printer.wait_for_paper(1, WITHIN_S)
    kiosk.see("view:result")
    ((number,),) = kiosk.rows("SELECT number FROM letter_requests WHERE state = 'submitted'")
    assert number in kiosk.do("read") and "Fotokopi KK" in kiosk.do("read")
    assert look_alike(stored_photo(kiosk, "pengantar_rt"), paper)
    assert not any(b"JFIF" in path.read_bytes() for path in kiosk.state.glob("kiosk.sqlite*"))
    kiosk.touch("done")
    kiosk.see("start")

    letter_number = kiosk.sign(number)
    identify(kiosk, hall.card)
    kiosk.touch("continue", number, "print")
    _, copy = printer.wait_for_paper(2, WITHIN_S)
    kiosk.see("view:result")
    kiosk.touch("done")

    check(hall, copy)
    told = kiosk.read()
    assert say("id", "letter_genuine") in told and letter_number in told and "B*** S******" in told
    assert "BUDI" not in told
    kiosk.touch("done")

    check(hall, slip)
    told = kiosk.read()
    assert say("id", "request_slip") in told and number in told
    kiosk.touch("done")
    kiosk.see("start")

    kiosk.office("withdraw", letter_number, "--reason", "Salah nama")
    check(hall, copy)
    assert say("id", "letter_withdrawn") in kiosk.read()

    assert printer.errors == [] and len(printer.papers) == 2 and copy.pulses == slip.pulses == 0
    assert kiosk.stop() == 0
    assert str(BUDI["nik"]) not in kiosk.log and DEMO_CARDS["budi"].hex() not in kiosk.log.lower()
    assert "ERROR" not in kiosk.log


def check(hall: SimpleNamespace, paper: Paper) -> None:
    hall.kiosk.touch("start", "check")
    hall.kiosk.see("view:scan")
    hall.view.show_code(paper)
    hall.kiosk.see("view:result")
    hall.view.show_nothing()


def test_real_devices_are_not_the_bench_s(hall):
    devices = hall.kiosk.do("state")["devices"]
    assert [devices[name] for name in ("reader", "scanner", "printer")] == [None, None, None]


def test_a_printer_that_was_without_power_prints_again(hall):
    hall.printer.power_off()
    hall.kiosk.wait_until(lambda: say("id", "printer_away_today") in hall.kiosk.read(), "the idle screen is silent")
    hall.printer.power_on()
    hall.kiosk.wait_until(lambda: say("id", "printer_away_today") not in hall.kiosk.read(), "it is not noticed")
    hall.kiosk.touch("start", "queue", "A")
    hall.kiosk.see("view:result")
    assert len(hall.printer.papers) == 1
