"""`kiosk letters check`: what is wrong with a village's letters, and what the others look like."""

from pathlib import Path

import pytest
from PIL import Image

from kiosk.cli import FAILED, OK, main
from kiosk.letter_types import DIRECTORY


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """A village's own directory with two letters."""
    directory = tmp_path / "letters"
    directory.mkdir()
    for name in ("biodata.toml", "sktm.toml"):
        (directory / name).write_bytes((DIRECTORY / name).read_bytes())
    return directory


def check(*arguments: object) -> int:
    return main(["letters", "--demo", "check", *map(str, arguments)])


def test_the_letters_of_the_product_are_right(capsys: pytest.CaptureFixture) -> None:
    assert check() == OK
    said = capsys.readouterr()
    assert "16 letter types can be used\n" in said.out and not said.err


def test_a_wrong_file_is_named_and_the_others_are_drawn(
    letters: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    source = (letters / "sktm.toml").read_text("utf-8").replace('kind = "amount"', 'kind = "money"')
    (letters / "sktm.toml").write_text(source, "utf-8")
    assert check(letters, "--samples", tmp_path / "samples") == FAILED
    said = capsys.readouterr()
    line = source.splitlines().index('kind = "money"') + 1
    assert said.err.startswith(f"{letters / 'sktm.toml'}:{line}: field[1].kind: ")
    assert "1 letter types can be used, 1 cannot" in said.out
    pictures = {path.name for path in (tmp_path / "samples").glob("*.png")}
    assert pictures == {f"biodata-{data}-{mm}mm.png" for data in ("short", "long") for mm in (58, 80, 112)}
    papers = {path.name: path.read_bytes()[:5] for path in (tmp_path / "samples").glob("*.pdf")}
    assert papers == {"biodata-short-F4.pdf": b"%PDF-", "biodata-long-F4.pdf": b"%PDF-"}
    assert Image.open(tmp_path / "samples" / "biodata-long-58mm.png").width == 384


def test_a_directory_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert check(tmp_path / "nowhere") == FAILED
    assert "cannot be read" in capsys.readouterr().err
