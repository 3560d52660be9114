"""The resident's own data, to read over."""

from kiosk.views import Choice
from screens.box import Box
from screens.facts import FactsScreen
from screens.widgets import Button


class ReviewScreen(FactsScreen):
    def draw(self, box: Box) -> None:
        view = self.scene.view
        if self.theme.portrait:
            self.add_actions(box, view.choices)
            self.add_heading(box)
            self.add_facts(box, view.facts)
            return
        column = self.cut_column(box)
        self.add_heading(box)
        self.add_facts(box, view.facts, column)
        self.add_stack(column, view.choices)

    def choice_button(self, box: Box, choice: Choice, shape: str = "row") -> Button:
        """Nobody agrees to what they have not seen: beside a page that is not the last, the prominent choice is the
        next one."""
        if self.theme.portrait or self.is_last_page or not choice.prominent:
            return super().choice_button(box, choice, shape)
        return Button(
            box,
            self.theme,
            "page:rest",
            lambda: self.turn(self.page + 1),
            label=self.say("see_the_rest"),
            icon="next_page",
            style="prominent",
            shape=shape,
        )
