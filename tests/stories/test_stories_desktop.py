"""`kiosk demo` on a desktop: real X11 windows, and clicks of a real pointer."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.running_kiosk import RunningKiosk

#: The middle of the idle screen of the standing panel at half its size.
MIDDLE = ("270", "480")


@pytest.fixture
def display() -> Iterator[str]:
    """A private X server without a window manager."""
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as ready:
        number = ready.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait(10)


def windows(display: str) -> list[str]:
    """The ids of all windows to be seen, the root among them."""
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--class", ""],
        env={**os.environ, "DISPLAY": display},
        capture_output=True,
        text=True,
    )
    return found.stdout.split()


def test_the_kiosk_and_its_panel_open_and_a_click_is_a_touch(display: str, tmp_path: Path) -> None:
    kiosk = RunningKiosk(tmp_path / "state", environment={"DISPLAY": display})
    try:
        kiosk.launch("demo", "--state", str(kiosk.state))
        kiosk.wait_until(lambda: (kiosk.state / "bench.sock").exists(), "it has no bench")
        kiosk.see("start")
        kiosk.wait_until(lambda: len(windows(display)) >= 3, "the panel did not open")
        pointer = {**os.environ, "DISPLAY": display}
        subprocess.run(["xdotool", "mousemove", *MIDDLE, "click", "1"], env=pointer, check=True)
        kiosk.see("letter")
        assert kiosk.stop() == 0
        assert "Traceback" not in kiosk.log
    finally:
        kiosk.close()
