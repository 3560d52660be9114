"""One field, ready-made answers, and an on-screen keyboard."""

from kiosk.intents import Entered
from screens import theme as colours
from screens.box import Box
from screens.keys import Key, Keys
from screens.screen import Screen
from screens.widgets import Button, Card, Text, text_height, text_width

LETTERS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
SIGNS = ("1234567890", '-/:;()&@"', "?!'+%=#")
ROWS = 4
COLUMNS = 10
CARET = "|"


class FormScreen(Screen):
    hides_top_on_compact = True  # the keyboard takes all the height there is

    def __init__(self, post: object, alive: object) -> None:
        super().__init__(post, alive)
        self._text = ""
        self._signs = self._capitals = self._capitals_locked = False
        self._typing = False  # on a lying panel: the keyboard took the place of the ready-made answers
        self._complaint = ""
        self._keyboards: dict[tuple, Keys] = {}

    def show(self, scene: object, theme: object, area: Box) -> None:
        if scene.fresh:
            self._start(scene.view.value)
        else:
            self._complaint = ""
        super().show(scene, theme, area)

    def reset(self) -> None:
        """Nothing: `show` and `leave` set what was typed, since a fresh view may bring a value."""

    def leave(self) -> None:
        self._start("")
        super().leave()

    def _start(self, text: str) -> None:
        self._text = text
        self._signs = self._capitals_locked = self._typing = False
        self._capitals = not text
        self._complaint = ""

    def draw(self, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        if view.suggestions and not theme.portrait and not self._typing:
            # Lying panels have no room for both; the ready-made answers come first.
            self._add_head(box, keyboard=False)
            self._add_chips(box, with_own=True)
            return
        row_h = self._key_h(box)
        self._add_keyboard(box.cut_bottom(ROWS * row_h + (ROWS - 1) * theme.key_gap, theme.px(2)))
        self._add_head(box, keyboard=True)
        self._add_field(box)
        if view.suggestions and theme.portrait:
            self._add_chips(box, with_own=False)

    def _key_h(self, box: Box) -> int:
        """As high as the room allows, from the smallest target to a comfortable one."""
        theme = self.theme
        share = 0.62 if not theme.portrait else 0.5
        fits = (int(box.h * share) - (ROWS - 1) * theme.key_gap) // ROWS
        return max(theme.target, min(theme.px(27), fits))

    def _add_head(self, box: Box, keyboard: bool) -> None:
        """Title, «Pertanyaan 2 dari 5» and the field's label; an error takes the label's place."""
        view, theme = self.scene.view, self.theme
        step, steps = view.progress
        title = view.title if steps == 1 else f"{view.title}  ·  {self.say('question_of', n=step, count=steps)}"
        error = self._complaint or view.error
        line, colour = (error, colours.BAD) if error else (view.label or title, colours.BRAND_DARK)
        if theme.compact and keyboard:
            height = text_height("A", theme.smallest_px, box.w, bold=True)
            self.add(Text(box.cut_top(height), line, theme.smallest_px, bold=True, colour=colour))
            return
        if view.label:
            height = text_height(title, theme.small_px, box.w)
            piece = box.cut_top(height, theme.px(0.5))
            self.add(Text(piece, title, theme.small_px, theme.smallest_px, colour=colours.INK_SOFT))
        size_px = theme.label_px if keyboard and not theme.portrait else theme.title_px
        height = min(text_height(line, size_px, box.w, bold=True), box.h // 2)
        piece = box.cut_top(height, theme.px(1.5))
        self.add(Text(piece, line, size_px, theme.small_px, theme.smallest_px, bold=True, colour=colour))
        if view.text and not (keyboard and not theme.portrait):
            height = min(text_height(view.text, theme.body_px, box.w), box.h // 3)
            piece = box.cut_top(height, theme.px(3))
            self.add(Text(piece, view.text, theme.body_px, theme.small_px, theme.smallest_px, colour=colours.INK_SOFT))

    def _add_field(self, box: Box) -> None:
        """What was typed so far, or the hint; one line on a lying panel."""
        view, theme = self.scene.view, self.theme
        size_px = theme.label_px
        lines = view.lines if theme.portrait else 1
        if text_height("A", size_px, box.w, bold=True) + 2 * theme.edge > box.h:
            size_px = theme.smallest_px
        line_h = text_height("A", size_px, box.w, bold=True)
        field = box.cut_top(min(lines * line_h + 2 * theme.px(2), box.h), theme.gap)
        self.add(Card(field, colours.CARD, theme.radius, colours.BRAND, theme.edge))
        inner = field.inset(theme.px(3), theme.edge)
        if self._text:
            self.add(Text(inner, self._tail(inner, size_px), size_px, bold=True))
        else:
            self.add(Text(inner, view.hint, size_px, theme.smallest_px, colour=colours.INK_SOFT))

    def _tail(self, box: Box, size_px: int) -> str:
        """The end of what was typed, as much as the field shows, and a caret."""
        text = self._text + CARET
        for start in range(len(text)):
            shown = ("…" if start else "") + text[start:]
            if text_height(shown, size_px, box.w, bold=True) <= box.h:
                return shown
        return CARET

    def _add_chips(self, box: Box, with_own: bool) -> None:
        """Ready-made answers, each as wide as its words; `with_own` adds the way to the keyboard."""
        view, theme = self.scene.view, self.theme
        size_px = theme.body_px
        padding = theme.px(5)
        height = theme.target if with_own and theme.compact else theme.px(22)
        rows_max = max(1, (box.h + theme.gap) // (height + theme.gap))
        own = self.say("type_it_yourself") if with_own else None
        x, row = 0, 0
        labels = list(view.suggestions) + ([own] if own else [])
        for label in labels:
            width = min(box.w, max(theme.px(30), text_width(label, size_px, bold=True) + 2 * padding))
            if x and x + width > box.w:
                x, row = 0, row + 1
            if row >= rows_max:
                return
            cell = Box(box.x + x, box.top - height - row * (height + theme.gap), width, height)
            tap = self._type_myself if label == own else self._answer(label)
            value = "type" if label == own else f"suggestion:{label}"
            style = "bar" if label == own else "side_key"
            self.add(
                Button(
                    cell,
                    theme,
                    value,
                    tap,
                    label=label,
                    style=style,
                    shape="key",
                    sizes_px=(size_px, theme.smallest_px),
                )
            )
            x += width + theme.gap

    def _answer(self, text: str) -> object:
        return lambda: self.post(Entered, text)

    def _type_myself(self) -> None:
        self._typing = True
        self.alive()
        self.redraw()

    def _add_keyboard(self, box: Box) -> None:
        """Keyboards are kept for their place, language and layer: a key press redraws the field only."""
        theme = self.theme
        name = (theme, box.x, box.y, box.w, box.h, self.scene.language, self._signs, self._capitals)
        if name not in self._keyboards:
            if any(kept[:6] != name[:6] for kept in self._keyboards):
                self._keyboards.clear()
            sizes_px = (theme.px(7.5 / colours.CAPITAL_EM), theme.label_px, theme.smallest_px)
            self._keyboards[name] = Keys(box, theme, self._key_rows(), COLUMNS, self._pressed, sizes_px)
        self.add(self._keyboards[name])

    def _key_rows(self) -> list[list[Key]]:
        layer = SIGNS if self._signs else LETTERS
        rows = [[self._character(sign) for sign in row] for row in layer]
        shift = Key("shift", icon="shift", units=1.5, style="selected" if self._capitals else "side_key")
        rows[2] = [
            Key("", units=1.5) if self._signs else shift,
            *rows[2],
            Key("backspace", icon="backspace", units=1.5, style="side_key"),
        ]
        rows.append(
            [
                Key("signs", label="ABC" if self._signs else "123", units=1.5, style="side_key"),
                self._character(","),
                Key(" ", icon="space", units=4),
                self._character("."),
                Key("ok", label=self.say("continue"), units=2.5, style="prominent"),
            ]
        )
        return rows

    def _character(self, sign: str) -> Key:
        return Key(sign, label=sign.upper() if self._capitals else sign)

    def _pressed(self, key: str) -> None:
        self.alive()
        self._complaint = ""
        if key == "ok":
            self._finish()
            return
        if key == "signs":
            self._signs = not self._signs
        elif key == "shift":
            self._capitals_locked = self._capitals = not self._capitals
        elif key == "backspace":
            self._text = self._text[:-1]
        elif len(self._text) < self.scene.view.longest:
            self._text += key.upper() if self._capitals else key
            self._capitals = self._capitals_locked
        self.redraw()

    def _finish(self) -> None:
        text = " ".join(self._text.split())
        shortest = self.scene.view.shortest
        if len(text) < shortest:
            self._complaint = self.say("text_too_short", n=shortest)
            self.redraw()
            return
        self.post(Entered, text)
