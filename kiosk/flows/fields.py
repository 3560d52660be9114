"""A letter type's questions, one at a time."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from config.translations import in_language
from kiosk.intents import Chosen, Entered
from kiosk.letter_fields import (
    NUMBER_MOST,
    AmountField,
    ChoiceField,
    DateField,
    DigitsField,
    LongTextField,
    NumberField,
    TextField,
)
from kiosk.letter_types import LetterType
from kiosk.step import Next, Step
from kiosk.views import Choice, ChoiceView, DateView, FormView, NumberView, View
from kiosk.visit import Visit

DAY_DIGITS = "%d%m%Y"
OPTION = "option:"  # what a choice's option begins with, so that none of a village's keys is the one to skip


def ask_fields(letter_type: LetterType, answers: dict[str, str], then: Callable[[], Step]) -> Step:
    """The questions of a letter type in their order, and what `then` gives after the last. Their answers go into
    `answers`, which may hold earlier ones."""
    return _FillField(letter_type, 0, answers, then) if letter_type.fields else then()


class _FillField(Step):
    """One question. An answer that is wrong is shown again with what is wrong with it."""

    loses = True

    def __init__(
        self, letter_type: LetterType, position: int, answers: dict[str, str], then: Callable[[], Step]
    ) -> None:
        self._type, self._position, self._answers, self._then = letter_type, position, answers, then
        self._field = letter_type.fields[position]
        self._refused: str | None = None

    def view(self, visit: Visit) -> View:
        field, value = self._field, self._answers.get(self._field.key, "")
        error = ""
        if self._refused is not None:
            value, error = self._refused, self._complaint(self._refused, visit)
        match field:
            case ChoiceField():
                return ChoiceView(
                    in_language(field.label, visit.language), self._where(visit), choices=self._options(field, visit)
                )
            case DateField():
                return DateView(
                    in_language(field.label, visit.language),
                    self._where(visit, "date_hint"),
                    value=_day_digits(value),
                    error=error,
                    progress=self._progress,
                )
            case DigitsField() | NumberField():
                is_number = isinstance(field, NumberField)
                return NumberView(
                    in_language(field.label, visit.language),
                    self._where(visit),
                    value=value,
                    error=error,
                    prefix="Rp" if isinstance(field, AmountField) else "",
                    grouped=is_number,
                    longest=len(f"{NUMBER_MOST}") if is_number else field.longest,
                    progress=self._progress,
                )
            case TextField():
                return FormView(
                    in_language(self._type.name, visit.language),
                    label=in_language(field.label, visit.language),
                    value=value,
                    hint="" if field.required else visit.say("may_be_left_empty"),
                    error=error,
                    suggestions=field.suggestions,
                    shortest=field.shortest if field.required else 0,
                    longest=field.longest,
                    lines=4 if isinstance(field, LongTextField) else 2,
                    progress=self._progress,
                )

    @property
    def _progress(self) -> tuple[int, int]:
        return self._position + 1, len(self._type.fields)

    def _where(self, visit: Visit, hint: str = "") -> str:
        """The letter's name and which question it is; under it, what helps to answer."""
        position, count = self._progress
        name = in_language(self._type.name, visit.language)
        counter = [visit.say("question_of", n=position, count=count)] if count > 1 else []
        hints = [visit.say(hint)] if hint else []
        if not self._field.required:
            hints.append(visit.say("may_be_left_empty"))
        place = counter if hint and counter else [name, *counter]  # a small panel has no room for all of it
        return "\n".join(("  ·  ".join(place), *hints))

    def _options(self, field: ChoiceField, visit: Visit) -> tuple[Choice, ...]:
        chosen = self._answers.get(field.key)
        options = [
            Choice(
                f"{OPTION}{option.key}",
                in_language(option.label, visit.language),
                option.icon,
                prominent=option.key == chosen,
            )
            for option in field.options
        ]
        return (*options, *(() if field.required else (Choice("skip", visit.say("leave_it_empty"), "next"),)))

    def on(self, event: Any, visit: Visit) -> Next:
        match event, self._field:
            case Chosen(value="skip"), ChoiceField():
                return self._answered("", visit)
            case Chosen(value=value), ChoiceField() if value.startswith(OPTION):
                return self._answered(value.removeprefix(OPTION), visit)
            case Entered(text=text), DateField():
                return self._answered(_iso_day(text.strip()), visit)
            case Entered(text=text), TextField() | DigitsField() | NumberField():
                return self._answered(text.strip(), visit)
        return None

    def _answered(self, answer: str, visit: Visit) -> Step:
        if self._complaint(answer, visit):
            self._refused = answer
            return self
        self._refused = None
        self._answers[self._field.key] = answer
        if self._position + 1 < len(self._type.fields):
            return _FillField(self._type, self._position + 1, self._answers, self._then)
        return self._then()

    def _complaint(self, answer: str, visit: Visit) -> str:
        return self._field.complaint(answer, self._answers, visit.office.today(), visit.language)


def _iso_day(digits: str) -> str:
    """«2026-11-24» of «24112026»; what is no day stays as it is."""
    try:
        return datetime.strptime(digits, DAY_DIGITS).date().isoformat() if len(digits) == 8 else digits
    except ValueError:
        return digits


def _day_digits(answer: str) -> str:
    try:
        return date.fromisoformat(answer).strftime(DAY_DIGITS) if "-" in answer else answer
    except ValueError:
        return ""
