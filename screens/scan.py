"""A code moves to where the scanner is."""

from screens.moving import MovingScreen


class ScanScreen(MovingScreen):
    carried = "code"
