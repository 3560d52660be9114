"""Rectangles cut from rectangles: how a screen is laid out."""

from dataclasses import dataclass


@dataclass
class Box:
    """Pixels from the window's lower left corner. Each cut takes a piece off one side and returns it."""

    x: int
    y: int
    w: int
    h: int

    @property
    def top(self) -> int:
        return self.y + self.h

    @property
    def middle_x(self) -> int:
        return self.x + self.w // 2

    def inset(self, dx: int, dy: int | None = None) -> "Box":
        dy = dx if dy is None else dy
        return Box(self.x + dx, self.y + dy, self.w - 2 * dx, self.h - 2 * dy)

    def cut_top(self, h: int, gap: int = 0) -> "Box":
        piece = Box(self.x, self.top - h, self.w, h)
        self.h -= h + gap
        return piece

    def cut_bottom(self, h: int, gap: int = 0) -> "Box":
        piece = Box(self.x, self.y, self.w, h)
        self.y += h + gap
        self.h -= h + gap
        return piece

    def cut_left(self, w: int, gap: int = 0) -> "Box":
        piece = Box(self.x, self.y, w, self.h)
        self.x += w + gap
        self.w -= w + gap
        return piece

    def cut_right(self, w: int, gap: int = 0) -> "Box":
        piece = Box(self.x + self.w - w, self.y, w, self.h)
        self.w -= w + gap
        return piece

    def grid(self, columns: int, rows: int, gap: int) -> list["Box"]:
        """Equal cells, row by row from the top left."""
        w = (self.w - gap * (columns - 1)) // columns
        h = (self.h - gap * (rows - 1)) // rows
        return [
            Box(self.x + column * (w + gap), self.top - h - row * (h + gap), w, h)
            for row in range(rows)
            for column in range(columns)
        ]

    def middle(self, w: int, h: int) -> "Box":
        return Box(self.x + (self.w - w) // 2, self.y + (self.h - h) // 2, w, h)
