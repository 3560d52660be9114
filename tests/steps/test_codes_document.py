"""The examples of docs/codes.md, read from that page with the libraries of the standards and with the kiosk."""

import json
import re
from datetime import date
from pathlib import Path

import cwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk import codes
from kiosk.codes import Genuine, Issuer, Verifier, Withdrawn
from kiosk.withdrawals import WithdrawalList

PAGE = (Path(__file__).parents[2] / "docs" / "codes.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"```\w+ ([a-z-]+)\n(.*?)\n```", PAGE, re.DOTALL))
PUBLIC_KEY = bytes.fromhex(EXAMPLES["public-key"])
KEY = Ed25519PublicKey.from_public_bytes(PUBLIC_KEY)
PREFIX = "HTTPS://CEK.SOCOREJO.DESA.ID/S/"


def of_base_41(text: str) -> bytes:
    """From the page's words alone."""
    digits, data = EXAMPLES["digits"], b""
    for group in (text[at : at + 3] for at in range(0, len(text), 3)):
        value = sum(digits.index(digit) * 41**place for place, digit in enumerate(group))
        data += value.to_bytes(len(group) - 1, "big")
    return data


def test_a_library_of_the_standard_reads_the_token_and_the_list():
    token = of_base_41(EXAMPLES["payload"].removeprefix(PREFIX))
    key = cwt.COSEKey.new({1: 1, 2: b"35.23.12.2002/1", 3: -8, -1: 6, -2: PUBLIC_KEY})
    letter = json.loads(EXAMPLES["letter"])
    claims = cwt.CWT.new(expires_in=10**9).decode(token, key)
    assert claims[-65537] == [0, letter["letter_type"], letter["letter_number"]]
    assert (claims[2], claims[7].hex()) == (letter["masked_name"], letter["letter_id"])
    listed = cwt.CWT.new(expires_in=10**9).decode(bytes.fromhex(EXAMPLES["list"]), key)
    assert listed[-65537] == [2, 1796090400, bytes.fromhex(letter["letter_id"]), []]


def test_the_kiosk_tells_them_as_the_page_does():
    facts = msgspec.convert(json.loads(EXAMPLES["letter"]), codes.LetterFacts)
    listed = WithdrawalList.read(bytes.fromhex(EXAMPLES["list"]), {"1": KEY}, frozenset())
    for withdrawn, verdict in ((frozenset(), Genuine), (listed, Withdrawn)):
        issuer = Issuer("Socorejo", {"1": KEY}, withdrawn=withdrawn)
        verifier = Verifier((PREFIX,), {facts.village_code: issuer}.get)
        told = verifier.verify(EXAMPLES["payload"].encode(), date(2026, 12, 1))
        assert isinstance(told, verdict) and told.facts == facts


def test_the_digits_are_the_kiosks():
    assert codes.encode(of_base_41("I2WI$C")) == "I2WI$C"
    assert codes._DIGITS == EXAMPLES["digits"]
