"""The papers that a letter needs, one at a time: photographed here, or brought to the desk.

Which one is it? → how do you hand it in? → lay it before the camera → is it legible? → the next.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from config.translations import in_language
from hardware.code_scanner.interface import CodeScanner, Photo, PhotoFailed, PhotoFlaw
from hardware.device import StatusChanged
from kiosk.intents import Chosen
from kiosk.journal import Event
from kiosk.letter_types import LetterType, Requirement
from kiosk.papers import KeptPaper, wanted
from kiosk.requests import LetterRequest
from kiosk.step import Next, Step, Wait
from kiosk.store.requirement_papers import Paper, PaperState
from kiosk.views import Choice, ChoiceView, Fact, PhotoView, View
from kiosk.visit import Visit

FLAWS = {PhotoFlaw.DARK: "photo_dark", PhotoFlaw.BLURRED: "photo_blurred", PhotoFlaw.EMPTY: "photo_empty"}


def ask_papers(
    letter_type: LetterType, request: LetterRequest | None, decided: dict[str, Paper], then: Callable[[], Step]
) -> Step:
    """Ask about each paper that is still wanted and not in `decided`, which gets them by requirement; then `then`.

    `request` is the returned one that is being corrected: what an officer has of it, or what was photographed and not
    refused, is not asked for again. Where nothing can photograph, all are for the desk and nobody is asked.
    """
    if not letter_type.requirements:
        return then()

    def look(office: Any) -> tuple[bool, dict[str, KeptPaper]]:
        return office.devices.can_photograph, office.papers.of_request(request.id) if request else {}

    def found(answer: tuple[bool, dict[str, KeptPaper]]) -> Step:
        can_photograph, kept = answer
        open_ones = tuple(each for each in wanted(letter_type, kept) if each.key not in decided)
        if can_photograph:
            return _Round(letter_type, open_ones, kept, decided, then).ask(0)
        decided.update({each.key: Paper(each.key) for each in open_ones})
        return then()

    return Wait(look, found)


def names_of(requirements: Iterable[Requirement], visit: Visit) -> str:
    """«surat pengantar RT/RW, fotokopi KK»."""
    labels = (in_language(requirement.label, visit.language) for requirement in requirements)
    return ", ".join(label if label[:2].isupper() else label[:1].lower() + label[1:] for label in labels)


def decided_facts(letter_type: LetterType, decided: Mapping[str, Paper], visit: Visit) -> tuple[Fact, ...]:
    """How each paper is handed in, to be read over."""
    return tuple(
        Fact(
            in_language(requirement.label, visit.language),
            visit.say("brought_to_desk" if decided[requirement.key].photo is None else "photographed"),
        )
        for requirement in letter_type.requirements
        if requirement.key in decided
    )


def kept_facts(letter_type: LetterType | None, kept: Mapping[str, KeptPaper], visit: Visit) -> tuple[Fact, ...]:
    """What the desk still waits for, and which of it was refused; nothing for a type that the village has removed."""
    if letter_type is None:
        return ()
    open_ones = wanted(letter_type, kept)
    refused = [each for each in open_ones if each.key in kept and kept[each.key].state is PaperState.REFUSED]
    to_bring = [each for each in open_ones if each not in refused]
    facts = (("hand_in_at_desk", to_bring), ("papers_refused", refused))
    return tuple(Fact(visit.say(key), _capital(names_of(papers, visit))) for key, papers in facts if papers)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, repr=False)
class _Round:
    """The papers that one request is asked about."""

    letter_type: LetterType
    requirements: tuple[Requirement, ...]
    kept: Mapping[str, KeptPaper]
    decided: dict[str, Paper]
    then: Callable[[], Step]

    def ask(self, position: int) -> Step:
        return AskPaper(self, position) if position < len(self.requirements) else self.then()

    def decide(self, position: int, photo: bytes | None) -> Step:
        key = self.requirements[position].key
        self.decided[key] = Paper(key, photo)
        return self.ask(position + 1)

    def label(self, position: int, visit: Visit) -> str:
        return in_language(self.requirements[position].label, visit.language)

    def is_refused(self, position: int) -> bool:
        paper = self.kept.get(self.requirements[position].key)
        return paper is not None and paper.state is PaperState.REFUSED


class _PaperStep(Step):
    loses = True

    def __init__(self, papers: _Round, position: int) -> None:
        self._papers, self._position = papers, position

    @property
    def _key(self) -> str:
        return self._papers.requirements[self._position].key

    def _to_desk(self, visit: Visit) -> Choice:
        return Choice(f"desk:{self._key}", visit.say("bring_to_desk"), "counter")

    def _on_desk(self, event: Any) -> Next:
        match event:
            case Chosen(value=value) if value == f"desk:{self._key}":
                return self._papers.decide(self._position, None)
        return None


class AskPaper(_PaperStep):
    """How is this paper handed in? `camera_failed` says that the camera could not."""

    def __init__(self, papers: _Round, position: int, camera_failed: bool = False) -> None:
        super().__init__(papers, position)
        self._camera_failed = camera_failed

    def view(self, visit: Visit) -> View:
        can_photograph = visit.office.devices.can_photograph
        notices = [visit.say("paper_was_refused")] if self._papers.is_refused(self._position) else []
        if self._camera_failed and can_photograph:
            notices.append(visit.say("camera_away"))
        photo = Choice(
            f"photo:{self._key}",
            visit.say("photograph_here"),
            "camera",
            "" if can_photograph else visit.say("camera_away"),
            prominent=True,
            available=can_photograph,
        )
        return ChoiceView(
            self._papers.label(self._position, visit),
            self._where(visit),
            choices=(photo, self._to_desk(visit)),
            notices=tuple(notices),
        )

    def _where(self, visit: Visit) -> str:
        letter, count = in_language(self._papers.letter_type.name, visit.language), len(self._papers.requirements)
        counter = [visit.say("paper_of", n=self._position + 1, count=count)] if count > 1 else []
        return f"{'  ·  '.join((letter, *counter))}\n{visit.say('how_hand_in_paper')}"

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value=value) if value == f"photo:{self._key}" and visit.office.devices.can_photograph:
                return LayPaper(self._papers, self._position)
            case StatusChanged(kind=CodeScanner.kind):
                return self
        return self._on_desk(event)


class LayPaper(_PaperStep):
    """The camera shows what it sees. Going back from the photo leads to the question, not to here."""

    returnable = False
    watches_camera = True

    def view(self, visit: Visit) -> View:
        settings = visit.office.settings
        return PhotoView(
            visit.say("lay_paper"),
            f"{visit.say(f'camera_is_{settings.code_scanner.place}')}. {visit.say('whole_paper_must_be_seen')}",
            notice=visit.say("photo_notice", n=settings.photos_kept_days),
            choices=(self._to_desk(visit), Choice("take", visit.say("take_photo"), "camera", prominent=True)),
        )

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="take"):
                return TakePhoto(self._papers, self._position)
            case StatusChanged(kind=CodeScanner.kind, status=status) if not status.serving:
                return AskPaper(self._papers, self._position, camera_failed=True)
        return self._on_desk(event)


class TakePhoto(Wait):
    """The camera stays on for it."""

    watches_camera = True

    def __init__(self, papers: _Round, position: int) -> None:
        super().__init__(_photographed, self._after)
        self._papers, self._position = papers, position

    def _after(self, photo: Photo | None) -> Step:
        if photo is None:
            return AskPaper(self._papers, self._position, camera_failed=True)
        return LookAtPhoto(self._papers, self._position, photo)


def _photographed(office: Any) -> Photo | None:
    """None where the camera could not."""
    try:
        return office.devices.take_photo()
    except PhotoFailed as failed:
        office.journal.record(Event.PHOTO_FAILED, code=failed.code)
        return None


class LookAtPhoto(_PaperStep):
    """The resident looks first. A photo that a machine finds wanting may be right all the same, but one of nothing is
    none."""

    def __init__(self, papers: _Round, position: int, photo: Photo) -> None:
        super().__init__(papers, position)
        self._photo = photo

    def view(self, visit: Visit) -> View:
        flaw = self._photo.flaw
        return PhotoView(
            self._papers.label(self._position, visit),
            "" if flaw else visit.say("is_photo_legible"),
            picture=self._photo.jpeg,
            error=visit.say(FLAWS[flaw]) if flaw else "",
            choices=self._choices(visit),
        )

    def _choices(self, visit: Visit) -> tuple[Choice, ...]:
        flaw = self._photo.flaw
        again = Choice("again", visit.say("take_photo_again"), "camera", prominent=flaw is not None)
        match flaw:
            case None:
                return again, Choice("use", visit.say("use_photo"), "ok", prominent=True)
            case PhotoFlaw.EMPTY:
                return self._to_desk(visit), again
        return Choice("use", visit.say("use_photo_anyway"), "ok"), again

    def on(self, event: Any, visit: Visit) -> Next:
        match event:
            case Chosen(value="use") if self._photo.flaw is not PhotoFlaw.EMPTY:
                return self._papers.decide(self._position, self._photo.jpeg)
            case Chosen(value="again"):
                return LayPaper(self._papers, self._position)
        return self._on_desk(event)
