"""Digits that the visitor ends with «Lanjut»: a number, an amount, a date."""

from datetime import datetime

from kiosk.intents import Entered
from kiosk.paper.text import date_in_words, grouped
from screens import theme as colours
from screens.box import Box
from screens.keypad import KeypadScreen
from screens.keys import Key
from screens.widgets import Card, Text, text_height

CARET = "|"


class NumberScreen(KeypadScreen):
    def show(self, scene: object, theme: object, area: Box) -> None:
        if scene.fresh:
            self.digits = scene.view.value
        super().show(scene, theme, area)

    def reset(self) -> None:
        """Nothing: `show` and `leave` set the digits, since a fresh view may bring a value."""

    def leave(self) -> None:
        self.digits = ""
        super().leave()

    @property
    def longest(self) -> int:
        return self.scene.view.longest

    def last_row(self, width_px: int) -> list[Key]:
        erase = self.word_key("backspace", self.say("erase"), "backspace", "side_key", width_px)
        go_on = self.word_key("ok", self.say("continue"), "next", "prominent", width_px)
        return [erase, Key("0", label="0"), go_on]

    def digits_h(self, box: Box) -> int:
        return self.line_h(box, compact_mm=11)

    def add_digits(self, line: Box) -> None:
        theme = self.theme
        self.add(Card(line, colours.CARD, theme.radius, colours.BRAND, theme.edge))
        inner = line.inset(theme.px(3), theme.edge)
        self.add(Text(inner, self._shown() + CARET, theme.title_px, theme.label_px, theme.smallest_px, bold=True))

    def _shown(self) -> str:
        view = self.scene.view
        digits = grouped(int(self.digits)) if view.grouped and self.digits else self.digits
        return f"{view.prefix}{digits}"

    def pressed(self, key: str) -> None:
        self.alive()
        if key == "ok":
            self.post(Entered, self.digits)
            return
        if key == "backspace":
            self.digits = self.digits[:-1]
        elif len(self.digits) < self.longest:
            self.digits += key
        self.redraw()


class DateScreen(NumberScreen):
    """A place for each digit of day, month and year, under their names; the date in words as soon as it is there."""

    PARTS = (("day", 2), ("month", 2), ("year", 4))
    longest = 8

    def digits_h(self, box: Box) -> int:
        theme = self.theme
        words_h = text_height("A", theme.small_px, box.w) + text_height("A", theme.body_px, box.w, bold=True)
        return min(super().digits_h(box) + words_h + theme.px(2), box.h)

    def add_digits(self, line: Box) -> None:
        theme = self.theme
        words_h = text_height("A", theme.body_px, line.w, bold=True)
        words = line.cut_bottom(words_h, theme.px(1))
        self.add(Text(words, self._in_words(), theme.body_px, theme.smallest_px, bold=True, colour=colours.BRAND_DARK))
        names = line.cut_top(text_height("A", theme.small_px, line.w), theme.px(1))
        gap = theme.px(0.5)
        digit_w = (line.w - 2 * theme.gap - 5 * gap) // self.longest
        first = 0
        for name, count in self.PARTS:
            width = count * digit_w + (count - 1) * gap
            self.add(
                Text(
                    names.cut_left(width, theme.gap),
                    self.say(name),
                    theme.small_px,
                    theme.smallest_px,
                    colour=colours.INK_SOFT,
                )
            )
            for number, cell in enumerate(line.cut_left(width, theme.gap).grid(count, 1, gap), first):
                self.add_place(cell, number)
            first += count

    def _in_words(self) -> str:
        try:
            day = datetime.strptime(self.digits, "%d%m%Y").date() if len(self.digits) == self.longest else None
        except ValueError:
            return ""
        return date_in_words(day, self.scene.language) if day else ""
