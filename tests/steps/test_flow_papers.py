"""Papers on the way to a letter: photographed, or left for the desk, with a camera and without one."""

import io
from collections.abc import Callable

import numpy
import pytest
from PIL import Image, ImageChops, ImageEnhance, ImageFilter
from support.kiosk import OFFICER, Hall, texts_of

from config.translations import LANGUAGES, say
from hardware.code_scanner.example_paper import bare_table, example_paper
from hardware.code_scanner.interface import PhotoFailed
from hardware.device import DeviceState
from kiosk.intents import LanguageChosen
from kiosk.journal import Event
from kiosk.papers import KeptPaper
from kiosk.requests import LetterRequest, RequestState
from kiosk.spooler import PrintJob
from kiosk.store.print_jobs import PrintKind
from kiosk.store.requirement_papers import Paper, PaperState
from kiosk.views import ChoiceView, PhotoView, ResultView, ReviewView

pytest_plugins = ["support.kiosk"]

LETTER, FAMILY_CARD = "pengantar_rt", "kk"
PHOTO = b"\xff\xd8\xff\xe0 a photo"
#: From the idle screen to the paper, besides PIN and text (the issue's promise).
MOST_TOUCHES = 8


@pytest.fixture
def hall(make_hall: Callable[..., Hall]) -> Hall:
    """One with a camera for papers."""
    return make_hall(camera=True)


@pytest.fixture
def hall_without_camera(make_hall: Callable[..., Hall]) -> Hall:
    return make_hall()


def come_to_the_papers(hall: Hall, name: str = "siti") -> None:
    hall.choose("start", "letter")
    hall.identify(name)
    if "new" in hall.offered:
        hall.choose("new")
    hall.choose("domisili")
    hall.enter("Melamar kerja")


def photograph(hall: Hall, key: str) -> None:
    hall.choose(f"photo:{key}")
    hall.wait_until(lambda: hall.face.frames)
    hall.choose("take")


def send(hall: Hall) -> LetterRequest:
    hall.choose("send")
    hall.wait_for(ResultView)
    return hall.requests_of("siti")[0]


def kept(hall: Hall, request: LetterRequest) -> dict[str, PaperState]:
    papers: dict[str, KeptPaper] = hall.office.papers.of_request(request.id)
    return {key: paper.state for key, paper in papers.items()}


def look_alike(jpeg: bytes, other: Image.Image) -> bool:
    small = [
        image.convert("L").resize((96, 54), Image.Resampling.BOX) for image in (Image.open(io.BytesIO(jpeg)), other)
    ]
    return numpy.count_nonzero(numpy.asarray(ImageChops.difference(*small)) > 24) < 50


def test_one_paper_is_photographed_and_the_other_brought(hall: Hall) -> None:
    come_to_the_papers(hall)
    assert "Surat pengantar RT/RW" in hall.words
    assert [choice.value for choice in hall.view.choices if choice.prominent] == [f"photo:{LETTER}"]
    hall.choose(f"photo:{LETTER}")
    assert isinstance(hall.view, PhotoView) and hall.view.picture is None and hall.scene.leaving_loses
    assert hall.says("photo_notice", n=hall.settings.photos_kept_days) and hall.says("camera_is_below")
    hall.wait_until(lambda: hall.face.frames)
    hall.choose("take")
    assert isinstance(hall.view, PhotoView) and look_alike(hall.view.picture, example_paper())
    assert hall.says("is_photo_legible")
    hall.choose("use")
    assert "Fotokopi KK" in hall.words
    hall.choose(f"desk:{FAMILY_CARD}")
    assert isinstance(hall.view, ReviewView)
    facts = {fact.label: fact.value for fact in hall.view.facts}
    assert facts["Surat pengantar RT/RW"] == say("id", "photographed")
    assert facts["Fotokopi KK"] == say("id", "brought_to_desk")
    request = send(hall)
    assert kept(hall, request) == {LETTER: PaperState.PHOTO, FAMILY_CARD: PaperState.DESK}
    assert look_alike(hall.office.papers.photo(request.id, LETTER), example_paper())
    assert hall.says("hand_in_at_desk") and "Fotokopi KK" in hall.words


def test_who_brings_all_papers_needs_no_more_touches_than_promised(hall: Hall) -> None:
    come_to_the_papers(hall)
    hall.choose(f"desk:{LETTER}", f"desk:{FAMILY_CARD}")
    request = send(hall)
    assert hall.choices <= MOST_TOUCHES
    assert set(kept(hall, request).values()) == {PaperState.DESK}
    assert hall.face.frames == []  # nobody was filmed


def test_a_hall_without_a_camera_asks_nobody(hall_without_camera: Hall) -> None:
    come_to_the_papers(hall_without_camera)
    assert isinstance(hall_without_camera.view, ReviewView)
    request = send(hall_without_camera)
    assert kept(hall_without_camera, request) == {LETTER: PaperState.DESK, FAMILY_CARD: PaperState.DESK}
    assert "Surat pengantar RT/RW, fotokopi KK" in hall_without_camera.words


def test_a_camera_that_is_away_is_as_good_as_none(hall: Hall) -> None:
    hall.scanner.unplug()
    hall.wait_until(lambda: not hall.devices.serving("code_scanner"))
    come_to_the_papers(hall)
    assert isinstance(hall.view, ReviewView)


@pytest.mark.parametrize(
    ("paper", "told", "offered"),
    [
        (ImageEnhance.Brightness(example_paper()).enhance(0.2), "photo_dark", {"use", "again"}),
        (example_paper().filter(ImageFilter.GaussianBlur(6)), "photo_blurred", {"use", "again"}),
        (bare_table(), "photo_empty", {f"desk:{LETTER}", "again"}),
    ],
    ids=["dark", "blurred", "empty"],
)
def test_a_photo_of_no_use_is_told_and_taken_again(hall: Hall, paper: Image.Image, told: str, offered: set) -> None:
    hall.scanner.lay_paper(paper)
    come_to_the_papers(hall)
    photograph(hall, LETTER)
    assert hall.says(told) and set(hall.offered) == offered
    assert [choice.value for choice in hall.view.choices if choice.prominent] == ["again"]
    hall.choose("again")
    assert hall.view.picture is None
    hall.scanner.lay_paper(example_paper())
    hall.choose("take", "use", f"desk:{FAMILY_CARD}")
    assert isinstance(hall.view, ReviewView)


def test_going_back_leads_to_the_question_and_another_answer_counts(hall: Hall) -> None:
    come_to_the_papers(hall)
    photograph(hall, LETTER)
    hall.back()
    assert isinstance(hall.view, ChoiceView) and f"desk:{LETTER}" in hall.offered
    hall.choose(f"photo:{LETTER}")
    hall.back()
    hall.choose(f"desk:{LETTER}")
    hall.back()
    photograph(hall, LETTER)
    hall.choose("use", f"desk:{FAMILY_CARD}")
    assert kept(hall, send(hall)) == {LETTER: PaperState.PHOTO, FAMILY_CARD: PaperState.DESK}


def test_answers_that_are_typed_again_leave_the_photos_as_they_are(hall: Hall) -> None:
    come_to_the_papers(hall)
    photograph(hall, LETTER)
    hall.choose("use", f"desk:{FAMILY_CARD}", "edit", "answers")
    hall.enter("Mencari sekolah")
    assert isinstance(hall.view, ReviewView)
    assert kept(hall, send(hall)) == {LETTER: PaperState.PHOTO, FAMILY_CARD: PaperState.DESK}


def test_a_camera_that_goes_away_while_it_is_watched_is_told_and_the_desk_is_left(hall: Hall) -> None:
    come_to_the_papers(hall)
    hall.choose(f"photo:{LETTER}")
    hall.scanner.unplug()
    hall.wait_for(ChoiceView)
    assert hall.says("camera_away") and hall.offered[f"photo:{LETTER}"] is False
    hall.scanner.plug()
    hall.wait_until(lambda: hall.offered[f"photo:{LETTER}"])
    hall.choose(f"desk:{LETTER}", f"desk:{FAMILY_CARD}")
    assert isinstance(hall.view, ReviewView)


def test_a_camera_that_takes_no_photo_is_told_and_may_be_tried_again(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise PhotoFailed("SCANNER-NO-PHOTO")

    come_to_the_papers(hall)
    with monkeypatch.context() as broken:
        broken.setattr(hall.scanner, "take_photo", fail)
        photograph(hall, LETTER)
    assert hall.says("camera_away") and hall.offered[f"photo:{LETTER}"]
    assert hall.journal(Event.PHOTO_FAILED) == [{"code": "SCANNER-NO-PHOTO"}]
    photograph(hall, LETTER)
    assert hall.view.picture


def test_the_camera_is_watched_only_where_its_picture_is_shown(hall: Hall) -> None:
    def is_watched() -> bool:
        return hall.scanner._watching is not None

    come_to_the_papers(hall)
    assert not is_watched()
    hall.choose(f"photo:{LETTER}")
    assert is_watched()
    hall.intend(LanguageChosen, "en")
    assert is_watched()
    hall.choose("take")
    assert not is_watched()
    hall.choose("again")
    assert is_watched()
    hall.leave()
    assert hall.idle and not is_watched()


def test_no_frame_is_shown_to_the_next_person(hall: Hall) -> None:
    """One that was under way when the visit ended comes to nobody."""
    come_to_the_papers(hall)
    hall.choose(f"photo:{LETTER}")
    hall.wait_until(lambda: hall.face.frames)
    hall.leave()
    seen = len(hall.face.frames)
    hall.scanner.lay_paper(bare_table())
    hall.choose("start", "letter")
    hall.identify("budi")
    hall.settle()
    assert len(hall.face.frames) == seen


@pytest.fixture
def returned(hall: Hall) -> LetterRequest:
    """A request whose photo was refused and whose other paper is at the desk."""
    papers = (Paper(LETTER, PHOTO), Paper(FAMILY_CARD))
    request = hall.submit("siti", "domisili", papers=papers)
    hall.office.requests.begin_check(request.number, OFFICER)
    hall.office.papers.mark_refused(request.number, LETTER, OFFICER)
    hall.office.papers.mark_received(request.number, FAMILY_CARD, OFFICER)
    return hall.office.requests.return_(request.number, OFFICER, "Foto tidak terbaca")


def test_a_returned_request_asks_for_the_refused_paper_alone(hall: Hall, returned: LetterRequest) -> None:
    hall.choose("start", "letter")
    hall.identify("siti")
    hall.choose(returned.number)
    facts = {fact.label: fact.value for fact in hall.view.facts}
    assert facts[say("id", "papers_refused")] == "Surat pengantar RT/RW"
    assert say("id", "hand_in_at_desk") not in facts
    hall.choose("correct")
    hall.enter("Melamar kerja")
    assert hall.says("paper_was_refused")
    photograph(hall, LETTER)
    hall.choose("use")
    assert isinstance(hall.view, ReviewView)
    request = send(hall)
    assert request.state is RequestState.SUBMITTED
    assert kept(hall, request) == {LETTER: PaperState.PHOTO, FAMILY_CARD: PaperState.RECEIVED}
    assert hall.office.papers.photo(request.id, LETTER) != PHOTO


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_slip_lists_what_is_still_to_be_brought_and_counts_the_photos(hall: Hall, language: str) -> None:
    papers = (Paper(LETTER, PHOTO), Paper(FAMILY_CARD))
    request = hall.submit("siti", papers=papers)
    document = hall.office.spooler._compose.document(
        PrintJob(request.print_job_id, PrintKind.REQUEST_SLIP, request.id, 1, language)
    )
    text = "\n".join(texts_of(document.blocks))
    labels = {each.key: each.label[language] for each in hall.office.letter_types["domisili"].requirements}
    assert say(language, "paper_photographed", n=1) in text
    assert labels[FAMILY_CARD] in text and labels[LETTER] not in text


def test_a_device_that_is_not_ready_offers_no_photo(hall: Hall) -> None:
    come_to_the_papers(hall)
    hall.status("code_scanner", DeviceState.FAULT, "SCANNER-DECODER")
    assert hall.offered[f"photo:{LETTER}"] is False
