"""The numbers of the theme, computed."""

import pytest

from screens import theme as colours
from screens.theme import Theme, contrast

TEXTS = [
    (colours.INK, colours.PAPER),
    (colours.INK, colours.CARD),
    (colours.INK, colours.BRAND_TINT),
    (colours.INK, colours.PRESSED),
    (colours.INK_SOFT, colours.PAPER),
    (colours.INK_SOFT, colours.CARD),
    (colours.INK_SOFT, colours.DISABLED),
    (colours.BRAND_DARK, colours.PAPER),
    (colours.ON_BRAND, colours.BRAND),
    (colours.ON_BRAND, colours.BRAND_DARK),
    (colours.BAD, colours.PAPER),
    *((ink, tint) for ink, tint, _ in colours.TONES.values()),
]
MARKS = [
    (colours.EDGE, colours.PAPER),
    (colours.EDGE, colours.CARD),
    (colours.EDGE, colours.BRAND_TINT),
    (colours.BRAND, colours.PAPER),
    (colours.BRAND, colours.BRAND_TINT),
    (colours.INK_SOFT, colours.DISABLED),
]


def test_contrast_of_black_on_white() -> None:
    assert contrast((0, 0, 0, 1), (1, 1, 1, 1)) == pytest.approx(21)


@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_contrast(text: colours.Colour, ground: colours.Colour) -> None:
    assert contrast(text, ground) >= 7


@pytest.mark.parametrize(("mark", "ground"), MARKS)
def test_mark_contrast(mark: colours.Colour, ground: colours.Colour) -> None:
    assert contrast(mark, ground) >= 3


@pytest.mark.parametrize(
    ("size", "ppi", "twenty_mm_px"), [((1280, 800), 149, 118), ((1366, 768), 100.5, 80), ((1080, 1920), 102.5, 81)]
)
def test_millimetres(size: tuple[int, int], ppi: float, twenty_mm_px: int) -> None:
    theme = Theme(*size, ppi)
    assert theme.px(20) == twenty_mm_px
    assert theme.target * 25.4 / ppi >= 20


@pytest.mark.parametrize(("size", "ppi"), [((1080, 1920), 102.5), ((1080, 1920), 68.8)])
def test_large_panels_have_large_letters(size: tuple[int, int], ppi: float) -> None:
    theme = Theme(*size, ppi)
    assert theme.body_px * colours.CAPITAL_EM * 25.4 / ppi >= 6.1
    assert theme.button_h * 25.4 / ppi >= 30


def test_large_text_is_larger() -> None:
    theme = Theme(1280, 800, 149)
    assert theme.with_large_text(True).body_px > theme.body_px
