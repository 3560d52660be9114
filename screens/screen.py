"""What all screens have in common: they draw one kind of view in an area, and forget it when they are left."""

from collections.abc import Callable

from kivy.uix.widget import Widget

from config.translations import say
from kiosk.intents import Chosen
from kiosk.views import Choice, Scene
from screens import theme as colours
from screens.box import Box
from screens.theme import Theme
from screens.widgets import (
    Button,
    Card,
    Icon,
    Text,
    button_padding,
    discard_children,
    needed_button_h,
    text_height,
    text_width,
)


class Screen(Widget):
    """Subclasses draw `self.scene.view` in `draw`. `post(kind, *values)` makes the intent of the scene that is shown;
    `alive()` tells that somebody is there."""

    hides_top_on_compact = False
    covers_panel = False  # nothing is drawn around it
    has_picture = False  # a camera's is drawn

    def __init__(self, post: Callable[..., None], alive: Callable[[], None]) -> None:
        super().__init__()
        self.post, self.alive = post, alive
        self.scene: Scene | None = None
        self.theme: Theme | None = None
        self._area: Box | None = None

    def show(self, scene: Scene, theme: Theme, area: Box) -> None:
        self.scene, self.theme, self._area = scene, theme, area
        if scene.fresh:
            self.reset()
        self.redraw()

    def redraw(self) -> None:
        discard_children(self)
        self.draw(Box(self._area.x, self._area.y, self._area.w, self._area.h))

    def leave(self) -> None:
        """Nothing of what was shown or typed stays."""
        self.reset()
        discard_children(self)
        self.scene = None

    def reset(self) -> None:
        """Forgets what the visitor did on this screen."""

    def show_frame(self, width_px: int, height_px: int, rgb: bytes) -> None:
        """A camera's newest frame (a byte each of red, green and blue, from the upper left corner), which a screen
        without room for it passes over."""

    def draw(self, box: Box) -> None:
        raise NotImplementedError

    def say(self, key: str, **values: object) -> str:
        return say(self.scene.language, key, **values)

    def add(self, *widgets: Widget) -> None:
        for widget in widgets:
            self.add_widget(widget)

    def choose(self, value: str) -> Callable[[], None]:
        return lambda: self.post(Chosen, value)

    # Pieces that several screens draw.

    def add_heading(self, box: Box, align: str = "left", title_px: int | None = None, with_text: bool = True) -> None:
        """The view's title and text, cut from the top of the box."""
        view, theme = self.scene.view, self.theme
        title_px = title_px or theme.title_px
        title_h = min(text_height(view.title, title_px, box.w, bold=True), box.h)
        self.add(
            Text(
                box.cut_top(title_h, theme.px(1)),
                view.title,
                title_px,
                theme.body_px,
                theme.smallest_px,
                bold=True,
                colour=colours.BRAND_DARK,
                align=align,
            )
        )
        if view.text and with_text:
            text_h = min(text_height(view.text, theme.body_px, box.w), max(0, box.h))
            self.add(
                Text(
                    box.cut_top(text_h, theme.gap),
                    view.text,
                    theme.body_px,
                    theme.small_px,
                    theme.smallest_px,
                    colour=colours.INK_SOFT,
                    align=align,
                )
            )
        else:
            box.h -= theme.gap

    def add_big(self, box: Box, words: str) -> None:
        """A number to be remembered, on one line, as large as its place lets it be."""
        theme = self.theme
        box = box.middle(box.w, min(box.h, theme.px(70)))
        self.add(Card(box, colours.CARD, theme.radius, colours.BRAND, theme.edge))
        inner = box.inset(theme.px(3))
        sizes_px = (theme.px(mm / colours.CAPITAL_EM) for mm in (40, 34, 28, 24, 20, 16, 13, 10, 8, 6.5))
        one_line = [
            size for size in sizes_px if text_width(words, size, bold=True) <= inner.w and size * 1.4 <= inner.h
        ]
        sizes_px = one_line or [theme.smallest_px]
        self.add(Text(inner, words, *sizes_px, bold=True, colour=colours.BRAND_DARK, align="center"))

    def add_strip(self, box: Box, text: str, tone: str, from_top: bool = True) -> None:
        """A line in the colours of a tone, cut from the top or the bottom of the box."""
        theme = self.theme
        ink, tint, icon = colours.TONES[tone]
        padding = theme.px(1.5 if theme.compact else 2.5)
        icon_px = theme.px(9)
        words_h = text_height(text, theme.body_px, box.w - 3 * padding - icon_px, bold=True)
        height = min(max(words_h, icon_px) + 2 * padding, box.h)
        piece = box.cut_top(height, theme.gap) if from_top else box.cut_bottom(height, theme.gap)
        self.add(Card(piece, tint, theme.radius, ink, theme.edge))
        inner = piece.inset(padding, theme.edge)
        self.add(Icon(inner.cut_left(icon_px, padding), icon, ink))
        self.add(Text(inner, text, theme.body_px, theme.small_px, theme.smallest_px, bold=True, colour=ink))

    def choice_button(self, box: Box, choice: Choice, shape: str = "row") -> Button:
        style = "prominent" if choice.prominent and choice.available else "plain"
        return Button(
            box,
            self.theme,
            choice.value,
            self.choose(choice.value),
            label=choice.label,
            icon=choice.icon or "next",
            detail=choice.detail,
            style=style if choice.available else "unavailable",
            shape=shape,
        )

    def add_actions(self, box: Box, choices: tuple[Choice, ...]) -> None:
        """The few choices that end a page, cut from the bottom: stacked in portrait, side by side in landscape."""
        if not choices:
            return
        theme = self.theme
        columns = 1 if theme.portrait else min(len(choices), 3)
        rows = -(-len(choices) // columns)
        width = (box.w - theme.gap * (columns - 1)) // columns
        height = max(needed_button_h(theme, choice.label, choice.detail, width) for choice in choices)
        area = box.cut_bottom(rows * height + (rows - 1) * theme.gap, theme.gap)
        for cell, choice in zip(area.grid(columns, rows, theme.gap), choices, strict=False):
            self.add(self.choice_button(cell, choice))

    def add_quiet(self, box: Box, choices: tuple[Choice, ...]) -> None:
        """What is for staff: small, in the lower left corner."""
        theme = self.theme
        row = box.cut_bottom(theme.target, theme.gap) if choices else box
        for choice in choices:
            width = (
                text_width(choice.label, theme.smallest_px, bold=True) + 2 * button_padding(theme, "key") + theme.gap
            )
            self.add(
                Button(
                    row.cut_left(max(theme.target, width), theme.gap),
                    theme,
                    choice.value,
                    self.choose(choice.value),
                    label=choice.label,
                    style="bar",
                    shape="key",
                    sizes_px=(theme.smallest_px,),
                )
            )

    def add_stack(self, box: Box, choices: tuple[Choice, ...]) -> None:
        """The choices one above the other, cut from the bottom of a column."""
        if not choices:
            return
        theme = self.theme
        height = max(needed_button_h(theme, choice.label, choice.detail, box.w) for choice in choices)
        area = box.cut_bottom(len(choices) * height + (len(choices) - 1) * theme.gap, theme.gap)
        for cell, choice in zip(area.grid(1, len(choices), theme.gap), choices, strict=True):
            self.add(self.choice_button(cell, choice))

    def add_page_turner(self, box: Box, page: int, pages_count: int, turn: Callable[[int], None]) -> None:
        """Previous, «Halaman 2 dari 3», next; cut from the bottom of the box."""
        theme = self.theme
        area = box.cut_bottom(theme.target, theme.gap)
        # A narrow place has room for the arrows only.
        shape = "row" if area.w > theme.px(150) else "key"
        side_w = (
            min(theme.px(70), (area.w - theme.px(26)) // 2) if shape == "row" else max(theme.target, area.w * 3 // 10)
        )
        if page > 0:
            self.add(
                Button(
                    area.cut_left(side_w),
                    theme,
                    "page:previous",
                    lambda: turn(page - 1),
                    label=self.say("previous_page"),
                    icon="previous_page",
                    style="bar",
                    shape=shape,
                )
            )
        else:
            area.cut_left(side_w)
        if page < pages_count - 1:
            self.add(
                Button(
                    area.cut_right(side_w),
                    theme,
                    "page:next",
                    lambda: turn(page + 1),
                    label=self.say("next_page"),
                    icon="next_page",
                    style="bar",
                    shape=shape,
                )
            )
        else:
            area.cut_right(side_w)
        place = self.say("page_of", n=page + 1, count=pages_count)
        if text_height(place, theme.smallest_px, area.w, bold=True) > area.h:
            place = f"{page + 1} / {pages_count}"
        self.add(Text(area, place, theme.body_px, theme.small_px, theme.smallest_px, bold=True, align="center"))


class PagedScreen(Screen):
    """A screen whose content may run over several pages."""

    def __init__(self, post: Callable[..., None], alive: Callable[[], None]) -> None:
        super().__init__(post, alive)
        self.page = 0

    def reset(self) -> None:
        self.page = 0

    def turn(self, page: int) -> None:
        self.page = page
        self.alive()
        self.redraw()
