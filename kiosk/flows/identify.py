"""Who are you? An e-KTP or a NIK says who; the PIN proves it.

A card's number is a user name and never a proof: it can be copied. From outside, a wrong NIK and a wrong PIN look the
same, so that nobody can find out who is registered.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hardware.card_reader.interface import Card, CardKind, CardPresented, CardReader, CardUnreadable
from kiosk.flows.enrol import EnterCode, code_choice
from kiosk.flows.queue import open_queue
from kiosk.flows.told import Told, done
from kiosk.intents import Chosen, Entered, is_digits
from kiosk.pin_tries import PIN_DIGITS
from kiosk.residents import Identified, LockedOut, NoPin, Paused, UnknownCard, WrongPin
from kiosk.step import End, Next, Step, Wait
from kiosk.views import Choice, KeypadView, NoticeView, PresentCardView, View
from kiosk.visit import Visit

#: What follows once the kiosk knows who is there.
Then = Callable[[Visit], Step]

NIK_DIGITS = 16


def identify(visit: Visit, then: Then) -> Step:
    """Ask for the card, or, where no reader serves, for the NIK."""
    return PresentCard(then) if visit.office.devices.serving(CardReader.kind) else EnterNik(then)


def identify_by_card(visit: Visit, event: CardPresented, then: Then) -> Step:
    """A card was put down: go on with its owner."""
    card = event.card
    if card.kind is CardKind.OTHER:
        return PresentCard(then, error="card_is_another")
    if not card.stable:
        return EnterNik(then, card_changes=True)  # the desk cannot register it either

    def known(answer: Any) -> Next:
        match answer:
            case True:
                return EnterPin(then, card=card)
            case Paused(until=until):
                return Locked(until)
            case (NoPin(), is_enrolling):
                return PinNotSet(is_enrolling, card)
            case (UnknownCard(), is_enrolling):
                return CardNotRegistered(then, card if is_enrolling else None)

    return Wait(lambda office: _look_up(office, card), known)


def _look_up(office: Any, card: Card) -> Any:
    """The register's answer; of a card that does not serve yet also whether the desk is enrolling somebody."""
    answer = office.residents.look_up_card(card.uid)
    return (answer, office.enrolments.is_any_open()) if isinstance(answer, NoPin | UnknownCard) else answer


class PresentCard(Step):
    def __init__(self, then: Then, error: str = "") -> None:
        self._then, self._error = then, error

    def view(self, visit: Visit) -> View:
        place = visit.office.settings.card_reader.place
        return PresentCardView(
            visit.say("present_card"),
            visit.say(f"present_card_{place}"),
            direction=place,
            error=visit.say(self._error) if self._error else "",
            choices=(Choice("nik", visit.say("use_nik"), "keypad"),),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case CardPresented():
                return identify_by_card(visit, event, self._then)
            case CardUnreadable():
                self._error = "card_not_read"
                return self
            case Chosen(value="nik"):
                return EnterNik(self._then)
        return None


class EnterNik(Step):
    """`card_changes`: they came with a card that makes up a new number each time."""

    def __init__(self, then: Then, card_changes: bool = False) -> None:
        self._then, self._card_changes = then, card_changes

    def enter(self, visit: Visit) -> None:
        visit.card = None  # one that lies there is of no more use: its owner may read the NIK off it

    def view(self, visit: Visit) -> View:
        text = "card_cannot_be_used" if self._card_changes else "enter_nik_detail"
        return KeypadView(visit.say("enter_nik"), visit.say(text), digits_count=NIK_DIGITS)

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Entered(text=nik) if is_digits(nik, NIK_DIGITS):
                return EnterPin(self._then, nik=nik)
            case CardPresented():
                return identify_by_card(visit, event, self._then)
        return None


class EnterPin(Step):
    """Exactly one of `card` and `nik` says whose PIN it is."""

    returnable = False

    def __init__(self, then: Then, card: Card | None = None, nik: str = "", tries_left: int | None = None) -> None:
        self._then, self._card, self._nik, self._tries_left = then, card, nik, tries_left

    def enter(self, visit: Visit) -> None:
        visit.card = self._card

    def view(self, visit: Visit) -> View:
        wrong = self._tries_left is not None
        may_be_taken = self._card is not None and not visit.office.settings.card_reader.cradle
        return KeypadView(
            visit.say("enter_pin"),
            visit.say("enter_pin_detail_card" if may_be_taken and not wrong else "enter_pin_detail"),
            digits_count=PIN_DIGITS,
            secret=True,
            error=self._error(visit) if wrong else "",
            choices=(Choice("forgot", visit.say("forgot_pin"), "pin"),),
        )

    def _error(self, visit: Visit) -> str:
        return visit.say("wrong_pin" if self._card else "wrong_nik_or_pin", n=self._tries_left)

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Entered(text=pin) if is_digits(pin, PIN_DIGITS):
                return self._prove(visit, pin)
            case Chosen(value="forgot"):
                return Wait(lambda office: office.enrolments.is_any_open(), PinForgotten)
            case CardPresented(card=card) if self._card is None or card.uid != self._card.uid:
                return identify_by_card(visit, event, self._then)
        return None

    def _prove(self, visit: Visit, pin: str) -> Step:
        card, nik = self._card, self._nik

        def answered(answer: Any) -> Next:
            match answer:
                case Identified(resident=resident):
                    visit.resident = resident
                    return self._then(visit)
                case WrongPin(tries_left=tries_left):
                    return EnterPin(self._then, card, nik, tries_left)
                case LockedOut(until=until) | Paused(until=until):
                    return Locked(until)
                case UnknownCard():
                    return CardNotRegistered(self._then, None)

        if card is not None:
            return Wait(lambda office: office.residents.identify_by_card(card.uid, pin), answered)
        return Wait(lambda office: office.residents.identify_by_nik(nik, pin), answered)


class _PinFromDesk(Told):
    """Only the desk can help: with a code that the officer says, where they are enrolling somebody. `card` is the one
    to link."""

    def __init__(self, is_enrolling: bool, card: Card | None = None) -> None:
        self._is_enrolling, self._card = is_enrolling, card

    def _choices(self, visit: Visit) -> tuple[Choice, ...]:
        return (code_choice(visit), done(visit)) if self._is_enrolling else (done(visit),)

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="code") if self._is_enrolling:
                return EnterCode(self._card)
        return super().on(event, visit)


class PinNotSet(_PinFromDesk):
    title, text = "pin_not_set", "pin_not_set_ask_desk"


class PinForgotten(_PinFromDesk):
    title, text = "forgot_pin", "forgot_pin_ask_desk"


class Locked(Told):
    title = "locked"

    def __init__(self, until: datetime | None) -> None:
        self._until = until

    def _text(self, visit: Visit) -> str:
        if self._until is None:
            return visit.say("locked_ask_desk")
        zone = ZoneInfo(visit.office.settings.village.timezone)
        return visit.say("locked_until", time=self._until.astimezone(zone).strftime("%H.%M"))


class CardNotRegistered(Step):
    """Whoever has no PIN yet needs the desk, and a number for it. `card` is given where the desk is enrolling
    somebody."""

    returnable = False
    leaves = False

    def __init__(self, then: Then, card: Card | None) -> None:
        self._then, self._card = then, card

    def view(self, visit: Visit) -> View:
        code = (code_choice(visit),) if self._card else ()
        return NoticeView(
            visit.say("card_not_registered"),
            visit.say("card_not_registered_ask_desk"),
            choices=(
                Choice("done", visit.say("done"), "leave"),
                Choice("nik", visit.say("use_nik_and_pin"), "keypad"),
                *code,
                Choice("queue", visit.say("take_number"), "queue", prominent=True),
            ),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="queue"):
                return open_queue()
            case Chosen(value="code") if self._card:
                return EnterCode(self._card)
            case Chosen(value="nik"):
                return EnterNik(self._then)
            case Chosen(value="done"):
                return End()
            case CardPresented():
                return identify_by_card(visit, event, self._then)
        return None
