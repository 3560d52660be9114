"""Digits only. A secret number is shown as dots and forgotten as soon as it was sent."""

from kiosk.intents import Entered
from screens import theme as colours
from screens.box import Box
from screens.keys import Key, Keys
from screens.screen import Screen
from screens.widgets import Card, Disc, Text, button_padding, text_width

COLUMNS, ROWS = 3, 4
GROUPS = (4, 3)  # digits are read in fours, and six of them in threes: there are as many places as digits


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
        low = theme.portrait or theme.compact  # right above the keys; or kept free before the words take all there is
        if low:
            self._add_digits(box.cut_bottom(self._digits_h(box), theme.gap))
        if theme.compact:  # little room beside the keys: an error takes that of the text
            self.add_heading(box, title_px=theme.smallest_px, with_text=not view.error)
        else:
            self.add_heading(box)
        if not low:
            self._add_digits(box.cut_top(self._digits_h(box), theme.gap))
        if view.error:
            self.add_strip(box, view.error, "bad")

    def _add_keys(self, box: Box) -> None:
        theme = self.theme
        name = (theme, self.scene.language, box.x, box.y, box.w, box.h)
        if self._keys_name != name:
            digits = [[Key(digit, label=digit) for digit in row] for row in ("123", "456", "789")]
            last = [Key(""), Key("0", label="0"), self._erase_key(box.w // COLUMNS)]
            sizes_px = (theme.px(10 / colours.CAPITAL_EM), theme.label_px, theme.smallest_px)
            self._keys = Keys(box, theme, [*digits, last], COLUMNS, self._pressed, sizes_px)
            self._keys_name = name
        self.add(self._keys)

    def _erase_key(self, width_px: int) -> Key:
        """With its word where there is room."""
        words, theme = self.say("erase"), self.theme
        room = width_px - 2 * button_padding(theme, "key") - theme.key_gap - theme.px(2)
        if text_width(words, theme.smallest_px, bold=True) > room:
            return Key("backspace", icon="backspace", style="side_key")
        return Key("backspace", label=words, style="side_key")

    def _digits_h(self, box: Box) -> int:
        return min(self.theme.px(9 if self.theme.compact else 16), box.h)

    def _add_digits(self, line: Box) -> None:
        view = self.scene.view
        if view.secret:
            self._add_dots(line, view.digits_count)
        else:
            self._add_places(line, view.digits_count)

    def _add_places(self, line: Box, count: int) -> None:
        """A place for each digit, in groups as people read them."""
        theme = self.theme
        size = next(size for size in GROUPS if count % size == 0)
        gap = theme.px(0.5)
        for group, cells in enumerate(line.grid(count // size, 1, theme.gap)):
            for number, cell in enumerate(cells.grid(size, 1, gap), group * size):
                digit = self._digits[number : number + 1]
                edge = colours.BRAND if number <= len(self._digits) else colours.EDGE
                self.add(Card(cell, colours.CARD, theme.radius // 2, edge, theme.edge))
                self.add(
                    Text(cell, digit, theme.title_px, theme.label_px, theme.smallest_px, bold=True, align="center")
                )

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
