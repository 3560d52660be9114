"""Puts the parts together: settings, devices, office, attendant and face. The one place that knows them all.

The face comes first, because the first frame is what people wait for; everything else is imported and opened in a
thread of its own behind it.
"""

import fcntl
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from config.settings import Driver, Profile, Settings, SettingsError, driver_options
from hardware import drivers
from hardware.card_reader.interface import Biodata, Card
from hardware.device import Device, StatusChanged
from kiosk import sd_notify
from kiosk.bus import Bus, FrameDrawn
from kiosk.devices import Devices
from kiosk.idle import FIRST_SERIAL, idle_view
from kiosk.views import Scene, Warning

log = logging.getLogger(__name__)

#: Between two tries to open a database that cannot be opened.
OFFICE_RETRY_S = 15.0
#: How long the end waits for a start that is still under way.
OPENING_PATIENCE_S = 5.0


class CannotRun(Exception):
    """The kiosk cannot run here; the text says why in plain words."""


class AlreadyRunning(CannotRun):
    """Another kiosk works in the same state directory."""


class StateLock:
    """One writing process per state directory, which is made where it is missing. The lock goes with the process,
    however that ends. Entering raises AlreadyRunning, or CannotRun where the directory cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._directory = settings.state_path

    def __enter__(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = open(self._directory / "kiosk.lock", "a")  # noqa: SIM115 (held until __exit__)
        except OSError as error:
            raise CannotRun(f"the state directory {self._directory} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise AlreadyRunning(f"another kiosk runs in {self._directory}") from error

    def __exit__(self, *error: object) -> None:
        self._file.close()


def check_settings(settings: Settings, path: Path) -> list[str]:
    """What else is wrong behind settings that could be read: drivers, printer profile, letter types, the files of other
    villages. Opens nothing."""
    from kiosk.letter_types import letters_directory, load_letter_types
    from kiosk.village_file import load_trusted_villages

    _, broken_types = load_letter_types(letters_directory(settings))
    _, broken_files = load_trusted_villages(settings)
    return check_drivers(settings, path) + [str(error) for error in (*broken_types, *broken_files)]


def check_drivers(settings: Settings, path: Path) -> list[str]:
    """What is wrong with the drivers, their options and the printer profile. Opens nothing."""
    problems = []
    for kind in KINDS:
        try:
            build_device(settings, path, kind)
        except SettingsError as error:
            problems.append(str(error))
    return problems


@contextmanager
def running_devices(settings: Settings, path: Path, sink: Callable[[Any], None]) -> Iterator[dict[str, Device]]:
    """The settings' devices by kind, started for a program that is not the kiosk. Raises SettingsError."""
    fitted = {kind: build_device(settings, path, kind) for kind in KINDS}
    devices = {kind: device for kind, device in fitted.items() if device is not None}
    with ExitStack() as stack:
        for device in devices.values():
            device.start(sink)
            stack.callback(device.stop)
        yield devices


def build_device(settings: Settings, path: Path, kind: str) -> Device | None:
    """The device that the settings name for `kind`, not started; None where the hall has none.

    Raises SettingsError for an unknown driver, wrong options, a virtual device in the production profile, or a cradle
    around a reader that cannot be one.
    """
    wanted: Driver | None = getattr(settings, kind)
    if wanted is None:
        return None
    try:
        driver = drivers.load(kind, wanted.driver)
    except drivers.UnknownDriver as error:
        raise SettingsError(f"{path}: {kind}.driver: {error}") from error
    if driver.virtual and settings.profile is Profile.PRODUCTION:
        raise SettingsError(f"{path}: {kind}.driver: {wanted.driver!r} is virtual, which production refuses")
    if kind == "card_reader" and wanted.cradle and not driver.sees_removal:
        reason = f"a reader of the driver {wanted.driver!r} cannot tell that a card was taken away"
        raise SettingsError(f"{path}: card_reader.cradle: must be false: {reason}")
    options = driver_options(path, kind, driver.Options, wanted.options)
    if kind == "printer":
        return driver(kind, load_printer_profile(path, wanted.profile), options)
    return driver(kind, options)


def load_printer_profile(path: Path, name: str) -> Any:
    """The printer profile of that name in `config/printers`; a name that ends in ".toml" is a file of the hall's own,
    seen from the settings file at `path`. Raises SettingsError."""
    from hardware.printer.profiles import ProfileError, load_profile

    own = name.endswith(".toml")
    try:
        return load_profile(path.parent / name if own else files("config") / "printers" / f"{name}.toml")
    except ProfileError as error:
        raise SettingsError(f"{path}: printer.profile: {error}") from error


KINDS = ("card_reader", "code_scanner", "printer", "page_printer", "speaker", "machine")


class Kiosk:
    """One kiosk in one process. `run` blocks the main thread until the window is closed or `stop` is called.

    bench_cards: the cards of the bench by name; where they are given, the virtual devices and the screen are driven
        from outside, over a socket in the state directory.
    bench_biodata: what a reader with a SAM reads from them.
    prepare_office: called with the office before anybody is served.
    on_ready: called once, from the opening thread, when everything serves.
    """

    def __init__(
        self,
        settings: Settings,
        path: Path,
        bench_cards: Mapping[str, Card] | None = None,
        prepare_office: Callable[[Any], None] | None = None,
        on_ready: Callable[[], None] | None = None,
        bench_biodata: Mapping[str, Biodata] = MappingProxyType({}),
    ) -> None:
        self.settings, self._path, self._bench_cards = settings, path, bench_cards
        self._bench_biodata = bench_biodata
        self._prepare_office, self._on_ready = prepare_office, on_ready
        self.bus = Bus()
        self.devices: dict[str, Device] = {}
        self.exit_status = 0
        self._closing = threading.Event()
        self._opening: threading.Thread | None = None
        self._close_bench: Callable[[], None] | None = None
        self._close_office: Callable[[], None] | None = None
        self._close_attendant: Callable[[], None] | None = None
        self._spooler: Any = None
        self.face: Any = None
        self.world: Any = None

    def run(self) -> int:
        with StateLock(self.settings):
            return self._run()

    def _run(self) -> int:
        self.face = self._open_face()
        self.face.show(Scene(FIRST_SERIAL, idle_view(self.settings, Devices(), ready=False)))
        try:
            self.face.run()
        finally:
            self._close()
        return self.exit_status

    def _open_face(self) -> Any:
        from screens.face import Face, FaceSettings
        from screens.window import WindowUnusable

        screen = self.settings.screen
        settings = FaceSettings(
            width_px=screen.width_px,
            height_px=screen.height_px,
            ppi=screen.ppi,
            fullscreen=screen.fullscreen,
            video_driver=screen.video_driver,
            village_name=f"Desa {self.settings.village.name}",
            languages=screen.languages,
            touch_device=screen.touch_device,
            heartbeat_s=sd_notify.heartbeat_s(),
        )
        try:
            return Face(
                settings,
                post=self.bus.post,
                on_started=self._on_first_frame,
                on_frame=self._on_frame if sd_notify.heartbeat_s() is not None else None,
                on_error=self._on_face_error,
            )
        except WindowUnusable as error:
            raise CannotRun(f"the screen cannot be used: {error}") from error

    def stop(self, exit_status: int = 0) -> None:
        """From any thread."""
        self.exit_status = exit_status
        self._closing.set()
        if self.face is not None:
            self.face.stop()

    # Behind the first frame.

    def _on_first_frame(self) -> None:
        sd_notify.notify("READY=1")
        self._opening = threading.Thread(target=self._open, name="opening", daemon=True)
        self._opening.start()

    def _on_frame(self) -> None:
        """A picture that moves before an attendant that does not is no sign of life: the attendant passes it on."""
        self.bus.post(FrameDrawn())

    def _open(self) -> None:
        try:
            self._open_all()
        except SettingsError as error:
            log.error("%s", error)
            self.stop(exit_status=2)
        except Exception:
            log.exception("the kiosk could not be put together")
            self.stop(exit_status=1)

    def _open_all(self) -> None:
        for kind in KINDS:
            device = build_device(self.settings, self._path, kind)
            if device is not None:
                self.devices[kind] = device
        self._start_attendant()
        sink = self._sink
        if self._bench_cards is not None:
            sink = self._start_bench(sink)
        for device in self.devices.values():
            device.start(sink)
        self._open_office()

    def _start_attendant(self) -> None:
        from kiosk.attendant import Attendant, Stop
        from kiosk.clock import Clock

        self._board = Devices(self.devices.get("code_scanner"), self.devices.get("speaker"))
        workers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="office")
        attendant = Attendant(
            self.settings, self.bus, Clock(), _ShownToBench(self), self._board, workers, sd_notify.watchdog_pulse()
        )

        def attend() -> None:
            try:
                attendant.run()
            except Exception:
                log.exception("the attendant is gone; the kiosk ends and is started again")
                self.stop(exit_status=1)

        thread = threading.Thread(target=attend, name="attendant", daemon=True)
        thread.start()

        def close() -> None:
            self.bus.post(Stop())
            thread.join(2.0)
            workers.shutdown(wait=True)

        self._close_attendant = close

    def _start_bench(self, sink: Callable[[Any], None]) -> Callable[[Any], None]:
        from hardware.bench.server import BenchServer
        from hardware.bench.world import World
        from screens.glass import Glass

        virtual = {kind: device if device.virtual else None for kind, device in self.devices.items()}
        glass = Glass(self.face, self.settings.screen.ppi)
        self.world = World(
            virtual.get("card_reader"),
            virtual.get("code_scanner"),
            virtual.get("printer"),
            self._bench_cards,
            glass,
            virtual.get("speaker"),
            virtual.get("machine"),
            virtual.get("page_printer"),
            self._bench_biodata,
        )
        server = BenchServer(self.world, self.settings.state_path / "bench.sock")
        server.start()

        def close() -> None:
            server.stop()
            glass.close()

        self._close_bench = close
        return self.world.watch(sink)

    def _open_office(self) -> None:
        from kiosk.clock import Clock
        from kiosk.office import Office, OfficeClosed, OfficeOpened
        from kiosk.selftest.registry import Bench
        from kiosk.store.errors import StoreError

        bench = Bench(self.settings, self._path, check_drivers, self.devices)
        while not self._closing.is_set():
            try:
                office = Office.open(
                    self.settings, Clock(), self._board, self.devices.get("printer"), self.bus.post, bench
                )
                self._serve(office)
            except StoreError as error:
                log.error("%s", error)
                self.bus.post(OfficeClosed("DATABASE-BROKEN"))
                self._closing.wait(OFFICE_RETRY_S)
                continue
            self.bus.post(OfficeOpened(office))
            if self._on_ready is not None:
                self._on_ready()
            return

    def _serve(self, office: Any) -> None:
        """Begin to print and to look after the devices. Raises StoreError, and then nothing of it goes on."""
        try:
            if self._prepare_office is not None:
                self._prepare_office(office)
            office.spooler.start()
            office.selftest.start()
            office.codes.sync.start()
            office.housekeeping.start()
        except BaseException:
            office.close()
            raise
        self._spooler, self._close_office = office.spooler, office.close

    def _sink(self, event: Any) -> None:
        """What a device's thread calls: enqueue, and nothing else."""
        if isinstance(event, StatusChanged) and event.kind == "printer" and self._spooler is not None:
            self._spooler.printer_changed(event.status)
        self.bus.post(event)

    def _on_face_error(self, error: BaseException) -> None:
        from kiosk.attendant import SceneFailed

        self.bus.post(SceneFailed())  # the face has logged it

    def _close(self) -> None:
        """Devices first: a print under way then ends with an answer, which the spooler still writes down."""
        sd_notify.notify("STOPPING=1")
        self._closing.set()
        if self._opening is not None:
            self._opening.join(OPENING_PATIENCE_S)
        if self._close_bench is not None:
            self._close_bench()
        for device in self.devices.values():
            device.stop()
        for close in (self._close_office, self._close_attendant):
            if close is not None:
                close()


class _ShownToBench:
    """The face as the attendant uses it; what is new on it is told to the bench, where there is one."""

    def __init__(self, kiosk: Kiosk) -> None:
        self._kiosk = kiosk

    def show(self, scene: Scene) -> None:
        self._kiosk.face.show(scene)
        self._tell_bench()

    def show_frame(self, width_px: int, height_px: int, rgb: bytes) -> None:
        self._kiosk.face.show_frame(width_px, height_px, rgb)
        self._tell_bench()

    def warn(self, warning: Warning | None) -> None:
        self._kiosk.face.warn(warning)
        self._tell_bench()

    def _tell_bench(self) -> None:
        if self._kiosk.world is not None:
            self._kiosk.world.changed()
