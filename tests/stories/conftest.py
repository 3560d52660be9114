"""Whole kiosks in child processes, driven over the bench's socket."""

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from support.running_kiosk import RunningKiosk, changed_profile, kiosks

from hardware.printer.profiles import load_profile
from hardware.printer.virtual import VirtualPrinter

PRINTER_PROFILE = load_profile(files("config") / "printers" / "virtual-80mm.toml")
#: A ticket then takes a quarter of a second.
HEAD_MM_PER_S = 300.0

VIRTUAL_PRINTER = '[printer]\ndriver = "virtual"\nprofile = "virtual-80mm"'
FAST_VIRTUAL_PRINTER = f"{VIRTUAL_PRINTER}\noptions = {{ head_mm_per_s = 1500 }}"


VIRTUAL_SCANNER = '[code_scanner]\ndriver = "virtual"'
#: Nobody is asked about papers.
WITHOUT_CAMERA = VIRTUAL_SCANNER, f"{VIRTUAL_SCANNER}\noptions = {{ camera = false }}"


@pytest.fixture
def make_kiosk() -> Iterator[Callable[..., RunningKiosk]]:
    with kiosks() as make:
        yield make


@pytest.fixture
def demo_kiosk(tmp_path, make_kiosk) -> RunningKiosk:
    """The demo, with a fast printer; not started yet."""
    return make_kiosk(config=changed_profile(tmp_path / "demo.toml", (VIRTUAL_PRINTER, FAST_VIRTUAL_PRINTER)))


@pytest.fixture
def printer() -> Iterator[VirtualPrinter]:
    """A printer on the network, which outlives the kiosk as a real one does."""
    with VirtualPrinter(PRINTER_PROFILE.width_dots, head_mm_per_s=HEAD_MM_PER_S) as made:
        yield made


@pytest.fixture
def network_printer(printer) -> tuple[str, str]:
    """The change of the demo's settings that has the real driver print on `printer`."""
    options = f'options = {{ connection = "{printer.connection}" }}'
    return VIRTUAL_PRINTER, f"{VIRTUAL_PRINTER.replace('virtual', 'escpos', 1)}\n{options}"


@pytest.fixture
def config(tmp_path, network_printer) -> Path:
    """The demo's settings with that printer, and without a camera for papers."""
    return changed_profile(tmp_path / "kiosk.toml", network_printer, WITHOUT_CAMERA)


@pytest.fixture
def kiosk(make_kiosk, config) -> RunningKiosk:
    """A demo that prints on `printer`; not started yet."""
    return make_kiosk(config=config)
