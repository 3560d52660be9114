"""The check story: show a letter's code, and learn whether the letter is genuine. No network is asked."""

from typing import Any

from hardware.code_scanner.interface import CodeScanned, CodeScanner, CodeUnreadable
from hardware.device import StatusChanged
from kiosk.intents import Chosen
from kiosk.step import End, Next, Step, Wait
from kiosk.verdict_words import tell
from kiosk.views import Choice, ResultView, ScanView, View
from kiosk.visit import Visit


class ShowCode(Step):
    listens_for_code = True

    def __init__(self, error: str = "") -> None:
        self._error = error

    def view(self, visit: Visit) -> View:
        error = visit.say(self._error) if self._error else ""
        place = visit.office.settings.code_scanner.place
        where = f"{visit.say(f'camera_is_{place}')}. {visit.say('hold_code_detail')}"
        return ScanView(visit.say("hold_code_to_camera"), where, direction=place, error=error)

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
        office = visit.office
        told = tell(self._verdict, visit.language, office.letter_types, office.settings.village.timezone)
        return ResultView(
            told.title,
            told.text,
            tone=told.tone,
            facts=told.facts,
            choices=(
                Choice("again", visit.say("check_another"), "scan"),
                Choice("done", visit.say("done"), "ok", prominent=True),
            ),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="again"):
                return ShowCode()
            case Chosen(value="done"):
                return End()
        return None
