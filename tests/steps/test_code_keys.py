"""The village's keys: made once, changed, lost, swapped, revoked, and shared by the kiosks of one database."""

import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.clock import FakeClock
from support.kiosk import DEMO

from config import settings as config
from config.settings import TrustedVillage
from kiosk.cli import main
from kiosk.code_keys import CodeKeys, UnknownKey
from kiosk.codes import Damaged, Genuine, KeyRevoked, NotFromHere, Signer
from kiosk.journal import Event
from kiosk.office import KnownRequest
from kiosk.paper.document import Signature
from kiosk.paper.letter import CopyMark
from kiosk.selftest.registry import CHECKS, Bench, Verdict
from kiosk.store.errors import StoreError
from kiosk.store.store import Store
from kiosk.village_file import VillageFileError, read_village_file, village_file

pytest_plugins = ["support.kiosk", "support.databases"]

VILLAGE = "35.23.12.2002"


@pytest.fixture
def keys(store: Store, tmp_path) -> CodeKeys:
    keys = CodeKeys(store, FakeClock(), tmp_path / "village-keys", VILLAGE)
    keys.prepare()
    return keys


def another_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def kids(keys: CodeKeys) -> list[str]:
    return [key.kid for key in keys.all()]


def test_the_first_key_is_made_once_and_stays(keys, tmp_path):
    made = keys.all()
    keys.prepare()
    assert keys.all() == made
    assert [(key.kid, key.is_here, key.revoked_at) for key in made] == [("1", True, None)]
    assert keys.signing()[1].public_key().public_bytes_raw() == made[0].public_key.public_bytes_raw()


def test_the_newest_key_signs_and_the_earlier_ones_stay_known_without_their_files(keys, tmp_path):
    assert keys.rotate().kid == "2"
    assert keys.rotate().kid == "3"
    for retired in ("1.pem", "2.pem"):
        (tmp_path / "village-keys" / retired).unlink()
    keys.prepare()
    assert keys.signing()[0].kid == "3"
    assert [(key.kid, key.is_here) for key in keys.all()] == [("1", False), ("2", False), ("3", True)]


def test_a_lost_file_is_never_replaced(keys, tmp_path):
    path = tmp_path / "village-keys" / "1.pem"
    saved = path.read_bytes()
    path.unlink()
    for attempt in (keys.prepare, keys.signing):
        with pytest.raises(StoreError, match="put a saved copy of 1.pem back"):
            attempt()
    assert not path.exists()
    path.write_bytes(saved)
    keys.prepare()


@pytest.mark.parametrize("content", [b"", b"not a key", b"\0" * 100, None])
def test_a_swapped_or_ruined_file_is_refused_and_kept(keys, tmp_path, content):
    path = tmp_path / "village-keys" / "1.pem"
    path.write_bytes(content := another_key() if content is None else content)
    for attempt in (keys.prepare, keys.signing):
        with pytest.raises(StoreError, match="Put its saved copy back"):
            attempt()
    assert path.read_bytes() == content


def test_a_power_cut_between_file_and_row_is_made_good(keys, tmp_path):
    path = tmp_path / "village-keys" / "2.pem"
    path.write_bytes(another_key())
    content = path.read_bytes()
    assert keys.rotate().kid == "2"
    assert path.read_bytes() == content
    (tmp_path / "village-keys" / "3.pem").write_bytes(another_key())
    keys.prepare()
    assert kids(keys) == ["1", "2", "3"]


def test_saved_files_beside_a_new_database_are_its_keys(keys, vault, tmp_path):
    keys.rotate()
    store = Store.open(f"sqlite:///{tmp_path / 'new.db'}", vault)
    again = CodeKeys(store, FakeClock(), tmp_path / "village-keys", VILLAGE)
    again.prepare()
    assert [key.fingerprint for key in again.all()] == [key.fingerprint for key in keys.all()]
    store.close()


def test_another_kiosk_of_the_database_makes_no_key_of_its_own(keys, store, tmp_path):
    other = CodeKeys(store, FakeClock(), tmp_path / "other", VILLAGE)
    with pytest.raises(StoreError, match="copy it from another kiosk"):
        other.prepare()
    assert not list(tmp_path.glob("other/*"))
    shutil.copytree(tmp_path / "village-keys", tmp_path / "other")
    other.prepare()
    keys.rotate()
    other.prepare()  # it serves on with the key that it has
    assert other.signing()[0].kid == "1"
    assert keys.signing()[0].kid == "2"


def test_only_a_key_that_can_be_done_without_is_revoked(keys):
    with pytest.raises(ValueError, match="kiosk keys rotate"):
        keys.revoke("1", "HTTPS://CEK.DESA.ID/S/")
    with pytest.raises(UnknownKey, match="there are: 1"):
        keys.revoke("7", "HTTPS://CEK.DESA.ID/S/")
    keys.rotate()
    with pytest.raises(ValueError, match="kiosk keys rotate"):
        keys.revoke("2", "HTTPS://CEK.DESA.ID/S/")
    keys.revoke("1", "HTTPS://CEK.DESA.ID/S/")
    assert [key.revoked_at is not None for key in keys.all()] == [True, False]
    with pytest.raises(ValueError, match="kiosk keys rotate"):
        keys.revoke("2", "HTTPS://CEK.DESA.ID/S/")


# In a kiosk that runs.


def test_codes_of_before_and_after_a_change_hold_while_the_kiosk_runs(quiet_hall):
    office = quiet_hall.office
    before = quiet_hall.issue(quiet_hall.submit("siti"))
    # As `kiosk keys rotate` does, in a process of its own.
    CodeKeys.of(quiet_hall.settings, office.store, quiet_hall.clock).rotate()
    after = quiet_hall.issue(quiet_hall.submit("budi"))
    for letter in (before, after):
        assert isinstance(office.check_code(letter.token.encode()), Genuine)
    assert quiet_hall.journal(Event.VILLAGE_KEY_MADE)[-1] == {"key": "2"}


def test_what_a_revoked_key_signed_is_told_so_and_copies_carry_a_new_code(quiet_hall):
    office = quiet_hall.office
    letter = quiet_hall.issue(quiet_hall.submit("siti"))
    waiting = quiet_hall.submit("budi")
    slip = office.signer.request(waiting.number).encode()
    office.codes.keys.rotate()
    newer = quiet_hall.issue(quiet_hall.submit("joko"))
    assert office.codes.keys.revoke("1", quiet_hall.settings.village.check_url) == 1
    for payload in (letter.token.encode(), slip):
        assert isinstance(office.check_code(payload), KeyRevoked)
    anew = office.requests.get(letter.id).token
    assert isinstance(verdict := office.check_code(anew.encode()), Genuine)
    assert verdict.facts.letter_id == letter.letter_id
    assert office.requests.get(newer.id).token == newer.token
    [signature] = (each for each in office.letters.copy(letter.id, CopyMark(1)).blocks if isinstance(each, Signature))
    assert signature.qr_payload == anew
    assert isinstance(office.check_code(office.signer.request(waiting.number).encode()), KnownRequest)

    quiet_hall.choose("start", "check")
    quiet_hall.show_code(letter.token.encode())
    quiet_hall.wait_until(lambda: quiet_hall.says("code_key_revoked"))
    assert quiet_hall.view.tone == "bad" and letter.letter_number not in quiet_hall.words


def test_a_thief_of_the_key_makes_nothing_that_passes_once_it_is_revoked(quiet_hall):
    office = quiet_hall.office
    _, stolen = office.codes.keys.signing()
    letter = quiet_hall.issue(quiet_hall.submit("siti"))
    facts = office.check_code(letter.token.encode()).facts
    office.codes.keys.rotate()
    office.codes.keys.revoke("1", quiet_hall.settings.village.check_url)
    village = quiet_hall.settings.village
    for kid, verdict in (("1", KeyRevoked), ("2", Damaged), ("3", NotFromHere)):
        forged = Signer(stolen, village.code, kid, village.check_url).letter(facts)
        assert isinstance(office.check_code(forged.encode()), verdict)


def test_the_self_test_says_where_the_newest_key_is_not(quiet_hall, settings):
    bench = Bench(settings, DEMO)
    keys = quiet_hall.office.codes.keys
    assert CHECKS["village keys"].look(bench).detail == "key 1 signs, 1 verify"
    keys.rotate()
    (settings.state_path / "village-keys" / "2.pem").rename(settings.state_path / "elsewhere.pem")
    finding = CHECKS["village keys"].look(bench)
    assert (finding.verdict, finding.code) == (Verdict.ATTENTION, "VILLAGE-KEY-ELSEWHERE")
    (settings.state_path / "village-keys" / "1.pem").unlink()
    finding = CHECKS["village keys"].look(bench)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "VILLAGE-KEY-BROKEN")


# The public file.


def test_the_public_file_holds_what_another_village_needs_and_nothing_secret(quiet_hall, tmp_path):
    keys = quiet_hall.office.codes.keys
    keys.rotate()
    keys.rotate()
    keys.revoke("2", quiet_hall.settings.village.check_url)
    path = tmp_path / "socorejo.village"
    path.write_bytes(village_file(quiet_hall.settings, keys, quiet_hall.clock.now()))
    read = read_village_file(path)
    village = quiet_hall.settings.village
    assert (read.code, read.name, read.prefix) == (village.code, village.name, village.check_url)
    assert (set(read.public_keys), read.revoked, read.kid) == ({"1", "3"}, {"2"}, "3")
    for kid in "123":
        private = (quiet_hall.settings.state_path / "village-keys" / f"{kid}.pem").read_bytes()
        assert private not in path.read_bytes()


def test_every_changed_bit_of_a_public_file_is_noticed(quiet_hall, tmp_path):
    path = tmp_path / "socorejo.village"
    whole = village_file(quiet_hall.settings, quiet_hall.office.codes.keys, quiet_hall.clock.now())
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(VillageFileError):
            read_village_file(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xd2\x84" + b"\x81" * 300, b"x" * 100_000, None])
def test_what_is_no_public_file_is_told_and_the_kiosk_serves(make_hall, settings, tmp_path, content):
    path = tmp_path / "broken.village"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VillageFileError, match="broken.village"):
        read_village_file(path)
    trusting = config.changed(settings, trusted_villages=(TrustedVillage(file=str(path)),))
    hall = make_hall(printer=False, settings=trusting)
    assert hall.office.codes.trusted == {}
    finding = CHECKS["withdrawals"].look(Bench(trusting, DEMO))
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "TRUSTED-VILLAGE-BROKEN")


def test_neither_a_code_nor_the_own_file_is_another_villages(quiet_hall, tmp_path, make_hall, settings):
    path = tmp_path / "a.village"
    path.write_bytes(quiet_hall.office.codes.own_withdrawals.signed())
    with pytest.raises(VillageFileError):
        read_village_file(path)
    path.write_bytes(village_file(settings, quiet_hall.office.codes.keys, quiet_hall.clock.now()))
    hall = make_hall(
        printer=False, settings=config.changed(settings, trusted_villages=(TrustedVillage(file=str(path)),))
    )
    assert hall.office.codes.trusted == {}


# The command.


def test_a_village_without_a_key_for_letters_has_its_keys_listed(tmp_path, capsys):
    assert main(["keys", "--demo", "--state", str(tmp_path), "list"]) == 0
    codes, letters = capsys.readouterr().out.splitlines()
    assert codes.startswith("1.pem · signs codes · ") and letters == "no key that signs letters"


def test_the_command(settings, capsys, tmp_path):
    def keys(*arguments: object) -> tuple[int, str]:
        status = main(["keys", "--demo", "--state", settings.state_dir, *map(str, arguments)])
        told = capsys.readouterr()
        return status, told.out + told.err

    assert "1.pem · signs codes · " in keys("list")[1]
    assert keys("rotate")[0] == 0
    listed = keys("list")[1].splitlines()[:2]
    assert listed[0].startswith("1.pem · verifies codes · ") and listed[1].startswith("2.pem · signs codes · ")
    fingerprint = listed[1].rpartition(" · ")[2]
    assert keys("revoke", "1")[0] == 0
    assert keys("revoke", "2") == (
        1, "kiosk keys: No newer key is here to sign with then: make one first, with `kiosk keys rotate`.\n"
    )  # fmt: skip
    assert keys("revoke", "9")[0] == 1
    path = tmp_path / "socorejo.village"
    assert keys("export", path)[0] == 0
    assert path.stat().st_mode & 0o777 == 0o644
    status, told = keys("show", path)
    assert (
        status == 0
        and "35.23.12.2002 Socorejo" in told
        and "key 1: revoked" in told
        and f"key 2: {fingerprint}" in told
    )
    assert keys("show", tmp_path / "none")[0] == 1
