"""A code moves before the scanner."""

from screens.moving import MovingScreen


class ScanScreen(MovingScreen):
    carried, target = "code", "scan"
