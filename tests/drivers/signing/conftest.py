"""A village that can sign, its keys made once."""

import shutil
from pathlib import Path

import pytest
from support.clock import FakeClock
from support.kiosk import DEMO

from config import settings as config
from config.settings import Settings
from kiosk.officers import Officer, Role
from kiosk.signing import pdf_keys
from kiosk.signing.pdf_keys import create_keys


@pytest.fixture(scope="session")
def officer() -> Officer:
    return Officer(3, "kades", "H. SUDARMAN, S.Sos.", "", Role.HEAD)


@pytest.fixture(scope="session")
def keyed_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with a root and a signer."""
    state = tmp_path_factory.mktemp("keyed")
    create_keys(config.changed(config.load(DEMO), state_dir=str(state)), FakeClock().now())
    return state


@pytest.fixture(autouse=True)
def smaller_keys(keyed_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test makes besides: it is long enough to make the village's own."""
    monkeypatch.setattr(pdf_keys, "KEY_BITS", 2048)


@pytest.fixture
def settings(keyed_state: Path, tmp_path: Path) -> Settings:
    """The demo village's, on a copy of those keys."""
    shutil.copytree(keyed_state, tmp_path / "state")
    return config.changed(config.load(DEMO), state_dir=str(tmp_path / "state"))
