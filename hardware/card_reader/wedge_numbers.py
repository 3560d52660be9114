"""The numbers that keyboard-wedge readers type, and the uids that they can mean.

A reader types the first four bytes of the uid as a decimal of up to ten digits, or seven bytes as one of up to
seventeen, or the bytes in hex; and each of these often from the last byte to the first. Nothing in the number tells
the direction, so the hall says which it is.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

#: A four-byte number of fewer digits comes once in 429 from a reader that types no leading zeros; a shorter one is
#: rather somebody leaning on a keyboard.
FEWEST_DIGITS = 8
#: Digits of the largest number of so many bytes, which readers fill up with leading zeros.
DIGITS_OF_BYTES = {4: 10, 7: 17}
#: As PC/SC gives them: ISO 14443-3 single, double and triple size; 8 is ISO 15693.
HEX_BYTES = frozenset({4, 7, 8, 10})


class Digits(StrEnum):
    """How a reader types a uid."""

    DECIMAL = "decimal"  # first byte first, as in the canonical uid
    DECIMAL_REVERSED = "decimal_reversed"  # last byte first
    HEX = "hex"
    HEX_REVERSED = "hex_reversed"


@dataclass(frozen=True)
class UidReading:
    """One uid that a typed number can mean; `uid` in canonical order stays out of every repr."""

    label: Digits
    uid: bytes = field(repr=False)


def uid_readings(text: str) -> list[UidReading]:
    """Every uid that `text` can mean, the decimal ones first; empty where it is no card's number.

    Bytes in hex may be parted by blanks, colons or hyphens. Eight digits can be both decimal and hex.
    """
    text = text.strip()
    readings = []
    for label, is_reversed, uid in (
        (Digits.DECIMAL, Digits.DECIMAL_REVERSED, _from_decimal(text)),
        (Digits.HEX, Digits.HEX_REVERSED, _from_hex(text)),
    ):
        if uid is not None:
            readings += [UidReading(label, uid), UidReading(is_reversed, uid[::-1])]
    return readings


def uid_typed_as(digits: Digits, text: str) -> bytes | None:
    """The uid that `text` means for a reader that types `digits`; None where it is no such number."""
    return next((reading.uid for reading in uid_readings(text) if reading.label is digits), None)


def _from_decimal(text: str) -> bytes | None:
    if not re.fullmatch(r"[0-9]+", text):
        return None
    for length, most_digits in DIGITS_OF_BYTES.items():
        if len(text) <= most_digits:
            number = int(text)
            fits = len(text) >= FEWEST_DIGITS and number < 1 << 8 * length
            return number.to_bytes(length, "big") if fits else None
    return None


def _from_hex(text: str) -> bytes | None:
    if not re.fullmatch(r"[0-9A-Fa-f]{2}([ :-]?[0-9A-Fa-f]{2})*", text):
        return None
    uid = bytes.fromhex(re.sub(r"[ :-]", "", text))
    return uid if len(uid) in HEX_BYTES else None
