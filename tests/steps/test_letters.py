"""A letter from its approved request to its signed file, and every way in which that may stop half way."""

import re

import msgspec
import pytest
from support.kiosk import NIKS, OFFICER

from kiosk.demo.village import DEMO_OFFICERS
from kiosk.journal import Event
from kiosk.letters import Letters, LetterTypeGone
from kiosk.officers import Role
from kiosk.paper.document import Footer, IdentityTable, Mark, Signature
from kiosk.paper.letter import CopyMark
from kiosk.requests import ChangedMeanwhile, NotYourTurn, RequestState, UnknownRequest
from kiosk.signing.interface import Passphrase, PdfSigner, SignatureKind, SignedPdf, SigningCode, SigningError

pytest_plugins = ["support.kiosk"]

NOTHING = Passphrase("")


@pytest.fixture
def office(quiet_hall):
    return quiet_hall.office


@pytest.fixture
def officers(office):
    return {officer.role: office.officers.by_username(officer.username) for officer in DEMO_OFFICERS}


@pytest.fixture
def approved(office):
    """`approved("sktm", …)`: an approved request of Siti's."""

    def approved(letter_type="domisili", **answers):
        siti = office.residents.by_nik(NIKS["siti"])
        key = f"{letter_type}:{len(office.requests.of_resident(siti.id))}"
        request = office.requests.submit(siti.id, letter_type, answers or {"purpose": "Melamar kerja"}, key)
        office.requests.begin_check(request.number, OFFICER)
        return office.requests.approve(request.number, OFFICER)

    return approved


def only_by(office, *roles):
    """The letter type of these tests, signed by that chain."""

    office.letter_types["domisili"] = msgspec.structs.replace(office.letter_types["domisili"], signers=roles)


def test_a_letter_is_signed_verified_and_kept(office, officers, approved):
    only_by(office, Role.HEAD)
    request = approved()
    letter = office.letters.sign(request.number, officers[Role.HEAD], NOTHING)
    assert letter.state is RequestState.READY and letter.signer_name == officers[Role.HEAD].name
    file = office.requests.file(letter.id)
    assert file.signature == SignatureKind.VILLAGE and file.data == office.letters.pdf(letter.id)
    assert re.search(rb"/ByteRange\s*\[", file.data)
    [signature] = [
        block for block in office.letters.copy(letter.id, CopyMark(1)).blocks if isinstance(block, Signature)
    ]
    assert signature.qr_payload == letter.token and signature.name == officers[Role.HEAD].name


def test_each_signs_in_turn_and_only_the_last_makes_the_letter(office, officers, approved):
    only_by(office, Role.SECRETARY, Role.HEAD)
    number = approved().number
    with pytest.raises(NotYourTurn):
        office.letters.sign(number, officers[Role.HEAD], NOTHING)
    assert office.letters.sign(number, officers[Role.SECRETARY], NOTHING).letter_number is None
    with pytest.raises(NotYourTurn):
        office.letters.sign(number, officers[Role.SECRETARY], NOTHING)
    with pytest.raises(NotYourTurn):
        office.letters.sign(number, officers[Role.OPERATOR], NOTHING)
    assert office.letters.sign(number, officers[Role.HEAD], NOTHING).state is RequestState.READY


def test_a_copy_says_what_was_signed_whatever_the_register_says_by_then(office, officers, approved):
    only_by(office, Role.HEAD)
    letter = office.letters.sign(approved().number, officers[Role.HEAD], NOTHING)
    siti = office.residents.get(letter.resident_id)
    changed = {name: value for name, value in vars(siti).items() if name != "id"}
    office.residents.change(siti.id, {**changed, "address": "DUSUN LAIN"})
    del office.letter_types["domisili"]
    copy = office.letters.copy(letter.id, CopyMark(2, printing=3))
    table = next(block for block in copy.blocks if isinstance(block, IdentityTable))
    assert ("Alamat", siti.full_address()) in table.rows
    assert copy.blocks[0] == Mark("SALINAN")
    foot = copy.blocks[-1]
    assert isinstance(foot, Footer) and foot.lines[0] == "SALINAN ke-2, cetakan ke-3, bukan surat asli."
    assert any("Berlaku sampai" in line for line in foot.lines) and "Kantor Desa" in foot.lines[-1]


def test_a_preview_is_a_draft_without_number_and_code(office, approved):
    request = approved()
    text = office.letters.preview(request.number)
    assert text.startswith(b"%PDF") and b"/ByteRange" not in text
    assert office.requests.by_number(request.number) == request


class Faulty(PdfSigner):
    """A signing server that answers with what it is given, or does not."""

    kind, sentence, needs_passphrase = SignatureKind.VILLAGE, "", True

    def __init__(self, answer):
        self._answer = answer

    def sign(self, pdf, officer, nik, passphrase):
        return self._answer(pdf, officer, nik, passphrase)

    def status(self, nik):
        raise NotImplementedError

    def check(self):
        raise NotImplementedError

    def verify(self, pdf):
        raise NotImplementedError


def with_signer(office, signer) -> Letters:
    return Letters(
        office.settings,
        office.clock,
        office.journal,
        office.letter_types,
        office.residents,
        office.requests,
        office.signer,
        signer,
        office.officers.nik_of,
    )


def refuse(*_):
    raise SigningError(SigningCode.NO_KEY)


def give_back_unsigned(pdf, *_):
    return SignedPdf(pdf, SignatureKind.VILLAGE)


def give_back_a_page_of_html(*_):
    return SignedPdf(b"<html>login</html>", SignatureKind.VILLAGE)


@pytest.mark.parametrize("answer", [refuse, give_back_unsigned, give_back_a_page_of_html])
def test_what_is_not_signed_changes_nothing_and_the_next_try_has_the_same_number(office, officers, approved, answer):
    only_by(office, Role.HEAD)
    number = approved().number
    with pytest.raises(SigningError) as refusal:
        with_signer(office, Faulty(answer)).sign(number, officers[Role.HEAD], Passphrase("rahasia sekali"))
    waiting = office.requests.by_number(number)
    assert waiting.state is RequestState.SIGNING and waiting.letter_number.split("/")[1] == "001"
    with pytest.raises(UnknownRequest):
        office.letters.pdf(waiting.id)
    [failed] = [entry for entry in office.journal.of_request(waiting.id) if entry.event is Event.SIGNING_FAILED]
    assert failed.facts["code"] == refusal.value.code
    letter = office.letters.sign(number, officers[Role.HEAD], NOTHING)
    assert letter.letter_number == waiting.letter_number


def test_without_a_passphrase_nothing_is_sent_and_no_number_given(office, officers, approved):
    only_by(office, Role.HEAD)
    asked, request = [], approved()
    with pytest.raises(SigningError) as refusal:
        with_signer(office, Faulty(lambda *_: asked.append(1))).sign(request.number, officers[Role.HEAD], NOTHING)
    assert refusal.value.code is SigningCode.WRONG_PASSPHRASE and not asked
    assert office.requests.by_number(request.number) == request


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("", SigningCode.UNPRINTABLE),
        ("kiosk.paper.pdf.DEADLINE_S", SigningCode.UNREADABLE_PDF),
    ],
)
def test_a_letter_that_cannot_be_drawn_takes_no_number(office, officers, approved, monkeypatch, caplog, fault, code):
    """The register may hold what was in it before such a character was refused."""
    only_by(office, Role.HEAD)
    request = approved()
    if fault:
        monkeypatch.setattr(fault, 0.001)
    else:
        siti = {name: value for name, value in vars(office.residents.get(request.resident_id)).items() if name != "id"}
        office.residents.change(request.resident_id, siti | {"name": "SITI \U0001f600"})
    for act in (office.letters.preview, lambda number: office.letters.sign(number, officers[Role.HEAD], NOTHING)):
        with pytest.raises(SigningError) as refusal:
            act(request.number)
        assert refusal.value.code is code and refusal.value.advice
    assert office.requests.by_number(request.number) == request
    assert code in caplog.text and "SITI" not in caplog.text


def test_anothers_letter_is_not_taken_for_this_one(office, officers, approved):
    """A server that mixes up two requests, or an attacker between, answers with a file that is well signed."""
    only_by(office, Role.HEAD)
    first = office.letters.sign(approved().number, officers[Role.HEAD], NOTHING)
    other = Faulty(lambda *_: SignedPdf(office.letters.pdf(first.id), SignatureKind.VILLAGE))
    number = approved(purpose="Mendaftar sekolah").number
    with pytest.raises(SigningError):
        with_signer(office, other).sign(number, officers[Role.HEAD], Passphrase("rahasia"))
    assert office.requests.by_number(number).state is RequestState.SIGNING


def test_a_request_that_is_given_back_while_its_letter_is_signed_stays_so(office, officers, approved):
    only_by(office, Role.HEAD)
    number = approved().number
    real = office.letters._pdf_signer

    def meanwhile(*arguments):
        office.requests.return_(number, OFFICER, "Nama usaha salah")
        return real.sign(*arguments)

    with pytest.raises(ChangedMeanwhile):
        with_signer(office, Faulty(meanwhile)).sign(number, officers[Role.HEAD], Passphrase("rahasia"))
    assert office.requests.by_number(number).state is RequestState.RETURNED


def test_a_letter_type_that_is_gone(office, officers, approved):
    number = approved().number
    del office.letter_types["domisili"]
    for act in (office.letters.preview, lambda number: office.letters.sign(number, officers[Role.HEAD], NOTHING)):
        with pytest.raises(LetterTypeGone, match="domisili"):
            act(number)


def test_the_passphrase_goes_to_the_signer_and_nowhere_else(office, officers, approved, caplog):
    only_by(office, Role.HEAD)
    given = []
    letters = with_signer(office, Faulty(lambda pdf, officer, nik, passphrase: given.append(passphrase) or refuse()))
    secret = Passphrase("kata yang sangat rahasia")
    with caplog.at_level("DEBUG"), pytest.raises(SigningError) as refusal:
        letters.sign(approved().number, officers[Role.HEAD], secret)
    assert given == [secret] and letters.needs_passphrase
    told = [caplog.text, repr(refusal.value), *(str(entry.facts) for entry in office.journal.entries())]
    assert not any("rahasia" in text for text in told)
