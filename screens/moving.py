"""A picture of what to do with the hands: a thing is carried to its place, at two steps a second."""

from kivy.clock import Clock

from screens import theme as colours
from screens.box import Box
from screens.screen import Screen
from screens.widgets import Card, Icon

STEP_S = 0.5
STEPS = (0.0, 0.5, 1.0, 1.0, 1.0)  # share of the way, then a rest


class MovingScreen(Screen):
    carried = target = ""

    def __init__(self, post: object, alive: object) -> None:
        super().__init__(post, alive)
        self._step, self._ticking, self._carried, self._way_px = 0, None, None, 0

    def draw(self, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        self.add_actions(box, view.choices)
        self.add_heading(box, align="center")
        if view.error:
            self.add_strip(box, view.error, "attention")
        self._picture(box.middle(min(box.w, theme.px(220)), min(box.h, theme.px(150))))
        if self._ticking is None:
            self._ticking = Clock.schedule_interval(self._tick, STEP_S)

    def _picture(self, box: Box) -> None:
        theme = self.theme
        self.add(Card(box, colours.BRAND_TINT, theme.radius))
        inner = box.inset(theme.px(3))
        side = min(inner.h, inner.w // 3)
        place = inner.middle(3 * side, side)
        target = place.cut_right(side)
        start = place.cut_left(side)
        self.add(Icon(target, self.target, colours.BRAND))
        carried_px = side * 3 // 4
        self._carried = Icon(start.middle(carried_px, carried_px), self.carried, colours.BRAND_DARK)
        self._start_x = self._carried.rectangle.pos[0]
        self._way_px = side + side // 8
        self.add(self._carried)
        self._place()

    def _tick(self, _dt: float) -> None:
        self._step = (self._step + 1) % len(STEPS)
        self._place()

    def _place(self) -> None:
        rectangle = self._carried.rectangle
        rectangle.pos = (self._start_x + STEPS[self._step] * self._way_px, rectangle.pos[1])

    def leave(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        self._carried = None
        super().leave()

    def reset(self) -> None:
        self._step = 0
