"""One colour over the whole panel, to look for dots that are dead."""

from screens.box import Box
from screens.idle import Everywhere
from screens.screen import Screen
from screens.widgets import Card

VALUE = "next"


class ColourScreen(Screen):
    covers_panel = True

    def draw(self, box: Box) -> None:
        code = self.scene.view.colour
        red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (0, 2, 4))
        self.add(Card(box, (red, green, blue, 1.0)))
        self.add(Everywhere(box, VALUE, self.choose(VALUE)))
