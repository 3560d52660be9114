"""Nobody is here: one large invitation, and a touch anywhere begins."""

from screens import theme as colours
from screens.box import Box
from screens.screen import Screen
from screens.widgets import Button, Card, Disc, Icon, Text, text_height

VALUE = "start"


class Everywhere(Button):
    """The whole area is the button; it draws nothing itself."""

    def __init__(self, box: Box, value: str, on_tap: object) -> None:
        super(Button, self).__init__(box)
        self.value, self.on_tap = value, on_tap

    def press(self, pressed: bool) -> None:
        self.opacity = 0.85 if pressed else 1.0


class IdleScreen(Screen):
    def draw(self, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        everywhere = Everywhere(box, VALUE, self.choose(VALUE))
        self.add(Card(box, colours.BRAND))
        self.add(everywhere)
        inner = box.inset(theme.margin, theme.margin)
        notices = list(view.notices)
        for notice in notices:
            self.add_strip(inner, notice, "attention", from_top=False)
        self._invitation(everywhere, inner)

    def _invitation(self, everywhere: Everywhere, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        disc_px = min(theme.px(78 if theme.roomy else 46), box.h // 3)
        width = min(box.w, theme.px(300))
        title_h = text_height(view.title, theme.hero_px, width, bold=True)
        text_h = text_height(view.text, theme.title_px, width)
        village_h = text_height(view.village, theme.title_px, width, bold=True)
        gap = theme.px(4) if not theme.roomy else theme.px(10)
        total = disc_px + title_h + text_h + village_h + 3 * gap
        block = box.middle(width, min(box.h, total))
        white = colours.ON_BRAND
        everywhere.add_widget(
            Text(block.cut_top(village_h, gap), view.village, theme.title_px, bold=True, colour=white, align="center")
        )
        disc = block.cut_top(disc_px, gap).middle(disc_px, disc_px)
        everywhere.add_widget(Disc(disc, white))
        everywhere.add_widget(Icon(disc.inset(disc_px // 5), "touch", colours.BRAND))
        everywhere.add_widget(
            Text(
                block.cut_top(min(title_h, block.h), gap),
                view.title,
                theme.hero_px,
                theme.title_px,
                theme.body_px,
                bold=True,
                colour=white,
                align="center",
            )
        )
        if view.text and block.h > 0:
            sizes_px = (theme.title_px, theme.body_px, theme.small_px)
            everywhere.add_widget(Text(block, view.text, *sizes_px, colour=white, align="center"))
