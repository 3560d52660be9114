"""Asking for a letter in a resident's stead: the kiosk's letters, questions and rules, on one page."""

import re
from typing import assert_never

from flask import Blueprint, abort, redirect, render_template, request, url_for

from kiosk.desk.access import allowed, notice, officer, services
from kiosk.desk.pages.residents import REGISTRARS, RESIDENT, need_resident
from kiosk.letter_fields import (
    AmountField,
    AnyField,
    ChoiceField,
    DateField,
    DigitsField,
    LongTextField,
    NumberField,
    TextField,
)
from kiosk.letter_types import LetterType
from kiosk.paper.text import clean
from kiosk.residents import Resident
from kiosk.store.requirement_papers import Paper

blueprint = Blueprint("asking", __name__, url_prefix=f"/warga/{RESIDENT}/surat")

LANGUAGE = "id"


@blueprint.get("/")
@allowed(*REGISTRARS)
def letters(resident_id: int):
    resident = need_resident(resident_id)
    offered = [(each, _refusal(each, resident)) for each in services().office.letter_types.values()]
    return render_template("asking_letters.html", resident=resident, offered=offered)


@blueprint.get("/<letter_type>")
@allowed(*REGISTRARS)
def questions(resident_id: int, letter_type: str):
    resident = need_resident(resident_id)
    return _questions_page(resident, _need_type(letter_type, resident), {}, {})


@blueprint.post("/<letter_type>")
@allowed(*REGISTRARS)
def ask(resident_id: int, letter_type: str):
    """The papers are for the desk: the officer judges them on the request's own page."""
    resident = need_resident(resident_id)
    wanted = _need_type(letter_type, resident)
    answers = {field.key: _answer(field) for field in wanted.fields}
    if complaints := _complaints(wanted, answers):
        return _questions_page(resident, wanted, answers, complaints), 422
    submitted = services().office.requests.submit(
        resident_id,
        wanted.key,
        answers,
        f"desk:{request.form['mark']}",
        LANGUAGE,
        asked_by=officer().username,
        papers=tuple(Paper(requirement.key) for requirement in wanted.requirements),
    )
    notice(f"Permohonan {submitted.number} diajukan atas nama warga. Sebutkan nomornya kepada warga.")
    return redirect(url_for("requests.page", number=submitted.number), 303)


def _questions_page(
    resident: Resident, letter_type: LetterType, answers: dict[str, str], complaints: dict[str, str]
) -> str:
    return render_template(
        "asking.html",
        resident=resident,
        letter_type=letter_type,
        fields=[(field, _control(field)) for field in letter_type.fields],
        options={
            field.key: [(option.key, option.label[LANGUAGE]) for option in field.options]
            for field in letter_type.fields
            if isinstance(field, ChoiceField)
        },
        answers=answers,
        complaints=complaints,
    )


def _complaints(letter_type: LetterType, answers: dict[str, str]) -> dict[str, str]:
    """What is wrong with each answer, by its question's key."""
    today = services().office.today()
    found = {field.key: field.complaint(answers[field.key], answers, today, LANGUAGE) for field in letter_type.fields}
    return {key: complaint for key, complaint in found.items() if complaint}


def _answer(field: AnyField) -> str:
    answer = " ".join(clean(request.form.get(f"answer-{field.key}", "")).split())
    if isinstance(field, NumberField) and re.fullmatch(r"(Rp\s?)?[0-9]{1,3}(\.[0-9]{3})*", answer, re.IGNORECASE):
        return re.sub("[^0-9]", "", answer)  # as the kiosk shows it while it is typed
    return answer


def _control(field: AnyField) -> str:
    """How the question is put; each kind of the template."""
    match field:
        case ChoiceField():
            return "choice"
        case DateField():
            return "date"
        case AmountField():
            return "amount"
        case DigitsField() | NumberField():
            return "digits"
        case LongTextField():
            return "long_text"
        case TextField():
            return "text"
        case _:
            assert_never(field)


def _need_type(key: str, resident: Resident) -> LetterType:
    """One that this resident may have, or the page that says that there is none."""
    letter_type = services().office.letter_types.get(key)
    if letter_type is None or _refusal(letter_type, resident):
        abort(404)
    return letter_type


def _refusal(letter_type: LetterType, resident: Resident) -> str:
    return letter_type.asker.refusal(resident, services().office.today(), LANGUAGE)
