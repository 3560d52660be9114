"""Residents at the desk: registered, changed, imported from a file, linked to a card, and asked for in their stead."""

import io
import logging
import re
import tempfile
import threading

import pytest
from markupsafe import escape
from support.desk import PASSWORD, URL, Browser, DeskAtHand

from kiosk.demo.village import demo_residents
from kiosk.desk.pages.importing import LONGEST_FILE_BYTES, Upload, Uploads
from kiosk.desk.pages.residents import PAGE
from kiosk.desk.sessions import IDLE
from kiosk.enrolments import OPEN_FOR_S, Enrolling
from kiosk.journal import Event
from kiosk.pin_tries import LockedOut, WrongPin
from kiosk.register_import import MOST_TOLD, Report
from kiosk.residents import Identified, UnknownCard
from kiosk.signing.interface import Passphrase
from kiosk.store.errors import StoreError
from kiosk.store.print_jobs import PrintState

pytest_plugins = ["support.desk"]

NIK = "3523124110799101"
FORM = {
    "nik": NIK, "name": "SITI ROHMAH", "birth_place": "TUBAN", "birth_date": "1979-10-01", "sex": "PEREMPUAN",
    "address": "DUSUN KRAJAN", "rt": "1", "rw": "2", "religion": "ISLAM", "marital_status": "kawin",
    "family_number": "3523120101109101", "family_relation": "KEPALA KELUARGA",
}  # fmt: skip
HEAD = "NIK;Nama;Tempat Lahir;Tanggal Lahir;Jenis Kelamin;Alamat;RT;RW"
LINE = f"{NIK};SITI ROHMAH;TUBAN;01-10-1979;P;DUSUN KRAJAN;1;2"
UID = bytes.fromhex("04a1b2c3d4e5f6")
PIN, WRONG_PIN = "592704", "815306"


def register(browser: Browser, **changes: str):
    browser.open("/warga/baru")
    return browser.send("/warga/baru", **FORM | changes)


def upload(browser: Browser, data: bytes, name: str = "penduduk.csv"):
    browser.open("/warga/impor/")
    return browser.send("/warga/impor/", file=(io.BytesIO(data), name))


def csv(*lines: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join((HEAD, *lines)).encode(encoding)


def names(page) -> list[str]:
    return re.findall(r'<a href="/warga/\d+">(.*?)</a>', page.text)


def error_of(page, field: str) -> str:
    found = re.search(f'id="{field}-error">(.*?)</p>', page.text)
    return found[1] if found else ""


def done_by(desk: DeskAtHand, event: Event) -> list[str | None]:
    return [entry.facts.get("officer") for entry in desk.office.journal.newest([event])]


# The register.


def test_a_resident_is_registered_and_changed(desk, caplog):
    caplog.set_level(logging.DEBUG)
    browser = desk.browser("ratna")
    page = register(browser)
    siti = desk.office.residents.by_nik(NIK)
    assert page.request.path == f"/warga/{siti.id}" and "Warga didaftarkan." in page.text
    assert (siti.rt, siti.marital_status, siti.citizenship) == ("001", "KAWIN", "WNI")
    assert all(text in page.text for text in (NIK, "SITI ROHMAH", "1 Oktober 1979", "3523120101109101"))

    browser.open(f"/warga/{siti.id}/ubah")
    assert browser.form(f"/warga/{siti.id}/ubah")["birth_date"] == "1979-10-01"
    page = browser.send(f"/warga/{siti.id}/ubah", **FORM | {"nik": "3523124110799102", "address": "DUSUN MLANGI"})
    assert page.request.path == f"/warga/{siti.id}" and "DUSUN MLANGI RT 001 RW 002" in page.text
    assert desk.office.residents.get(siti.id).nik == NIK  # it stays, whatever is sent
    assert done_by(desk, Event.RESIDENT_ADDED) == done_by(desk, Event.RESIDENT_CHANGED) == ["ratna"]
    assert NIK not in caplog.text and "ROHMAH" not in caplog.text
    assert f'<a href="/warga/{siti.id}">Warga</a>' in browser.open("/catatan/").text


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(desk):
    browser = desk.browser("wulan")
    page = register(browser, nik="123", birth_date="2079-10-01", sex="", rt="x", name='"><b>SITI', address=" ")
    assert page.status_code == 422 and desk.office.residents.all() == []
    assert [error_of(page, field) for field in ("nik", "birth_date", "sex", "rt", "address", "name")] == [
        "Bukan 16 angka.", "Tidak mungkin.", "Kosong.", "Harus paling banyak 3 angka.", "Kosong.", "",
    ]  # fmt: skip
    assert str(escape('"><b>SITI')) in page.text and "<b>" not in page.text
    assert browser.form("/warga/baru")["nik"] == "123"
    register(browser)
    page = register(browser, name="ORANG LAIN")
    assert page.status_code == 422 and "Sudah terdaftar" in error_of(page, "nik")
    assert "periksalah" in register(browser, nik="3523120110799102").text  # a man's, for a woman: kept, and told


def test_of_two_who_change_the_same_the_slower_is_told(desk):
    resident = desk.resident()
    path = f"/warga/{resident}/ubah"
    first, second = desk.browser("ratna"), desk.browser("wulan")
    for browser in (first, second):
        browser.open(path)
    changed = {name: f"{value}" for name, value in demo_residents()[0].items()}
    first.send(path, **changed | {"address": "DUSUN SATU"})
    page = second.send(path, **changed | {"address": "DUSUN DUA"})
    assert page.status_code == 409 and second.form(path)["address"] == "DUSUN DUA"
    assert desk.office.residents.get(resident).address == "DUSUN SATU"
    second.send(path, **changed | {"address": "DUSUN DUA"})  # having read it
    assert desk.office.residents.get(resident).address == "DUSUN DUA"


def test_residents_are_paged_and_found_and_no_nik_is_in_a_list_or_an_address(desk):
    browser = desk.browser("sudarman")
    people = [
        demo_residents()[0] | {"nik": f"352312411079{1000 + number}", "name": f"WARGA NOMOR{number}"}
        for number in range(PAGE + 2)
    ]
    desk.office.residents.put_all(people)
    everybody = [person["name"] for person in people]
    first = browser.open("/warga/")
    following = re.search(r'href="(/warga/\?sebelum=\d+)"', first.text)[1]
    assert names(first) + names(browser.open(following)) == everybody[::-1]
    assert people[-1]["nik"] not in first.text and f"************{people[-1]['nik'][12:]}" in first.text

    browser.open("/warga/")
    first = browser.send("/warga/cari", wanted="nomor warga")
    second = browser.send("/warga/cari#main")
    assert names(first) + names(second) == sorted(everybody) and not first.request.query_string
    browser.open("/warga/")
    page = browser.send("/warga/cari", wanted=" 3523 1241 1079 1007 ")
    assert page.request.path == f"/warga/{desk.office.residents.by_nik(people[7]['nik']).id}"
    assert people[7]["nik"] not in re.search("<title>.*?</title>", page.text)[0]
    for nobody in ("3523124110795555", "TIDAK ADA", "' OR 1=1 --"):
        browser.open("/warga/")
        assert "Tidak ada warga" in browser.send("/warga/cari", wanted=nobody).text


def test_the_page_shows_the_family_and_the_requests(desk):
    resident = desk.resident(0)
    family = [
        desk.resident(number)
        for number, person in enumerate(demo_residents())
        if number and person["family_number"] == demo_residents()[0]["family_number"]
    ]
    number = desk.ask(0).number
    page = desk.browser("sudarman").open(f"/warga/{resident}")
    assert family and all(f'href="/warga/{each}"' in page.text for each in family)
    assert f'href="/permohonan/{number}"' in page.text
    assert "Belum ada</dd>" in page.text  # no card, no PIN


def test_the_head_looks_and_changes_nothing(desk):
    resident = desk.resident()
    head = desk.browser("sudarman")
    page = head.open(f"/warga/{resident}")
    assert "<form" not in re.search("<main.*</main>", page.text, re.DOTALL)[0] and "/ubah" not in page.text
    fields = head.form("/keluar")
    for path in ("baru", f"{resident}/ubah", f"{resident}/kode", f"{resident}/kartu/putuskan", f"{resident}/buka-kunci",
                 f"{resident}/surat/domisili", "impor/", "impor/jalankan"):  # fmt: skip
        assert head.post(f"/warga/{path}", fields, headers={"Origin": URL}).status_code == 404, path
    assert desk.office.requests.of_resident(resident) == []


def test_nobody_has_that_id(desk):
    browser = desk.browser("ratna")
    for resident in (1, 2**31 - 1, 2**31, 10**30):
        for rest in ("", "/ubah", "/surat/", "/surat/domisili"):
            assert browser.open(f"/warga/{resident}{rest}").status_code == 404
    fields = browser.form("/keluar")
    for path in ("ubah", "kode", "kartu/putuskan", "buka-kunci", "surat/domisili"):
        assert browser.post(f"/warga/1/{path}", fields, headers={"Origin": URL}).status_code == 404, path


# From a file.


def test_a_file_is_looked_at_first_and_then_imported(desk):
    browser = desk.browser("ratna")
    page = upload(
        browser, csv(LINE, LINE.replace(NIK, "3523124110790000"), LINE.replace("9101;", "9102;").replace(";P;", ";L;"))
    )
    assert page.request.path == "/warga/impor/laporan" and desk.office.residents.all() == []
    rows = re.findall(r"<tr>\s*<td[^>]*>(.*?)</td>\s*<td[^>]*>(.*?)</td>\s*<td[^>]*>(.*?)</td>", page.text)
    assert rows == [
        ("3", "nik", "nomor urut 0000 tidak pernah diterbitkan"),
        ("4", "nik", "tidak cocok dengan tanggal lahir atau jenis kelamin; periksalah"),
    ]
    assert NIK not in page.text and "ROHMAH" not in page.text
    page = browser.send("/warga/impor/jalankan")
    assert page.request.path == "/warga/impor/laporan" and "Impor selesai" in page.text
    assert [each.nik for each in desk.office.residents.all()] == [NIK, "3523124110799102"]
    assert done_by(desk, Event.RESIDENT_ADDED) == ["ratna", "ratna"]
    page = upload(browser, csv(LINE))
    assert "<strong>1</strong> tetap sama" in page.text and "jalankan" not in page.text  # nothing to do


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "berkasnya kosong"),
        (b"PK\x03\x04\x00\x00", "Bukan berkas teks"),
        (csv(LINE, encoding="utf-16"), "Bukan berkas teks"),
        (b"NIK;Nama\n1;2\n", "Tidak ada kolom: tempatlahir"),
        (f'{HEAD}\n"{LINE}\n'.encode(), "bukan CSV"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(desk, data, said):
    page = upload(desk.browser("ratna"), data)
    assert page.status_code == 422 and said in page.text and 'name="file"' in page.text


def test_only_this_page_takes_a_large_file_and_none_too_large(desk):
    browser = desk.browser("ratna")
    long_line = LINE.replace("DUSUN KRAJAN", "x" * 100_000)
    page = upload(browser, csv(LINE, *[long_line] * 90))
    assert "<strong>90</strong> baris ditolak" in page.text and "lebih dari 200 huruf" in page.text
    page = upload(browser, b"x" * (LONGEST_FILE_BYTES + 100_000))
    assert page.status_code == 413 and "Kiriman terlalu besar" in page.text
    browser.open("/warga/baru")
    assert browser.send("/warga/baru", file=(io.BytesIO(b"x" * 100_000), "x")).status_code == 413
    head = desk.browser("sudarman")
    head.open("/")
    large = head.form("/keluar") | {"file": (io.BytesIO(b"x" * 100_000), "x")}
    assert head.post("/warga/impor/", large, headers={"Origin": URL}).status_code == 404
    assert "Belum ada warga" in browser.open("/warga/").text


def test_nothing_of_the_file_is_left_on_the_disk(desk, tmp_path, monkeypatch):
    def no_file(*_, **__):
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(tempfile, name, no_file)
    monkeypatch.setattr("werkzeug.formparser.TemporaryFile", no_file, raising=False)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", no_file, raising=False)
    browser = desk.browser("ratna")
    upload(browser, csv(LINE, *[LINE.replace("DUSUN KRAJAN", "x" * 1000)] * 1500))
    browser.send("/warga/impor/jalankan")
    assert len(desk.office.residents.all()) == 1
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert NIK.encode() not in kept and b"ROHMAH" not in kept and b"penduduk.csv" not in kept


def test_a_long_report_is_cut_off_and_says_so(desk):
    wrong = [f"{number};X;Y;01-10-1979;P;Z;1;2" for number in range(MOST_TOLD + 7)]
    page = upload(desk.browser("ratna"), csv(*wrong))
    assert page.text.count("bukan 16 angka") == MOST_TOLD and "Dan 7 baris lagi." in page.text


def test_a_file_is_given_up_forgotten_or_another_officers(desk):
    browser, other = desk.browser("ratna"), desk.browser("wulan")
    upload(browser, csv(LINE))
    assert other.open("/warga/impor/laporan").request.path == "/warga/impor/"
    run = browser.form("/warga/impor/jalankan")
    browser.send("/warga/impor/batal")
    page = browser.post("/warga/impor/jalankan", run, headers={"Origin": URL})
    assert page.status_code == 409 and "tidak disimpan lagi" in page.text
    upload(browser, csv(LINE))
    desk.clock.pass_s(IDLE.total_seconds())
    browser = desk.browser("ratna")
    assert browser.open("/warga/impor/laporan").request.path == "/warga/impor/"
    assert desk.office.residents.all() == []


def test_only_the_file_whose_report_was_read_is_imported_or_given_up(desk):
    browser = desk.browser("ratna")
    upload(browser, csv(LINE))
    tab = {path: browser.form(f"/warga/impor/{path}") for path in ("jalankan", "batal")}
    upload(browser, csv(LINE.replace(NIK, "3523124110799102")))
    page = browser.post("/warga/impor/jalankan", tab["jalankan"], headers={"Origin": URL})
    assert page.status_code == 409 and "tidak disimpan lagi" in page.text and desk.office.residents.all() == []
    browser.post("/warga/impor/batal", tab["batal"], headers={"Origin": URL})
    browser.open("/warga/impor/laporan")
    browser.send("/warga/impor/jalankan")
    assert [each.nik for each in desk.office.residents.all()] == ["3523124110799102"]


def test_a_file_does_not_outlive_its_session(desk):
    browser, kept = desk.browser("ratna"), desk.app.extensions["uploads"]._uploads
    upload(browser, csv(LINE))
    assert desk.browser("ratna").open("/warga/impor/laporan").request.path == "/warga/impor/"
    browser.open("/kata-sandi")
    new = "kerbau putih di sawah"
    browser.send("/kata-sandi", password=PASSWORD, new=new, again=new)
    assert browser.page.request.path == "/" and not kept
    upload(browser, csv(LINE))
    assert kept
    browser.send("/keluar")
    assert not kept


def test_a_file_is_forgotten_by_itself():
    before = set(threading.enumerate())
    uploads = Uploads(kept_s=0.05)
    uploads.keep("ratna", Upload("session", b"", Report()))
    for timer in set(threading.enumerate()) - before:
        timer.join()
    assert uploads.of("ratna", "session") is None


def test_an_import_that_breaks_off_is_told_and_goes_on(desk, monkeypatch):
    browser = desk.browser("ratna")
    people = [LINE.replace(NIK, f"352312411079{serial}") for serial in range(1000, 1300)]
    upload(browser, csv(*people))
    put_all, calls = desk.office.residents.put_all, []

    def breaks_off(*people, **options):
        calls.append(people)
        if len(calls) == 2:
            raise StoreError("STORE-FULL", "the disk is full")
        return put_all(*people, **options)

    monkeypatch.setattr(desk.office.residents, "put_all", breaks_off)
    page = browser.send("/warga/impor/jalankan")
    assert page.status_code == 503 and "baru sebagian tersimpan" in page.text
    assert 0 < len(desk.office.residents.all()) < len(people)
    assert "Impor selesai" in browser.send("/warga/impor/jalankan").text
    assert len(desk.office.residents.all()) == len(people)


# Cards and PINs.


def test_from_the_registration_to_a_card_and_a_pin(desk, caplog):
    caplog.set_level(logging.DEBUG)
    browser, office = desk.browser("ratna"), desk.office
    page = register(browser)
    siti = office.residents.by_nik(NIK)
    page = browser.send(f"/warga/{siti.id}/kode", password=PASSWORD)
    code = re.search(r'class="code"[^>]*>(\d{3}) (\d{3})<', page.text)
    code = code[1] + code[2]
    assert "Berlaku 10 menit, sampai 24 November 2026 pukul 09.10" in page.text
    assert "«Saya punya kode dari petugas»" in page.text
    enrolling = office.enrolments.begin(code, UID)
    assert isinstance(enrolling, Enrolling)
    office.enrolments.choose_pin(enrolling, PIN)
    assert isinstance(office.residents.identify_by_card(UID, PIN), Identified)
    page = browser.open(f"/warga/{siti.id}").text
    assert "1 terhubung" in page and "Sudah dipasang" in page
    assert UID.hex() not in page.lower() and PIN not in page and code not in page
    assert done_by(desk, Event.ENROLMENT_OPENED) == ["ratna"] and code not in caplog.text

    page = browser.send(f"/warga/{siti.id}/kartu/putuskan", password=PASSWORD).text
    assert "tidak dapat dipakai lagi" in page and "Kartu hilang" not in page
    assert isinstance(office.residents.look_up_card(UID), UnknownCard)
    [entry] = office.journal.newest([Event.CARDS_UNLINKED])
    assert entry.facts == {"resident": siti.id, "count": 1, "officer": "ratna"}


def test_another_code_ends_the_earlier_and_each_ends_by_itself(desk):
    browser, resident = desk.browser("ratna"), desk.resident()
    codes = []
    for _ in range(2):
        browser.open(f"/warga/{resident}")
        page = browser.send(f"/warga/{resident}/kode", password=PASSWORD)
        codes.append("".join(re.search(r'class="code"[^>]*>(\d{3}) (\d{3})<', page.text).groups()))
    assert isinstance(desk.office.enrolments.begin(codes[0], UID), WrongPin)
    desk.clock.pass_s(OPEN_FOR_S)
    assert isinstance(desk.office.enrolments.begin(codes[1], UID), WrongPin)


def test_a_lock_is_shown_and_lifted(desk):
    browser, residents = desk.browser("wulan"), desk.office.residents
    resident = desk.resident()
    nik = residents.get(resident).nik
    residents.set_pin(nik, PIN)
    assert "buka-kunci" not in browser.open(f"/warga/{resident}").text
    while not isinstance(residents.identify_by_nik(nik, WRONG_PIN), LockedOut):
        pass
    assert "Sampai 24 November 2026 pukul 09.15" in browser.open(f"/warga/{resident}").text
    page = browser.send(f"/warga/{resident}/buka-kunci", password=PASSWORD).text
    assert "Kunci PIN dibuka." in page and "buka-kunci" not in page
    assert isinstance(residents.identify_by_nik(nik, PIN), Identified)
    [entry] = desk.office.journal.newest([Event.UNLOCKED])
    assert (entry.facts["resident"], entry.facts["officer"]) == (resident, "wulan")


def test_an_open_desk_gives_nobody_a_residents_identity(desk):
    browser, office, resident = desk.browser("ratna"), desk.office, desk.resident()
    nik = office.residents.get(resident).nik
    office.residents.enrol_card(nik, UID)
    office.residents.set_pin(nik, PIN)
    while not isinstance(office.residents.identify_by_nik(nik, WRONG_PIN), LockedOut):
        pass
    before = office.residents.credentials(resident)
    for path in ("kode", "kartu/putuskan", "buka-kunci"):
        browser.open(f"/warga/{resident}")
        page = browser.send(f"/warga/{resident}/{path}", password=None if path == "kode" else "salah")
        assert page.status_code == 422 and "Kata sandi Anda tidak cocok" in page.text
        assert 'class="code"' not in page.text
    assert office.residents.credentials(resident) == before
    assert done_by(desk, Event.ENROLMENT_OPENED) == []


# In a resident's stead.


def test_a_letter_is_asked_for_and_its_resident_told(signing_desk):
    desk, resident = signing_desk, signing_desk.resident()
    browser, path = desk.browser("wulan"), f"/warga/{resident}/surat/keramaian"
    assert path in browser.open(f"/warga/{resident}/surat/").text
    browser.open(path)
    answers = {
        "answer-event": "Pernikahan", "answer-purpose": " Hajatan \r\n keluarga", "answer-first_day": "2026-12-01",
        "answer-last_day": "2026-11-30", "answer-guests": "1.500", "answer-phone": "08x",
    }  # fmt: skip
    page = browser.send(path, **answers)
    assert page.status_code == 422 and desk.office.requests.of_resident(resident) == []
    assert "1 Desember 2026" in error_of(page, "answer-last_day") and "tidak dapat dipakai" in error_of(
        page, "answer-phone"
    )
    assert browser.form(path)["answer-event"] == "Pernikahan"
    fields = browser.form(path) | answers | {"answer-last_day": "2026-12-02", "answer-phone": ""}
    for _ in range(2):  # pressed twice
        answer = browser.post(path, fields, headers={"Origin": URL})
    [asked] = desk.office.requests.of_resident(resident)
    assert answer.location == f"/permohonan/{asked.number}" and asked.asked_by == "wulan"
    assert asked.fields == {
        "event": "Pernikahan", "purpose": "Hajatan keluarga", "first_day": "2026-12-01", "last_day": "2026-12-02",
        "guests": "1500", "phone": "",
    }  # fmt: skip
    assert "oleh petugas wulan" in browser.open(answer.location).text
    assert set(desk.office.papers.of_request(asked.id)) == {"pengantar_rt", "ktp"}
    assert done_by(desk, Event.REQUEST_SUBMITTED) == ["wulan"]
    # Nobody stands at the kiosk to take a slip: it waits until the resident asks for it there.
    assert [job.state for job in desk.office.spooler.open_jobs()] == []
    desk.office.spooler.print_again(asked.print_job_id)
    assert [(job.state, job.printing) for job in desk.office.spooler.open_jobs()] == [(PrintState.QUEUED, 1)]

    desk.office.requests.begin_check(asked.number, "ratna")
    desk.office.requests.approve(asked.number, "ratna")
    for username in ("wulan", "sudarman"):
        desk.office.letters.sign(asked.number, desk.services.officers.by_username(username), passphrase=Passphrase(""))
    assert [each.id for each in desk.office.requests.untold(resident)] == [asked.id]


def test_who_may_not_ask_at_the_kiosk_may_not_here(desk):
    resident = desk.resident()
    married = dict(demo_residents()[0], marital_status="KAWIN")
    desk.office.residents.change(resident, married)
    browser = desk.browser("ratna")
    page = browser.open(f"/warga/{resident}/surat/")
    assert f"/warga/{resident}/surat/domisili" in page.text and "surat/belum_menikah" not in page.text
    refusal = desk.office.letter_types["belum_menikah"].asker.refusal(
        desk.office.residents.get(resident), desk.clock.now().date(), "id"
    )
    assert refusal and refusal in page.text
    fields = browser.form("/keluar")
    for letter_type in ("belum_menikah", "tidak_ada"):
        path = f"/warga/{resident}/surat/{letter_type}"
        assert browser.open(path).status_code == 404
        assert browser.post(path, fields, headers={"Origin": URL}).status_code == 404


def test_every_letter_can_be_asked_for(desk):
    """The page of each type puts every one of its questions."""
    browser, resident = desk.browser("ratna"), desk.resident()
    for key, letter_type in desk.office.letter_types.items():
        if letter_type.asker.refusal(desk.office.residents.get(resident), desk.clock.now().date(), "id"):
            continue
        page = browser.open(f"/warga/{resident}/surat/{key}")
        assert page.status_code == 200, key
        for field in letter_type.fields:
            assert f'name="answer-{field.key}"' in page.text and str(escape(field.label["id"])) in page.text
            for option in getattr(field, "options", ()):
                assert f'<option value="{option.key}">{escape(option.label["id"])}</option>' in page.text
