"""What a village signs: a COSE_Sign1 (RFC 9052) with Ed25519, in CBOR's deterministic encoding and one fixed layout.

    18([ << {1: -8, 4: key name} >>, {}, body, signature ])

The reader gives no byte of a stranger to a CBOR decoder: the envelope is taken apart by position, and its body is for
whoever has seen that the signature holds. (The `cwt` library makes and reads the same bytes, and a test holds that; it
costs 10 MB of memory and 40 ms at start, which 30 lines here do not.)
"""

from dataclasses import dataclass
from typing import Self

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# COSE header: algorithm (1) is EdDSA (-8); 4 is the key id.
_SIGN1_TAG, _ALGORITHM, _EDDSA, _KEY_ID = 18, 1, -8, 4

_ENVELOPE_START = b"\xd2\x84"  # tag 18, array of four
_HEADER_START = b"\xa2\x01\x27\x04"  # map of two: 1 is -8, and 4 is …
_EMPTY_MAP = 0xA0


class Malformed(ValueError):
    """The bytes are no envelope as `sign` lays it out."""


@dataclass(frozen=True)
class Envelope:
    """`body` is a stranger's until `verify` has returned."""

    village_code: str
    kid: str
    body: bytes
    _header: bytes
    _signature: bytes

    @classmethod
    def open(cls, signed: bytes) -> Self:
        """Take an envelope apart. Raises Malformed."""
        if not signed.startswith(_ENVELOPE_START):
            raise Malformed("not an array of four under tag 18")
        header, at = _byte_string(signed, len(_ENVELOPE_START))
        if signed[at : at + 1] != bytes([_EMPTY_MAP]):
            raise Malformed("something stands in the unprotected header")
        body, at = _byte_string(signed, at + 1)
        signature, end = _byte_string(signed, at)
        name, name_end = _byte_string(header, len(_HEADER_START))
        if not header.startswith(_HEADER_START) or end != len(signed) or name_end != len(header):
            raise Malformed("not laid out as ours are")
        try:
            village_code, _, kid = name.decode("ascii").rpartition("/")
        except UnicodeDecodeError as error:
            raise Malformed("the key has no name") from error
        return cls(village_code, kid, body, header, signature)

    def verify(self, public_key: Ed25519PublicKey) -> None:
        """Raises cryptography's InvalidSignature."""
        public_key.verify(self._signature, _to_be_signed(self._header, self.body))


def sign(private_key: Ed25519PrivateKey, village_code: str, kid: str, body: bytes) -> bytes:
    """The village is named in the signed header, as part of the key's name («35.23.12.2002/1»), and so not once more
    as issuer."""
    header = cbor2.dumps({_ALGORITHM: _EDDSA, _KEY_ID: f"{village_code}/{kid}".encode("ascii")}, canonical=True)
    signature = private_key.sign(_to_be_signed(header, body))
    return cbor2.dumps(cbor2.CBORTag(_SIGN1_TAG, [header, {}, body, signature]), canonical=True)


def _to_be_signed(header: bytes, body: bytes) -> bytes:
    return cbor2.dumps(["Signature1", header, b"", body])


def _byte_string(data: bytes, at: int) -> tuple[bytes, int]:
    """The CBOR byte string that begins at `at`, of at most 4 GB, and where it ends. Raises Malformed."""
    first = data[at] if at < len(data) else 0
    if 0x40 <= first < 0x58:
        start, length = at + 1, first - 0x40
    elif first in (0x58, 0x59, 0x5A):
        start = at + 1 + (1 << first - 0x58)
        length = int.from_bytes(data[at + 1 : start], "big")
    else:
        raise Malformed("no byte string")
    if start + length > len(data):
        raise Malformed("a byte string longer than its data")
    return data[start : start + length], start + length
