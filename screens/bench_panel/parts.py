"""What the panel is made of: buttons, switches, lights, the printer and its paper."""

import io

from kivy.graphics import BoxShadow, Color, Mesh, Rectangle, SmoothEllipse, SmoothRoundedRectangle
from kivy.graphics.texture import Texture
from kivy.metrics import dp, sp
from kivy.properties import BooleanProperty, ListProperty, NumericProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.stencilview import StencilView
from kivy.uix.widget import Widget
from kivy.utils import get_color_from_hex as rgba

SWITCHED_OFF = rgba("#C9BFB0")
INK = rgba("#2B2520")
FAINT_INK = rgba("#75695C")
ACCENT = rgba("#0E6B5C")
BUTTON = rgba("#EFE8DC")
WHITE = rgba("#FFFFFF")
CARD = rgba("#CFE3F2")
CARD_INK = rgba("#17425F")
PAPER = rgba("#FFFDF7")
MACHINE = rgba("#3A3F44")
MACHINE_EDGE = rgba("#24282C")
RED = rgba("#B3261E")
LIGHTS = {
    "ready": rgba("#2E9E4F"), "busy": rgba("#2E7FBF"), "attention": rgba("#E0A100"), "starting": rgba("#9A9186"),
    "fault": RED, "absent": RED, "unknown": rgba("#8A4FBF"), "real": rgba("#9A9186"),
}  # fmt: skip

#: How large one dot of the printer is drawn, at a density of 1: 576 dots are 440 px.
DOT_DP = 440 / 576
MARGIN_DP = 14
TOOTH_DP = 7


class Text(Label):
    """A label as wide as it is given and as high as its text."""

    def __init__(self, text: str = "", size_sp: float = 14, color=INK, bold: bool = False, **options) -> None:
        super().__init__(
            text=text, font_size=sp(size_sp), color=color, bold=bold, size_hint_y=None, height=0,
            halign="left", valign="middle", **options,
        )  # fmt: skip
        self.bind(
            width=lambda *_: setattr(self, "text_size", (self.width, None)),
            texture_size=lambda *_: setattr(self, "height", self.texture_size[1]),
        )


class Push(ButtonBehavior, Label):
    """A push button; filled while `on`."""

    on = BooleanProperty(False)
    fill = ListProperty(BUTTON)
    fill_on = ListProperty(ACCENT)

    def __init__(self, text: str, action, **options) -> None:
        options = {"color": INK, "height": dp(38)} | options
        super().__init__(text=text, font_size=sp(14), size_hint_y=None, **options)
        self._ink = self.color
        with self.canvas.before:
            self._color = Color(*self.fill)
            self._shape = SmoothRoundedRectangle(radius=[dp(7)])
        self.bind(on_release=lambda *_: action(), pos=self._draw, size=self._draw, on=self._draw, state=self._draw)

    def _draw(self, *_: object) -> None:
        shade = 0.88 if self.state == "down" else 1.0
        fill = self.fill_on if self.on else self.fill
        self._color.rgba = [part * shade for part in fill[:3]] + [1]
        self.color = WHITE if self.on else self._ink
        self._shape.pos, self._shape.size = self.pos, self.size


class FaultSwitch(ButtonBehavior, BoxLayout):
    """A fault that is on or off; it shows the bench's state, never its own wish."""

    on = BooleanProperty(False)

    def __init__(self, text: str, action, **options) -> None:
        super().__init__(size_hint_y=None, height=dp(30), spacing=dp(10), **options)
        self._knob = Widget(size_hint=(None, 1), width=dp(36))
        self.add_widget(self._knob)
        label = Label(text=text, font_size=sp(14), color=INK, halign="left", valign="middle")
        label.bind(size=lambda *_: setattr(label, "text_size", label.size))
        self.add_widget(label)
        with self._knob.canvas:
            self._color = Color(*SWITCHED_OFF)
            self._track = SmoothRoundedRectangle(radius=[dp(10)])
            Color(*WHITE)
            self._dot = SmoothEllipse(size=(dp(16), dp(16)))
        self._knob.bind(pos=self._draw, size=self._draw)
        self.bind(on=self._draw, on_release=lambda *_: action(not self.on))

    def _draw(self, *_: object) -> None:
        self._color.rgba = RED if self.on else SWITCHED_OFF
        x, middle = self._knob.x, self._knob.center_y
        self._track.pos, self._track.size = (x, middle - dp(10)), (dp(36), dp(20))
        self._dot.pos = (x + (dp(18) if self.on else dp(2)), middle - dp(8))


class Light(BoxLayout):
    """A device's name, and how it is."""

    def __init__(self, name: str) -> None:
        super().__init__(size_hint_y=None, height=dp(26), spacing=dp(8))
        self._lamp = Widget(size_hint=(None, 1), width=dp(12))
        self._name = Label(
            text=name.capitalize(), font_size=sp(14), color=INK, size_hint_x=None, width=dp(70),
            halign="left", valign="middle", text_size=(dp(70), None),
        )  # fmt: skip
        self._how = Label(font_size=sp(13), color=FAINT_INK, halign="left", valign="middle")
        self._how.shorten = True
        self._how.bind(size=lambda *_: setattr(self._how, "text_size", self._how.size))
        for widget in (self._lamp, self._name, self._how):
            self.add_widget(widget)
        with self._lamp.canvas:
            self._color = Color(*LIGHTS["starting"])
            self._circle = SmoothEllipse(size=(dp(12), dp(12)))
        self._lamp.bind(pos=self._draw, size=self._draw)

    def _draw(self, *_: object) -> None:
        self._circle.pos = (self._lamp.x, self._lamp.center_y - dp(6))

    def show(self, device: dict | None) -> None:
        state = device["state"] if device else "real"
        self._color.rgba = LIGHTS[state]
        self._how.text = " · ".join(filter(None, (state, device["code"]))) if device else "a real one, not of the bench"


class Paper(StencilView):
    """One piece of paper. `out` is how much of it has left the printer, 0 to 1: its head comes first."""

    out = NumericProperty(1.0)

    def __init__(self, png: bytes, number: int) -> None:
        super().__init__(size_hint=(None, None))
        self.number = number
        self._texture = _texture(png)
        self._margin_px, self._tooth_px = dp(MARGIN_DP), dp(TOOTH_DP)
        self.width = self._texture.width + 2 * self._margin_px + dp(20)
        self.full_height_px = self._texture.height + 2 * self._margin_px + dp(12)
        with self.canvas:
            Color(0, 0, 0, 0.30)
            self._shadow = BoxShadow(blur_radius=dp(14), offset=(0, -dp(1)), spread_radius=(-dp(1),) * 2)
            Color(*PAPER)
            self._sheet = Mesh(mode="triangle_strip")
            self._print = Rectangle(texture=self._texture, size=self._texture.size)
        self.bind(pos=self._draw, size=self._draw, out=self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        self.height = self.full_height_px * self.out
        width_px, height_px = self._texture.width + 2 * self._margin_px, self._texture.height + 2 * self._margin_px
        left_px, bottom_px = round(self.center_x - width_px / 2), round(self.top - height_px - dp(4))
        self._shadow.pos, self._shadow.size = (left_px, bottom_px), (width_px, height_px)
        self._print.pos = (left_px + self._margin_px, bottom_px + self._margin_px)
        self._sheet.vertices, self._sheet.indices = _torn(left_px, bottom_px, width_px, height_px, self._tooth_px)


def _texture(png: bytes) -> Texture:
    """The paper's picture at the size in which it is shown: small text stays legible when Pillow makes it smaller,
    and does not when the graphics card does."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("L")
    dot_px = dp(DOT_DP)
    image = image.resize(
        (max(1, round(image.width * dot_px)), max(1, round(image.height * dot_px))), Image.Resampling.LANCZOS
    )
    texture = Texture.create(size=image.size, colorfmt="luminance")
    texture.blit_buffer(image.tobytes(), colorfmt="luminance", bufferfmt="ubyte")
    texture.flip_vertical()
    return texture


def _torn(left_px: float, bottom_px: float, width_px: float, height_px: float, tooth_px: float) -> tuple[list, list]:
    """Vertices and indices of a sheet whose head and foot are toothed by the cutter, as a triangle strip."""
    steps = 2 * round(width_px / tooth_px / 2)
    vertices: list[float] = []
    for step in range(steps + 1):
        x, tooth = left_px + width_px * step / steps, tooth_px * 0.5 * (step % 2)
        vertices += [x, bottom_px + tooth, 0, 0, x, bottom_px + height_px - tooth, 0, 0]
    return vertices, list(range(2 * (steps + 1)))


class Machine(Widget):
    """The printer: a dark box with a slot at its top edge."""

    def __init__(self) -> None:
        super().__init__(size_hint_y=None, height=dp(64))
        with self.canvas:
            Color(0, 0, 0, 0.35)
            self._shadow = BoxShadow(blur_radius=dp(18), offset=(0, -dp(5)), border_radius=(dp(12),) * 4)
            Color(*MACHINE)
            self._box = SmoothRoundedRectangle(radius=[dp(12)])
            Color(*MACHINE_EDGE)
            self._slot = SmoothRoundedRectangle(radius=[dp(12), dp(12), 0, 0])
            self._lamp_color = Color(*LIGHTS["starting"])
            self._lamp = SmoothEllipse(size=(dp(11), dp(11)))
        self._label = Label(font_size=sp(13), color=rgba("#D8D4CE"), halign="left", valign="middle")
        self.add_widget(self._label)
        self.bind(pos=self._draw, size=self._draw)

    def _draw(self, *_: object) -> None:
        for shape in (self._box, self._shadow):
            shape.pos, shape.size = self.pos, self.size
        self._slot.pos, self._slot.size = (self.x, self.top - dp(12)), (self.width, dp(12))
        middle = self.y + (self.height - dp(12)) / 2
        self._lamp.pos = (self.x + dp(22), middle - dp(5.5))
        self._label.pos, self._label.size = (self.x + dp(46), middle - dp(20)), (self.width - dp(66), dp(40))
        self._label.text_size = self._label.size

    def show(self, state: dict) -> None:
        device = state["devices"]["printer"]
        if device is None:
            self._label.text = "The kiosk uses a real printer: its paper comes out there"
            return
        self._lamp_color.rgba = LIGHTS[device["state"]]
        papers = state["papers"]
        count = "no paper yet" if not papers else "1 paper" if papers == 1 else f"{papers} papers"
        hanging = "an unfinished one hangs in it" if state["printer"]["hanging_rows"] else ""
        self._label.text = "   ·   ".join(filter(None, ("Printer", device["code"] or device["state"], count, hanging)))


class Banner(Text):
    """Errors in a red box; nothing while there are none."""

    def __init__(self) -> None:
        super().__init__(color=WHITE, size_sp=13)
        with self.canvas.before:
            Color(*RED)
            self._box = SmoothRoundedRectangle(radius=[dp(8)])
        self.bind(pos=self._draw, size=self._draw)

    def show(self, errors: list[str]) -> None:
        self.text = "\n".join(errors)
        self.padding = (dp(14), dp(8)) if errors else (0, 0)

    def _draw(self, *_: object) -> None:
        self._box.pos, self._box.size = self.pos, self.size


def fill(widget: Widget, top: tuple[int, int, int], bottom: tuple[int, int, int]) -> None:
    """Paint a widget's ground, shaded from top to bottom (0 to 255)."""
    shades = Texture.create(size=(1, 2), colorfmt="rgb")
    shades.blit_buffer(bytes(bottom + top), colorfmt="rgb", bufferfmt="ubyte")
    with widget.canvas.before:
        Color(*WHITE)
        ground = Rectangle(texture=shades)
    widget.bind(pos=lambda *_: setattr(ground, "pos", widget.pos), size=lambda *_: setattr(ground, "size", widget.size))
