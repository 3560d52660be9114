"""Whole kiosks in child processes, driven over the bench's socket."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.running_kiosk import RunningKiosk, changed_profile, kiosks

#: Ten times the pace of a real head: what is tested here is not how long paper takes.
FAST_HEAD = ('profile = "virtual-80mm"', 'profile = "virtual-80mm"\noptions = { head_mm_per_s = 1500 }')


@pytest.fixture
def make_kiosk() -> Iterator[Callable[..., RunningKiosk]]:
    with kiosks() as make:
        yield make


@pytest.fixture
def quick_demo(tmp_path: Path) -> Path:
    """The demo's settings with a fast printer."""
    return changed_profile(tmp_path / "quick.toml", FAST_HEAD)
