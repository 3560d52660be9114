"""Requests for letters: who asks for what, and what an officer does with it."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for

from hardware.printer.interface import PrintOutcome
from kiosk.desk.access import allowed, confirm_password, notice, officer, services
from kiosk.desk.actions import Action, actions, is_last_signature
from kiosk.desk.forms import WrongInput, row_id, typed, typed_secret, wrong_input_page
from kiosk.desk.words import PRINT_OUTCOMES
from kiosk.journal import Event
from kiosk.letter_types import LetterType, Requirement
from kiosk.letters import LetterTypeGone
from kiosk.officers import SIGNERS
from kiosk.papers import JUDGED_IN, KeptPaper, UnknownPaper
from kiosk.requests import (
    ENDED,
    PAGE,
    ChangedMeanwhile,
    LetterRequest,
    NotYourTurn,
    NumberTaken,
    RequestState,
    UnknownRequest,
    WrongState,
)
from kiosk.residents import Resident
from kiosk.selftest.registry import advice
from kiosk.signing.interface import Passphrase, SigningError
from kiosk.store.requirement_papers import PaperState

blueprint = Blueprint("requests", __name__, url_prefix="/permohonan")

#: In these who came first is served first; in the others the newest is what is looked for.
WAITING = (RequestState.SUBMITTED, RequestState.CHECKING, RequestState.SIGNING)
LONGEST_REASON = 300
#: So many who share a name are searched; more are no search, and the officer types another word.
MOST_NAMESAKES = 500


@dataclass(frozen=True)
class Line:
    """One request in a list."""

    request: LetterRequest
    resident: Resident
    letter: str


@blueprint.errorhandler(WrongInput)
def wrong_input(error: WrongInput):
    """On the page that it was typed on, where it belongs to one."""
    number = request.view_args.get("number")
    return (_page(_need(number), str(error)) if number else wrong_input_page(error)), 422


@dataclass(frozen=True)
class NeededPaper:
    """One of the papers that a letter needs; `kept` is None where nothing is known of it."""

    requirement: Requirement
    kept: KeptPaper | None

    @property
    def is_received(self) -> bool:
        return self.kept is not None and self.kept.state is PaperState.RECEIVED


# Looking.


@blueprint.get("/")
@allowed()
def listing():
    requests = services().office.requests
    state = _state(request.args.get("keadaan", ""))
    after_id = request.args.get("sesudah", type=row_id)
    found = requests.listing(state, after_id=after_id, limit=PAGE + 1, newest_first=state not in WAITING)
    counts = requests.counts()
    return render_template(
        "requests.html",
        lines=lines_of(found[:PAGE]),
        states=[(each, counts[each]) for each in RequestState if counts[each] or each is state],
        state=state,
        is_first_page=after_id is None,
        following=found[PAGE - 1].id if len(found) > PAGE else None,
    )


@blueprint.post("/cari")
@allowed()
def search():
    """By a request's or a letter's number, or by words of the resident's name: a form, because a name does not belong
    into an address."""
    wanted = typed("wanted", "Yang dicari", longest=120, shortest=2)
    requests = services().office.requests
    if (number := _number(wanted)) is not None:
        return _to(number)
    namesakes = services().office.residents.find(wanted)
    ids = [each.id for each in namesakes[:MOST_NAMESAKES]]
    found = requests.listing(resident_ids=ids, limit=PAGE + 1, newest_first=True)
    lines = lines_of(found[:PAGE])
    is_cut_off = len(found) > PAGE or len(namesakes) > MOST_NAMESAKES
    return render_template("found.html", wanted=wanted, lines=lines, is_cut_off=is_cut_off)


@blueprint.get("/<number>")
@allowed()
def page(number: str):
    return _page(_need(number))


@blueprint.get("/<number>/rancangan.pdf")
@allowed()
def preview(number: str):
    """The letter as it will be, without a number and a code."""
    found = _need(number)
    try:
        return _pdf(services().office.letters.preview(found.number), f"rancangan-{found.number}.pdf")
    except LetterTypeGone:
        abort(404)
    except SigningError as error:
        return _page(found, error.advice), 409


@blueprint.get("/<number>/surat.pdf")
@allowed()
def letter(number: str):
    found = _need(number)
    return _pdf(_signed_pdf(found), f"surat-{found.number}.pdf")


@blueprint.get("/<number>/syarat/<requirement>.jpg")
@allowed()
def photo(number: str, requirement: str):
    """What the resident photographed at the kiosk."""
    try:
        jpeg = services().office.papers.photo(_need(number).id, requirement)
    except UnknownPaper:
        abort(404)
    return Response(jpeg, mimetype="image/jpeg")


# Deciding.


@blueprint.post("/<number>/syarat/<requirement>/terima")
@allowed()
def receive_paper(number: str, requirement: str):
    return _judge_paper(number, requirement, services().office.papers.mark_received)


@blueprint.post("/<number>/syarat/<requirement>/tolak")
@allowed()
def refuse_paper(number: str, requirement: str):
    return _judge_paper(number, requirement, services().office.papers.mark_refused)


def _judge_paper(number: str, requirement: str, mark: Callable[[str, str, str], None]) -> Response | tuple[str, int]:
    found = _need(number)
    if requirement not in [paper.requirement.key for paper in _papers(found, _type_of(found))]:
        abort(404)
    try:
        mark(number, requirement, officer().username)
    except WrongState:
        return _overtaken(_need(number))
    return _to(number)


@blueprint.post("/<number>/periksa")
@allowed()
def check(number: str):
    requests = services().office.requests
    return _decide(
        number,
        Action.CHECK,
        lambda found, who: requests.begin_check(found.number, who),
        "Permohonan ini sedang Anda periksa.",
    )


@blueprint.post("/<number>/setujui")
@allowed()
def approve(number: str):
    return _decide(number, Action.APPROVE, _approve, "Permohonan disetujui dan menunggu tanda tangan.")


def _approve(found: LetterRequest, who: str) -> LetterRequest:
    office = services().office
    if office.letters.fingerprint(found) != _register_read():
        raise ChangedMeanwhile("The register says something else than what the officer read.")
    return office.requests.approve(found.number, who)


@blueprint.post("/<number>/kembalikan")
@allowed()
def give_back(number: str):
    requests, reason = services().office.requests, _reason()
    return _decide(
        number,
        Action.GIVE_BACK,
        lambda found, who: requests.return_(found.number, who, reason),
        "Permohonan dikembalikan. Warga membaca alasannya di anjungan.",
    )


@blueprint.post("/<number>/tolak")
@allowed()
def refuse(number: str):
    requests, reason = services().office.requests, _reason()
    return _decide(
        number,
        Action.REFUSE,
        lambda found, who: requests.refuse(found.number, who, reason),
        "Permohonan ditolak. Warga membaca alasannya di anjungan.",
    )


@blueprint.post("/<number>/serahkan")
@allowed()
def collect(number: str):
    requests = services().office.requests
    return _decide(
        number,
        Action.COLLECT,
        lambda found, who: requests.collect(found.number, who),
        "Surat dicatat sudah diserahkan.",
    )


@blueprint.post("/<number>/cabut")
@allowed(*SIGNERS)
def withdraw(number: str):
    requests, reason = services().office.requests, _reason()
    _need(number)
    confirm_password()
    return _decide(
        number,
        Action.WITHDRAW,
        lambda found, who: requests.withdraw(found.letter_number, who, reason),
        "Surat dicabut. Siapa pun yang memeriksa kode QR-nya diberi tahu.",
    )


@blueprint.post("/<number>/tanda-tangani")
@allowed(*SIGNERS)
def sign(number: str):
    """Waits for the signing server, where there is one. The passphrase goes through once."""
    found = _need(number)
    if Action.SIGN not in _actions(found) or _is_old(found):
        return _overtaken(found)
    confirm_password()
    try:
        passphrase = Passphrase(typed_secret("passphrase"))
        signed = services().office.letters.sign(found.number, officer(), passphrase, _register_read())
    except SigningError as error:
        return _page(_need(number), f"Surat belum ditandatangani. {error.advice}"), 502
    except NumberTaken as error:
        return _page(_need(number), f"Surat belum ditandatangani. {error}"), 409
    except (WrongState, NotYourTurn):
        return _overtaken(_need(number))
    if signed.state is RequestState.READY:
        notice(f"Surat {signed.letter_number} sudah ditandatangani dan siap diambil.")
    else:
        notice("Tanda tangan Anda dicatat. Surat menunggu penanda tangan berikutnya.")
    return _to(number)


@blueprint.post("/<number>/cetak")
@allowed()
def print_letter(number: str):
    """Waits for the printer, and says what it said."""
    printer, found = services().page_printer, _need(number)
    if printer is None or Action.PRINT not in _actions(found):
        abort(404)
    result = printer.print_pdf(_signed_pdf(found), title=found.number)
    services().office.journal.record(
        Event.LETTER_PRINTED, request=found.id, officer=officer().username, outcome=result.outcome, code=result.code
    )
    said = PRINT_OUTCOMES[result.outcome]
    notice(said if result.outcome is PrintOutcome.PRINTED else f"{said} {advice('id', result.code)}")
    return _to(number)


def _decide(
    number: str, action: Action, do: Callable[[LetterRequest, str], LetterRequest], said: str
) -> Response | tuple[str, int]:
    """Do it, if the request is as the officer saw it; one who did just that already is told so once more."""
    found, who = _need(number), officer().username
    if not (found.state is action.into and found.officer == who):
        if action not in _actions(found) or _is_old(found):
            return _overtaken(found)
        try:
            do(found, who)
        except WrongState:
            return _overtaken(_need(number))
    notice(said)
    return _to(number)


def _overtaken(found: LetterRequest) -> tuple[str, int]:
    """Somebody was faster, or the page was an old one."""
    return render_template("overtaken.html", found=found), 409


def _page(found: LetterRequest, refusal: str = "") -> str:
    office = services().office
    letter_type = _type_of(found)
    possible = _actions(found)
    papers = _papers(found, letter_type)
    return render_template(
        "request.html",
        refusal=refusal,
        found=found,
        register_read=office.letters.fingerprint(found),  # before it is read again to be shown
        resident=office.residents.get(found.resident_id),
        letter=_letter_name(found),
        answers=_answers(found, letter_type),
        papers=papers,
        missing=[paper.requirement.label["id"] for paper in papers if not paper.is_received],
        may_judge_papers=found.state in JUDGED_IN,
        may_see_papers=found.state not in ENDED,
        chain=_chain(found, letter_type),
        may={action.name.lower() for action in possible},
        needs_passphrase=office.letters.needs_passphrase and letter_type and is_last_signature(found, letter_type),
        has_printer=services().page_printer is not None,
        has_letter=found.state in (RequestState.READY, RequestState.COLLECTED, RequestState.WITHDRAWN),
        can_preview=letter_type is not None and found.state in (*WAITING, RequestState.RETURNED),
        history=office.journal.of_request(found.id),
    )


def _chain(found: LetterRequest, letter_type: LetterType | None) -> list[tuple[object, object]]:
    """Each role of the chain with its signature, or None where it is still to come."""
    if letter_type is None:
        return []
    signatures = {each.position: each for each in services().office.requests.signatures(found.id)}
    return [(role, signatures.get(position)) for position, role in enumerate(letter_type.signers)]


def _papers(found: LetterRequest, letter_type: LetterType | None) -> list[NeededPaper]:
    """What the letter needs, and how far that is; nothing for a type that is no longer on offer."""
    kept = services().office.papers.of_request(found.id)
    return [NeededPaper(each, kept.get(each.key)) for each in letter_type.requirements] if letter_type else []


def _answers(found: LetterRequest, letter_type: LetterType | None) -> list[tuple[str, str]]:
    """What was asked and answered, in the order of the questions; what no question asks any more stands last."""
    fields = {field.key: field for field in letter_type.fields} if letter_type else {}
    known = [
        (field.called("id"), field.shown(found.fields[key], "id"))
        for key, field in fields.items()
        if found.fields.get(key)
    ]
    return known + [(key, answer) for key, answer in found.fields.items() if key not in fields and answer]


def lines_of(found: list[LetterRequest]) -> list[Line]:
    """For the table of requests."""
    residents = services().office.residents.by_ids({each.resident_id for each in found})
    return [Line(each, residents[each.resident_id], _letter_name(each)) for each in found]


def _letter_name(found: LetterRequest) -> str:
    letter_type = _type_of(found)
    return letter_type.title if letter_type else found.letter_type


def _type_of(found: LetterRequest) -> LetterType | None:
    """None for a type that the village no longer offers."""
    return services().office.letter_types.get(found.letter_type)


def _actions(found: LetterRequest) -> frozenset[Action]:
    return actions(found, officer(), _type_of(found))


def _is_old(found: LetterRequest) -> bool:
    """Whether the form was filled in before the request last changed: what it holds is not what the officer read."""
    return request.form.get("revision") != str(found.revision)


def _register_read() -> str:
    """The fingerprint of what the register said on the page that the form is from."""
    return request.form.get("register_read", "")


def _signed_pdf(found: LetterRequest) -> bytes:
    try:
        return services().office.letters.pdf(found.id)
    except UnknownRequest:
        abort(404)


def _pdf(data: bytes, name: str) -> Response:
    """`name` holds nobody's data: it is kept where downloads are."""
    return Response(
        data,
        mimetype="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            # The browser's own viewer styles itself.
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        },
    )


def _need(number: str) -> LetterRequest:
    try:
        return services().office.requests.by_number(number)
    except UnknownRequest:
        abort(404)


def _number(wanted: str) -> str | None:
    """The number of the request that has that number, or whose letter has it."""
    requests = services().office.requests
    for find in (requests.by_number, requests.by_letter_number):
        try:
            return find(wanted).number
        except UnknownRequest:
            continue
    return None


def _state(name: str) -> RequestState | None:
    """Those that wait to be checked, where none is named; None for all."""
    if name == "semua":
        return None
    try:
        return RequestState(name or RequestState.SUBMITTED)
    except ValueError:
        abort(404)


def _reason() -> str:
    return typed("reason", "Alasan", LONGEST_REASON, shortest=3)


def _to(number: str) -> Response:
    return redirect(url_for("requests.page", number=number), 303)
