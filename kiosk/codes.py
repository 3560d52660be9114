"""The signed codes on paper: what a letter's QR carries, and what anyone can tell from it without a network.

A code is a URL prefix and a token. The token is a CWT (RFC 8392) in a COSE_Sign1 (RFC 9052) signed with Ed25519, in
CBOR's deterministic encoding. It holds no NIK, and a name only masked. A village's key is not a certified electronic
signature: nothing may call it TTE.

The verifier gives no byte of a stranger to a CBOR decoder: the envelope has one fixed layout, is taken apart by
position, and the claims are decoded after their signature held. (The `cwt` library makes and reads the same bytes,
and a test holds that; it costs 10 MB of memory and 40 ms at start, which 30 lines here do not.)
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from kiosk.store.key_file import create_key_file

#: The longest token, in characters, that is looked at.
LONGEST_TOKEN = 600

# Base 45 (RFC 9285: two bytes are three digits) without space, %, . and /, which a phone that opens the URL would
# rewrite. 41³ = 68 921 still holds two bytes, so a code is as short as in base 45, and stays within QR's alphabet.
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-:"
_BASE = len(_DIGITS)

# Registered CWT claims (RFC 8392 §4) and one private one, which holds [kind, …].
_SUBJECT, _EXPIRES, _ISSUED, _ID, _PRIVATE = 2, 4, 6, 7, -65537
_LETTER, _REQUEST = 0, 1

# COSE header: algorithm (1) is EdDSA (-8); 4 is the key id.
_SIGN1_TAG, _ALGORITHM, _EDDSA, _KEY_ID = 18, 1, -8, 4


@dataclass(frozen=True, repr=False)
class LetterFacts:
    """What a letter's code says. `letter_id` is lower-case hex."""

    village_code: str
    letter_id: str
    letter_type: str
    letter_number: str
    masked_name: str
    issued_on: date
    valid_until: date  # the last day

    def __repr__(self) -> str:
        return "LetterFacts(…)"


@dataclass(frozen=True)
class Genuine:
    facts: LetterFacts


@dataclass(frozen=True)
class Withdrawn:
    """Genuine once, and since then called back by the village."""

    facts: LetterFacts


@dataclass(frozen=True)
class Expired:
    """Genuine, and past its last day."""

    facts: LetterFacts


@dataclass(frozen=True)
class RequestSlip:
    """The code on a request slip: no letter."""

    village_code: str
    number: str


@dataclass(frozen=True)
class NotFromHere:
    """Not a code of ours, or signed by a village whose key this kiosk does not have."""


@dataclass(frozen=True)
class Damaged:
    """Made to look like a code of ours, and its signature does not hold: misread, torn or forged."""


#: What taking apart bytes that are no token of ours can raise.
_OUT_OF_SHAPE = (
    cbor2.CBORError, msgspec.ValidationError, ValueError, LookupError, TypeError, AttributeError, OverflowError
)  # fmt: skip

Verdict = Genuine | Withdrawn | Expired | RequestSlip | NotFromHere | Damaged


class Signer:
    """Makes codes with a village's key. `kid` tells the village's keys apart ("1", then "2" after a change).

    Raises ValueError for a prefix outside QR's alphanumeric alphabet.
    """

    def __init__(self, private_key: Ed25519PrivateKey, village_code: str, kid: str, prefix: str) -> None:
        _check_prefix(prefix)
        self._key = private_key
        self._prefix = prefix
        self._village_code = village_code
        # The village is named in the signed header, as part of the key's name, and so not once more as issuer.
        self._header = cbor2.dumps({_ALGORITHM: _EDDSA, _KEY_ID: key_name(village_code, kid).encode()}, canonical=True)

    def letter(self, facts: LetterFacts) -> str:
        """The payload of a letter's QR. Raises ValueError for another village's letter or an id that is not hex."""
        if facts.village_code != self._village_code:
            raise ValueError("the letter belongs to another village")
        return self._sign(
            {
                _SUBJECT: facts.masked_name,
                _EXPIRES: _midnight(facts.valid_until + timedelta(days=1)),
                _ISSUED: _midnight(facts.issued_on),
                _ID: bytes.fromhex(facts.letter_id),
                _PRIVATE: [_LETTER, facts.letter_type, facts.letter_number],
            }
        )

    def request(self, number: str) -> str:
        """The payload of a request slip's QR: the request's number and nothing else."""
        return self._sign({_PRIVATE: [_REQUEST, number]})

    def _sign(self, claims: dict[int, Any]) -> str:
        body = cbor2.dumps(claims, canonical=True)
        signature = self._key.sign(_to_be_signed(self._header, body))
        token = cbor2.dumps(cbor2.CBORTag(_SIGN1_TAG, [self._header, {}, body, signature]), canonical=True)
        payload = self._prefix + encode(token)
        if len(payload) > len(self._prefix) + LONGEST_TOKEN:
            raise ValueError(f"the token is longer than {LONGEST_TOKEN} characters")
        return payload


class Verifier:
    """Tells what a scanned code is. `public_keys` are by `key_name`; `withdrawn` holds the ids of letters that were
    called back and may change while the verifier lives."""

    def __init__(
        self, public_keys: Mapping[str, Ed25519PublicKey], prefix: str, withdrawn: Container[str] = frozenset()
    ) -> None:
        _check_prefix(prefix)
        self._keys = public_keys
        self._prefix = prefix.encode()
        self._withdrawn = withdrawn

    def verify(self, payload: bytes, today: date) -> Verdict:
        """Never raises, whatever `payload` holds, and reads at most LONGEST_TOKEN characters of it."""
        if not payload.startswith(self._prefix):
            return NotFromHere()
        token = _TOKEN.fullmatch(payload, len(self._prefix))
        if token is None:
            return Damaged()
        try:
            header, name, body, signature = _open_envelope(decode(token[0].decode()))
            key = self._keys.get(name.decode())
            if key is None:
                return NotFromHere()
            key.verify(signature, _to_be_signed(header, body))
            return self._judge(name.decode().rpartition("/")[0], cbor2.loads(body), today)
        except InvalidSignature:
            return Damaged()
        except _OUT_OF_SHAPE:
            # A village's own signed words can be so only where its software is newer than this one.
            return Damaged()

    def _judge(self, village_code: str, claims: dict[int, Any], today: date) -> Verdict:
        """What a village's own words say: their signature held."""
        kind, *rest = claims[_PRIVATE]
        if kind == _REQUEST:
            return msgspec.convert({"village_code": village_code, "number": rest[0]}, RequestSlip)
        facts = msgspec.convert(
            {
                "village_code": village_code,
                "letter_id": claims[_ID].hex(),
                "letter_type": rest[0],
                "letter_number": rest[1],
                "masked_name": claims[_SUBJECT],
                "issued_on": _day(claims[_ISSUED]),
                "valid_until": _day(claims[_EXPIRES]) - timedelta(days=1),
            },
            LetterFacts,
        )
        if facts.letter_id in self._withdrawn:
            return Withdrawn(facts)
        return Expired(facts) if today > facts.valid_until else Genuine(facts)


def key_name(village_code: str, kid: str) -> str:
    """«35.23.12.2002/1», by which a verifier finds a village's public key."""
    return f"{village_code}/{kid}"


def load_or_create_village_key(path: Path) -> Ed25519PrivateKey:
    """The key in the PEM file at `path`, made with mode 0600 where there is none.

    Raises OSError, and ValueError for a file that holds no Ed25519 key: a lost key is never replaced in silence.
    """
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        create_key_file(path, pem)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path}: is not an Ed25519 key")
    return key


def encode(data: bytes) -> str:
    """Bytes in `_DIGITS`, RFC 9285's way: two bytes are three digits, a last single one two, lowest digit first."""
    digits = []
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        rest = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            rest, digit = divmod(rest, _BASE)
            digits.append(_DIGITS[digit])
    return "".join(digits)


def decode(text: str) -> bytes:
    """The inverse of `encode`. Raises ValueError for a text that `encode` never makes."""
    data = bytearray()
    for at in range(0, len(text), 3):
        group = text[at : at + 3]
        if len(group) == 1:
            raise ValueError("a digit too many or too few")
        value = sum(_DIGITS.index(digit) * _BASE**place for place, digit in enumerate(group))
        if value >= 256 ** (len(group) - 1):
            raise ValueError("a group above two bytes")
        data += value.to_bytes(len(group) - 1, "big")
    return bytes(data)


_TOKEN = re.compile(rb"[0-9A-Z $%%*+\-./:]{1,%d}" % LONGEST_TOKEN)


def _check_prefix(prefix: str) -> None:
    if not re.fullmatch(r"[0-9A-Z$*+\-./:]+/", prefix):
        raise ValueError(f"the prefix {prefix!r} is not a URL in QR's alphanumeric alphabet that ends in a slash")


def _to_be_signed(header: bytes, body: bytes) -> bytes:
    return cbor2.dumps(["Signature1", header, b"", body])


def _open_envelope(token: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Header, key name, body and signature of a COSE_Sign1 laid out as `Signer` lays it out. Raises ValueError or
    IndexError for any other."""
    header, at = _byte_string(token, len(_ENVELOPE_START))
    body, end = _byte_string(token, at + 1)
    signature, end = _byte_string(token, end)
    name, name_end = _byte_string(header, len(_HEADER_START))
    if (
        not token.startswith(_ENVELOPE_START)
        or not header.startswith(_HEADER_START)
        or token[at] != _EMPTY_MAP
        or end != len(token)
        or name_end != len(header)
    ):
        raise ValueError("not our envelope")
    return header, name, body, signature


_ENVELOPE_START = b"\xd2\x84"  # tag 18, array of four
_HEADER_START = b"\xa2\x01\x27\x04"  # {1: -8, 4: …
_EMPTY_MAP = 0xA0  # no unprotected header


def _byte_string(data: bytes, at: int) -> tuple[bytes, int]:
    """The CBOR byte string of up to 65 535 bytes that begins at `at`, and where it ends."""
    first = data[at]
    if 0x40 <= first <= 0x57:
        start, length = at + 1, first - 0x40
    elif first in (0x58, 0x59):
        start = at + first - 0x56
        length = int.from_bytes(data[at + 1 : start], "big")
    else:
        raise ValueError("no byte string")
    if start + length > len(data):
        raise ValueError("a byte string longer than its data")
    return data[start : start + length], start + length


def _midnight(day: date) -> int:
    """RFC 8392's NumericDate of the start of a day; a letter knows days, not hours, so every day is taken in UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _day(numeric_date: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=numeric_date)).date()
