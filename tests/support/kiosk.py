"""A hall without a window: the real office, attendant, spooler, printer driver and scanner, and somebody who uses them.

Time is a `FakeClock`. What a step asks of the office is answered on the spot, unless `workers` are held; what devices
and the spooler post is awaited. So a test reads like the story it tells.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from support.clock import FakeClock

import hardware.device
from config import settings as config
from config.settings import PROFILES, Settings
from config.translations import say
from hardware.card_reader.interface import Card, CardKind, CardPresented, CardReader, CardRemoved
from hardware.code_scanner.interface import CodeScanner
from hardware.code_scanner.virtual import VirtualScanner
from hardware.device import Device, DeviceState, Status, StatusChanged
from hardware.printer import escpos, link
from hardware.printer.escpos import EscposPrinter
from hardware.printer.interface import Printer, PrinterProfile
from hardware.printer.virtual import VirtualPrinter
from hardware.speaker.virtual import VirtualSpeaker
from kiosk import spooler
from kiosk.app import load_printer_profile
from kiosk.attendant import Attendant
from kiosk.bus import Bus
from kiosk.demo import village
from kiosk.demo.village import DEMO_CARDS, DEMO_PIN, sign_by_all
from kiosk.devices import Devices
from kiosk.intents import Chosen, Entered, Intent, Left, WentBack
from kiosk.journal import Event
from kiosk.office import Office, OfficeOpened
from kiosk.requests import LetterRequest
from kiosk.selftest.registry import Bench
from kiosk.store.print_jobs import PrintKind, PrintState
from kiosk.store.requirement_papers import Paper
from kiosk.store.schema import print_jobs
from kiosk.store.state_files import BACKUP_WORK, DATABASE, LOG_ENDS, RESTORE_WORK
from kiosk.views import ChoiceView, DateView, FormView, IdleView, KeypadView, NumberView, Scene, View, Warning

DEMO = Path(str(PROFILES / "demo.toml"))
#: In the state directory: what the next start makes anew, or throws away.
MADE_AGAIN = (*(DATABASE + end for end in LOG_ENDS), BACKUP_WORK, RESTORE_WORK, "bench.sock", "kiosk.lock")
PATIENCE_S = 10.0
OFFICER = "ratna"
#: name → NIK of those who live in the tests' village; `wagiman` has a card and no PIN.
NIKS = {name: nik for name, nik in village.NIKS.items() if name in DEMO_CARDS}
NOBODYS_NIK = "3523124107909999"


class QuickPrinter(EscposPrinter):
    """The real driver, less patient than with a head that takes its time."""

    answer_within_s = 0.4


class Workers(Executor):
    """Does at once what is submitted; while held, keeps it until it is released."""

    def __init__(self) -> None:
        self._held: list[Callable[[], Any]] | None = None

    def submit(self, work: Callable[[], Any]) -> None:
        if self._held is None:
            work()
        else:
            self._held.append(work)

    def hold(self) -> None:
        self._held = []

    def release(self) -> None:
        held, self._held = self._held, None
        for work in held:
            work()


class RecordingFace:
    """What was shown, and the warnings over it."""

    def __init__(self) -> None:
        self.scenes: list[Scene] = []
        self.warnings: list[Warning | None] = []
        self.frames: list[tuple[int, int, bytes]] = []

    def show(self, scene: Scene) -> None:
        self.scenes.append(scene)

    def show_frame(self, width_px: int, height_px: int, rgb: bytes) -> None:
        self.frames.append((width_px, height_px, rgb))

    def warn(self, warning: Warning | None) -> None:
        self.warnings.append(warning)


class Hall:
    """One kiosk and whoever stands at it. `outside` is the printer as a thing in the world, None in a hall without
    one."""

    def __init__(
        self, settings: Settings, profile: PrinterProfile, outside: VirtualPrinter | None, camera: bool = False
    ) -> None:
        self.settings, self.outside, self._profile, self._camera = settings, outside, profile, camera
        self.clock, self.bus, self.face, self.workers = FakeClock(), Bus(), RecordingFace(), Workers()
        self.choices = 0  # touches on a choice
        self.office: Office | None = None
        self.others: dict[str, Device] = {}  # what else the self-test sees, once the office is open
        self.start()

    # The machine.

    def start(self) -> None:
        """What a process has before its office is open. The printer outside knows nothing of processes."""
        self.scanner = VirtualScanner("code_scanner", VirtualScanner.Options(camera=self._camera))
        self.printer = None
        if self.outside is not None:
            self.printer = QuickPrinter("printer", self._profile, QuickPrinter.Options(self.outside.connection))
        self.speaker = VirtualSpeaker("speaker", VirtualSpeaker.Options())
        self.devices = Devices(self.scanner, self.speaker)
        self.attendant = Attendant(self.settings, self.bus, self.clock, self.face, self.devices, self.workers)
        for kind in (CardReader.kind, CodeScanner.kind):
            self.status(kind, DeviceState.READY)
        self.scanner.start(self.sink)
        self.speaker.start(self.sink)
        if self.printer is not None:
            self.printer.start(self.sink)

    def open(self, printer_serves: bool = True) -> Office:
        """Open the office, as the kiosk does behind its first frame."""
        fitted = {CodeScanner.kind: self.scanner, Printer.kind: self.printer, **self.others}
        bench = Bench(self.settings, DEMO, devices={kind: device for kind, device in fitted.items() if device})
        self.office = Office.open(
            self.settings, self.clock, self.devices, self.printer, lambda event: self.bus.post(event), bench
        )
        self.office.spooler.start()
        self.happen(OfficeOpened(self.office))
        if self.printer is not None and printer_serves:
            self.wait_until(lambda: self.devices.serving(Printer.kind))
        return self.office

    def close(self) -> None:
        if self.office is not None:
            self.office.close()
            self.office = None
        for device in (self.scanner, self.speaker, self.printer):
            if device is not None:
                device.stop()

    def restart(self, printer_serves: bool = True) -> Office:
        """A new process on the same database."""
        self.close()
        self.settle()
        self.start()
        return self.open(printer_serves)

    def sink(self, event: Any) -> None:
        """What the devices' threads call; the same as the kiosk's."""
        office = self.office
        if isinstance(event, StatusChanged) and event.kind == Printer.kind and office is not None:
            office.spooler.printer_changed(event.status)
        self.bus.post(event)

    def happen(self, *events: Any) -> None:
        for event in events:
            self.bus.post(event)
        self.settle()

    def settle(self) -> None:
        """See to everything that has been posted."""
        while (event := self.bus.get(0)) is not None:
            self.attendant.handle(event)

    def wait_until(self, condition: Callable[[], object]) -> None:
        """See to what devices and spooler post until the condition holds. Raises TimeoutError."""
        until_s = time.monotonic() + PATIENCE_S
        while not condition():
            event = self.bus.get(max(0.0, until_s - time.monotonic()))
            if event is None:
                raise TimeoutError(f"it did not come true; shown is: {self.words}")
            self.attendant.handle(event)

    def wait_for(self, view: type[View]) -> View:
        """The view, once one of that kind is shown."""
        self.wait_until(lambda: isinstance(self.view, view))
        return self.view

    def pass_s(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        self.attendant.handle(None)
        self.settle()

    def status(self, kind: str, state: DeviceState, code: str = "") -> None:
        self.happen(StatusChanged(kind, kind, Status(state, code)))

    # The person.

    def tap(self, name: str) -> None:
        """Lay that resident's card on the reader."""
        self.tap_card(Card(DEMO_CARDS[name], CardKind.EKTP))

    def tap_card(self, card: Card) -> None:
        self.happen(CardPresented("card_reader", card))

    def take_card(self) -> None:
        self.happen(CardRemoved("card_reader"))

    def choose(self, *values: str) -> None:
        """Touch choices, one after the other; each must be there to be touched."""
        for value in values:
            offered = self.offered
            assert offered.get(value), f"{value} is not offered; shown is: {self.words}"
            self.choices += 1
            self.intend(Chosen, value)

    def enter(self, *texts: str) -> None:
        """Type, where the screen would let that text through."""
        for text in texts:
            view = self.view
            match view:
                case KeypadView():
                    assert len(text) == view.digits_count
                case FormView():
                    assert view.shortest <= len(text) <= view.longest
                case NumberView():
                    assert len(text) <= view.longest
                case DateView():
                    assert len(text) <= 8
                case _:
                    raise AssertionError(f"nothing can be typed; shown is: {self.words}")
            self.intend(Entered, text)

    def answer(self) -> None:
        """The question that is shown, as somebody would who answers them all."""
        match self.view:
            case ChoiceView(choices=choices):
                self.choose(choices[0].value)
            case DateView():
                self.enter("01121990" if "lahir" in self.view.title else "01122026")
            case NumberView(grouped=grouped):
                self.enter("200" if grouped else "081234567890")
            case FormView():
                self.enter("Jawaban warga")

    def back(self) -> None:
        """«Kembali», wherever the screen offers it."""
        if self.offered.get("back"):
            self.intend(Chosen, "back")
            return
        assert self.scene.can_go_back
        self.intend(WentBack)

    def leave(self) -> None:
        assert self.scene.can_leave
        self.intend(Left)

    def intend(self, kind: type[Intent], *values: Any) -> None:
        """An intent made on the scene that is shown."""
        self.happen(kind(self.scene.serial, *values))

    def show_code(self, payload: bytes) -> None:
        """Hold a code before the scanner."""
        self.scanner.show(payload)

    def identify(self, name: str) -> None:
        """Come with one's card, give the PIN, and take the card again."""
        self.tap(name)
        self.enter(DEMO_PIN)
        self.take_card()

    # What the person sees.

    @property
    def scene(self) -> Scene:
        return self.face.scenes[-1]

    @property
    def view(self) -> View:
        return self.scene.view

    @property
    def idle(self) -> bool:
        return isinstance(self.view, IdleView)

    @property
    def offered(self) -> dict[str, bool]:
        """value → whether it is available."""
        if self.idle:
            return {"start": True}
        return {choice.value: choice.available for choice in getattr(self.view, "choices", ())}

    @property
    def words(self) -> list[str]:
        """Every text of the view."""
        return list(texts_of(self.view))

    def says(self, key: str, **values: object) -> bool:
        """Whether that message is shown, in the visitor's language."""
        return any(say(self.scene.language, key, **values) in text for text in self.words)

    # What is written down.

    def journal(self, *events: Event) -> list[dict[str, Any]]:
        """The facts of every time that one of these events happened; repeats may be folded into one entry."""
        entries = [entry for entry in self.office.journal.entries() if entry.event in events]
        return [entry.facts for entry in entries for _ in range(entry.times)]

    def requests_of(self, name: str) -> list[LetterRequest]:
        """Newest first."""
        return self.office.requests.of_resident(self.office.residents.by_nik(NIKS[name]).id)

    def issue(self, request: LetterRequest, told: bool = True) -> LetterRequest:
        """The letter of a submitted request, signed by all of its chain; `told`: its owner knows of it."""
        requests = self.office.requests
        requests.begin_check(request.number, OFFICER)
        requests.approve(request.number, OFFICER)
        letter = sign_by_all(self.office, request.number)
        if told:
            requests.mark_told([letter.id])
        return requests.get(letter.id)

    def give_back(self, request: LetterRequest, reason: str = "?") -> LetterRequest:
        self.office.requests.begin_check(request.number, OFFICER)
        return self.office.requests.return_(request.number, OFFICER, reason)

    def refuse(self, request: LetterRequest, reason: str = "?") -> LetterRequest:
        self.office.requests.begin_check(request.number, OFFICER)
        return self.office.requests.refuse(request.number, OFFICER, reason)

    def submit(
        self, name: str, letter_type: str = "domisili", papers: tuple[Paper, ...] = (), **answers: str
    ) -> LetterRequest:
        """A request that was handed in earlier, its slip long printed."""
        owner = self.office.residents.by_nik(NIKS[name])
        key = f"earlier:{name}:{len(self.requests_of(name))}"
        answers = answers or {"purpose": "Melamar kerja"}
        request = self.office.requests.submit(owner.id, letter_type, answers, key, papers=papers)
        self.office.spooler.watch(request.print_job_id)
        if self.printer is not None:
            self.wait_until(lambda: self.job_state(request.print_job_id) is PrintState.PRINTED)
        return request

    def job(self, job_id: int) -> Any:
        """A print job's row."""
        with self.office.store.read() as tx:
            return tx.execute(print_jobs.select().where(print_jobs.c.id == job_id)).one()

    def job_state(self, job_id: int) -> PrintState:
        return PrintState(self.job(job_id).state)

    def job_ids(self, kind: PrintKind) -> list[int]:
        with self.office.store.read() as tx:
            rows = tx.execute(print_jobs.select().where(print_jobs.c.kind == kind).order_by(print_jobs.c.id))
            return [row.id for row in rows]

    def is_on(self, paper: Any, job_id: int, printing: int = 1) -> bool:
        """Whether a paper is what that job lays out to as that printing, dot for dot, and is not void."""
        job = replace(spooler._job(self.job(job_id)), printing=printing)
        page = self.office.spooler._compose(job)
        return not paper.void and same_ink(paper.image, page.image)


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from texts_of(part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts_of(getattr(value, field.name))


def same_ink(one: Image.Image, other: Image.Image) -> bool:
    """Whether two papers are the same but for blank paper after the last ink."""
    return ImageChops.difference(_inked(one), _inked(other)).getbbox() is None and one.width == other.width


def _inked(image: Image.Image) -> Image.Image:
    black = ImageChops.invert(image.convert("L"))
    ink = black.getbbox()
    return black.crop((0, 0, black.width, ink[3] if ink else 1))


@pytest.fixture(scope="session")
def settled_village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with five residents, their PINs and cards, and officers. Tests work on copies."""
    directory = tmp_path_factory.mktemp("village")
    settings = config.changed(config.load(DEMO), state_dir=str(directory))
    office = Office.open(settings, FakeClock(), Devices(), printer=None, post=lambda event: None)
    village.settle_residents(office.residents, count=5)
    village.settle_officers(office)
    office.store.close()
    return directory


@pytest.fixture
def settings(settled_village: Path, tmp_path: Path) -> Settings:
    """The demo's, on a copy of the village of one's own."""
    state = tmp_path / "state"
    shutil.copytree(settled_village, state)
    return config.changed(config.load(DEMO), state_dir=str(state))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, shorter: the printer of a test is not far away, and answers at once or never."""
    monkeypatch.setattr(link, "REAL_TIME_ANSWER_WITHIN_S", 0.2)
    monkeypatch.setattr(escpos, "PING_FAULTY_EVERY_S", 0.1)
    monkeypatch.setattr(escpos, "TAKEN_WITHIN_S", 0.2)
    monkeypatch.setattr(hardware.device, "REOPEN_FIRST_S", 0.02)
    monkeypatch.setattr(hardware.device, "REOPEN_LONGEST_S", 0.05)
    monkeypatch.setattr(spooler, "STORE_PAUSE_S", 0.02)
    monkeypatch.setattr(spooler, "RETRY_S", 0.1)


@pytest.fixture
def make_hall(settings: Settings, quick: None) -> Iterator[Callable[..., Hall]]:
    """`make_hall(printer=True, opened=True, camera=False, **profile)`: a hall, its devices started; `camera` is one for
    papers, `profile` changes the printer's."""
    before = set(threading.enumerate())
    with ExitStack() as stack:

        def make(
            printer: bool = True,
            opened: bool = True,
            camera: bool = False,
            settings: Settings = settings,
            **profile: Any,
        ) -> Hall:
            model = replace(load_printer_profile(DEMO, "virtual-80mm"), **{"head_mm_per_s": 20_000.0} | profile)
            outside = None
            if printer:
                outside = VirtualPrinter(
                    model.width_dots, head_mm_per_s=model.head_mm_per_s, acknowledgement=model.acknowledgement
                )
                stack.enter_context(outside)
            hall = Hall(settings, model, outside, camera)
            stack.callback(hall.close)
            if opened:
                hall.open()
            return hall

        yield make
    left = [thread.name for thread in set(threading.enumerate()) - before]
    assert not left


@pytest.fixture
def hall(make_hall: Callable[..., Hall]) -> Hall:
    """A hall where everything works."""
    return make_hall()


@pytest.fixture
def quiet_hall(make_hall: Callable[..., Hall]) -> Hall:
    """A hall without a printer: for what is not about paper."""
    return make_hall(printer=False)
