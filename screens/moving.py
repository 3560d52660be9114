"""A picture of what to do with the hands: a thing is carried to its place, at two steps a second. The place is on no
screen, so a big arrow points over the edge to where it is."""

from kivy.clock import Clock

from screens import theme as colours
from screens.box import Box
from screens.screen import Screen
from screens.widgets import Arrow, Card, Icon

STEP_S = 0.5
STEPS = (0.0, 0.5, 1.0, 1.0, 1.0)  # share of the way, then a rest
#: Direction → how the end of the way and its start are cut from a box, and which way leads there, across and up.
WAYS = {
    "below": (Box.cut_bottom, Box.cut_top, (0, -1)),
    "right": (Box.cut_right, Box.cut_left, (1, 0)),
    "left": (Box.cut_left, Box.cut_right, (-1, 0)),
}


class MovingScreen(Screen):
    carried = ""

    def __init__(self, post: object, alive: object) -> None:
        super().__init__(post, alive)
        self._step, self._ticking, self._carried, self._start, self._way_px = 0, None, None, (0, 0), (0, 0)

    def draw(self, box: Box) -> None:
        """The picture lies at the edge that its arrow points over, without anything between the two."""
        view, theme = self.scene.view, self.theme
        if theme.portrait:
            picture = box.cut_bottom(box.h // 2, theme.gap)
        else:
            cut = box.cut_left if view.direction == "left" else box.cut_right
            picture = cut(box.w * (3 if theme.compact else 4) // 10, 2 * theme.gap)
        self._picture(picture)
        self.add_actions(box, view.choices)
        self.add_heading(box, align="center" if theme.portrait else "left")
        if view.error:
            self.add_strip(box, view.error, "attention")
        if self._ticking is None:
            self._ticking = Clock.schedule_interval(self._tick, STEP_S)

    def _picture(self, box: Box) -> None:
        theme, direction = self.theme, self.scene.view.direction
        self.add(Card(box, colours.BRAND_TINT, theme.radius))
        inner = box.inset(theme.px(3))
        cut_end, cut_start, (across, up) = WAYS[direction]
        end = cut_end(inner, (inner.h if up else inner.w) // 2)
        side = min(end.w, end.h)
        self.add(Arrow(end.middle(side, side), direction))
        carried_px = min(inner.w, inner.h) * 3 // 4
        start = cut_start(inner, carried_px).middle(carried_px, carried_px)
        self._carried = Icon(start, self.carried, colours.BRAND_DARK)
        self._start = self._carried.rectangle.pos
        self._way_px = (across * inner.w, up * inner.h)
        self.add(self._carried)
        self._place()

    def _tick(self, _dt: float) -> None:
        self._step = (self._step + 1) % len(STEPS)
        self._place()

    def _place(self) -> None:
        share = STEPS[self._step]
        self._carried.rectangle.pos = tuple(
            start + share * way_px for start, way_px in zip(self._start, self._way_px, strict=True)
        )

    def leave(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        self._carried = None
        super().leave()

    def reset(self) -> None:
        self._step = 0
