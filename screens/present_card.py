"""A card moves to where the reader is, slowly, so that even this screen costs little."""

from screens.moving import MovingScreen


class PresentCardScreen(MovingScreen):
    carried = "card"
