"""`kiosk printer probe`: the profile that it writes is the printer's own, whatever the printer can tell."""

import io
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from hardware.device import DeviceError
from hardware.printer import commands, probe
from hardware.printer.codes import PrinterCode
from hardware.printer.interface import Acknowledgement, PrinterProfile
from hardware.printer.profiles import load_profile
from hardware.printer.transport import parse_connection
from hardware.printer.virtual import VirtualPrinter
from kiosk.app import load_printer_profile
from kiosk.cli import main


@pytest.fixture(autouse=True)
def quick_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "ANSWER_WITHIN_S", 0.1)
    monkeypatch.setattr(probe, "PRINTED_WITHIN_S", 3.0)
    monkeypatch.setattr(probe, "SHEET_MM", 20.0)


@pytest.fixture
def run(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """`run(connection, *options, answers="")`: exit status, standard output, standard error."""

    def run_(connection: str, *options: str, answers: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(answers))
        status = main(["printer", "probe", "--connection", connection, *options])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run_


ALL_ANSWERED = ("--width-dots", "B", "--ruler-mm", "50", "--cutter", "yes")


@pytest.mark.parametrize("port", ["tcp", "pty"])
@pytest.mark.parametrize("acknowledgement", [Acknowledgement.PROCESS_ID, Acknowledgement.IN_ORDER])
def test_a_printer_that_answers_is_described(run, tmp_path: Path, port, acknowledgement) -> None:
    written = tmp_path / "front.toml"
    with VirtualPrinter(port=port, acknowledgement=acknowledgement, head_mm_per_s=250.0) as outside:
        status, _, said = run(outside.connection, "--write", str(written), *ALL_ANSWERED)
        (sheet,) = outside.papers
        assert outside.errors == []
    assert status == 0, said
    profile = load_profile(written)
    assert profile == PrinterProfile(
        "Anjungan Virtual", 576, 8.0, True, acknowledgement, profile.head_mm_per_s, "default"
    )
    assert 170 < profile.head_mm_per_s < 320
    assert "firmware 1.00" in written.read_text()
    assert sheet.text.splitlines()[0].startswith("---") and sheet.text.splitlines()[-1].startswith("---")


def test_a_printer_that_never_answers_is_never_to_be_believed(run) -> None:
    with VirtualPrinter(384, acknowledgement=Acknowledgement.NONE, head_mm_per_s=2000.0) as outside:
        status, text, said = run(outside.connection, "--width-dots", "A", "--ruler-mm", "50", "--cutter", "no")
        assert len(outside.wait_for_paper(1, 5)) == 1
    assert status == 0
    assert 'acknowledgement = "none"' in text
    assert 'name = "unnamed printer"' in text
    assert "could not be measured" in text
    assert "every resident will be asked" in said


def test_one_that_acknowledges_before_it_prints_is_not_believed(run) -> None:
    with VirtualPrinter(head_mm_per_s=20_000.0) as outside:
        _, text, said = run(outside.connection, *ALL_ANSWERED)
    assert 'acknowledgement = "none"' in text
    assert "before it has printed" in said


def test_one_that_does_not_know_its_name(run) -> None:
    with VirtualPrinter(identity={}, head_mm_per_s=400.0) as outside:
        _, text, said = run(outside.connection, *ALL_ANSWERED)
    assert 'acknowledgement = "process_id"' in text
    assert "maker not told, model not told" in said


def test_a_known_model_gets_its_own_code_pages_and_quotes_do_no_harm(run, tmp_path: Path) -> None:
    written = tmp_path / "front.toml"
    with VirtualPrinter(identity={66: 'EP"SON', 67: "TM-T88V"}, head_mm_per_s=400.0) as outside:
        assert run(outside.connection, "--write", str(written), *ALL_ANSWERED)[0] == 0
    assert load_profile(written).name == 'EP"SON TM-T88V'
    assert load_profile(written).escpos_profile == "TM-T88V"


def test_the_technician_answers_by_the_sheet(run) -> None:
    with VirtualPrinter(head_mm_per_s=400.0) as outside:
        status, text, said = run(outside.connection, answers="Z\n577\nc\n5000\n56,5\nperhaps\nno\n")
    assert status == 0
    assert "width_dots = 832" in text and "dots_per_mm = 7.08" in text and "has_cutter = false" in text
    assert [line in said for line in ("'Z' is neither", "'577' is neither", "'5000' is no length")] == [True] * 3
    assert "'perhaps' is neither yes nor no" in said


def test_nobody_to_answer(run) -> None:
    with VirtualPrinter(head_mm_per_s=400.0) as outside:
        status, text, said = run(outside.connection, "--width-dots", "576", answers="\n")
    assert (status, text) == (2, "")
    assert "give --cutter" in said


def test_a_file_that_is_there_is_never_overwritten_and_no_paper_is_spent(run, tmp_path: Path) -> None:
    written = tmp_path / "front.toml"
    written.write_text("mine")
    with VirtualPrinter() as outside:
        status, _, said = run(outside.connection, "--write", str(written), *ALL_ANSWERED)
        assert outside.received_bytes == 0
    assert status == 2
    assert "is there already" in said
    assert written.read_text() == "mine"


def test_what_cannot_be_written_is_not_lost(run, tmp_path: Path) -> None:
    with VirtualPrinter(head_mm_per_s=400.0) as outside:
        status, text, said = run(outside.connection, "--write", str(tmp_path / "none" / "x.toml"), *ALL_ANSWERED)
    assert status == 2
    assert "width_dots = 576" in text
    assert "cannot be written" in said


def test_a_wrong_url(run) -> None:
    status, _, said = run("lpt1")
    assert status == 2
    assert "must begin with" in said


def test_nobody_is_there(run) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        status, _, said = run(f"tcp://127.0.0.1:{reserved.getsockname()[1]}")
    assert status == 1
    assert PrinterCode.ABSENT in said
    assert "Periksa kabel" in said and "Check the printer's" in said


@pytest.mark.parametrize(
    ("happen", "code"),
    [(VirtualPrinter.paper_out, PrinterCode.PAPER_OUT), (VirtualPrinter.open_cover, PrinterCode.COVER_OPEN)],
)
def test_a_printer_that_cannot_print_is_mended_first(run, happen, code) -> None:
    with VirtualPrinter() as outside:
        happen(outside)
        status, _, said = run(outside.connection, *ALL_ANSWERED)
        assert outside.hanging.image.height == 0
    assert status == 1
    assert code in said


def test_paper_that_ends_in_the_middle_is_told(monkeypatch) -> None:
    monkeypatch.setattr(probe, "PRINTED_WITHIN_S", 0.5)
    with VirtualPrinter(paper_mm=60, head_mm_per_s=400.0) as outside:
        with pytest.raises(DeviceError) as caught, probe.Probe(parse_connection(outside.connection)) as probing:
            probing.ask()
    assert caught.value.status.code == PrinterCode.PAPER_OUT


@pytest.mark.parametrize(("width", "whole"), [(384, 1), (576, 2), (832, 3)])
def test_the_rulers_that_end_in_a_block_are_those_that_fit(width: int, whole: int) -> None:
    with VirtualPrinter(width, head_mm_per_s=400.0) as outside:
        with probe.Probe(parse_connection(outside.connection)) as probing:
            probing.ask()
            probing.cut()
        image = outside.wait_for_paper(1, 5)[0].image
    blocks = 0
    for ruler in probe.WIDTHS_DOTS.values():
        columns = [image.crop((x, 0, x + 1, image.height)) for x in (ruler - 1, ruler - 24)]
        blocks += all(column.tobytes().count(0) >= 60 for column in columns) and ruler <= width
    assert blocks == whole


def test_the_settings_name_a_profile_of_their_own(tmp_path: Path) -> None:
    answers = probe.Answers("A", "B", "", Acknowledgement.IN_ORDER, "it answers GS r", 120.7)
    text = probe.profile_text(answers, width_dots=384, dots_per_mm=8.0, has_cutter=False)
    (tmp_path / "printer.toml").write_text(text)
    assert load_printer_profile(tmp_path / "kiosk.toml", "printer.toml").head_mm_per_s == 120.0
    assert load_printer_profile(tmp_path / "kiosk.toml", "generic-58mm").width_dots == 384


def test_letters_and_numbers_of_the_width() -> None:
    assert commands._width("b") == commands._width("576") == 576
