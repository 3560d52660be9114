"""Residents from a CSV file: first what would become of each line, then the import of the same file.

Between the two the file is kept in this process's memory and nowhere else, for as long as a session may idle.
"""

import threading
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState

from kiosk.desk.access import allowed, officer, services
from kiosk.desk.pages.residents import REGISTRARS, today
from kiosk.desk.sessions import IDLE
from kiosk.register_fields import REQUIRED
from kiosk.register_import import HEADINGS, Outcome, Report, UnusableFile, import_residents
from kiosk.store.errors import StoreError

blueprint = Blueprint("importing", __name__, url_prefix="/warga/impor")

#: Some 40 000 residents; a page with the file and its marks is a little longer.
LONGEST_FILE_BYTES = 10 * 1024 * 1024
LONGEST_FORM_BYTES = LONGEST_FILE_BYTES + 64 * 1024

OUTCOMES = {
    Outcome.ADDED: "warga baru",
    Outcome.CHANGED: "warga diubah",
    Outcome.UNCHANGED: "tetap sama",
    Outcome.REFUSED: "baris ditolak",
}


@dataclass(frozen=True, repr=False)
class Upload:
    """An officer's file and what became of its lines, or would; `data` is None once it is imported."""

    data: bytes | None
    report: Report
    expires_at: datetime


class Uploads:
    """The last one of each officer, by the username."""

    def __init__(self) -> None:
        self._uploads: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def of(self, username: str, now: datetime) -> Upload | None:
        with self._lock:
            self._uploads = {name: each for name, each in self._uploads.items() if each.expires_at > now}
            return self._uploads.get(username)

    def keep(self, username: str, upload: Upload) -> None:
        with self._lock:
            self._uploads[username] = upload

    def forget(self, username: str) -> None:
        with self._lock:
            self._uploads.pop(username, None)


@blueprint.record_once
def begin(state: BlueprintSetupState) -> None:
    state.app.extensions["uploads"] = Uploads()


@blueprint.get("/")
@allowed(*REGISTRARS)
def page():
    return _choose_page()


@blueprint.post("/")
@allowed(*REGISTRARS, longest_bytes=LONGEST_FORM_BYTES)
def look():
    """The dry run."""
    file = request.files.get("file")
    data = file.read() if file else b""
    if not data:
        return _choose_page("Belum ada berkas yang dipilih, atau berkasnya kosong."), 422
    office, would_be = services().office, Report()
    try:
        import_residents(data, office.residents, today(), would_be.add, dry=True)
    except UnusableFile as error:
        return _choose_page(f"Berkas ini tidak dapat dipakai. {error}"), 422
    _uploads().keep(officer().username, Upload(data, would_be, office.clock.now() + IDLE))
    return _to_report()


@blueprint.get("/laporan")
@allowed(*REGISTRARS)
def report():
    upload = _upload()
    if upload is None:
        return redirect(url_for("importing.page"), 303)
    return _report_page(upload)


@blueprint.post("/jalankan")
@allowed(*REGISTRARS)
def run():
    """A second run, by another form of the same page, changes nothing more."""
    upload = _upload()
    if upload is None:
        return _choose_page("Berkas itu tidak disimpan lagi. Pilih sekali lagi."), 409
    if upload.data is None:
        return _to_report()
    office, who, done = services().office, officer().username, Report()
    try:
        import_residents(upload.data, office.residents, today(), done.add, officer=who)
    except StoreError as error:
        current_app.logger.error("%s", error)
        refusal = (
            "Impor terhenti dan mungkin baru sebagian tersimpan. Jalankan sekali lagi: yang sudah tersimpan tetap."
        )
        return _report_page(upload, refusal), 503
    _uploads().keep(who, replace(upload, data=None, report=done))
    return _to_report()


@blueprint.post("/batal")
@allowed(*REGISTRARS)
def give_up():
    _uploads().forget(officer().username)
    return redirect(url_for("residents.listing"), 303)


def _choose_page(refusal: str = "") -> str:
    return render_template(
        "import.html",
        refusal=refusal,
        required=[HEADINGS[field][0] for field in REQUIRED],
        optional=[names[0] for field, names in HEADINGS.items() if field not in REQUIRED],
        most_mib=LONGEST_FILE_BYTES // 1024 // 1024,
    )


def _report_page(upload: Upload, refusal: str = "") -> str:
    counts = upload.report.counts
    return render_template(
        "import_report.html",
        refusal=refusal,
        is_done=upload.data is None,
        counts=[(words, counts[outcome]) for outcome, words in OUTCOMES.items()],
        writes=counts[Outcome.ADDED] + counts[Outcome.CHANGED],
        lines=upload.report.told,
        more=upload.report.more,
    )


def _upload() -> Upload | None:
    return _uploads().of(officer().username, services().office.clock.now())


def _uploads() -> Uploads:
    return current_app.extensions["uploads"]


def _to_report() -> Response:
    return redirect(url_for("importing.report"), 303)
