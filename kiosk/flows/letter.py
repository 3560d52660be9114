"""The letter story.

Who are you? → your letters → which letter? → what for? → its papers → is this right? → sent → here is your slip.
Some days later: who are you? → your letter is ready → print the copy.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from config.translations import in_language
from kiosk.flows.fields import ask_fields
from kiosk.flows.papers import ask_papers, decided_facts, kept_facts, names_of
from kiosk.flows.printing import Print
from kiosk.flows.told import Finished, Told, done
from kiosk.intents import Chosen
from kiosk.letter_fields import AnyField
from kiosk.letter_types import LetterType
from kiosk.paper.text import date_in_words
from kiosk.papers import KeptPaper
from kiosk.requests import LetterRequest, RequestState, WrongState
from kiosk.step import Back, End, Next, Step, Wait
from kiosk.store.requirement_papers import Paper
from kiosk.views import Choice, ChoiceView, Fact, NoticeView, ResultView, ReviewView, View
from kiosk.visit import Visit

#: How each state of a request is drawn.
STATE_ICONS = {
    RequestState.SUBMITTED: "pending",
    RequestState.CHECKING: "pending",
    RequestState.RETURNED: "returned",
    RequestState.SIGNING: "pending",
    RequestState.READY: "ready",
    RequestState.REFUSED: "bad",
    RequestState.WITHDRAWN: "bad",
}
#: What ended badly is told for so long: its owner reads the reason at the next visit.
ENDED = (RequestState.REFUSED, RequestState.WITHDRAWN)
ENDED_SHOWN = timedelta(days=60)
#: Nothing for the resident to do but to wait.
AT_THE_DESK = (RequestState.SUBMITTED, RequestState.CHECKING, RequestState.SIGNING)
#: Papers that are missing are still of use.
AWAITS_PAPERS = (RequestState.SUBMITTED, RequestState.CHECKING, RequestState.RETURNED)


def open_letters(visit: Visit) -> Step:
    """Whoever has a letter that they do not know of is told of it first: it may be one that they never asked for."""
    resident_id = visit.resident.id

    def found(untold: list[LetterRequest]) -> Step:
        return LettersMade(untold) if untold else show_letters(visit)

    return Wait(lambda office: office.requests.untold(resident_id), found)


class LettersMade(Step):
    """The letters that were made in the resident's name since their last visit: those that an officer asked for are not
    called the resident's own wish."""

    def __init__(self, letters: list[LetterRequest]) -> None:
        self._letters = letters

    def view(self, visit: Visit) -> View:
        all_asked_here = all(not letter.asked_by for letter in self._letters)
        return ReviewView(
            visit.say("letters_you_asked_for" if all_asked_here else "letters_in_your_name"),
            visit.say("letters_in_your_name_ask_desk"),
            facts=tuple(
                Fact(
                    letter_type_name(letter.letter_type, visit),
                    visit.say("made_on", date=date_in_words(letter.issued_on, visit.language)),
                )
                for letter in self._letters
            ),
            choices=(Choice("continue", visit.say("continue"), "ok", prominent=True),),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="continue"):
                told = [letter.id for letter in self._letters]
                return Wait(lambda office: office.requests.mark_told(told), lambda _: show_letters(visit))
        return None


def show_letters(visit: Visit) -> Step:
    """Those who have letters under way see them first; the others go straight to the choice."""
    resident_id = visit.resident.id
    long_ago = visit.office.clock.now() - ENDED_SHOWN

    def found(requests: list[LetterRequest]) -> Step:
        shown = [
            request
            for request in requests
            if request.state in STATE_ICONS and not (request.state in ENDED and request.changed_at < long_ago)
        ]
        return MyLetters(shown) if shown else ChooseLetter()

    return Wait(lambda office: office.requests.of_resident(resident_id), found)


def letter_name(letter_type: LetterType, visit: Visit) -> str:
    return in_language(letter_type.name, visit.language)


def letter_type_name(key: str, visit: Visit) -> str:
    """The letter's name; a type that the village has since removed is called by its key."""
    letter_type = visit.office.letter_types.get(key)
    return letter_name(letter_type, visit) if letter_type else key


class MyLetters(Step):
    """A letter that is ready comes first; then the way to another, so that a long list never hides it."""

    def __init__(self, requests: list[LetterRequest]) -> None:
        self._requests = {request.number: request for request in requests}

    def view(self, visit: Visit) -> View:
        ready = [request for request in self._requests.values() if request.state is RequestState.READY]
        others = [request for request in self._requests.values() if request.state is not RequestState.READY]
        return ChoiceView(
            visit.say("your_letters"),
            visit.say("greeting", name=visit.resident.name),
            choices=(
                *(self._choice(request, visit) for request in ready),
                Choice("new", visit.say("request_new_letter"), "letter", prominent=not ready),
                *(self._choice(request, visit) for request in others),
            ),
        )

    def _choice(self, request: LetterRequest, visit: Visit) -> Choice:
        ready = request.state is RequestState.READY
        return Choice(
            request.number,
            letter_type_name(request.letter_type, visit),
            STATE_ICONS[request.state],
            visit.say("ready_touch_to_see" if ready else f"state_{request.state}"),
            prominent=ready,
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="new"):
                return ChooseLetter()
            case Chosen(value=number) if number in self._requests:
                return show_request(self._requests[number])
        return None


class ChooseLetter(Step):
    """Every letter is offered; one that this resident may not ask for says why, and where to go instead."""

    def view(self, visit: Visit) -> View:
        return ChoiceView(
            visit.say("choose_letter"),
            visit.say("greeting", name=visit.resident.name),
            choices=tuple(self._choice(letter_type, visit) for letter_type in visit.office.letter_types.values()),
        )

    def _choice(self, letter_type: LetterType, visit: Visit) -> Choice:
        refusal = letter_type.asker.refusal(visit.resident, visit.office.today(), visit.language)
        return Choice(
            letter_type.key,
            letter_name(letter_type, visit),
            letter_type.icon,
            refusal or self._needs(letter_type, visit),
            available=not refusal,
        )

    def _needs(self, letter_type: LetterType, visit: Visit) -> str:
        papers = names_of(letter_type.requirements, visit)
        return visit.say("needs_papers", papers=papers) if papers else ""

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value=key) if key in visit.office.letter_types:
                letter_type = visit.office.letter_types[key]
                if letter_type.asker.refusal(visit.resident, visit.office.today(), visit.language):
                    return NotForYou(letter_type)
                return fill_in(letter_type, {}, {}, request=None)
        return None


class NotForYou(Step):
    """The kiosk cannot take the request; an officer may know more than the register."""

    leaves = False

    def __init__(self, letter_type: LetterType) -> None:
        self._type = letter_type

    def view(self, visit: Visit) -> View:
        refusal = self._type.asker.refusal(visit.resident, visit.office.today(), visit.language)
        return NoticeView(
            letter_name(self._type, visit),
            f"{refusal}. {visit.say('letter_ask_desk')}",
            choices=(
                Choice("done", visit.say("done"), "leave"),
                Choice("other", visit.say("something_else"), "letter", prominent=True),
            ),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="other"):
                return Back()
            case Chosen(value="done"):
                return End()
        return None


def fill_in(
    letter_type: LetterType, answers: dict[str, str], papers: dict[str, Paper], request: LetterRequest | None
) -> Step:
    """The letter's questions and papers, and what follows them. `request` is the returned one that is being corrected,
    or None for a new one."""

    def review() -> Step:
        return Review(letter_type, answers, papers, request)

    return ask_fields(letter_type, answers, then=lambda: ask_papers(letter_type, request, papers, then=review))


class Review(Step):
    """The resident's own check screen: the one place that shows more of the NIK than its end. Of the two choices the
    prominent one is the last, on every panel."""

    loses = True

    def __init__(
        self, letter_type: LetterType, answers: dict[str, str], papers: dict[str, Paper], request: LetterRequest | None
    ) -> None:
        self._type, self._answers, self._papers, self._request = letter_type, answers, papers, request

    def view(self, visit: Visit) -> View:
        resident = visit.resident
        own = (
            Fact(visit.say("letter"), letter_name(self._type, visit)),
            Fact(visit.say("name"), resident.name),
            Fact(visit.say("nik"), resident.masked_nik_own()),
            Fact(visit.say("address"), resident.full_address()),
        )
        asked = tuple(
            Fact(field.called(visit.language), self._shown(field, visit) or "–") for field in self._type.fields
        )
        return ReviewView(
            visit.say("check_your_data"),
            visit.say("is_data_correct"),
            facts=own + asked + decided_facts(self._type, self._papers, visit),
            choices=(
                Choice("edit", visit.say("not_correct"), "edit"),
                Choice("send", visit.say("yes_send_request"), "ok", prominent=True),
            ),
        )

    def _shown(self, field: AnyField, visit: Visit) -> str:
        answer = self._answers.get(field.key, "")
        return field.shown(answer, visit.language) if answer else ""

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="send"):
                return send(visit, self._type, self._answers, self._papers, self._request)
            case Chosen(value="edit"):
                return DataNotCorrect(self._type, self._answers, self._papers, self._request)
        return None


class DataNotCorrect(Step):
    """What was typed can be typed again; what the register says, only the desk can change."""

    returnable = False
    loses = True

    def __init__(
        self, letter_type: LetterType, answers: dict[str, str], papers: dict[str, Paper], request: LetterRequest | None
    ) -> None:
        self._type, self._answers, self._papers, self._request = letter_type, answers, papers, request

    def view(self, visit: Visit) -> View:
        answers = Choice("answers", visit.say("change_my_answers"), "edit", prominent=True)
        register = Choice("register", visit.say("my_register_data_is_wrong"), "person")
        return ChoiceView(visit.say("what_is_not_correct"), choices=(answers, register))

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="answers"):
                return fill_in(self._type, self._answers, self._papers, self._request)
            case Chosen(value="register"):
                return AskTheDesk()
        return None


class AskTheDesk(Told):
    title, text = "my_register_data_is_wrong", "register_ask_desk"


def send(
    visit: Visit,
    letter_type: LetterType,
    answers: dict[str, str],
    papers: Mapping[str, Paper],
    correcting: LetterRequest | None,
) -> Step:
    """The request, its papers and its slip's print job come into being together, once, however often it is tried."""
    resident_id, key, language = visit.resident.id, visit.new_key("request"), visit.language
    handed_in = tuple(papers.values())

    def submit(office: Any) -> tuple[LetterRequest, dict[str, KeptPaper]]:
        if correcting is not None:
            request = office.requests.resubmit(correcting.id, answers, key, language, papers=handed_in)
        else:
            request = office.requests.submit(resident_id, letter_type.key, answers, key, language, papers=handed_in)
        return request, office.papers.of_request(request.id)

    def sent(answer: tuple[LetterRequest, dict[str, KeptPaper]]) -> Step:
        request, kept = answer
        return Print(
            request.print_job_id,
            title=visit.say("request_sent"),
            then=lambda on_paper: RequestSent(request, kept, on_paper),
            number=request.number,
        )

    return Wait(submit, sent)


class LetterFinished(Finished):
    """A slip or a copy: «Surat lain» goes on with the same resident."""

    def __init__(self, request: LetterRequest, on_paper: bool) -> None:
        super().__init__(on_paper)
        self._request = request

    def _choices(self, visit: Visit) -> tuple[Choice, ...]:
        return Choice("another", visit.say("something_else"), "letter"), done(visit)

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="another"):
                return open_letters(visit)
        return super().on(event, visit)


class RequestSent(LetterFinished):
    def __init__(self, request: LetterRequest, papers: Mapping[str, KeptPaper], on_paper: bool) -> None:
        super().__init__(request, on_paper)
        self._papers = papers

    def view(self, visit: Visit) -> View:
        return ResultView(
            visit.say("request_sent"),
            visit.say("take_your_slip" if self._on_paper else "remember_your_number"),
            tone=self._tone,
            big=self._request.number,
            facts=self._facts(visit),
            choices=self._choices(visit),
        )

    def _facts(self, visit: Visit) -> tuple[Fact, ...]:
        letter = Fact(visit.say("letter"), letter_type_name(self._request.letter_type, visit))
        letter_type = visit.office.letter_types.get(self._request.letter_type)
        return (letter, *kept_facts(letter_type, self._papers, visit))


def show_request(request: LetterRequest) -> Step:
    return Wait(lambda office: office.papers.of_request(request.id), lambda papers: ShowRequest(request, papers))


class ShowRequest(Step):
    """One request: where it stands, and what can be done about it."""

    leaves = False

    def __init__(self, request: LetterRequest, papers: Mapping[str, KeptPaper]) -> None:
        self._request, self._papers = request, papers

    def view(self, visit: Visit) -> View:
        facts = [Fact(visit.say("your_request_number"), self._request.number)]
        if self._request.letter_number:
            facts.append(Fact(visit.say("letter_number"), self._request.letter_number))
        if self._request.reason:
            facts.append(Fact(visit.say("reason"), self._request.reason))
        if self._request.state in AWAITS_PAPERS:
            letter_type = visit.office.letter_types.get(self._request.letter_type)
            facts += kept_facts(letter_type, self._papers, visit)
        ready = self._request.state is RequestState.READY
        return ResultView(
            letter_type_name(self._request.letter_type, visit),
            visit.say("ready_original_or_copy" if ready else f"state_{self._request.state}"),
            tone="good" if ready else "waiting" if self._request.state in AT_THE_DESK else "attention",
            facts=tuple(facts),
            choices=self._choices(visit),
        )

    def _choices(self, visit: Visit) -> tuple[Choice, ...]:
        done = Choice("done", visit.say("done"), "leave")
        known = self._request.letter_type in visit.office.letter_types
        match self._request.state:
            case RequestState.READY if known:
                return done, Choice("print", visit.say("print_copy"), "printer", prominent=True)
            case RequestState.RETURNED if known:
                correct = Choice("correct", visit.say("correct_request"), "edit", prominent=True)
                return done, self._cancel(visit), correct
            case RequestState.SUBMITTED if known:
                return done, self._cancel(visit), Choice("slip", visit.say("print_slip_again"), "printer")
            case RequestState.RETURNED | RequestState.SUBMITTED:
                return done, self._cancel(visit)
            case RequestState.CHECKING | RequestState.SIGNING if known:
                return done, Choice("slip", visit.say("print_slip_again"), "printer")
        return (done,)

    def _cancel(self, visit: Visit) -> Choice:
        return Choice("cancel", visit.say("cancel_request"), "bad")

    def on(self, event: Any, visit: Visit) -> Next:
        offered = {choice.value for choice in self._choices(visit)}
        match event:
            case Chosen(value="done"):
                return End()
            case Chosen(value="print") if "print" in offered:
                return print_copy(visit, self._request)
            case Chosen(value="slip") if "slip" in offered:
                return print_slip_again(visit, self._request, self._papers)
            case Chosen(value="cancel") if "cancel" in offered:
                return ReallyCancel(self._request, self._papers)
            case Chosen(value="correct") if "correct" in offered:
                letter_type = visit.office.letter_types[self._request.letter_type]
                return fill_in(letter_type, dict(self._request.fields), {}, self._request)
        return None


class ReallyCancel(Step):
    leaves = False

    def __init__(self, request: LetterRequest, papers: Mapping[str, KeptPaper]) -> None:
        self._request, self._papers = request, papers

    def view(self, visit: Visit) -> View:
        return ChoiceView(
            visit.say("really_cancel_request"),
            letter_type_name(self._request.letter_type, visit),
            choices=(
                Choice("cancel", visit.say("yes_cancel_request"), "bad"),
                Choice("keep", visit.say("keep_request"), "ok", prominent=True),
            ),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="cancel"):
                return Wait(lambda office: _cancelled(office, self._request), _after_cancelling)
            case Chosen(value="keep"):
                return ShowRequest(self._request, self._papers)
        return None


def _cancelled(office: Any, request: LetterRequest) -> bool:
    """Whether it is; not where an officer took it in hand meanwhile."""
    try:
        office.requests.cancel(request.id)
    except WrongState:
        return False
    return True


def _after_cancelling(is_cancelled: bool) -> Step:
    return RequestCancelled() if is_cancelled else CheckedMeanwhile()


class RequestCancelled(Told):
    final = True
    title, text, tone = "state_cancelled", "request_cancelled", "good"


class CheckedMeanwhile(Told):
    title, text = "state_checking", "request_checked_meanwhile"


def print_copy(visit: Visit, request: LetterRequest) -> Step:
    key = visit.new_key("copy")
    return Wait(
        lambda office: office.requests.request_copy(request.id, key),
        lambda job_id: Print(
            job_id, title=visit.say("letter_printing"), then=lambda on_paper: CopyPrinted(request, on_paper)
        ),
    )


def print_slip_again(visit: Visit, request: LetterRequest, papers: Mapping[str, KeptPaper]) -> Step:
    return Wait(
        lambda office: office.spooler.print_again(request.print_job_id),
        lambda job_id: Print(
            job_id,
            title=visit.say("your_request_number"),
            then=lambda on_paper: RequestSent(request, papers, on_paper),
            number=request.number,
        ),
    )


class CopyPrinted(LetterFinished):
    def view(self, visit: Visit) -> View:
        return ResultView(
            visit.say("letter_printed" if self._on_paper else "copy_not_printed"),
            visit.say("copy_is_a_copy" if self._on_paper else "copy_waits_for_you"),
            tone=self._tone,
            facts=(Fact(visit.say("letter"), letter_type_name(self._request.letter_type, visit)),),
            choices=self._choices(visit),
        )
