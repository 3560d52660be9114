"""The check story: a code is held before the real scanner, and the screen says what it is."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.kiosk import NIKS, OFFICER

from config import settings as config
from hardware.code_scanner.interface import LONGEST_PAYLOAD, CodeScanned, CodeScanner
from hardware.device import DeviceState
from kiosk.codes import LetterFacts, Signer
from kiosk.requests import RequestState
from kiosk.views import ResultView, ScanView

pytest_plugins = ["support.kiosk"]

PREFIX = b"HTTPS://CEK.SOCOREJO.DESA.ID/S/"


def check(hall, payload: bytes):
    hall.choose("start", "check")
    assert isinstance(hall.view, ScanView)
    hall.show_code(payload)
    return hall.wait_for(ResultView)


@pytest.fixture
def letter(quiet_hall):
    return quiet_hall.issue(quiet_hall.submit("siti"))


def test_a_genuine_letter_with_masked_facts(quiet_hall, letter):
    view = check(quiet_hall, letter.token.encode())
    assert view.tone == "good" and quiet_hall.says("letter_genuine") and quiet_hall.says("compare_with_your_letter")
    assert letter.letter_number in quiet_hall.words and "S*** A*****" in quiet_hall.words
    assert "24 November 2026" in quiet_hall.words and "Keterangan Domisili" in quiet_hall.words
    told = " ".join(quiet_hall.words)
    assert "SITI" not in told and NIKS["siti"] not in told and NIKS["siti"][12:] not in told
    quiet_hall.choose("done")
    assert quiet_hall.idle


def test_a_withdrawn_letter(quiet_hall, letter):
    quiet_hall.office.requests.withdraw(letter.letter_number, OFFICER, "Salah nama")
    view = check(quiet_hall, letter.token.encode())
    assert view.tone == "bad" and quiet_hall.says("letter_withdrawn")
    assert "Salah nama" not in quiet_hall.words


def test_an_expired_letter(quiet_hall, letter):
    quiet_hall.clock.pass_s(91 * 86400)
    view = check(quiet_hall, letter.token.encode())
    assert view.tone == "attention" and quiet_hall.says("letter_expired")


def test_a_letter_on_its_last_day_in_the_hall(quiet_hall, letter):
    """It is 9.00 on the day of issue; 90 days later it is the last day, and 15 hours after that it has passed."""
    quiet_hall.clock.pass_s(90 * 86400 + 15 * 3600 - 1)
    check(quiet_hall, letter.token.encode())
    assert quiet_hall.says("letter_genuine")
    quiet_hall.choose("done")
    quiet_hall.clock.pass_s(1)
    check(quiet_hall, letter.token.encode())
    assert quiet_hall.says("letter_expired")


def test_a_damaged_code(quiet_hall, letter):
    token = letter.token.encode()
    changed = token[:-20] + bytes(reversed(token[-20:]))
    view = check(quiet_hall, changed)
    assert view.tone == "bad" and quiet_hall.says("code_damaged") and view.facts == ()


def test_a_forged_letter(quiet_hall, letter):
    """The village's words, and not its key."""
    village = quiet_hall.settings.village
    facts = LetterFacts(village.code, "00" * 16, "domisili", "1", "B***", letter.issued_on, letter.valid_until)
    forged = Signer(Ed25519PrivateKey.generate(), village.code, "1", village.check_url).letter(facts)
    check(quiet_hall, forged.encode())
    assert quiet_hall.says("code_damaged")


def test_another_villages_letter(quiet_hall, letter):
    village = quiet_hall.settings.village
    facts = LetterFacts("35.23.12.2099", "00" * 16, "domisili", "1", "B***", letter.issued_on, letter.valid_until)
    foreign = Signer(Ed25519PrivateKey.generate(), "35.23.12.2099", "1", village.check_url).letter(facts)
    view = check(quiet_hall, foreign.encode())
    assert view.tone == "attention" and quiet_hall.says("code_not_from_here")


def test_a_request_slip_tells_how_far_it_is_and_no_name(quiet_hall):
    request = quiet_hall.submit("siti")
    payload = quiet_hall.office.signer.request(request.number).encode()
    check(quiet_hall, payload)
    assert quiet_hall.says("request_slip") and quiet_hall.says("state_submitted") and request.number in quiet_hall.words
    assert not any("S***" in text or "SITI" in text for text in quiet_hall.words)
    quiet_hall.choose("done")
    quiet_hall.issue(request)
    check(quiet_hall, payload)
    assert quiet_hall.says("state_ready")


def test_a_slip_of_a_request_that_there_is_not(quiet_hall):
    check(quiet_hall, quiet_hall.office.signer.request("2026-99999").encode())
    assert quiet_hall.says("code_not_from_here")


@pytest.mark.parametrize("state", RequestState)
def test_a_slip_has_words_for_every_state(quiet_hall, state):
    request = quiet_hall.submit("siti")
    requests = quiet_hall.office.requests
    match state:
        case "checking" | "signing":
            requests.begin_check(request.number, OFFICER)
            if state == "signing":
                requests.approve(request.number, OFFICER)
        case "returned":
            quiet_hall.give_back(request)
        case "refused":
            quiet_hall.refuse(request)
        case "cancelled":
            requests.cancel(request.id)
        case "ready" | "collected" | "withdrawn":
            letter = quiet_hall.issue(request)
            if state == "collected":
                requests.collect(request.number, OFFICER)
            if state == "withdrawn":
                requests.withdraw(letter.letter_number, OFFICER, "?")
    check(quiet_hall, quiet_hall.office.signer.request(request.number).encode())
    assert requests.get(request.id).state is state and quiet_hall.says(f"state_{state}")


@pytest.mark.parametrize(
    "payload",
    [
        b"https://example.org/",
        b"00020101021126570011ID.DANA.WWW",
        bytes(range(256)),
        b"\x1b@\x1dV\x00",
        b"A" * LONGEST_PAYLOAD,
        PREFIX.lower() + b"ABC",
    ],
)
def test_what_is_no_code_of_ours_is_not_from_here(quiet_hall, payload):
    view = check(quiet_hall, payload)
    assert quiet_hall.says("code_not_from_here") and view.facts == ()


@pytest.mark.parametrize(
    "payload", [PREFIX, PREFIX + bytes(range(128, 256)), PREFIX + b"A" * 2000, PREFIX + b"6BF" * 30, PREFIX + b"::"]
)
def test_what_only_begins_like_ours_is_damaged(quiet_hall, payload):
    check(quiet_hall, payload)
    assert quiet_hall.says("code_damaged")


def test_a_code_of_4_kb_is_not_read_and_another_may_be_tried(quiet_hall, letter):
    quiet_hall.choose("start", "check")
    quiet_hall.show_code(b"A" * 4096)
    quiet_hall.wait_until(lambda: quiet_hall.says("code_not_read"))
    quiet_hall.show_code(b"")  # nothing at all is no news
    quiet_hall.show_code(letter.token.encode())
    quiet_hall.wait_for(ResultView)
    assert quiet_hall.says("letter_genuine")


@pytest.mark.parametrize("payload", [b"", b"A" * 4096, PREFIX + b"A" * 4096, PREFIX + b"\xff" * 4096])
def test_even_a_driver_that_lets_anything_through_does_no_harm(quiet_hall, payload):
    quiet_hall.choose("start", "check")
    quiet_hall.happen(CodeScanned("code_scanner", payload))
    assert isinstance(quiet_hall.view, ResultView)
    assert quiet_hall.says("code_not_from_here") or quiet_hall.says("code_damaged")


def test_what_was_shown_before_the_check_is_not_looked_at(quiet_hall, letter):
    quiet_hall.choose("start")
    quiet_hall.show_code(letter.token.encode())
    quiet_hall.choose("check")
    quiet_hall.show_code(b"another")
    quiet_hall.wait_for(ResultView)
    assert quiet_hall.says("code_not_from_here")


@pytest.mark.parametrize("place", ["below", "right", "left"])
def test_the_arrow_leads_to_where_the_scanner_is(make_hall, settings, place):
    scanner = config.changed(settings.code_scanner, place=place)
    hall = make_hall(printer=False, settings=config.changed(settings, code_scanner=scanner))
    hall.choose("start", "check")
    assert hall.view.direction == place


def test_one_after_the_other(quiet_hall, letter):
    check(quiet_hall, b"another")
    quiet_hall.choose("again")
    quiet_hall.show_code(letter.token.encode())
    quiet_hall.wait_until(lambda: quiet_hall.says("letter_genuine"))


def test_a_scanner_that_goes_away_says_so(quiet_hall):
    quiet_hall.choose("start", "check")
    quiet_hall.status(CodeScanner.kind, DeviceState.ABSENT)
    assert quiet_hall.says("scanner_away_today")


def test_a_letter_of_a_type_that_is_no_longer_on_offer_is_genuine_still(quiet_hall, letter):
    del quiet_hall.office.letter_types["domisili"]
    check(quiet_hall, letter.token.encode())
    assert quiet_hall.says("letter_genuine") and "domisili" in quiet_hall.words


def test_a_database_that_fails_says_nothing_false(quiet_hall, letter, monkeypatch):
    def broken(self):
        raise OSError("disk")

    monkeypatch.setattr(type(quiet_hall.office.requests), "withdrawn_letters", broken)
    quiet_hall.choose("start", "check")
    quiet_hall.happen(CodeScanned("code_scanner", letter.token.encode()))
    assert quiet_hall.says("something_broke") and not quiet_hall.says("letter_genuine")
