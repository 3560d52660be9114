"""The bench with paper: the real driver prints on the virtual printer."""

import base64
import io
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageChops

from hardware.bench.world import BenchError
from hardware.code_scanner.interface import CodeScanned
from hardware.device import DeviceState
from hardware.printer.interface import PrintOutcome

PATIENCE_S = 10.0


def same_dots(one: Image.Image, other: Image.Image) -> bool:
    """Whether `one`, without the blank paper after it, is `other` without it."""
    return ImageChops.difference(_inked(one), _inked(other)).getbbox() is None


def _inked(image: Image.Image) -> Image.Image:
    black = ImageChops.invert(image.convert("L"))
    return black.crop((0, 0, black.width, black.getbbox()[3]))


def test_the_paper_that_is_saved_is_the_page_that_was_printed(printing_bench, page, tmp_path):
    assert printing_bench.printer.print(page).outcome is PrintOutcome.PRINTED
    assert printing_bench.client.call("wait-paper", "1") == 1
    saved = printing_bench.client.call("save-paper", str(tmp_path))
    assert saved == str(tmp_path / "paper-1.png")
    with Image.open(saved) as paper:
        assert same_dots(paper, page.image)


def test_the_qr_that_was_printed_last_is_read_off_the_paper(printing_bench, page):
    with pytest.raises(BenchError, match="no paper has come out yet"):
        printing_bench.client.call("show-qr", "last")
    printing_bench.printer.print(page)
    printing_bench.client.call("wait-paper", "1")
    printing_bench.client.call("show-qr", "last")
    assert printing_bench.heard.next(CodeScanned).payload == b"HTTPS://CEK.DESA.ID/S/A1"


def test_wait_paper_waits_and_holds_up_nobody_else(printing_bench, page):
    with ThreadPoolExecutor(1) as waiter, printing_bench.client.subscribe() as subscription:
        waiting = waiter.submit(printing_bench.client.call, "wait-paper", "1", "30")
        assert next(iter(subscription))["state"]["papers"] == 0
        printing_bench.client.call("tap", "siti")
        assert not waiting.done()
        printing_bench.printer.print(page)
        assert waiting.result(PATIENCE_S) == 1


def test_wait_paper_gives_up_in_its_time(printing_bench):
    with pytest.raises(BenchError, match="0 papers have come out, not 2"):
        printing_bench.client.call("wait-paper", "2", "0")


@pytest.mark.parametrize(("count", "told"), [("many", "'many' is no number of papers"), ("0", "from 1 up")])
def test_a_wrong_count_is_told(printing_bench, count, told):
    with pytest.raises(BenchError, match=told):
        printing_bench.client.call("wait-paper", count)


def test_a_subscriber_gets_old_papers_and_new_ones(printing_bench, page):
    printing_bench.printer.print(page)
    printing_bench.client.call("wait-paper", "1")
    with printing_bench.client.subscribe() as subscription:
        papers = (event for event in subscription if event["event"] == "paper")
        assert next(papers)["number"] == 1
        printing_bench.printer.print(page)
        newest = next(papers)
        assert newest["number"] == 2
        with Image.open(io.BytesIO(base64.b64decode(newest["png"]))) as paper:
            assert same_dots(paper, page.image)


@pytest.mark.parametrize(
    ("fault", "fact", "repair", "bad"),
    [
        (["paper-out"], "paper_out", ["refill"], DeviceState.FAULT),
        (["paper-near-end"], "paper_near_end", ["refill"], DeviceState.ATTENTION),
        (["open-cover"], "cover_open", ["close-cover"], DeviceState.FAULT),
        (["jam"], "jammed", ["clear-jam"], DeviceState.FAULT),
        (["power-off", "printer"], "powered_off", ["power-on", "printer"], DeviceState.ABSENT),
        (["unplug", "printer"], "unplugged", ["plug", "printer"], DeviceState.ABSENT),
    ],
)
def test_what_breaks_outside_is_a_status_inside_until_it_is_repaired(printing_bench, fault, fact, repair, bad):
    printing_bench.client.call(*fault)
    printing_bench.heard.status("printer", bad)
    assert printing_bench.client.call("state")["printer"][fact]
    printing_bench.client.call(*repair)
    printing_bench.heard.status("printer", DeviceState.READY)
    assert not printing_bench.client.call("state")["printer"][fact]


def test_paper_that_ends_in_the_middle_hangs_in_the_printer(printing_bench, page):
    printing_bench.client.call("fail-at-row", "200")
    assert printing_bench.printer.print(page).outcome is not PrintOutcome.PRINTED
    state = printing_bench.client.call("state")
    assert state["papers"] == 0
    assert state["printer"]["paper_out"]
    assert state["printer"]["hanging_rows"] >= 200


def test_bytes_that_nobody_understands_are_shown_as_errors(printing_bench):
    printing_bench.printer.stop()  # a printer has one host at a time
    printing_bench.printer.outside.start()
    address = urlsplit(printing_bench.printer.outside.connection)
    with socket.create_connection((address.hostname, address.port)) as host:
        host.sendall(b"\x1b@\x1d\x99\x1dV\x00")
        printing_bench.client.call("wait-paper", "1")
    (error,) = printing_bench.client.call("state")["errors"]
    assert error.startswith("unknown command 1d 99 at byte ")
