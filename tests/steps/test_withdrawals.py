"""Withdrawn letters, as villages tell one another: the list, what may replace it, the way over the network and by hand,
and what a visitor reads."""

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.clock import FakeClock
from support.http import serving
from support.kiosk import DEMO, OFFICER, Hall

from config import settings as config
from config.settings import Settings, TrustedVillage
from kiosk import cose, withdrawal_sync
from kiosk.cli import main
from kiosk.codes import Expired, Genuine, NotFromHere, RequestSlip, Withdrawn
from kiosk.journal import Event, Journal
from kiosk.selftest.codes_on_letters import look_at_withdrawals
from kiosk.selftest.registry import CHECKS, Bench, Verdict
from kiosk.store.store import Store
from kiosk.village_file import OtherVillage, village_file
from kiosk.withdrawal_sync import AGAIN_AFTER_S, EVERY_S, JITTER, NotGot, WithdrawalSync, fetch, jittered, pause_s
from kiosk.withdrawals import (
    GIVEN_OUT_FOR,
    LARGEST_BYTES,
    NEXT_WITHIN,
    ListRefused,
    OtherWithdrawals,
    WithdrawalList,
)

pytest_plugins = ["support.kiosk", "support.databases"]

VILLAGE = "35.23.12.2003"
PREFIX = "HTTPS://CEK.JENU.DESA.ID/S/"
KEYS = {str(kid): Ed25519PrivateKey.from_private_bytes(bytes([kid]) * 32) for kid in (1, 2, 3)}
MADE_AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
ID = "9f86d081884c7d659a2feaa0c55ad015"


def a_village(*kids: str, revoked: frozenset[str] = frozenset(), url: str = "") -> OtherVillage:
    keys = {kid: KEYS[kid].public_key() for kid in kids or ("1",)}
    return OtherVillage(VILLAGE, "Jenu", PREFIX, keys, revoked, next(iter(keys)), MADE_AT, url)


def a_list(version: int = 1, kid: str = "1", **changes: object) -> WithdrawalList:
    made = WithdrawalList(VILLAGE, kid, version, MADE_AT, MADE_AT + NEXT_WITHIN, bytes.fromhex(ID), frozenset())
    return replace(made, **changes)


def signed(version: int = 1, kid: str = "1", key: Ed25519PrivateKey | None = None, **changes: object) -> bytes:
    return a_list(version, kid, **changes).signed(key or KEYS[kid])


@pytest.fixture
def others(store: Store) -> Callable[..., OtherWithdrawals]:
    """The lists that are kept, as a kiosk sees them that trusts the village so."""

    def trusting(*kids: str, **changes: object) -> OtherWithdrawals:
        return OtherWithdrawals(store, FakeClock(), {VILLAGE: a_village(*kids, **changes)})

    return trusting


# The list.


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_what_is_on_the_list_is_found_and_nothing_else(count):
    ids = [f"{number:032x}" for number in range(10, 10 + 2 * count, 2)]
    made = a_list(letter_ids=b"".join(map(bytes.fromhex, ids)))
    read = WithdrawalList.read(made.signed(KEYS["1"]), {"1": KEYS["1"].public_key()}, frozenset())
    assert read == made and read.count == count
    assert all(letter_id in read for letter_id in ids)
    assert not any(f"{number:032x}" in read for number in (0, 9, 11, 10 + 2 * count))


def test_a_list_of_a_village_with_50_000_letters_is_small():
    ids = b"".join(number.to_bytes(16, "big") for number in range(500))
    assert len(signed(letter_ids=ids)) < 8200
    assert len(signed(letter_ids=ids * 100)) < LARGEST_BYTES


def test_every_changed_bit_of_a_list_is_noticed():
    whole = signed()
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ListRefused):
            WithdrawalList.read(bytes(changed), {"1": KEYS["1"].public_key()}, frozenset())


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {-65537: [0, "domisili", "1"], 2: "S***", 4: 1, 6: 0, 7: b"1"},
        {-65537: [1, "P-0012"]},
        {-65537: [2, 1, b"1" * 15, []], 4: 1, 6: 0},
        {-65537: [2, "1", b"", []], 4: 1, 6: 0},
        {-65537: [2, 1, b"", []], 4: 1 << 70, 6: 0},
        {-65537: [2, 1, b"", []], 4: 1},
        {-65537: [3, "Jenu", PREFIX, {}, []], 4: 1, 6: 0},
    ],
)
def test_something_else_that_the_village_signed_is_no_list(others, claims):
    with pytest.raises(ListRefused) as refused:
        others().take(cose.sign(KEYS["1"], VILLAGE, "1", cbor2.dumps(claims)))
    assert refused.value.code == "WITHDRAWALS-NO-LIST"


# What may replace it.


def test_a_newer_list_replaces_an_older_one_and_never_the_other_way(others, store):
    lists = others()
    lists.take(signed(5))
    lists.take(signed(6, letter_ids=bytes(16) + bytes.fromhex(ID)))
    with pytest.raises(ListRefused) as refused:
        lists.take(signed(5))
    assert refused.value.code == "WITHDRAWALS-OUTDATED"
    assert lists.standing(VILLAGE).list.version == 6
    versions = [entry.facts["version"] for entry in Journal(store, FakeClock()).entries()]
    assert versions == [5, 6]


def test_the_same_version_made_later_only_makes_the_news_younger(others, store):
    lists, later = others(), MADE_AT + timedelta(days=1)
    lists.take(signed(5, made_at=later))
    assert lists.take(signed(5)).made_at == later  # an older showing changes nothing
    assert lists.standing(VILLAGE).list.made_at == later
    assert len(Journal(store, FakeClock()).entries()) == 1


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "WITHDRAWALS-NO-LIST"),
        (b"<!doctype html><title>Login</title>", "WITHDRAWALS-NO-LIST"),
        (signed()[:-1], "WITHDRAWALS-NO-LIST"),
        (signed() + b"\0", "WITHDRAWALS-NO-LIST"),
        (b"\xd2\x84" + b"\x9f" * 10_000, "WITHDRAWALS-NO-LIST"),
        (signed(key=KEYS["2"]), "WITHDRAWALS-NO-LIST"),
        (signed(kid="2"), "WITHDRAWALS-KEY-UNKNOWN"),
        (signed(village_code="35.23.12.2099"), "WITHDRAWALS-KEY-UNKNOWN"),
        (signed(letter_ids=bytes(LARGEST_BYTES // 16 * 16)), "WITHDRAWALS-NO-LIST"),
    ],
)
def test_what_is_refused_leaves_what_is_there(others, payload, code):
    lists = others()
    lists.take(signed(5))
    with pytest.raises(ListRefused) as refused:
        lists.take(payload)
    assert refused.value.code == code
    assert lists.standing(VILLAGE).list == a_list(5)


def test_a_stolen_key_can_hold_no_list_up(others):
    """The thief signs a version that no honest list will reach. The village's next public file ends that, and so does
    a list signed with the next key."""
    others("1").take(signed(2**62, letter_ids=b""))
    assert others("1", "2").take(signed(7, kid="2", revoked=frozenset("1"))).version == 7
    with pytest.raises(ListRefused) as refused:
        others("1", "2").take(signed(2**62 + 1, letter_ids=b""))
    assert refused.value.code == "WITHDRAWALS-KEY-UNKNOWN"  # the kept list says that the key is revoked


def test_a_key_that_the_public_file_revokes_takes_its_lists_with_it(others):
    others("1").take(signed(2**62))
    told = others("2", revoked=frozenset("1"))
    assert told.standing(VILLAGE).list is None
    assert told.take(signed(7, kid="2")).version == 7


# What the village itself gives out.


def test_the_village_gives_out_the_same_list_until_something_changes(quiet_hall):
    own, keys = quiet_hall.office.codes.own_withdrawals, quiet_hall.office.codes.keys
    letter = quiet_hall.issue(quiet_hall.submit("siti"))

    def read() -> WithdrawalList:
        known = {key.kid: key.public_key for key in keys.all()}
        return WithdrawalList.read(own.signed(), known, frozenset())

    first = read()
    assert first.count == 0 and own.signed() == own.signed()
    quiet_hall.clock.pass_s(GIVEN_OUT_FOR.total_seconds())
    renewed = read()
    assert (renewed.version, renewed.made_at - first.made_at) == (first.version, GIVEN_OUT_FOR)
    quiet_hall.office.requests.withdraw(letter.letter_number, OFFICER, "Salah nama")
    withdrawn = read()
    assert letter.letter_id in withdrawn and withdrawn.version > renewed.version
    quiet_hall.clock.set(datetime(2020, 1, 1, tzinfo=UTC))  # a clock without a battery
    keys.rotate()
    keys.revoke("1", quiet_hall.settings.village.check_url)
    rotated = read()
    assert rotated.version == withdrawn.version + 1
    assert (rotated.kid, rotated.revoked, letter.letter_id in rotated) == ("2", {"1"}, True)


def test_a_restored_backup_gives_no_version_twice(quiet_hall):
    """What the village called back after the backup is called back again, under a version that is newer than all."""
    own, keys = quiet_hall.office.codes.own_withdrawals, quiet_hall.office.codes.keys
    first, second = (quiet_hall.issue(quiet_hall.submit(name)) for name in ("siti", "budi"))
    with quiet_hall.office.store.read() as tx:
        backup = tx.connection.driver_connection.serialize()
    quiet_hall.office.requests.withdraw(first.letter_number, OFFICER, "?")
    lost = WithdrawalList.read(own.signed(), {"1": keys.all()[0].public_key}, frozenset())
    quiet_hall.office.close()
    (quiet_hall.settings.state_path / "kiosk.sqlite").write_bytes(backup)
    quiet_hall.clock.pass_s(60)
    quiet_hall.open()
    quiet_hall.office.requests.withdraw(second.letter_number, OFFICER, "?")
    again = quiet_hall.office.codes.own_withdrawals.signed()
    assert WithdrawalList.read(again, {"1": keys.all()[0].public_key}, frozenset()).version > lost.version


# Fetching.


def says(status: int, body: bytes = b"", **headers: str):
    def answer(handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def drips(beginning: bytes):
    """A byte every now and then, which no single time-out notices."""

    def answer(handler) -> None:
        handler.wfile.write(beginning)
        try:
            while not over.wait(0.05):
                handler.wfile.write(b"x")
        except OSError:
            pass

    over = threading.Event()
    answer.over = over
    return answer


def test_a_list_is_fetched_as_it_is():
    with serving(says(200, signed())) as url:
        assert fetch(url) == signed()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (says(404), "WITHDRAWALS-NO-ANSWER"),
        (says(503), "WITHDRAWALS-NO-ANSWER"),
        (says(302, Location="/login"), "WITHDRAWALS-NO-ANSWER"),
        (says(200, bytes(LARGEST_BYTES + 1)), "WITHDRAWALS-NO-LIST"),
        (says(200, b"half", **{"Content-Length": "1000"}), "WITHDRAWALS-NO-ANSWER"),
        (lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), "WITHDRAWALS-NO-ANSWER"),
        (lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n"), "WITHDRAWALS-NO-ANSWER"),
    ],
)
def test_what_is_no_answer(answer, code):
    with serving(answer) as url, pytest.raises(NotGot) as failed:
        fetch(url)
    assert failed.value.code == code


@pytest.mark.parametrize("beginning", [b"HTTP/1.0 200 OK\r\nX-Slow: ", b"HTTP/1.0 200 OK\r\n\r\n"])
def test_a_server_that_drips_is_given_up(monkeypatch, beginning):
    monkeypatch.setattr(withdrawal_sync, "WHOLE_WITHIN_S", 0.3)
    answer = drips(beginning)
    with serving(answer) as url, pytest.raises(NotGot) as failed:
        try:
            fetch(url)
        finally:
            answer.over.set()
    assert failed.value.code == "WITHDRAWALS-NO-ANSWER"


def test_no_proxy_of_the_environment_is_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with serving(says(200, signed())) as url:
        assert fetch(url) == signed()


def test_pauses_grow_to_an_hour_and_scatter():
    assert pause_s(0) == EVERY_S
    assert [pause_s(failures) for failures in (1, 2, 3)] == [AGAIN_AFTER_S, 2 * AGAIN_AFTER_S, 4 * AGAIN_AFTER_S]
    assert pause_s(7) == pause_s(100_000) == EVERY_S
    scattered = {jittered(100.0) for _ in range(100)}
    assert len(scattered) > 50
    assert 100 * (1 - JITTER) <= min(scattered) < 95 and 105 < max(scattered) <= 100 * (1 + JITTER)


def test_a_failure_is_journalled_once_and_a_success_ends_it(others, store):
    lists = others(url="http://127.0.0.1:9/")  # nobody listens there
    sync = WithdrawalSync(lists, [a_village(url="http://127.0.0.1:9/")])
    for _ in range(3):
        with pytest.raises(NotGot):
            sync.get(a_village(url="http://127.0.0.1:9/"))
    assert lists.standing(VILLAGE).trouble == "WITHDRAWALS-NO-ANSWER"
    with serving(says(200, signed(7))) as url:
        assert sync.get(a_village(url=url)).version == 7
    assert lists.standing(VILLAGE).trouble == ""
    events = [(entry.event, entry.facts, entry.times) for entry in Journal(store, FakeClock()).entries()]
    assert events == [
        (Event.WITHDRAWALS_NOT_GOT, {"village": VILLAGE, "code": "WITHDRAWALS-NO-ANSWER"}, 1),
        (Event.WITHDRAWALS_TAKEN, {"village": VILLAGE, "version": 7}, 1),
    ]


def test_one_villages_server_cannot_answer_for_another(others):
    lists = others(url="http://127.0.0.1:9/")
    sync = WithdrawalSync(lists, [])
    with serving(says(200, signed())) as url:
        with pytest.raises(ListRefused) as refused:
            lists.take(signed(), of="35.23.12.2099")
        assert sync.get(a_village(url=url)).count == 1
    assert refused.value.code == "WITHDRAWALS-KEY-UNKNOWN"


# Two kiosks.


class Neighbours:
    """Socorejo, and Jenu whose kiosk trusts it; Socorejo's list is served for as long as `served` is given."""

    def __init__(self, make_hall: Callable[..., Hall], settings: Settings, folder) -> None:
        self.socorejo = make_hall(printer=False)
        self._make_hall, self._settings, self._folder = make_hall, settings, folder
        self.jenu: Hall | None = None

    def found_jenu(self, url: str = "") -> Hall:
        path = self._folder / "socorejo.village"
        codes = self.socorejo.office.codes
        path.write_bytes(village_file(self._settings, codes.keys, self.socorejo.clock.now()))
        village = config.changed(self._settings.village, code=VILLAGE, name="Jenu", check_url=PREFIX)
        self.jenu = self._make_hall(
            printer=False,
            settings=config.changed(
                self._settings,
                state_dir=str(self._folder / "jenu"),
                village=village,
                trusted_villages=(TrustedVillage(file=str(path), withdrawals_url=url),),
            ),
        )
        return self.jenu

    def list_served(self):
        def answer(handler) -> None:
            says(200, self.socorejo.office.codes.own_withdrawals.signed())(handler)

        return serving(answer)


@pytest.fixture
def neighbours(make_hall, settings, tmp_path) -> Neighbours:
    return Neighbours(make_hall, settings, tmp_path)


def show(hall: Hall, payload: str) -> None:
    hall.choose("start", "check")
    hall.show_code(payload.encode())
    hall.wait_until(lambda: "done" in hall.offered)


def test_a_withdrawn_letter_is_told_as_withdrawn_offline_after_the_next_sync(neighbours, monkeypatch):
    came, take = threading.Event(), OtherWithdrawals.take
    monkeypatch.setattr(OtherWithdrawals, "take", lambda *args, **of: (take(*args, **of), came.set())[0])
    monkeypatch.setattr(withdrawal_sync, "FIRST_AFTER_S", 0.01)
    socorejo = neighbours.socorejo
    letter = socorejo.issue(socorejo.submit("siti"))
    with neighbours.list_served() as url:
        jenu = neighbours.found_jenu(url)
        sync = jenu.office.codes.sync
        show(jenu, letter.token)
        assert jenu.says("letter_genuine_elsewhere") and jenu.says("withdrawals_unheard")
        jenu.choose("done")

        socorejo.office.requests.withdraw(letter.letter_number, OFFICER, "Salah nama")
        sync.start()
        assert came.wait(10)
    # The server is gone, and so is the network.
    sync.stop()
    show(jenu, letter.token)
    assert jenu.says("letter_withdrawn") and jenu.says("letter_withdrawn_ask_village") and jenu.view.tone == "bad"
    assert "Socorejo" in jenu.words and "24 November 2026" in jenu.words and "Salah nama" not in jenu.words
    with pytest.raises(NotGot):
        sync.get(jenu.office.codes.trusted[socorejo.settings.village.code])


def test_what_a_visitor_reads_says_how_far_it_is_known(neighbours):
    socorejo, jenu = neighbours.socorejo, neighbours.found_jenu()
    letter = socorejo.issue(socorejo.submit("siti"))
    jenu.office.codes.other_withdrawals.take(socorejo.office.codes.own_withdrawals.signed())
    jenu.clock.pass_s(10 * 86400)
    show(jenu, letter.token)
    assert jenu.view.tone == "good" and jenu.says("letter_genuine_elsewhere") and jenu.says("compare_with_your_letter")
    facts = {fact.label: fact.value for fact in jenu.view.facts}
    assert facts["Desa penerbit"] == "Socorejo" and facts["Kabar pencabutan terakhir"] == "24 November 2026"
    assert "S*** A*****" in facts.values()
    jenu.choose("done")
    jenu.clock.pass_s(NEXT_WITHIN.total_seconds())
    show(jenu, letter.token)
    assert jenu.view.tone == "attention" and jenu.says("withdrawals_old")
    assert isinstance(jenu.office.check_code(letter.token.encode()), Genuine)
    jenu.clock.pass_s(90 * 86400)
    assert isinstance(jenu.office.check_code(letter.token.encode()), Expired)


def test_another_villages_slip_is_not_looked_up_among_ones_own(neighbours):
    socorejo, jenu = neighbours.socorejo, neighbours.found_jenu()
    request = socorejo.submit("siti")
    payload = socorejo.office.signer.request(request.number)
    jenu_s = jenu.office.codes.signer.request(request.number)
    show(jenu, payload)
    assert jenu.says("slip_elsewhere") and "Socorejo" in jenu.words and request.number not in jenu.words
    assert isinstance(jenu.office.check_code(payload.encode()), RequestSlip)
    assert isinstance(jenu.office.check_code(jenu_s.encode()), NotFromHere)
    assert isinstance(socorejo.office.check_code(jenu_s.encode()), NotFromHere)  # it does not trust Jenu


def test_a_revoked_key_is_known_to_the_neighbour_by_the_list(neighbours):
    socorejo = neighbours.socorejo
    letter = socorejo.issue(socorejo.submit("siti"))
    keys = socorejo.office.codes.keys
    keys.rotate()
    jenu = neighbours.found_jenu()
    assert isinstance(jenu.office.check_code(letter.token.encode()), Genuine)
    keys.revoke("1", socorejo.settings.village.check_url)
    jenu.office.codes.other_withdrawals.take(socorejo.office.codes.own_withdrawals.signed())
    show(jenu, letter.token)
    assert jenu.says("code_key_revoked") and "Socorejo" in jenu.words
    anew = socorejo.office.requests.get(letter.id).token
    assert isinstance(jenu.office.check_code(anew.encode()), Genuine)


def test_by_command_over_the_network_and_on_a_stick(neighbours, capsys, tmp_path):
    socorejo = neighbours.socorejo
    letter = socorejo.issue(socorejo.submit("siti"))
    socorejo.office.requests.withdraw(letter.letter_number, OFFICER, "?")
    stick, profile, code = tmp_path / "socorejo.withdrawals", tmp_path / "jenu.toml", socorejo.settings.village.code
    with neighbours.list_served() as url:
        jenu = neighbours.found_jenu(url)
        profile.write_text(
            f'state_dir = "{jenu.settings.state_dir}"\n'
            + DEMO.read_text().replace(code, VILLAGE)
            + f'[[trusted_villages]]\nfile = "{tmp_path / "socorejo.village"}"\nwithdrawals_url = "{url}"\n'
        )

        def withdrawals(*arguments: object) -> tuple[int, str]:
            status = main(["withdrawals", "--config", str(profile), *map(str, arguments)])
            told = capsys.readouterr()
            return status, told.out + told.err

        assert withdrawals("list") == (0, f"{code}\tSocorejo\tnone\tnever tried\t\n")
        assert withdrawals("sync")[0] == 0
    assert f"{code}\tSocorejo\t1 as of " in withdrawals("list")[1] and " UTC\ttried 20" in withdrawals("list")[1]
    assert isinstance(jenu.office.check_code(letter.token.encode()), Withdrawn)
    status, told = withdrawals("sync")
    assert status == 1 and f"{code}: WITHDRAWALS-NO-ANSWER: " in told and "1 of the lists did not come" in told

    assert main(["withdrawals", "--demo", "--state", socorejo.settings.state_dir, "export", str(stick)]) == 0
    capsys.readouterr()
    assert stick.stat().st_mode & 0o777 == 0o644
    assert withdrawals("import", stick)[0] == 0
    assert withdrawals("import", tmp_path / "socorejo.village")[0] == 1
    assert withdrawals("import", tmp_path / "none")[0] == 1
    assert main(["withdrawals", "--demo", "--state", socorejo.settings.state_dir, "import", str(stick)]) == 1
    assert "is not trusted" in capsys.readouterr().err


# The self-test.


def test_the_self_test_says_how_old_the_news_is(neighbours):
    socorejo = neighbours.socorejo
    jenu = neighbours.found_jenu(url="http://127.0.0.1:9/")
    code, lists = socorejo.settings.village.code, jenu.office.codes.other_withdrawals

    def found() -> tuple[Verdict, str, str]:
        finding = look_at_withdrawals(jenu.settings, jenu.office.store, jenu.clock)
        return finding.verdict, finding.code, finding.detail

    assert found() == (Verdict.ATTENTION, "WITHDRAWALS-MISSING", f"{code}: none")
    lists.not_got(code, "WITHDRAWALS-NO-ANSWER")
    assert found()[:2] == (Verdict.ATTENTION, "WITHDRAWALS-NO-ANSWER")
    lists.take(socorejo.office.codes.own_withdrawals.signed())
    assert found() == (Verdict.PASS, "", f"{code}: 0 days old")
    lists.not_got(code, "WITHDRAWALS-NO-ANSWER")
    assert found()[0] is Verdict.PASS  # a network that is away for a day is no news
    lists.not_got(code, "WITHDRAWALS-KEY-UNKNOWN")
    assert found()[:2] == (Verdict.ATTENTION, "WITHDRAWALS-KEY-UNKNOWN")
    lists.not_got(code, "WITHDRAWALS-NO-LIST")
    jenu.clock.pass_s(4 * 86400)
    assert found() == (Verdict.ATTENTION, "WITHDRAWALS-NO-LIST", f"{code}: 4 days old")


def test_a_hall_that_trusts_nobody_has_no_such_check(settings):
    assert CHECKS["withdrawals"].look(Bench(settings, DEMO)).verdict is Verdict.NOT_FITTED
