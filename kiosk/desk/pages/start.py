"""The first page: what waits, and for whom."""

from flask import Blueprint, render_template

from kiosk.desk.access import allowed, officer, services
from kiosk.officers import SIGNERS
from kiosk.requests import RequestState

blueprint = Blueprint("start", __name__)

#: What an officer looks at first.
FOR_CHECKERS = (RequestState.SUBMITTED, RequestState.CHECKING, RequestState.READY)
FOR_SIGNERS = (RequestState.SIGNING, *FOR_CHECKERS)


@blueprint.get("/")
@allowed()
def page():
    office = services().office
    first = FOR_SIGNERS if officer().role in SIGNERS else FOR_CHECKERS
    counts = office.requests.counts()
    return render_template(
        "start.html",
        waiting=[(state, counts[state]) for state in first],
        others=[(state, counts[state]) for state in RequestState if state not in first],
        queue=[(service, office.queue.waiting(service.code)) for service in services().settings.queue.services],
    )
