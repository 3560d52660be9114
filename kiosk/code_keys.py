"""The keys with which a village signs its codes: the public ones in the database, the private ones in files.

A key is one file `village-keys/<kid>.pem` in the state directory; kids count from 1. The newest key signs, and every
earlier one goes on verifying what it signed, whether or not its file still exists. A key that somebody else may have is
revoked: nothing that it signed is stood by any more.

Kiosks that share a database share the keys' files too, which are copied by hand: nobody but the village should be able
to sign, so they do not travel through the database.
"""

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from sqlalchemy import Connection, Row, select, update

from config.settings import Settings
from kiosk import cose
from kiosk.clock import Clock
from kiosk.codes import LetterFacts, Signer, token_of
from kiosk.journal import Event, Journal
from kiosk.store.counters import insert
from kiosk.store.errors import StoreError
from kiosk.store.key_file import create_key_file
from kiosk.store.schema import letter_requests, village_keys
from kiosk.store.state_files import VILLAGE_KEYS
from kiosk.store.store import Store

log = logging.getLogger(__name__)

FIRST_KID = "1"


class UnknownKey(LookupError):
    """The village has no key of that id."""


@dataclass(frozen=True)
class CodeKey:
    """`kid` is a number as text. `is_here` tells whether this machine has the private part."""

    kid: str
    public_key: Ed25519PublicKey
    made_at: datetime
    revoked_at: datetime | None
    is_here: bool

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)


class CodeKeys:
    """The keys of the village `village_code`, with their files in `directory`. Every method raises StoreError where the
    database fails."""

    def __init__(self, store: Store, clock: Clock, directory: Path, village_code: str) -> None:
        self._store, self._clock, self._directory = store, clock, directory
        self.village_code = village_code
        self._journal = Journal(store, clock)

    @classmethod
    def of(cls, settings: Settings, store: Store, clock: Clock) -> Self:
        """Those of the settings' village, in the state directory."""
        return cls(store, clock, settings.state_path / VILLAGE_KEYS, settings.village.code)

    def prepare(self) -> None:
        """Make the first key for a new database; for any other see that a key to sign with is here, and that no file is
        another's. A key made anew in silence would make every letter look forged. A file that the database does not
        know is taken in: it was put back beside a new or an older database, or a crash came after it was made. Raises
        StoreError."""
        with self._store.write() as tx:
            known = {str(row.kid): row for row in _rows(tx)}
            for kid in self._files():
                if kid in known:
                    self._private_key(known[kid])
                else:
                    self._make(tx, kid)
            if not _rows(tx):
                self._make(tx, FIRST_KID)
            key, _ = self._signing(tx)
            newest = _rows(tx)[-1]
        if key.kid != str(newest.kid) and newest.revoked_at is None:
            log.warning("codes are signed with key %s: the file of the newer %s is not here", key.kid, newest.kid)

    def all(self) -> list[CodeKey]:
        """Oldest first."""
        with self._store.read() as tx:
            return [self._key(row) for row in _rows(tx)]

    def signing(self) -> tuple[CodeKey, Ed25519PrivateKey]:
        """The newest key that is not revoked and whose file is here. Raises StoreError where there is none, or its file
        is not the one that the database knows."""
        with self._store.read() as tx:
            return self._signing(tx)

    def rotate(self) -> CodeKey:
        """Make the next key, which signs from now on."""
        with self._store.write() as tx:
            kid = str(_rows(tx)[-1].kid + 1)
            self._make(tx, kid)
            return next(self._key(row) for row in _rows(tx) if str(row.kid) == kid)

    def revoke(self, kid: str, prefix: str) -> int:
        """Stand by nothing any more that this key signed. The codes of letters that are still valid are signed anew,
        with `prefix`, for the copies that are printed from now on; how many. Raises UnknownKey, and ValueError where
        no newer key could sign: an older one lay beside it, and others take its lists for old ones."""
        with self._store.write() as tx:
            known = {str(row.kid): row for row in _rows(tx)}
            if kid not in known:
                raise UnknownKey(f"The village has no key {kid}; there are: {', '.join(known)}.")
            if known[kid].revoked_at is not None:
                return 0
            if not any(self._can_sign(row) for row in known.values() if row.kid > int(kid)):
                raise ValueError("No newer key is here to sign with then: make one first, with `kiosk keys rotate`.")
            tx.execute(update(village_keys).where(village_keys.c.kid == int(kid)).values(revoked_at=self._clock.now()))
            self._journal.record(Event.VILLAGE_KEY_REVOKED, tx=tx, key=kid)
            return self._sign_anew(tx, kid, prefix)

    def _sign_anew(self, tx: Connection, revoked_kid: str, prefix: str) -> int:
        key, private_key = self._signing(tx)
        signer = Signer(private_key, self.village_code, key.kid, prefix)
        yesterday = self._clock.now().date() - timedelta(days=1)  # nowhere is it earlier than that
        tokens = select(letter_requests.c.id, letter_requests.c.token).where(
            letter_requests.c.token.is_not(None), letter_requests.c.valid_until >= yesterday
        )
        count = 0
        for row in tx.execute(tokens).all():
            if cose.Envelope.open(token_of(row.token)).kid == revoked_kid:
                anew = update(letter_requests).where(letter_requests.c.id == row.id)
                tx.execute(anew.values(token=signer.again(row.token)))
                count += 1
        return count

    def _make(self, tx: Connection, kid: str) -> None:
        """The file comes first: one that a crash left behind, or that was put back beside a new database, is the
        key."""
        path = self._path(kid)
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            if not path.exists():
                pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                create_key_file(path, pem)
        except OSError as error:
            raise StoreError(f"The village's key {path} cannot be made: {error.strerror}.") from error
        public_key = load_key_file(path).public_key().public_bytes_raw()
        new = insert(tx, village_keys).values(kid=int(kid), public_key=public_key, made_at=self._clock.now())
        # Another kiosk on the same new database may have been quicker: `_signing` then tells that its key is the key.
        if tx.execute(new.on_conflict_do_nothing()).rowcount:
            self._journal.record(Event.VILLAGE_KEY_MADE, tx=tx, key=kid)

    def _signing(self, tx: Connection) -> tuple[CodeKey, Ed25519PrivateKey]:
        rows = _rows(tx)
        for row in reversed(rows):
            if self._can_sign(row):
                return self._key(row), self._private_key(row)
        kids = " or ".join(f"{row.kid}.pem" for row in rows if row.revoked_at is None)
        raise StoreError(
            f"No key of the village is here to sign with: put a saved copy of {kids} back into {self._directory}, or "
            "copy it from another kiosk of the village."
        )

    def _files(self) -> list[str]:
        """The kids whose files are here."""
        try:
            names = [path.stem for path in self._directory.iterdir() if path.suffix == ".pem"]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"The village's keys {self._directory} cannot be read: {error.strerror}.") from error
        return [name for name in names if re.fullmatch(r"[1-9][0-9]{0,8}", name)]

    def _private_key(self, row: Row) -> Ed25519PrivateKey:
        path = self._path(str(row.kid))
        key = load_key_file(path)
        if key.public_key().public_bytes_raw() != row.public_key:
            raise StoreError(
                f"The village's key {path} is not the one that this database's letters were signed with: it was lost "
                "and made anew, or belongs to another village. Put its saved copy back."
            )
        return key

    def _can_sign(self, row: Row) -> bool:
        return row.revoked_at is None and self._path(str(row.kid)).exists()

    def _key(self, row: Row) -> CodeKey:
        public_key = Ed25519PublicKey.from_public_bytes(row.public_key)
        return CodeKey(str(row.kid), public_key, row.made_at, row.revoked_at, self._path(str(row.kid)).exists())

    def _path(self, kid: str) -> Path:
        return self._directory / f"{kid}.pem"


class CodeSigner:
    """Makes codes with the key that is the village's when it signs: it may change while a kiosk runs. Raises StoreError
    where there is none to sign with."""

    def __init__(self, keys: CodeKeys, prefix: str) -> None:
        self._keys, self._prefix = keys, prefix

    def letter(self, facts: LetterFacts) -> str:
        return self._signer().letter(facts)

    def request(self, number: str) -> str:
        return self._signer().request(number)

    def _signer(self) -> Signer:
        key, private_key = self._keys.signing()
        return Signer(private_key, self._keys.village_code, key.kid, self._prefix)


def load_key_file(path: Path) -> Ed25519PrivateKey:
    """Raises StoreError for a file that cannot be read or holds no Ed25519 key."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(f"The village's key {path} cannot be used: {error}. Put its saved copy back.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StoreError(f"The village's key {path} is not an Ed25519 key. Put its saved copy back.")
    return key


def fingerprint(public_key: Ed25519PublicKey) -> str:
    """What two people compare by telephone: «4F2A 91C0 …», the first 128 bits of the key's SHA-256."""
    digits = sha256(public_key.public_bytes_raw()).hexdigest()[:32].upper()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def _rows(tx: Connection) -> list[Row]:
    """Oldest first."""
    return list(tx.execute(select(village_keys).order_by(village_keys.c.kid)).all())
