"""Plain words about something that does not work, or a question."""

from screens import theme as colours
from screens.box import Box
from screens.screen import Screen
from screens.widgets import Disc, Icon, Text, text_height


class NoticeScreen(Screen):
    def draw(self, box: Box) -> None:
        view, theme = self.scene.view, self.theme
        self.add_quiet(box, tuple(choice for choice in view.choices if choice.quiet))
        if view.code:  # out of the visitor's way
            code_h = text_height(view.code, theme.smallest_px, box.w)
            self.add(Text(box.cut_bottom(code_h), view.code, theme.smallest_px, colour=colours.INK_SOFT, align="right"))
        choices = tuple(choice for choice in view.choices if not choice.quiet)
        big_h = 0
        if view.big and not theme.portrait:
            column = box.cut_right(box.w * 2 // 5, 2 * theme.gap)
            self.add_stack(column, choices)
            self.add_big(column, view.big)
        else:
            self.add_actions(box, choices)
            big_h = min(theme.px(70), box.h // 2) if view.big else 0
        ink, tint, icon = colours.TONES[view.tone]
        title_h = text_height(view.title, theme.title_px, box.w, bold=True)
        text_h = text_height(view.text, theme.body_px, box.w)
        words_h = title_h + text_h + theme.px(1) + 2 * theme.gap + big_h
        side = min(theme.px(56 if theme.roomy else 36), box.h - words_h)
        if side < theme.px(14):  # the words come before the sign
            side = 0
        block = box.middle(box.w, min(box.h, side + words_h))
        if side:
            place = block.cut_top(side, theme.gap).middle(side, side)
            self.add(Disc(place, tint))
            self.add(Icon(place.inset(side // 6), icon, ink))
        self.add_heading(block, align="center")
        if big_h:
            self.add_big(block, view.big)
