"""Encrypts personal fields and makes the blind indexes by which they are found again.

AES-256-GCM with a random nonce; an index is HMAC-SHA256 under a key of its own, because an unkeyed hash of a NIK falls
to trying all NIKs within a second.
"""

import hmac
import secrets
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk.store.errors import VaultError
from kiosk.store.key_file import create_key_file

KEY_BYTES = 32
NONCE_BYTES = 12


class Vault:
    """`key` is 32 random bytes; the keys for encryption and for indexes are derived from it."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise VaultError(f"The key has {len(key)} bytes and must have {KEY_BYTES}.")
        self._cipher = AESGCM(_derived(key, b"anjungan-desa encryption"))
        self._index_key = _derived(key, b"anjungan-desa index")

    def __repr__(self) -> str:
        return "Vault(…)"

    @classmethod
    def load_or_create(cls, path: str | Path) -> Self:
        """The vault whose key is in that file, which only its owner may read; a missing file is made with a new key.

        Raises VaultError where the file cannot be read or written, others may read it, or its size is wrong. A new key
        beside an old database is refused by `Store.open`, which knows whose key the database was made with.
        """
        path = Path(path)
        try:
            if not path.exists():
                create_key_file(path, secrets.token_bytes(KEY_BYTES))
            mode = path.stat().st_mode
            key = path.read_bytes()
        except OSError as error:
            raise VaultError(
                f"The key file {path} cannot be used: {error.strerror}. See that the folder exists and that the "
                "kiosk's user owns both."
            ) from error
        if mode & 0o077:
            raise VaultError(f"The key file {path} can be read by others than its owner. Run: chmod 600 {path}")
        if len(key) != KEY_BYTES:
            raise VaultError(
                f"The key file {path} has {len(key)} bytes and must have {KEY_BYTES}. Put its saved copy back."
            )
        return cls(key)

    def encrypt(self, text: str, column: str, row: str | bytes) -> bytes:
        """The text sealed for one place: `column` («residents.personal») and a value that tells the row apart. Moved to
        another place, it does not open."""
        return self.encrypt_bytes(text.encode(), column, row)

    def decrypt(self, sealed: bytes, column: str, row: str | bytes) -> str:
        """The text again. Raises VaultError where another key sealed it, a byte of it changed, or it was sealed for
        another place."""
        return self.decrypt_bytes(sealed, column, row).decode()

    def encrypt_bytes(self, data: bytes, column: str, row: str | bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, _place(column, row))

    def decrypt_bytes(self, sealed: bytes, column: str, row: str | bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _place(column, row))
        except (InvalidTag, ValueError) as error:
            raise VaultError(
                "A personal field cannot be decrypted: the row is damaged or was written with another key. Restore "
                "the database and its key file from the same backup."
            ) from error

    def index(self, kind: str, value: str | bytes) -> bytes:
        """32 bytes by which an equal value of that kind is found; without the key nobody gets the value back."""
        data = value.encode() if isinstance(value, str) else value
        return hmac.digest(self._index_key, kind.encode() + b"\0" + data, "sha256")

    def fingerprint(self) -> bytes:
        """32 bytes that tell this key from others, and nothing of it."""
        return self.index("installation", "fingerprint")


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, purpose, "sha256")


def _place(column: str, row: str | bytes) -> bytes:
    return column.encode() + b"\0" + (row.encode() if isinstance(row, str) else row)
