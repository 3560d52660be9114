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
        self.digits = ""
        self._keys: Keys | None = None
        self._keys_name: tuple | None = None

    def reset(self) -> None:
        self.digits = ""

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
            self.add_digits(box.cut_bottom(self.digits_h(box), theme.gap))
        if theme.compact:  # little room beside the keys: an error takes that of the text
            self.add_heading(box, title_px=theme.smallest_px, with_text=not view.error)
        else:
            self.add_heading(box)
        if not low:
            self.add_digits(box.cut_top(self.digits_h(box), theme.gap))
        if view.error:
            self.add_strip(box, view.error, "bad")

    def _add_keys(self, box: Box) -> None:
        theme = self.theme
        name = (theme, self.scene.language, box.x, box.y, box.w, box.h)
        if self._keys_name != name:
            digits = [[Key(digit, label=digit) for digit in row] for row in ("123", "456", "789")]
            last = self.last_row(box.w // COLUMNS)
            sizes_px = (theme.px(10 / colours.CAPITAL_EM), theme.label_px, theme.smallest_px)
            self._keys = Keys(box, theme, [*digits, last], COLUMNS, self.pressed, sizes_px)
            self._keys_name = name
        self.add(self._keys)

    def last_row(self, width_px: int) -> list[Key]:
        erase = self.word_key("backspace", self.say("erase"), "backspace", "side_key", width_px)
        return [Key(""), Key("0", label="0"), erase]

    def word_key(self, value: str, words: str, icon: str, style: str, width_px: int) -> Key:
        """With its word where there is room, else with its picture."""
        theme = self.theme
        room = width_px - 2 * button_padding(theme, "key") - theme.key_gap - theme.px(2)
        if text_width(words, theme.smallest_px, bold=True) > room:
            return Key(value, icon=icon, style=style)
        return Key(value, label=words, style=style)

    def digits_h(self, box: Box) -> int:
        return self.line_h(box, compact_mm=9 if self.scene.view.secret else 11)

    def line_h(self, box: Box, compact_mm: float) -> int:
        """Height of the digits' line. Dots need less of a small panel than digits do."""
        return min(self.theme.px(compact_mm if self.theme.compact else 16), box.h)

    def add_digits(self, line: Box) -> None:
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
                self.add_place(cell, number)

    def add_place(self, cell: Box, number: int) -> None:
        """The place of one digit, counted from 0."""
        theme = self.theme
        edge = colours.BRAND if number <= len(self.digits) else colours.EDGE
        self.add(Card(cell, colours.CARD, theme.radius // 2, edge, theme.edge))
        digit = self.digits[number : number + 1]
        self.add(Text(cell, digit, theme.title_px, theme.label_px, theme.smallest_px, bold=True, align="center"))

    def _add_dots(self, line: Box, count: int) -> None:
        theme = self.theme
        self.add(Card(line, colours.CARD, theme.radius, colours.BRAND, theme.edge))
        side = min(theme.px(7), line.w // (2 * count))
        for number, cell in enumerate(line.middle((2 * count - 1) * side, side).grid(count, 1, side)):
            self.add(Disc(cell, colours.EDGE))
            if number >= len(self.digits):
                self.add(Disc(cell.inset(theme.edge), colours.CARD))
            else:
                self.add(Disc(cell, colours.BRAND_DARK))

    def pressed(self, key: str) -> None:
        self.alive()
        view = self.scene.view
        if key == "backspace":
            self.digits = self.digits[:-1]
        elif len(self.digits) < view.digits_count:
            self.digits += key
            if len(self.digits) == view.digits_count:
                self.redraw()
                self._send()
                return
        self.redraw()

    def _send(self) -> None:
        digits = self.digits
        if self.scene.view.secret:
            self.digits = ""
        self.post(Entered, digits)
