"""The bench's page printer and its reader with a SAM, driven by the commands that people type."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from types import SimpleNamespace

import pytest

from hardware.bench.client import BenchClient
from hardware.bench.server import BenchServer
from hardware.bench.world import BenchError, World
from hardware.card_reader.interface import Biodata, Card
from hardware.card_reader.virtual import VirtualCardReader
from hardware.card_reader.virtual_sam import VirtualSamReader
from hardware.page_printer import ipp
from hardware.page_printer.ipp import Paper
from hardware.page_printer.virtual import VirtualPagePrinter
from hardware.printer.interface import PrintOutcome

PATIENCE_S = 5.0
PDF = b"%PDF-1.4\n1 0 obj << /Type /Page >>\nendobj\n2 0 obj << /Type /Page >>\nendobj\n"
SITI = Biodata("3523124107909001", "SITI CONTOH", date(1990, 7, 1), "TUBAN")


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[SimpleNamespace]:
    monkeypatch.setattr(ipp, "LOOK_SERVING_EVERY_S", 0.05)
    monkeypatch.setattr(ipp, "LOOK_FAULTY_EVERY_S", 0.05)
    monkeypatch.setattr(ipp, "LOOK_WITHIN_S", 0.3)
    printer = VirtualPagePrinter("page_printer", VirtualPagePrinter.Options(Paper.F4, page_s=0.02))
    reader = VirtualSamReader("reader", VirtualCardReader.Options())
    cards = {"siti": Card(b"\x04\x01\x02\x03"), "nobody": Card(b"\x04\x01\x02\x04")}
    world = World(reader, None, None, cards, page_printer=printer, biodata={"siti": SITI})
    server = BenchServer(world, tmp_path / "bench.sock")
    server.start()
    for device in (printer, reader):
        device.start(world.watch(lambda event: None))
        assert device.wait_for_status(lambda status: status.serving, PATIENCE_S).serving
    yield SimpleNamespace(world=world, printer=printer, client=BenchClient(server.socket_path))
    server.stop()
    for device in (printer, reader):
        device.stop()


def wait_for_code(bench, code: str) -> None:
    assert bench.printer.wait_for_status(lambda status: status.code == code, PATIENCE_S).code == code


def test_its_pages_are_waited_for_and_its_document_is_saved(bench, tmp_path):
    with pytest.raises(BenchError, match="nothing has been sent to the page printer yet"):
        bench.client.call("save-page", str(tmp_path / "letter.pdf"))
    with ThreadPoolExecutor(1) as pool:
        printing = pool.submit(bench.printer.print_pdf, PDF, "470/12")
        assert bench.client.call("wait-pages", "2") == 2
        assert printing.result().outcome is PrintOutcome.PRINTED
    assert bench.client.call("state")["pages"] == 2
    saved = bench.client.call("save-page", str(tmp_path / "letter.pdf"))
    assert (tmp_path / "letter.pdf").read_bytes() == PDF and saved == str(tmp_path / "letter.pdf")


@pytest.mark.parametrize(
    ("wrong", "right", "code", "fact"),
    [
        ("paper-out", "refill", "PAGE-PRINTER-PAPER-OUT", "paper_out"),
        ("paper-near-end", "refill", "PAGE-PRINTER-PAPER-NEAR-END", "paper_near_end"),
        ("open-cover", "close-cover", "PAGE-PRINTER-COVER-OPEN", "cover_open"),
        ("jam", "clear-jam", "PAGE-PRINTER-JAM", "jammed"),
        ("power-off", "power-on", "PAGE-PRINTER-ABSENT", "powered_off"),
        ("silence", "answer", "PAGE-PRINTER-NO-ANSWER", "silent"),
    ],
)
def test_what_happens_to_it_is_its_status_until_it_is_put_right(bench, wrong, right, code, fact):
    bench.client.call(wrong, "page-printer")
    assert bench.client.call("state")["page_printer"][fact]
    wait_for_code(bench, code)
    bench.client.call(right, "page-printer")
    wait_for_code(bench, "")
    assert not bench.client.call("state")["page_printer"][fact]


def test_a_fault_of_another_device_is_refused(bench):
    with pytest.raises(BenchError, match="only a printer can do that, not 'reader'; there are: printer, page-printer"):
        bench.client.call("jam", "reader")
    with pytest.raises(BenchError, match="the kiosk's printer is not a virtual one"):
        bench.client.call("jam")


def test_a_cards_biodata_is_read_and_its_nik_not_told(bench):
    with pytest.raises(BenchError, match="no card that can be read"):
        bench.client.call("read-biodata")
    bench.client.call("tap", "siti")
    assert bench.client.call("read-biodata") == "SITI CONTOH, TUBAN 01-07-1990, NIK ends in 9001"
    bench.client.call("tap", "nobody")
    assert bench.client.call("read-biodata") == "nobody's card has no biodata"
    bench.client.call("tap", "siti", "BIODATA-GARBLED")
    with pytest.raises(BenchError, match="BIODATA-GARBLED"):
        bench.client.call("read-biodata")
    bench.client.call("take-card")
    with pytest.raises(BenchError, match="no card that can be read"):
        bench.client.call("read-biodata")


def test_an_ordinary_reader_reads_none():
    world = World(
        VirtualCardReader("reader", VirtualCardReader.Options()), None, None, {"siti": Card(b"\x04\x01\x02\x03")}
    )
    for command in (["read-biodata"], ["tap", "siti", "BIODATA-GARBLED"]):
        with pytest.raises(BenchError, match="reads no biodata"):
            world.run(command[0], command[1:])
