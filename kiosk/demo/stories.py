"""The stories that residents live at the kiosk, told on the bench: by the demo without a display, and by the tests.

Everything goes through the bench's socket: cards are tapped, the screen is touched where its buttons are, and a picture
is kept of every screen and of every paper.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from config.settings import Settings
from config.translations import say
from hardware.bench.client import BenchClient
from kiosk.demo.village import (
    DEMO_OFFICERS,
    DEMO_PASSWORD,
    DEMO_PIN,
    DEMO_TECHNICIAN_PIN,
    WITHOUT_PIN,
    demo_residents,
)
from kiosk.letter_types import load_letter_types

#: For what a person waits for: a print at the pace of a real head takes seconds.
PAPER_PATIENCE_S = "60"


class Storyteller:
    """Tells stories on one kiosk. Pictures are numbered in the order in which they were taken."""

    def __init__(self, bench: BenchClient, pictures: Path, settings: Settings) -> None:
        self.bench, self._pictures, self._settings = bench, pictures, settings
        self._count = 0

    def touch(self, *names: str) -> None:
        for name in names:
            self.bench.call("touch", name)

    def tap(self, resident: str) -> None:
        self.bench.call("tap", resident)

    def take_card(self) -> None:
        self.bench.call("take-card")

    def type_pin(self, pin: str = DEMO_PIN) -> None:
        self.see("key:0")
        self.bench.call("type", pin)

    def see(self, name: str, picture: str = "") -> None:
        """Wait until the screen offers that name; keep a picture of it under `picture`."""
        self.bench.call("wait-screen", name, PAPER_PATIENCE_S)
        if picture:
            self.bench.call("picture", str(self._file(picture)))

    def read(self, message: str, picture: str) -> None:
        """Wait until that message of the catalogue is shown, where two screens in a row offer the same names."""
        self.bench.call("wait-words", say("id", message), PAPER_PATIENCE_S)
        self.bench.call("picture", str(self._file(picture)))

    def hear(self, words: str) -> None:
        """Wait until the voice says these words."""
        self.bench.call("wait-heard", words)

    def papers(self) -> int:
        return self.bench.call("state")["papers"]

    def take_paper(self, before: int, picture: str) -> None:
        """Wait for the next paper after `before` of them, and keep a picture of it."""
        self.bench.call("wait-paper", str(before + 1), PAPER_PATIENCE_S)
        self.bench.call("save-paper", str(self._file(picture)))

    def office(self, *arguments: str, typed: str = "") -> str:
        """What an officer does meanwhile at another terminal; returns what it printed."""
        command = (sys.executable, "-m", "kiosk", "office", "--demo", "--state", self._settings.state_dir, *arguments)
        return subprocess.run(command, input=typed, capture_output=True, text=True, check=True, timeout=60).stdout

    def sign(self, number: str) -> None:
        """Each of the letter's chain signs it."""
        signers, _ = load_letter_types()
        for role in signers[self._type_of(number)].signers:
            officer = next(each for each in DEMO_OFFICERS if each.role is role)
            self.office("sign", number, "--officer", officer.username, typed=f"{DEMO_PASSWORD}\n")

    def _type_of(self, number: str) -> str:
        return re.search(rf"^{number}\t\S+\t(\S+)", self.office("requests", "all"), re.MULTILINE)[1]

    def _file(self, name: str) -> Path:
        self._count += 1
        return self._pictures / f"{self._count:02}-{name}.png"


def letter(teller: Storyteller) -> None:
    """A resident taps a card and asks for a letter; one paper is photographed, the other is for the desk"""
    before = teller.papers()
    teller.see("start", "idle")
    teller.touch("start")
    teller.see("letter", "home")
    teller.touch("letter")
    teller.see("nik", "present-card")
    teller.tap("budi")
    teller.see("key:0", "pin")
    teller.type_pin()
    teller.take_card()
    teller.see("usaha", "choose-letter")
    teller.touch("usaha")
    teller.see("suggestion:Toko kelontong", "field")
    teller.touch("suggestion:Toko kelontong")
    teller.see("field:2", "field-optional")
    teller.touch("key:ok")
    teller.see("suggestion:Mengajukan pinjaman bank")
    teller.touch("suggestion:Mengajukan pinjaman bank")
    teller.see("photo:pengantar_rt", "ask-paper")
    teller.touch("photo:pengantar_rt")
    teller.see("picture", "lay-paper")
    teller.touch("take")
    teller.see("use", "look-at-photo")
    teller.touch("use", "desk:kk")
    teller.see("send", "review")
    teller.touch("send")
    teller.take_paper(before, "paper-request-slip")
    teller.see("done", "request-sent")
    teller.touch("done")
    teller.see("start")


def copy(teller: Storyteller) -> None:
    """The officer signs; the resident comes back and prints the copy"""
    number = re.findall(r"^(\S+)\tsubmitted", teller.office("requests"), re.MULTILINE)[-1]
    teller.office("approve", number)
    teller.sign(number)
    before = teller.papers()
    teller.tap("budi")
    teller.type_pin()
    teller.take_card()
    teller.see("continue", "letter-made")
    teller.touch("continue")
    teller.see(number, "my-letters")
    teller.touch(number)
    teller.see("print", "letter-ready")
    teller.touch("print")
    teller.take_paper(before, "paper-letter-copy")
    teller.see("done", "copy-printed")
    teller.touch("done")
    teller.see("start")


def check(teller: Storyteller) -> None:
    """Anyone checks a letter by its code"""
    teller.touch("start", "check")
    teller.see("view:scan", "show-code")
    teller.bench.call("show-qr", "last")
    teller.see("again", "letter-genuine")
    teller.touch("again")
    teller.see("view:scan")
    teller.bench.call("show-qr", "HTTPS://EXAMPLE.ORG/1")
    teller.see("again", "code-not-from-here")
    teller.touch("done")
    teller.see("start")


def dependants(teller: Storyteller) -> None:
    """A letter that only the head of a family may ask for: the son is told so, the mother gets it"""
    teller.tap("joko")
    teller.type_pin()
    teller.take_card()
    teller.see("sktm")
    teller.touch("sktm")
    teller.see("other", "letter-not-for-you")
    teller.touch("done")
    teller.see("start")
    before = teller.papers()
    teller.tap("sumarni")
    teller.type_pin()
    teller.take_card()
    teller.see("sktm")
    teller.touch("sktm")
    teller.see("suggestion:Beasiswa")
    teller.touch("suggestion:Beasiswa")
    teller.see("field:2")
    teller.bench.call("type", "950250")
    teller.see("field:2", "field-amount")
    teller.touch("key:ok", "desk:pengantar_rt", "desk:kk", "desk:foto_rumah")
    teller.see("send")
    teller.touch("send")
    teller.take_paper(before, "paper-request-slip-sktm")
    teller.see("done")
    teller.touch("done")
    teller.see("start")


def queue(teller: Storyteller) -> None:
    """Somebody without a card takes a queue number"""
    before = teller.papers()
    teller.touch("start", "queue")
    teller.see("A", "choose-service")
    teller.touch("A")
    teller.take_paper(before, "paper-ticket")
    teller.see("done", "ticket-taken")
    teller.touch("done")
    teller.see("start")


def cancel(teller: Storyteller) -> None:
    """A resident needs a letter no more, and cancels the request before anybody checks it"""
    before = teller.papers()
    teller.tap("sumarni")
    teller.type_pin()
    teller.take_card()
    teller.touch("new")  # beside the letter of before
    teller.see("domisili")
    teller.touch("domisili")
    teller.see("suggestion:Melamar pekerjaan")
    teller.touch("suggestion:Melamar pekerjaan")
    teller.touch("desk:pengantar_rt", "desk:kk")
    teller.see("send")
    teller.touch("send")
    teller.take_paper(before, "paper-slip-to-cancel")
    teller.see("done")
    teller.touch("done")
    teller.see("start")
    number = re.findall(r"^(\S+)\tsubmitted", teller.office("requests"), re.MULTILINE)[-1]
    teller.tap("sumarni")
    teller.type_pin()
    teller.take_card()
    teller.see(number)
    teller.touch(number)
    teller.see("cancel", "request-under-way")
    teller.touch("cancel")
    teller.see("keep", "really-cancel")
    teller.touch("cancel")
    teller.see("done", "request-cancelled")
    teller.touch("done")
    teller.see("start")


def enrol(teller: Storyteller) -> None:
    """The officer says a code; a resident's new card is linked, and they choose a PIN of their own"""
    nik = next(str(fields["nik"]) for fields in demo_residents() if fields["name"] == WITHOUT_PIN.upper())
    code = teller.office("code", "--nik", nik).split(",")[0]
    teller.tap("nobody")
    teller.see("code", "card-with-a-code")
    teller.take_card()
    teller.touch("code")
    teller.read("enter_code", "officers-code")
    teller.type_pin(code)
    teller.read("choose_pin", "choose-pin")
    teller.type_pin()
    teller.read("repeat_pin", "repeat-pin")
    teller.type_pin()
    teller.see("done", "pin-chosen")
    teller.touch("done")
    teller.see("start")


def paper_out(teller: Storyteller) -> None:
    """The paper is out; a new roll goes in, and the ticket comes by itself"""
    before = teller.papers()
    teller.bench.call("paper-out")
    teller.touch("start", "queue", "B")
    teller.see("without", "paper-out")
    teller.bench.call("refill")
    teller.take_paper(before, "paper-after-refill")
    teller.see("done")
    teller.touch("done")
    teller.see("start")


def other_ways_in(teller: Storyteller) -> None:
    """A card that is not registered; a NIK by keypad; help; another language; larger text"""
    teller.tap("nobody")
    teller.see("nik", "card-not-registered")
    teller.take_card()
    teller.touch("nik")
    teller.see("key:0", "nik")
    teller.touch("bar:help")
    teller.see("technician", "help")
    teller.touch("back")
    teller.see("key:0")
    teller.touch("bar:leave")
    teller.see("start")
    teller.touch("bar:language:jv")
    teller.see("view:choice")
    teller.see("language:jv", "home-javanese")
    teller.touch("bar:larger_text")
    teller.see("text:large")
    teller.touch("bar:language:en")
    teller.see("language:en", "home-english-large")
    teller.touch("bar:leave")
    teller.see("start")


def voice(teller: Storyteller) -> None:
    """Somebody who does not read has the screen read out"""
    teller.touch("start", "bar:listen")
    teller.hear("Selamat datang")
    teller.see("letter", "home-read-out")
    teller.touch("queue")
    teller.hear("KK dan KTP")
    teller.touch("bar:listen")  # while it speaks: be silent
    teller.see("voice:off")
    teller.touch("bar:leave")
    teller.see("start")


def technician(teller: Storyteller) -> None:
    """The technician looks at every part, has a card read, a page printed and read back, and takes the report"""
    before = teller.papers()
    teller.touch("start", "bar:help", "technician")
    teller.type_pin(DEMO_TECHNICIAN_PIN)
    teller.see("passive", "technician")
    teller.touch("passive")
    teller.see("again", "technician-parts")
    teller.touch("menu", "card")
    teller.see("give_up")
    teller.tap("nobody")
    teller.see("menu", "technician-card")
    teller.take_card()
    teller.touch("menu", "print and scan")
    teller.take_paper(before, "paper-test-page")
    teller.see("give_up", "technician-scan")
    teller.bench.call("show-qr", "last")
    teller.see("menu", "technician-print-and-scan")
    teller.touch("menu", "report")
    teller.take_paper(before + 1, "paper-report")
    teller.see("passive")
    teller.touch("bar:leave")
    teller.see("start")


STORIES: tuple[Callable[[Storyteller], None], ...] = (
    letter,
    copy,
    check,
    dependants,
    queue,
    cancel,
    paper_out,
    other_ways_in,
    enrol,
    voice,
    technician,
)
