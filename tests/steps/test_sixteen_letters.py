"""Each of the letters that come with the product, from the first touch at the kiosk over the officers' desk to the copy
on paper, which anybody may check."""

from types import SimpleNamespace

import pytest
import zxingcpp
from support.desk import PASSWORD, Browser

from kiosk.codes import Genuine
from kiosk.demo.village import DEMO_OFFICERS
from kiosk.desk.app import create_app
from kiosk.desk.services import Services
from kiosk.letter_types import load_letter_types
from kiosk.paper.document import Mark
from kiosk.paper.letter import CopyMark
from kiosk.paper.text import date_in_words
from kiosk.requests import RequestState
from kiosk.signing.interface import SignatureKind
from kiosk.signing.verification import Trust, check_signatures
from kiosk.store.print_jobs import PrintKind
from kiosk.views import ChoiceView, ResultView, ReviewView

pytest_plugins = ["support.kiosk"]

LETTER_TYPES, _ = load_letter_types()
#: The only one who is not married.
UNMARRIED = "joko"
FOR_THE_UNMARRIED = {"belum_menikah", "pergi_kawin"}


@pytest.fixture
def officer(hall):
    """`officer(role)`: that officer at a browser, on the hall's own database."""
    services = Services.open(hall.settings, None, hall.clock)
    desk = SimpleNamespace(app=create_app(services))
    names = {each.role: each.username for each in DEMO_OFFICERS}
    yield lambda role: Browser(desk).log_in(names[role], PASSWORD)
    services.close()


def ask(hall, resident, letter_type):
    """Answer all of its questions, and send it."""
    hall.choose("start", "letter")
    hall.identify(resident)
    hall.choose(letter_type.key)
    for position, field in enumerate(letter_type.fields, 1):
        assert field.label["id"] in " ".join(hall.words)
        if not isinstance(hall.view, ChoiceView):
            assert hall.view.progress == (position, len(letter_type.fields))
        hall.answer()
    assert isinstance(hall.view, ReviewView)
    facts = {fact.label: fact.value for fact in hall.view.facts}
    assert all(facts[field.called("id")] not in ("", "–") for field in letter_type.fields)
    hall.choose("send")
    hall.wait_for(ResultView)
    hall.choose("done")
    [request] = hall.requests_of(resident)
    assert list(request.fields) == [field.key for field in letter_type.fields]
    return request


def press(browser, number, action, **typed):
    browser.open(f"/permohonan/{number}")
    assert browser.send(f"/permohonan/{number}/{action}", **typed).status_code == 200


@pytest.mark.parametrize("letter_type", LETTER_TYPES.values(), ids=LETTER_TYPES)
def test_from_request_to_copy(hall, officer, letter_type):
    resident = UNMARRIED if letter_type.key in FOR_THE_UNMARRIED else "budi"
    request = ask(hall, resident, letter_type)

    operator = officer("operator")
    press(operator, request.number, "periksa")
    press(operator, request.number, "setujui")
    for role in letter_type.signers:
        press(officer(role), request.number, "tanda-tangani", password=PASSWORD)
    letter = hall.office.requests.get(request.id)
    assert letter.state is RequestState.READY and letter.letter_number.startswith(letter_type.code)
    original = operator.open(f"/permohonan/{request.number}/surat.pdf").data
    # Valid, and over all of the file.
    assert check_signatures(original, Trust(hall.settings, hall.clock), SignatureKind.VILLAGE) == 1

    hall.identify(resident)
    hall.choose("continue", request.number, "print")
    hall.wait_until(lambda: hall.says("letter_printed"))
    paper, [job_id] = hall.outside.papers[-1], hall.job_ids(PrintKind.LETTER_COPY)
    assert hall.is_on(paper, job_id) and hall.office.requests.copy_number(job_id) == 1
    mark, *_, foot = hall.office.letters.copy(letter.id, CopyMark(1)).blocks
    assert mark == Mark("SALINAN")
    for line in (
        "SALINAN ke-1, bukan surat asli.",
        f"Berlaku sampai {date_in_words(letter.valid_until)}",
        f"Surat asli yang ditandatangani ada di Kantor Desa {hall.settings.village.name}",
    ):
        assert line in " ".join(foot.lines)
    copy = paper.image
    [code] = zxingcpp.read_barcodes(copy.convert("L"))
    verdict = hall.office.check_code(code.bytes)
    assert isinstance(verdict, Genuine) and verdict.facts.letter_number == letter.letter_number
