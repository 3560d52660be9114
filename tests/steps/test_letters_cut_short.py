"""The power fails between any two steps of a signature: no number is used twice, no letter is without its file, no file
without its letter, and the next try ends it."""

from itertools import count

import msgspec
import pytest
from sqlalchemy import select
from support.clock import FakeClock
from support.cut_short import cut_short
from support.kiosk import NIKS, OFFICER

from config.settings import Settings
from kiosk.demo.village import settle_officers
from kiosk.devices import Devices
from kiosk.office import Office
from kiosk.officers import Role
from kiosk.requests import LetterRequest, RequestState
from kiosk.signing.interface import Passphrase
from kiosk.store.schema import letter_files, letter_requests, letter_signatures

pytest_plugins = ["support.kiosk"]

CHAIN = {Role.SECRETARY: "wulan", Role.HEAD: "sudarman"}


def opened(settings: Settings) -> Office:
    office = Office.open(settings, FakeClock(), Devices(), printer=None, post=lambda event: None)
    office.letter_types["domisili"] = msgspec.structs.replace(office.letter_types["domisili"], signers=tuple(CHAIN))
    return office


def approved(office: Office, key: str) -> LetterRequest:
    siti = office.residents.by_nik(NIKS["siti"])
    request = office.requests.submit(siti.id, "domisili", {"purpose": "Melamar kerja"}, key)
    office.requests.begin_check(request.number, OFFICER)
    return office.requests.approve(request.number, OFFICER)


def sign(settings: Settings, number: str) -> None:
    """What is still to be signed, in a process of its own."""
    office = opened(settings)
    for username in list(CHAIN.values())[office.requests.by_number(number).signed :]:
        office.letters.sign(number, office.officers.by_username(username), Passphrase(""))
    office.close()


def assert_numbers_and_files_are_whole(office: Office) -> None:
    with office.store.read() as tx:
        letters = tx.execute(select(letter_requests).order_by(letter_requests.c.letter_number)).all()
        files = set(tx.execute(select(letter_files.c.request_id)).scalars())
        signed = tx.execute(select(letter_signatures.c.request_id, letter_signatures.c.position)).all()
    numbered = [letter for letter in letters if letter.letter_number]
    serials = [int(letter.letter_number.split("/")[1]) for letter in numbered]
    assert serials == list(range(1, len(serials) + 1)), "a number was used twice, or lost"
    assert len({letter.letter_id for letter in numbered}) == len(numbered)
    ready = {letter.id for letter in letters if letter.state == RequestState.READY}
    assert files == ready == {request for request, position in signed if position == len(CHAIN) - 1}
    assert ready <= {letter.id for letter in numbered}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("stride", [3, pytest.param(1, marks=pytest.mark.soak)])
def test_a_signature_cut_short_anywhere_is_ended_by_the_next_try(settings, tmp_path, stride):
    office = opened(settings)
    settle_officers(office)
    office.close()
    found = set()
    for step in count(step=stride):
        office = opened(settings)
        number = approved(office, f"request {step}").number
        office.close()  # a child must not share a connection
        killed = cut_short(lambda number=number: sign(settings, number), tmp_path, step)
        office = opened(settings)
        assert_numbers_and_files_are_whole(office)
        left = office.requests.by_number(number)
        found.add((left.state, left.signed, left.letter_number is not None))
        office.close()
        if not killed:
            break
        if left.state is not RequestState.READY:
            sign(settings, number)
        office = opened(settings)
        letter = office.requests.by_number(number)
        assert letter.state is RequestState.READY and left.letter_number in (None, letter.letter_number)
        assert office.letters.pdf(letter.id).startswith(b"%PDF")
        assert_numbers_and_files_are_whole(office)
        office.close()
    assert found == {
        (RequestState.SIGNING, 0, False),
        (RequestState.SIGNING, 1, False),
        (RequestState.SIGNING, 1, True),  # numbered, and not signed
        (RequestState.READY, 2, True),
    }
