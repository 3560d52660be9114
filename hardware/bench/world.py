"""The world outside a kiosk of virtual devices: residents with cards, codes to show, paper, and what breaks.

`COMMANDS` is the one table of what can be done to it; the socket, `kiosk bench` and the panel all go through it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from hardware.device import Device, Sink, StatusChanged

if TYPE_CHECKING:
    from PIL import Image

    from hardware.card_reader.interface import Biodata, Card
    from hardware.card_reader.virtual import VirtualCardReader
    from hardware.code_scanner.virtual import VirtualScanner
    from hardware.machine.virtual import VirtualMachine
    from hardware.page_printer.virtual import VirtualPagePrinter
    from hardware.printer.virtual import VirtualEscposPrinter, VirtualPrinter
    from hardware.speaker.virtual import VirtualSpeaker

#: What lies on the reader when it is nobody's.
UNREADABLE_CARD = "an unreadable card"
PICTURES = (".png", ".jpg", ".jpeg")


class BenchError(Exception):
    """What cannot be done on the bench, in one plain line."""


class NotYet(Exception):
    """What was asked for has not happened yet: ask again after the next change, for at most `patience_s`."""

    def __init__(self, text: str, patience_s: float) -> None:
        super().__init__(text)
        self.patience_s = patience_s


@dataclass(frozen=True)
class Command:
    """`arguments` is for people and for the count: words, those in brackets optional."""

    name: str
    arguments: str
    help: str
    function: Callable[..., Any]


class Glass(Protocol):
    """The kiosk's screen as somebody in front of it sees and touches it."""

    def targets(self) -> dict[str, tuple[int, int, int, int]]:
        """What can be touched now: name → (x, y, width, height) in pixels from the upper left corner."""

    def texts(self) -> list[str]:
        """The words that can be read now."""

    def tap(self, x: int, y: int) -> None:
        """Touch there, at the pace of a finger; returns at once."""

    def picture(self, path: str) -> None:
        """Write a PNG of what is shown."""


class World:
    """The devices of one kiosk, each None where the kiosk uses a real one, the residents' cards and what is on them by
    name, and the kiosk's screen where it may be touched from here.

    on_change: called after each change, from whichever thread made it; must only wake somebody.
    """

    def __init__(
        self,
        card_reader: VirtualCardReader | None,
        scanner: VirtualScanner | None,
        printer: VirtualEscposPrinter | None,
        cards: Mapping[str, Card],
        glass: Glass | None = None,
        speaker: VirtualSpeaker | None = None,
        machine: VirtualMachine | None = None,
        page_printer: VirtualPagePrinter | None = None,
        biodata: Mapping[str, Biodata] = MappingProxyType({}),
    ) -> None:
        self.cards, self.biodata = cards, biodata
        self.glass = glass
        self.devices: dict[str, Device | None] = {
            "reader": card_reader,
            "scanner": scanner,
            "printer": printer,
            "page-printer": page_printer,
            "speaker": speaker,
            "machine": machine,
        }
        self.card_on_reader: str | None = None
        self.unplugged: set[str] = set()
        self.on_change: Callable[[], None] | None = None
        if printer is not None:
            printer.outside.on_paper = lambda paper: self.changed()
        if page_printer is not None:
            page_printer.outside.on_sheet = self.changed
        if speaker is not None:
            speaker.on_heard = self.changed

    def watch(self, sink: Sink) -> Sink:
        """`sink`, with this world looking on: start the devices with it, so that their edges are changes here too."""

        def watched(event: Any) -> None:
            sink(event)
            if isinstance(event, StatusChanged):
                self.changed()

        return watched

    def run(self, command: str, arguments: Sequence[str] = (), directory: Path = Path("/")) -> Any:
        """Do what a line of `COMMANDS` says; the answer is text, numbers or a dict of them. `directory` is where
        relative paths begin. Raises BenchError, and NotYet from a command that waits."""
        entry = _find(command)
        _check_count(entry, arguments)
        answer = entry.function(self, directory, *arguments)
        self.changed()
        return answer

    @property
    def papers(self) -> list[Image.Image]:
        """Every paper that came out so far, drawn from the bytes that the driver sent; mode "1"."""
        printer = self.devices["printer"]
        return [paper.image for paper in printer.outside.papers] if printer else []

    def device(self, name: str) -> Any:
        """A virtual device. Raises BenchError."""
        if name not in self.devices:
            raise BenchError(f"{name!r} is no device; there are: {', '.join(self.devices)}")
        device = self.devices[name]
        if device is None:
            raise BenchError(f"the kiosk's {name} is not a virtual one")
        return device

    def state(self) -> dict[str, Any]:
        """What can be seen from outside, ready for JSON; without any number of a card and without payloads."""
        printer, page_printer, speaker = (self.devices[name] for name in ("printer", "page-printer", "speaker"))
        return {
            "devices": {name: _describe(device) for name, device in self.devices.items()},
            "cards": sorted(self.cards),
            "card_on_reader": self.card_on_reader,
            "unplugged": sorted(self.unplugged),
            "papers": len(self.papers),
            "printer": _describe_outside(printer.outside) if printer else None,
            "errors": list(printer.outside.errors) if printer else [],
            "pages": page_printer.outside.sheets if page_printer else 0,
            "page_printer": page_printer.outside.state if page_printer else None,
            "voice": _describe_voice(speaker) if speaker else None,
        }

    def changed(self) -> None:
        """Something can be seen that could not be seen before: whoever waits looks again."""
        on_change = self.on_change  # the server, whose thread sets it back to None when it ends
        if on_change is not None:
            on_change()


def _describe(device: Any) -> dict[str, Any] | None:
    if device is None:
        return None
    status = device.status
    return {"state": status.state.value, "code": status.code, "detail": status.detail}


def _describe_outside(outside: VirtualPrinter) -> dict[str, Any]:
    """What is wrong with the printer, and how many rows of a paper that was not cut off hang in it."""
    return outside.state | {"hanging_rows": outside.hanging.image.height}


def _describe_voice(speaker: VirtualSpeaker) -> dict[str, Any]:
    spoken = speaker.spoken
    return {"speaking": speaker.speaking, "said": spoken[-1].text if spoken else ""}


def _find(name: str) -> Command:
    if name not in COMMANDS:
        raise BenchError(f"{name!r} is no command of the bench; there are: {', '.join(COMMANDS)}")
    return COMMANDS[name]


def _check_count(command: Command, arguments: Sequence[str]) -> None:
    words = command.arguments.split()
    needed = sum(not word.startswith("[") for word in words)
    if not needed <= len(arguments) <= len(words):
        raise BenchError(f"use: {command.name} {command.arguments}".rstrip())


def _number(text: str, least: int, what: str) -> int:
    if not text.isdecimal() or int(text) < least:
        raise BenchError(f"{text!r} is no {what}: a whole number from {least} up")
    return int(text)


# The residents.


def _tap(world: World, directory: Path, name: str, code: str = "") -> str:
    """`code`: its biodata cannot be read for that reason."""
    from hardware.card_reader.interface import ReadsBiodata

    reader = world.device("reader")
    if name not in world.cards:
        raise BenchError(f"nobody is called {name!r}; the cards are of: {', '.join(sorted(world.cards))}")
    if isinstance(reader, ReadsBiodata):
        reader.tap(world.cards[name], code or world.biodata.get(name))
    elif code:
        raise BenchError("the kiosk's reader reads no biodata")
    else:
        reader.tap(world.cards[name])
    world.card_on_reader = name
    return f"{name}'s card is on the reader"


def _read_biodata(world: World, directory: Path) -> str:
    """As a program of the desk does it. A NIK is told by its end."""
    from hardware.card_reader.interface import BiodataError, ReadsBiodata

    reader, name = world.device("reader"), world.card_on_reader
    if not isinstance(reader, ReadsBiodata):
        raise BenchError("the kiosk's reader reads no biodata")
    if name not in world.cards:
        raise BenchError("no card that can be read is on the reader")
    try:
        biodata = reader.read_biodata(world.cards[name])
    except BiodataError as error:
        raise BenchError(error.code) from error
    if biodata is None:
        return f"{name}'s card has no biodata"
    return f"{biodata.name}, {biodata.birth_place} {biodata.birth_date:%d-%m-%Y}, NIK ends in {biodata.nik[-4:]}"


def _take_card(world: World, directory: Path) -> str:
    world.device("reader").remove()
    world.card_on_reader = None
    return "no card is on the reader"


def _present_unreadable(world: World, directory: Path) -> str:
    world.device("reader").present_unreadable()
    world.card_on_reader = UNREADABLE_CARD
    return f"{UNREADABLE_CARD} is on the reader"


def _show_qr(world: World, directory: Path, what: str) -> str:
    scanner = world.device("scanner")
    if what == "last":
        scanner.show_picture(_last_paper(world))
        return "the newest paper is before the scanner"
    if what.lower().endswith(PICTURES):
        scanner.show_picture(_open_picture(directory / what))
        return "the picture is before the scanner"
    scanner.show(os.fsencode(what))
    return "a code with that text is before the scanner"


def _show_picture(world: World, directory: Path, what: str = "example") -> str:
    from hardware.code_scanner.example_paper import bare_table, example_paper

    scanner = world.device("scanner")
    if not scanner.can_photograph:
        raise BenchError("the kiosk's scanner has no camera for papers")
    named = {"example": example_paper, "nothing": bare_table}
    scanner.lay_paper(named[what]() if what in named else _open_picture(directory / what, "RGB"))
    return f"{what} lies before the camera"


def _last_paper(world: World) -> Image.Image:
    world.device("printer")
    if not world.papers:
        raise BenchError("no paper has come out yet")
    return world.papers[-1]


def _open_picture(path: Path, mode: str = "L") -> Image.Image:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.convert(mode)
    except (OSError, Image.DecompressionBombError) as error:
        raise BenchError(f"{path}: is no picture that can be shown: {error}") from error


# The paper.


def _save_paper(world: World, directory: Path, where: str) -> str:
    paper, path = _last_paper(world), directory / where
    if path.is_dir():
        path /= f"paper-{len(world.papers)}.png"
    try:
        paper.save(path)
    except (OSError, ValueError) as error:
        raise BenchError(f"{path}: cannot be written: {error}") from error
    return str(path)


def _wait_paper(world: World, directory: Path, count: str, seconds: str = "60") -> int:
    world.device("printer")
    wanted, came = _number(count, 1, "number of papers"), len(world.papers)
    if came < wanted:
        raise NotYet(f"{came} papers have come out, not {wanted}", float(_number(seconds, 0, "number of seconds")))
    return came


def _save_page(world: World, directory: Path, file: str) -> str:
    documents = [job.pdf for job in world.device("page-printer").outside.jobs if job.pdf]
    if not documents:
        raise BenchError("nothing has been sent to the page printer yet")
    path = directory / file
    try:
        path.write_bytes(documents[-1])
    except OSError as error:
        raise BenchError(f"{path}: cannot be written: {error}") from error
    return str(path)


def _wait_pages(world: World, directory: Path, count: str, seconds: str = "60") -> int:
    wanted, came = _number(count, 1, "number of pages"), world.device("page-printer").outside.sheets
    if came < wanted:
        raise NotYet(f"{came} pages have come out, not {wanted}", float(_number(seconds, 0, "number of seconds")))
    return came


# The screen.

PATIENCE_S = "10"


def _glass(world: World) -> Glass:
    if world.glass is None:
        raise BenchError("this kiosk's screen cannot be touched from the bench")
    return world.glass


def _target(world: World, name: str, seconds: str) -> tuple[int, int]:
    """The middle of what can be touched under that name; waits until it is there."""
    targets = _glass(world).targets()
    if name not in targets:
        text = f"{name!r} is not on the screen; there are: {', '.join(targets) or 'nothing to touch'}"
        raise NotYet(text, float(_number(seconds, 0, "number of seconds")))
    x, y, width, height = targets[name]
    return x + width // 2, y + height // 2


def _touch(world: World, directory: Path, name: str, seconds: str = PATIENCE_S) -> str:
    x, y = _target(world, name, seconds)
    _glass(world).tap(x, y)
    return f"touched {name} at {x}, {y}"


def _wait_screen(world: World, directory: Path, name: str, seconds: str = PATIENCE_S) -> str:
    _target(world, name, seconds)
    return f"{name} is on the screen"


def _type(world: World, directory: Path, text: str) -> str:
    spots = [_target(world, f"key:{key}", PATIENCE_S) for key in text]
    for spot in spots:
        _glass(world).tap(*spot)
    return f"typed {len(spots)} keys"


def _screen(world: World, directory: Path) -> list[str]:
    return list(_glass(world).targets())


def _read(world: World, directory: Path) -> list[str]:
    return _glass(world).texts()


def _wait_words(world: World, directory: Path, words: str, seconds: str = PATIENCE_S) -> str:
    texts = _glass(world).texts()
    if not any(words in text for text in texts):
        raise NotYet(f"the screen does not show {words!r}", float(_number(seconds, 0, "number of seconds")))
    return f"the screen shows {words!r}"


def _picture(world: World, directory: Path, file: str) -> str:
    path = directory / file
    try:
        _glass(world).picture(str(path))
    except (OSError, ValueError) as error:
        raise BenchError(f"{path}: cannot be written: {error}") from error
    return str(path)


# The voice.


def _heard(world: World, directory: Path) -> str:
    spoken = world.device("speaker").spoken
    if not spoken:
        raise BenchError("nothing has been said yet")
    return spoken[-1].text


def _wait_heard(world: World, directory: Path, words: str, seconds: str = PATIENCE_S) -> str:
    spoken = world.device("speaker").spoken
    if not spoken or words not in spoken[-1].text:
        said = f"{spoken[-1].text!r}" if spoken else "nothing"
        raise NotYet(f"{words!r} was not said; said last was {said}", float(_number(seconds, 0, "number of seconds")))
    return spoken[-1].text


def _save_speech(world: World, directory: Path, file: str) -> str:
    _heard(world, directory)
    path = directory / file
    try:
        world.device("speaker").save_speech(path)
    except OSError as error:
        raise BenchError(f"{error.filename}: {error.strerror}") from error
    except subprocess.SubprocessError as error:
        raise BenchError(f"espeak-ng cannot speak it: {error}") from error
    return str(path)


# What breaks.


PRINTERS = ("printer", "page-printer")


def _outside(method: str, done: str) -> Callable[..., str]:
    """A command that does one thing to a printer from outside."""

    def do(world: World, directory: Path, name: str = "printer") -> str:
        if name not in PRINTERS:
            raise BenchError(f"only a printer can do that, not {name!r}; there are: {', '.join(PRINTERS)}")
        getattr(world.device(name).outside, method)()
        return f"the {name}{done}"

    return do


def _after(method: str, unit: str, what: str) -> Callable[[World, Path, str], str]:
    """A command that lets something happen to the printer after so many more rows or bytes."""

    def do(world: World, directory: Path, count: str) -> str:
        outside = world.device("printer").outside
        getattr(outside, method)(_number(count, 1, f"number of {unit}"))
        return f"{what} after {count} more {unit}"

    return do


def _heat(world: World, directory: Path, celsius: str) -> str:
    world.device("machine").set(temperature_c=float(_number(celsius, 0, "temperature")))
    return f"the machine has {celsius} °C"


def _pluggable(world: World, name: str) -> Any:
    if name == "machine":
        raise BenchError("the machine has no cable to pull: the kiosk runs on it")
    return world.device(name)


def _unplug(world: World, directory: Path, name: str) -> str:
    _pluggable(world, name).unplug()
    world.unplugged.add(name)
    return f"the {name} is unplugged"


def _plug(world: World, directory: Path, name: str) -> str:
    _pluggable(world, name).plug()
    world.unplugged.discard(name)
    return f"the {name} is plugged in"


def _state(world: World, directory: Path) -> dict[str, Any]:
    return world.state()


WHICH = "[printer|page-printer]"
PLUGGABLE = "reader|scanner|printer|page-printer|speaker"

COMMANDS = {
    command.name: command
    for command in (
        Command(
            "tap", "NAME [CODE]", "lay a resident's card on the reader, its biodata unreadable with that code", _tap
        ),
        Command("take-card", "", "take the card away", _take_card),
        Command("unreadable-card", "", "lay a card on the reader that it cannot read", _present_unreadable),
        Command("read-biodata", "", "what a reader with a SAM reads from the card that lies there", _read_biodata),
        Command("show-qr", "last|PICTURE|TEXT", "show the scanner the newest paper, a picture or a code", _show_qr),
        Command(
            "show-picture",
            "[example|nothing|PICTURE]",
            "lay an invented paper, none, or a picture before the camera",
            _show_picture,
        ),
        Command("touch", "NAME [SECONDS]", "touch the screen there, once it shows that name (10 s)", _touch),
        Command("type", "TEXT", "touch the keys of the keyboard that is shown", _type),
        Command("screen", "", "the names of what can be touched now", _screen),
        Command("wait-screen", "NAME [SECONDS]", "wait until the screen shows that name (10 s)", _wait_screen),
        Command("read", "", "the words that the screen shows", _read),
        Command("wait-words", "WORDS [SECONDS]", "wait until the screen shows those words (10 s)", _wait_words),
        Command("picture", "FILE", "save a picture of the screen", _picture),
        Command("paper-out", WHICH, "the paper is at its end", _outside("paper_out", "'s paper is out")),
        Command("paper-near-end", WHICH, "little paper is left", _outside("paper_near_end", " has little paper left")),
        Command("refill", WHICH, "put new paper in", _outside("refill", " has new paper")),
        Command("open-cover", WHICH, "open its cover", _outside("open_cover", "'s cover is open")),
        Command("close-cover", WHICH, "close it", _outside("close_cover", "'s cover is closed")),
        Command("silence", WHICH, "it takes bytes and answers nothing", _outside("go_silent", " is silent")),
        Command("answer", WHICH, "it answers again", _outside("answer_again", " answers again")),
        Command("power-off", WHICH, "switch it off: what is in its buffer is lost", _outside("power_off", " is off")),
        Command("power-on", WHICH, "give it its power back", _outside("power_on", " is on")),
        Command("jam", WHICH, "the cutter or a sheet is stuck", _outside("jam", " is jammed")),
        Command("clear-jam", WHICH, "free it", _outside("clear_jam", " is free")),
        Command("fail-at-row", "ROWS", "the paper ends there", _after("paper_out_at_row", "rows", "the paper ends")),
        Command(
            "lose-power-at-row", "ROWS", "its power fails there", _after("lose_power_at_row", "rows", "the power fails")
        ),
        Command(
            "reset-at-byte",
            "BYTES",
            "its connection breaks there",
            _after("reset_at_byte", "bytes", "the connection breaks"),
        ),
        Command("heard", "", "what the speaker said last", _heard),
        Command("wait-heard", "WORDS [SECONDS]", "wait until the speaker says these words (10 s)", _wait_heard),
        Command("save-speech", "FILE", "save that as a WAV, in the real voice", _save_speech),
        Command("heat", "CELSIUS", "let the machine be so hot", _heat),
        Command("unplug", PLUGGABLE, "pull the cable out", _unplug),
        Command("plug", PLUGGABLE, "put it back", _plug),
        Command("state", "", "what can be seen from outside, as JSON", _state),
        Command("save-paper", "DIRECTORY|FILE", "save the picture of the newest paper", _save_paper),
        Command("wait-paper", "COUNT [SECONDS]", "wait until so many papers have come out (60 s)", _wait_paper),
        Command("save-page", "FILE", "save the newest document of the page printer, a PDF", _save_page),
        Command("wait-pages", "COUNT [SECONDS]", "wait until so many of its sheets have come out (60 s)", _wait_pages),
    )
}
