"""The few things that screens are made of: text, a picture, a card, a button. Each is made for its place and does not
move; what it shows is drawn once, when it is made."""

from collections.abc import Callable
from time import monotonic

from kivy.core.image import ImageData
from kivy.core.text import Label as CoreLabel
from kivy.graphics import Color, Ellipse, Rectangle, RoundedRectangle, Triangle
from kivy.graphics.texture import Texture
from kivy.uix.widget import Widget

from config.fonts import font_path
from screens import theme as colours
from screens.box import Box
from screens.icons import glyph, icon_font_path
from screens.theme import Colour, Theme

REGULAR, BOLD, ICONS = font_path("regular"), font_path("bold"), icon_font_path()
DOUBLE_STRIKE_S = 0.5  # EN 301 549, 5.8
SAME_PLACE_MM = 10.0
ELLIPSIS = "…"


def _label(text: str, size_px: int, bold: bool, width_px: int | None, align: str = "left") -> CoreLabel:
    # White, so that a colour instruction tints it.
    return CoreLabel(
        text=text,
        font_size=size_px,
        font_name=BOLD if bold else REGULAR,
        color=(1, 1, 1, 1),
        halign=align,
        text_size=(width_px, None),
    )


class _IconLabel(CoreLabel):
    """Knows where its ink is, in pixels from the texture's upper left corner: left, top, right, bottom."""

    ink = (0, 0, 0, 0)

    def _render_end(self) -> ImageData:
        image = super()._render_end()
        width, height, alpha = image.width, image.height, bytes(image.data)[3::4]
        columns = [x for x in range(width) if any(alpha[x::width])]
        rows = [y for y in range(height) if any(alpha[y * width : (y + 1) * width])]
        if columns:
            self.ink = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        return image


def _rendered(label: CoreLabel) -> Texture:
    """The label's texture, drawn now and cut loose: the two hold each other until the garbage collector comes by, and
    the texture shows the visitor's data."""
    label.refresh()
    texture = label.texture
    texture.bind()
    label.texture = None
    return texture


def text_width(text: str, size_px: int, bold: bool = False) -> int:
    """Pixels that the text takes on one line."""
    return _label(text, size_px, bold, None).render()[0] + 1


def text_height(text: str, size_px: int, width_px: int, bold: bool = False) -> int:
    """Pixels that the text takes in lines of at most `width_px`."""
    return _label(text, size_px, bold, max(1, width_px)).render()[1] if text else 0


def _words_fit(text: str, size_px: int, width_px: int, bold: bool) -> bool:
    return all(text_width(word, size_px, bold) <= width_px for word in text.split())


def fitting_px(text: str, sizes_px: tuple[int, ...], width_px: int, height_px: int, bold: bool = False) -> int:
    """The first of the sizes (largest first) at which no word is broken and the text fits; else the last."""
    for size_px in sizes_px:
        if _words_fit(text, size_px, width_px, bold) and text_height(text, size_px, width_px, bold) <= height_px:
            return size_px
    return sizes_px[-1]


def shortened(text: str, size_px: int, width_px: int, height_px: int, bold: bool = False) -> str:
    """The text, cut at its end with an ellipsis where it would not fit."""
    if text_height(text, size_px, width_px, bold) <= height_px:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if text_height(text[:middle].rstrip() + ELLIPSIS, size_px, width_px, bold) <= height_px:
            fits = middle
        else:
            too_long = middle
    return text[:fits].rstrip() + ELLIPSIS


def discard_children(widget: Widget) -> None:
    """Empties a widget down to the leaves. Parent and child hold each other, as do a canvas and its drawings, and
    would outlive the visit until the garbage collector comes by. What is `kept` stays whole."""
    children = widget.children[:]
    widget.clear_widgets()
    for child in children:
        if not getattr(child, "kept", False):
            discard_children(child)
            child.canvas.clear()


class Placed(Widget):
    """A widget that fills its box."""

    def __init__(self, box: Box) -> None:
        super().__init__(size=(box.w, box.h), pos=(box.x, box.y), size_hint=(None, None))
        self.box = box


class Text(Placed):
    """Text in a box, broken into lines; `sizes_px` (largest first) are tried until it fits, else it is cut (…)."""

    def __init__(
        self,
        box: Box,
        text: str,
        *sizes_px: int,
        bold: bool = False,
        colour: Colour = colours.INK,
        align: str = "left",
        valign: str = "middle",
    ) -> None:
        super().__init__(box)
        self.size_px = fitting_px(text, sizes_px, box.w, box.h, bold)
        self.shown = shortened(text, self.size_px, box.w, box.h, bold)
        self.is_cut = self.shown != text
        label = _label(self.shown, self.size_px, bold, box.w, align)
        self.texture_size = (0, 0)
        if not text:
            return
        texture = _rendered(label)
        self.texture_size = texture.size
        width, height = self.texture_size
        y = {"top": box.top - height, "middle": box.y + (box.h - height) // 2, "bottom": box.y}[valign]
        with self.canvas:
            Color(*colour)
            Rectangle(texture=texture, pos=(box.x, y), size=(width, height))


class Icon(Placed):
    """A picture whose ink is in the middle of its box (the font's own bearings are lost in its texture); its square is
    as large as the box's shorter side."""

    def __init__(self, box: Box, name: str, colour: Colour = colours.BRAND) -> None:
        super().__init__(box)
        side = min(box.w, box.h)
        label = _IconLabel(text=glyph(name), font_size=side, font_name=ICONS, color=(1, 1, 1, 1))
        texture = _rendered(label)
        width, height = texture.size
        left, top, right, bottom = label.ink
        with self.canvas:
            Color(*colour)
            self.rectangle = Rectangle(
                texture=texture,
                pos=(box.x + (box.w - left - right) // 2, box.y + (box.h + top + bottom) // 2 - height),
                size=(width, height),
            )


class Arrow(Placed):
    """A big arrow that fills its box; `direction` is "below", "right" or "left"."""

    def __init__(self, box: Box, direction: str, colour: Colour = colours.BRAND) -> None:
        super().__init__(box)
        with self.canvas:
            Color(*colour)
            if direction == "below":
                Rectangle(pos=(box.x + box.w // 4, box.y + box.h // 2), size=(box.w // 2, box.h - box.h // 2))
                Triangle(points=(box.x, box.y + box.h // 2, box.x + box.w, box.y + box.h // 2, box.middle_x, box.y))
            else:
                tip, end = (box.x + box.w, box.x) if direction == "right" else (box.x, box.x + box.w)
                Rectangle(pos=(min(box.middle_x, end), box.y + box.h // 4), size=(box.w - box.w // 2, box.h // 2))
                Triangle(points=(box.middle_x, box.y, box.middle_x, box.top, tip, box.y + box.h // 2))


class Card(Placed):
    """A rounded surface; with `edge` an outline of `edge_px`."""

    def __init__(self, box: Box, fill: Colour, radius: int = 0, edge: Colour | None = None, edge_px: int = 0) -> None:
        super().__init__(box)
        with self.canvas:
            if edge is not None:
                Color(*edge)
                _rounded(box, radius)
            self.fill = Color(*fill)
            _rounded(box.inset(edge_px), max(0, radius - edge_px))


class Disc(Placed):
    """A filled circle."""

    def __init__(self, box: Box, fill: Colour) -> None:
        super().__init__(box)
        with self.canvas:
            self.fill = Color(*fill)
            Ellipse(pos=(box.x, box.y), size=(box.w, box.h))


def _rounded(box: Box, radius: int) -> None:
    if radius > 0:
        RoundedRectangle(pos=(box.x, box.y), size=(box.w, box.h), radius=[radius], segments=8)
    else:
        Rectangle(pos=(box.x, box.y), size=(box.w, box.h))


class Strikes:
    """Tells a second strike by an unsteady hand: soon after one that counted, at the same place, whatever is there."""

    def __init__(self) -> None:
        self._place, self._time_s = (0.0, 0.0), float("-inf")

    def remember(self, place: tuple[float, float]) -> None:
        self._place, self._time_s = place, monotonic()

    def is_double(self, place: tuple[float, float], same_place_px: float) -> bool:
        near = all(abs(a - b) < same_place_px for a, b in zip(place, self._place, strict=True))
        return near and monotonic() - self._time_s < DOUBLE_STRIKE_S


# fill, fill while pressed, text, icon, disc behind the icon, outline
STYLES = {
    "plain": (colours.CARD, colours.PRESSED, colours.INK, colours.BRAND, colours.BRAND_TINT, colours.EDGE),
    "prominent": (
        colours.BRAND,
        colours.BRAND_DARK,
        colours.ON_BRAND,
        colours.BRAND,
        colours.ON_BRAND,
        colours.BRAND_DARK,
    ),
    "unavailable": (
        colours.DISABLED,
        colours.PRESSED,
        colours.INK_SOFT,
        colours.INK_SOFT,
        colours.PAPER,
        colours.EDGE,
    ),
    "bar": (colours.CARD, colours.PRESSED, colours.INK, colours.BRAND, None, colours.EDGE),
    # Told from its neighbours by its fill on the white bar, and by its outline on the dark one.
    "selected": (colours.BRAND, colours.BRAND_DARK, colours.ON_BRAND, colours.ON_BRAND, None, colours.ON_BRAND),
    "key": (colours.CARD, colours.PRESSED, colours.INK, colours.INK, None, colours.EDGE),
    "side_key": (colours.BRAND_TINT, colours.PRESSED, colours.INK, colours.BRAND, None, colours.EDGE),
}


class Button(Placed):
    """An icon, a label and a smaller line of detail. It answers to the finger at once and acts when the finger is
    lifted inside it; `value` is the name by which it is found. `shape` is "row", "column" or "key"."""

    def __init__(
        self,
        box: Box,
        theme: Theme,
        value: str,
        on_tap: Callable[[], None],
        label: str = "",
        icon: str = "",
        detail: str = "",
        style: str = "plain",
        shape: str = "row",
        sizes_px: tuple[int, ...] = (),
    ) -> None:
        super().__init__(box)
        self.value, self.on_tap = value, on_tap
        self._style = STYLES[style]
        self._sizes_px = sizes_px or (theme.label_px, theme.body_px, theme.small_px, theme.smallest_px)
        self._theme = theme
        fill, _, _, _, _, edge = self._style
        self._card = Card(box, fill, theme.radius, edge, theme.edge)
        self.add_widget(self._card)
        inner = box.inset(button_padding(theme, shape), theme.edge)
        {"row": self._fill_row, "column": self._fill_column, "key": self._fill_key}[shape](inner, label, icon, detail)

    def _fill_row(self, inner: Box, label: str, icon: str, detail: str) -> None:
        if icon:
            self._add_icon(inner.cut_left(row_icon_px(self._theme, inner.h), self._theme.px(3)), icon)
        self._add_words(inner, label, detail, "left")

    def _fill_column(self, inner: Box, label: str, icon: str, detail: str) -> None:
        words_h = text_height(label, self._sizes_px[0], inner.w, bold=True)
        words_h += text_height(detail, self._theme.small_px, inner.w)
        gap = self._theme.px(2)
        side = max(self._theme.px(8), min(self._theme.px(26), inner.h - words_h - gap))
        block_h = min(inner.h, side + gap + words_h)
        block = inner.middle(inner.w, block_h)
        self._add_icon(block.cut_top(min(side, block_h), gap).middle(side, side), icon)
        self._add_words(block, label, detail, "center")

    def _fill_key(self, inner: Box, label: str, icon: str, _detail: str) -> None:
        if icon:
            side = min(inner.h, inner.w, self._theme.px(9))
            self.add_widget(Icon(inner.middle(side, side), icon, self._style[3]))
        else:
            self.add_widget(Text(inner, label, *self._sizes_px, bold=True, colour=self._style[2], align="center"))

    def _add_icon(self, box: Box, name: str) -> None:
        _, _, _, colour, disc, _ = self._style
        side = min(box.w, box.h)
        box = box.middle(side, side)
        if disc is not None:
            self.add_widget(Disc(box, disc))
            box = box.inset(side // 6)
        self.add_widget(Icon(box, name, colour))

    def _add_words(self, box: Box, label: str, detail: str, align: str) -> None:
        colour = self._style[2]
        if detail:
            label_h = text_height(label, self._sizes_px[0], box.w, bold=True)
            detail_h = text_height(detail, self._theme.small_px, box.w)
            if label_h + detail_h > box.h:  # both in smaller letters rather than one of them cut
                detail_h = min(text_height(detail, self._theme.smallest_px, box.w), box.h // 2)
                label_h = box.h - detail_h
            box = box.middle(box.w, min(box.h, label_h + detail_h))
            sizes_px = (self._theme.small_px, self._theme.smallest_px)
            self.add_widget(Text(box.cut_bottom(detail_h), detail, *sizes_px, colour=colour, align=align))
        self.add_widget(Text(box, label, *self._sizes_px, bold=True, colour=colour, align=align))

    def on_touch_down(self, touch: object) -> bool:
        if not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
        self.press(True)
        return True

    def on_touch_up(self, touch: object) -> bool:
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        self.press(False)
        # A button that has left the window meanwhile no longer counts.
        if self.collide_point(*touch.pos) and self.get_root_window() is not None:
            self.on_tap()
        return True

    def press(self, pressed: bool) -> None:
        self._card.fill.rgba = self._style[1 if pressed else 0]


def button_padding(theme: Theme, shape: str = "row") -> int:
    return theme.px(0.8 if shape == "key" else 1.5 if theme.compact else 2.5)


def row_icon_px(theme: Theme, inner_h: int) -> int:
    return min(int(inner_h * (0.6 if theme.compact else 0.78)), theme.px(32 if theme.roomy else 24))


def needed_button_h(theme: Theme, label: str, detail: str, width_px: int) -> int:
    """Height at which a row button of that width shows all its words at the full size."""
    padding = button_padding(theme)
    words_w = width_px - 2 * padding - row_icon_px(theme, theme.px(40)) - theme.px(3)
    words_h = text_height(label, theme.label_px, words_w, bold=True) + text_height(detail, theme.small_px, words_w)
    return max(theme.button_h, words_h + 2 * theme.px(1.6))
