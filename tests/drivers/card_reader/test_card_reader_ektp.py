"""What is told from ATRs, and how a card is asked."""

import pytest

from hardware.card_reader.ektp import card_kind, read_card
from hardware.card_reader.interface import CardKind
from hardware.card_reader.iso7816 import LONGEST_CHAIN, CardError, CardRefused, exchange
from hardware.card_reader.pcsc import choose_reader


@pytest.mark.parametrize(
    "atr",
    [
        "3B8A80013037393134315F3030316F",
        "3B8B800150333038473050335F31302B",
        "3B8B8001654B5450304432654B54504C",
        "3B8C8001501122334430AAAA017781D709",
        "3B8C800150AABBCCDD30AAAA017781D74D",
        "3B88800130AAAA017781D7004B",
    ],
)
def test_ektp(atr):
    assert card_kind(bytes.fromhex(atr)) is CardKind.EKTP


@pytest.mark.parametrize("atr", ["3B888001310109000000000030", "3B8C80015011223344310106AABBCCDD00"])
def test_other(atr):
    assert card_kind(bytes.fromhex(atr)) is CardKind.OTHER


@pytest.mark.parametrize("atr", ["", "3B", "3B80800101", "3B8B8001654B5450304432654B54504C00", "3B8F8001804F0CA0"])
def test_anything_else_is_unknown(atr):
    assert card_kind(bytes.fromhex(atr)) is CardKind.UNKNOWN


def reader_says(answers: dict[str, str]):
    def transmit(apdu: bytes) -> bytes:
        return bytes.fromhex(answers.get(apdu.hex().upper(), "6D00"))

    return transmit


@pytest.mark.parametrize(
    ("atr", "uid", "stable"),
    [
        ("3B8F8001804F0CA000000306030001000000006A", "A1A2A3A4", True),  # MIFARE Classic
        ("3B8F8001804F0CA000000306030001000000006A", "08A2A3A4", False),  # ISO 14443-3: a random uid
        ("3B80800101", "A1A2A3A4", False),  # perhaps a PUPI
        ("3B80800101", "04A2A3A4A5A6A7", True),
    ],
)
def test_which_numbers_are_stable(atr, uid, stable):
    card = read_card(bytes.fromhex(atr), reader_says({"FFCA000000": uid + "9000"}))
    assert (card.uid.hex().upper(), card.stable) == (uid, stable)


def test_a_sim_is_not_asked_for_the_number_of_an_ektp():
    asked = []

    def transmit(apdu: bytes) -> bytes:
        asked.append(apdu)
        return bytes.fromhex("A1A2A3A49000")

    read_card(bytes.fromhex("3B888001310109000000000030"), transmit)
    assert asked == [bytes.fromhex("FFCA000000")]


@pytest.mark.parametrize("uid", ["", "04", "040102030405", "04010203040506070809AA"])
def test_a_uid_of_another_length_is_torn(uid):
    with pytest.raises(CardError) as caught:
        read_card(bytes.fromhex("3B80800101"), reader_says({"FFCA000000": uid + "9000"}))
    assert (caught.value.code, caught.value.again) == ("CARD-TORN", True)


def test_chaining_and_the_right_length():
    answers = {"00B0000000": "6C05", "00B0000005": "010261 03".replace(" ", ""), "00C0000003": "0304059000"}
    assert exchange(reader_says(answers), bytes.fromhex("00B0000000")) == bytes([1, 2, 3, 4, 5])


def test_chaining_without_an_end_ends():
    asked = []

    def transmit(apdu: bytes) -> bytes:
        asked.append(apdu)
        return b"\x00\x61\x01"

    with pytest.raises(CardError):
        exchange(transmit, bytes.fromhex("00B0000000"))
    assert len(asked) == LONGEST_CHAIN


def test_a_refusal_names_its_status_word_and_no_data():
    with pytest.raises(CardRefused, match="6A82") as caught:
        exchange(lambda apdu: bytes.fromhex("01026A82"), b"\x00\xb0\x00\x00\x00")
    assert "0102" not in str(caught.value)


PICC, SAM = "ACS ACR1252 Dual Reader PICC 00 00", "ACS ACR1252 Dual Reader SAM 01 00"
CONTACT = "Generic Smart Card Reader 00 00"


@pytest.mark.parametrize(
    ("names", "contains", "current", "chosen"),
    [
        ([SAM, PICC], "", "", PICC),
        ([CONTACT, SAM, PICC], "", CONTACT, PICC),
        ([SAM], "", "", None),
        ([SAM, PICC], "sam", "", SAM),
        ([CONTACT, "Other 00 00"], "", "Other 00 00", "Other 00 00"),
        ([CONTACT], "ACR122U", "", None),
        ([], "", "", None),
    ],
)
def test_which_reader_is_used(names, contains, current, chosen):
    assert choose_reader(names, contains, current) == chosen
