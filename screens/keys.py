"""Rows of keys."""

from collections.abc import Callable
from dataclasses import dataclass

from kivy.uix.widget import Widget

from screens.box import Box
from screens.theme import Theme
from screens.widgets import Button


@dataclass(frozen=True)
class Key:
    """`value` is the key's name; `units` its width, in keys. A key without a value is a gap."""

    value: str
    label: str = ""
    icon: str = ""
    units: float = 1.0
    style: str = "key"


class Keys(Widget):
    """Keys in rows over a box, `columns` units wide; narrower rows are centred. `on_key` gets the key's value."""

    kept = True  # a screen shows the same keys again, press after press

    def __init__(
        self,
        box: Box,
        theme: Theme,
        rows: list[list[Key]],
        columns: float,
        on_key: Callable[[str], None],
        sizes_px: tuple[int, ...],
    ) -> None:
        super().__init__()
        gap = theme.key_gap
        row_h = (box.h - gap * (len(rows) - 1)) // len(rows)
        unit_w = (box.w + gap) / columns
        for number, row in enumerate(rows):
            y = box.top - row_h - number * (row_h + gap)
            x = box.x + (columns - sum(key.units for key in row)) * unit_w / 2
            for key in row:
                if key.value:
                    cell = Box(int(x), y, int(key.units * unit_w) - gap, row_h)
                    self.add_widget(self._button(cell, theme, key, on_key, sizes_px))
                x += key.units * unit_w

    def _button(
        self, cell: Box, theme: Theme, key: Key, on_key: Callable[[str], None], sizes_px: tuple[int, ...]
    ) -> Button:
        return Button(
            cell,
            theme,
            f"key:{key.value}",
            lambda: on_key(key.value),
            label=key.label,
            icon=key.icon,
            style=key.style,
            shape="key",
            sizes_px=sizes_px,
        )
