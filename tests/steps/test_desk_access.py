"""The desk as a stranger would attack it: no page without a log-in, no form without its token, no session that
outlives its end."""

import logging
import re
from datetime import timedelta

import pytest
from support.desk import OFFICERS, PASSWORD, URL, DeskAtHand

from config.settings import Desk
from kiosk.desk.access import MOST_AT_ONCE, guard
from kiosk.desk.sessions import IDLE, LONGEST
from kiosk.officers import WRONG_AT_ADDRESS

pytest_plugins = ["support.desk"]

#: Path values that stand for what a rule's variables may be.
VALUES = {
    "token": "A",
    "number": "2026-00001",
    "requirement": "kk",
    "service": "A",
    "resident_id": 1,
    "letter_type": "domisili",
}


def rules(desk: DeskAtHand, method: str) -> list[tuple[str, frozenset | None]]:
    """Every route that takes `method`: its path, and the roles that may use it."""
    with desk.app.test_request_context():
        adapter = desk.app.url_map.bind("")
        return [
            (adapter.build(rule.endpoint, {name: VALUES[name] for name in rule.arguments}), view.allowed)
            for rule in desk.app.url_map.iter_rules()
            if rule.endpoint != "static" and method in rule.methods
            for view in [desk.app.view_functions[rule.endpoint]]
        ]


# Without a log-in.


def test_no_page_without_a_log_in(desk):
    stranger = desk.browser()
    for path, allowed in [*rules(desk, "GET"), ("/tidak-ada", frozenset())]:
        page = stranger.open(path)
        if allowed is not None:
            assert page.request.path == "/masuk", path
            assert 'name="password"' in page.text


def test_no_form_without_a_log_in(desk):
    stranger = desk.browser()
    stranger.open("/masuk")
    fields = stranger.form("/masuk")
    for path, allowed in rules(desk, "POST"):
        if allowed is not None:
            answer = stranger.post(path, fields, headers={"Origin": URL})
            assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/masuk"), path


@pytest.mark.parametrize("cookie", ["", "A" * 43, "../../etc/passwd", "x" * 3000, "' OR 1=1 --", "\x00\r\n"])
def test_a_made_up_session_is_none(desk, cookie):
    stranger = desk.browser()
    stranger.keep(cookie)
    assert stranger.open("/").request.path == "/masuk"


def test_each_role_sees_its_pages_and_the_others_look_like_none(desk):
    for username, role in OFFICERS.items():
        browser = desk.browser(username)
        unknown = browser.open("/tidak-ada")
        assert unknown.status_code == 404
        for path, allowed in rules(desk, "GET"):
            page = browser.open(path)
            if allowed is not None and role not in allowed:
                assert (page.status_code, title(page)) == (404, title(unknown)), (username, path)


def title(page) -> str:
    return re.search(r"<title>(.*?)</title>", page.text)[1]


def test_a_page_that_does_not_say_whom_it_is_for_is_refused_at_the_start(desk):
    desk.app._got_first_request = False
    desk.app.add_url_rule("/terbuka", "open", lambda: "secrets")
    with pytest.raises(RuntimeError, match="open does not say who may see it"):
        guard(desk.app, desk.services.settings)


# Forms.


def test_every_form_needs_its_token_its_mark_and_its_origin(desk):
    for username, role in OFFICERS.items():
        browser = desk.browser(username)
        browser.open("/")
        good = {name: value for name, value in browser.form("/keluar").items()}
        other = desk.browser(username)
        other.open("/")
        stolen = good | {"token": other.form("/keluar")["token"]}
        for path, allowed in rules(desk, "POST"):
            desk.clock.pass_s(10)  # or the address has too many requests
            if allowed is not None and role not in allowed:
                assert browser.post(path, good, headers={"Origin": URL}).status_code == 404, path
                continue
            for fields, headers in (
                ({}, {"Origin": URL}),
                (good | {"token": ""}, {"Origin": URL}),
                (good | {"token": "é"}, {"Origin": URL}),
                (good | {"mark": ""}, {"Origin": URL}),
                (stolen, {"Origin": URL}),
                (good, {}),
                (good, {"Origin": "null"}),
                (good, {"Origin": "https://evil.example"}),
                (good, {"Origin": URL.replace("8443", "80")}),
                (good, {"Referer": "https://evil.example/" + URL}),
            ):
                answer = browser.post(path, fields, headers=headers)
                assert answer.status_code == 403, (path, fields, headers)
        assert browser.open("/").request.path == "/"  # none of it ended the session


def test_a_browser_that_sends_only_a_referer_is_believed(desk):
    browser = desk.browser("ratna")
    browser.open("/")
    answer = browser.post("/keluar", browser.form("/keluar"), headers={"Referer": f"{URL}/"})
    assert (answer.status_code, answer.location) == (303, "/masuk")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.example:8443"])
def test_another_host_is_refused(desk, host):
    """A stranger's name may lead to this machine (DNS rebinding)."""
    page = desk.browser("ratna").open("/masuk", base_url=f"http://{host}")
    assert page.status_code == 421 and "password" not in page.text


def test_a_form_sent_twice_is_done_once(desk):
    browser = desk.browser("ratna")
    browser.open("/kata-sandi")
    fields = browser.form("/kata-sandi") | {
        "password": PASSWORD, "new": "kerbau putih di sawah", "again": "kerbau putih di sawah"
    }  # fmt: skip
    first = browser.post("/kata-sandi", fields, headers={"Origin": URL})
    assert (first.status_code, first.location) == (303, "/")
    # The session has another token now, so the twin is not even looked at.
    assert browser.post("/kata-sandi", fields, headers={"Origin": URL}).status_code == 403


# Sessions.


def test_the_cookie(make_desk, tmp_path):
    plain = make_desk()
    browser = plain.browser("ratna")
    assert len(browser.cookie()) == 43
    secure = Desk(public_url="https://desa.lan")  # behind a proxy that does TLS
    desk = make_desk(desk=secure, state_dir=str(tmp_path / "secure"))
    page = desk.browser().open("/masuk", base_url="https://desa.lan")
    assert re.fullmatch(
        r"__Host-desk=[A-Za-z0-9_-]{43}; Secure; HttpOnly; Path=/; SameSite=Strict", page.headers["Set-Cookie"]
    )


def test_who_came_by_tls_comes_in_no_other_way(make_desk, tmp_path):
    assert "Strict-Transport-Security" not in make_desk().browser().open("/masuk").headers
    desk = make_desk(desk=Desk(public_url="https://desa.lan"), state_dir=str(tmp_path / "secure"))
    page = desk.browser().open("/masuk", base_url="https://desa.lan")
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_log_in_changes_the_token_and_a_log_out_ends_it(desk):
    browser = desk.browser()
    browser.open("/masuk")
    before = browser.cookie()
    browser.send("/masuk", username="ratna", password=PASSWORD)
    during = browser.cookie()
    assert during != before
    browser.open("/")
    browser.send("/keluar")
    assert browser.cookie() != during
    thief = desk.browser()
    for cookie in (before, during):
        thief.keep(cookie)
        assert thief.open("/").request.path == "/masuk"


def test_a_session_ends_by_idling_and_by_its_age(desk):
    browser = desk.browser("ratna")
    for _ in range(3):
        desk.clock.pass_s(IDLE.total_seconds() - 1)
        assert browser.open("/").request.path == "/"
    desk.clock.pass_s(IDLE.total_seconds())
    assert browser.open("/").request.path == "/masuk"
    browser.log_in("ratna")
    for _ in range(int(LONGEST / timedelta(minutes=20)) - 1):
        desk.clock.pass_s(20 * 60)
        assert browser.open("/").request.path == "/"
    desk.clock.pass_s(20 * 60)
    assert browser.open("/").request.path == "/masuk"


def test_a_clock_that_is_set_back_makes_no_session_longer(desk):
    browser = desk.browser("ratna")
    desk.clock.set(desk.clock.now() - timedelta(days=1))
    assert browser.open("/").request.path == "/masuk"


@pytest.mark.parametrize("what", ["deactivate", "set_password"])
def test_a_session_ends_with_what_it_stood_on(desk, what):
    browser = desk.browser("ratna")
    officers = desk.services.officers
    officers.deactivate("ratna") if what == "deactivate" else officers.set_password("ratna", "kerbau putih di sawah")
    assert browser.open("/").request.path == "/masuk"


def test_one_s_own_password(desk):
    browser, elsewhere = desk.browser("ratna"), desk.browser("ratna")

    def change(password, new, again):
        browser.open("/kata-sandi")
        return browser.send("/kata-sandi", password=password, new=new, again=again)

    assert "tidak cocok" in change("salah salah salah", "kerbau putih di sawah", "kerbau putih di sawah").text
    assert "ulangannya" in change(PASSWORD, "kerbau putih di sawah", "kerbau hitam di sawah").text
    assert "terlalu umum" in change(PASSWORD, "indonesia2026", "indonesia2026").text
    assert elsewhere.open("/").request.path == "/"
    changed = change(PASSWORD, "kerbau putih di sawah", "kerbau putih di sawah")
    assert changed.request.path == "/" and "Kata sandi sudah diganti." in changed.text
    assert elsewhere.open("/").request.path == "/masuk"
    assert desk.browser().log_in("ratna", "kerbau putih di sawah").page.request.path == "/"


# The log-in.


def test_wrong_passwords_pause_and_are_told_alike(desk):
    stranger, unknown = desk.browser(), desk.browser(address="192.0.2.9")
    for _ in range(WRONG_AT_ADDRESS):
        told = [stranger.log_in("ratna", "salah").page, unknown.log_in("nobody", "salah").page]
        assert {page.status_code for page in told} == {401}
        assert without_tokens(told[0]) == without_tokens(told[1])
    told = [stranger.log_in("ratna").page, unknown.log_in("nobody").page]
    assert all("Terlalu banyak percobaan. Coba lagi 24 November 2026 pukul 09.15." in page.text for page in told)
    assert desk.browser("ratna", address="192.0.2.10").open("/").request.path == "/"


def without_tokens(page) -> str:
    return re.sub(r'value="[A-Za-z0-9_-]{22,}"', "", page.text)


def test_the_log_in_leads_to_the_page_that_was_wanted(desk):
    browser = desk.browser()
    assert browser.open("/kata-sandi").request.args["to"] == "/kata-sandi"
    assert browser.send("/masuk", username="RATNA ", password=PASSWORD).request.path == "/kata-sandi"


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/tidak-ada", "/keluar", "javascript:alert(1)", ""],
)
def test_the_log_in_leads_nowhere_else(desk, to):
    browser = desk.browser()
    browser.open("/masuk")
    answer = browser.send("/masuk", follow=False, to=to, username="ratna", password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/")


# What it gives away.


def test_every_answer_carries_the_headers(desk):
    browser = desk.browser("ratna")
    for page in (browser.open("/"), browser.open("/tidak-ada"), desk.browser().open("/masuk"), browser.post("/", {})):
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert "script-src" not in policy  # none, as by default
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "same-origin"
    assert browser.open("/static/desk.css").headers["Cache-Control"] == "max-age=3600"


def test_pages_have_no_script_and_no_style_of_their_own(desk):
    browser = desk.browser("sudarman")
    for path, _ in rules(desk, "GET"):
        page = browser.open(path)
        if page.mimetype == "text/html":
            assert not re.search(r"<script>|<style|\son\w+=|\sstyle=|javascript:", page.text), path


@pytest.mark.parametrize(
    "path", ["/static/../../../etc/passwd", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"]
)
def test_files_that_are_not_pages_stay_where_they_are(desk, path):
    page = desk.browser("ratna").open(path)
    assert "root:" not in page.text and "create_app" not in page.text


def test_too_large_a_form_is_refused(desk):
    browser = desk.browser("ratna")
    browser.open("/kata-sandi")
    assert browser.send("/kata-sandi", new="x" * 100_000).status_code == 413


def test_one_address_has_only_so_many_requests(desk):
    browser = desk.browser(address="192.0.2.99")
    statuses = [browser.open("/masuk").status_code for _ in range(MOST_AT_ONCE + 1)]
    assert statuses == [200] * MOST_AT_ONCE + [429]
    assert desk.browser().open("/masuk").status_code == 200
    desk.clock.pass_s(1)
    assert browser.open("/masuk").status_code == 200


def test_no_password_is_in_any_log_or_file(desk, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    browser = desk.browser("ratna")
    desk.browser().log_in("wulan", "rahasia yang salah")
    cookie = browser.cookie()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"officer-logged-in" in kept
    for secret in (PASSWORD, "rahasia yang salah", cookie):
        assert secret not in caplog.text and secret.encode() not in kept


def test_a_database_that_fails_is_told_and_shows_nothing(desk, monkeypatch):
    browser = desk.browser("ratna")
    desk.office.store.close()
    path = desk.services.settings.state_path / "kiosk.sqlite"
    for name in (path, path.with_name("kiosk.sqlite-wal"), path.with_name("kiosk.sqlite-shm")):
        name.unlink(missing_ok=True)
    path.write_bytes(b"rubbish" * 2000)
    page = browser.open("/")
    assert page.status_code == 503 and "sqlite" not in page.text


@pytest.mark.parametrize("address", ["/permohonan/?sesudah=", "/catatan/?sebelum=", "/warga/?sebelum="])
@pytest.mark.parametrize("nonsense", ["nonsense", "-1", "0", "9" * 30, "-" + "9" * 30])
def test_a_page_that_there_is_not_is_the_first(desk, address, nonsense):
    browser = desk.browser("sudarman")
    assert browser.open(address + nonsense).status_code == 200
