"""Who may see which page, and what a form must bring.

Every request passes here first. Unknown pages, and those that a role may not see, look alike; whoever is not logged in
is sent to the log-in from both. A form needs its session's token, an origin of ours and its own one-time mark.
"""

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from werkzeug.exceptions import HTTPException, TooManyRequests

from config.settings import Settings
from kiosk.desk.forms import WrongInput, typed_secret
from kiosk.desk.services import Services
from kiosk.desk.words import moment
from kiosk.officers import Officer, Role, TriesPaused

EVERYBODY = frozenset(Role)
#: What an HTTP request that changes nothing may be.
SAFE = ("GET", "HEAD", "OPTIONS")
TOKEN_BYTES = 32
#: As many forms are remembered as were sent within the last minutes.
FORMS_REMEMBERED = 1000
#: Of one session, until its next page shows them.
MOST_NOTICES = 20
WAIT_FOR_TWIN_S = 120.0
#: Requests of one address: a busy officer's browser makes a few per page.
MOST_AT_ONCE, LASTING_PER_S = 200, 5.0
ADDRESSES_REMEMBERED = 10_000

View = Callable[..., Any]


class FormRefused(HTTPException):
    """The form does not come from a page of this session."""

    code = 403
    description = "the form has another session's token, or comes from another site"


class StillUnderWay(HTTPException):
    """The same form is still being done: a signing server may take minutes."""

    code = 202
    description = "what the form asks for is still being done"


class WrongHost(HTTPException):
    """The desk is asked for by a name that is not its own: another site's name may lead here (DNS rebinding)."""

    code = 421
    description = "the desk is not asked for by its own name"


def public(view: View) -> View:
    """A page for whoever asks, without a log-in."""
    view.allowed = None
    return view


def allowed(*roles: Role, longest_bytes: int | None = None) -> Callable[[View], View]:
    """A page for officers of these roles; without any, for all of them. Its forms are done once, however often they are
    sent. One that takes files says how many bytes."""

    def decorate(view: View) -> View:
        @wraps(view)
        def once(**values: Any) -> Any:
            return view(**values) if request.method in SAFE else _forms().do_once(lambda: view(**values))

        once.allowed = frozenset(roles) or EVERYBODY
        once.longest_bytes = longest_bytes
        return once

    return decorate


def guard(app: Flask, settings: Settings) -> None:
    """Put every page of `app`, all of which are registered, behind these rules. Raises RuntimeError for a page that
    does not say who may see it."""
    app.view_functions["static"] = public(app.view_functions["static"])
    for endpoint, view in app.view_functions.items():
        if not hasattr(view, "allowed"):
            raise RuntimeError(f"{endpoint} does not say who may see it: @allowed(…) or @public")
    app.extensions["forms"] = Forms()
    limit = RateLimit(MOST_AT_ONCE, LASTING_PER_S)
    hosts, origins = _own_names(settings)
    check_host = urlsplit(settings.village.check_url).netloc.lower()
    cookie = "__Host-desk" if settings.desk.url.startswith("https:") else "desk"

    @app.before_request
    def check() -> Response | None:
        g.new_token = None
        g.token = _well_formed(request.cookies.get(cookie))
        g.officer = None
        view = app.view_functions.get(request.endpoint)
        is_public = view is not None and view.allowed is None
        if not limit.admits(request.remote_addr or "", services().office.clock.monotonic_s()):
            raise TooManyRequests
        if request.host not in hosts and not (is_public and request.host == check_host):
            raise WrongHost
        if not is_public:
            if g.token is not None:
                g.officer = services().sessions.officer(g.token)
            if g.officer is None:
                return redirect(url_for("login.page", to=_way_back()), 303)
            if view is None or g.officer.role not in view.allowed:
                abort(404)
            request.max_content_length = request.max_form_memory_size = view.longest_bytes  # None: the app's
        if request.method not in SAFE and not (_from_here(origins) and _has_token()):
            raise FormRefused
        return None

    @app.after_request
    def set_cookie(response: Response) -> Response:
        if getattr(g, "new_token", None) is not None:
            response.set_cookie(
                cookie, g.new_token, secure=cookie.startswith("__Host-"), httponly=True, samesite="Strict", path="/"
            )
        return response


def may_see(app: Flask, officer: Officer, endpoint: str) -> bool:
    """Whether a page that is not public is for that officer."""
    return officer.role in app.view_functions[endpoint].allowed


def services() -> Services:
    return current_app.extensions["services"]


def officer() -> Officer:
    """Who asks; only on a page that is not public."""
    return g.officer


def confirm_password() -> None:
    """What binds the village or gives somebody's identity away is done by whoever knows the password, not by whoever
    sits down at an open desk. Raises WrongInput."""
    proof = services().officers.prove(officer().username, typed_secret("password"), request.remote_addr or "")
    if isinstance(proof, TriesPaused):
        raise WrongInput(f"Terlalu banyak kata sandi yang salah. Coba lagi {moment(proof.until)}.")
    if not isinstance(proof, Officer):
        raise WrongInput("Kata sandi Anda tidak cocok. Tidak ada yang diubah.")


def new_token() -> str:
    """The browser gets another token with the answer to this request."""
    g.token = g.new_token = secrets.token_urlsafe(TOKEN_BYTES)
    return g.token


def form_token() -> str:
    """What the forms on this page carry."""
    return services().sessions.form_token(g.token or new_token())


def new_mark() -> str:
    """What tells one sending of a form from another."""
    return secrets.token_urlsafe(16)


def notice(text: str) -> None:
    """Say that at the top of the session's next page."""
    _forms().tell(g.token, text)


def notices() -> list[str]:
    return _forms().told(g.token)


class RateLimit:
    """A bucket of requests for each address, which fills again by `per_s`."""

    def __init__(self, most: int, per_s: float) -> None:
        self._most, self._per_s = most, per_s
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when that was so
        self._lock = threading.Lock()

    def admits(self, address: str, now_s: float) -> bool:
        with self._lock:
            left, then_s = self._buckets.pop(address, (float(self._most), now_s))
            left = min(self._most, left + (now_s - then_s) * self._per_s)
            admitted = left >= 1
            self._buckets[address] = (left - admitted, now_s)
            if len(self._buckets) > ADDRESSES_REMEMBERED:
                self._buckets.popitem(last=False)
            return admitted


class Forms:
    """What was done for the forms that were sent, and what is to be told of it: kept in this process only."""

    def __init__(self) -> None:
        self._notices: OrderedDict[str, list[str]] = OrderedDict()
        self._sent: OrderedDict[tuple[str, str], Future[str | None]] = OrderedDict()
        self._lock = threading.Lock()

    def tell(self, token: str, text: str) -> None:
        with self._lock:
            self._notices[token] = [*self._notices.pop(token, []), text][-MOST_NOTICES:]
            if len(self._notices) > FORMS_REMEMBERED:
                self._notices.popitem(last=False)

    def told(self, token: str) -> list[str]:
        """What was told since, which is forgotten with it."""
        with self._lock:
            return self._notices.pop(token, [])

    def do_once(self, do: Callable[[], Any]) -> Any:
        """The answer to the form that is being sent. Sent again, it does nothing and leads where it first led; one that
        was refused may be sent again. Raises StillUnderWay."""
        key, mine = (g.token, request.form["mark"]), Future()
        while (twin := self._first(key, mine)) is not mine:
            try:
                led_to = twin.result(WAIT_FOR_TWIN_S)
            except TimeoutError:
                raise StillUnderWay from None
            if led_to is not None:
                return redirect(led_to, 303)
        led_to = None
        try:
            response = do()
            led_to = getattr(response, "location", None)
            return response
        finally:
            if led_to is None:
                with self._lock:
                    self._sent.pop(key, None)
            mine.set_result(led_to)

    def _first(self, key: tuple[str, str], mine: Future[str | None]) -> Future[str | None]:
        """That of the one who does the form `key`: `mine`, where nobody did or does."""
        with self._lock:
            first = self._sent.setdefault(key, mine)
            if len(self._sent) > FORMS_REMEMBERED:
                self._sent.popitem(last=False)
            return first


def _forms() -> Forms:
    return current_app.extensions["forms"]


def _own_names(settings: Settings) -> tuple[frozenset[str], frozenset[str]]:
    """The hosts (as in `Host`) and the origins that are this desk's."""
    desk = settings.desk
    scheme, host = desk.url.split("://")
    hosts = {host}
    if desk.address in ("127.0.0.1", "::1"):
        hosts |= {f"{name}:{desk.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return frozenset(hosts), frozenset(f"{scheme}://{name}" for name in hosts)


def _from_here(origins: frozenset[str]) -> bool:
    """Browsers name the origin of every form; one that hides it is not believed."""
    origin = request.headers.get("Origin")
    if origin is None:
        scheme, host, *_ = urlsplit(request.headers.get("Referer", ""))
        origin = f"{scheme}://{host}"
    return origin in origins


def _has_token() -> bool:
    """The session's token, and a mark of its own."""
    sent = request.form.get("token", "")
    if not re.fullmatch(r"[A-Za-z0-9_-]{22}", request.form.get("mark", "")):
        return False
    return g.token is not None and secrets.compare_digest(
        sent.encode(), services().sessions.form_token(g.token).encode()
    )


def _well_formed(token: str | None) -> str | None:
    return token if token and re.fullmatch(r"[A-Za-z0-9_-]{43}", token) else None


def _way_back() -> str | None:
    """The page to lead to after the log-in."""
    return request.path if request.method == "GET" and request.endpoint else None
