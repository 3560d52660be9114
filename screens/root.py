"""The root of all widgets: the one door through which touches come in."""

from kivy.uix.widget import Widget

from screens.theme import Theme
from screens.widgets import SAME_PLACE_MM, Strikes


class Root(Widget):
    def __init__(self, theme: Theme) -> None:
        super().__init__(size=(theme.width_px, theme.height_px))
        self._strikes = Strikes()
        self._same_place_px = theme.px(SAME_PLACE_MM)

    def on_touch_down(self, touch: object) -> bool:
        if self._strikes.is_double(touch.pos, self._same_place_px):
            return True
        return super().on_touch_down(touch)

    def on_touch_up(self, touch: object) -> bool:
        if touch.grab_list:  # it pressed something
            self._strikes.remember(touch.pos)
        return super().on_touch_up(touch)
