"""The signed codes on paper: what a letter's QR carries, and what anyone can tell from it without a network.

A code is a URL prefix and a token. The token is a CWT (RFC 8392) in a COSE_Sign1 (`kiosk/cose.py`). It holds no NIK,
and a name only masked. A village's key is not a certified electronic signature: nothing may call it TTE.
docs/codes.md tells the format to whoever writes another reader.
"""

import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import cbor2
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk import cose

#: The longest token, in characters, that is looked at.
LONGEST_TOKEN = 600
#: As much of a masked name as a code carries: the longest that a register may have (Permendagri 73/2022). With it, the
#: longest number and the longest type of a letter make a token that is looked at.
LONGEST_NAME = 60

# Base 45 (RFC 9285: two bytes are three digits) without space, %, . and /, which a phone that opens the URL would
# rewrite. 41³ = 68 921 still holds two bytes, so a code is as short as in base 45, and stays within QR's alphabet.
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-:"
_BASE = len(_DIGITS)

# Registered CWT claims (RFC 8392 §4) and one private one, which holds [kind, …].
SUBJECT, EXPIRES, ISSUED, ID, PRIVATE = 2, 4, 6, 7, -65537
#: The kinds of what a village signs. One key signs all, so each says what it is, and is nothing else.
LETTER, REQUEST, WITHDRAWALS, VILLAGE = range(4)


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
class News:
    """How far one village's withdrawals are known to another: as of `made_at`, or not at all where it is None. `old`
    where the village promised a newer list by now."""

    made_at: datetime | None = None
    old: bool = False


@dataclass(frozen=True)
class Issuer:
    """A village whose codes can be told. `withdrawn` holds the ids of letters that it called back, `revoked` the ids
    of keys that it does not stand by any more. `news` is None where both are known at first hand."""

    name: str
    public_keys: Mapping[str, Ed25519PublicKey]
    revoked: Container[str] = frozenset()
    withdrawn: Container[str] = frozenset()
    news: News | None = None


@dataclass(frozen=True)
class Origin:
    """The village that signed, and what was last heard from it."""

    village_name: str
    news: News | None = None


@dataclass(frozen=True)
class Genuine:
    facts: LetterFacts
    origin: Origin


@dataclass(frozen=True)
class Withdrawn:
    """Genuine once, and since then called back by the village."""

    facts: LetterFacts
    origin: Origin


@dataclass(frozen=True)
class Expired:
    """Genuine, and past its last day."""

    facts: LetterFacts
    origin: Origin


@dataclass(frozen=True)
class KeyRevoked:
    """Signed with a key that the village does not stand by any more: by the village or by whoever else has the key.
    What it says is worth nothing, so it is not told."""

    origin: Origin


@dataclass(frozen=True)
class RequestSlip:
    """The code on a request slip: no letter."""

    village_code: str
    number: str
    origin: Origin


@dataclass(frozen=True)
class NotFromHere:
    """Not a code of ours, or signed by a village, or with a key, that this kiosk does not know."""


@dataclass(frozen=True)
class Damaged:
    """Made to look like a code of ours, and its signature does not hold: misread, torn or forged."""


#: What taking apart bytes that are no token of ours can raise.
_OUT_OF_SHAPE = (
    cbor2.CBORError, msgspec.ValidationError, ValueError, LookupError, TypeError, AttributeError, OverflowError
)  # fmt: skip

Verdict = Genuine | Withdrawn | Expired | KeyRevoked | RequestSlip | NotFromHere | Damaged


class Signer:
    """Makes codes with a village's key. `kid` tells the village's keys apart ("1", then "2" after a change).

    Raises ValueError for a prefix outside QR's alphanumeric alphabet.
    """

    def __init__(self, private_key: Ed25519PrivateKey, village_code: str, kid: str, prefix: str) -> None:
        self._key, self._kid = private_key, kid
        self._prefix = check_prefix(prefix)
        self._village_code = village_code

    def letter(self, facts: LetterFacts) -> str:
        """The payload of a letter's QR. Raises ValueError for another village's letter or an id that is not hex."""
        if facts.village_code != self._village_code:
            raise ValueError("the letter belongs to another village")
        return self._sign(
            {
                SUBJECT: facts.masked_name[:LONGEST_NAME],
                EXPIRES: _midnight(facts.valid_until + timedelta(days=1)),
                ISSUED: _midnight(facts.issued_on),
                ID: bytes.fromhex(facts.letter_id),
                PRIVATE: [LETTER, facts.letter_type, facts.letter_number],
            }
        )

    def request(self, number: str) -> str:
        """The payload of a request slip's QR: the request's number and nothing else."""
        return self._sign({PRIVATE: [REQUEST, number]})

    def again(self, payload: str) -> str:
        """The same words as those of a payload that another of the village's keys signed. Raises ValueError."""
        return self._wrap(cose.Envelope.open(token_of(payload)).body)

    def _sign(self, claims: dict[int, Any]) -> str:
        return self._wrap(cbor2.dumps(claims, canonical=True))

    def _wrap(self, body: bytes) -> str:
        token = encode(cose.sign(self._key, self._village_code, self._kid, body))
        if len(token) > LONGEST_TOKEN:
            raise ValueError(f"the token is longer than {LONGEST_TOKEN} characters")
        return self._prefix + token


class Verifier:
    """Tells what a scanned code is. `prefixes` are those of all villages whose codes it tells; `issuer_of` gives the
    village of a code, or None for a stranger, as it is known at that moment."""

    def __init__(self, prefixes: Iterable[str], issuer_of: Callable[[str], Issuer | None]) -> None:
        # Where one prefix begins another, the longer one is meant.
        self._prefixes = sorted((prefix.encode() for prefix in map(check_prefix, prefixes)), key=len, reverse=True)
        self._issuer_of = issuer_of

    def verify(self, payload: bytes, today: date) -> Verdict:
        """Never raises for what `payload` holds, and reads at most LONGEST_TOKEN characters after its prefix. `today`
        is the day where the code is shown."""
        prefix = next(filter(payload.startswith, self._prefixes), None)
        return NotFromHere() if prefix is None else self.verify_token(payload[len(prefix) :], today)

    def verify_token(self, token: bytes, today: date) -> Verdict:
        """The same for what follows the prefix."""
        if _TOKEN.fullmatch(token) is None:
            return Damaged()
        try:
            envelope = cose.Envelope.open(decode(token.decode()))
        except _OUT_OF_SHAPE:
            return Damaged()
        issuer = self._issuer_of(envelope.village_code)
        if issuer is None:
            return NotFromHere()
        origin = Origin(issuer.name, issuer.news)
        if envelope.kid in issuer.revoked:
            return KeyRevoked(origin)
        key = issuer.public_keys.get(envelope.kid)
        if key is None:
            return NotFromHere()
        try:
            envelope.verify(key)
            words = _words(envelope, origin)
        except InvalidSignature:
            return Damaged()
        except _OUT_OF_SHAPE:
            # A village's own signed words can be so only where its software is newer than this one.
            return Damaged()
        return words if isinstance(words, RequestSlip) else _judge(words, issuer, origin, today)


def _words(envelope: cose.Envelope, origin: Origin) -> LetterFacts | RequestSlip:
    """What a village's own words say: their signature held."""
    claims = cbor2.loads(envelope.body)
    kind, *rest = claims[PRIVATE]
    if kind == REQUEST:
        [number] = rest
        return RequestSlip(envelope.village_code, msgspec.convert(number, str), origin)
    if kind != LETTER:
        raise ValueError("neither a letter nor a request")
    return msgspec.convert(
        {
            "village_code": envelope.village_code,
            "letter_id": claims[ID].hex(),
            "letter_type": rest[0],
            "letter_number": rest[1],
            "masked_name": claims[SUBJECT],
            "issued_on": _day(claims[ISSUED]),
            "valid_until": _day(claims[EXPIRES]) - timedelta(days=1),
        },
        LetterFacts,
    )


def _judge(facts: LetterFacts, issuer: Issuer, origin: Origin, today: date) -> Verdict:
    if facts.letter_id in issuer.withdrawn:
        return Withdrawn(facts, origin)
    return Expired(facts, origin) if today > facts.valid_until else Genuine(facts, origin)


def token_of(payload: str) -> bytes:
    """The bytes of a payload's token, whatever its prefix: no digit is a slash, and every prefix ends in one. Raises
    ValueError."""
    return decode(payload.rpartition("/")[2])


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


def check_prefix(prefix: str) -> str:
    """The prefix, where it can stand before a code. Raises ValueError."""
    if not re.fullmatch(r"[0-9A-Z$*+\-./:]+/", prefix):
        raise ValueError(f"the prefix {prefix!r} is not a URL in QR's alphanumeric alphabet that ends in a slash")
    return prefix


def _midnight(day: date) -> int:
    """RFC 8392's NumericDate of the start of a day; a letter knows days, not hours, so every day is taken in UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _day(numeric_date: int) -> date:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=numeric_date)).date()
