"""The resident's own data, to read over."""

from screens.box import Box
from screens.facts import FactsScreen


class ReviewScreen(FactsScreen):
    def draw(self, box: Box) -> None:
        view = self.scene.view
        column = None if self.theme.portrait else self.cut_column(box)
        if column is None:
            self.add_actions(box, view.choices)
        else:
            self.add_stack(column, view.choices)
        self.add_heading(box)
        self.add_facts(box, view.facts, column)
