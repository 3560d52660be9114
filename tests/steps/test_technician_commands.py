"""`kiosk technician pin`: the only way to the technician's PIN, and the only one to open it again."""

import io
import sys

import pytest
from sqlalchemy import select
from support.clock import FakeClock
from support.kiosk import DEMO

from kiosk import cli
from kiosk.pin_tries import LockedOut, WrongPin
from kiosk.store.opening import open_store
from kiosk.store.schema import technician
from kiosk.technician import Technician

pytest_plugins = ["support.kiosk"]

PIN, WRONG = "135791", "975318"


@pytest.fixture
def technicians(settings):
    store = open_store(settings)
    yield Technician(store, FakeClock(), settings.kiosk_id)
    store.close()


@pytest.fixture
def run(settings, tmp_path, monkeypatch):
    path = tmp_path / "kiosk.toml"
    path.write_text(f'state_dir = "{settings.state_dir}"\n{DEMO.read_text("utf-8")}', "utf-8")

    def run(typed: str) -> int:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        return cli.main(["technician", "--config", str(path), "pin"])

    return run


def test_the_pin_is_set_and_replaced(run, technicians, capsys):
    assert not technicians.has_pin()
    assert run(f"{PIN}\n") == 0
    assert "The PIN is set." in capsys.readouterr().out
    assert technicians.has_pin() and technicians.identify(PIN) is True
    assert run(f"{WRONG}\n") == 0
    assert technicians.identify(PIN) == WrongPin(4) and technicians.identify(WRONG) is True


@pytest.mark.parametrize(
    ("typed", "reason"), [("123456", "in-a-row"), ("111111", "repeated"), ("12345", "not-6-digits"), ("", "not-6")]
)
def test_a_pin_that_will_not_do(run, technicians, capsys, typed, reason):
    run(f"{PIN}\n")
    assert run(f"{typed}\n") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and reason in error
    assert technicians.identify(PIN) is True, "the old one holds"


def test_it_opens_what_was_locked(run, technicians):
    run(f"{PIN}\n")
    for _ in range(4):
        technicians.identify(WRONG)
    assert isinstance(technicians.identify(WRONG), LockedOut)
    assert isinstance(technicians.identify(PIN), LockedOut)
    run(f"{PIN}\n")
    assert technicians.identify(PIN) is True


def test_without_a_pin_every_pin_is_wrong(technicians):
    assert technicians.identify(PIN) == WrongPin(4)


def test_the_pin_is_kept_as_an_encrypted_hash(run, settings):
    run(f"{PIN}\n")
    store = open_store(settings)
    with store.read() as tx:
        sealed = tx.execute(select(technician.c.pin)).scalar_one()
    assert b"argon2" not in sealed and PIN.encode() not in sealed
    assert store.vault.decrypt(sealed, "pin", store.vault.index("technician", "pin")).startswith("$argon2id$")
    store.close()
