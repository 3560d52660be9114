"""What surrounds every view: the village and the languages above; back, leave and help below."""

from collections.abc import Callable
from dataclasses import dataclass

from kivy.uix.widget import Widget

from config.translations import say
from kiosk.intents import HelpAsked, Intent, LanguageChosen, Left, ListenAsked, TextSizeToggled, WentBack
from kiosk.views import Scene
from screens import theme as colours
from screens.box import Box
from screens.theme import Theme
from screens.widgets import Button, Card, Icon, Text, button_padding, discard_children, row_icon_px, text_width

LANGUAGE_NAMES = {"id": "Bahasa Indonesia", "jv": "Basa Jawi", "en": "English"}


def top_h(theme: Theme) -> int:
    bar_h = theme.bar_h + 2 * theme.px(1.5)
    return 2 * bar_h if theme.portrait else bar_h


def bottom_h(theme: Theme, scene: Scene) -> int:
    """The idle screen and help have nothing below."""
    is_needed = scene.can_go_back or scene.can_leave or scene.can_ask_help
    return theme.bar_h + 2 * theme.px(1.5) if is_needed else 0


@dataclass(frozen=True)
class _Setting:
    """Its name is that of its icon too. `words_tell`: the words say what a touch changes, so being on needs no mark."""

    name: str
    words: str
    intent: type[Intent]
    is_on: bool
    words_tell: bool = False


def _text_size(scene: Scene, theme: Theme) -> _Setting:
    words = say(scene.language, "normal_text" if theme.large_text else "larger_text")
    return _Setting("larger_text", words, TextSizeToggled, theme.large_text, words_tell=True)


def _voice(scene: Scene) -> _Setting:
    return _Setting("listen", say(scene.language, "listen"), ListenAsked, scene.listens)


class Chrome(Widget):
    def __init__(self, village_name: str, languages: tuple[str, ...], post: Callable[..., None]) -> None:
        super().__init__()
        self._village_name, self._languages, self._post = village_name, languages, post
        self._drawn: tuple | None = None

    def show(self, scene: Scene, theme: Theme, with_top: bool) -> None:
        below = (scene.can_go_back, scene.can_leave, scene.leaving_loses, scene.can_ask_help)
        drawn = (theme, scene.language, below, scene.can_listen, scene.listens, with_top)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        discard_children(self)
        window = Box(0, 0, theme.width_px, theme.height_px)
        if with_top:
            self._add_top(window.cut_top(top_h(theme)), scene, theme)
        if bar_h := bottom_h(theme, scene):
            self._add_bottom(window.cut_bottom(bar_h), scene, theme, with_voice=scene.can_listen and not with_top)

    def hide(self) -> None:
        self._drawn = None
        discard_children(self)

    def _add_top(self, bar: Box, scene: Scene, theme: Theme) -> None:
        if theme.portrait:
            header = bar.cut_top(bar.h // 2)
            self.add_widget(Card(header, colours.BRAND_DARK))
            head = header.inset(theme.margin, theme.px(1.5))
            self._add_settings(head, scene, theme, room=head.w * 2 // 3)
            self._add_village(head, theme, colours.ON_BRAND)
        self.add_widget(Card(bar, colours.CARD))
        self.add_widget(Card(Box(bar.x, bar.y, bar.w, max(1, theme.px(0.3))), colours.HAIRLINE))
        row = bar.inset(theme.margin if theme.portrait else theme.px(3), theme.px(1.5))
        if theme.portrait:
            self._add_languages(row, scene, theme, room=row.w)
        else:
            room = row.w * 2 // 3  # the village has the rest
            settings_w = self._add_settings(row, scene, theme, room - sum(self._languages_w(theme)) - 3 * theme.gap)
            self._add_languages(row, scene, theme, room - settings_w)
            self._add_village(row, theme, colours.BRAND_DARK)

    def _add_village(self, box: Box, theme: Theme, colour: colours.Colour) -> None:
        side = min(box.h, theme.px(14))
        self.add_widget(Icon(box.cut_left(side, theme.px(2.5)), "village", colour))
        sizes_px = (theme.px(7.5 / colours.CAPITAL_EM), theme.px(6.1 / colours.CAPITAL_EM), theme.smallest_px)
        self.add_widget(Text(box, self._village_name, *sizes_px, bold=True, colour=colour))

    def _add_settings(self, row: Box, scene: Scene, theme: Theme, room: int) -> int:
        """How the visitor is spoken to: the size of the text and the voice. Cut from the right, with their words where
        there is room for all of them; returns how wide they are."""
        settings = [_text_size(scene, theme)] + ([_voice(scene)] if scene.can_listen else [])
        widths = [self._natural_w(row, theme, setting.words) for setting in settings]
        with_words = sum(widths) + theme.gap * len(settings) <= room
        if not with_words:
            widths = [max(theme.target, row.h)] * len(settings)
        for setting, width in zip(settings, widths, strict=True):
            self._add_setting(row.cut_right(width, theme.gap), theme, setting, with_words)
        return sum(widths) + theme.gap * (len(settings) - 1)

    def _add_setting(self, place: Box, theme: Theme, setting: _Setting, with_words: bool) -> None:
        self.add_widget(
            Button(
                place,
                theme,
                f"bar:{setting.name}",
                lambda: self._post(setting.intent),
                label=setting.words if with_words else "",
                icon=setting.name,
                style="selected" if setting.is_on and not (with_words and setting.words_tell) else "bar",
                shape="row" if with_words else "key",
                sizes_px=(theme.smallest_px,),
            )
        )

    def _languages_w(self, theme: Theme, in_two_lines: bool = False) -> list[int]:
        """How wide each language's button must be."""
        padding = 2 * button_padding(theme, "key") + theme.px(4)
        names = [LANGUAGE_NAMES[language] for language in self._languages]
        lines = [name.split() if in_two_lines else [name] for name in names]
        return [max(text_width(line, theme.smallest_px, bold=True) for line in of_one) + padding for of_one in lines]

    def _add_languages(self, row: Box, scene: Scene, theme: Theme, room: int) -> None:
        """Cut from the right in landscape; over the whole row in portrait. A long name may take two lines."""
        names = [LANGUAGE_NAMES[language] for language in self._languages]
        widths = self._languages_w(theme)
        if sum(widths) + theme.gap * (len(names) - 1) > room:
            widths = self._languages_w(theme, in_two_lines=True)
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

    def _add_bottom(self, bar: Box, scene: Scene, theme: Theme, with_voice: bool) -> None:
        self.add_widget(Card(bar, colours.CARD))
        self.add_widget(Card(Box(bar.x, bar.top, bar.w, max(1, theme.px(0.3))), colours.HAIRLINE))
        row = bar.inset(theme.margin if theme.portrait else theme.px(3), theme.px(1.5))
        if scene.can_leave:
            words = say(scene.language, "cancel" if scene.leaving_loses else "leave")
            self._add_natural(row, theme, "bar:leave", words, "leave", Left)
        if scene.can_go_back:
            self._add_natural(row, theme, "bar:back", say(scene.language, "back"), "back", WentBack)
        if with_voice:
            self._add_setting(
                row.cut_right(max(theme.target, row.h), theme.gap), theme, _voice(scene), with_words=False
            )
        if scene.can_ask_help:
            self._add_help(row, scene, theme)

    def _add_help(self, row: Box, scene: Scene, theme: Theme) -> None:
        words = say(scene.language, "need_help")
        size_px = theme.px(5.4 / colours.CAPITAL_EM)
        width = min(row.w, self._natural_w(row, theme, words, size_px))
        self.add_widget(
            Button(
                row.cut_right(width),
                theme,
                "bar:help",
                lambda: self._post(HelpAsked),
                label=words,
                icon="help",
                style="side_key",
                sizes_px=(size_px, theme.smallest_px),
            )
        )

    def _natural_w(self, row: Box, theme: Theme, words: str, size_px: int = 0) -> int:
        """What a button with an icon and the words on one line takes, in the smallest size unless another is said."""
        padding = button_padding(theme)
        icon_px = row_icon_px(theme, row.h - 2 * theme.edge)
        words_w = text_width(words, size_px or theme.smallest_px, bold=True)
        return words_w + icon_px + theme.px(3) + 2 * padding + theme.px(1)

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
