"""The officers' desk without a network: its app, officers of each role, and browsers that keep cookies and send forms
as real ones do."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from support.clock import FakeClock
from werkzeug.test import TestResponse

from config import settings as config
from config.settings import PROFILES, Settings
from kiosk.demo.village import demo_residents
from kiosk.desk.app import create_app
from kiosk.desk.services import Services
from kiosk.officers import Role
from kiosk.requests import LetterRequest
from kiosk.signing.pdf_keys import create_keys, signing_directory

DEMO = Path(str(PROFILES / "demo.toml"))
URL = "http://127.0.0.1:8443"
PASSWORD = "perahu biru di dermaga"
#: Username of the invented officer of each role → role.
OFFICERS = {"ratna": Role.OPERATOR, "wulan": Role.SECRETARY, "sudarman": Role.HEAD}


class Browser:
    """Somebody at a browser. `page` is what it shows."""

    def __init__(self, desk: "DeskAtHand", address: str = "192.0.2.7") -> None:
        self._client = desk.app.test_client()
        self._address = address
        self.page: TestResponse | None = None

    def open(self, path: str, base_url: str = URL, **options: Any) -> TestResponse:
        """Go there; redirects are followed as a browser does."""
        return self._show(self._client.get(path, base_url=base_url, follow_redirects=True, **self._asked_by(options)))

    def send(self, path: str, follow: bool = True, origin: str | None = URL, **values: Any) -> TestResponse:
        """Send the form of the shown page whose action is `path`, with `values` typed into it; a value of None leaves
        that field out."""
        fields = self.form(path) | values
        data = {name: value for name, value in fields.items() if value is not None}
        headers = {} if origin is None else {"Origin": origin}
        return self.post(path, data, headers=headers, follow_redirects=follow)

    def post(self, path: str, data: dict[str, Any], base_url: str = URL, **options: Any) -> TestResponse:
        """What a form would send, from no page."""
        return self._show(self._client.post(path, base_url=base_url, data=data, **self._asked_by(options)))

    def form(self, path: str) -> dict[str, str]:
        """The hidden and filled-in fields of the shown page's form for `path`, or for the page itself."""
        shown = self.page.request.path
        for attributes, inside in re.findall(r"<form\b([^>]*)>(.*?)</form>", self.page.text, re.DOTALL):
            action = re.search(r'action="([^"]*)"', attributes)
            if (unescape(action[1]) if action else shown) == path:
                inputs = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in re.findall(r"<input\b[^>]*>", inside)]
                return {each["name"]: unescape(each.get("value", "")) for each in inputs}
        raise AssertionError(f"no form for {path} on {shown}:\n{self.page.text}")

    def log_in(self, username: str, password: str = PASSWORD) -> "Browser":
        self.open("/masuk")
        self.send("/masuk", username=username, password=password)
        return self

    def cookie(self, name: str = "desk") -> str | None:
        found = self._client.get_cookie(name, domain="127.0.0.1")
        return found and found.value

    def keep(self, cookie: str, name: str = "desk") -> None:
        """Have that cookie."""
        self._client.set_cookie(name, cookie, domain="127.0.0.1")

    def _asked_by(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"environ_overrides": {"REMOTE_ADDR": self._address}, **options}

    def _show(self, page: TestResponse) -> TestResponse:
        self.page = page
        return page


class DeskAtHand:
    """A desk whose clock a test sets, with an officer of each role and the demo's residents."""

    def __init__(self, settings: Settings) -> None:
        self.clock = FakeClock()
        self.services = Services.open(settings, None, self.clock)
        self.office = self.services.office
        for username, role in OFFICERS.items():
            self.services.officers.add(username, f"{username.upper()}, S.Sos.", role, PASSWORD)
        self.app = create_app(self.services)

    def fit(self, printer: Any) -> None:
        """Give the hall that office printer."""
        self.services = replace(self.services, page_printer=printer)
        self.app.extensions["services"] = self.services

    def change_letter_type(self, key: str, **changes: Any) -> None:
        self.office.letter_types[key] = config.changed(self.office.letter_types[key], **changes)

    def ask(
        self,
        resident: int = 0,
        letter_type: str = "domisili",
        fields: dict[str, str] | None = None,
        key: str = "key",
        **options: Any,
    ) -> LetterRequest:
        """A request of that resident, as the kiosk makes it."""
        fields = {"purpose": "Melamar pekerjaan"} if fields is None else fields
        return self.office.requests.submit(self.resident(resident), letter_type, fields, f"{resident} {key}", **options)

    def browser(self, username: str | None = None, **options: Any) -> Browser:
        """A new one; logged in where an officer is named."""
        browser = Browser(self, **options)
        return browser.log_in(username) if username else browser

    def resident(self, number: int = 0) -> int:
        """The id of one of the demo's residents, who is added where needed."""
        fields = demo_residents()[number]
        residents = self.office.residents
        found = [each.id for each in residents.all() if each.nik == fields["nik"]]
        return found[0] if found else residents.add(fields).id


@pytest.fixture
def desk_settings(tmp_path: Path) -> Settings:
    return config.changed(config.load(DEMO), state_dir=str(tmp_path / "state"))


@pytest.fixture
def make_desk(desk_settings: Settings) -> Iterator[Callable[..., DeskAtHand]]:
    """`make_desk(desk=…)`: a desk with other settings of its own."""
    made: list[DeskAtHand] = []

    def make(**changes: Any) -> DeskAtHand:
        made.append(DeskAtHand(config.changed(desk_settings, **changes)))
        return made[-1]

    yield make
    for desk in made:
        desk.services.close()


@pytest.fixture
def desk(make_desk: Callable[..., DeskAtHand]) -> DeskAtHand:
    return make_desk()


@pytest.fixture(scope="session")
def signing_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a village's keys, made once: it takes a second."""
    settings = config.changed(config.load(DEMO), state_dir=str(tmp_path_factory.mktemp("keys")))
    create_keys(settings, FakeClock().now())
    return signing_directory(settings)


@pytest.fixture
def signing_desk(make_desk: Callable[..., DeskAtHand], signing_keys: Path) -> DeskAtHand:
    """One whose village can sign."""
    desk = make_desk()
    shutil.copytree(signing_keys, signing_directory(desk.services.settings))
    return desk
