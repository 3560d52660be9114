"""The typeface of the screens and of the paper: Noto Sans, cut down to the Latin script. Its licence is `OFL.txt`."""

from importlib.resources import files

WEIGHTS = ("regular", "bold")


def font_path(weight: str = "regular") -> str:
    """Path of the TrueType file. `weight` is "regular" or "bold"; raises ValueError for another."""
    if weight not in WEIGHTS:
        raise ValueError(f"font weight {weight!r} is not one of {', '.join(WEIGHTS)}")
    return str(files(__package__) / f"NotoSans-{weight.title()}.ttf")
