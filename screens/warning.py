"""«Anda masih di sini?» over whatever is shown. Any touch answers, and presses nothing that lies under."""

from collections.abc import Callable

from kivy.uix.widget import Widget

from config.translations import say
from screens import theme as colours
from screens.box import Box
from screens.theme import Theme
from screens.widgets import Button, Card, Icon, Text, discard_children, text_height

VALUE = "still_here"


class WarningOverlay(Widget):
    def __init__(self, on_touch: Callable[[], None]) -> None:
        super().__init__()
        self._on_touch = on_touch

    def show(self, seconds_left: int, language: str, theme: Theme) -> None:
        discard_children(self)
        self.add_widget(Card(Box(0, 0, theme.width_px, theme.height_px), colours.SHADE))
        words = (say(language, "still_here"), say(language, "screen_closes_in", n=seconds_left))
        width = min(theme.width_px - 2 * theme.margin, theme.px(230))
        inner_w = width - 2 * theme.px(8)
        heights = [
            text_height(words[0], theme.title_px, inner_w, bold=True),
            text_height(words[1], theme.body_px, inner_w),
        ]
        icon_px, gap = theme.px(24), theme.px(4)
        height = icon_px + sum(heights) + theme.button_h + 3 * gap + 2 * theme.px(8)
        box = Box(0, 0, theme.width_px, theme.height_px).middle(width, height)
        self.add_widget(Card(box, colours.CARD, theme.radius * 2, colours.BRAND_DARK, theme.edge))
        inner = box.inset(theme.px(8))
        self.add_widget(Icon(inner.cut_top(icon_px, gap), "clock", colours.BRAND))
        title = inner.cut_top(heights[0], gap)
        self.add_widget(Text(title, words[0], theme.title_px, bold=True, colour=colours.BRAND_DARK, align="center"))
        self.add_widget(
            Text(inner.cut_top(heights[1], gap), words[1], theme.body_px, colour=colours.INK_SOFT, align="center")
        )
        self.add_widget(
            Button(
                inner.cut_bottom(theme.button_h),
                theme,
                VALUE,
                self._on_touch,
                label=say(language, "yes_still_here"),
                icon="yes",
                style="prominent",
            )
        )

    def on_touch_down(self, touch: object) -> bool:
        touch.grab(self)
        for child in self.children:
            if isinstance(child, Button) and child.collide_point(*touch.pos):
                child.press(True)
        return True

    def on_touch_up(self, touch: object) -> bool:
        if touch.grab_current is self:
            touch.ungrab(self)
            self._on_touch()
        return True
