"""The device's own files, laid out by systemd/install and read by the tools that will read them there."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("anjungan-desa.service", "anjungan-desa-desk.service", "anjungan-desa-backup.service")
UNITS = (*SERVICES, "anjungan-desa-backup.timer")
#: systemd's measure of how much a service could harm, 0 to 10; above this the unit has lost a restriction.
EXPOSURE_LIMIT = 2.0


def run(*command: str | Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A file system's root with what systemd/install lays there, and a stand-in for the command it starts."""
    root = tmp_path_factory.mktemp("root")
    for _ in range(2):  # it can be run again
        done = run(ROOT / "systemd/install", env=os.environ | {"DESTDIR": str(root)})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    kiosk = root / "opt/anjungan-desa/bin/kiosk"
    kiosk.parent.mkdir(parents=True)
    kiosk.write_text("#!/bin/sh\n")
    kiosk.chmod(0o755)
    return root


def test_every_file_is_installed(installed):
    laid = {path.read_bytes() for path in (installed / "etc").rglob("*") if path.is_file()}
    ours = [path for path in (ROOT / "systemd").iterdir() if path.is_file() and path.name != "install"]
    assert ours
    assert [path.name for path in ours if path.read_bytes() not in laid] == []


def test_the_command_is_found_by_its_name(installed):
    assert (installed / "usr/local/bin/kiosk").readlink() == Path("/opt/anjungan-desa/bin/kiosk")


def test_settings_of_the_hall_are_not_overwritten(installed):
    settings = installed / "etc/anjungan-desa/kiosk.toml"
    assert settings.read_bytes() == (ROOT / "config/profiles/production.toml").read_bytes()
    settings.write_text("# the hall's own\n")
    run(ROOT / "systemd/install", env=os.environ | {"DESTDIR": str(installed)}, check=True)
    assert settings.read_text() == "# the hall's own\n"


@pytest.mark.parametrize("name", UNITS)
def test_unit_is_understood_in_full(installed, tmp_path, name):
    for each in UNITS:  # a timer needs its service
        text = (installed / "etc/systemd/system" / each).read_text()
        # systemd looks for the command on this machine.
        (tmp_path / each).write_text(text.replace("/opt/anjungan-desa", f"{installed}/opt/anjungan-desa"))
    done = run("systemd-analyze", "verify", "--man=no", tmp_path / name)
    # It exits 0 on a key that it does not know: only silence is success.
    assert (done.returncode, done.stderr) == (0, "")


def test_verify_would_notice_a_misspelt_key(tmp_path):
    unit = tmp_path / "anjungan-desa.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nRestrat=always\n")
    assert "Restrat" in run("systemd-analyze", "verify", "--man=no", unit).stderr


@pytest.mark.parametrize("name", SERVICES)
def test_unit_is_confined(installed, name):
    unit = installed / "etc/systemd/system" / name
    done = run("systemd-analyze", "security", "--offline=yes", "--no-pager", unit)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure, done.stderr
    print(exposure[0])
    assert float(exposure[1]) <= EXPOSURE_LIMIT


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_of_a_visit_reaches_a_core_file_or_swap(name):
    lines = (ROOT / "systemd" / name).read_text().splitlines()
    assert {"LimitCORE=0", "MemorySwapMax=0"} <= set(lines)
    assert any(line.startswith("Environment=") and "perturb=" in line for line in lines)


def test_user_and_groups_are_made(tmp_path):
    (tmp_path / "etc").mkdir()
    done = run("systemd-sysusers", f"--root={tmp_path}", ROOT / "systemd/sysusers.conf")
    assert done.returncode == 0, done.stderr
    user = next(line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("anjungan:"))
    assert user.split(":")[5:] == ["/var/lib/anjungan-desa", "/usr/sbin/nologin"]
    members = {
        group.split(":")[0] for group in (tmp_path / "etc/group").read_text().splitlines() if "anjungan" in group
    }
    assert members == {"anjungan", "audio", "dialout", "input", "lp", "render", "video"}


def test_udev_names_are_those_that_the_settings_use():
    rules = (ROOT / "systemd/72-anjungan-desa.rules").read_text()
    names = {f"/dev/{name}" for name in re.findall(r'SYMLINK\+="([^"]+)"', rules)}
    assert names == {"/dev/anjungan-printer", "/dev/anjungan-scanner", "/dev/input/touchscreen"}
    assert "usblp:///dev/anjungan-printer" in (ROOT / "config/profiles/production.toml").read_text()


def test_udev_rules_are_understood():
    if "verify" not in run("udevadm", "--help").stdout:
        pytest.skip("this systemd's udevadm cannot verify rules (252 cannot)")
    done = run("udevadm", "verify", ROOT / "systemd/72-anjungan-desa.rules")
    assert done.returncode == 0, done.stdout + done.stderr


def test_polkit_rule_names_the_actions_of_pcscd():
    rule = (ROOT / "systemd/polkit.rules").read_text()
    named = set(re.findall(r'"(org\.debian\.pcsc-lite\.\w+)"', rule))
    assert named == {"org.debian.pcsc-lite.access_pcsc", "org.debian.pcsc-lite.access_card"}
    policy = Path("/usr/share/polkit-1/actions/org.debian.pcsc-lite.policy")
    if policy.exists():  # pcscd without polkit (Debian 12) has none
        assert named == set(re.findall(r'<action id="([^"]+)"', policy.read_text()))


def test_scripts_are_plain_shell():
    for script in ("run", "test", ".ci/run", "systemd/install", "tools/set-up.sh"):
        done = run(shutil.which("dash") or "sh", "-n", ROOT / script)
        assert (done.returncode, done.stderr) == (0, ""), script
