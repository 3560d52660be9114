"""The queue: who waits, and the next one please."""

from flask import Blueprint, abort, redirect, render_template, url_for

from kiosk.desk.access import allowed, notice, officer, services

blueprint = Blueprint("queue", __name__, url_prefix="/antrean")


@blueprint.get("/")
@allowed()
def page():
    queue = services().office.queue
    lines = [
        (service, queue.line(service.code), queue.last_called(service.code))
        for service in services().settings.queue.services
    ]
    return render_template("queue.html", lines=lines)


@blueprint.post("/<service>/panggil")
@allowed()
def call(service: str):
    if service not in [each.code for each in services().settings.queue.services]:
        abort(404)
    ticket = services().office.queue.call_next(service, officer().username)
    notice(f"Memanggil {ticket.number}." if ticket else "Tidak ada yang menunggu.")
    return redirect(url_for("queue.page"), 303)
