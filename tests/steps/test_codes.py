"""The signed codes: what holds, what does not, and what a stranger may show to the scanner."""

import time
from dataclasses import replace
from datetime import date

import cbor2
import cwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import codes, cose
from kiosk.codes import (
    Damaged,
    Expired,
    Genuine,
    Issuer,
    KeyRevoked,
    LetterFacts,
    NotFromHere,
    Origin,
    RequestSlip,
    Signer,
    Verifier,
    Withdrawn,
)

PREFIX = "HTTPS://CEK.TUBAN.DESA.ID/S/"
VILLAGE = "35.23.12.2002"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FACTS = LetterFacts(
    village_code=VILLAGE,
    letter_id="9f86d081884c7d659a2feaa0c55ad015",
    letter_type="domisili",
    letter_number="400.12.2.1/012/35.23.12.2002/XI/2026",
    masked_name="S*** A***",
    issued_on=date(2026, 11, 24),
    valid_until=date(2027, 2, 22),
)
TODAY = date(2026, 12, 1)
SIGNER = Signer(KEY, VILLAGE, "1", PREFIX)
PAYLOAD = SIGNER.letter(FACTS)


HERE = Origin("Socorejo")
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def a_verifier(**changes: object) -> Verifier:
    issuer = Issuer(**{"name": "Socorejo", "public_keys": {"1": KEY.public_key()}, **changes})
    return Verifier((PREFIX,), {VILLAGE: issuer}.get)


def token_of(payload: str) -> bytes:
    return codes.decode(payload.removeprefix(PREFIX))


def as_payload(token: bytes) -> bytes:
    return (PREFIX + codes.encode(token)).encode()


def test_a_letter_is_genuine_with_all_its_facts() -> None:
    assert a_verifier().verify(PAYLOAD.encode(), TODAY) == Genuine(FACTS, HERE)


def test_a_letter_holds_through_its_last_day_and_no_longer() -> None:
    assert a_verifier().verify(PAYLOAD.encode(), date(2027, 2, 22)) == Genuine(FACTS, HERE)
    assert a_verifier().verify(PAYLOAD.encode(), date(2027, 2, 23)) == Expired(FACTS, HERE)


def test_a_letter_called_back_while_the_verifier_lives_is_withdrawn() -> None:
    withdrawn: set[str] = set()
    verifier = a_verifier(withdrawn=withdrawn)
    assert verifier.verify(PAYLOAD.encode(), TODAY) == Genuine(FACTS, HERE)
    withdrawn.add(FACTS.letter_id)
    assert verifier.verify(PAYLOAD.encode(), TODAY) == Withdrawn(FACTS, HERE)
    assert verifier.verify(PAYLOAD.encode(), date(2030, 1, 1)) == Withdrawn(FACTS, HERE)


def test_a_request_slip_is_no_letter() -> None:
    assert a_verifier().verify(SIGNER.request("P-0012").encode(), TODAY) == RequestSlip(VILLAGE, "P-0012", HERE)


def test_no_changed_bit_passes() -> None:
    token = token_of(PAYLOAD)
    verifier = a_verifier()
    for bit in range(len(token) * 8):
        changed = bytearray(token)
        changed[bit // 8] ^= 1 << bit % 8
        assert isinstance(verifier.verify(as_payload(bytes(changed)), TODAY), Damaged | NotFromHere), f"bit {bit}"


def test_no_changed_character_passes() -> None:
    verifier = a_verifier()
    for at in range(len(PAYLOAD)):
        other = "A" if PAYLOAD[at] != "A" else "B"
        changed = PAYLOAD[:at] + other + PAYLOAD[at + 1 :]
        assert isinstance(verifier.verify(changed.encode(), TODAY), Damaged | NotFromHere), f"character {at}"


def test_what_a_revoked_key_signed_is_told_as_that_and_its_words_are_not() -> None:
    assert a_verifier(revoked={"1"}).verify(PAYLOAD.encode(), TODAY) == KeyRevoked(HERE)
    assert a_verifier(revoked={"1"}).verify(SIGNER.request("P-0012").encode(), TODAY) == KeyRevoked(HERE)


def test_after_a_change_of_key_both_verify() -> None:
    verifier = a_verifier(public_keys={"1": KEY.public_key(), "2": OTHER_KEY.public_key()})
    newer = Signer(OTHER_KEY, VILLAGE, "2", PREFIX).letter(FACTS)
    assert newer != PAYLOAD
    for payload in (PAYLOAD, newer):
        assert verifier.verify(payload.encode(), TODAY) == Genuine(FACTS, HERE)


def test_a_code_signed_anew_says_the_same_behind_the_prefix_of_now() -> None:
    signer = Signer(OTHER_KEY, VILLAGE, "2", "HTTPS://LAIN.DESA.ID/")
    assert signer.again(PAYLOAD) == signer.letter(FACTS)


@pytest.mark.parametrize("other_prefix", ["HTTPS://CEK.JENU.DESA.ID/", PREFIX, PREFIX + "J/"])
def test_each_village_has_its_own_keys_and_a_prefix_of_its_own_or_not(other_prefix) -> None:
    other = "35.23.12.2003"
    issuers = {
        VILLAGE: Issuer("Socorejo", {"1": KEY.public_key()}),
        other: Issuer("Jenu", {"1": OTHER_KEY.public_key()}, withdrawn={FACTS.letter_id}),
    }
    verifier = Verifier((PREFIX, other_prefix), issuers.get)
    theirs = Signer(OTHER_KEY, other, "1", other_prefix).letter(replace(FACTS, village_code=other))
    assert isinstance(verifier.verify(theirs.encode(), TODAY), Withdrawn)
    assert verifier.verify(PAYLOAD.encode(), TODAY) == Genuine(FACTS, HERE)
    pretended = Signer(OTHER_KEY, VILLAGE, "1", other_prefix).letter(FACTS)
    assert verifier.verify(pretended.encode(), TODAY) == Damaged()


def test_another_key_of_the_same_name_is_a_forgery() -> None:
    forger = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)), VILLAGE, "1", PREFIX)
    assert a_verifier().verify(forger.letter(FACTS).encode(), TODAY) == Damaged()


def test_a_key_that_this_kiosk_does_not_have_is_not_from_here() -> None:
    assert a_verifier().verify(Signer(KEY, VILLAGE, "2", PREFIX).letter(FACTS).encode(), TODAY) == NotFromHere()
    assert a_verifier().verify(Signer(KEY, "35.23.02.2012", "1", PREFIX).request("1").encode(), TODAY) == NotFromHere()


@pytest.mark.parametrize(
    ("payload", "verdict"),
    [
        (b"", NotFromHere()),
        (b"https://example.org/", NotFromHere()),
        (b"WIFI:S:hall;;", NotFromHere()),
        (PREFIX.lower().encode() + b"ABC", NotFromHere()),
        (bytes(range(256)) * 16, NotFromHere()),
        (b"9" * 4096, NotFromHere()),
        (PREFIX.encode(), Damaged()),
        (PREFIX.encode() + b"9" * 4096, Damaged()),
        (PREFIX.encode() + bytes(range(256)) * 16, Damaged()),
        (PREFIX.encode() + b"A" * 600, Damaged()),
        (PREFIX.encode() + b"::::::", Damaged()),
        (PREFIX.encode() + b"A% /.", Damaged()),
        (PREFIX.encode() + b"0", Damaged()),
        (PAYLOAD.encode() + b"\n", Damaged()),
        (PAYLOAD[:-30].encode(), Damaged()),
        (PAYLOAD.encode() + b"000", Damaged()),
    ],
)
def test_what_a_stranger_may_show(payload: bytes, verdict: object) -> None:
    assert a_verifier().verify(payload, TODAY) == verdict


HEADER = bytes.fromhex("a2012704") + bytes([0x40 + 15]) + b"35.23.12.2002/1"


@pytest.mark.parametrize(
    "token",
    [
        b"\x81" * 390,
        b"\x9f" * 390,
        b"\xd2" * 390,
        b"\xa1\x01" * 190,
        b"\xd8\x23" * 190,
        b"\x5b" + b"\xff" * 8,
        b"\x9b" + b"\xff" * 8,
        b"\xd2\x84\x59\xff\xff" + b"A" * 380,
        b"\xd2\x84" + b"\x40" * 3,
        b"\xd2\x84\x53",
        b"\xd2\x84\x54" + HEADER + b"\xa0\x59\xff\xff",
        b"\xd2\x84\x54" + HEADER + b"\xa0\x40\x40",
        b"\xd2\x84\x54" + HEADER + b"\xa0\x58\x80" + b"\x81" * 128 + b"\x58\x40" + b"\0" * 64,
        b"\xd2\x84\x54" + HEADER[:-1] + b"\xff" + b"\xa0\x40\x40",
    ],
)
def test_hostile_cbor_is_answered_at_once(token: bytes) -> None:
    begun_s = time.perf_counter()
    assert isinstance(a_verifier().verify(as_payload(token), TODAY), Damaged | NotFromHere)
    assert time.perf_counter() - begun_s < 0.1


def signed_claims(body: bytes) -> bytes:
    return as_payload(cose.sign(KEY, VILLAGE, "1", body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x81" * 100,
        cbor2.dumps({}),
        cbor2.dumps([1, 2]),
        cbor2.dumps({-65537: [7, "later"]}),
        cbor2.dumps({-65537: [1]}),
        cbor2.dumps({-65537: [1, 5]}),
        cbor2.dumps({-65537: [0, "a", "b"], 2: "S***", 4: 1 << 60, 6: 0, 7: b"1"}),
        cbor2.dumps({-65537: [0, "a", "b"], 2: "S***", 4: 0, 6: "x", 7: b"1"}),
        cbor2.dumps({-65537: [2, "a", "b"], 2: "S***", 4: 1 << 30, 6: 0, 7: b"1"}),
        cbor2.dumps({-65537: [1, "P-0012", "more"]}),
    ],
)
def test_signed_words_that_this_version_does_not_know_are_no_letter(body: bytes) -> None:
    assert a_verifier().verify(signed_claims(body), TODAY) == Damaged()


def test_the_token_is_a_cwt_that_a_library_of_the_standard_reads() -> None:
    key = cwt.COSEKey.new({1: 1, 2: b"35.23.12.2002/1", 3: -8, -1: 6, -2: KEY.public_key().public_bytes_raw()})
    claims = cwt.CWT.new(expires_in=10**9).decode(token_of(PAYLOAD), key)
    assert claims[2] == "S*** A***"
    assert claims[-65537] == [0, "domisili", FACTS.letter_number]


def test_a_payload_is_short_and_survives_a_phones_address_bar() -> None:
    assert len(PAYLOAD) <= 320
    assert not set(PAYLOAD.removeprefix(PREFIX)) & set(" %./?#&")
    assert len(SIGNER.request("P-0012")) < 210


@pytest.mark.parametrize("prefix", ["https://cek.desa.id/s/", "HTTPS://CEK.DESA.ID/S", "HTTPS://CEK.DESA.ID/?S=/", ""])
def test_a_prefix_outside_the_alphabet_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Signer(KEY, VILLAGE, "1", prefix)


@pytest.mark.parametrize("data", [b"", b"\0", b"\xff", b"\0\0", b"\xff\xff", bytes(range(256)), b"\xff" * 33])
def test_the_digits_lose_nothing(data: bytes) -> None:
    assert codes.decode(codes.encode(data)) == data


def test_the_facts_stay_out_of_a_log() -> None:
    assert "S***" not in repr(Genuine(FACTS, HERE)) and "400.12" not in repr(Genuine(FACTS, HERE))
