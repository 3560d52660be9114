"""The check story: show a letter's code, and learn whether the letter is genuine. No network is asked."""

from typing import Any

from hardware.code_scanner.interface import CodeScanned, CodeScanner, CodeUnreadable
from hardware.device import StatusChanged
from kiosk.codes import Damaged, Expired, Genuine, LetterFacts, NotFromHere, Withdrawn
from kiosk.flows.letter import letter_type_name
from kiosk.intents import Chosen
from kiosk.office import KnownRequest
from kiosk.paper.text import date_in_words
from kiosk.step import End, Next, Step, Wait
from kiosk.views import Choice, Fact, ResultView, ScanView, View
from kiosk.visit import Visit


class ShowCode(Step):
    listens_for_code = True

    def __init__(self, error: str = "") -> None:
        self._error = error

    def view(self, visit: Visit) -> View:
        error = visit.say(self._error) if self._error else ""
        place = visit.office.settings.code_scanner.place
        return ScanView(visit.say("hold_code_to_camera"), visit.say("hold_code_detail"), direction=place, error=error)

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case CodeScanned(payload=payload):
                return Wait(lambda office: office.check_code(payload), CodeChecked)
            case CodeUnreadable():
                self._error = "code_not_read"
                return self
            case StatusChanged(kind=CodeScanner.kind, status=status) if not status.serving:
                self._error = "scanner_away_today"
                return self
        return None


class CodeChecked(Step):
    """What the code says, with masked facts: it may be somebody else's letter."""

    leaves = False

    def __init__(self, verdict: Any) -> None:
        self._verdict = verdict

    def view(self, visit: Visit) -> View:
        tone, title, text = self._words()
        return ResultView(
            visit.say(title),
            visit.say(text),
            tone=tone,
            facts=self._facts(visit),
            choices=(
                Choice("again", visit.say("check_another"), "scan"),
                Choice("done", visit.say("done"), "ok", prominent=True),
            ),
        )

    def _words(self) -> tuple[str, str, str]:
        """Tone, title and text."""
        match self._verdict:
            case Genuine():
                return "good", "letter_genuine", "compare_with_your_letter"
            case Expired():
                return "attention", "letter_expired", "compare_with_your_letter"
            case Withdrawn():
                return "bad", "letter_withdrawn", "letter_withdrawn_ask_desk"
            case Damaged():
                return "bad", "code_damaged", "code_damaged_ask_desk"
            case NotFromHere():
                return "attention", "code_not_from_here", "code_not_from_here_detail"
            case KnownRequest(state=state):
                return "good", "request_slip", f"state_{state}"
        raise TypeError(f"no words for {type(self._verdict).__name__}")

    def _facts(self, visit: Visit) -> tuple[Fact, ...]:
        match self._verdict:
            case Genuine(facts=facts) | Expired(facts=facts) | Withdrawn(facts=facts):
                return _letter_facts(facts, visit)
            case KnownRequest(number=number, letter_type=letter_type):
                return (
                    Fact(visit.say("your_request_number"), number),
                    Fact(visit.say("letter_type"), letter_type_name(letter_type, visit)),
                )
        return ()

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="again"):
                return ShowCode()
            case Chosen(value="done"):
                return End()
        return None


def _letter_facts(facts: LetterFacts, visit: Visit) -> tuple[Fact, ...]:
    return (
        Fact(visit.say("letter_type"), letter_type_name(facts.letter_type, visit)),
        Fact(visit.say("letter_number"), facts.letter_number),
        Fact(visit.say("owner"), facts.masked_name),
        Fact(visit.say("issued_on"), date_in_words(facts.issued_on, visit.language)),
        Fact(visit.say("valid_until"), date_in_words(facts.valid_until, visit.language)),
    )
