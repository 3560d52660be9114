"""Backups: whole or not at all, opened by their passphrase alone, and the way back into a working kiosk."""

import io
import os
import resource
import shutil
import signal
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pyrage
import pytest
from support.clock import FakeClock
from support.cut_short import cut_short
from support.kiosk import DEMO, MADE_AGAIN, NIKS

from config import settings as config
from config.settings import Backup, CheckPage, Desk, Settings, TrustedVillage
from kiosk import cli
from kiosk.app import AlreadyRunning, StateLock
from kiosk.backup import archive
from kiosk.backup.archive import BackupKey
from kiosk.backup.errors import BackupError, WrongPassphrase
from kiosk.backup.make import load_backup_key, make_backup, make_nightly_backup, set_backup_key
from kiosk.backup.restore import check_backup, restore, unlock
from kiosk.codes import Genuine, LetterFacts
from kiosk.devices import Devices
from kiosk.journal import Event
from kiosk.office import Office
from kiosk.store import migrations
from kiosk.store.errors import StoreError
from kiosk.store.state_files import KEPT, RESTORED_SETTINGS, UNFINISHED_RESTORE

pytest_plugins = ["support.kiosk", "support.databases"]

NOBODY = 65534
PASSPHRASE = "jati randu asem kelor"


@pytest.fixture(scope="module")
def key() -> BackupKey:
    """Slow to make, as it is slow to guess."""
    return BackupKey.new(PASSPHRASE)


@pytest.fixture(scope="module")
def identity(key):
    return pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(key.sealed, PASSPHRASE).decode())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def backup(settings, key, clock, tmp_path) -> Path:
    make_backup(settings, DEMO, tmp_path / "backup.tar", key, clock)
    return tmp_path / "backup.tar"


@pytest.fixture
def elsewhere(settings, tmp_path) -> Settings:
    """The same hall on a new machine."""
    return config.changed(settings, state_dir=str(tmp_path / "elsewhere"))


def opened(settings: Settings, clock: FakeClock | None = None) -> Office:
    return Office.open(settings, clock or FakeClock(), Devices(), printer=None, post=lambda event: None)


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# There and back.


def test_a_kiosk_comes_back_from_a_backup_made_while_it_was_used(settings, elsewhere, key, clock, tmp_path):
    office = opened(settings, clock)
    siti = office.residents.by_nik(NIKS["siti"])
    request = office.requests.submit(siti.id, "domisili", {"purpose": "Melamar kerja"}, "k")
    facts = LetterFacts("35.23.12.2002", "ab" * 16, "domisili", "1/XI/2026", "S***", date(2026, 1, 1), date(2030, 1, 1))
    code = office.signer.letter(facts).encode()
    office.queue.take("A", "first")
    done, taken = threading.Event(), 1

    def serve() -> None:
        nonlocal taken
        while not done.is_set():
            taken += 1
            office.queue.take("A", f"while {taken}")

    visitors = threading.Thread(target=serve)
    visitors.start()
    make_backup(settings, DEMO, tmp_path / "backup.tar", key, clock)
    done.set()
    visitors.join()
    assert taken > 1
    office.close()

    opening = unlock(tmp_path / "backup.tar", PASSPHRASE)
    manifest = restore(elsewhere, tmp_path / "backup.tar", opening, clock, skip_numbers=1000)
    assert (manifest.village_code, manifest.created_at) == (settings.village.code, clock.now())
    again = opened(elsewhere, clock)
    assert again.residents.by_nik(NIKS["siti"]) == siti
    assert again.requests.get(request.id) == request
    assert isinstance(again.check_code(code), Genuine)
    kept = again.queue.waiting("A")
    assert 1 <= kept <= taken
    assert again.queue.take("A", "later").number == f"A-{kept + 1001}"  # nobody else has that number already
    assert [entry.facts["skipped"] for entry in again.journal.entries() if entry.event is Event.RESTORED] == [1000]
    again.close()
    assert (elsewhere.state_path / RESTORED_SETTINGS / DEMO.relative_to("/")).read_bytes() == DEMO.read_bytes()
    assert {path.stat().st_mode & 0o077 for path in elsewhere.state_path.rglob("*")} == {0}


def test_postgresql_comes_back_too(settings, elsewhere, key, identity, clock, tmp_path, postgresql_url, make_database):
    hall = config.changed(elsewhere, database_url=postgresql_url)
    office = opened(hall)
    office.queue.take("A", "k")
    make_backup(hall, DEMO, tmp_path / "backup.tar", key, clock)
    office.close()
    other = config.changed(settings, state_dir=str(tmp_path / "other"), database_url=make_database())
    restore(other, tmp_path / "backup.tar", identity, clock)
    again = opened(other)
    assert again.queue.waiting("A") == 1
    again.close()
    with pytest.raises(BackupError, match="is not empty: make a new database"):
        restore(other, tmp_path / "backup.tar", identity, clock, replace=True)
    opened(other).close()


def test_postgresql_without_its_programs_is_refused(elsewhere, key, clock, tmp_path, postgresql_url, monkeypatch):
    hall = config.changed(elsewhere, database_url=postgresql_url)
    opened(hall).close()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match="pg_dump is not installed.*postgresql-client"):
        make_backup(hall, DEMO, tmp_path / "backup.tar", key, clock)


def test_a_backup_holds_all_that_cannot_be_made_again(settings, backup, identity):
    opened(settings).close()
    with StateLock(settings):
        lying_there = {path.name for path in settings.state_path.iterdir()}
    kept = {part.name.split("/")[0] for part in check_backup(backup, identity).parts}
    assert lying_there - set(MADE_AGAIN) - kept == set()
    assert kept <= {"kiosk.sqlite", "settings", *KEPT}


def test_a_backup_holds_every_file_that_the_settings_name_even_of_the_same_name(settings, key, identity, tmp_path):
    named = {}
    for place in ("kiosk.toml", "one/public.cbor", "two/public.cbor", "desk/tls.pem", "check/tls.pem", "tls.key"):
        named[place] = tmp_path / "etc" / place
        named[place].parent.mkdir(parents=True, exist_ok=True)
        named[place].write_text(place)
    tls = {"tls_key": str(named["tls.key"])}
    hall = config.changed(
        settings,
        trusted_villages=tuple(TrustedVillage(file=str(named[f"{each}/public.cbor"])) for each in ("one", "two")),
        desk=Desk(tls_certificate=str(named["desk/tls.pem"]), **tls),
        check_page=CheckPage(tls_certificate=str(named["check/tls.pem"]), **tls),
    )
    opened(settings).close()
    make_backup(hall, named["kiosk.toml"], tmp_path / "backup.tar", key, FakeClock())
    parts = {part.name for part in check_backup(tmp_path / "backup.tar", identity).parts}
    assert {f"settings{file}" for file in named.values()} <= parts

    named["two/public.cbor"].unlink()
    with pytest.raises(BackupError, match="two/public.cbor, which .*kiosk.toml names, is not there"):
        make_backup(hall, named["kiosk.toml"], tmp_path / "backup.tar", key, FakeClock())


def test_it_opens_with_nothing_but_its_passphrase_and_the_age_format(backup, tmp_path):
    with tarfile.open(backup) as outer:
        assert outer.getnames() == ["key.age", "contents.age"]
        sealed, contents = (outer.extractfile(name).read() for name in outer.getnames())
    key = pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(sealed, PASSPHRASE).decode())
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(contents, [key]))) as inner:
        assert inner.getnames()[:3] == ["manifest.json", "kiosk.sqlite", "vault.key"]
    with pytest.raises(WrongPassphrase):
        unlock(backup, PASSPHRASE + " ")


def test_a_backup_shows_nothing(settings, backup, tmp_path):
    content = backup.read_bytes()
    vault_key = (settings.state_path / "vault.key").read_bytes()
    for secret in (b"SQLite", b"residents", b"PRIVATE KEY", vault_key, PASSPHRASE.encode(), b"AGE-SECRET-KEY"):
        assert secret not in content


# Damage, disks and power.


@pytest.mark.parametrize("share", [0.0, 0.003, 0.01, 0.5, 0.9, 0.985])
def test_a_changed_byte_is_found_and_nothing_is_restored(settings, backup, identity, clock, share):
    content = bytearray(backup.read_bytes())
    content[int(len(content) * share)] ^= 1
    backup.write_bytes(content)
    before = files_below(settings.state_path)
    with pytest.raises(BackupError, match="backup.tar: "):
        if share == 0.003:  # the sealed key
            unlock(backup, PASSPHRASE)
        restore(settings, backup, identity, clock, replace=True)
    del before["kiosk.sqlite"], before["vault.key"]
    after = files_below(settings.state_path)
    assert before.items() <= after.items()
    opened(settings).close()


@pytest.mark.parametrize("left_bytes", [0, 100, 5000, -70_000, -12_000])
def test_a_backup_cut_short_is_found(backup, identity, left_bytes):
    backup.write_bytes(backup.read_bytes()[:left_bytes])
    with pytest.raises(BackupError, match="backup.tar: "):
        check_backup(backup, identity)


def test_a_full_disk_leaves_the_earlier_backup(settings, backup, key, clock, tmp_path):
    earlier = backup.read_bytes()
    opened(settings).close()

    def back_up_onto_a_full_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        database_bytes = (settings.state_path / "kiosk.sqlite").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (database_bytes, database_bytes))
        with pytest.raises(BackupError, match="could not be written: File too large. What was there before is kept"):
            make_backup(settings, DEMO, backup, key, clock)

    assert not cut_short(back_up_onto_a_full_disk, tmp_path)
    assert backup.read_bytes() == earlier
    assert [path.name for path in backup.parent.iterdir() if "partial" in path.name] == []


def test_a_place_that_is_not_there_is_told(settings, key, clock, tmp_path):
    with pytest.raises(BackupError, match="/stick/b.tar could not be written: No such file"):
        make_backup(settings, DEMO, tmp_path / "stick" / "b.tar", key, clock)
    with pytest.raises(BackupError, match="No such file"):
        unlock(tmp_path / "stick" / "b.tar", PASSPHRASE)


def test_cut_short_anywhere_a_backup_is_the_earlier_one_or_the_new(settings, backup, key, identity, clock):
    earlier = check_backup(backup, identity)
    clock.pass_s(60)
    opened(settings).close()
    step, seen = 0, []
    while cut_short(lambda: make_backup(settings, DEMO, backup, key, clock), backup.parent, step):
        seen.append(check_backup(backup, identity).created_at)
        step += 2
    assert step > 40 and set(seen) == {earlier.created_at, clock.now()}
    assert not (settings.state_path / "backup-work").exists()
    assert {path.name for path in backup.parent.iterdir()} == {"backup.tar", "state"}


def test_cut_short_anywhere_a_restore_is_none_or_whole_or_refused_until_it_is_repeated(
    settings, backup, identity, clock, tmp_path
):
    office = opened(settings, clock)
    office.queue.take("A", "after the backup")
    office.close()
    ready = tmp_path / "as it was"
    shutil.copytree(settings.state_path, ready)
    step, seen = 0, set()
    while cut_short(lambda: restore(settings, backup, identity, clock, replace=True), tmp_path, step):
        try:
            office = opened(settings, clock)
            seen.add(office.queue.waiting("A"))
            office.close()
        except StoreError as error:
            assert "restore into" in str(error) and "was cut short" in str(error)
            seen.add("refused")
            kept = [path for path in settings.state_path.rglob("kiosk.sqlite") if path.parent.name != "restore-work"]
            assert kept, "the old database is gone"
            clock.pass_s(1)
            restore(settings, backup, identity, clock, replace=True)
            office = opened(settings, clock)
            assert office.queue.waiting("A") == 0
            office.close()
        shutil.rmtree(settings.state_path)
        shutil.copytree(ready, settings.state_path)
        step += 1 if "refused" in seen else 4  # what comes before the first move is the same for long
    assert step > 50 and seen == {0, 1, "refused"}
    assert not (settings.state_path / UNFINISHED_RESTORE).exists()


# What is refused.


def test_a_running_kiosk_is_not_restored(settings, backup, identity, clock):
    with StateLock(settings), pytest.raises(AlreadyRunning):
        restore(settings, backup, identity, clock, replace=True)


def test_what_is_there_is_kept_unless_it_may_be_replaced_and_then_beside(settings, backup, identity, clock):
    office = opened(settings, clock)
    office.queue.take("A", "after the backup")
    office.close()
    with pytest.raises(BackupError, match="kiosk.sqlite is there already"):
        restore(settings, backup, identity, clock)
    restore(settings, backup, identity, clock, replace=True)
    (aside,) = settings.state_path.glob("replaced-*")
    old = opened(config.changed(settings, state_dir=str(aside)), clock)
    new = opened(settings, clock)
    assert (old.queue.waiting("A"), new.queue.waiting("A")) == (1, 0)
    old.close()
    new.close()


def test_a_database_that_another_program_has_open_is_not_replaced(settings, backup, identity, clock):
    office = opened(settings, clock)
    office.queue.waiting("A")
    with pytest.raises(BackupError, match="another program has .* open"):
        restore(settings, backup, identity, clock, replace=True)
    office.queue.take("A", "k")
    office.close()
    assert opened(settings, clock).queue.waiting("A") == 1


def test_a_damaged_database_is_replaced(settings, backup, identity, clock):
    (settings.state_path / "kiosk.sqlite").write_bytes(b"rust " * 5000)
    restore(settings, backup, identity, clock, replace=True)
    opened(settings, clock).close()


def test_another_village_profile_or_engine_is_refused(settings, elsewhere, backup, identity, clock):
    for changes, reason in (
        ({"village": config.changed(settings.village, code="35.23.13.2007")}, "of the village 35.23.12.2002"),
        ({"profile": config.Profile.PRODUCTION}, "of the profile demo"),
        ({"database_url": "postgresql+psycopg://nobody@/none"}, "of the database engine sqlite"),
    ):
        with pytest.raises(BackupError, match=reason):
            restore(config.changed(elsewhere, **changes), backup, identity, clock)
    assert {path.name for path in elsewhere.state_path.iterdir()} == {"kiosk.lock"}


def rewritten(backup: Path, identity, key: BackupKey, **changes) -> None:
    """The same backup with another manifest."""
    parts = backup.parent / "parts"
    with backup.open("rb") as file:
        manifest = archive.read(file, identity, lambda manifest: None, into=parts)
    with backup.open("w+b") as file:
        sources = {part.name: parts / part.name for part in manifest.parts}
        archive.write(file, msgspec.structs.replace(manifest, **changes), sources, key)
    shutil.rmtree(parts)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"schema": "9999"}, "whose database this version does not know"), ({"format": 2}, "a newer version made it")],
)
def test_a_newer_versions_backup_is_refused(elsewhere, backup, key, identity, clock, changes, reason):
    rewritten(backup, identity, key, **changes)
    with pytest.raises(BackupError, match=reason):
        restore(elsewhere, backup, identity, clock)
    assert "9999" not in migrations.revisions()


def test_a_part_that_is_not_what_the_manifest_tells_is_refused(elsewhere, backup, key, identity, clock):
    with backup.open("rb") as file:
        parts = archive.read(file, identity, lambda manifest: None).parts
    forged = (msgspec.structs.replace(parts[0], sha256="0" * 64), *parts[1:])
    rewritten(backup, identity, key, parts=forged)
    with pytest.raises(BackupError, match="kiosk.sqlite in it is not what its manifest tells"):
        restore(elsewhere, backup, identity, clock)


def member(name: str, content: bytes = b"", **changes) -> bytes:
    """A tar's member, with its header so changed."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in changes.items():
        setattr(info, attribute, value)
    return info.tobuf(tarfile.PAX_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": tarfile.SYMTYPE, "linkname": "key.age"},
        {"type": tarfile.LNKTYPE, "linkname": "key.age"},
        {"type": tarfile.DIRTYPE},
        {"type": tarfile.FIFOTYPE},
        {"content": bytes(archive.LONGEST_KEY_BYTES + 1)},
    ],
)
def test_a_key_that_is_no_plain_file_is_refused(tmp_path, changes):
    (tmp_path / "hostile.tar").write_bytes(member("key.age", **changes) + bytes(2 * tarfile.BLOCKSIZE))
    with pytest.raises(BackupError, match="hostile.tar: key.age in it is no plain file"):
        unlock(tmp_path / "hostile.tar", PASSPHRASE)


SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40)}


@pytest.mark.parametrize(
    "part", [member("kiosk.sqlite", b"1\n0\n1\n", pax_headers=SPARSE), member("kiosk.sqlite", bytes(2_000_000))]
)
def test_no_more_is_written_than_the_manifest_tells(backup, identity, tmp_path, part):
    with backup.open("rb") as file:
        manifest = archive.read(file, identity, lambda manifest: None)
    told = archive.Part("kiosk.sqlite", 1_000_000, "0" * 64)
    lying = msgspec.json.encode(msgspec.structs.replace(manifest, parts=(told,)))
    sealed = pyrage.encrypt(member("manifest.json", lying) + part + bytes(1024), [identity.to_public()])
    with (
        io.BytesIO(member("contents.age", sealed) + bytes(1024)) as hostile,
        pytest.raises(BackupError, match="longer"),
    ):
        archive.read(hostile, identity, lambda manifest: None, into=tmp_path / "into")
    assert not (tmp_path / "into").exists()


@pytest.fixture
def anothers(tmp_path_factory, settings) -> Iterator[Settings]:
    """A hall whose state directory is another user's than the one that works on it, which is root."""
    if os.geteuid() != 0:
        pytest.skip("only root works on what is another user's")
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o711)
        state = Path(place) / "state"
        state.mkdir(mode=0o700)
        os.chown(state, NOBODY, NOBODY)
        yield config.changed(settings, state_dir=str(state))


def test_what_root_restores_is_the_kiosks_users(anothers, backup, identity, key, clock, tmp_path):
    restore(anothers, backup, identity, clock)
    restore(anothers, backup, identity, clock, replace=True)
    set_backup_key(anothers, key)
    make_backup(anothers, DEMO, tmp_path / "second.tar", key, clock)
    check_backup(tmp_path / "second.tar", identity)
    below = list(anothers.state_path.rglob("*"))
    assert below and {path.stat().st_uid for path in below} == {NOBODY}
    assert (os.geteuid(), (tmp_path / "second.tar").stat().st_uid) == (0, 0)


def test_a_link_in_the_state_directory_leads_root_nowhere(anothers, backup, identity, key, clock, tmp_path):
    restore(anothers, backup, identity, clock)
    (tmp_path / "roots").mkdir(mode=0o700)
    secret = tmp_path / "roots" / "secret"
    secret.write_text("root's")
    (anothers.state_path / ".backup.key.partial").symlink_to(secret)
    with pytest.raises(BackupError, match="backup.key could not be written"):
        set_backup_key(anothers, key)
    (anothers.state_path / "signing" / "stolen.pem").symlink_to(secret)
    with pytest.raises(BackupError, match="Permission denied"):
        make_backup(anothers, DEMO, tmp_path / "b.tar", key, clock)
    assert secret.read_text() == "root's" and not (tmp_path / "b.tar").exists()


def test_a_work_directory_that_is_a_link_is_refused(settings, backup, identity, clock, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    settings.state_path.mkdir(exist_ok=True)
    (settings.state_path / "restore-work").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BackupError, match="restore-work cannot be used"):
        restore(settings, backup, identity, clock, replace=True)
    assert (tmp_path / "elsewhere" / "kept").exists()


def test_a_database_without_its_key_is_not_backed_up(settings, key, clock, tmp_path):
    (settings.state_path / "vault.key").write_bytes(bytes(32))
    with pytest.raises(BackupError, match="is not the database's"):
        make_backup(settings, DEMO, tmp_path / "b.tar", key, clock)
    (settings.state_path / "vault.key").unlink()
    with pytest.raises(BackupError, match="nothing to back up"):
        make_backup(settings, DEMO, tmp_path / "b.tar", key, clock)
    assert not (tmp_path / "b.tar").exists()


# By night.


def test_nightly_backups_keep_the_newest(settings, key, identity, clock, tmp_path):
    stick = tmp_path / "stick"
    with pytest.raises(BackupError, match="no passphrase was set"):
        make_nightly_backup(config.changed(settings, backup=Backup(directory=str(stick), keep=2)), DEMO, clock)
    set_backup_key(settings, key)
    assert load_backup_key(settings) == key
    nightly = config.changed(settings, backup=Backup(directory=str(stick), keep=2))
    with pytest.raises(BackupError, match="is the disk or USB stick in"):
        make_nightly_backup(nightly, DEMO, clock)
    stick.mkdir()
    (stick / "holiday.tar").write_bytes(b"the head's own")
    (stick / f".anjungan-desa-{settings.village.code}-demo-20261101-013000.tar.partial").write_bytes(b"half")
    made = []
    for _ in range(3):
        clock.pass_s(86400)
        made.append(make_nightly_backup(nightly, DEMO, clock))
    assert {path.name for path in stick.iterdir()} == {made[1].name, made[2].name, "holiday.tar"}
    clock.set(clock.now() - timedelta(days=365))  # a clock without power
    newest = make_nightly_backup(nightly, DEMO, clock)
    assert {path.name for path in stick.glob("anjungan-*")} == {made[2].name, newest.name}
    assert "backup.key" in {part.name for part in check_backup(newest, identity).parts}


def test_a_damaged_backup_key_makes_no_backups(settings, key):
    set_backup_key(settings, key)
    path = settings.state_path / "backup.key"
    path.write_bytes(path.read_bytes().replace(key.sealed[100:104], b"AAAA"))
    with pytest.raises(BackupError, match="damaged"):
        load_backup_key(settings)


# The commands.


@pytest.fixture
def kiosk(settings, capsys, monkeypatch):
    def run(name: str, *arguments: object, typed: str = PASSPHRASE) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n" if typed else ""))
        where = [] if "--check" in arguments else ["--demo", "--state", settings.state_dir]
        status = cli.main([name, *where, *map(str, arguments)])
        out, err = capsys.readouterr()
        assert PASSPHRASE not in out + err
        return status, out, err

    return run


def test_the_commands(kiosk, settings, tmp_path):
    file = tmp_path / "by hand.tar"
    assert kiosk("backup", file, typed="short")[::2] == (
        1,
        "kiosk backup: a passphrase of fewer than 12 characters is guessed; take some words\n",
    )
    assert kiosk("backup", file, typed="")[0] == 1
    assert not file.exists()
    assert kiosk("backup", "--new-key")[0] == 0
    assert kiosk("backup", file, typed="")[:2] == (0, f"{file}: written, and read back whole\n")
    status, out, _ = kiosk("backup", "--check", file)
    assert status == 0 and "whole. 7 parts" in out and settings.village.code in out
    status, out, _ = kiosk("restore", file, "--replace")
    assert status == 0 and "--skip-numbers" in out
    with StateLock(settings):
        assert kiosk("restore", file, "--replace")[::2] == (2, f"kiosk: another kiosk runs in {settings.state_dir}\n")
    assert kiosk("backup", "--check", DEMO)[0] == 1


def test_no_command_leaves_a_core_file(tmp_path):
    def look() -> None:
        with pytest.raises(SystemExit):
            cli.main(["--version"])
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)

    assert not cut_short(look, tmp_path)
