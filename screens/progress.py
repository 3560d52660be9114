"""Something takes a while: a bar, or three dots that go on."""

from kivy.clock import Clock

from screens import theme as colours
from screens.box import Box
from screens.screen import Screen
from screens.widgets import Card, Disc, Icon, Text, text_height

STEP_S = 0.5
DOTS = 3


class ProgressScreen(Screen):
    def __init__(self, post: object, alive: object) -> None:
        super().__init__(post, alive)
        self._step, self._ticking, self._dots = 0, None, []

    def draw(self, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        self._dots = []
        icon_px, bar_h, gap = theme.px(34 if theme.roomy else 22), theme.px(10), theme.px(6)
        title_h = text_height(view.title, theme.title_px, box.w, bold=True)
        text_h = text_height(view.text, theme.body_px, box.w)
        block = box.middle(box.w, min(box.h, icon_px + bar_h + title_h + text_h + 3 * gap))
        self.add(Icon(block.cut_top(icon_px, gap), "wait", colours.BRAND))
        self.add(
            Text(
                block.cut_top(title_h, gap),
                view.title,
                theme.title_px,
                theme.body_px,
                bold=True,
                colour=colours.BRAND_DARK,
                align="center",
            )
        )
        bar = block.cut_top(bar_h, gap)
        if view.fraction is None:
            self._add_dots(bar)
        else:
            self._add_bar(bar.middle(min(bar.w, theme.px(160)), bar.h), view.fraction)
        if view.text:
            self.add(Text(block, view.text, theme.body_px, theme.small_px, colour=colours.INK_SOFT, align="center"))

    def _add_bar(self, box: Box, fraction: float) -> None:
        theme = self.theme
        self.add(Card(box, colours.CARD, box.h // 2, colours.EDGE, theme.edge))
        inner = box.inset(2 * theme.edge)
        done_w = max(inner.h, round(inner.w * max(0.0, min(1.0, fraction))))
        self.add(Card(Box(inner.x, inner.y, done_w, inner.h), colours.BRAND, inner.h // 2))
        self._stop()

    def _add_dots(self, box: Box) -> None:
        side = box.h
        for cell in box.middle(side * (2 * DOTS - 1), side).grid(DOTS, 1, side):
            dot = Disc(cell, colours.EDGE_SOFT)
            self._dots.append(dot)
            self.add(dot)
        self._light()
        if self._ticking is None:
            self._ticking = Clock.schedule_interval(self._tick, STEP_S)

    def _tick(self, _dt: float) -> None:
        self._step = (self._step + 1) % DOTS
        self._light()

    def _light(self) -> None:
        for number, dot in enumerate(self._dots):
            dot.fill.rgba = colours.BRAND if number == self._step else colours.EDGE_SOFT

    def _stop(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    def leave(self) -> None:
        self._stop()
        self._dots = []
        super().leave()

    def reset(self) -> None:
        self._step = 0
