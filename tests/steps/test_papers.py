"""The papers of requests: kept with them, readable by nobody without the key, and gone in time."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from support.clock import FakeClock

from hardware.code_scanner.interface import LARGEST_JPEG_BYTES
from kiosk import housekeeping
from kiosk.demo.village import demo_residents
from kiosk.housekeeping import Housekeeping
from kiosk.journal import Event, Journal
from kiosk.letter_types import load_letter_types
from kiosk.papers import JUDGED_IN, KeptPaper, Papers, UnknownPaper, wanted
from kiosk.requests import ENDED, LetterRequest, Requests, RequestState, UnknownRequest, WrongState
from kiosk.residents import Residents
from kiosk.store.errors import StoreError, VaultError
from kiosk.store.requirement_papers import Paper, PaperState
from kiosk.store.schema import letter_requests, print_jobs, requirement_papers
from kiosk.store.store import Store

pytest_plugins = ["support.databases"]

DOMICILE = load_letter_types()[0]["domisili"]
LETTER, FAMILY_CARD = "pengantar_rt", "kk"
FIELDS = {"purpose": "Melamar pekerjaan"}
#: What a thief would look for: text that a photo's bytes hold.
SECRET = b"NOMOR KARTU KELUARGA"
PHOTO = b"\xff\xd8\xff\xe0" + SECRET * 20
OTHER_PHOTO = b"\xff\xd8\xff\xe0 another"
KEPT = timedelta(days=30)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def requests(store: Store, clock: FakeClock) -> Requests:
    return Requests(store, clock, "35.23.12.2002")


@pytest.fixture
def papers(store: Store, clock: FakeClock) -> Papers:
    return Papers(store, clock)


@pytest.fixture
def resident_id(store: Store, clock: FakeClock) -> int:
    return Residents(store, clock, "kiosk-1").add(demo_residents()[0]).id


@pytest.fixture
def request_(requests: Requests, resident_id: int) -> LetterRequest:
    """One letter photographed, the other to be brought."""
    handed_in = (Paper(LETTER, PHOTO), Paper(FAMILY_CARD))
    return requests.submit(resident_id, "domisili", FIELDS, "key-1", papers=handed_in)


def states(papers: Papers, request: LetterRequest) -> dict[str, tuple[PaperState, bool]]:
    return {key: (paper.state, paper.has_photo) for key, paper in papers.of_request(request.id).items()}


def move(store: Store, request: LetterRequest, state: RequestState, changed_at: object) -> None:
    with store.write() as tx:
        tx.execute(
            update(letter_requests).where(letter_requests.c.id == request.id).values(state=state, changed_at=changed_at)
        )


def test_papers_come_with_their_request(papers: Papers, request_: LetterRequest) -> None:
    assert states(papers, request_) == {LETTER: (PaperState.PHOTO, True), FAMILY_CARD: (PaperState.DESK, False)}
    assert papers.photo(request_.id, LETTER) == PHOTO
    assert [each.key for each in wanted(DOMICILE, papers.of_request(request_.id))] == [FAMILY_CARD]
    for nothing in ((request_.id, FAMILY_CARD), (request_.id, "ijazah"), (request_.id + 1, LETTER)):
        with pytest.raises(UnknownPaper):
            papers.photo(*nothing)


def test_papers_and_request_are_one_transaction(
    requests: Requests, store: Store, resident_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes after the papers fails, as where the power goes: nothing is there, and the next try makes it once."""

    def fail(*arguments: object, **options: object) -> None:
        raise StoreError("no more room")

    with monkeypatch.context() as broken:
        broken.setattr("kiosk.requests.queue_print", fail)
        with pytest.raises(StoreError):
            requests.submit(resident_id, "domisili", FIELDS, "key-1", papers=(Paper(LETTER, PHOTO),))
    for _ in range(2):
        requests.submit(resident_id, "domisili", FIELDS, "key-1", papers=(Paper(LETTER, PHOTO),))
    with store.read() as tx:
        counts = [len(tx.execute(select(table)).all()) for table in (requirement_papers, letter_requests, print_jobs)]
    assert counts == [1, 1, 1]


def test_a_photo_that_is_none_or_too_large_is_refused_before_anything_is_written() -> None:
    with pytest.raises(ValueError, match="JPEG"):
        Paper(LETTER, b"\x89PNG\r\n")
    with pytest.raises(ValueError, match=str(LARGEST_JPEG_BYTES)):
        Paper(LETTER, PHOTO + bytes(LARGEST_JPEG_BYTES))
    assert SECRET.decode() not in repr(Paper(LETTER, PHOTO))


def test_a_photo_is_bound_to_its_paper(store: Store, papers: Papers, request_: LetterRequest) -> None:
    """One that was moved to another row of the database does not open."""
    with store.write() as tx:
        photo = tx.execute(
            select(requirement_papers.c.photo).where(requirement_papers.c.requirement == LETTER)
        ).scalar()
        tx.execute(
            update(requirement_papers).where(requirement_papers.c.requirement == FAMILY_CARD).values(photo=photo)
        )
    with pytest.raises(VaultError):
        papers.photo(request_.id, FAMILY_CARD)


def test_no_photo_is_readable_in_the_database_files(sqlite_url: str, tmp_path: Path, vault: object) -> None:
    store = Store.open(sqlite_url, vault)
    resident = Residents(store, FakeClock(), "kiosk-1").add(demo_residents()[0])
    Requests(store, FakeClock(), "35.23.12.2002").submit(
        resident.id, "domisili", FIELDS, "key-1", papers=(Paper(LETTER, PHOTO),)
    )
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}  # with the log beside it
    store.close()
    assert sum(data.count(LETTER.encode()) for data in files.values()) >= 1  # it is there
    assert not any(SECRET in data or PHOTO[:8] in data for data in files.values())


def test_an_officer_says_of_each_paper_what_it_is(papers: Papers, store: Store, clock: FakeClock, request_) -> None:
    papers.mark_received(request_.number, FAMILY_CARD, "operator")
    papers.mark_refused(request_.number, LETTER, "operator")
    papers.mark_received(request_.number, "ijazah", "operator")  # of a request that had no row for it
    assert states(papers, request_) == {
        LETTER: (PaperState.REFUSED, True),
        FAMILY_CARD: (PaperState.RECEIVED, False),
        "ijazah": (PaperState.RECEIVED, False),
    }
    told = [entry for entry in Journal(store, clock).of_request(request_.id) if "paper" in entry.event.id]
    assert [(entry.event, entry.facts["requirement"], entry.facts["officer"]) for entry in told] == [
        (Event.PAPER_RECEIVED, FAMILY_CARD, "operator"),
        (Event.PAPER_REFUSED, LETTER, "operator"),
        (Event.PAPER_RECEIVED, "ijazah", "operator"),
    ]
    with pytest.raises(UnknownRequest):
        papers.mark_received("2026-99999", LETTER, "operator")


@pytest.mark.parametrize("state", sorted({*RequestState} - {*JUDGED_IN}))
def test_nothing_is_said_of_the_papers_of_a_request_that_was_approved_or_has_ended(
    papers: Papers, store: Store, request_, state
) -> None:
    move(store, request_, state, request_.changed_at)
    with pytest.raises(WrongState):
        papers.mark_refused(request_.number, LETTER, "operator")


def test_a_returned_request_brings_the_papers_that_were_decided_about_anew(
    requests: Requests, papers: Papers, request_: LetterRequest
) -> None:
    papers.mark_refused(request_.number, LETTER, "operator")
    requests.begin_check(request_.number, "operator")
    requests.return_(request_.number, "operator", "Foto tidak terbaca")
    again = (Paper(LETTER, OTHER_PHOTO),)
    for _ in range(2):
        requests.resubmit(request_.id, FIELDS, "key-2", papers=again)
    assert states(papers, request_) == {LETTER: (PaperState.PHOTO, True), FAMILY_CARD: (PaperState.DESK, False)}
    assert papers.photo(request_.id, LETTER) == OTHER_PHOTO


def test_who_brings_a_paper_in_place_of_its_photo_leaves_no_photo(
    requests: Requests, papers: Papers, request_: LetterRequest
) -> None:
    requests.begin_check(request_.number, "operator")
    requests.return_(request_.number, "operator", "Foto tidak terbaca")
    requests.resubmit(request_.id, FIELDS, "key-2", papers=(Paper(LETTER),))
    assert states(papers, request_)[LETTER] == (PaperState.DESK, False)


@pytest.mark.parametrize("state", RequestState)
def test_photos_go_when_their_request_has_ended_long_enough_ago(
    papers: Papers, store: Store, clock: FakeClock, request_: LetterRequest, state: RequestState
) -> None:
    move(store, request_, state, clock.now())
    clock.pass_s(KEPT.total_seconds())
    assert papers.delete_old_photos(KEPT) == 0
    clock.pass_s(1)
    deleted = int(state in ENDED)
    assert papers.delete_old_photos(KEPT) == deleted
    assert papers.delete_old_photos(KEPT) == 0
    assert states(papers, request_)[LETTER] == (PaperState.PHOTO, not deleted)
    told = [entry.facts for entry in Journal(store, clock).entries() if entry.event is Event.PHOTOS_DELETED]
    assert told == [{"count": 1}] * deleted


def test_a_running_kiosk_deletes_old_photos_by_itself_also_after_a_day_on_which_it_could_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(housekeeping, "FIRST_AFTER_S", 0.0)
    monkeypatch.setattr(housekeeping, "EVERY_S", 0.01)
    looked = threading.Semaphore(0)

    class FailsAtFirst:
        asked: list[timedelta]

        def __init__(self) -> None:
            self.asked = []

        def delete_old_photos(self, kept: timedelta) -> int:
            self.asked.append(kept)
            looked.release()
            if len(self.asked) == 1:
                raise StoreError("the disk is full")
            return 0

    papers = FailsAtFirst()
    running = Housekeeping(papers, KEPT)
    running.start()
    for _ in range(3):
        assert looked.acquire(timeout=10)
    running.stop()
    assert set(papers.asked) == {KEPT}


def test_what_is_kept_of_a_paper_says_whether_it_is_wanted(clock: FakeClock) -> None:
    kept = {state: KeptPaper("kk", state, has_photo=False, changed_at=clock.now()).is_wanted for state in PaperState}
    assert kept == {
        PaperState.DESK: True,
        PaperState.PHOTO: False,
        PaperState.RECEIVED: False,
        PaperState.REFUSED: True,
    }
