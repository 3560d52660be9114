"""The panel as its own process, drawing without a screen."""

import os
import subprocess
import sys
from pathlib import Path

import numpy
from PIL import Image

from hardware.code_scanner.decoding import decode_qr

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0

#: Runs the panel with hands: touches what carries the text of the next argument, once it is there.
HANDS = """
import sys
from pathlib import Path

from hardware.bench.client import BenchClient
from screens.bench_panel.__main__ import prepare_kivy

prepare_kivy("offscreen")
from kivy.clock import Clock
from kivy.tests.common import UnitTestTouch

from screens.bench_panel.panel import PanelApp

client, texts = BenchClient(Path(sys.argv[1])), sys.argv[2:]

def touch_next(_):
    widgets = app.root.walk() if app.root else ()
    found = [widget for widget in widgets if texts[0] in getattr(widget, "text", "")]
    if found and found[0].width != 100:  # Kivy's width for what was never laid out
        touch = UnitTestTouch(*found[0].to_window(*found[0].center))
        touch.touch_down()
        touch.touch_up()
        del texts[0]
    return bool(texts)

app = PanelApp(client, client.subscribe(), None, 0)
Clock.schedule_interval(touch_next, 0.1)
app.run()
"""


def start(*command: str) -> subprocess.Popen:
    environment = os.environ | {"SDL_VIDEODRIVER": "offscreen", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, *command], env=environment, stderr=subprocess.PIPE, text=True)


def await_state(subscription, is_wanted) -> dict:
    return next(event["state"] for event in subscription if event["event"] == "state" and is_wanted(event["state"]))


def test_touches_on_the_panel_move_the_world_and_it_ends_with_the_kiosk(bench):
    with bench.client.subscribe() as subscription:
        hands = start("-c", HANDS, str(bench.server.socket_path), "siti", "Scanner unplugged")
        try:
            done = await_state(subscription, lambda state: state["card_on_reader"] and state["unplugged"])
            assert (done["card_on_reader"], done["unplugged"]) == ("siti", ["scanner"])
            bench.server.stop()
            _, told = hands.communicate(timeout=PATIENCE_S)
        finally:
            hands.kill()
            hands.wait()
    assert hands.returncode == 0, told


def test_without_a_kiosk_the_panel_says_so_and_ends(tmp_path):
    panel = start("-m", "screens.bench_panel", "--socket", str(tmp_path / "bench.sock"))
    _, told = panel.communicate(timeout=PATIENCE_S)
    assert panel.returncode == 1
    assert told.startswith(f"bench panel: no kiosk is running with a bench at {tmp_path / 'bench.sock'}")


def test_paper_comes_out_on_the_panel_sharp_enough_to_scan(printing_bench, page, tmp_path):
    picture = tmp_path / "panel.png"
    panel = start(
        "-m", "screens.bench_panel", "--socket", str(printing_bench.server.socket_path), "--picture", str(picture)
    )  # fmt: skip
    printing_bench.printer.print(page)
    _, told = panel.communicate(timeout=PATIENCE_S)
    assert panel.returncode == 0, told
    with Image.open(picture) as drawn:
        assert decode_qr(numpy.array(drawn.convert("L"))) == b"HTTPS://CEK.DESA.ID/S/A1"
