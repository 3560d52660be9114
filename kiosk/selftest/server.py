"""Is the server there, is it the server that answers, and what time does it think it is?"""

from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from kiosk.clock import Clock
from kiosk.deadline import within
from kiosk.selftest.registry import Finding, Verdict

#: For all of it together.
DEADLINE_S = 5.0
#: A Date header has whole seconds, and the answer takes some of its own.
MOST_APART = timedelta(seconds=60)
LOGIN_NEEDED = 511  # RFC 6585: a network wants a login first


def look_at_server(url: str, clock: Clock) -> Finding:
    """Ask for the head of `url`, for DEADLINE_S at most. A 4xx is an answer: the server is there."""
    try:
        return within(DEADLINE_S, lambda: _ask(url, clock))
    except TimeoutError as error:
        return _failed("SERVER-NO-ANSWER", str(error))


def _ask(url: str, clock: Clock) -> Finding:
    import requests

    session = requests.Session()
    session.trust_env = False  # no proxy and no password file of whoever started the kiosk
    try:
        with session, session.head(url, timeout=DEADLINE_S, allow_redirects=False) as response:
            return _judge(url, response.status_code, response.headers, clock)
    except requests.exceptions.SSLError as error:
        return _failed("SERVER-CERTIFICATE", type(error).__name__)
    except requests.exceptions.RequestException as error:
        return _failed("SERVER-NO-ANSWER", type(error).__name__)


def _judge(url: str, status: int, headers: "dict[str, str]", clock: Clock) -> Finding:
    elsewhere = urlsplit(headers.get("Location", "")).hostname
    if status == LOGIN_NEEDED or (300 <= status < 400 and elsewhere not in (None, urlsplit(url).hostname)):
        return _failed("SERVER-CAPTIVE-PORTAL", f"{status} {elsewhere or ''}".strip())
    if status >= 500:
        return _failed("SERVER-ERROR", str(status))
    try:
        told = parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError):
        return Finding("server", Verdict.PASS, detail=f"{status}, tells no time")
    apart = clock.now() - (told if told.tzinfo else told.replace(tzinfo=UTC))
    detail = f"{status}, clocks {_seconds(apart)} s apart"
    if abs(apart) > MOST_APART:
        return Finding("server", Verdict.ATTENTION, "CLOCK-APART", detail)
    return Finding("server", Verdict.PASS, detail=detail)


def _seconds(apart: timedelta) -> int:
    return round(abs(apart).total_seconds())


def _failed(code: str, detail: str) -> Finding:
    return Finding("server", Verdict.FAIL, code, detail)
