"""The desk's pages: the life of a letter from the log-in to the hand-over, officers who are at it at once, and what a
resident may have typed."""

import logging
import re
import threading

import pytest
from markupsafe import escape
from support.desk import PASSWORD, URL, DeskAtHand

from hardware.printer.interface import PrintOutcome, PrintResult
from kiosk.demo.village import demo_residents
from kiosk.desk.words import EVENTS, STATES, told
from kiosk.journal import Entry, Event
from kiosk.letter_types import Insert
from kiosk.officers import Role
from kiosk.requests import PAGE, RequestState
from kiosk.store.requirement_papers import Paper

pytest_plugins = ["support.desk"]

REASON = "Keperluan belum jelas"


def see(browser, number: str) -> str:
    return browser.open(f"/permohonan/{number}").text


def act(browser, number: str, action: str, **values):
    """Press that button on the request's page."""
    see(browser, number)
    return browser.send(f"/permohonan/{number}/{action}", **values)


def state_of(desk: DeskAtHand, number: str) -> RequestState:
    return desk.office.requests.by_number(number).state


def ready(desk: DeskAtHand, number: str) -> None:
    """Walk a request to its letter."""
    operator, head = desk.browser("ratna"), desk.browser("sudarman")
    act(operator, number, "periksa")
    act(operator, number, "setujui")
    act(head, number, "tanda-tangani", password=PASSWORD)
    assert state_of(desk, number) is RequestState.READY


# The life of a letter.


def test_the_life_of_a_letter(signing_desk, caplog):
    caplog.set_level(logging.DEBUG)
    desk = signing_desk
    number = desk.ask().number
    operator, head = desk.browser("ratna"), desk.browser("sudarman")

    assert number in operator.open("/permohonan/").text
    page = act(operator, number, "periksa")
    assert page.request.path == f"/permohonan/{number}" and "sedang Anda periksa" in page.text
    resident = demo_residents()[0]
    assert all(text in page.text for text in (resident["name"], resident["nik"], "Melamar pekerjaan"))
    draft = operator.open(f"/permohonan/{number}/rancangan.pdf")
    assert draft.mimetype == "application/pdf" and draft.data.startswith(b"%PDF")
    assert act(operator, number, "setujui").status_code == 200
    assert "tanda-tangani" not in operator.page.text  # an operator checks and does not sign

    page = act(head, number, "tanda-tangani", password=PASSWORD)
    letter = desk.office.requests.by_number(number)
    assert letter.state is RequestState.READY and f"Surat {letter.letter_number} sudah ditandatangani" in page.text
    signed = operator.open(f"/permohonan/{number}/surat.pdf")
    assert signed.data == desk.office.letters.pdf(letter.id) and b"/ByteRange" in signed.data
    assert signed.headers["Content-Disposition"] == f'inline; filename="surat-{number}.pdf"'
    assert signed.headers["Cache-Control"] == "no-store"

    assert "diserahkan" in act(operator, number, "serahkan").text
    page = act(head, number, "cabut", reason="Nama salah tulis", password=PASSWORD)
    assert "Surat dicabut" in page.text and "Nama salah tulis" in page.text
    assert type(desk.office.check_code(letter.token.encode())).__name__ == "Withdrawn"

    history = [told(entry) for entry in desk.office.journal.of_request(letter.id)]
    assert history == [
        "Surat diminta", "Mulai diperiksa", "Disetujui", f"Diberi nomor {letter.letter_number}",
        f"Surat {letter.letter_number} ditandatangani", "Surat diserahkan", f"Surat {letter.letter_number} dicabut",
    ]  # fmt: skip
    assert all(text in page.text for text in history)
    assert PASSWORD not in caplog.text and resident["nik"] not in caplog.text and resident["name"] not in caplog.text


def test_a_chain_of_two_signs_in_its_order(signing_desk):
    desk = signing_desk
    desk.change_letter_type("domisili", signers=(Role.SECRETARY, Role.HEAD))
    number = desk.ask().number
    secretary, head = desk.browser("wulan"), desk.browser("sudarman")
    act(secretary, number, "periksa")
    act(secretary, number, "setujui")
    assert "tanda-tangani" not in see(head, number)  # not yet the head's turn
    assert "menunggu penanda tangan berikutnya" in act(secretary, number, "tanda-tangani", password=PASSWORD).text
    assert "tanda-tangani" not in see(secretary, number)
    assert state_of(desk, number) is RequestState.SIGNING
    act(head, number, "tanda-tangani", password=PASSWORD)
    assert state_of(desk, number) is RequestState.READY


@pytest.mark.parametrize(("action", "state"), [("kembalikan", RequestState.RETURNED), ("tolak", RequestState.REFUSED)])
def test_a_request_goes_back_or_is_refused_with_a_reason(desk, action, state):
    number = desk.ask().number
    operator = desk.browser("ratna")
    act(operator, number, "periksa")
    for wrong in ("", "  ", "x" * 301):
        page = act(operator, number, action, reason=wrong)
        assert page.status_code == 422 and state_of(desk, number) is RequestState.CHECKING
    page = act(operator, number, action, reason=f" {REASON}\r\n\x00")
    assert state_of(desk, number) is state and REASON in page.text
    assert desk.office.requests.by_number(number).reason == REASON


def test_signing_and_withdrawing_need_the_password_again(signing_desk):
    desk = signing_desk
    number = desk.ask().number
    operator, head = desk.browser("ratna"), desk.browser("sudarman")
    act(operator, number, "periksa")
    act(operator, number, "setujui")
    for wrong in (None, "", "salah salah salah"):
        page = act(head, number, "tanda-tangani", password=wrong)
        assert page.status_code == 422 and "tidak cocok" in page.text
    assert state_of(desk, number) is RequestState.SIGNING
    act(head, number, "tanda-tangani", password=PASSWORD)
    assert act(head, number, "cabut", reason=REASON, password="salah").status_code == 422
    assert state_of(desk, number) is RequestState.READY


def test_a_village_without_a_key_is_told_and_nothing_is_lost(desk):
    number = desk.ask().number
    operator, head = desk.browser("ratna"), desk.browser("sudarman")
    act(operator, number, "periksa")
    act(operator, number, "setujui")
    page = act(head, number, "tanda-tangani", password=PASSWORD)
    assert page.status_code == 502 and "Surat belum ditandatangani" in page.text
    assert state_of(desk, number) is RequestState.SIGNING


def test_a_signer_may_send_a_request_back_and_an_operator_no_more(desk):
    number = desk.ask().number
    operator, head = desk.browser("ratna"), desk.browser("sudarman")
    act(operator, number, "periksa")
    act(operator, number, "setujui")
    forced = {**operator.form("/keluar"), "revision": "2", "reason": REASON}
    assert operator.post(f"/permohonan/{number}/tolak", forced, headers={"Origin": URL}).status_code == 409
    assert operator.post(f"/permohonan/{number}/cabut", forced, headers={"Origin": URL}).status_code == 404
    assert state_of(desk, number) is RequestState.SIGNING
    act(head, number, "kembalikan", reason=REASON)
    assert state_of(desk, number) is RequestState.RETURNED


# The papers that a letter needs.


def test_papers_are_looked_at_and_judged(desk):
    jpeg = b"\xff\xd8\xff\xe0" + b"photo" * 100
    number = desk.ask(papers=(Paper("pengantar_rt", jpeg), Paper("kk"))).number
    other = desk.ask(1).number
    operator = desk.browser("ratna")
    act(operator, number, "periksa")
    page = operator.page.text
    assert f'src="/permohonan/{number}/syarat/pengantar_rt.jpg"' in page and "syarat/kk.jpg" not in page
    assert "Difoto di anjungan" in page and "Dibawa warga ke loket" in page
    assert "2 syarat belum diterima: Surat pengantar RT/RW; Fotokopi KK" in page
    photo = operator.open(f"/permohonan/{number}/syarat/pengantar_rt.jpg")
    assert (photo.data, photo.mimetype, photo.headers["Cache-Control"]) == (jpeg, "image/jpeg", "no-store")
    for path in (f"{number}/syarat/kk.jpg", f"{other}/syarat/pengantar_rt.jpg", f"{number}/syarat/..%2f..jpg"):
        assert operator.open(f"/permohonan/{path}").status_code == 404

    assert "Tidak sesuai, " in act(operator, number, "syarat/pengantar_rt/tolak").text
    page = act(operator, number, "syarat/kk/terima").text
    assert "Sudah diterima, " in page and "Syarat diterima: kk oleh ratna" in page
    act(operator, number, "syarat/pengantar_rt/terima")
    assert "belum diterima" not in operator.page.text
    fields = operator.form("/keluar")
    unknown = operator.post(f"/permohonan/{number}/syarat/nonsense/terima", fields, headers={"Origin": URL})
    assert unknown.status_code == 404
    act(operator, number, "tolak", reason=REASON)
    page = see(operator, number)
    assert "/terima" not in page and "pengantar_rt.jpg" not in page
    assert operator.open(f"/permohonan/{number}/syarat/pengantar_rt.jpg").status_code == 404
    fields = operator.form("/keluar")
    assert operator.post(f"/permohonan/{number}/syarat/kk/tolak", fields, headers={"Origin": URL}).status_code == 409


def test_who_signs_is_warned_of_papers_that_nobody_has_received_and_judges_none(signing_desk):
    desk = signing_desk
    number = desk.ask(papers=(Paper("pengantar_rt"), Paper("kk"))).number
    operator, head = desk.browser("ratna"), desk.browser("sudarman")
    act(operator, number, "periksa")
    act(operator, number, "syarat/kk/terima")
    act(operator, number, "setujui")
    for browser in (operator, head):
        assert "/terima" not in see(browser, number) and "Dibawa warga ke loket" in browser.page.text
    assert "1 syarat belum diterima: Surat pengantar RT/RW" in head.page.text
    assert "syarat belum diterima" not in see(operator, number)
    fields = head.form("/keluar")
    assert head.post(f"/permohonan/{number}/syarat/kk/tolak", fields, headers={"Origin": URL}).status_code == 409
    act(head, number, "tanda-tangani", password=PASSWORD)
    assert "syarat belum diterima" not in see(head, number) and state_of(desk, number) is RequestState.READY


# Twice, and at once.


def test_who_is_faster_is_told_to_the_other(desk):
    number = desk.ask().number
    first, second = desk.browser("ratna"), desk.browser("wulan")
    see(second, number)
    act(first, number, "periksa")
    page = second.send(f"/permohonan/{number}/periksa")
    assert page.status_code == 409 and "sudah berubah" in page.text and "oleh ratna" in page.text
    assert desk.office.requests.by_number(number).officer == "ratna"


def test_what_was_decided_on_an_old_page_is_not_done(desk):
    """The resident corrected it meanwhile: what the officer read is not what would be approved."""
    request = desk.ask()
    operator, other = desk.browser("ratna"), desk.browser("wulan")
    act(operator, request.number, "periksa")
    see(operator, request.number)
    act(other, request.number, "kembalikan", reason=REASON)
    desk.office.requests.resubmit(request.id, {"purpose": "Lain"}, "again")
    act(other, request.number, "periksa")
    page = operator.send(f"/permohonan/{request.number}/setujui")
    assert page.status_code == 409 and state_of(desk, request.number) is RequestState.CHECKING


@pytest.mark.parametrize("family", [False, True])
@pytest.mark.parametrize(("username", "action"), [("ratna", "setujui"), ("sudarman", "tanda-tangani")])
def test_what_the_register_did_not_say_when_it_was_read_is_not_bound(signing_desk, username, action, family):
    """The letter is drawn from the register: what changes there after the page was opened was read by nobody."""
    desk, residents = signing_desk, signing_desk.office.residents
    desk.change_letter_type("domisili", signers=(Role.HEAD,), statement=tuple(insert.value for insert in Insert))
    people = demo_residents()
    relative = next(
        number for number, each in enumerate(people) if number and each["family_number"] == people[0]["family_number"]
    )
    changed = relative if family else 0
    desk.resident(relative)
    number = desk.ask(0).number
    operator, browser = desk.browser("ratna"), desk.browser(username)
    act(operator, number, "periksa")
    if action == "tanda-tangani":
        act(operator, number, "setujui")
    before = state_of(desk, number)
    see(browser, number)
    residents.change(desk.resident(changed), people[changed] | {"name": "ORANG LAIN"})
    page = browser.send(f"/permohonan/{number}/{action}", password=PASSWORD)
    assert page.status_code == 409 and "data warganya sudah berubah" in page.text
    assert state_of(desk, number) is before and desk.office.requests.by_number(number).letter_number is None
    assert act(browser, number, action, password=PASSWORD).status_code == 200
    assert state_of(desk, number) is not before


def test_a_button_pressed_twice_calls_one_number(desk):
    for key in "abc":
        desk.office.queue.take("A", key)
    browser = desk.browser("ratna")
    browser.open("/antrean/")
    fields = browser.form("/antrean/A/panggil")
    answers: list[int] = []

    def press() -> None:
        twin = desk.browser()
        twin.keep(browser.cookie())
        answers.append(twin.post("/antrean/A/panggil", fields, headers={"Origin": URL}).status_code)

    presses = [threading.Thread(target=press) for _ in range(4)]
    for each in presses:
        each.start()
    for each in presses:
        each.join()
    assert answers == [303] * 4
    assert [ticket.number for ticket in desk.office.queue.line("A")] == ["A-002", "A-003"]
    page = browser.open("/antrean/")
    assert "Terakhir dipanggil: <strong>A-001</strong>" in page.text
    assert "Memanggil A-002." in browser.send("/antrean/A/panggil").text
    called = [entry.facts for entry in desk.office.journal.newest([Event.TICKET_CALLED])]
    assert [(fact["number"], fact["officer"]) for fact in called] == [("A-002", "ratna"), ("A-001", "ratna")]


def test_nobody_waits_and_no_such_service(desk):
    browser = desk.browser("ratna")
    browser.open("/antrean/")
    fields = browser.form("/keluar")
    assert browser.post("/antrean/Z/panggil", fields, headers={"Origin": URL}).status_code == 404
    browser.post("/antrean/A/panggil", {**fields, "mark": fields["mark"][::-1]}, headers={"Origin": URL})
    assert "Tidak ada yang menunggu." in browser.open("/antrean/").text


# The office printer.


class Printer:
    """Answers as it is told; keeps what it was given."""

    def __init__(self) -> None:
        self.printed: list[tuple[bytes, str]] = []
        self.result = PrintResult(PrintOutcome.PRINTED)

    def print_pdf(self, pdf: bytes, title: str, copies: int = 1) -> PrintResult:
        self.printed.append((pdf, title))
        return self.result

    def stop(self) -> None:
        pass


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (PrintResult(PrintOutcome.PRINTED), "Surat sudah dicetak."),
        (PrintResult(PrintOutcome.HELD, "PAGE-PRINTER-PAPER-OUT"), "belum tercetak"),
        (PrintResult(PrintOutcome.UNCERTAIN, "PAGE-PRINTER-SILENT"), "Belum pasti"),
    ],
)
def test_the_desk_says_what_the_printer_said(signing_desk, result, said):
    desk, printer = signing_desk, Printer()
    printer.result = result
    desk.fit(printer)
    number = desk.ask().number
    operator = desk.browser("ratna")
    assert "cetak" not in see(operator, number)
    ready(desk, number)
    page = act(operator, number, "cetak")
    assert said in page.text
    letter = desk.office.requests.by_number(number)
    assert printer.printed == [(desk.office.letters.pdf(letter.id), number)]
    [entry] = desk.office.journal.newest([Event.LETTER_PRINTED])
    assert entry.facts == {
        "request": letter.id, "officer": "ratna", "outcome": result.outcome, "code": result.code
    }  # fmt: skip


# Finding.


def test_requests_are_paged_by_state(desk):
    numbers = [desk.ask(key=f"key {each}").number for each in range(PAGE + 3)]
    browser = desk.browser("ratna")
    first = browser.open("/permohonan/")
    assert re.findall(r"/permohonan/(2026-\d+)", first.text) == numbers[:PAGE]  # who came first is served first
    following = re.search(r'href="([^"]*sesudah=\d+)"', first.text)[1].replace("&amp;", "&")
    assert re.findall(r"/permohonan/(2026-\d+)", browser.open(following).text) == numbers[PAGE:]
    newest = browser.open("/permohonan/?keadaan=semua")
    assert re.findall(r"/permohonan/(2026-\d+)", newest.text) == numbers[: -PAGE - 1 : -1]
    assert "Tidak ada." in browser.open("/permohonan/?keadaan=ready").text
    assert browser.open("/permohonan/?keadaan=nonsense").status_code == 404
    assert browser.open("/permohonan/?sesudah=nonsense").status_code == 200
    counted = browser.open("/").text
    assert f"<strong>{PAGE + 3}</strong> {STATES[RequestState.SUBMITTED]}" in counted


def test_search_by_number_and_by_name_keeps_names_out_of_addresses(signing_desk):
    desk = signing_desk
    mine, other = desk.ask(0).number, desk.ask(1).number
    ready(desk, mine)
    browser = desk.browser("ratna")

    def search(wanted: str):
        browser.open("/permohonan/")
        return browser.send("/permohonan/cari", wanted=wanted)

    assert search(mine).request.path == f"/permohonan/{mine}"
    assert search(desk.office.requests.by_number(mine).letter_number).request.path == f"/permohonan/{mine}"
    page = search("aminah siti")
    assert page.request.path == "/permohonan/cari" and page.request.query_string == b""
    assert mine in page.text and other not in page.text
    assert "Tidak ada permohonan" in search("TIDAK ADA NAMANYA").text
    assert "Tidak ada permohonan" in search("' OR 1=1 --").text
    assert search("x").status_code == 422


def test_an_unknown_request_looks_like_no_page(desk):
    browser = desk.browser("ratna")

    def said(path: str) -> tuple[int, str]:
        page = browser.open(path)
        return page.status_code, re.search(r"<main.*</main>", page.text, re.DOTALL)[0]

    nowhere = said("/tidak-ada")
    assert nowhere[0] == 404
    for path in ("2026-99999", "2026-99999/surat.pdf", "..%2f..%2fetc", "1"):
        assert said(f"/permohonan/{path}") == nowhere


def test_the_audit_trail_is_found_by_officer_and_by_request(desk):
    first, second = desk.ask(0), desk.ask(1)
    act(desk.browser("ratna"), first.number, "periksa")
    act(desk.browser("wulan"), second.number, "periksa")
    browser = desk.browser("sudarman")

    def rows(query: str = "") -> list[list[str]]:
        page = browser.open(f"/catatan/{query}").text
        rows = re.findall(r"<tr>\s*(<td.*?)</tr>", page, re.DOTALL)
        return [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)[1:]] for row in rows]

    assert ["Mulai diperiksa", first.number, "ratna"] in rows()
    assert ["Mulai diperiksa", second.number, "wulan"] in rows()
    assert rows("?petugas=ratna") == [
        ["Mulai diperiksa", first.number, "ratna"],
        ["Masuk dari 192.0.2.7", "–", "ratna"],
        ["Petugas ditambahkan", "–", "ratna"],
    ]  # fmt: skip
    assert rows(f"?permohonan={second.number}") == [
        ["Mulai diperiksa", second.number, "wulan"],
        ["Surat diminta", second.number, "–"],
    ]
    assert rows("?permohonan=2026-99999") == []
    assert rows("?petugas=%27+OR+1%3D1") == []


def test_what_the_audit_trail_is_asked_for_is_in_no_address_unless_it_is_a_requests_number(desk):
    number, nik = desk.ask().number, demo_residents()[0]["nik"]
    browser = desk.browser("sudarman")
    browser.open("/catatan/")
    page = browser.send("/catatan/saring", petugas="ratna", permohonan=nik)
    assert page.request.url == f"{URL}/catatan/saring" and "Tidak ada catatan." in page.text
    assert browser.form("/catatan/saring")["permohonan"] == nik
    page = browser.send("/catatan/saring", petugas="", permohonan=f" {number} ")
    assert page.request.full_path == f"/catatan/?permohonan={number}" and "Surat diminta" in page.text


def test_every_event_of_officers_and_requests_has_words():
    concerned = {event for event in Event if {"officer", "request"} & set(event.facts)}
    assert concerned - EVENTS.keys() == set()
    for event in EVENTS:
        told(Entry(1, None, event, dict.fromkeys(event.facts, "x"), 1, None))


# What a resident may have typed.


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
def test_what_residents_and_officers_type_is_only_text(desk, text):
    resident = desk.resident(0)
    desk.office.residents.change(resident, demo_residents()[0] | {"name": f"SITI {text}", "address": text})
    number = desk.ask(0, fields={"purpose": text}).number
    operator = desk.browser("ratna")
    act(operator, number, "periksa")
    act(operator, number, "kembalikan", reason=text)
    page = see(operator, number)
    assert page.count(str(escape(text))) == 4  # as name, address, answer and reason
    operator.open("/")
    found = operator.send("/permohonan/cari", wanted="SITI").text
    assert f"SITI {escape(text)}" in found
    assert "<script" not in page + found and "<img" not in page + found
    operator.open("/")
    assert f'value="{escape(text)}"' in operator.send("/permohonan/cari", wanted=text).text


def test_a_character_that_no_letter_can_show_is_told_and_the_request_waits(signing_desk):
    desk = signing_desk
    number = desk.ask(0).number
    operator, head = desk.browser("ratna"), desk.browser("sudarman")
    act(operator, number, "periksa")
    act(operator, number, "setujui")
    desk.office.residents.change(desk.resident(0), demo_residents()[0] | {"name": "SITI \U0001f600"})
    preview = head.open(f"/permohonan/{number}/rancangan.pdf")
    signed = act(head, number, "tanda-tangani", password=PASSWORD)
    for page in (preview, signed):
        assert page.status_code in (409, 502) and "tidak dapat dicetak" in page.text
    request = desk.office.requests.by_number(number)
    assert request.state is RequestState.SIGNING and request.letter_number is None


def test_a_header_cannot_be_smuggled_in(desk):
    browser = desk.browser("ratna")
    for path in ("/permohonan/x%0d%0aSet-Cookie:%20a=b", "/masuk?to=/%0d%0aSet-Cookie:%20a=b"):
        page = browser.open(path)
        assert "a=b" not in page.headers.get("Set-Cookie", "")
    browser.open("/masuk")


def test_a_letter_type_that_is_no_longer_on_offer_is_shown_and_not_signed(desk):
    number = desk.ask().number
    operator, head = desk.browser("ratna"), desk.browser("sudarman")
    act(operator, number, "periksa")
    act(operator, number, "setujui")
    del desk.office.letter_types["domisili"]
    page = see(head, number)
    assert "Melamar pekerjaan" in page and "tanda-tangani" not in page
    assert head.open(f"/permohonan/{number}/rancangan.pdf").status_code == 404
