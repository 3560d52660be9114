"""Coming in, and leaving."""

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from kiosk.desk.access import SAFE, allowed, new_token, officer, public, services
from kiosk.desk.forms import typed_secret
from kiosk.desk.pages.importing import uploads
from kiosk.journal import Event
from kiosk.officers import Officer, TriesPaused

blueprint = Blueprint("login", __name__)


@blueprint.get("/masuk")
@public
def page():
    if g.token is not None and services().sessions.officer(g.token):
        return redirect(url_for("start.page"), 303)
    return _page()


@blueprint.post("/masuk")
@public
def log_in():
    username = request.form.get("username", "").strip().lower()
    answer = services().officers.log_in(username, typed_secret("password"), request.remote_addr or "")
    if not isinstance(answer, Officer):
        return _page(answer), 401
    services().sessions.end(g.token)
    services().sessions.begin(answer, new_token())
    return redirect(_local(request.form.get("to", "")), 303)


@blueprint.post("/keluar")
@allowed()
def log_out():
    services().sessions.end(g.token)
    uploads().forget(officer().username)
    services().office.journal.record(Event.OFFICER_LOGGED_OUT, officer=officer().username)
    new_token()
    return redirect(url_for("login.page"), 303)


def _page(refusal: object = None) -> str:
    return render_template(
        "login.html",
        to=request.values.get("to", ""),
        wrong=refusal is not None,
        paused_until=refusal.until if isinstance(refusal, TriesPaused) else None,
    )


def _local(path: str) -> str:
    """The page that was asked for before the log-in, if it is one of ours; else the first one."""
    first = url_for("start.page")
    if not path.startswith("/") or path.startswith("//") or "\\" in path:
        return first
    try:
        endpoint, _ = current_app.url_map.bind("").match(path, method=SAFE[0])
    except (HTTPException, RequestRedirect):
        return first
    return first if endpoint.startswith("login.") else path
