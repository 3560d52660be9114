"""The questions that a letter type asks, by their kinds: what an answer may be, and how it stands on the letter.

An answer is a text: what was typed, a date as «2026-11-24», a choice by its option's key, a number in digits. An empty
one was not given.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from config.icons import check_icon
from config.translations import in_language, say
from kiosk.paper.text import (
    UnprintableTextError,
    date_in_words,
    grouped,
    number_and_words,
    printable,
    rupiah_and_words,
)

Text = Annotated[str, Meta(min_length=1, max_length=100)]
Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
Words = dict[Annotated[str, Meta(pattern=r"^(id|jv|en)\Z")], Text]  # language → text; "id" is always there
#: A day as a rule names it: «today», «18 years ago», «in 2 years», or the key of a date asked before.
Limit = Annotated[str, Meta(pattern=r"^([0-9]{1,3} years ago|in [0-9]{1,2} years|[a-z][a-z0-9_]{0,39})\Z")]

NUMBER_MOST = 999_999_999_999


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every table of the file is."""


def need_indonesian(words: Words, key: str) -> None:
    if "id" not in words:
        raise ValueError(f"{key}: needs an Indonesian text ('id')")


class Field(Table, kw_only=True, tag_field="kind"):
    """One question to the resident; `short` is what the answer is called where the question is too long."""

    key: Key
    label: Words
    short: Words = {}
    required: bool = False

    def __post_init__(self) -> None:
        need_indonesian(self.label, "label")
        if self.short:
            need_indonesian(self.short, "short")

    def called(self, language: str) -> str:
        """What the answer is called beside it: «Keperluan»."""
        return in_language(self.short or self.label, language)

    def complaint(self, answer: str, earlier: Mapping[str, str], today: date, language: str) -> str:
        """What is wrong with an answer, in `language`; empty where nothing is. `earlier` are the answers given before
        it, by their keys."""
        if not answer:
            return say(language, "answer_needed") if self.required else ""
        return self._complaint(answer, earlier, today, language)

    def _complaint(self, answer: str, earlier: Mapping[str, str], today: date, language: str) -> str:
        raise NotImplementedError

    def on_letter(self, answer: str) -> str:
        """An answer that was given, in the letter's Indonesian."""
        return answer

    def shown(self, answer: str, language: str) -> str:
        """An answer that was given, for its resident to read over."""
        return answer


class TextField(Field, tag="text"):
    """A line that is typed. Suggestions are ready answers in Indonesian, as they will stand on the letter."""

    shortest: Annotated[int, Meta(ge=1)] = 3
    longest: Annotated[int, Meta(le=300)] = 100
    suggestions: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shortest > self.longest:
            raise ValueError("shortest is above longest")
        for suggestion in self.suggestions:
            if not self.shortest <= len(suggestion) <= self.longest:
                raise ValueError(f"the suggestion {suggestion!r} is shorter or longer than an answer may be")

    def _complaint(self, answer: str, earlier: Mapping[str, str], today: date, language: str) -> str:
        if len(answer) < self.shortest:
            return say(language, "text_too_short", n=self.shortest)
        if len(answer) > self.longest or not answer.isprintable():
            return say(language, "answer_cannot_be_used")
        try:
            printable(answer)
        except UnprintableTextError:
            return say(language, "answer_cannot_be_used")
        return ""


class LongTextField(TextField, tag="long_text"):
    """Some sentences that are typed."""

    longest: Annotated[int, Meta(le=600)] = 300


class DateField(Field, tag="date"):
    """A day, within two limits that count themselves in."""

    not_before: Limit = "120 years ago"
    not_after: Limit = "in 10 years"

    def _complaint(self, answer: str, earlier: Mapping[str, str], today: date, language: str) -> str:
        day = _date(answer)
        if day is None:
            return say(language, "date_does_not_exist")
        first, last = (_day(limit, earlier, today) for limit in (self.not_before, self.not_after))
        if first and day < first:
            return say(language, "date_too_early", date=date_in_words(first, language))
        if last and day > last:
            return say(language, "date_too_late", date=date_in_words(last, language))
        return ""

    def on_letter(self, answer: str) -> str:
        return self.shown(answer, "id")

    def shown(self, answer: str, language: str) -> str:
        day = _date(answer)
        return date_in_words(day, language) if day else answer


class Option(Table, kw_only=True):
    """One of a choice's answers. `text` stands on the letter; without it, the label's Indonesian does."""

    key: Key
    label: Words
    text: Annotated[str, Meta(max_length=100)] = ""
    icon: str = "next"

    def __post_init__(self) -> None:
        need_indonesian(self.label, "label")
        check_icon(self.icon)


class ChoiceField(Field, tag="choice"):
    options: Annotated[tuple[Option, ...], Meta(min_length=2, max_length=24)] = msgspec.field(name="option")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len({option.key for option in self.options}) != len(self.options):
            raise ValueError("option: two options have the same key")

    def _complaint(self, answer: str, earlier: Mapping[str, str], today: date, language: str) -> str:
        return "" if self._chosen(answer) else say(language, "answer_cannot_be_used")

    def on_letter(self, answer: str) -> str:
        chosen = self._chosen(answer)
        return (chosen.text or chosen.label["id"]) if chosen else answer

    def shown(self, answer: str, language: str) -> str:
        chosen = self._chosen(answer)
        return in_language(chosen.label, language) if chosen else answer

    def _chosen(self, answer: str) -> Option | None:
        """None for an option that the village has taken out since."""
        return next((option for option in self.options if option.key == answer), None)


class DigitsField(Field, tag="digits"):
    """Digits that are no number: of a telephone, of a card."""

    shortest: Annotated[int, Meta(ge=1)] = 1
    longest: Annotated[int, Meta(le=20)] = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shortest > self.longest:
            raise ValueError("shortest is above longest")

    def _complaint(self, answer: str, earlier: Mapping[str, str], today: date, language: str) -> str:
        if not re.fullmatch("[0-9]+", answer) or len(answer) > self.longest:
            return say(language, "answer_cannot_be_used")
        return say(language, "digits_too_few", n=self.shortest) if len(answer) < self.shortest else ""


class NumberField(Field, tag="number"):
    """How many: on the letter in digits and in words, «200 (dua ratus)»."""

    least: Annotated[int, Meta(ge=0)] = 0
    most: Annotated[int, Meta(le=NUMBER_MOST)] = 999_999

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.least > self.most:
            raise ValueError("least is above most")

    def _complaint(self, answer: str, earlier: Mapping[str, str], today: date, language: str) -> str:
        if not re.fullmatch("[0-9]{1,12}", answer):
            return say(language, "answer_cannot_be_used")
        if int(answer) < self.least:
            return say(language, "number_too_small", n=self.shown(f"{self.least}", language))
        if int(answer) > self.most:
            return say(language, "number_too_large", n=self.shown(f"{self.most}", language))
        return ""

    def on_letter(self, answer: str) -> str:
        return number_and_words(int(answer)) if answer.isdecimal() else answer

    def shown(self, answer: str, language: str) -> str:
        return grouped(int(answer)) if answer.isdecimal() else answer


class AmountField(NumberField, tag="amount"):
    """Rupiah: on the letter «Rp1.500.000 (satu juta lima ratus ribu rupiah)»."""

    most: Annotated[int, Meta(le=NUMBER_MOST)] = NUMBER_MOST

    def on_letter(self, answer: str) -> str:
        return rupiah_and_words(int(answer)) if answer.isdecimal() else answer

    def shown(self, answer: str, language: str) -> str:
        return f"Rp{super().shown(answer, language)}"


AnyField = TextField | LongTextField | DateField | ChoiceField | DigitsField | NumberField | AmountField


def other_date(limit: str) -> str:
    """The key of the field that a limit names; empty where it counts from today."""
    return "" if limit == "today" or " " in limit else limit


def _date(answer: str) -> date | None:
    """None for what is none: a village may have made a date of what was a text when it was answered."""
    try:
        return date.fromisoformat(answer)
    except ValueError:
        return None


def _day(limit: str, earlier: Mapping[str, str], today: date) -> date | None:
    """None where the other date was not given."""
    if key := other_date(limit):
        return _date(earlier.get(key, ""))
    if limit == "today":
        return today
    years = int(re.search("[0-9]+", limit)[0])
    return _years_later(today, years if limit.startswith("in ") else -years)


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)
