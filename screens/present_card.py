"""A card moves to the reader, slowly, so that even this screen costs little."""

from screens.moving import MovingScreen


class PresentCardScreen(MovingScreen):
    carried, target = "card", "reader"
