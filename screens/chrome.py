"""What surrounds every view: the village and the languages above; back, leave and help below."""

from collections.abc import Callable

from kivy.uix.widget import Widget

from config.translations import say
from kiosk.intents import HelpAsked, LanguageChosen, Left, TextSizeToggled, WentBack
from kiosk.views import IdleView, ResultView, Scene
from screens import theme as colours
from screens.box import Box
from screens.theme import Theme
from screens.widgets import Button, Card, Icon, Text, button_padding, discard_children, row_icon_px, text_width

LANGUAGE_NAMES = {"id": "Bahasa Indonesia", "jv": "Basa Jawi", "en": "English"}


def top_h(theme: Theme) -> int:
    bar_h = theme.bar_h + 2 * theme.px(1.5)
    return 2 * bar_h if theme.portrait else bar_h


def bottom_h(theme: Theme, scene: Scene) -> int:
    """The idle screen has nothing below."""
    return 0 if isinstance(scene.view, IdleView) else theme.bar_h + 2 * theme.px(1.5)


class Chrome(Widget):
    def __init__(self, village_name: str, languages: tuple[str, ...], post: Callable[..., None]) -> None:
        super().__init__()
        self._village_name, self._languages, self._post = village_name, languages, post
        self._drawn: tuple | None = None

    def show(self, scene: Scene, theme: Theme, with_top: bool) -> None:
        kind = "idle" if isinstance(scene.view, IdleView) else "result" if isinstance(scene.view, ResultView) else ""
        drawn = (theme, scene.language, scene.can_go_back, scene.can_leave, kind, with_top)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        discard_children(self)
        window = Box(0, 0, theme.width_px, theme.height_px)
        if with_top:
            self._add_top(window.cut_top(top_h(theme)), scene, theme)
        if kind != "idle":
            self._add_bottom(window.cut_bottom(bottom_h(theme, scene)), scene, theme, done=kind == "result")

    def _add_top(self, bar: Box, scene: Scene, theme: Theme) -> None:
        if theme.portrait:
            header = bar.cut_top(bar.h // 2)
            self.add_widget(Card(header, colours.BRAND_DARK))
            self._add_village(header.inset(theme.margin, theme.px(2)), theme, colours.ON_BRAND)
        self.add_widget(Card(bar, colours.CARD))
        self.add_widget(Card(Box(bar.x, bar.y, bar.w, max(1, theme.px(0.3))), colours.HAIRLINE))
        row = bar.inset(theme.margin if theme.portrait else theme.px(3), theme.px(1.5))
        size = Button(
            row.cut_right(max(theme.target, row.h), theme.gap),
            theme,
            "bar:larger_text",
            lambda: self._post(TextSizeToggled),
            icon="larger_text",
            style="selected" if theme.large_text else "bar",
            shape="key",
        )
        self.add_widget(size)
        self._add_languages(row, scene, theme)
        if not theme.portrait:
            self._add_village(row, theme, colours.BRAND_DARK)

    def _add_village(self, box: Box, theme: Theme, colour: colours.Colour) -> None:
        side = min(box.h, theme.px(14))
        self.add_widget(Icon(box.cut_left(side, theme.px(2.5)), "village", colour))
        sizes_px = (theme.px(7.5 / colours.CAPITAL_EM), theme.px(6.1 / colours.CAPITAL_EM), theme.smallest_px)
        self.add_widget(Text(box, self._village_name, *sizes_px, bold=True, colour=colour))

    def _add_languages(self, row: Box, scene: Scene, theme: Theme) -> None:
        """Cut from the right in landscape; over the whole row in portrait. A long name may take two lines."""
        names = [LANGUAGE_NAMES[language] for language in self._languages]
        padding = 2 * button_padding(theme, "key") + theme.px(4)
        widths = [text_width(name, theme.smallest_px, bold=True) + padding for name in names]
        room = row.w if theme.portrait else int(row.w * 0.66)
        if sum(widths) + theme.gap * (len(names) - 1) > room:
            widths = [
                max(text_width(word, theme.smallest_px, bold=True) for word in name.split()) + padding for name in names
            ]
        if theme.portrait:
            spare = (row.w - sum(widths) - theme.gap * (len(names) - 1)) // len(names)
            widths = [width + spare for width in widths]
        for language, name, width in reversed(list(zip(self._languages, names, widths, strict=True))):
            self.add_widget(
                Button(
                    row.cut_right(max(width, theme.target), theme.gap),
                    theme,
                    f"bar:language:{language}",
                    lambda language=language: self._post(LanguageChosen, language),
                    label=name,
                    style="selected" if language == scene.language else "bar",
                    shape="key",
                    sizes_px=(theme.smallest_px,),
                )
            )

    def _add_bottom(self, bar: Box, scene: Scene, theme: Theme, done: bool) -> None:
        self.add_widget(Card(bar, colours.CARD))
        self.add_widget(Card(Box(bar.x, bar.top, bar.w, max(1, theme.px(0.3))), colours.HAIRLINE))
        row = bar.inset(theme.margin if theme.portrait else theme.px(3), theme.px(1.5))
        if scene.can_go_back:
            self._add_natural(row, theme, "bar:back", say(scene.language, "back"), "back", WentBack)
        if scene.can_leave:
            key = "done" if done else "cancel"
            self._add_natural(row, theme, "bar:leave", say(scene.language, key), "leave", Left)
        words = say(scene.language, "need_help")
        width = min(row.w, self._natural_w(row, theme, words))
        self.add_widget(
            Button(
                row.cut_right(width),
                theme,
                "bar:help",
                lambda: self._post(HelpAsked),
                label=words,
                icon="help",
                style="side_key",
                sizes_px=(theme.px(5.4 / colours.CAPITAL_EM), theme.smallest_px),
            )
        )

    def _natural_w(self, row: Box, theme: Theme, words: str) -> int:
        padding = button_padding(theme)
        icon_px = row_icon_px(theme, row.h - 2 * theme.edge)
        return text_width(words, theme.smallest_px, bold=True) + icon_px + theme.px(3) + 2 * padding + theme.px(1)

    def _add_natural(self, row: Box, theme: Theme, value: str, words: str, icon: str, kind: type) -> None:
        self.add_widget(
            Button(
                row.cut_left(self._natural_w(row, theme, words), theme.gap),
                theme,
                value,
                lambda: self._post(kind),
                label=words,
                icon=icon,
                style="bar",
                sizes_px=(theme.smallest_px,),
            )
        )
