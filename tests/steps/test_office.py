"""What an office stands on, and what it refuses to stand on."""

import pytest

from config import settings as config
from config.settings import Profile, Settings
from kiosk.clock import Clock
from kiosk.devices import Devices
from kiosk.office import Office
from kiosk.store.errors import StoreError
from kiosk.store.print_jobs import PrintState

pytest_plugins = ["support.kiosk"]


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
    key = settings.state_path / "village.key.pem"
    saved = key.read_bytes()
    key.unlink()
    with pytest.raises(StoreError, match="not the one that this database's letters were signed with"):
        opened(settings)
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
    made = {path.name: path.stat().st_mode & 0o077 for path in state.iterdir()}
    assert {"kiosk.sqlite", "vault.key", "village.key.pem"} <= set(made)
    assert set(made.values()) == {0}
