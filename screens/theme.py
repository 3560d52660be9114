"""Colours and sizes. Sizes are in millimetres on the glass, so that a small panel and a large one are equally legible.

Limits: text contrast 7:1, large text 4.5:1, other marks 3:1 (WCAG 2.2 AAA, 1.4.11); touch targets 20 mm with gaps of 1
to 3 mm; capital letters 6.1 mm high at 500 mm of distance and never under 4.8 mm (EN 301 549).
"""

from dataclasses import dataclass, replace

MM_PER_INCH = 25.4
CAPITAL_EM = 0.714  # height of a capital in Noto Sans, of the font size
SMALLEST_CAPITAL_MM = 4.8
SMALLEST_TARGET_MM = 20.0
LARGE_TEXT_FACTOR = 1.25

Colour = tuple[float, float, float, float]


def _rgb(code: str) -> Colour:
    return (int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255, 1.0)


PAPER = _rgb("F4F6F3")  # behind everything
CARD = _rgb("FFFFFF")
INK = _rgb("14211D")
INK_SOFT = _rgb("3C4A45")
BRAND = _rgb("0A5446")
BRAND_DARK = _rgb("063D33")
BRAND_TINT = _rgb("DCEBE4")
ON_BRAND = _rgb("FFFFFF")
EDGE = _rgb("6B7C75")  # of buttons and fields
PRESSED = _rgb("B9D8CB")
SHADE = (0.02, 0.10, 0.08, 0.72)  # over what a question covers
EDGE_SOFT = _rgb("A9BDB4")  # a light that is off
HAIRLINE = _rgb("D5DDD8")  # decoration only
DISABLED = _rgb("E6E9E7")
GOOD, GOOD_TINT = _rgb("09502F"), _rgb("E0F2E6")
ATTENTION, ATTENTION_TINT = _rgb("6B4300"), _rgb("FFF0CC")
BAD, BAD_TINT = _rgb("8A1A1A"), _rgb("FCE8E6")
TONES = {
    "good": (GOOD, GOOD_TINT, "ok"),
    "attention": (ATTENTION, ATTENTION_TINT, "attention"),
    "bad": (BAD, BAD_TINT, "bad"),
    "help": (BRAND, BRAND_TINT, "help"),
    "waiting": (BRAND, BRAND_TINT, "clock"),
}


def contrast(a: Colour, b: Colour) -> float:
    """WCAG 2.2 contrast ratio of two opaque colours, 1 to 21."""

    def luminance(colour: Colour) -> float:
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3])
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(a), luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@dataclass(frozen=True)
class Theme:
    """Sizes for one screen. `ppi` is pixels per inch of the glass."""

    width_px: int
    height_px: int
    ppi: float
    large_text: bool = False

    def with_large_text(self, large_text: bool) -> "Theme":
        return replace(self, large_text=large_text)

    def px(self, mm: float) -> int:
        """Rounded up: a limit in millimetres is kept."""
        return int(-(-mm * self.ppi // MM_PER_INCH))

    @property
    def portrait(self) -> bool:
        return self.height_px > self.width_px

    @property
    def short_side_mm(self) -> float:
        return min(self.width_px, self.height_px) * MM_PER_INCH / self.ppi

    @property
    def roomy(self) -> bool:
        """A panel of 21" and more."""
        return self.short_side_mm >= 240

    @property
    def compact(self) -> bool:
        """A panel of 10": pages rather than shrinks."""
        return self.short_side_mm < 165

    def _pick(self, compact: float, middle: float, roomy: float) -> float:
        return compact if self.compact else roomy if self.roomy else middle

    def _font_px(self, capital_mm: float) -> int:
        return self.px(capital_mm / CAPITAL_EM * (LARGE_TEXT_FACTOR if self.large_text else 1))

    @property
    def smallest_px(self) -> int:
        """Font size of the smallest text allowed; not scaled, the bars use it."""
        return self.px(SMALLEST_CAPITAL_MM / CAPITAL_EM)

    @property
    def small_px(self) -> int:
        return self._font_px(SMALLEST_CAPITAL_MM)

    @property
    def body_px(self) -> int:
        return self._font_px(self._pick(SMALLEST_CAPITAL_MM, 5.2, 6.1))

    @property
    def label_px(self) -> int:
        return self._font_px(self._pick(SMALLEST_CAPITAL_MM, 5.4, 6.4))

    @property
    def title_px(self) -> int:
        return self._font_px(self._pick(5.8, 7.2, 9.0))

    @property
    def hero_px(self) -> int:
        return self._font_px(self._pick(8.0, 10.0, 13.0))

    @property
    def gap(self) -> int:
        return self.px(self._pick(2.0, 2.5, 3.0))

    @property
    def key_gap(self) -> int:
        return self.px(self._pick(1.0, 1.5, 1.5))

    @property
    def margin(self) -> int:
        return self.px(self._pick(3.0, 6.0, 10.0))

    @property
    def bar_h(self) -> int:
        return self.px(self._pick(SMALLEST_TARGET_MM, SMALLEST_TARGET_MM, 24.0))

    @property
    def button_h(self) -> int:
        return self.px(self._pick(22.0, 24.0, 32.0))

    @property
    def target(self) -> int:
        return self.px(SMALLEST_TARGET_MM)

    @property
    def radius(self) -> int:
        return self.px(self._pick(2.5, 3.0, 4.0))

    @property
    def edge(self) -> int:
        """Width of a button's outline."""
        return max(2, self.px(0.5))
