"""Puts the desk's pages together: blueprints, words for templates, headers, and what is said when something fails."""

import io
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, render_template, request
from werkzeug.exceptions import HTTPException

from kiosk.desk import access, check_page
from kiosk.desk.forms import WrongInput, wrong_input_page
from kiosk.desk.pages import asking, audit, importing, login, password, queue, requests, residents, start
from kiosk.desk.services import Services
from kiosk.desk.words import ERRORS, PAPERS, ROLES, STATES, moment, told, unbroken
from kiosk.paper.text import date_in_words
from kiosk.store.errors import StoreError

#: More than any form of the desk has; a page that takes files has a limit of its own.
LONGEST_FORM_BYTES = 64 * 1024

HEADERS = {
    # Nothing from anywhere else, no script at all, in no other site's frame.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers would then hide the origin of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
#: Where the desk is reached by TLS: a browser that was here once comes in no other way (RFC 6797).
ONLY_TLS = "max-age=31536000"

#: The main menu: its words, and the pages that they lead to, for those who may see them.
MENU = (
    ("Beranda", "start.page"),
    ("Permohonan", "requests.listing"),
    ("Warga", "residents.listing"),
    ("Antrean", "queue.page"),
    ("Catatan", "audit.page"),
)


class InMemory(Request):
    """Files of residents never touch the disk, where Werkzeug would put larger ones."""

    def _get_file_stream(self, *_: Any, **__: Any) -> io.BytesIO:
        return io.BytesIO()


def create_app(services: Services) -> Flask:
    app = Flask(__name__)
    app.request_class = InMemory
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = LONGEST_FORM_BYTES
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["services"] = services
    for page in (login, start, requests, residents, importing, asking, queue, audit, password):
        app.register_blueprint(page.blueprint)
    if urlsplit(services.settings.village.check_url).path != "/":  # else it would stand before every page of the desk's
        check_page.register(app, services.settings)
    _give_words(app, services)
    _answer_errors(app)
    access.guard(app, services.settings)

    @app.after_request
    def set_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if services.settings.desk.url.startswith("https:"):
            response.headers["Strict-Transport-Security"] = ONLY_TLS
        if request.endpoint == "static":
            response.headers["Cache-Control"] = "max-age=3600"
        return response

    return app


def _give_words(app: Flask, services: Services) -> None:
    """What every template may use."""
    app.jinja_env.filters.update(day=date_in_words, moment=moment, told=told, unbroken=unbroken)
    app.jinja_env.globals.update(
        village=services.settings.village,
        roles=ROLES,
        state_words=STATES,
        paper_words=PAPERS,
        form_token=access.form_token,
        new_mark=access.new_mark,
        notices=access.notices,
    )

    @app.context_processor
    def officer() -> dict[str, object]:
        who = g.get("officer")
        menu = [(name, endpoint) for name, endpoint in MENU if who and access.may_see(app, who, endpoint)]
        return {"officer": who, "menu": menu}


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int]:
        code = error.code or 500
        title, text = ERRORS.get(code, ERRORS[400])
        return render_template("error.html", title=title, text=text), code

    @app.errorhandler(WrongInput)
    def wrong_input(error: WrongInput) -> tuple[str, int]:
        return wrong_input_page(error), 422

    @app.errorhandler(StoreError)
    def store_failed(error: StoreError) -> tuple[str, int]:
        app.logger.error("%s", error)
        title, text = ERRORS[503]
        return render_template("error.html", title=title, text=text), 503
