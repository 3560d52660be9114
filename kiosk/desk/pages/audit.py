"""What was done, by whom and when: the journal in plain words."""

from flask import Blueprint, redirect, render_template, request, url_for

from kiosk.desk.access import allowed, services
from kiosk.desk.forms import row_id
from kiosk.desk.words import EVENTS
from kiosk.requests import UnknownRequest

blueprint = Blueprint("audit", __name__, url_prefix="/catatan")

PAGE = 100


@blueprint.get("/")
@allowed()
def page():
    before_id = request.args.get("sebelum", type=row_id)
    return _page(request.args.get("petugas", ""), request.args.get("permohonan", "").strip(), before_id)


@blueprint.post("/saring")
@allowed()
def choose():
    """A form, because what is typed for a number may be a NIK; only what is a request's gets into an address."""
    username, number = request.form.get("petugas", ""), request.form.get("permohonan", "").strip()
    if number and _request_id(number) is None:
        return _page(username, number)
    return redirect(url_for("audit.page", petugas=username or None, permohonan=number or None), 303)


def _page(username: str, number: str, before_id: int | None = None) -> str:
    office = services().office
    request_id = _request_id(number) if number else None
    entries = []
    if not number or request_id is not None:
        entries = office.journal.newest(EVENTS, username or None, request_id, before_id, limit=PAGE + 1)
    return render_template(
        "audit.html",
        entries=entries[:PAGE],
        numbers=office.requests.numbers({entry.facts["request"] for entry in entries if "request" in entry.facts}),
        older=entries[PAGE - 1].id if len(entries) > PAGE else None,
        officers=services().officers.list(),
        username=username,
        number=number,
    )


def _request_id(number: str) -> int | None:
    try:
        return services().office.requests.by_number(number).id
    except UnknownRequest:
        return None
