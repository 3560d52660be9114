"""What the kiosk's steps and the desk's pages cost in a village of 10 000 residents and 50 000 letters, beside an empty
one.

Run: PYTHONPATH=. .venv/bin/python tests/bench/bench_village.py [--runs N] [--residents N] [--letters N] [--backup]

The village is filled through the real vault and schema: three years of requests in every state, a signed PDF for each
letter, their journal, their print jobs, and the queue's tickets. The desk is the real process, asked over HTTP by an
officer who logged in. Prints medians and 95th percentiles in ms; the aim is that 95 of 100 stay under 200 ms.
"""

import argparse
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from itertools import count, islice
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import Table, insert, update

from config import settings as config
from config.settings import PROFILES, Settings
from kiosk.backup.archive import BackupKey
from kiosk.backup.make import make_backup
from kiosk.clock import Clock
from kiosk.codes import LetterFacts
from kiosk.demo.village import DEMO_PASSWORD, demo_residents, settle_officers, sign_by_all
from kiosk.devices import Devices
from kiosk.journal import Event
from kiosk.office import Office
from kiosk.officers import Role
from kiosk.pin_tries import sealed_pin
from kiosk.requests import RequestState, SignedFile
from kiosk.residents import Identified
from kiosk.store import schema
from kiosk.store.print_jobs import PrintKind, PrintState

DEMO = Path(str(PROFILES / "demo.toml"))
SEED = 352312
AIM_MS = 200.0
#: Neither a page nor a step: it sets, signs and verifies a PDF.
SIGNING = "open, and sign a letter"
SIGNINGS = 10
PIN = "246802"
FAMILY_SIZE = 4
DAYS = 3 * 365
#: Enough for each step to have its own.
SMALL_LETTERS = 2000
TICKETS_A_DAY = 60
ROWS_AT_ONCE = 2000
ANSWERS = {"purpose": "Melamar pekerjaan di kabupaten"}
#: Of 100 requests so many are in that state.
SHARES = {
    RequestState.COLLECTED: 76,
    RequestState.READY: 8,
    RequestState.REFUSED: 5,
    RequestState.CANCELLED: 3,
    RequestState.WITHDRAWN: 2,
    RequestState.RETURNED: 2,
    RequestState.SIGNING: 2,
    RequestState.SUBMITTED: 1,
    RequestState.CHECKING: 1,
}
ISSUED = (RequestState.READY, RequestState.COLLECTED, RequestState.WITHDRAWN)


# The village.


@dataclass(frozen=True)
class Village:
    settings: Settings
    people: list[dict[str, Any]]
    uids: list[bytes]
    letters: list[int]  # ids of requests whose letter is valid

    def number(self, request_id: int) -> str:
        return f"{Clock().local_date(self.settings.village.timezone).year}-{request_id:05}"


def fill(settings: Settings, residents: int, letters: int, dice: random.Random) -> Village:
    office = Office.open(settings, Clock(), Devices(), printer=None, post=lambda event: None)
    try:
        settle_officers(office)
        people = list(islice(invented_people(dice), residents))
        uids = [bytes.fromhex(f"04{serial:012x}") for serial in range(residents)]
        put(office, schema.residents, resident_rows(office, people))
        put(office, schema.cards, card_rows(office, uids))
        model = signed_letter(office)
        states = {n: dice.choices([*SHARES], [*SHARES.values()])[0] for n in range(2, letters + 1)}
        put(office, schema.letter_requests, request_rows(office, states, people, dice))
        put(office, schema.letter_files, file_rows(office, states, model))
        put(office, schema.letter_signatures, signature_rows(office, states))
        put(office, schema.print_jobs, job_rows(office, states))
        put(office, schema.tickets, ticket_rows(office))
        put(office, schema.journal, journal_rows(office, states))
        with office.store.write() as tx:
            year = office.clock.local_date(settings.village.timezone).year
            tx.execute(update(schema.counters).where(schema.counters.c.name == f"request/{year}").values(value=letters))
    finally:
        office.close()
    valid = [n for n, state in states.items() if state in (RequestState.READY, RequestState.COLLECTED)]
    return Village(settings, people, uids, valid)


def signed_letter(office: Office) -> SignedFile:
    """The first request's, from the question to the signed PDF: the others get the same bytes."""
    request = office.requests.submit(1, "domisili", ANSWERS, "village:1")
    office.requests.begin_check(request.number, "ratna")
    office.requests.approve(request.number, "ratna")
    sign_by_all(office, request.number)
    return office.requests.file(request.id)


def put(office: Office, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        with office.store.write() as tx:
            tx.execute(insert(table), chunk)


def invented_people(dice: random.Random) -> Iterator[dict[str, Any]]:
    """Names put together of the demo's, and NIKs of nobody."""
    models = demo_residents()
    first, last = (sorted({model["name"].split()[at] for model in models}) for at in (0, -1))
    for serial in count():
        model = dice.choice(models)
        born = date(1940, 1, 1) + timedelta(days=dice.randrange(80 * 365))
        day = born.day + (40 if model["sex"] == "PEREMPUAN" else 0)
        yield model | {
            "nik": f"3523{serial // 9000 + 1:02}{day:02}{born:%m%y}{serial % 9000 + 1000}",
            "name": f"{dice.choice(first)} {dice.choice(last)} {dice.choice(last)}",
            "birth_date": born,
            "family_number": f"352312{serial // FAMILY_SIZE:010}",
            "family_relation": "ANAK" if serial % FAMILY_SIZE else "KEPALA KELUARGA",
        }


def resident_rows(office: Office, people: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    residents, vault, now = office.residents, office.store.vault, office.clock.now()
    pin_hash = vault.decrypt(sealed_pin(vault, PIN, b""), "pin", b"")  # everybody's: 10 000 hashes take minutes
    for person in people:
        resident = residents._checked(person)
        nik_index = residents._nik_index(resident.nik)
        yield {
            "nik_index": nik_index,
            "family_index": residents._family_index(resident),
            "personal": residents._sealed(resident),
            "pin": vault.encrypt(pin_hash, "pin", nik_index),
            "added_at": now,
        }


def card_rows(office: Office, uids: list[bytes]) -> Iterator[dict[str, Any]]:
    for resident_id, uid in enumerate(uids, 1):
        uid_index = office.residents._uid_index(uid)
        yield {"uid_index": uid_index, "resident_id": resident_id, "enrolled_at": office.clock.now()}


def request_rows(
    office: Office, states: dict[int, RequestState], people: list[dict[str, Any]], dice: random.Random
) -> Iterator[dict[str, Any]]:
    """In the order of their days; open ones among the newest."""
    now, today = office.clock.now(), office.clock.local_date(office.settings.village.timezone)
    types = list(office.letter_types.values())
    for n, state in states.items():
        ago = timedelta(days=DAYS * (1 - n / max(states)))
        resident_id, letter_type = dice.randrange(len(people)) + 1, dice.choice(types)
        number = f"{today.year}-{n:05}"
        row = {
            "id": n,
            "number": number,
            "resident_id": resident_id,
            "letter_type": letter_type.key,
            "fields": office.requests._sealed(ANSWERS, number),
            "state": state,
            "officer": "ratna",
            "idempotency_key": f"village:{n}",
            "submitted_at": now - ago,
            "changed_at": now - ago,
            "revision": 5,
            "copies": 0,
            "told_at": now,
        }
        letter = NO_LETTER
        if state in ISSUED:
            letter = letter_columns(office, letter_type, people[resident_id - 1], n, today - ago)
        yield row | letter


NO_LETTER = dict.fromkeys(
    ("letter_number", "letter_id", "issued_on", "valid_until", "token", "signer_name", "signer_nip")
)


def letter_columns(office: Office, letter_type: Any, person: dict[str, Any], n: int, day: date) -> dict[str, Any]:
    facts = LetterFacts(
        village_code=office.settings.village.code,
        letter_id=f"{n:032x}",
        letter_type=letter_type.key,
        letter_number=letter_type.number(n, office.settings.village.code, "XI", day.year),
        masked_name=f"{person['name'][0]}***",
        issued_on=day,
        valid_until=day + timedelta(days=letter_type.validity_days),
    )
    return {
        "letter_number": facts.letter_number,
        "letter_id": facts.letter_id,
        "issued_on": facts.issued_on,
        "valid_until": facts.valid_until,
        "token": office.signer.letter(facts),
        "signer_name": "H. SUDARMAN, S.Sos.",
        "signer_nip": "",
    }


def file_rows(office: Office, states: dict[int, RequestState], model: SignedFile) -> Iterator[dict[str, Any]]:
    year, vault = office.clock.local_date(office.settings.village.timezone).year, office.store.vault
    for n, state in states.items():
        if state in ISSUED:
            number = f"{year}-{n:05}"
            yield {
                "request_id": n,
                "sealed": vault.encrypt_bytes(model.data, "letter_files.sealed", number),
                "document": vault.encrypt(model.document, "letter_files.document", number),
                "signature": model.signature,
                "document_id": "",
                "signed_at": model.signed_at,
            }


def signature_rows(office: Office, states: dict[int, RequestState]) -> Iterator[dict[str, Any]]:
    for n, state in states.items():
        if state in ISSUED:
            yield {"request_id": n, "position": 0, "officer": "sudarman", "signed_at": office.clock.now()}


def job_rows(office: Office, states: dict[int, RequestState]) -> Iterator[dict[str, Any]]:
    for n in states:
        yield job_row(office, PrintKind.REQUEST_SLIP, n)
    for n in range(1, TICKETS_A_DAY * DAYS + 1):
        yield job_row(office, PrintKind.TICKET, n)


def job_row(office: Office, kind: PrintKind, subject_id: int) -> dict[str, Any]:
    now = office.clock.now()
    return {
        "kind": kind,
        "subject_id": subject_id,
        "state": PrintState.PRINTED,
        "attempt": 1,
        "printing": 1,
        "language": "id",
        "kiosk_id": office.settings.kiosk_id,
        "code": "",
        "idempotency_key": f"village:{kind}:{subject_id}",
        "created_at": now,
        "changed_at": now,
    }


def ticket_rows(office: Office) -> Iterator[dict[str, Any]]:
    now, today = office.clock.now(), office.clock.local_date(office.settings.village.timezone)
    for n in range(TICKETS_A_DAY * DAYS):
        ago = timedelta(days=DAYS - n // TICKETS_A_DAY)
        yield {
            "business_day": today - ago,
            "service_code": "A",
            "serial": n % TICKETS_A_DAY + 1,
            "waiting": 3,
            "taken_at": now - ago,
            "called_at": now - ago,
            "idempotency_key": f"village:{n}",
        }


def journal_rows(office: Office, states: dict[int, RequestState]) -> Iterator[dict[str, Any]]:
    """What a request leaves, from the visit to the hand-over."""
    now = office.clock.now()
    of_visit = (Event.VISIT_BEGAN, Event.IDENTIFIED, Event.VISIT_ENDED)
    of_request = (Event.REQUEST_SUBMITTED, Event.REQUEST_APPROVED, Event.LETTER_ISSUED, Event.LETTER_COLLECTED)
    for n in states:
        for event in (*of_visit, *of_request):
            known = {"visit": f"{n:08x}", "request": n, "officer": "ratna", "letter_type": "domisili"}
            facts = {name: known.get(name, "–") for name in event.facts}
            row = {"at": now, "event": event.id, "facts": facts, "times": 1, "last_at": now}
            yield row | {"request_id": facts.get("request"), "officer": facts.get("officer")}


# The steps.

Step = Callable[[int], object]


def kiosk_steps(office: Office, village: Village, dice: random.Random) -> dict[str, Step]:
    """What a visit asks of the office, each for another resident each time; the number makes its keys new."""
    residents, letters = office.residents, office.requests

    def somebody() -> int:
        return dice.randrange(len(village.people))

    def identified(answer: object) -> None:
        assert isinstance(answer, Identified), answer

    def a_letter() -> int:
        return dice.choice(village.letters)

    token = letters.get(village.letters[-1]).token.encode()
    return {
        "card: whose is it": lambda n: residents.look_up_card(village.uids[somebody()]),
        "card and PIN": lambda n: identified(residents.identify_by_card(village.uids[somebody()], PIN)),
        "NIK and PIN": lambda n: identified(residents.identify_by_nik(village.people[somebody()]["nik"], PIN)),
        "the family's names": lambda n: residents.family(residents.get(somebody() + 1)),
        "one's letters": lambda n: letters.of_resident(somebody() + 1),
        "letters not told of yet": lambda n: letters.untold(somebody() + 1),
        "ask for a letter": lambda n: letters.submit(somebody() + 1, "domisili", ANSWERS, f"bench:{n}"),
        "ask for a copy": lambda n: letters.request_copy(a_letter(), f"bench copy:{n}"),
        "the signed file": lambda n: letters.file(a_letter()),
        "take a number": lambda n: office.queue.take("A", f"bench number:{n}"),
        "numbers before mine": lambda n: office.queue.waiting("A"),
        "check a code": lambda n: office.check_code(token),
        "print jobs at a start": lambda n: office.spooler.open_jobs(),
    }


# The desk.

PAGES_FROM_ONE_ADDRESS = 20


class FromAddress(HTTPAdapter):
    """Connections from one of this machine's loopback addresses."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **options)


class Desk:
    """An officer at a browser, on the real server; from another address after some pages, because the desk limits what
    comes from one."""

    def __init__(self, address: str) -> None:
        self._address, self._session = address, requests.Session()
        self._session.trust_env = False
        self._asked = 0

    def _move(self) -> None:
        if self._asked % PAGES_FROM_ONE_ADDRESS == 0:
            place = self._asked // PAGES_FROM_ONE_ADDRESS
            self._session.mount("http://", FromAddress(f"127.0.{place // 250 + 1}.{place % 250 + 1}"))
        self._asked += 1

    def log_in(self, username: str) -> None:
        self.get("/masuk")
        self.send("/masuk", username=username, password=DEMO_PASSWORD)

    def get(self, path: str) -> str:
        self._move()
        return self._answer(self._session.get(self._address + path))

    def send(self, path: str, **typed: str) -> str:
        """The form for `path` of the page that was opened last."""
        self._move()
        fields = {name: unescape(value) for name, value in self._fields(path)}
        sent = self._session.post(
            self._address + path, data=fields | typed, headers={"Origin": self._address}, allow_redirects=False
        )
        return self._answer(sent)

    def _fields(self, path: str) -> list[tuple[str, str]]:
        form = re.search(rf'<form[^>]*action="{re.escape(path)}"[^>]*>(.*?)</form>', self._page, re.DOTALL)
        return re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form[1])

    def _answer(self, answer: requests.Response) -> str:
        answer.raise_for_status()
        self._page = answer.text
        return self._page


@contextmanager
def running_desk(village: Village) -> Iterator[str]:
    """Its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config_path = village.settings.state_path.with_suffix(".toml")
    config_path.write_text(DEMO.read_text("utf-8").replace("[speaker]", f"[desk]\nport = {port}\n\n[speaker]"), "utf-8")
    where = ["--demo", "--config", config_path, "--state", village.settings.state_dir]
    command = [sys.executable, "-m", "kiosk", "desk", *where]
    with config_path.with_suffix(".log").open("wb") as log:
        desk = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert "desk is at" in desk.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        desk.terminate()
        desk.wait()


def desk_pages(address: str, office: Office, village: Village, dice: random.Random) -> dict[str, Step]:
    operator = Desk(address)
    operator.log_in("ratna")

    def a_number() -> str:
        return village.number(dice.choice(village.letters))

    def a_name() -> str:
        return dice.choice(village.people)["name"]

    def search(words: str) -> str:
        return operator.send("/permohonan/cari", wanted=words)

    operator.get("/permohonan/")

    def submitted() -> Iterator[str]:
        for each in office.requests.listing(RequestState.SUBMITTED, limit=1000):
            yield each.number

    to_check = submitted()
    middle = village.letters[len(village.letters) // 2]
    return {
        "Beranda": lambda n: operator.get("/"),
        "Permohonan: a request": lambda n: operator.get(f"/permohonan/{a_number()}"),
        "the signed PDF": lambda n: operator.get(f"/permohonan/{a_number()}/surat.pdf"),
        "Antrean": lambda n: operator.get("/antrean/"),
        "Catatan": lambda n: operator.get("/catatan/"),
        "Catatan of an officer": lambda n: operator.get("/catatan/?petugas=ratna"),
        "Catatan of a request": lambda n: operator.get(f"/catatan/?permohonan={a_number()}"),
        "Permohonan: to be checked": lambda n: operator.get("/permohonan/"),
        "Permohonan: collected": lambda n: operator.get("/permohonan/?keadaan=collected"),
        "Permohonan: all, half way": lambda n: operator.get(f"/permohonan/?keadaan=semua&sesudah={middle}"),
        "search by a whole name": lambda n: search(a_name()),
        "search by a common name": lambda n: search(a_name().split()[0]),
        "list, search by a number": lambda n: (operator.get("/permohonan/"), search(a_number())),
        "open and begin to check": lambda n: begin_check(operator, next(to_check)),
    }


def begin_check(operator: Desk, number: str) -> None:
    operator.get(f"/permohonan/{number}")
    operator.send(f"/permohonan/{number}/periksa")


def signing(address: str, office: Office) -> Step:
    """Opens a request and signs it: the PDF is set, signed, verified and kept."""
    head = Desk(address)
    head.log_in("sudarman")
    waiting = office.requests.listing(RequestState.SIGNING, limit=500)
    alone = iter([each.number for each in waiting if office.letter_types[each.letter_type].signers == (Role.HEAD,)])

    def sign(_: int) -> None:
        number = next(alone)
        head.get(f"/permohonan/{number}")
        head.send(f"/permohonan/{number}/tanda-tangani", password=DEMO_PASSWORD)

    return sign


@dataclass(frozen=True)
class Cost:
    median_ms: float
    p95_ms: float

    def __str__(self) -> str:
        return f"{self.median_ms:.1f} ({self.p95_ms:.1f})"


def cost_of(step: Step, runs: int) -> Cost:
    spans_ms = []
    for n in range(runs):
        begun_s = time.perf_counter()
        step(n)
        spans_ms.append((time.perf_counter() - begun_s) * 1000)
    return Cost(statistics.median(spans_ms), statistics.quantiles(spans_ms, n=20)[-1])


def costs_in(village: Village, runs: int) -> dict[str, Cost]:
    dice = random.Random(SEED)
    office = Office.open(village.settings, Clock(), Devices(), printer=None, post=lambda event: None)
    try:
        with running_desk(village) as address:
            steps = kiosk_steps(office, village, dice) | desk_pages(address, office, village, dice)
            costs = {name: cost_of(step, runs) for name, step in steps.items()}
            return costs | {SIGNING: cost_of(signing(address, office), SIGNINGS)}
    finally:
        office.close()


def table(small: dict[str, Cost], large: dict[str, Cost]) -> str:
    lines = [["", "empty village", "full village", f"aim: 95 of 100 under {AIM_MS:.0f} ms"]]
    for name, cost in large.items():
        verdict = "–" if name == SIGNING else "met" if cost.p95_ms < AIM_MS else "MISSED"
        lines.append([name, str(small[name]), str(cost), verdict])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |" for line in lines
    )


def backup_s(village: Village, directory: Path) -> float:
    begun_s = time.perf_counter()
    make_backup(village.settings, DEMO, directory / "village.tar", BackupKey.new("a passphrase of the bench"), Clock())
    return time.perf_counter() - begun_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="of each step (default 200)")
    parser.add_argument("--residents", type=int, default=10_000)
    parser.add_argument("--letters", type=int, default=50_000)
    parser.add_argument("--backup", action="store_true", help="also make a backup of the full village")
    options = parser.parse_args()
    demo = config.load(DEMO)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=".") as directory:
        small, large = (
            fill(config.changed(demo, state_dir=f"{directory}/{name}"), residents, letters, random.Random(SEED))
            for name, residents, letters in (
                ("small", 10, SMALL_LETTERS),
                ("large", options.residents, options.letters),
            )
        )
        size_mb = (large.settings.state_path / "kiosk.sqlite").stat().st_size / 1e6
        print(f"{options.residents} residents, {options.letters} requests, {size_mb:.0f} MB; {options.runs} runs each")
        print(f"Medians (95th percentiles) in ms, load {os.getloadavg()[0]:.1f}\n")
        print(table(costs_in(small, options.runs), costs_in(large, options.runs)))
        if options.backup:
            print(f"\nA backup of it, read back: {backup_s(large, Path(directory)):.0f} s")


if __name__ == "__main__":
    main()
