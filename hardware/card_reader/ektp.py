"""What is known about the e-KTP from outside: its ATRs and its number.

Name and NIK are not read: they need the SAM of an approved reader.
"""

import re

from hardware.card_reader.interface import Card, CardKind
from hardware.card_reader.iso7816 import CardError, CardRefused, Transmit, exchange, torn

GET_UID = bytes.fromhex("FFCA000000")  # PC/SC part 3, 3.2.2.1.3: answered by the reader for any contactless card
SELECT_EKTP = bytes.fromhex("00A40000027F0A")
#: Two ways, both seen in programs that read e-KTPs; cards answer one or the other.
GET_NUMBER = (bytes.fromhex("00DD000008"), bytes.fromhex("00DF000000"))
NUMBER_LENGTH = 8

TYPE_A_UID_LENGTH = 7
TYPE_B_UID_LENGTH = 4  # the PUPI
#: ISO 14443-3 single, double and triple size; 8 is ISO 15693.
UID_LENGTHS = frozenset({4, 7, 8, 10})
#: ISO 14443-3, 6.5.4: a single-size UID that begins so is drawn anew at each power-up.
RANDOM_UID = 0x08

# Patterns, not strings: type B carries its changing PUPI in the ATR of some readers. The lists are not complete.
EKTP_TYPE_A = re.compile(
    "3B8A80013037393134315F3030316F|3B8B800150333038473050335F31302B|3B8B8001654B5450304432654B54504C"
)
EKTP_TYPE_B = re.compile(
    "3B8C800150.{8}30AAAA017781D7.."  # ATQB in the historical bytes, then TCK
    "|3B88800130AAAA017781D7(..){1,2}"  # PC/SC part 3: application data, protocol info, perhaps MBLI; then TCK
)
OTHER = re.compile("3B888001310109000000000030|3B8C800150.{8}310106.{10}")  # SIMs
#: PC/SC part 3, storage card, ISO 14443-3 type A: the only single-size UIDs that are known to be fixed.
STORAGE_TYPE_A = re.compile("3B8F8001804F0CA00000030603.*")


def card_kind(atr: bytes) -> CardKind:
    """What the ATR tells; an ATR in no list is UNKNOWN, whatever it looks like."""
    text = atr.hex().upper()
    if EKTP_TYPE_A.fullmatch(text) or EKTP_TYPE_B.fullmatch(text):
        return CardKind.EKTP
    return CardKind.OTHER if OTHER.fullmatch(text) else CardKind.UNKNOWN


def read_card(atr: bytes, transmit: Transmit) -> Card:
    """Identify the card behind `transmit`. Raises CardError where it cannot be told who it is."""
    kind = card_kind(atr)
    uid = _uid(atr, transmit)
    if _fixed(atr, uid):
        return Card(uid, kind)
    number = _number(transmit) if kind is not CardKind.OTHER else None
    return Card(uid, kind, stable=False) if number is None else Card(number, kind)


def _uid(atr: bytes, transmit: Transmit) -> bytes:
    try:
        uid = exchange(transmit, GET_UID)
    except CardRefused as refused:
        raise CardError("CARD-NO-UID", str(refused)) from refused
    text = atr.hex().upper()
    if EKTP_TYPE_A.fullmatch(text):
        expected = frozenset({TYPE_A_UID_LENGTH})
    elif EKTP_TYPE_B.fullmatch(text):
        expected = frozenset({TYPE_B_UID_LENGTH})
    else:
        expected = UID_LENGTHS
    if len(uid) not in expected:  # a torn answer can end in 9000 by chance
        raise torn(f"a uid of {len(uid)} bytes")
    return uid


def _fixed(atr: bytes, uid: bytes) -> bool:
    if len(uid) > TYPE_B_UID_LENGTH:
        return True
    return bool(STORAGE_TYPE_A.fullmatch(atr.hex().upper())) and uid[0] != RANDOM_UID


def _number(transmit: Transmit) -> bytes | None:
    """The card's own 8-byte number, or None where the card keeps it to itself."""
    try:
        exchange(transmit, SELECT_EKTP)
    except CardRefused:
        return None
    for command in GET_NUMBER:
        try:
            number = exchange(transmit, command)
        except CardRefused:
            continue
        if len(number) != NUMBER_LENGTH:
            raise torn(f"a number of {len(number)} bytes")
        return number
    return None
