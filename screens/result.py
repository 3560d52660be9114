"""How it ended: a sign, a sentence, perhaps a very large number and a few facts."""

from screens import theme as colours
from screens.box import Box
from screens.facts import FactsScreen
from screens.widgets import Disc, Icon, Text, text_height


class ResultScreen(FactsScreen):
    def draw(self, box: Box) -> None:
        if self.theme.portrait:
            self._draw_standing(box)
        elif self.scene.view.facts:
            self._draw_with_facts(box)
        else:
            self._draw_lying(box)

    def _add_sign(self, box: Box, side: int) -> None:
        ink, tint, icon = colours.TONES[self.scene.view.tone]
        place = box.middle(side, side)
        self.add(Disc(place, tint))
        self.add(Icon(place.inset(side // 6), icon, ink))

    def _draw_standing(self, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        self.add_actions(box, view.choices)
        side = theme.px(48 if view.big or view.facts else 72)
        self._add_sign(box.cut_top(side, theme.gap), side)
        self.add_heading(box, align="center")
        if view.big:
            self.add_big(box.cut_top(min(theme.px(70), box.h // 2), theme.gap), view.big)
        self.add_facts(box, view.facts)

    def _draw_with_facts(self, box: Box) -> None:
        """Verdict and facts at the left; the number and the choices at the right."""
        view, theme = self.scene.view, self.theme
        column = self.cut_column(box) if view.big or view.choices else None
        if column is not None:
            self.add_stack(column, view.choices)
        side = theme.px(16)
        title_h = text_height(view.title, theme.title_px, box.w - side - theme.gap, bold=True)
        row = box.cut_top(max(side, title_h), theme.px(1))
        self._add_sign(row.cut_left(side, theme.gap), side)
        sizes_px = (theme.title_px, theme.body_px, theme.smallest_px)
        self.add(Text(row, view.title, *sizes_px, bold=True, colour=colours.BRAND_DARK))
        if view.text:
            text_h = min(text_height(view.text, theme.body_px, box.w), box.h)
            text = box.cut_top(text_h, theme.gap)
            self.add(Text(text, view.text, theme.body_px, theme.smallest_px, colour=colours.INK_SOFT))
        self.add_facts(box, view.facts, column)
        if view.big:
            self.add_big(column, view.big)

    def _draw_lying(self, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        self.add_actions(box, view.choices)
        if view.big:
            self.add_big(box.cut_right(box.w // 2, 2 * theme.gap), view.big)
        self._centre_alone(box, theme.px(44))

    def _centre_alone(self, box: Box, side: int) -> None:
        view, theme = self.scene.view, self.theme
        words_h = text_height(view.title, theme.title_px, box.w, bold=True)
        words_h += text_height(view.text, theme.body_px, box.w) + theme.px(1) + theme.gap
        side = max(theme.px(14), min(side, box.h - words_h - theme.gap))
        block = box.middle(box.w, min(box.h, side + theme.gap + words_h))
        self._add_sign(block.cut_top(side, theme.gap), side)
        self.add_heading(block, align="center")
