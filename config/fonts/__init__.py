"""The typefaces, cut down to the Latin script: Noto Sans for the screens and the roll, Tinos (as wide as Times) for
letters on office paper. Their licence is `OFL.txt`."""

import re
from importlib.resources import files

WEIGHTS = ("regular", "bold")
FONTS_DIR = str(files(__package__))

LETTER_TYPEFACE = "Tinos"
#: A text that Tinos has a glyph for each character of, in both weights.
LETTER_TYPEFACE_HAS = re.compile(
    "[ -~\u00a0-\u024f\u02b0-\u0304\u0306-\u030c\u0323\u0331\u1e00-\u1eff\u2010-\u2015\u2018-\u201e\u2020-\u2022"
    "\u2026\u2030\u2032\u2033\u2039\u203a\u2044\u20ac\u2116\u2122\u2190-\u2193\u2212\u2264\u2265]*"
)


def font_path(weight: str = "regular") -> str:
    """Path of Noto Sans's TrueType file. `weight` is "regular" or "bold"; raises ValueError for another."""
    if weight not in WEIGHTS:
        raise ValueError(f"font weight {weight!r} is not one of {', '.join(WEIGHTS)}")
    return f"{FONTS_DIR}/NotoSans-{weight.title()}.ttf"
