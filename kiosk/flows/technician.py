"""The technician's story: how every part is, and the tests that need a person. Nothing of a resident can be reached.

An active check is written down as failed before its first step is shown, and only its end says otherwise: whoever gives
up, leaves or falls asleep over it, and a power cut, leave a failed check behind.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hardware.card_reader.interface import Card, CardPresented, CardReader, CardUnreadable
from hardware.code_scanner.interface import CodeScanned, CodeScanner, CodeUnreadable
from hardware.device import StatusChanged
from hardware.printer.interface import Printer
from hardware.speaker.interface import Speaker
from kiosk.check_results import CheckResult
from kiosk.flows.printing import Print
from kiosk.flows.told import Told
from kiosk.intents import Chosen, Entered
from kiosk.pin_tries import PIN_DIGITS, LockedOut, WrongPin
from kiosk.selftest.registry import (
    CARD,
    CHECKS,
    COLOURS,
    CUTTER,
    PRINT_AND_SCAN,
    PRINT_QUALITY,
    SOUND,
    TOUCH,
    TROUBLE,
    Finding,
    Verdict,
    fitted,
    part_name,
    verdict_name,
)
from kiosk.selftest.runner import CheckPage
from kiosk.step import Failed, Next, Reply, Step, Wait
from kiosk.views import (
    Choice,
    ChoiceView,
    ColourView,
    Fact,
    KeypadView,
    NoticeView,
    PresentCardView,
    ResultView,
    ReviewView,
    ScanView,
    TouchGridView,
    View,
)
from kiosk.visit import Visit

GIVEN_UP = "CHECK-GIVEN-UP"
ICONS = {
    TOUCH: "touch",
    COLOURS: "palette",
    CARD: "card",
    PRINT_AND_SCAN: "scan",
    PRINT_QUALITY: "printer",
    CUTTER: "paper",
    SOUND: "listen",
}
TONES = {Verdict.PASS: "good", Verdict.ATTENTION: "attention", Verdict.FAIL: "bad"}


def open_technician() -> Step:
    """Ask for the technician's PIN, where there is one."""
    return Wait(
        lambda office: office.technician.has_pin(),
        lambda has_pin: EnterTechnicianPin() if has_pin else NoTechnicianPin(),
    )


def open_menu() -> Step:
    return Wait(lambda office: office.selftest.results.last(), Menu)


def part(check: str, visit: Visit) -> str:
    """A check's name in the technician's language."""
    return part_name(check, visit.language)


def verdict(finding: Finding, visit: Visit) -> str:
    word = verdict_name(finding.verdict, visit.language)
    return f"{word} · {finding.code}" if finding.code else word


class TechnicianStep(Step):
    """There is no way back to what was done; leaving is always possible."""

    returnable = False
    final = True
    read_aloud = False  # a technician reads; and the voice is one of the parts under test


class EnterTechnicianPin(TechnicianStep):
    def __init__(self, tries_left: int | None = None) -> None:
        self._tries_left = tries_left

    def view(self, visit: Visit) -> View:
        wrong = self._tries_left is not None
        return KeypadView(
            visit.say("technician_pin"),
            digits_count=PIN_DIGITS,
            secret=True,
            error=visit.say("wrong_pin", n=self._tries_left) if wrong else "",
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Entered(text=pin):
                return Wait(lambda office: office.technician.identify(pin), self._answered)
        return None

    def _answered(self, answer: bool | WrongPin | LockedOut) -> Step:
        match answer:
            case WrongPin(tries_left=tries_left):
                return EnterTechnicianPin(tries_left)
            case LockedOut(until=until):
                return TechnicianLocked(until)
        return open_menu()


class NoTechnicianPin(Told):
    title, text = "technician", "technician_has_no_pin"


class TechnicianLocked(Told):
    title = "locked"

    def __init__(self, until: datetime | None) -> None:
        self._until = until

    def _text(self, visit: Visit) -> str:
        if self._until is None:
            return visit.say("technician_locked")
        return visit.say("technician_locked_until", time=_local(self._until, visit, "%H.%M"))


class Menu(TechnicianStep):
    """`last`: check → its newest result."""

    def __init__(self, last: dict[str, CheckResult]) -> None:
        self._last = last

    def view(self, visit: Visit) -> View:
        return ChoiceView(
            visit.say("technician"),
            choices=(
                Choice("passive", visit.say("all_parts"), "check", visit.say("all_parts_detail")),
                Choice("report", visit.say("print_report"), "printer", visit.say("print_report_detail")),
                *(self._choice(name, visit) for name in BEGINNINGS),
            ),
        )

    def _choice(self, name: str, visit: Visit) -> Choice:
        can = fitted(CHECKS[name], visit.office.selftest.bench)
        return Choice(name, part(name, visit), ICONS[name], self._detail(name, can, visit), available=can)

    def _detail(self, name: str, can: bool, visit: Visit) -> str:
        if not can:
            return visit.say("verdict_not_fitted")
        if name not in self._last:
            return visit.say("never_tested")
        result = self._last[name]
        return f"{verdict(result.finding, visit)} · {_local(result.at, visit, '%d-%m-%Y %H.%M')}"

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="passive"):
                return look_at_parts()
            case Chosen(value="report"):
                return print_report(visit)
            case Chosen(value=name) if name in BEGINNINGS and fitted(CHECKS[name], visit.office.selftest.bench):
                return BEGINNINGS[name](visit)
        return None


def look_at_parts() -> Step:
    return Wait(lambda office: office.selftest.look(), Parts)


class Parts(TechnicianStep):
    """How every part is, and again whenever a device says something new."""

    def __init__(self, findings: list[Finding]) -> None:
        self._findings = _worst_first(findings)
        self._looking = self._is_stale = False

    def view(self, visit: Visit) -> View:
        bad = sum(finding.verdict in TROUBLE for finding in self._findings)
        return ReviewView(
            visit.say("parts_need_attention", n=bad) if bad else visit.say("all_parts_well"),
            facts=tuple(Fact(part(finding.check, visit), self._value(finding, visit)) for finding in self._findings),
            choices=(
                Choice("menu", visit.say("continue"), "next", prominent=True),
                Choice("again", visit.say("look_again"), "wait"),
            ),
        )

    def _value(self, finding: Finding, visit: Visit) -> str:
        if finding.verdict in TROUBLE:
            return f"{verdict(finding, visit)}. {finding.advice(visit.language)}"
        return " · ".join(text for text in (verdict(finding, visit), finding.detail) if text)

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="menu"):
                return open_menu()
            case Chosen(value="again"):
                return look_at_parts()
            case StatusChanged():
                self._look(visit)
            case Reply(value=findings):
                self._findings, self._looking = _worst_first(findings), False
                if self._is_stale:
                    self._look(visit)
                return self
            case Failed(error=error):
                raise error
        return None

    def _look(self, visit: Visit) -> None:
        """One look at a time: a device that comes and goes must not make a queue of them."""
        self._is_stale = self._looking
        if not self._looking:
            self._looking = True
            visit.ask(lambda office: office.selftest.look())


def _worst_first(findings: list[Finding]) -> list[Finding]:
    """What somebody must do something about stands on the first page."""
    return sorted(findings, key=lambda finding: [*TROUBLE, finding.verdict].index(finding.verdict))


def print_report(visit: Visit) -> Step:
    key, language = visit.new_key("self-test"), visit.language
    title = visit.say("print_report")
    return Wait(
        lambda office: office.selftest.print_report(key, language),
        lambda job_id: Print(job_id, title, lambda on_paper: open_menu()),
    )


# Active checks.


def _begin(check: str, first: Callable[[int], Step]) -> Step:
    """Write down that it failed, then take its first step, which is given the result's id."""
    return Wait(lambda office: office.selftest.results.begin(check), first)


def _begin_with(kind: str, check: str, first: Callable[[int], Step], visit: Visit) -> Step:
    """The same for a check that a device is needed for: it has failed where that does not serve."""
    code = _trouble(kind, visit)
    return _begin(check, lambda id: end(id, Finding(check, Verdict.FAIL, code)) if code else first(id))


def _begin_page(check: str, then: Callable[[CheckPage], Step], visit: Visit) -> Step:
    """The same for a check that begins with a page from the printer."""
    key, language, title = visit.new_key("self-test"), visit.language, visit.say("printing_test_page")

    def printed(page: CheckPage, on_paper: bool) -> Step:
        if on_paper:
            return then(page)
        code = _trouble(Printer.kind, visit) or GIVEN_UP
        return end(page.result_id, Finding(check, Verdict.FAIL, code))

    return Wait(
        lambda office: office.selftest.begin_page(check, key, language),
        lambda page: Print(page.job_id, title, lambda on_paper: printed(page, on_paper)),
    )


def _trouble(kind: str, visit: Visit) -> str:
    """The code of a device that does not serve; empty for one that does."""
    devices = visit.office.devices
    if devices.serving(kind):
        return ""
    return devices.code(kind) or f"{kind.upper().replace('_', '-')}-NO-ANSWER"


def end(result_id: int, finding: Finding, facts: tuple[Fact, ...] = ()) -> Step:
    """Write down how an active check came out, and show it; `facts` are shown and not kept."""
    return Wait(lambda office: office.selftest.results.end(result_id, finding), lambda _: CheckEnded(finding, facts))


class CheckEnded(TechnicianStep):
    def __init__(self, finding: Finding, facts: tuple[Fact, ...]) -> None:
        self._finding, self._facts = finding, facts

    def view(self, visit: Visit) -> View:
        finding = self._finding
        return ResultView(
            f"{part(finding.check, visit)}: {verdict(finding, visit)}",
            finding.advice(visit.language) if finding.verdict in TROUBLE else "",
            tone=TONES[finding.verdict],
            facts=self._facts,
            choices=(Choice("menu", visit.say("continue"), "next", prominent=True),),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="menu"):
                return open_menu()
        return None


class ActiveStep(TechnicianStep):
    """One step of the active check `check`, which fails by giving up and by the loss of the device `kind`."""

    check = ""
    kind = ""

    def __init__(self, result_id: int) -> None:
        self._result_id = result_id
        self._code = GIVEN_UP  # or what went wrong last

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="give_up"):
                return self._fail(self._code)
            case StatusChanged(kind=self.kind, status=status) if not status.serving:
                return self._fail(status.code or GIVEN_UP)
        return None

    def _give_up(self, visit: Visit) -> Choice:
        return Choice("give_up", visit.say("give_up"), "bad")

    def _pass(self, detail: str = "", facts: tuple[Fact, ...] = ()) -> Step:
        return end(self._result_id, Finding(self.check, Verdict.PASS, detail=detail), facts)

    def _fail(self, code: str) -> Step:
        return end(self._result_id, Finding(self.check, Verdict.FAIL, code))


class AskTechnician(ActiveStep):
    """What only eyes and ears can tell. `code` is that of a «no»."""

    def __init__(self, result_id: int, check: str, question: str, code: str) -> None:
        super().__init__(result_id)
        self.check, self._question, self._no_code = check, question, code

    def view(self, visit: Visit) -> View:
        return NoticeView(
            visit.say(self._question),
            visit.say(f"{self._question}_detail"),
            choices=(
                Choice("yes", visit.say("yes"), "yes", prominent=True),
                Choice("no", visit.say("no"), "no"),
            ),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="yes"):
                return self._pass()
            case Chosen(value="no"):
                return self._fail(self._no_code)
        return super().on(event, visit)


class TouchEverywhere(ActiveStep):
    check = TOUCH

    def view(self, visit: Visit) -> View:
        return TouchGridView(visit.say("touch_every_square"), visit.say("touch_every_square_detail"))

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="touched"):
                return self._pass()
            case Chosen(value="give_up"):
                return self._fail("TOUCH-NOT-EVERYWHERE")
        return None


#: What a panel is looked at with: a dead dot shows on one of them, a weak backlight on white and grey.
PANEL_COLOURS = ("FF0000", "00FF00", "0000FF", "FFFFFF", "000000", "808080")


class LookAtColours(ActiveStep):
    check = COLOURS

    def __init__(self, result_id: int, shown: int = 0) -> None:
        super().__init__(result_id)
        self._shown = shown

    def view(self, visit: Visit) -> View:
        return ColourView(visit.say("part_colours"), colour=PANEL_COLOURS[self._shown])

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="next") if self._shown + 1 < len(PANEL_COLOURS):
                return LookAtColours(self._result_id, self._shown + 1)
            case Chosen(value="next"):
                return AskTechnician(self._result_id, COLOURS, "were_colours_even", "SCREEN-NOT-EVEN")
        return None


class ReadCard(ActiveStep):
    """Any card will do. Its number is neither shown nor kept."""

    check, kind = CARD, CardReader.kind

    def view(self, visit: Visit) -> View:
        unreadable = self._code != GIVEN_UP
        return PresentCardView(
            visit.say("lay_any_card"),
            visit.say("lay_any_card_detail"),
            direction=visit.office.settings.card_reader.place,
            error=f"{visit.say('card_not_read')} ({self._code})" if unreadable else "",
            choices=(self._give_up(visit),),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case CardPresented(card=card):
                return Wait(
                    lambda office: office.technician.card_mark(card.uid), lambda mark: self._read(card, mark, visit)
                )
            case CardUnreadable(code=code):
                self._code = code
                return self
        return super().on(event, visit)

    def _read(self, card: Card, mark: str, visit: Visit) -> Step:
        facts = (
            Fact(visit.say("card_kind"), visit.say(f"card_kind_{card.kind}")),
            Fact(visit.say("card_mark"), mark),
            Fact(visit.say("card_number_is_stable"), visit.say("yes" if card.stable else "no")),
        )
        return self._pass(str(card.kind), facts)


class ScanPage(ActiveStep):
    """The printer and the scanner in one loop: the very text that was just printed must come back."""

    check, kind = PRINT_AND_SCAN, CodeScanner.kind
    listens_for_code = True

    def __init__(self, page: CheckPage) -> None:
        super().__init__(page.result_id)
        self._text = page.text

    def view(self, visit: Visit) -> View:
        wrong = self._code != GIVEN_UP
        return ScanView(
            visit.say("scan_the_page"),
            visit.say("scan_the_page_detail"),
            direction=visit.office.settings.code_scanner.place,
            error=f"{visit.say('not_the_code_of_this_page')} ({self._code})" if wrong else "",
            choices=(self._give_up(visit),),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case CodeScanned(payload=payload) if payload == self._text.encode():
                return self._pass()
            case CodeScanned():
                self._code = "SCANNER-OTHER-CODE"
                return self
            case CodeUnreadable(code=code):
                self._code = code
                return self
        return super().on(event, visit)


class Hear(AskTechnician):
    kind = Speaker.kind

    def __init__(self, result_id: int) -> None:
        super().__init__(result_id, SOUND, "did_you_hear", "SPEAKER-NOT-HEARD")

    def enter(self, visit: Visit) -> None:
        self._say(visit)

    def view(self, visit: Visit) -> View:
        view = super().view(visit)
        again = Choice("again", visit.say("say_again"), "returned")
        return NoticeView(view.title, view.text, choices=(*view.choices, again))

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="again"):
                self._say(visit)
                return self
        return super().on(event, visit)

    def _say(self, visit: Visit) -> None:
        visit.office.selftest.bench.devices[Speaker.kind].say(visit.say("spoken_sentence"), visit.language)


def _scan_page(page: CheckPage, visit: Visit) -> Step:
    code = _trouble(CodeScanner.kind, visit)
    return end(page.result_id, Finding(PRINT_AND_SCAN, Verdict.FAIL, code)) if code else ScanPage(page)


def _ask_about_page(check: str, question: str, code: str) -> Callable[[Visit], Step]:
    return lambda visit: _begin_page(check, lambda page: AskTechnician(page.result_id, check, question, code), visit)


#: Active check → how it begins.
BEGINNINGS: dict[str, Callable[[Visit], Step]] = {
    TOUCH: lambda visit: _begin(TOUCH, TouchEverywhere),
    COLOURS: lambda visit: _begin(COLOURS, LookAtColours),
    CARD: lambda visit: _begin_with(CardReader.kind, CARD, ReadCard, visit),
    PRINT_AND_SCAN: lambda visit: _begin_page(PRINT_AND_SCAN, lambda page: _scan_page(page, visit), visit),
    PRINT_QUALITY: _ask_about_page(PRINT_QUALITY, "is_print_good", "PRINTER-BAD-PRINT"),
    CUTTER: _ask_about_page(CUTTER, "was_page_cut", "PRINTER-NOT-CUT"),
    SOUND: lambda visit: _begin_with(Speaker.kind, SOUND, Hear, visit),
}


def _local(moment: datetime, visit: Visit, form: str) -> str:
    return moment.astimezone(ZoneInfo(visit.office.settings.village.timezone)).strftime(form)
