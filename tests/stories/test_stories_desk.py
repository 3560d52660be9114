"""The officers' desk in a real browser, over TLS: a letter from its request to its hand-over, on a desktop and on a
telephone.

With KIOSK_PICTURES set, a picture of every page is kept there; those of docs/pictures/desk come from here.
"""

import errno
import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.browser import DESKTOP, PHONE, RealBrowser, real_browser
from support.desk import OFFICERS, PASSWORD
from support.ports import free_port
from support.running_kiosk import RunningKiosk, changed_profile, kiosks
from support.tls import make_certificate

from config import settings as config
from kiosk.clock import Clock
from kiosk.demo.village import DEMO_OFFICERS, DEMO_PASSWORD, demo_residents
from kiosk.desk.services import Services
from kiosk.requests import RequestState
from kiosk.signing.pdf_keys import create_keys

PICTURES = os.environ.get("KIOSK_PICTURES")
ANSWERS = {"purpose": "Melamar pekerjaan di pabrik semen"}
REGISTERED_NIK = "3523124110799101"
#: What is touched is at least so high (WCAG 2.5.5).
TOUCHED_PX = 44


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Iterator[RunningKiosk]:
    """`kiosk desk` with TLS, an office printer, an officer of each role and two requests."""
    with kiosks() as make:
        kiosk = make()
        folder = tmp_path_factory.mktemp("desk")
        files = make_certificate(folder)
        port = free_port()
        tls = f'tls_certificate = "{files.certificate}"\ntls_key = "{files.key}"'
        own = f"[desk]\nport = {port}\n{tls}\n\n[speaker]"
        path = changed_profile(folder / "desk.toml", ("[speaker]", own))
        settle(config.changed(config.load(path), state_dir=str(kiosk.state)))
        kiosk.launch("desk", "--demo", "--config", str(path), "--state", str(kiosk.state))
        kiosk.wait_until(lambda: "The officers' desk is at" in kiosk.log, "it does not listen")
        kiosk.url = f"https://127.0.0.1:{port}"
        yield kiosk
        assert kiosk.stop() == 0


def settle(settings: config.Settings) -> None:
    services = Services.open(settings, None)
    for username, role in OFFICERS.items():
        services.officers.add(username, f"{username.upper()}, S.Sos.", role, PASSWORD)
    create_keys(settings, Clock().now())
    for number, fields in enumerate(demo_residents()[:2]):
        resident = services.office.residents.add(fields)
        services.office.requests.submit(resident.id, "domisili", ANSWERS, f"key {number}")
    for _ in range(3):
        services.office.queue.take("A", os.urandom(8).hex())
    services.close()


@pytest.fixture
def come_in(desk) -> Iterator:
    """`come_in("ratna")`: another officer at a browser of their own."""
    with ExitStack() as stack:

        def come_in(username: str, size: tuple[int, int] = DESKTOP) -> RealBrowser:
            browser = stack.enter_context(real_browser())
            browser.resize(size)
            browser.open(desk.url)
            look(browser, "log-in")
            browser.type("Nama pengguna", username)
            browser.type("Kata sandi", PASSWORD)
            browser.press("Masuk")
            return browser

        yield come_in


def look(browser: RealBrowser, name: str) -> None:
    """At the page on both sizes: nothing beside the screen, and what is touched is large enough."""
    for size, kind in ((DESKTOP, "desktop"), (PHONE, "phone")):
        browser.resize(size)
        wide = browser.run("return document.documentElement.scrollWidth")
        assert wide <= size[0], f"{name} is {wide} px wide on {size[0]} px"
        small = browser.run(
            "return [...document.querySelectorAll('button, .button, .chip, input:not([type=hidden]), select, summary')]"
            f".filter(each => each.offsetParent && each.getBoundingClientRect().height < {TOUCHED_PX})"
            ".map(each => each.outerHTML)"
        )
        assert small == [], (name, kind)
        if PICTURES:
            folder = Path(PICTURES) / "desk"
            folder.mkdir(parents=True, exist_ok=True)
            browser.picture(folder / f"{name}-{kind}.png")
    browser.resize(DESKTOP)


def test_a_letter_from_the_request_to_the_hand_over(desk, come_in):
    operator = come_in("ratna")
    look(operator, "start")
    operator.press("Permohonan")
    look(operator, "requests")
    number = re.search(r"\d{4}-\d{5}", operator.words)[0]
    operator.press(number)
    look(operator, "request-submitted")
    operator.press("Mulai memeriksa")
    look(operator, "request-checking")
    operator.unfold("Kembalikan untuk diperbaiki")
    look(operator, "request-giving-back")
    operator.press("Setujui")
    assert "Menunggu tanda tangan" in operator.words

    head = come_in("sudarman")
    head.type("Cari nomor permohonan, nomor surat, atau nama warga", "siti aminah")
    head.press("Cari")
    look(head, "found")
    head.press(number)
    look(head, "request-signing")
    head.type("Kata sandi Anda, sekali lagi", "salah salah salah")
    head.press("Tanda tangani")
    look(head, "wrong-password")
    head.type("Kata sandi Anda, sekali lagi", PASSWORD)
    head.press("Tanda tangani")
    assert "sudah ditandatangani dan siap diambil" in head.words

    operator.press("Beranda")
    operator.open(f"{desk.url}/permohonan/{number}")
    operator.press("Cetak di printer kantor")
    assert "Surat sudah dicetak." in operator.words
    look(operator, "request-ready")
    operator.press("Sudah diserahkan kepada warga")
    assert "Sudah diambil" in operator.words

    head.open(f"{desk.url}/permohonan/{number}")
    head.unfold("Cabut surat")
    look(head, "request-withdrawing")
    head.press("Catatan")
    look(head, "audit")
    assert "Surat diserahkan" in head.words
    for browser in (operator, head):
        assert browser.complaints() == []
        assert browser.run("return document.cookie") == ""  # no script could read it
        browser.press("Keluar")
        browser.open(f"{desk.url}/permohonan/{number}")
        assert "SITI" not in browser.words and "Masuk" in browser.words

    [(state,)] = desk.rows("SELECT state FROM letter_requests WHERE number = ?", number)
    assert state == RequestState.COLLECTED
    everything = desk.log.encode() + b"".join(path.read_bytes() for path in desk.state.rglob("*") if path.is_file())
    for secret in (PASSWORD, str(demo_residents()[0]["nik"]), "SITI AMINAH", ANSWERS["purpose"]):
        assert secret.encode() not in everything


def test_two_officers_at_once_and_the_queue(desk, come_in):
    ratna, wulan = come_in("ratna"), come_in("wulan")
    for browser in (ratna, wulan):
        browser.type("Cari nomor permohonan, nomor surat, atau nama warga", "budi")
        browser.press("Cari")
        browser.press(re.search(r"\d{4}-\d{5}", browser.words)[0])
    ratna.press("Mulai memeriksa")
    wulan.press("Mulai memeriksa")
    look(wulan, "overtaken")
    assert "Permohonan ini sudah berubah" in wulan.words and "oleh ratna" in wulan.words
    ratna.press("Antrean")
    look(ratna, "queue")
    ratna.press("Panggil A-001")
    assert "Memanggil A-001." in ratna.words
    wulan.press("Antrean")
    wulan.press("Panggil A-002")
    ratna.press("Kata sandi")
    look(ratna, "password")
    ratna.open(f"{desk.url}/tidak-ada")
    look(ratna, "not-there")


def test_a_resident_is_registered_enrolled_and_asked_for(desk, come_in, tmp_path):
    ratna = come_in("ratna")
    ratna.press("Warga")
    look(ratna, "residents")
    ratna.press("Daftarkan warga")
    ratna.type("NIK", "352312411079910")
    ratna.type("Nama lengkap", "ROHMAH WIJAYANTI")
    ratna.type("Tempat lahir", "TUBAN")
    ratna.choose_day("Tanggal lahir", "1979-10-01")
    ratna.choose("Jenis kelamin", "PEREMPUAN")
    ratna.type("Alamat atau dusun", "DUSUN KRAJAN")
    ratna.type("RT", "1")
    ratna.press("Simpan")
    look(ratna, "resident-wrong")
    assert "Bukan 16 angka." in ratna.words
    ratna.type("NIK", REGISTERED_NIK)
    ratna.press("Simpan")
    assert "Warga didaftarkan." in ratna.words and "1 Oktober 1979" in ratna.words
    look(ratna, "resident-registered")
    ratna.type("Kata sandi Anda, sekali lagi", PASSWORD)
    ratna.press("Beri kode pendaftaran")
    look(ratna, "enrolment")
    assert re.search(r"\b\d{3} \d{3}\b", ratna.words)
    ratna.press("Selesai")

    ratna.press("Ajukan surat untuk warga ini")
    look(ratna, "asking-letters")
    ratna.open(f"{ratna.driver.current_url}keramaian")
    ratna.press("Ajukan")
    look(ratna, "asking")
    assert "Mohon diisi dulu." in ratna.words
    ratna.type("Acara apa yang akan diadakan?", "Khitanan")
    ratna.type("Acara itu untuk keperluan apa?", "Hajatan keluarga")
    ratna.press("Ajukan")
    assert "diajukan atas nama warga" in ratna.words and "oleh petugas ratna" in ratna.words

    file = tmp_path / "penduduk.csv"
    person = f"{REGISTERED_NIK};ROHMAH;TUBAN;01-10-1979;P;DUSUN MLANGI"
    wrong = person.replace(";P;", ";X;").replace("9101", "9102")
    file.write_text("\n".join(("NIK;Nama;Tempat Lahir;Tgl Lahir;JK;Alamat", person, wrong)))
    ratna.press("Warga")
    ratna.press("Impor dari CSV")
    ratna.choose("Pilih berkas CSV", str(file))
    look(ratna, "import")
    ratna.press("Periksa berkas")
    look(ratna, "import-report")
    assert "harus L atau P" in ratna.words and "Belum ada yang diubah." in ratna.words
    ratna.press("Impor 1 warga")
    assert "Impor selesai" in ratna.words
    ratna.press("Ke daftar warga")
    ratna.type("Cari NIK atau nama warga", REGISTERED_NIK)
    ratna.press("Cari")
    assert "DUSUN MLANGI" in ratna.words
    ratna.press("Warga")
    ratna.type("Cari NIK atau nama warga", "siti aminah")
    ratna.press("Cari")
    ratna.press("SITI AMINAH")
    look(ratna, "resident")
    assert ratna.complaints() == []
    assert REGISTERED_NIK not in desk.log


def test_the_demo_has_a_desk_with_its_officers(tmp_path):
    """`kiosk demo` starts it, says where it is and who may come in, and takes it along when it ends."""
    with kiosks() as make, real_browser() as browser:
        port = free_port()
        kiosk = make(
            config=changed_profile(tmp_path / "demo.toml", ("[speaker]", f"[desk]\nport = {port}\n\n[speaker]"))
        )
        kiosk.launch("demo", "--offscreen", "--state", str(kiosk.state), "--config", str(tmp_path / "demo.toml"))
        kiosk.wait_until(lambda: "The officers' desk is at" in kiosk.log, "it has no desk")
        url = re.search(r"The officers' desk is at (\S+)", kiosk.log)[1]
        assert url == f"http://127.0.0.1:{port}"
        for officer in DEMO_OFFICERS:
            assert f"{officer.username} ({officer.role})" in kiosk.log
            browser.open(url)
            browser.type("Nama pengguna", officer.username)
            browser.type("Kata sandi", DEMO_PASSWORD)
            browser.press("Masuk")
            assert officer.name in browser.words
            browser.press("Keluar")
        assert kiosk.stop() == 0
        with socket.socket() as gone:
            assert gone.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
