"""What an office stands on, and what it refuses to stand on."""

from pathlib import Path

import pytest

from config import settings as config
from config.settings import PROFILES, Profile, Settings
from kiosk.clock import Clock
from kiosk.demo import village
from kiosk.devices import Devices
from kiosk.office import Office
from kiosk.officers import Role
from kiosk.requests import RequestState
from kiosk.residents import Identified, UnknownCard, WrongPin
from kiosk.store.errors import StoreError
from kiosk.store.print_jobs import PrintState

pytest_plugins = ["support.kiosk"]

DEMO = Path(str(PROFILES / "demo.toml"))


def opened(settings: Settings) -> Office:
    return Office.open(settings, Clock(), Devices(), printer=None, post=lambda event: None)


def test_a_demo_does_not_move_into_a_halls_database_nor_a_hall_into_a_demos(settings, tmp_path):
    with pytest.raises(StoreError, match="another profile than production"):
        opened(config.changed(settings, profile=Profile.PRODUCTION))
    hall = config.changed(settings, profile=Profile.PRODUCTION, state_dir=str(tmp_path / "hall"))
    opened(hall).close()
    with pytest.raises(StoreError, match="another profile than demo"):
        opened(config.changed(hall, profile=Profile.DEMO))
    opened(hall).close()


def test_a_lost_village_key_is_not_replaced_in_silence(settings):
    opened(settings).close()
    key = settings.state_path / "village-keys" / "1.pem"
    saved = key.read_bytes()
    key.unlink()
    with pytest.raises(StoreError, match="put a saved copy of 1.pem back"):
        opened(settings)
    assert not key.exists()
    key.write_bytes(saved)
    opened(settings).close()


def test_kiosks_of_one_database_print_their_own_papers_only(make_hall, settings):
    first = make_hall()
    second = make_hall(printer=False, settings=config.changed(settings, kiosk_id="kiosk-2"))
    taken = second.office.queue.take("A", "of the second")
    mine = first.office.queue.take("A", "of the first")
    first.office.spooler.watch(mine.print_job_id)
    first.wait_until(lambda: first.job_state(mine.print_job_id) is PrintState.PRINTED)
    [paper] = first.outside.papers
    assert first.is_on(paper, mine.print_job_id)
    assert [job.id for job in second.office.spooler.open_jobs()] == [taken.print_job_id]
    assert first.office.spooler.open_jobs() == []


def test_what_is_made_is_its_owners_alone_also_in_a_directory_that_others_may_read(settings, tmp_path):
    state = tmp_path / "open"
    state.mkdir(mode=0o755)
    opened(config.changed(settings, state_dir=str(state))).close()
    made = {path.name: path.stat().st_mode & 0o077 for path in state.rglob("*")}
    assert {"kiosk.sqlite", "vault.key", "village-keys", "1.pem"} <= set(made)
    assert set(made.values()) == {0}


def test_the_demo_village_is_settled_once(tmp_path):
    office = opened(config.changed(config.load(DEMO), state_dir=str(tmp_path)))
    village.fill(office)
    entries = office.journal.entries(limit=10_000)
    village.fill(office)
    assert office.journal.entries(limit=10_000) == entries
    assert len(office.residents.all()) == len(village.demo_residents())
    for name, uid in village.DEMO_CARDS.items():
        answer = office.residents.identify_by_card(uid, village.DEMO_PIN)
        if name == "nobody":
            assert answer == UnknownCard()
        elif name == village.WITHOUT_PIN:
            assert answer == WrongPin(4)
        else:
            assert isinstance(answer, Identified) and answer.resident.nik == village.NIKS[name]
    [letter] = office.requests.listing(RequestState.READY)
    assert letter.resident_id == office.residents.by_nik(village.NIKS[village.WITH_READY_LETTER]).id
    assert office.check_code(letter.token.encode()).facts.letter_number == letter.letter_number
    assert {officer.role for officer in office.officers.list()} == set(Role)
    office.close()
