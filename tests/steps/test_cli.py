"""The command `kiosk`: what each subcommand takes, and what the screen need not wait for."""

import os
import subprocess
import sys

import pytest

from kiosk.cli import build_parser, main

COMMANDS = {
    "run": "--config",
    "demo": "--pictures",
    "bench": "take-card",
    "office": "approve",
    "officers": "deactivate",
    "desk": "--config",
    "letters": "check",
    "selftest": "--json",
    "burn-in": "--minutes",
    "technician": "pin",
    "keys": "--demo",
    "config": "check",
}
NOT_BEFORE_THE_SCREEN = {
    "hardware.bench.commands",
    "kiosk.office_commands",
    "kiosk.officers",
    "importlib.metadata",
    "PIL",
    "sqlalchemy",
    "flask",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_tells_what_it_takes(command, capsys):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, "--help"])
    assert ended.value.code == 0
    assert COMMANDS[command] in capsys.readouterr().out


def test_the_arguments_of_a_command_reach_it(tmp_path):
    options = build_parser().parse_args(["selftest", "--config", str(tmp_path), "--json"])
    assert (options.config, options.json, options.on_paper) == (tmp_path, True, False)


def test_what_a_command_makes_is_its_users_alone(tmp_path):
    tmp_path.chmod(0o755)
    before = os.umask(0o022)
    try:
        assert main(["officers", "--demo", "--state", str(tmp_path), "list"]) == 0
    finally:
        os.umask(before)
    made = [path for path in tmp_path.rglob("*")]
    assert made and {path.stat().st_mode & 0o077 for path in made} == {0}


def test_an_unknown_argument_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(["run", "--nonsense"])
    assert ended.value.code == 2
    assert "--nonsense" in capsys.readouterr().err


def test_the_screen_waits_for_nothing_that_another_command_needs():
    """In a process of its own, which has imported nothing yet."""
    script = """
import sys
import kiosk.app, screens.face
from kiosk.cli import build_parser
build_parser().parse_args(["run"])
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert not NOT_BEFORE_THE_SCREEN & set(done.stdout.split())
