"""Digits only. A secret number is shown as dots and forgotten as soon as it was sent."""

from kiosk.intents import Entered
from screens import theme as colours
from screens.box import Box
from screens.keys import Key, Keys
from screens.screen import Screen
from screens.widgets import Card, Disc, Text, text_width

COLUMNS, ROWS = 3, 4
GROUP = 4  # digits of a long number are read in fours


class KeypadScreen(Screen):
    def __init__(self, post: object, alive: object) -> None:
        super().__init__(post, alive)
        self._digits = ""
        self._keys: Keys | None = None
        self._keys_name: tuple | None = None

    def reset(self) -> None:
        self._digits = ""

    def draw(self, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        gap = theme.key_gap
        if theme.portrait:
            self.add_actions(box, view.choices)
            key_h = max(theme.target, min(theme.px(32), (int(box.h * 0.52) - 3 * gap) // ROWS))
            pad = box.cut_bottom(ROWS * key_h + (ROWS - 1) * gap, theme.gap)
            pad = pad.middle(min(pad.w, theme.px(40) * COLUMNS), pad.h)
        else:
            key_h = max(theme.target, min(theme.px(30), (box.h - 3 * gap) // ROWS))
            pad_w = min(theme.px(32) * COLUMNS, int(box.w * 0.42))
            column = box.cut_right(pad_w, 2 * theme.gap)
            pad = column.middle(pad_w, ROWS * key_h + (ROWS - 1) * gap)
            self.add_actions(box, view.choices)
        self._add_keys(pad)
        narrow = theme.compact and view.error
        self.add_heading(box, title_px=theme.smallest_px if narrow else None)
        self._add_digits(box)
        if view.error:
            self.add_strip(box, view.error, "bad")

    def _add_keys(self, box: Box) -> None:
        theme = self.theme
        name = (theme, box.x, box.y, box.w, box.h)
        if self._keys_name != name:
            digits = [[Key(digit, label=digit) for digit in row] for row in ("123", "456", "789")]
            last = [Key(""), Key("0", label="0"), Key("backspace", icon="backspace", style="side_key")]
            sizes_px = (theme.px(10 / colours.CAPITAL_EM), theme.label_px, theme.smallest_px)
            self._keys = Keys(box, theme, [*digits, last], COLUMNS, self._pressed, sizes_px)
            self._keys_name = name
        self.add(self._keys)

    def _add_digits(self, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        height = min(theme.px(12 if theme.compact else 16), box.h)
        line = box.cut_top(height, theme.gap)
        if view.secret:
            self._add_dots(line, view.digits_count)
        else:
            self.add(Card(line, colours.CARD, theme.radius, colours.BRAND, theme.edge))
            shown = self._digits + "_" * (view.digits_count - len(self._digits))
            grouped = " ".join(shown[start : start + GROUP] for start in range(0, len(shown), GROUP))
            inner = line.inset(theme.px(2), theme.edge)
            sizes_px = (theme.title_px, theme.label_px, theme.small_px, theme.smallest_px)
            one_line = tuple(size for size in sizes_px if text_width(grouped, size, bold=True) <= inner.w)
            self.add(Text(inner, grouped, *(one_line or sizes_px[-1:]), bold=True, align="center"))

    def _add_dots(self, line: Box, count: int) -> None:
        theme = self.theme
        self.add(Card(line, colours.CARD, theme.radius, colours.BRAND, theme.edge))
        side = min(theme.px(7), line.w // (2 * count))
        for number, cell in enumerate(line.middle((2 * count - 1) * side, side).grid(count, 1, side)):
            self.add(Disc(cell, colours.EDGE))
            if number >= len(self._digits):
                self.add(Disc(cell.inset(theme.edge), colours.CARD))
            else:
                self.add(Disc(cell, colours.BRAND_DARK))

    def _pressed(self, key: str) -> None:
        self.alive()
        view = self.scene.view
        if key == "backspace":
            self._digits = self._digits[:-1]
        elif len(self._digits) < view.digits_count:
            self._digits += key
            if len(self._digits) == view.digits_count:
                self.redraw()
                self._send()
                return
        self.redraw()

    def _send(self) -> None:
        digits = self._digits
        if self.scene.view.secret:
            self._digits = ""
        self.post(Entered, digits)
