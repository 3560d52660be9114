import argparse
import json

import pytest

from hardware.bench.commands import add_arguments, run
from hardware.bench.world import COMMANDS


def bench_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kiosk bench")
    add_arguments(parser)
    return parser


def test_an_answer_is_printed(bench, capsys):
    arguments = ["--socket", str(bench.server.socket_path), "tap", "siti"]
    assert run(bench_parser().parse_args(arguments)) == 0
    assert capsys.readouterr().out == "siti's card is on the reader\n"


def test_the_state_is_printed_as_json(bench, capsys):
    parser = bench_parser()
    parser.set_defaults(socket=bench.server.socket_path)
    assert run(parser.parse_args(["state"])) == 0
    assert json.loads(capsys.readouterr().out)["cards"] == ["budi", "siti"]


def test_a_refusal_is_one_line_on_stderr(bench, capsys):
    assert run(bench_parser().parse_args(["--socket", str(bench.server.socket_path), "tap", "joko"])) == 1
    told = capsys.readouterr()
    assert told.err == "kiosk bench: nobody is called 'joko'; the cards are of: budi, siti\n"
    assert told.out == ""


def test_no_running_kiosk_is_told_with_the_path(tmp_path, capsys):
    assert run(bench_parser().parse_args(["--socket", str(tmp_path / "s"), "state"])) == 1
    assert f"no kiosk is running with a bench at {tmp_path / 's'}" in capsys.readouterr().err


def test_without_a_socket_it_asks_for_one(capsys):
    assert run(bench_parser().parse_args(["state"])) == 1
    assert "--socket PATH" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_names_every_command(name):
    assert f"\n  {name} " in bench_parser().format_help()
