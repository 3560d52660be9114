"""`kiosk office …`: what an officer types, what they read, and what a script gets as exit status."""

import io
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from support.kiosk import NIKS, NOBODYS_NIK

from kiosk import cli, office_commands
from kiosk.clock import Clock
from kiosk.demo.village import DEMO_PASSWORD, DEMO_PIN
from kiosk.devices import Devices
from kiosk.office import Office
from kiosk.requests import PAGE, RequestState
from kiosk.residents import Identified, WrongPin
from kiosk.signing.pdf_keys import signing_directory

pytest_plugins = ["support.kiosk"]

NEW_PIN = "864209"
CARD = "04FFEEDDCCBBAA"


@pytest.fixture
def office(settings):
    """The office beside which the commands work, on the same database."""
    office = Office.open(settings, Clock(), Devices(), printer=None, post=lambda event: None)
    yield office
    office.store.close()


@pytest.fixture
def run(settings, capsys, monkeypatch):
    """`run("approve", number, typed="…")`: the command's exit status, what it said, and what it complained of. None of
    it ever holds a whole NIK or a PIN."""

    def run(*arguments, typed=""):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = cli.main(["office", "--demo", "--state", settings.state_dir, *arguments])
        out, err = capsys.readouterr()
        assert not re.search(r"\d{16}", out + err)
        assert not any(secret in out + err for secret in (NEW_PIN, DEMO_PIN, DEMO_PASSWORD))
        return SimpleNamespace(status=status, out=out, err=err)

    return run


@pytest.fixture
def request_of(office):
    def submit(name="siti", letter_type="domisili"):
        owner = office.residents.by_nik(NIKS[name])
        return office.requests.submit(owner.id, letter_type, {"purpose": "?"}, f"{name}:{letter_type}")

    return submit


def refused(result) -> str:
    """The one line in which a command that did nothing says why."""
    assert result.status == 1 and result.out == ""
    assert result.err.count("\n") == 1 and result.err.startswith("kiosk office: ")
    return result.err.removeprefix("kiosk office: ").strip()


def test_requests_are_listed_oldest_first_with_masked_owners(run, office, request_of):
    first, second = request_of("siti"), request_of("budi", "usaha")
    result = run("requests")
    assert result.status == 0
    assert [line.split("\t") for line in result.out.splitlines()] == [
        [first.number, "submitted", "domisili", "S*** A*****", "************" + NIKS["siti"][12:], ""],
        [second.number, "submitted", "usaha", "B*** S******", "************" + NIKS["budi"][12:], ""],
    ]
    assert "SITI" not in result.out
    run("approve", first.number)
    run("sign", first.number, "--officer", "sudarman", typed=f"{DEMO_PASSWORD}\n")
    assert first.number not in run("requests").out
    assert first.number in run("requests", "ready").out
    assert len(run("requests", "all").out.splitlines()) == 2
    assert run("requests", "refused").out == ""


def test_a_long_list_is_whole(run, office):
    owner = office.residents.by_nik(NIKS["siti"])
    numbers = [office.requests.submit(owner.id, "domisili", {}, f"{n}").number for n in range(PAGE + 1)]
    assert [line.split("\t")[0] for line in run("requests").out.splitlines()] == numbers


def test_no_such_state(run):
    assert "submitted" in refused(run("requests", "nonsense"))


def test_the_life_of_a_letter(run, office, request_of):
    request = request_of()
    result = run("approve", request.number, "--officer", "ratna")
    assert result.out == f"{request.number}: waits for the signature of: head\n"
    result = run("sign", request.number, "--officer", "sudarman", typed=f"{DEMO_PASSWORD}\n")
    letter = office.requests.by_number(request.number)
    assert (letter.state, letter.officer) == (RequestState.READY, "sudarman")
    assert result.out == f"{request.number}: signed as {letter.letter_number}\n"
    assert office.letters.pdf(request.id).startswith(b"%PDF")
    assert office.check_code(letter.token.encode()).facts.letter_number == letter.letter_number
    assert run("collect", request.number).out == f"{request.number}: collected\n"
    assert run("withdraw", letter.letter_number, "--reason", "Salah").status == 0
    assert office.requests.by_number(request.number).state is RequestState.WITHDRAWN
    assert type(office.check_code(letter.token.encode())).__name__ == "Withdrawn"


def test_nobody_signs_without_the_password_or_out_of_turn(run, office, request_of):
    number = request_of().number
    run("approve", number)
    assert (
        refused(run("sign", number, "--officer", "sudarman", typed="salah\n")) == "wrong password, or no such officer"
    )
    assert refused(run("sign", number, "--officer", "nobody", typed=f"{DEMO_PASSWORD}\n")).startswith("wrong password")
    assert "head" in refused(run("sign", number, "--officer", "wulan", typed=f"{DEMO_PASSWORD}\n"))
    assert office.requests.by_number(number).state is RequestState.SIGNING


def test_what_cannot_be_signed_says_what_to_do(run, office, request_of):
    number = request_of().number
    run("approve", number)
    for path in signing_directory(office.settings).glob("signer-*.pem"):
        path.unlink()
    assert "SIGNING-NO-KEY" in refused(run("sign", number, "--officer", "sudarman", typed=f"{DEMO_PASSWORD}\n"))
    assert office.requests.by_number(number).state is RequestState.SIGNING


def test_an_approval_goes_on_where_an_earlier_one_stopped(run, office, request_of):
    request = request_of()
    office.requests.begin_check(request.number, "ratna")
    assert run("approve", request.number).out.endswith("waits for the signature of: head\n")


def test_a_code_is_said_for_a_resident(run, office):
    code, told = run("code", "--nik", NIKS["wagiman"], "--officer", "ratna").out.strip().split(",")
    assert "10 minutes" in told
    enrolling = office.enrolments.begin(code, bytes.fromhex(CARD))
    office.enrolments.choose_pin(enrolling, NEW_PIN)
    assert isinstance(office.residents.identify_by_card(bytes.fromhex(CARD), NEW_PIN), Identified)


@pytest.mark.parametrize(("action", "state"), [("return", RequestState.RETURNED), ("refuse", RequestState.REFUSED)])
def test_a_request_is_given_back_or_refused_with_a_reason(run, office, request_of, action, state):
    request = request_of()
    assert run("check", request.number).out == f"{request.number}: being checked\n"
    assert run(action, request.number, "--reason", "Keperluan belum jelas").status == 0
    decided = office.requests.by_number(request.number)
    assert (decided.state, decided.reason) == (state, "Keperluan belum jelas")


@pytest.mark.parametrize("action", ["return", "refuse", "withdraw"])
def test_a_reason_must_be_given(run, action):
    with pytest.raises(SystemExit) as refusal:
        run(action, "2026-00001")
    assert refusal.value.code == 2


def test_what_a_state_does_not_allow(run, request_of):
    request = request_of()
    assert request.number in refused(run("collect", request.number))
    run("approve", request.number)
    run("sign", request.number, "--officer", "sudarman", typed=f"{DEMO_PASSWORD}\n")
    for action in (("approve",), ("check",), ("return", "--reason", "?"), ("refuse", "--reason", "?")):
        assert request.number in refused(run(action[0], request.number, *action[1:]))


@pytest.mark.parametrize(
    "action", [("approve",), ("collect",), ("return", "--reason", "?"), ("withdraw", "--reason", "?")]
)
def test_a_number_that_there_is_not(run, action):
    assert refused(run(action[0], "2026-99999", *action[1:])) == "There is no such request or letter."


def test_a_letter_type_that_is_no_longer_on_offer(run, office, request_of):
    request = request_of(letter_type="pindah")
    assert "pindah" in refused(run("approve", request.number))
    assert office.requests.by_number(request.number).state is RequestState.SUBMITTED


def test_a_card_is_enrolled_and_a_pin_set(run, office):
    result = run("enrol", "--card", CARD, typed=f"{NIKS['wagiman']}\n{NEW_PIN}\n")
    assert result.status == 0
    assert "The card is linked." in result.out and "The PIN is set." in result.out
    assert isinstance(office.residents.identify_by_card(bytes.fromhex(CARD), NEW_PIN), Identified)


def test_a_second_card_without_a_pin(run, office):
    assert run("enrol", "--card", CARD, "--nik", NIKS["siti"], "--no-pin").status == 0
    assert isinstance(office.residents.identify_by_card(bytes.fromhex(CARD), DEMO_PIN), Identified)


def test_a_card_of_somebody_else_is_not_linked(run, office):
    run("enrol", "--card", CARD, "--nik", NIKS["siti"], "--no-pin")
    assert refused(run("enrol", "--card", CARD, "--nik", NIKS["budi"], "--no-pin")) == "the card is another resident's"


@pytest.mark.parametrize("card", ["", "04", "xx", "04A1B2", "04A1B2C3D4E5F607080910"])
def test_what_is_no_cards_number(run, card):
    told = refused(run("enrol", "--card", card or "0", "--nik", NIKS["siti"], "--no-pin"))
    assert "4 to 10 bytes" in told


def test_the_demos_reader_cannot_be_asked_from_here(run):
    assert "give --card" in refused(run("enrol", "--nik", NIKS["siti"]))


@pytest.mark.parametrize("action", [("enrol", "--card", CARD), ("pin",), ("code",)])
def test_a_nik_that_nobody_has(run, action):
    assert refused(run(*action, "--nik", NOBODYS_NIK)) == "nobody has that NIK"


def test_a_pin_is_set_and_unlocks(run, office):
    for _ in range(5):
        office.residents.identify_by_nik(NIKS["siti"], "975310")
    assert run("pin", typed=f"{NIKS['siti']}\n{NEW_PIN}\n").out.endswith("The PIN is set.\n")
    assert isinstance(office.residents.identify_by_nik(NIKS["siti"], NEW_PIN), Identified)
    assert isinstance(office.residents.identify_by_nik(NIKS["siti"], DEMO_PIN), WrongPin)


@pytest.mark.parametrize("pin", ["", "12345", "123456", "111111", "011079", "abcdef"])
def test_a_pin_that_will_not_do_changes_nothing(run, office, pin):
    assert "this PIN will not do" in refused(run("pin", "--nik", NIKS["siti"], typed=f"{pin}\n"))
    assert isinstance(office.residents.identify_by_nik(NIKS["siti"], DEMO_PIN), Identified)


def test_nothing_typed(run):
    result = run("pin", typed="")
    assert (result.status, result.err) == (1, "kiosk office: nothing was typed\n")


def test_the_queue_is_called_in_order(run, office):
    for number in range(2):
        office.queue.take("A", f"key {number}")
    assert [run("call", "A").out for _ in range(3)] == ["Calling A-001\n", "Calling A-002\n", "Nobody is waiting.\n"]


def test_a_service_that_there_is_not(run):
    assert refused(run("call", "Z")) == "no such service; there are: A, B, C, D"


def test_jobs_that_wait_are_listed_and_finished_ones_are_not(run, office):
    ticket = office.queue.take("A", "one")
    done = office.queue.take("A", "two")
    office.spooler.cancel(done.print_job_id)
    [line] = run("jobs").out.splitlines()
    assert line.split("\t")[:3] == [str(ticket.print_job_id), "ticket", "queued"]


def test_a_database_that_is_none_is_told_in_one_line(run, settings, capsys):
    (settings.state_path / "kiosk.sqlite").write_bytes(b"rubbish" * 2000)
    result = run("requests")
    assert result.status == 2 and result.err.count("\n") == 1
    assert str(settings.state_path / "kiosk.sqlite") in result.err


def test_settings_that_are_missing_are_told_in_one_line(capsys, tmp_path):
    assert cli.main(["office", "--config", str(tmp_path / "none.toml"), "jobs"]) == 2
    assert "none.toml" in capsys.readouterr().err


def test_the_exit_status_reaches_the_shell(settings, office, request_of):
    command = [sys.executable, "-m", "kiosk", "office", "--demo", "--state", settings.state_dir]
    request = request_of()
    done = subprocess.run([*command, "approve", request.number], capture_output=True, text=True, timeout=60)
    again = subprocess.run([*command, "approve", request.number], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith(f"{request.number}: waits for ")
    assert again.returncode == 1 and again.stdout == ""
    assert again.stderr.startswith(f"kiosk office: Request {request.number} is signing")
    assert office.requests.by_number(request.number).state is RequestState.SIGNING


def test_the_number_of_a_card_is_shown_in_both_directions():
    assert office_commands._in_both_directions(bytes.fromhex("04A1B2C3")).splitlines() == [
        "The card's number: 04A1B2C3, as a decimal 77705923",
        "From its last byte on: C3B2A104, as a decimal 3283263748",
    ]
