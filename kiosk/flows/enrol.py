"""Getting a card linked and choosing a PIN, with the code that the officer says."""

from typing import Any

from hardware.card_reader.interface import Card
from kiosk.enrolments import CODE_DIGITS, Enrolling, NotEnrolling
from kiosk.flows.told import Told
from kiosk.intents import Entered, is_digits
from kiosk.pin_tries import PIN_DIGITS, LockedOut, WeakPin, WrongPin
from kiosk.residents import CardTaken
from kiosk.step import Next, Step, Wait
from kiosk.views import Choice, KeypadView, View
from kiosk.visit import Visit


def code_choice(visit: Visit) -> Choice:
    """The way in, offered where the desk has opened an enrolment."""
    return Choice("code", visit.say("i_have_a_code"), "pin")


class EnterCode(Step):
    """`card` is the one to link, or None for who comes without."""

    returnable = False

    def __init__(self, card: Card | None, tries_left: int | None = None) -> None:
        self._card, self._tries_left = card, tries_left

    def view(self, visit: Visit) -> View:
        wrong = self._tries_left is not None
        return KeypadView(
            visit.say("enter_code"),
            visit.say("enter_code_detail"),
            digits_count=CODE_DIGITS,
            error=visit.say("wrong_code", n=self._tries_left) if wrong else "",
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Entered(text=code) if is_digits(code, CODE_DIGITS):
                uid = self._card.uid if self._card else None
                return Wait(lambda office: office.enrolments.begin(code, uid), self._answered)
        return None

    def _answered(self, answer: Any) -> Next:
        match answer:
            case Enrolling():
                return ChoosePin(answer)
            case WrongPin(tries_left=tries_left):
                return EnterCode(self._card, tries_left)
            case LockedOut():
                return CodesLocked()
            case CardTaken():
                return CardIsAnothers()


class ChoosePin(Step):
    returnable = False
    loses = True

    def __init__(self, enrolling: Enrolling, error: str = "") -> None:
        self._enrolling, self._error = enrolling, error

    def view(self, visit: Visit) -> View:
        error = visit.say(self._error) if self._error else ""
        return KeypadView(
            visit.say("choose_pin"), visit.say("choose_pin_detail"), digits_count=PIN_DIGITS, secret=True, error=error
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Entered(text=pin) if is_digits(pin, PIN_DIGITS):
                return RepeatPin(self._enrolling, pin)
        return None


class RepeatPin(Step):
    returnable = False
    loses = True

    def __init__(self, enrolling: Enrolling, pin: str) -> None:
        self._enrolling, self._pin = enrolling, pin

    def view(self, visit: Visit) -> View:
        return KeypadView(visit.say("repeat_pin"), visit.say("repeat_pin_detail"), digits_count=PIN_DIGITS, secret=True)

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Entered(text=pin) if is_digits(pin, PIN_DIGITS):
                if pin != self._pin:
                    return ChoosePin(self._enrolling, "pins_differ")
                return Wait(lambda office: _chosen(office, self._enrolling, pin), lambda after: after)
        return None


def _chosen(office: Any, enrolling: Enrolling, pin: str) -> Step:
    try:
        office.enrolments.choose_pin(enrolling, pin)
    except WeakPin:
        return ChoosePin(enrolling, "pin_too_easy")
    except NotEnrolling:
        return CodeEnded()
    return PinChosen()


class PinChosen(Told):
    title, text, tone = "pin_chosen", "pin_chosen_detail", "good"


class CodeEnded(Told):
    title, text = "code_ended", "code_ended_ask_desk"


class CodesLocked(Told):
    title, text = "locked", "locked_ask_desk"


class CardIsAnothers(Told):
    title, text = "card_is_anothers", "card_is_anothers_ask_desk"
