"""Printer models are data, and a mistyped file says what is wrong in it."""

from importlib.resources import files
from pathlib import Path

import pytest
from escpos.capabilities import CAPABILITIES

from hardware.printer.interface import Acknowledgement
from hardware.printer.profiles import ProfileError, load_profile

SHIPPED = sorted((files("config") / "printers").iterdir(), key=lambda file: file.name)
GOOD = """
name = "x"
width_dots = 576
dots_per_mm = 8.0
has_cutter = true
acknowledgement = "in_order"
head_mm_per_s = 150.0
escpos_profile = "default"
"""


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_shipped_profile_loads(file) -> None:
    profile = load_profile(file)
    assert profile.width_dots in (384, 512, 576, 832)
    assert profile.escpos_profile in CAPABILITIES["profiles"]


def test_these_are_shipped() -> None:
    assert [file.name for file in SHIPPED] == [
        "epson-tm-t82.toml",
        "epson-tm-t88iii.toml",
        "generic-58mm.toml",
        "generic-80mm.toml",
        "virtual-80mm.toml",
        "wide-112mm.toml",
    ]


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert load_profile(path).acknowledgement is Acknowledgement.IN_ORDER


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("width_dots = 576", "width_dots = '576'"), r"width_dots: Expected `int`"),
        (("width_dots = 576", "width_dots = 577"), r"width_dots: must be a multiple of 8"),
        (("width_dots = 576", "width_dots = 8"), r"width_dots: must lie between"),
        (("head_mm_per_s = 150.0", "head_mm_per_s = 0"), r"head_mm_per_s: must lie between"),
        (('"in_order"', '"maybe"'), r"acknowledgement: Invalid enum value 'maybe'"),
        (("has_cutter", "cutter"), r"cutter: unknown key"),
        (('name = "x"', ""), r"missing required field `name`"),
        (('name = "x"', "name = "), r"is not TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, change: tuple[str, str], reason: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(ProfileError, match=reason) as caught:
        load_profile(path)
    assert str(path) in str(caught.value)


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="there is no such printer profile"):
        load_profile(tmp_path / "none.toml")
