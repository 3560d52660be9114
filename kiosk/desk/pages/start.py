"""The first page: what waits."""

from flask import Blueprint, render_template

from kiosk.desk.access import allowed, services

blueprint = Blueprint("start", __name__)


@blueprint.get("/")
@allowed()
def page():
    office = services().office
    waiting = [(service, office.queue.waiting(service.code)) for service in services().settings.queue.services]
    return render_template("start.html", waiting=waiting)
