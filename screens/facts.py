"""Labels and values in a table, as many as fit a page."""

from kiosk.views import Fact
from screens import theme as colours
from screens.box import Box
from screens.screen import PagedScreen
from screens.theme import Theme
from screens.widgets import Card, Text, text_height

LABEL_SHARE = 0.36


def _label_w(theme: Theme, width_px: int) -> int:
    return int(width_px * LABEL_SHARE)


def fact_h(theme: Theme, fact: Fact, width_px: int) -> int:
    """Height of one line of the table."""
    label_w = _label_w(theme, width_px)
    label_h = text_height(fact.label, theme.small_px, label_w)
    value_h = text_height(fact.value or "–", theme.body_px, width_px - label_w - theme.gap, bold=True)
    return max(label_h, value_h) + 2 * theme.px(1.6)


def pages(theme: Theme, facts: tuple[Fact, ...], width_px: int, height_px: int) -> list[list[Fact]]:
    """The facts, cut into pages that fit."""
    result: list[list[Fact]] = [[]]
    used_px = 0
    for fact in facts:
        need_px = fact_h(theme, fact, width_px)
        if result[-1] and used_px + need_px > height_px:
            result.append([])
            used_px = 0
        result[-1].append(fact)
        used_px += need_px
    return result


class FactsScreen(PagedScreen):
    """A screen that shows a table of facts."""

    def cut_column(self, box: Box) -> Box:
        """Lying panels: what one acts with stands at the right of the table."""
        return box.cut_right(int(box.w * 0.34), 2 * self.theme.gap)

    def add_facts(self, box: Box, facts: tuple[Fact, ...], column: Box | None = None) -> None:
        """The table, from the box's top; where one page does not hold it, a page turner at the bottom of the column
        if there is one, else of the box."""
        if not facts:
            return
        theme = self.theme
        inset = theme.px(3)
        width = box.w - 2 * inset
        all_pages = pages(theme, facts, width, box.h - theme.px(2))
        if len(all_pages) > 1:
            if column is None:
                all_pages = pages(theme, facts, width, box.h - theme.target - theme.gap - theme.px(2))
            self.page = min(self.page, len(all_pages) - 1)
            self.add_page_turner(column or box, self.page, len(all_pages), self.turn)
        else:
            self.page = 0
        shown = all_pages[self.page]
        heights = [min(fact_h(theme, fact, width), box.h) for fact in shown]
        card = box.cut_top(min(box.h, sum(heights) + theme.px(2)))
        self.add(Card(card, colours.CARD, theme.radius, colours.HAIRLINE, theme.edge))
        inner = card.inset(inset, theme.px(1))
        for number, (fact, height) in enumerate(zip(shown, heights, strict=True)):
            self._add_fact(inner.cut_top(min(height, inner.h)), fact, rule_above=number > 0)

    def _add_fact(self, row: Box, fact: Fact, rule_above: bool) -> None:
        theme = self.theme
        if rule_above:
            self.add(Card(Box(row.x, row.top - 1, row.w, max(1, theme.px(0.2))), colours.HAIRLINE))
        label = row.cut_left(_label_w(theme, row.w), theme.gap)
        self.add(Text(label, fact.label, theme.small_px, theme.smallest_px, colour=colours.INK_SOFT))
        self.add(Text(row, fact.value or "–", theme.body_px, theme.small_px, theme.smallest_px, bold=True))
