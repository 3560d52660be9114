"""One's own password."""

from flask import Blueprint, g, redirect, render_template, request, url_for

from kiosk.desk.access import allowed, new_token, notice, officer, services
from kiosk.desk.forms import typed_secret
from kiosk.desk.pages.importing import uploads
from kiosk.desk.words import WEAK_PASSWORDS
from kiosk.officers import Officer, WeakPassword

blueprint = Blueprint("password", __name__)


@blueprint.get("/kata-sandi")
@allowed()
def page():
    return render_template("password.html")


@blueprint.post("/kata-sandi")
@allowed()
def change():
    username, new = officer().username, typed_secret("new")
    known = services().officers.prove(username, typed_secret("password"), request.remote_addr or "")
    if not isinstance(known, Officer):
        return _refused("Kata sandi yang sekarang tidak cocok.")
    if new != typed_secret("again"):
        return _refused("Kata sandi baru tidak sama dengan ulangannya.")
    try:
        services().officers.set_password(username, new)  # which ends every session, this one too
    except WeakPassword as weak:
        return _refused(WEAK_PASSWORDS[weak.reason])
    uploads().forget(username)
    services().sessions.begin(g.officer, new_token())
    notice("Kata sandi sudah diganti.")
    return redirect(url_for("start.page"), 303)


def _refused(text: str) -> tuple[str, int]:
    return render_template("password.html", refusal=text), 422
