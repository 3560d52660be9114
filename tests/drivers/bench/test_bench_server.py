import contextlib
import json
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import qrcode
from PIL import ImageFilter

from hardware.bench.client import BenchClient
from hardware.bench.server import LONGEST_REQUEST_BYTES, BenchServer
from hardware.bench.world import BenchError, World
from hardware.card_reader.interface import CardPresented, CardRemoved, CardUnreadable
from hardware.code_scanner.example_paper import example_paper
from hardware.code_scanner.interface import CodeScanned, PhotoFlaw
from hardware.device import DeviceState, StatusChanged

PATIENCE_S = 10.0


def talk(path: Path, *lines: bytes) -> list[dict]:
    """The replies to raw request lines over one connection."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(path))
        connection.sendall(b"".join(lines))
        with connection.makefile("rb") as replies:
            return [json.loads(replies.readline()) for _ in lines]


def await_state(subscription, is_wanted) -> dict:
    """The first state that is wanted; a subscription that ends first fails the test."""
    return next(event["state"] for event in subscription if event["event"] == "state" and is_wanted(event["state"]))


def test_a_tap_reaches_the_kiosk_as_the_residents_card(bench):
    assert bench.client.call("tap", "siti") == "siti's card is on the reader"
    assert bench.heard.next(CardPresented).card == bench.cards["siti"]
    assert bench.client.call("state")["card_on_reader"] == "siti"
    bench.client.call("take-card")
    assert bench.heard.next(CardRemoved)
    assert bench.client.call("state")["card_on_reader"] is None


def test_an_unreadable_card_is_told_as_such(bench):
    bench.client.call("unreadable-card")
    assert bench.heard.next(CardUnreadable).code


def test_text_is_shown_byte_for_byte_also_what_is_not_utf8(bench):
    bench.client.call("show-qr", b"\xff\xfe\x00 junk".decode("utf-8", "surrogateescape"))
    assert bench.heard.next(CodeScanned).payload == b"\xff\xfe\x00 junk"


def test_a_picture_goes_through_the_real_decoders(bench, tmp_path, monkeypatch):
    qrcode.make("HTTPS://CEK.DESA.ID/S/1").save(tmp_path / "code.png")
    monkeypatch.chdir(tmp_path)  # a relative path begins where the caller stands
    bench.client.call("show-qr", "code.png")
    assert bench.heard.next(CodeScanned).payload == b"HTTPS://CEK.DESA.ID/S/1"


def test_papers_are_laid_before_the_camera(bench, tmp_path, monkeypatch):
    """An invented one lies there at first; another may, or none."""
    scanner = bench.world.device("scanner")
    example_paper().filter(ImageFilter.GaussianBlur(6)).save(tmp_path / "blurred.png")
    monkeypatch.chdir(tmp_path)
    assert scanner.take_photo().flaw is None
    for what, flaw in (("blurred.png", PhotoFlaw.BLURRED), ("nothing", PhotoFlaw.EMPTY), ("example", None)):
        assert bench.client.call("show-picture", what) == f"{what} lies before the camera"
        assert scanner.take_photo().flaw is flaw


def test_unplug_and_plug_are_seen_in_the_state(bench):
    bench.client.call("unplug", "scanner")
    gone = bench.heard.next(StatusChanged)
    assert (gone.device, gone.status.state) == ("scanner", DeviceState.ABSENT)
    state = bench.client.call("state")
    assert state["unplugged"] == ["scanner"]
    assert state["devices"]["scanner"]["state"] == "absent"
    bench.client.call("plug", "scanner")
    bench.heard.status("scanner", DeviceState.READY)
    assert bench.client.call("state")["unplugged"] == []


def test_no_number_of_a_card_leaves_the_bench(bench):
    bench.client.call("tap", "siti")
    assert "04010203" not in json.dumps(bench.client.call("state"))


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["dance"], "there are: tap, take-card"),
        (["tap"], "use: tap NAME"),
        (["tap", "siti", "budi", "joko"], "use: tap NAME"),
        (["tap", "joko"], "the cards are of: budi, siti"),
        (["unplug", "toaster"], "there are: reader, scanner, printer"),
        (["paper-out"], "the kiosk's printer is not a virtual one"),
        (["show-qr", "last"], "the kiosk's printer is not a virtual one"),
        (["show-qr", "missing.png"], "missing.png: is no picture"),
        (["show-picture", "missing.png"], "missing.png: is no picture"),
        (["wait-paper", "1"], "the kiosk's printer is not a virtual one"),
        (["silence", "reader"], "only a printer"),
    ],
)
def test_a_bad_command_is_answered_with_what_is_possible(bench, command, told):
    with pytest.raises(BenchError, match=told) as refused:
        bench.client.call(*command)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "line",
    [b"tap siti\n", b"[]\n", b'{"command": 1}\n', b'{"command": "tap", "arguments": "siti"}\n', b"\xff\n",
     b'{"command": "tap", "arguments": [1]}\n', b'{"command": "tap", "directory": 1}\n'],
)  # fmt: skip
def test_a_bad_line_is_refused_and_the_connection_lives_on(bench, line):
    bad, good = talk(bench.server.socket_path, line, b'{"command": "tap", "arguments": ["budi"]}\n')
    assert not bad["ok"] and bad["error"]
    assert good == {"ok": True, "answer": "budi's card is on the reader"}


def test_an_endless_line_ends_the_connection_and_nothing_else(bench):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(bench.server.socket_path))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(b"x" * (2 * LONGEST_REQUEST_BYTES))
    assert bench.client.call("tap", "siti")


def test_two_clients_at_once_each_get_their_own_answers(bench):
    wrong: list[str] = []

    def tap(name: str) -> None:
        answers = {bench.client.call("tap", name) for _ in range(50)}
        wrong.extend(answers - {f"{name}'s card is on the reader"})

    threads = [threading.Thread(target=tap, args=(name,)) for name in bench.cards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


def test_a_subscriber_hears_changes_that_others_make(bench):
    with bench.client.subscribe() as subscription:
        assert await_state(subscription, lambda state: True)["cards"] == ["budi", "siti"]
        bench.client.call("tap", "budi")
        assert await_state(subscription, lambda state: state["card_on_reader"] == "budi")
        bench.client.call("unplug", "reader")
        gone = await_state(subscription, lambda state: state["devices"]["reader"]["state"] == "absent")
        assert gone["unplugged"] == ["reader"]


def test_a_subscriber_that_does_not_read_holds_up_nobody(bench):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.connect(str(bench.server.socket_path))
        deaf.sendall(b'{"command": "subscribe"}\n')
        for _ in range(500):
            bench.client.call("tap", "siti")
            bench.client.call("take-card")


def test_stop_is_prompt_ends_subscriptions_and_leaves_no_socket(bench):
    with bench.client.subscribe() as subscription:
        before_s = time.monotonic()
        bench.server.stop()
        assert time.monotonic() - before_s < 1.0
        assert [event["event"] for event in subscription] == ["state"]  # what had come, and then the end
    assert not bench.server.socket_path.exists()
    with pytest.raises(BenchError, match="no kiosk is running with a bench at"):
        bench.client.call("state")


def test_only_the_owner_may_open_the_socket(bench):
    assert stat.S_IMODE(bench.server.socket_path.stat().st_mode) == 0o600


def empty_world() -> World:
    return World(None, None, None, {})


def test_the_socket_of_a_killed_kiosk_is_replaced(tmp_path):
    path = tmp_path / "bench.sock"
    bind = "import os, socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1]); os._exit(9)"
    subprocess.run([sys.executable, "-c", bind, str(path)], check=False)
    assert path.is_socket()
    server = BenchServer(empty_world(), path)
    server.start()
    try:
        assert BenchClient(path).call("state")["papers"] == 0
    finally:
        server.stop()


def test_a_bench_that_is_listened_to_is_not_replaced(bench):
    with pytest.raises(BenchError, match="another kiosk's bench listens here"):
        BenchServer(empty_world(), bench.server.socket_path).start()
    assert bench.client.call("state")["cards"] == ["budi", "siti"]


def test_a_file_in_the_way_is_left_alone(tmp_path):
    path = tmp_path / "bench.sock"
    path.write_text("letters")
    with pytest.raises(BenchError, match="is not a socket"):
        BenchServer(empty_world(), path).start()
    assert path.read_text() == "letters"


def test_a_path_that_is_too_long_is_told_with_its_length(tmp_path):
    path = tmp_path / ("x" * 120)
    with pytest.raises(BenchError, match=f"is {len(str(path))} bytes long, and a Unix socket's path at most 107"):
        BenchServer(empty_world(), path).start()


def test_a_directory_that_is_not_there_is_told(tmp_path):
    with pytest.raises(BenchError, match="no socket can be made here: No such file"):
        BenchServer(empty_world(), tmp_path / "missing" / "bench.sock").start()
