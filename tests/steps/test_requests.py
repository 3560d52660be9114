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
from kiosk.demo.village import DEMO_CARDS, DEMO_PIN, WITH_READY_LETTER, WITHOUT_PIN, demo_residents, fill
from kiosk.journal import Event, Journal
from kiosk.letter_types import LetterType, load_letter_types
from kiosk.requests import (
    MOVES,
    LetterRequest,
    NumberTaken,
    Requests,
    RequestState,
    UnknownRequest,
    WrongState,
)
from kiosk.residents import Identified, Residents, UnknownCard, WrongPin
from kiosk.store.print_jobs import PrintKind
from kiosk.store.schema import print_jobs
from kiosk.store.store import Store

pytest_plugins = ["support.databases"]

VILLAGE = "35.23.12.2002"
FIELDS = {"purpose": "Melamar pekerjaan"}
OFFICER = "Kepala Desa"
TYPES, _ = load_letter_types()
DOMICILE = TYPES["domisili"]


def sign(facts: LetterFacts) -> str:
    return f"TOKEN-{facts.letter_id}"


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
    requests.reject(numbers[1], OFFICER, "x")
    assert [request.number for request in requests.listing()] == numbers
    assert [request.number for request in requests.listing(RequestState.SUBMITTED)] == [numbers[0], numbers[2]]


def test_an_approval_issues_a_letter(requests: Requests, submit) -> None:
    told: list[LetterFacts] = []
    request = requests.approve(submit().number, OFFICER, DOMICILE, lambda facts: (told.append(facts), sign(facts))[1])
    assert request.state is RequestState.READY and request.officer == OFFICER
    assert request.letter_number == "400.12.2.1/001/35.23.12.2002/XI/2026"
    assert (request.issued_on, request.valid_until) == (date(2026, 11, 24), date(2027, 2, 22))
    assert len(bytes.fromhex(request.letter_id)) == 16 and request.token == f"TOKEN-{request.letter_id}"
    (facts,) = told
    assert (facts.masked_name, facts.letter_id, facts.village_code) == ("S*** A*****", request.letter_id, VILLAGE)


def test_letters_are_counted_per_type_and_year(requests: Requests, submit, clock: FakeClock, resident_id) -> None:
    def issue(key: str, letter_type: LetterType) -> str:
        number = requests.submit(resident_id, letter_type.key, {}, key).number
        return requests.approve(number, OFFICER, letter_type, sign).letter_number

    business = msgspec.structs.replace(TYPES["usaha"], code="500")
    assert [issue("1", DOMICILE)[11:14], issue("2", business)[4:7], issue("3", DOMICILE)[11:14]] == [
        "001",
        "001",
        "002",
    ]
    clock.set(datetime(2026, 12, 31, 17, 0, tzinfo=UTC))  # the new year in Jakarta
    assert issue("4", DOMICILE) == "400.12.2.1/001/35.23.12.2002/I/2027"


def test_a_signature_that_fails_uses_up_no_number(requests: Requests, submit) -> None:
    number = submit().number

    def fail(facts: LetterFacts) -> str:
        raise OSError("the key is away")

    with pytest.raises(OSError):
        requests.approve(number, OFFICER, DOMICILE, fail)
    assert requests.by_number(number).state is RequestState.SUBMITTED
    assert "/001/" in requests.approve(number, OFFICER, DOMICILE, sign).letter_number


def test_two_types_that_share_a_code_never_share_a_number(requests: Requests, submit, resident_id: int) -> None:
    requests.approve(submit().number, OFFICER, DOMICILE, sign)
    twin = msgspec.structs.replace(TYPES["usaha"], code=DOMICILE.code)
    number = requests.submit(resident_id, "usaha", {}, "2").number
    with pytest.raises(NumberTaken, match="shares its code"):
        requests.approve(number, OFFICER, twin, sign)
    assert requests.by_number(number).state is RequestState.SUBMITTED


def test_a_letter_of_another_type_is_refused(requests: Requests, submit) -> None:
    with pytest.raises(ValueError, match="asks for domisili"):
        requests.approve(submit().number, OFFICER, TYPES["usaha"], sign)


def test_a_returned_request_is_corrected_once(requests: Requests, submit, store: Store) -> None:
    request = submit()
    returned = requests.return_(request.number, OFFICER, "Keperluan kurang jelas")
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
    letter = requests.approve(request.number, OFFICER, DOMICILE, sign)
    job = requests.request_copy(request.id, "c1")
    assert requests.request_copy(request.id, "c1") == job != requests.request_copy(request.id, "c2")
    assert requests.get(request.id).copies == 2
    assert jobs(store)[1:] == [(PrintKind.LETTER_COPY, request.id)] * 2
    assert requests.withdrawn_letters() == frozenset()
    withdrawn = requests.withdraw(letter.letter_number, OFFICER, "Salah data")
    assert (withdrawn.state, withdrawn.reason) == (RequestState.WITHDRAWN, "Salah data")
    assert requests.withdrawn_letters() == {letter.letter_id}
    with pytest.raises(WrongState):
        requests.request_copy(request.id, "c3")


def _reach(requests: Requests, request: LetterRequest, state: RequestState) -> None:
    number = request.number
    match state:
        case RequestState.RETURNED:
            requests.return_(number, OFFICER, "x")
        case RequestState.REJECTED:
            requests.reject(number, OFFICER, "x")
        case RequestState.READY:
            requests.approve(number, OFFICER, DOMICILE, sign)
        case RequestState.COLLECTED:
            _reach(requests, request, RequestState.READY)
            requests.collect(number, OFFICER)
        case RequestState.WITHDRAWN:
            _reach(requests, request, RequestState.READY)
            requests.withdraw(requests.by_number(number).letter_number, OFFICER, "x")


@pytest.mark.parametrize("state", RequestState)
def test_only_the_allowed_moves_are_made(requests: Requests, submit, state: RequestState) -> None:
    """From every state, every move that the table does not have is refused and changes nothing."""
    _reach(requests, submit(), state)
    before = requests.by_number("2026-00001")
    moves = {
        RequestState.SUBMITTED: lambda: requests.resubmit(before.id, FIELDS, "again"),
        RequestState.RETURNED: lambda: requests.return_(before.number, OFFICER, "y"),
        RequestState.REJECTED: lambda: requests.reject(before.number, OFFICER, "y"),
        RequestState.READY: lambda: requests.approve(before.number, OFFICER, DOMICILE, sign),
        RequestState.COLLECTED: lambda: requests.collect(before.number, OFFICER),
    }
    if before.letter_number:
        moves[RequestState.WITHDRAWN] = lambda: requests.withdraw(before.letter_number, OFFICER, "y")
    for target, move in moves.items():
        if target not in MOVES[state]:
            with pytest.raises(WrongState, match=f"is {state} and cannot become {target}"):
                move()
    assert requests.by_number("2026-00001") == before


def test_what_is_unknown_is_said_to_be(requests: Requests) -> None:
    for ask in (
        lambda: requests.get(7),
        lambda: requests.by_number("2026-00007"),
        lambda: requests.reject("2026-00007", OFFICER, "x"),
        lambda: requests.withdraw("400/1", OFFICER, "x"),
        lambda: requests.request_copy(7, "key"),
    ):
        with pytest.raises(UnknownRequest):
            ask()


def test_what_a_resident_wrote_is_not_in_the_database_files(sqlite_url: str, tmp_path: Path, vault) -> None:
    store = Store.open(sqlite_url, vault)
    resident = Residents(store, FakeClock(), "kiosk-1").add(demo_residents()[0])
    requests = Requests(store, FakeClock(), VILLAGE)
    number = requests.submit(resident.id, "domisili", {"purpose": "Sangat pribadi"}, "k").number
    requests.return_(number, OFFICER, "Alasan pribadi")
    on_disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()
    on_disk += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert number.encode() in on_disk and b"pribadi" not in on_disk


def test_approvals_at_once_skip_and_repeat_nothing(requests: Requests, submit, store: Store) -> None:
    """Two officers in two processes approve the same twelve requests: each gets one letter, and the rest is refused."""
    for n in range(12):
        submit(f"{n}")
    url = store.url.render_as_string(hide_password=False)
    code = f"""
from support.clock import FakeClock
from kiosk.letter_types import load_letter_types
from kiosk.requests import Requests, WrongState
from kiosk.store.store import Store
from kiosk.store.vault import Vault
requests = Requests(Store.open({url!r}, Vault(bytes(range(32)))), FakeClock(), {VILLAGE!r})
domicile = load_letter_types()[0]["domisili"]
for n in range(1, 13):
    try:
        print(requests.approve(f"2026-{{n:05}}", "x", domicile, lambda facts: "T").letter_number)
    except WrongState:
        pass
"""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(root)!r}, {str(root / 'tests')!r}]\n{code}"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [line for process in both for line in process.communicate(timeout=60)[0].split()]
    assert sorted(said) == [f"400.12.2.1/{n:03}/{VILLAGE}/XI/2026" for n in range(1, 13)]
    assert {request.letter_number for request in requests.listing(RequestState.READY)} == set(said)


# The demo's village.


def test_the_demo_village_is_settled_once(store: Store, clock: FakeClock, requests: Requests) -> None:
    residents = Residents(store, clock, "kiosk-1")
    fill(residents, requests, DOMICILE, sign)
    entries = Journal(store, clock).entries(limit=10_000)
    fill(residents, requests, DOMICILE, sign)
    assert Journal(store, clock).entries(limit=10_000) == entries
    assert len(demo_residents()) == 40
    for name, uid in DEMO_CARDS.items():
        answer = residents.identify_by_card(uid, DEMO_PIN)
        if name == "nobody":
            assert answer == UnknownCard()
        elif name == WITHOUT_PIN:
            assert answer == WrongPin(4)
        else:
            assert isinstance(answer, Identified) and answer.resident.name.split()[0].lower() == name
    (letter,) = requests.listing(RequestState.READY)
    assert letter.resident_id == residents.identify_by_card(DEMO_CARDS[WITH_READY_LETTER], DEMO_PIN).resident.id
    assert letter == replace(letter, token=f"TOKEN-{letter.letter_id}")
