"""Residents from a CSV file: first what would become of each line, then the import of the same file.

Between the two the file is kept in this process's memory and nowhere else, for as long as a session may idle, and no
longer than its session.
"""

import secrets
import threading
from dataclasses import dataclass, field, replace

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState

from kiosk.desk.access import allowed, officer, services
from kiosk.desk.pages.residents import REGISTRARS
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
    """An officer's file and what became of its lines, or would; `data` is None once it is imported. `session` is the
    token of the one that it was sent in."""

    session: str
    data: bytes | None
    report: Report
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))


class Uploads:
    """The last one of each officer, by the username, for `kept_s` seconds."""

    def __init__(self, kept_s: float = IDLE.total_seconds()) -> None:
        self._kept_s = kept_s
        self._uploads: dict[str, tuple[Upload, threading.Timer]] = {}
        self._lock = threading.Lock()

    def of(self, username: str, session: str) -> Upload | None:
        with self._lock:
            upload, _ = self._uploads.get(username, (None, None))
        return upload if upload is not None and upload.session == session else None

    def keep(self, username: str, upload: Upload) -> None:
        self.forget(username)
        timer = threading.Timer(self._kept_s, self._expire, (username, upload.id))
        timer.daemon = True
        with self._lock:
            self._uploads[username] = upload, timer
        timer.start()

    def forget(self, username: str) -> None:
        with self._lock:
            _, timer = self._uploads.pop(username, (None, None))
        if timer is not None:
            timer.cancel()

    def _expire(self, username: str, upload_id: str) -> None:
        with self._lock:
            if username in self._uploads and self._uploads[username][0].id == upload_id:
                del self._uploads[username]


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
        import_residents(data, office.residents, office.today(), would_be.add, dry=True)
    except UnusableFile as error:
        return _choose_page(f"Berkas ini tidak dapat dipakai. {error}"), 422
    uploads().keep(officer().username, Upload(g.token, data, would_be))
    return _to_report()


@blueprint.get("/laporan")
@allowed(*REGISTRARS)
def report():
    upload = uploads().of(officer().username, g.token)
    if upload is None:
        return redirect(url_for("importing.page"), 303)
    return _report_page(upload)


@blueprint.post("/jalankan")
@allowed(*REGISTRARS)
def run():
    """A second run, by another form of the same page, changes nothing more."""
    upload = _upload_on_the_page()
    if upload is None:
        return _choose_page("Berkas itu tidak disimpan lagi. Pilih sekali lagi."), 409
    if upload.data is None:
        return _to_report()
    office, who, done = services().office, officer().username, Report()
    try:
        import_residents(upload.data, office.residents, office.today(), done.add, officer=who)
    except StoreError as error:
        current_app.logger.error("%s", error)
        refusal = (
            "Impor terhenti dan mungkin baru sebagian tersimpan. Jalankan sekali lagi: yang sudah tersimpan tetap."
        )
        return _report_page(upload, refusal), 503
    uploads().keep(who, replace(upload, data=None, report=done))
    return _to_report()


@blueprint.post("/batal")
@allowed(*REGISTRARS)
def give_up():
    if _upload_on_the_page() is not None:
        uploads().forget(officer().username)
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
        upload_id=upload.id,
        is_done=upload.data is None,
        counts=[(words, counts[outcome]) for outcome, words in OUTCOMES.items()],
        writes=counts[Outcome.ADDED] + counts[Outcome.CHANGED],
        lines=upload.report.told,
        more=upload.report.more,
    )


def _upload_on_the_page() -> Upload | None:
    """The one that the officer saw the report of; None where it is kept no more, or another took its place."""
    upload = uploads().of(officer().username, g.token)
    return upload if upload is not None and upload.id == request.form.get("upload") else None


def uploads() -> Uploads:
    return current_app.extensions["uploads"]


def _to_report() -> Response:
    return redirect(url_for("importing.report"), 303)
