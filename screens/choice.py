"""Large buttons, page by page where they do not fit."""

from dataclasses import replace

from kiosk.views import Choice
from screens import theme as colours
from screens.box import Box
from screens.screen import PagedScreen
from screens.widgets import Text, discard_children, needed_button_h

#: A longer list is turned over without finding what one looks for: rather without the choices' details.
MOST_PAGES = 4


class ChoiceScreen(PagedScreen):
    def draw(self, box: Box) -> None:
        if self._draw(Box(box.x, box.y, box.w, box.h), self.scene.view.choices) > MOST_PAGES:
            discard_children(self)
            self._draw(box, tuple(replace(choice, detail="") for choice in self.scene.view.choices))

    def _draw(self, box: Box, choices: tuple[Choice, ...]) -> int:
        """Returns how many pages there are."""
        theme = self.theme
        count = len(choices)
        columns = 2 if count > (7 if theme.portrait else 1) else 1
        side_by_side = not theme.portrait and 1 < count <= 3
        whole = Box(box.x, box.y, box.w, box.h)
        self._add_top(box)
        if not count:
            return 1
        if side_by_side:
            self._add_columns(box, choices)
            return 1
        needed_h = self._needed_h(box, columns, choices)
        rows = max(1, (box.h + theme.gap) // (needed_h + theme.gap))
        pages_count = 1
        if rows * columns < count:
            box, rows, pages_count = self._add_paged_top(whole, columns, needed_h)
        shown = choices[self.page * rows * columns :][: rows * columns]
        rows = rows if pages_count > 1 else -(-count // columns)
        cell_h = min((box.h - theme.gap * (rows - 1)) // rows, max(needed_h, theme.px(60 if theme.portrait else 42)))
        grid = box.cut_top(cell_h * rows + theme.gap * (rows - 1)).grid(columns, rows, theme.gap)
        for cell, choice in zip(grid, shown, strict=False):
            self.add(self.choice_button(cell, choice))
        return pages_count

    def _needed_h(self, box: Box, columns: int, choices: tuple[Choice, ...]) -> int:
        theme = self.theme
        width = (box.w - theme.gap * (columns - 1)) // columns
        return max(needed_button_h(theme, choice.label, choice.detail, width) for choice in choices)

    def _add_top(self, box: Box) -> None:
        self.add_heading(box)
        for notice in self.scene.view.notices:
            self.add_strip(box, notice, "attention")

    def _add_paged_top(self, box: Box, columns: int, needed_h: int) -> tuple[Box, int, int]:
        """Draws the top anew with a page turner; lying panels have room for it only beside the title."""
        view, theme = self.scene.view, self.theme
        discard_children(self)
        if theme.portrait:
            turner = box
            self._add_top(box)
            rows = max(1, (box.h - theme.target) // (needed_h + theme.gap))
        else:
            heading = box.cut_top(theme.target, theme.gap)
            turner = heading.cut_right(theme.px(80), theme.gap)
            self.add(
                Text(
                    heading,
                    view.title,
                    theme.title_px,
                    theme.body_px,
                    theme.smallest_px,
                    bold=True,
                    colour=colours.BRAND_DARK,
                )
            )
            for notice in view.notices:
                self.add_strip(box, notice, "attention")
            rows = max(1, (box.h + theme.gap) // (needed_h + theme.gap))
        pages_count = -(-len(view.choices) // (rows * columns))
        self.page = min(self.page, pages_count - 1)
        self.add_page_turner(turner, self.page, pages_count, self.turn)
        return box, rows, pages_count

    def _add_columns(self, box: Box, choices: tuple[Choice, ...]) -> None:
        """Side by side, the picture above the words."""
        row = box.cut_top(min(box.h, self.theme.px(100)))
        for cell, choice in zip(row.grid(len(choices), 1, self.theme.gap), choices, strict=True):
            self.add(self.choice_button(cell, choice, shape="column"))
