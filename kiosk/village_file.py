"""A village's public file: what another kiosk needs to check its letters. It holds nothing secret.

It is signed with the village's newest key, which shows that it is whole and not that it is the village's: whoever
installs it compares the fingerprint by telephone (`kiosk keys show`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import cbor2
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta

from config.settings import Settings
from kiosk import cose
from kiosk.code_keys import CodeKeys
from kiosk.codes import ISSUED, PRIVATE, VILLAGE, check_prefix

LARGEST_BYTES = 64_000
_VILLAGE_CODE = r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}\Z"


class VillageFileError(Exception):
    """A file that is no village's public file; its text says why."""


_Kid = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,8}\Z")]


class _Words(msgspec.Struct, array_like=True, frozen=True):
    """The private claim, in this order."""

    kind: int
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    prefix: str
    public_keys: dict[_Kid, Annotated[bytes, Meta(min_length=32, max_length=32)]]
    revoked: tuple[_Kid, ...]


@dataclass(frozen=True)
class OtherVillage:
    """Another village as its public file told of it. `prefix` stands before its codes; `kid` signed the file.
    `withdrawals_url` is the settings': empty where its lists come by hand."""

    code: str
    name: str
    prefix: str
    public_keys: Mapping[str, Ed25519PublicKey]
    revoked: frozenset[str]
    kid: str
    made_at: datetime
    withdrawals_url: str = ""


def load_trusted_villages(settings: Settings) -> tuple[dict[str, OtherVillage], list[VillageFileError]]:
    """The villages whose letters this one's kiosks check too, by code, and what is wrong with the others' files."""
    found: dict[str, OtherVillage] = {}
    errors: list[VillageFileError] = []
    for trusted in settings.trusted_villages:
        path = Path(trusted.file)
        try:
            village = read_village_file(path)
            if village.code == settings.village.code:
                raise VillageFileError(f"{path}: is this village's own file")
            if village.code in found:
                raise VillageFileError(f"{path}: another file is of the village {village.code} too")
            found[village.code] = replace(village, withdrawals_url=trusted.withdrawals_url)
        except VillageFileError as error:
            errors.append(error)
    return found, errors


def village_file(settings: Settings, keys: CodeKeys, now: datetime) -> bytes:
    """The public file of the village that the settings are of. Raises StoreError."""
    key, private_key = keys.signing()
    known = keys.all()
    claims = {
        ISSUED: int(now.timestamp()),
        PRIVATE: [
            VILLAGE,
            settings.village.name,
            settings.village.check_url,
            {each.kid: each.public_key.public_bytes_raw() for each in known if each.revoked_at is None},
            [each.kid for each in known if each.revoked_at is not None],
        ],
    }
    return cose.sign(private_key, settings.village.code, key.kid, cbor2.dumps(claims, canonical=True))


def read_village_file(path: Path) -> OtherVillage:
    """Raises VillageFileError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise VillageFileError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > LARGEST_BYTES:
        raise VillageFileError(f"{path}: is no village's public file: it is too large")
    try:
        return _opened(data)
    except InvalidSignature as error:
        raise VillageFileError(f"{path}: its signature does not hold: it was changed or damaged on its way") from error
    except (cbor2.CBORError, msgspec.ValidationError, ValueError, LookupError, TypeError, OverflowError) as error:
        raise VillageFileError(f"{path}: is no village's public file ({type(error).__name__})") from error


def _opened(data: bytes) -> OtherVillage:
    """Here a stranger's bytes are decoded before their signature is known, as the key is among them: the file is one
    that the settings name."""
    envelope = cose.Envelope.open(data)
    claims = cbor2.loads(envelope.body)
    words = msgspec.convert(claims[PRIVATE], _Words)
    msgspec.convert(envelope.village_code, Annotated[str, Meta(pattern=_VILLAGE_CODE)])
    if words.kind != VILLAGE:
        raise ValueError("it is something else that a village signed")
    public_keys = {kid: Ed25519PublicKey.from_public_bytes(raw) for kid, raw in words.public_keys.items()}
    envelope.verify(public_keys[envelope.kid])
    return OtherVillage(
        envelope.village_code,
        words.name,
        check_prefix(words.prefix),
        public_keys,
        frozenset(words.revoked),
        envelope.kid,
        datetime.fromtimestamp(claims[ISSUED], UTC),
    )
