"""What the camera sees, or the photo that it took."""

import io

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture

from screens import theme as colours
from screens.box import Box
from screens.screen import Screen
from screens.theme import Theme
from screens.widgets import Card, Icon, Placed, Text, text_height

#: Of a lying panel; the words stand beside the picture.
PICTURE_SHARE = 0.56


class PhotoScreen(Screen):
    """Drawn anew only when a frame comes (`show_frame`); between two of them nothing happens."""

    hides_top_on_compact = True

    def __init__(self, post: object, alive: object) -> None:
        super().__init__(post, alive)
        self._picture: Picture | None = None
        self._frame: tuple[int, int, bytes] | None = None

    @property
    def has_picture(self) -> bool:
        return self._picture is not None and not self._picture.is_empty

    def show_frame(self, width_px: int, height_px: int, rgb: bytes) -> None:
        """What the camera sees now; nothing where a photo is looked at."""
        if self.scene is not None and self.scene.view.picture is None:
            self._frame = width_px, height_px, rgb
            self._picture.show(*self._frame)

    def draw(self, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        self.add_actions(box, view.choices)
        self._add_notice(box)
        words = box if theme.portrait else box.cut_right(round(box.w * (1 - PICTURE_SHARE)), 2 * theme.gap)
        self.add_heading(words, align="center" if theme.portrait else "left")
        if view.error:
            self.add_strip(words, view.error, "attention")
        self._add_picture(box)

    def _add_notice(self, box: Box) -> None:
        notice, size_px = self.scene.view.notice, self.theme.smallest_px
        if notice:
            height = min(text_height(notice, size_px, box.w), box.h)
            self.add(Text(box.cut_bottom(height, self.theme.gap), notice, size_px, colour=colours.INK_SOFT))

    def _add_picture(self, box: Box) -> None:
        self._picture = Picture(box, self.theme)
        self.add(self._picture)
        jpeg = self.scene.view.picture
        if jpeg is not None:
            self._picture.show(*_opened(jpeg, box))
        elif self._frame is not None:
            self._picture.show(*self._frame)

    def reset(self) -> None:
        self._frame = None

    def leave(self) -> None:
        super().leave()
        self._picture = None


class Picture(Placed):
    """RGB pixels as large as they fit into the box, on a plain card; before there are any, a sign that they come."""

    def __init__(self, box: Box, theme: Theme) -> None:
        super().__init__(box)
        self.add_widget(Card(box, colours.BRAND_TINT, theme.radius))
        self._inner = box.inset(theme.px(1.5))
        side = min(theme.px(24), box.w, box.h)
        self._sign = Icon(box.middle(side, side), "camera", colours.BRAND)
        self.add_widget(self._sign)
        self._texture: Texture | None = None

    @property
    def is_empty(self) -> bool:
        return self._texture is None

    def show(self, width_px: int, height_px: int, rgb: bytes) -> None:
        if self._texture is None or self._texture.size != (width_px, height_px):
            self._place(width_px, height_px)
        self._texture.blit_buffer(rgb, colorfmt="rgb", bufferfmt="ubyte")
        self.canvas.ask_update()

    def _place(self, width_px: int, height_px: int) -> None:
        self.remove_widget(self._sign)
        self._texture = Texture.create(size=(width_px, height_px), colorfmt="rgb")
        self._texture.flip_vertical()  # its first row is the upper one
        scale = min(self._inner.w / width_px, self._inner.h / height_px)
        place = self._inner.middle(round(width_px * scale), round(height_px * scale))
        self.canvas.after.clear()
        with self.canvas.after:
            Color(1, 1, 1, 1)
            Rectangle(texture=self._texture, pos=(place.x, place.y), size=(place.w, place.h))


def _opened(jpeg: bytes, box: Box) -> tuple[int, int, bytes]:
    """Width, height and pixels, no more than the box shows."""
    from PIL import Image

    image = Image.open(io.BytesIO(jpeg))
    image.draft("RGB", (box.w, box.h))
    image.thumbnail((box.w, box.h))
    return *image.size, image.convert("RGB").tobytes()
