"""The key file, and what the vault seals."""

import stat
from pathlib import Path

import pytest

from kiosk.store.errors import VaultError
from kiosk.store.vault import Vault

PLACE = ("residents.personal", b"1")


def test_what_is_sealed_opens_again_and_never_looks_the_same(vault: Vault) -> None:
    first, second = vault.encrypt("SITI AMINAH", *PLACE), vault.encrypt("SITI AMINAH", *PLACE)
    assert first != second and b"SITI" not in first
    assert vault.decrypt(first, *PLACE) == vault.decrypt(second, *PLACE) == "SITI AMINAH"


def test_a_changed_byte_or_another_key_does_not_open(vault: Vault) -> None:
    sealed = vault.encrypt("SITI AMINAH", *PLACE)
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for opener, what in ((vault, changed), (Vault(bytes(32)), sealed), (vault, b"short")):
        with pytest.raises(VaultError):
            opener.decrypt(what, *PLACE)


@pytest.mark.parametrize("place", [("residents.personal", b"2"), ("residents.pin", b"1")])
def test_what_was_sealed_for_one_place_does_not_open_at_another(vault: Vault, place: tuple[str, bytes]) -> None:
    sealed = vault.encrypt("SITI AMINAH", *PLACE)
    with pytest.raises(VaultError):
        vault.decrypt(sealed, *place)


def test_an_index_depends_on_value_kind_and_key(vault: Vault) -> None:
    index = vault.index("nik", "3523124107900001")
    assert index == vault.index("nik", b"3523124107900001") and len(index) == 32
    others = [vault.index("nik", "3523124107900002"), vault.index("card", "3523124107900001")]
    others += [Vault(bytes(32)).index("nik", "3523124107900001"), vault.index("ni", "k3523124107900001")]
    assert index not in others


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    sealed = Vault.load_or_create(path).encrypt("text", *PLACE)
    assert Vault.load_or_create(path).decrypt(sealed, *PLACE) == "text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    Vault.load_or_create(path)
    path.chmod(0o640)
    with pytest.raises(VaultError, match=f"chmod 600 {path}"):
        Vault.load_or_create(path)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_size_is_refused_and_kept(size: int, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"x" * size)
    path.chmod(0o600)
    with pytest.raises(VaultError, match=f"{size} bytes"):
        Vault.load_or_create(path)
    assert path.read_bytes() == b"x" * size


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="cannot be used"):
        Vault.load_or_create(tmp_path / "missing" / "key")


def test_a_vault_shows_no_key() -> None:
    assert repr(Vault(b"k" * 32)) == "Vault(…)"
