"""Squares over the whole panel: the finger must be on every one, and what it has touched turns green."""

from kivy.graphics import Color, Line, Rectangle

from screens import theme as colours
from screens.box import Box
from screens.screen import Screen
from screens.theme import Theme
from screens.widgets import Card, Placed, Text, text_height

#: A dead stripe of a touch panel is no narrower than its sensor lines are apart; a finger wipes a square in one go.
SQUARE_MM = 30.0
#: Between the words and the squares behind them.
VEIL = (*colours.CARD[:3], 0.75)


def edges(length_px: int, square_px: int) -> list[int]:
    """Where squares of about that size begin and end on a side of the panel: whole pixels, and not one left out. An odd
    number of squares, so that one is in the middle."""
    count = 2 * round((length_px / square_px - 1) / 2) + 1
    return [round(length_px * number / count) for number in range(count + 1)]


class Grid(Placed):
    """Which squares were touched. Any number of fingers, lifted or not."""

    kept = True  # over redraws, with what was touched

    def __init__(self, box: Box, theme: Theme) -> None:
        super().__init__(box)
        self._xs, self._ys = (edges(length, theme.px(SQUARE_MM)) for length in (box.w, box.h))
        self.cells = [
            Box(left, bottom, right - left, top - bottom)
            for bottom, top in zip(self._ys, self._ys[1:], strict=False)
            for left, right in zip(self._xs, self._xs[1:], strict=False)
        ]
        self.left = set(range(len(self.cells)))
        self.middle = self.at(box.w / 2, box.h / 2)
        self._fills: list[Color] = []
        with self.canvas:
            for cell in self.cells:
                self._fills.append(Color(*colours.CARD))
                Rectangle(pos=(cell.x, cell.y), size=(cell.w, cell.h))
                Color(*colours.EDGE)
                Line(rectangle=(cell.x, cell.y, cell.w, cell.h), width=1)
        self._fills[self.middle].rgba = colours.BRAND_TINT

    def at(self, x: float, y: float) -> int:
        """The number of the square there; a touch on the rim belongs to the outermost."""
        columns = len(self._xs) - 1
        return self._index(self._ys, y) * columns + self._index(self._xs, x)

    def _index(self, ends: list[int], place: float) -> int:
        return min(sum(end <= place for end in ends[1:]), len(ends) - 2)

    def mark(self, number: int) -> None:
        self.left.discard(number)
        self._fills[number].rgba = colours.PRESSED


class TouchGridScreen(Screen):
    """Draws over the whole panel. The words lie above and below the middle, and the squares can be seen through."""

    covers_panel = True

    def __init__(self, post: object, alive: object) -> None:
        super().__init__(post, alive)
        self._grid: Grid | None = None
        self._is_over = False

    def reset(self) -> None:
        self._grid, self._is_over = None, False

    def draw(self, box: Box) -> None:
        theme, view = self.theme, self.scene.view
        if self._grid is None:
            self._grid = Grid(box, theme)
        self.add(self._grid)
        middle = self._grid.cells[self._grid.middle]
        width = min(box.w - 2 * theme.margin, theme.px(200))
        title_h = text_height(view.title, theme.title_px, width, bold=True)
        text_h = text_height(view.text, theme.body_px, width)
        title = Box(box.x + (box.w - width) // 2, middle.top + theme.gap, width, title_h)
        text = Box(title.x, middle.y - theme.gap - text_h, width, text_h)
        for words, size_px, place in ((view.title, theme.title_px, title), (view.text, theme.body_px, text)):
            self.add(Card(place.inset(-theme.px(2), -theme.px(1)), VEIL, theme.radius))
            self.add(
                Text(
                    place,
                    words,
                    size_px,
                    theme.smallest_px,
                    bold=words == view.title,
                    colour=colours.BRAND_DARK,
                    align="center",
                )
            )

    def on_touch_down(self, touch: object) -> bool:
        number = self._grid.at(*touch.pos)
        if number == self._grid.middle and number not in self._grid.left:
            self._answer("give_up")
        else:
            self._touched(number)
        return True

    def on_touch_move(self, touch: object) -> bool:
        # Only where the finger was seen: what lies between two places may be dead.
        self._touched(self._grid.at(*touch.pos))
        return True

    def _touched(self, number: int) -> None:
        self.alive()
        self._grid.mark(number)
        if not self._grid.left:
            self._answer("touched")

    def _answer(self, value: str) -> None:
        if not self._is_over:
            self._is_over = True
            self.choose(value)()
