"""The font of the pictures that go with words."""

from importlib.resources import files

from config.icons import GLYPHS


def icon_font_path() -> str:
    return str(files(__package__) / "data" / "icons.ttf")


def glyph(name: str) -> str:
    """The character of that icon. Raises KeyError for a name that is not there."""
    return GLYPHS[name]
