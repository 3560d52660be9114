"""Requests and letters: each step of their life, and nothing twice."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from support.clock import FakeClock

from kiosk.codes import LetterFacts
from kiosk.demo.village import demo_residents
from kiosk.journal import Event, Journal
from kiosk.letter_types import LetterType, load_letter_types
from kiosk.officers import Officer, Role
from kiosk.requests import (
    MOVES,
    ChangedMeanwhile,
    LetterRequest,
    NotYourTurn,
    NumberTaken,
    Requests,
    RequestState,
    SignedFile,
    UnknownRequest,
    WrongState,
)
from kiosk.residents import Residents
from kiosk.store.print_jobs import PrintKind
from kiosk.store.schema import print_jobs
from kiosk.store.store import Store

pytest_plugins = ["support.databases"]

VILLAGE = "35.23.12.2002"
FIELDS = {"purpose": "Melamar pekerjaan"}
OPERATOR = "operator"
SECRETARY = Officer(2, "sekdes", "RATNA KUSUMA", "", Role.SECRETARY)
HEAD = Officer(3, "kades", "H. SUDARMAN, S.Sos.", "197011241998031002", Role.HEAD)
TYPES, _ = load_letter_types()
DOMICILE = msgspec.structs.replace(TYPES["domisili"], signers=(Role.HEAD,))
CHAINED = msgspec.structs.replace(DOMICILE, signers=(Role.SECRETARY, Role.HEAD))


def sign(facts: LetterFacts) -> str:
    return f"TOKEN-{facts.letter_id}"


def approve(requests: Requests, number: str) -> LetterRequest:
    requests.begin_check(number, OPERATOR)
    return requests.approve(number, OPERATOR)


def issue(requests: Requests, number: str, letter_type: LetterType = DOMICILE) -> LetterRequest:
    """A submitted request's letter, through all its chain."""
    approve(requests, number)
    for role in letter_type.signers[:-1]:
        requests.initial(number, replace(SECRETARY, role=role), letter_type)
    numbered = requests.give_number(number, HEAD, letter_type, sign)
    return requests.issue(numbered, HEAD, FILE)


FILE = SignedFile(b"%PDF-1.7 of S. AMINAH", "[]", "village", "", datetime(2026, 11, 24, tzinfo=UTC))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def resident_id(store: Store, clock: FakeClock) -> int:
    return Residents(store, clock, "kiosk-1").add(demo_residents()[0]).id


@pytest.fixture
def requests(store: Store, clock: FakeClock) -> Requests:
    return Requests(store, clock, VILLAGE)


@pytest.fixture
def submit(requests: Requests, resident_id: int) -> Callable[[str], LetterRequest]:
    return lambda key="key": requests.submit(resident_id, "domisili", FIELDS, key)


def jobs(store: Store) -> list[tuple[str, int]]:
    with store.read() as tx:
        rows = tx.execute(select(print_jobs.c.kind, print_jobs.c.subject_id).order_by(print_jobs.c.id))
        return [tuple(row) for row in rows]


def test_a_request_has_its_number_slip_and_journal_entry(
    requests: Requests, submit, store: Store, clock: FakeClock
) -> None:
    request = submit()
    assert (request.number, request.state, request.fields) == ("2026-00001", RequestState.SUBMITTED, FIELDS)
    assert (request.letter_number, request.token, request.copies) == (None, None, 0)
    assert jobs(store) == [(PrintKind.REQUEST_SLIP, request.id)]
    assert requests.get(request.id) == requests.by_number(request.number) == request
    assert Journal(store, clock).entries()[-1].event is Event.REQUEST_SUBMITTED
    assert "Melamar" not in repr(request)


def test_the_same_key_is_the_same_request(submit, store: Store) -> None:
    assert submit("key") == submit("key")
    assert len(jobs(store)) == 1
    assert submit("other").number == "2026-00002"


def test_a_residents_requests_come_newest_first(requests: Requests, submit, resident_id: int) -> None:
    numbers = [submit(key).number for key in "abc"]
    assert [request.number for request in requests.of_resident(resident_id)] == numbers[::-1]
    assert requests.of_resident(resident_id + 1) == []
    requests.begin_check(numbers[1], OPERATOR)
    assert [request.number for request in requests.listing()] == numbers
    assert [request.number for request in requests.listing(RequestState.SUBMITTED)] == [numbers[0], numbers[2]]


def test_a_signature_issues_a_letter_with_its_file(requests: Requests, submit) -> None:
    told: list[LetterFacts] = []
    approve(requests, submit().number)
    numbered = requests.give_number("2026-00001", HEAD, DOMICILE, lambda facts: (told.append(facts), sign(facts))[1])
    assert numbered.state is RequestState.SIGNING
    with pytest.raises(UnknownRequest):
        requests.file(numbered.id)
    request = requests.issue(numbered, HEAD, FILE)
    assert request.state is RequestState.READY and request.officer == HEAD.username
    assert request.letter_number == "400.12.2.1/001/35.23.12.2002/XI/2026"
    assert (request.issued_on, request.valid_until) == (date(2026, 11, 24), date(2027, 2, 22))
    assert (request.signer_name, request.signer_nip) == (HEAD.name, HEAD.nip)
    assert len(bytes.fromhex(request.letter_id)) == 16 and request.token == f"TOKEN-{request.letter_id}"
    (facts,) = told
    assert (facts.masked_name, facts.letter_id, facts.village_code) == ("S*** A*****", request.letter_id, VILLAGE)
    assert requests.file(request.id) == FILE and "AMINAH" not in repr(FILE)
    assert [(one.position, one.officer) for one in requests.signatures(request.id)] == [(0, HEAD.username)]


def test_each_of_the_chain_signs_in_turn(requests: Requests, submit) -> None:
    number = approve(requests, submit().number).number
    for hasty in (
        lambda: requests.give_number(number, HEAD, CHAINED, sign),
        lambda: requests.initial(number, HEAD, CHAINED),
        lambda: requests.initial(number, replace(SECRETARY, role=Role.OPERATOR), CHAINED),
        lambda: requests.give_number(number, SECRETARY, CHAINED, sign),
    ):
        with pytest.raises(NotYourTurn):
            hasty()
    initialled = requests.initial(number, SECRETARY, CHAINED)
    assert (initialled.state, initialled.signed, initialled.letter_number) == (RequestState.SIGNING, 1, None)
    with pytest.raises(NotYourTurn):
        requests.initial(number, SECRETARY, CHAINED)
    with pytest.raises(NotYourTurn):
        requests.initial(number, HEAD, CHAINED)
    letter = requests.issue(requests.give_number(number, HEAD, CHAINED, sign), HEAD, FILE)
    assert [(one.position, one.officer) for one in requests.signatures(letter.id)] == [(0, "sekdes"), (1, "kades")]


def test_a_chain_that_was_shortened_meanwhile_is_ended_by_its_new_last(requests: Requests, submit) -> None:
    number = approve(requests, submit().number).number
    requests.initial(number, SECRETARY, CHAINED)
    with pytest.raises(NotYourTurn):
        requests.initial(number, HEAD, DOMICILE)
    letter = requests.issue(requests.give_number(number, HEAD, DOMICILE, sign), HEAD, FILE)
    assert letter.state is RequestState.READY and letter.signed == 2


def test_a_return_voids_the_signatures(requests: Requests, submit) -> None:
    request = approve(requests, submit().number)
    requests.initial(request.number, SECRETARY, CHAINED)
    assert requests.return_(request.number, HEAD.username, "Nama usaha salah").signed == 0
    requests.resubmit(request.id, FIELDS, "again")
    approve(requests, request.number)
    with pytest.raises(NotYourTurn):
        requests.give_number(request.number, HEAD, CHAINED, sign)


def test_a_signing_that_failed_keeps_its_number_for_the_next_try(requests: Requests, submit, clock: FakeClock) -> None:
    number = approve(requests, submit().number).number
    first = requests.give_number(number, HEAD, DOMICILE, sign)
    clock.set(datetime(2026, 12, 3, 3, 0, tzinfo=UTC))
    successor = replace(HEAD, username="plt", name="PELAKSANA TUGAS")
    second = requests.give_number(number, successor, DOMICILE, sign)
    assert second == replace(
        first,
        officer="plt",
        signer_name="PELAKSANA TUGAS",
        changed_at=second.changed_at,
        revision=first.revision + 1,
    )
    assert requests.issue(second, successor, FILE).letter_number == first.letter_number
    assert "/002/" in issue(requests, submit("other").number).letter_number


@pytest.mark.parametrize("meanwhile", ["return_", "refuse", "give_number", "issue"])
def test_a_file_of_a_request_that_changed_meanwhile_is_not_kept(requests: Requests, submit, meanwhile: str) -> None:
    number = approve(requests, submit().number).number
    numbered = requests.give_number(number, HEAD, DOMICILE, sign)
    match meanwhile:
        case "give_number":
            requests.give_number(number, HEAD, DOMICILE, sign)
        case "issue":
            requests.issue(numbered, HEAD, FILE)
        case decision:
            getattr(requests, decision)(number, HEAD.username, "x")
    before = requests.by_number(number)
    with pytest.raises(ChangedMeanwhile):
        requests.issue(numbered, HEAD, replace(FILE, data=b"%PDF-1.7 of before"))
    assert requests.by_number(number) == before
    if meanwhile != "issue":
        with pytest.raises(UnknownRequest):
            requests.file(numbered.id)


def test_a_resident_is_told_once_of_a_letter_in_their_name(requests: Requests, submit, resident_id: int) -> None:
    letter = issue(requests, submit().number)
    submit("not issued")
    assert requests.untold(resident_id) == [letter] and requests.untold(resident_id + 1) == []
    requests.mark_told([letter.id])
    assert requests.untold(resident_id) == [] and requests.get(letter.id).told_at is not None


def test_a_request_is_cancelled_only_until_it_is_checked(requests: Requests, submit) -> None:
    assert requests.cancel(submit("a").id).state is RequestState.CANCELLED
    requests.begin_check(submit("b").number, OPERATOR)
    with pytest.raises(WrongState):
        requests.cancel(requests.by_number("2026-00002").id)


def test_lists_come_in_pages_and_by_resident(requests: Requests, submit, resident_id: int) -> None:
    numbers = [submit(f"{n}").number for n in range(5)]
    first = requests.listing(limit=2)
    assert [request.number for request in first] == numbers[:2]
    assert [request.number for request in requests.listing(after_id=first[-1].id)] == numbers[2:]
    assert requests.listing(resident_ids=[resident_id + 1]) == []
    requests.begin_check(numbers[0], OPERATOR)
    counts = requests.counts()
    assert (counts[RequestState.SUBMITTED], counts[RequestState.CHECKING], counts[RequestState.READY]) == (4, 1, 0)


def test_the_history_of_a_request_says_who_and_when(requests: Requests, submit, store: Store, clock: FakeClock) -> None:
    submit("another's")
    letter = issue(requests, submit().number, CHAINED)
    history = Journal(store, clock).of_request(letter.id)
    assert [(entry.event, entry.facts.get("officer", "")) for entry in history] == [
        (Event.REQUEST_SUBMITTED, ""),
        (Event.REQUEST_CHECKED, OPERATOR),
        (Event.REQUEST_APPROVED, OPERATOR),
        (Event.LETTER_INITIALLED, "sekdes"),
        (Event.LETTER_NUMBERED, ""),
        (Event.LETTER_ISSUED, "kades"),
    ]


def test_letters_are_counted_per_type_and_year(requests: Requests, submit, clock: FakeClock, resident_id) -> None:
    def issued(key: str, letter_type: LetterType) -> str:
        number = requests.submit(resident_id, letter_type.key, {}, key).number
        return issue(requests, number, letter_type).letter_number

    business = msgspec.structs.replace(TYPES["usaha"], code="500", signers=(Role.HEAD,))
    assert [issued("1", DOMICILE)[11:14], issued("2", business)[4:7], issued("3", DOMICILE)[11:14]] == [
        "001",
        "001",
        "002",
    ]
    clock.set(datetime(2026, 12, 31, 17, 0, tzinfo=UTC))  # the new year in Jakarta
    assert issued("4", DOMICILE) == "400.12.2.1/001/35.23.12.2002/I/2027"


def test_a_token_that_fails_uses_up_no_number(requests: Requests, submit) -> None:
    number = approve(requests, submit().number).number

    def fail(facts: LetterFacts) -> str:
        raise OSError("the key is away")

    with pytest.raises(OSError):
        requests.give_number(number, HEAD, DOMICILE, fail)
    assert requests.by_number(number).letter_number is None
    assert "/001/" in requests.give_number(number, HEAD, DOMICILE, sign).letter_number


def test_two_types_that_share_a_code_never_share_a_number(requests: Requests, submit, resident_id: int) -> None:
    issue(requests, submit().number)
    twin = msgspec.structs.replace(TYPES["usaha"], code=DOMICILE.code, signers=(Role.HEAD,))
    number = approve(requests, requests.submit(resident_id, "usaha", {}, "2").number).number
    with pytest.raises(NumberTaken, match="shares its code"):
        requests.give_number(number, HEAD, twin, sign)
    assert requests.by_number(number).letter_number is None


def test_a_letter_of_another_type_is_refused(requests: Requests, submit) -> None:
    number = approve(requests, submit().number).number
    with pytest.raises(ValueError, match="asks for domisili"):
        requests.give_number(number, HEAD, TYPES["usaha"], sign)


def test_a_returned_request_is_corrected_once(requests: Requests, submit, store: Store) -> None:
    request = submit()
    requests.begin_check(request.number, OPERATOR)
    returned = requests.return_(request.number, OPERATOR, "Keperluan kurang jelas")
    assert (returned.state, returned.reason) == (RequestState.RETURNED, "Keperluan kurang jelas")
    corrected = requests.resubmit(request.id, {"purpose": "Mendaftar sekolah"}, "again")
    assert (corrected.state, corrected.reason) == (RequestState.SUBMITTED, "")
    assert corrected.fields == {"purpose": "Mendaftar sekolah"} and corrected.number == request.number
    assert corrected.print_job_id != request.print_job_id
    assert requests.resubmit(request.id, {"purpose": "Mendaftar sekolah"}, "again") == corrected
    assert jobs(store) == [(PrintKind.REQUEST_SLIP, request.id)] * 2
    with pytest.raises(WrongState):
        requests.resubmit(request.id, FIELDS, "third")


def test_copies_are_counted_and_only_a_valid_letter_has_them(requests: Requests, submit, store: Store) -> None:
    request = submit()
    with pytest.raises(WrongState, match="2026-00001 is submitted"):
        requests.request_copy(request.id, "c0")
    letter = issue(requests, request.number)
    job = requests.request_copy(request.id, "c1")
    assert requests.request_copy(request.id, "c1") == job != requests.request_copy(request.id, "c2")
    assert requests.get(request.id).copies == 2
    assert jobs(store)[1:] == [(PrintKind.LETTER_COPY, request.id)] * 2
    assert requests.withdrawn_letters() == frozenset()
    withdrawn = requests.withdraw(letter.letter_number, OPERATOR, "Salah data")
    assert (withdrawn.state, withdrawn.reason) == (RequestState.WITHDRAWN, "Salah data")
    assert requests.withdrawn_letters() == {letter.letter_id}
    with pytest.raises(WrongState):
        requests.request_copy(request.id, "c3")


def _reach(requests: Requests, request: LetterRequest, state: RequestState) -> None:
    number = request.number
    match state:
        case RequestState.CANCELLED:
            requests.cancel(request.id)
        case RequestState.CHECKING:
            requests.begin_check(number, OPERATOR)
        case RequestState.RETURNED:
            requests.begin_check(number, OPERATOR)
            requests.return_(number, OPERATOR, "x")
        case RequestState.REFUSED:
            requests.begin_check(number, OPERATOR)
            requests.refuse(number, OPERATOR, "x")
        case RequestState.SIGNING:
            approve(requests, number)
        case RequestState.READY:
            issue(requests, number)
        case RequestState.COLLECTED:
            issue(requests, number)
            requests.collect(number, OPERATOR)
        case RequestState.WITHDRAWN:
            requests.withdraw(issue(requests, number).letter_number, OPERATOR, "x")


@pytest.mark.parametrize("state", RequestState)
def test_only_the_allowed_moves_are_made(requests: Requests, submit, state: RequestState) -> None:
    """From every state, every move that the table does not have is refused and changes nothing."""
    _reach(requests, submit(), state)
    before = requests.by_number("2026-00001")
    moves = {
        RequestState.SUBMITTED: lambda: requests.resubmit(before.id, FIELDS, "again"),
        RequestState.RETURNED: lambda: requests.return_(before.number, OPERATOR, "y"),
        RequestState.CHECKING: lambda: requests.begin_check(before.number, OPERATOR),
        RequestState.REFUSED: lambda: requests.refuse(before.number, OPERATOR, "y"),
        RequestState.CANCELLED: lambda: requests.cancel(before.id),
        RequestState.SIGNING: lambda: requests.approve(before.number, OPERATOR),
        RequestState.COLLECTED: lambda: requests.collect(before.number, OPERATOR),
    }
    if before.letter_number:
        moves[RequestState.WITHDRAWN] = lambda: requests.withdraw(before.letter_number, OPERATOR, "y")
    for target, move in moves.items():
        if target not in MOVES[state]:
            with pytest.raises(WrongState, match=f"is {state} and cannot become {target}"):
                move()
    if state is not RequestState.SIGNING:
        for sign_it in (
            lambda: requests.give_number(before.number, HEAD, DOMICILE, sign),
            lambda: requests.initial(before.number, HEAD, DOMICILE),
        ):
            with pytest.raises(WrongState, match=f"is {state} and waits for no signature"):
                sign_it()
    assert requests.by_number("2026-00001") == before


def test_what_is_unknown_is_said_to_be(requests: Requests) -> None:
    for ask in (
        lambda: requests.get(7),
        lambda: requests.by_number("2026-00007"),
        lambda: requests.refuse("2026-00007", OPERATOR, "x"),
        lambda: requests.withdraw("400/1", OPERATOR, "x"),
        lambda: requests.request_copy(7, "key"),
    ):
        with pytest.raises(UnknownRequest):
            ask()


def test_what_a_resident_wrote_is_not_in_the_database_files(sqlite_url: str, tmp_path: Path, vault) -> None:
    store = Store.open(sqlite_url, vault)
    resident = Residents(store, FakeClock(), "kiosk-1").add(demo_residents()[0])
    requests = Requests(store, FakeClock(), VILLAGE)
    number = requests.submit(resident.id, "domisili", {"purpose": "Sangat pribadi"}, "k").number
    requests.begin_check(number, OPERATOR)
    requests.return_(number, OPERATOR, "Alasan pribadi")
    on_disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()
    on_disk += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert number.encode() in on_disk and b"pribadi" not in on_disk


def test_signings_at_once_skip_and_repeat_nothing(requests: Requests, submit, store: Store) -> None:
    """Two officers in two processes sign the same twelve requests: each gets one letter, and the rest is refused."""
    for n in range(12):
        approve(requests, submit(f"{n}").number)
    url = store.url.render_as_string(hide_password=False)
    code = f"""
from datetime import UTC, datetime
from support.clock import FakeClock
from kiosk.letter_types import load_letter_types
from kiosk.officers import Officer, Role
from kiosk.requests import Requests, SignedFile, WrongState
from kiosk.store.store import Store
from kiosk.store.vault import Vault
requests = Requests(Store.open({url!r}, Vault(bytes(range(32)))), FakeClock(), {VILLAGE!r})
domicile = load_letter_types()[0]["domisili"]
head = Officer(1, "kades", "X", "", domicile.signers[-1])
file = SignedFile(b"%PDF", "[]", "village", "", datetime(2026, 11, 24, tzinfo=UTC))
for n in range(1, 13):
    try:
        for role in domicile.signers[:-1]:
            requests.initial(f"2026-{{n:05}}", Officer(2, "sekdes", "Y", "", role), domicile)
        numbered = requests.give_number(f"2026-{{n:05}}", head, domicile, lambda facts: "T")
        print(requests.issue(numbered, head, file).letter_number)
    except WrongState:
        pass
"""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(root)!r}, {str(root / 'tests')!r}]\n{code}"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [line for process in both for line in process.communicate(timeout=60)[0].split()]
    ready = [request.letter_number for request in requests.listing(RequestState.READY)]
    assert sorted(ready) == sorted(said) and len(set(said)) == len(said) > 0
    numbers = [request.letter_number for request in requests.listing() if request.letter_number]
    assert sorted(numbers) == [f"400.12.2.1/{n:03}/{VILLAGE}/XI/2026" for n in range(1, len(numbers) + 1)]
