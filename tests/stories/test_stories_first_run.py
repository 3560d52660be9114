"""The commands that a technician types first: what they say and how they end."""

import json

import pytest
from support.running_kiosk import DEMO_PROFILE, changed_profile, command

from kiosk import __version__

#: What the self-test looks at and a test machine has.
PARTS = ("letter types", "database", "card reader", "code scanner", "printer")
PRODUCTION = DEMO_PROFILE.with_name("production.toml")


def test_version():
    told = command("--version")
    assert (told.returncode, told.stdout) == (0, f"Anjungan Desa {__version__}\n")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["run"],
        ["demo"],
        ["bench"],
        ["office"],
        ["office", "approve"],
        ["office", "enrol"],
        ["selftest"],
        ["config"],
        ["config", "check"],
    ],
    ids=" ".join,
)
def test_help(words):
    told = command(*words, "--help")
    assert told.returncode == 0
    assert told.stdout.startswith(f"usage: {' '.join(['kiosk', *words])} ")
    assert told.stderr == ""


def test_what_is_no_command_is_refused():
    refused = command("runn")
    assert refused.returncode == 2
    assert "'run'" in refused.stderr and "Traceback" not in refused.stderr


def test_without_a_command_the_commands_are_named():
    refused = command()
    assert refused.returncode == 2
    assert "COMMAND" in refused.stderr


@pytest.mark.parametrize("profile", [DEMO_PROFILE, PRODUCTION], ids=lambda path: path.stem)
def test_the_profiles_of_the_product_are_usable(profile):
    told = command("config", "check", profile)
    assert (told.returncode, told.stdout) == (0, f"{profile}: usable\n"), told.stderr


def test_no_kiosk_at_the_bench_is_told(tmp_path):
    refused = command("bench", "--state", tmp_path, "screen")
    assert refused.returncode == 1
    assert f"no kiosk is running with a bench at {tmp_path / 'bench.sock'}" in refused.stderr


def test_the_self_test_of_a_whole_kiosk_passes(tmp_path):
    path = changed_profile(tmp_path / "kiosk.toml", ('kiosk_id = "demo"', f'state_dir = "{tmp_path / "state"}"'))
    told = command("selftest", "--config", path, "--json")
    verdicts = {finding["check"]: finding["verdict"] for finding in json.loads(told.stdout)}
    assert told.returncode == int("fail" in verdicts.values())
    assert {verdicts[part] for part in PARTS} <= {"pass", "attention"}, told.stdout


def test_the_self_test_names_what_is_broken(tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "kiosk.sqlite").write_bytes(b"This is no database. " * 400)
    path = changed_profile(tmp_path / "kiosk.toml", ('kiosk_id = "demo"', f'state_dir = "{state}"'))
    told = command("selftest", "--config", path, "--json")
    assert told.returncode == 1
    findings = {finding["check"]: finding for finding in json.loads(told.stdout)}
    assert {part for part in PARTS if findings[part]["verdict"] == "fail"} == {"database"}
    assert findings["database"]["code"] == "DATABASE-BROKEN"
    assert str(state / "kiosk.sqlite") in findings["database"]["detail"]


def test_the_self_test_refuses_settings_that_cannot_be_used(tmp_path):
    refused = command("selftest", "--config", tmp_path / "none.toml")
    assert refused.returncode == 2
    assert str(tmp_path / "none.toml") in refused.stderr
