"""The page that a phone opens: what it tells, to whom it answers, and that nothing of the officers' is behind it."""

import http.client
import logging
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from support.kiosk import NIKS, OFFICER, Hall

from config import settings as config
from config.settings import CheckPage
from kiosk.code_keys import CodeKeys
from kiosk.codes import Genuine
from kiosk.desk.app import create_app
from kiosk.desk.check_page import MOST_AT_ONCE, create_check_app
from kiosk.desk.services import Services
from kiosk.desk.serving import DeskServer
from kiosk.desk.sessions import Sessions
from kiosk.officers import Officers
from kiosk.withdrawals import WithdrawalList

pytest_plugins = ["support.kiosk"]

PREFIX = "HTTPS://CEK.SOCOREJO.DESA.ID/S/"


def services(hall: Hall) -> Services:
    return Services(
        hall.settings,
        hall.office,
        Officers(hall.office.store, hall.clock),
        Sessions(hall.office.store, hall.clock),
        None,
    )


@pytest.fixture
def phone(quiet_hall: Hall) -> FlaskClient:
    return create_check_app(services(quiet_hall)).test_client()


@pytest.fixture
def letter(quiet_hall):
    return quiet_hall.issue(quiet_hall.submit("siti"))


def path_of(token: str) -> str:
    return token.removeprefix("HTTPS://CEK.SOCOREJO.DESA.ID")


def words(page) -> str:
    assert page.status_code == 200
    return unescape(page.text)


def test_a_genuine_letter_with_masked_facts_in_two_languages(phone, letter):
    page = phone.get(path_of(letter.token))
    text = words(page)
    for said in ("Surat ini asli dan tercatat", "This letter is genuine and recorded", letter.letter_number):
        assert said in text
    for said in ("S*** A*****", "24 November 2026", "22 Februari 2027", "22 February 2027"):
        assert said in text
    assert "SITI" not in text and NIKS["siti"] not in text and NIKS["siti"][12:] not in text
    assert "bukan tanda tangan elektronik tersertifikasi" in text


def test_it_says_what_the_kiosk_says(quiet_hall, phone, letter):
    slip = quiet_hall.office.signer.request(quiet_hall.submit("budi").number)
    forged = letter.token[:-20] + "".join(reversed(letter.token[-20:]))
    for payload, said in (
        (letter.token, "letter_genuine"),
        (slip, "state_submitted"),
        (forged, "code_damaged"),
        (PREFIX + "HELLO", "code_damaged"),
    ):
        quiet_hall.choose("start", "check")
        quiet_hall.show_code(payload.encode())
        quiet_hall.wait_until(lambda: "done" in quiet_hall.offered)
        assert quiet_hall.says(said)
        page = words(phone.get(path_of(payload)))
        assert all(text in page for text in (quiet_hall.view.title, quiet_hall.view.text))
        quiet_hall.choose("done")


def test_withdrawn_expired_and_revoked(quiet_hall, phone, letter):
    path = path_of(letter.token)
    CodeKeys.of(quiet_hall.settings, quiet_hall.office.store, quiet_hall.clock).rotate()
    other = quiet_hall.issue(quiet_hall.submit("budi"))
    quiet_hall.office.requests.withdraw(letter.letter_number, OFFICER, "Salah nama")
    assert "Surat ini sudah dicabut" in (text := words(phone.get(path))) and "Salah nama" not in text
    quiet_hall.office.codes.keys.revoke("1", PREFIX)
    assert "Kode ini tidak berlaku lagi" in words(phone.get(path))
    quiet_hall.clock.pass_s(91 * 86400)
    assert "masa berlakunya habis" in words(phone.get(path_of(other.token)))


def as_a_form_would(text: str) -> str:
    return text.replace("+", "%20")


@pytest.mark.parametrize(
    "written",
    [
        lambda path: path,
        lambda path: quote(path, safe="/"),  # every $ * + : as %24 %2A %2B %3A
        lambda path: quote(path, safe="/$*+-:"),
        lambda path: as_a_form_would(path),
        str.lower,
        lambda path: path.replace("/S/", "/s/"),
        lambda path: path + "?utm_source=scanner&fbclid=1",
        lambda path: path + "#",
    ],
)
def test_however_a_phone_writes_the_address(quiet_hall, phone, written):
    """Forty letters, so that every digit of a code is met, at its beginning and its end too."""
    tokens = [quiet_hall.issue(quiet_hall.submit("siti")).token for _ in range(3)]
    slips = [quiet_hall.office.signer.request(f"2026-{number:05}") for number in range(40)]
    assert set("".join(map(path_of, tokens + slips))) >= set("$*+-:")
    for token in tokens:
        assert "Surat ini asli dan tercatat" in words(phone.get(written(path_of(token))))
    for slip in slips:  # their signatures hold, as else they would be damaged
        assert "Kode ini rusak" not in words(phone.get(written(path_of(slip))))


@pytest.mark.parametrize(
    "path", ["/", "/masuk", "/keluar", "/permohonan", "/static/desk.css", "/S", "/S//", "/../masuk", "/favicon.ico"]
)
def test_nothing_of_the_officers_is_behind_it(phone, path):
    page = phone.get(path, follow_redirects=True)
    assert "password" not in page.text and "masuk" not in page.text.lower()
    assert page.status_code in (200, 404)
    assert all(rule.rule.lower().startswith("/s/") for rule in phone.application.url_map.iter_rules())


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "options", "trace"])
def test_it_is_only_for_reading(phone, method):
    assert getattr(phone, method)("/S/ABC").status_code in (200 if method == "options" else 405, 405)


@pytest.mark.parametrize(
    "token", ["A", "A" * 600, "A" * 10_000, "%00", "%FF%FE", "%C4%B1", "..%2f..", "<script>", "{{7*7}}", "WITHDRAWALS"]
)
def test_what_a_stranger_may_ask(phone, token):
    page = phone.get(f"/S/{token}")
    assert "Kode ini rusak" in words(page) and "<script" not in page.text and "49" not in page.text


def test_no_cookie_no_cache_no_referrer_no_script(phone, letter):
    for path in ("/S/", path_of(letter.token), "/S/ABC", "/S/withdrawals", "/S/check.css", "/no-page"):
        headers = phone.get(path).headers
        assert "Set-Cookie" not in headers and headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer" and headers["X-Robots-Tag"] == "noindex"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; frame-anc")


def test_one_address_is_held_back_and_the_others_are_served(quiet_hall, phone, letter):
    path = path_of(letter.token)
    answers = [phone.get(path).status_code for _ in range(MOST_AT_ONCE + 5)]
    assert answers == [200] * MOST_AT_ONCE + [429] * 5
    assert phone.get(path, environ_overrides={"REMOTE_ADDR": "192.0.2.9"}).status_code == 200
    quiet_hall.clock.pass_s(10)
    assert phone.get(path).status_code == 200


def test_a_database_that_fails_says_nothing_false_and_no_letter_to_the_log(
    phone, quiet_hall, letter, monkeypatch, caplog
):
    def broken(self):
        raise OSError("disk")

    monkeypatch.setattr(type(quiet_hall.office.requests), "withdrawn_letters", broken)
    caplog.set_level(logging.DEBUG)
    path = path_of(letter.token)
    for app in (phone.application, create_app(services(quiet_hall))):
        page = app.test_client().get(path, base_url=quiet_hall.settings.desk.url)
        assert page.status_code == 503 and "tidak dapat diperiksa" in page.text and "asli dan" not in page.text
    assert "disk" in caplog.text and path[3:] not in caplog.text


def test_the_desk_has_the_same_page_without_a_log_in(quiet_hall, letter):
    desk = create_app(services(quiet_hall)).test_client()
    page = desk.get(path_of(letter.token), base_url=quiet_hall.settings.desk.url)
    assert "Surat ini asli dan tercatat" in words(page) and "Set-Cookie" not in page.headers


def test_a_check_page_at_the_root_of_its_host_does_not_stand_before_the_desks_pages(make_hall, settings):
    village = config.changed(settings.village, check_url="HTTPS://CEK.SOCOREJO.DESA.ID/")
    hall = make_hall(printer=False, settings=config.changed(settings, village=village))
    token = hall.office.signer.request("2026-00001").removeprefix("HTTPS://CEK.SOCOREJO.DESA.ID")
    assert "Kode ini rusak" not in words(create_check_app(services(hall)).test_client().get(token))
    desk = create_app(services(hall)).test_client()
    assert desk.get(token, base_url=hall.settings.desk.url).headers["Location"].startswith("/masuk")


# On a real socket.


@contextmanager
def served(hall: Hall) -> Iterator[CheckPage]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listener = CheckPage(port=free.getsockname()[1])
    with DeskServer(listener, create_check_app(services(hall))):
        yield listener


def test_other_villages_fetch_the_list_from_the_real_server(quiet_hall, letter):
    from kiosk.withdrawal_sync import fetch

    quiet_hall.office.requests.withdraw(letter.letter_number, OFFICER, "?")
    with served(quiet_hall) as listener:
        signed = fetch(f"http://127.0.0.1:{listener.port}/S/withdrawals")
    keys = {key.kid: key.public_key for key in quiet_hall.office.codes.keys.all()}
    assert letter.letter_id in WithdrawalList.read(signed, keys, frozenset())


def test_the_address_as_it_is_on_the_wire(quiet_hall, letter):
    """Through the real server, which takes the address apart itself."""
    assert isinstance(quiet_hall.office.check_code(letter.token.encode()), Genuine)
    with served(quiet_hall) as listener:
        for path in (path_of(letter.token), quote(path_of(letter.token), safe="/")):
            connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=10)
            connection.request("GET", path, headers={"Host": "cek.socorejo.desa.id"})
            answer = connection.getresponse()
            assert answer.status == 200 and "Surat ini asli dan tercatat" in answer.read().decode()
            connection.close()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed (Debian: chromium)")
def test_a_real_browser_opens_the_address_as_the_code_has_it(quiet_hall, letter, tmp_path):
    """Chrome on Android takes addresses apart with the same code."""
    with served(quiet_hall) as listener:
        dom = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
            + [f"HTTP://127.0.0.1:{listener.port}{path_of(letter.token)}"],
            capture_output=True,
            timeout=60,
            check=True,
        ).stdout.decode()
    assert "Surat ini asli dan tercatat" in dom and letter.letter_number in dom
