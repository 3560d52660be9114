"""The page that a phone opens when it scans a code: the same check as the kiosk's, for whoever asks, and the list of
this village's withdrawn letters for other villages.

It stands below the path of the village's `check_url`: in the desk's own application, and alone in one that may face the
Internet while the desk stays where it is (`check_page` in the settings). Nobody gets a cookie, and no address is
logged, as it says whose letter was looked at.
"""

import logging
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, render_template, request, send_file
from werkzeug.exceptions import HTTPException, NotFound, TooManyRequests

from config.settings import Settings
from config.translations import say
from kiosk.desk.access import RateLimit, public, services
from kiosk.desk.services import Services
from kiosk.verdict_words import Told, tell

log = logging.getLogger(__name__)

LANGUAGES = ("id", "en")
#: Of one address, behind which there may be a whole mobile network.
MOST_AT_ONCE, LASTING_PER_S = 60, 3.0
LONGEST_BODY_BYTES = 1024
STYLE = Path(__file__).with_name("static") / "check.css"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}

blueprint = Blueprint("check", __name__)


def create_check_app(services: Services) -> Flask:
    """The page alone: nothing of the officers' is in it."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = LONGEST_BODY_BYTES
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["services"] = services
    app.register_error_handler(Exception, _failed)
    register(app, services.settings)
    limit = RateLimit(MOST_AT_ONCE, LASTING_PER_S)

    @app.before_request
    def hold_back() -> None:
        if not limit.admits(request.remote_addr or "", services.office.clock.monotonic_s()):
            raise TooManyRequests

    @app.after_request
    def set_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    return app


def register(app: Flask, settings: Settings) -> None:
    """Put the page into `app`. The path is matched as it is in the code, and in small letters, as people retype it."""
    path = urlsplit(settings.village.check_url).path.rstrip("/")
    app.register_blueprint(blueprint, url_prefix=path)
    if path != path.lower():
        app.register_blueprint(blueprint, url_prefix=path.lower(), name="check_in_small_letters")


@blueprint.get("/")
@public
def help() -> str:
    return _page(*_words("check_page_help"))


@blueprint.get("/<path:token>")
@public
def page(token: str) -> str:
    office = services().office
    payload = office.settings.village.check_url + _as_printed(token)
    verdict = office.check_code(payload.encode())
    timezone = office.settings.village.timezone
    return _page(*(tell(verdict, each, office.letter_types, timezone) for each in LANGUAGES))


def _as_printed(token: str) -> str:
    """No digit of a token is a small letter or a space: what wrote it small, or took its plus signs for spaces as in a
    form, is undone without doubt."""
    return token.upper().replace(" ", "+")


@blueprint.get("/withdrawals")
@public
def withdrawals() -> Response:
    """Signed, so that it may be passed on by anybody (docs/codes.md)."""
    return Response(services().office.codes.own_withdrawals.signed(), content_type="application/cose")


@blueprint.get("/check.css")
@public
def style() -> Response:
    return send_file(STYLE)


@blueprint.errorhandler(Exception)
def _failed(error: Exception) -> tuple[str, int]:
    """Flask would log the address, which is the letter's code."""
    match error:
        case NotFound():
            key, status = "check_page_help", error.code
        case TooManyRequests():
            key, status = "check_page_busy", error.code
        case HTTPException():
            key, status = "check_page_help", error.code or 400
        case _:
            log.error("a check failed", exc_info=error)
            key, status = "check_page_broken", 503
    return _page(*_words(key)), status


def _words(key: str) -> list[Told]:
    return [Told("attention", say(each, "check_page_title"), say(each, key)) for each in LANGUAGES]


def _page(*told: Told) -> str:
    village = services().settings.village
    path = urlsplit(village.check_url).path
    titles = [say(language, "check_page_title") for language in LANGUAGES]
    footers = [say(language, "check_page_no_tte") for language in LANGUAGES]
    parts = list(zip(LANGUAGES, told, titles, footers, strict=True))
    return render_template("check.html", parts=parts, village=village, style=f"{path}check.css")
