"""`kiosk officers …`: what the technician types, what they read, and what a script gets as exit status."""

import io
import sys
from types import SimpleNamespace

import pytest
from support.desk import PASSWORD, DeskAtHand

from kiosk import cli
from kiosk.officers import Officer, Role, WrongPassword

pytest_plugins = ["support.desk"]
NEW_PASSWORD = "kerbau putih di sawah"


@pytest.fixture
def run(desk: DeskAtHand, capsys, monkeypatch):
    def run(*arguments: str, typed: str = "") -> SimpleNamespace:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = cli.main(["officers", "--demo", "--state", desk.services.settings.state_dir, *arguments])
        out, err = capsys.readouterr()
        assert NEW_PASSWORD not in out + err
        return SimpleNamespace(status=status, out=out, err=err)

    return run


def test_an_officer_is_added_listed_and_let_in(run, desk):
    added = run("add", "yani", "--name", "YANI", "--role", "operator", typed=f"{NEW_PASSWORD}\n")
    assert (added.status, added.out) == (0, "yani was added.\n")
    assert "yani\toperator\tactive\tYANI\t\n" in run("list").out
    officer = desk.services.officers.log_in("yani", NEW_PASSWORD, "192.0.2.1")
    assert isinstance(officer, Officer) and officer.role is Role.OPERATOR


def test_a_password_is_set_and_ends_what_was_open(run, desk):
    browser = desk.browser("ratna")
    assert run("password", "ratna", typed=f"{NEW_PASSWORD}\n").out == "The password is set.\n"
    assert browser.open("/").request.path == "/masuk"
    assert isinstance(desk.services.officers.log_in("ratna", NEW_PASSWORD, "192.0.2.1"), Officer)


def test_an_officer_is_deactivated_and_comes_back(run, desk):
    browser = desk.browser("ratna")
    assert run("deactivate", "ratna").status == 0
    assert "ratna\toperator\tinactive" in run("list").out
    assert browser.open("/").request.path == "/masuk"
    assert desk.services.officers.log_in("ratna", PASSWORD, "192.0.2.1") == WrongPassword()
    assert run("activate", "ratna").status == 0
    assert isinstance(desk.services.officers.log_in("ratna", PASSWORD, "192.0.2.1"), Officer)


def test_the_nik_for_bsre_is_asked_for_and_not_shown(run, desk):
    nik = "3523125407820001"
    told = run("nik", "sudarman", typed=f"{nik}\n")
    assert told.status == 0 and nik not in told.out
    assert desk.services.officers.nik_of(desk.services.officers.by_username("sudarman").id) == nik


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (("add", "yani", "--name", "Y", "--role", "head"), "pendek\n", "too-short"),
        (("add", "ratna", "--name", "R", "--role", "head"), f"{NEW_PASSWORD}\n", "ratna already"),
        (("add", "Yani!", "--name", "Y", "--role", "head"), f"{NEW_PASSWORD}\n", "a username has"),
        (("password", "nobody"), f"{NEW_PASSWORD}\n", "nobody"),
        (("password", "ratna"), "", "nothing was typed"),
    ],
)
def test_what_will_not_do_is_told_in_one_line(run, arguments, typed, said):
    refused = run(*arguments, typed=typed)
    assert (refused.status, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert said in refused.err
