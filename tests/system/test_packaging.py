"""What `pip install .` gives: a wheel with every file that the kiosk reads, and entry points that lead somewhere."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from configparser import ConfigParser
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hardware.device import Device
from kiosk import __version__

ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "hardware", "kiosk", "screens")
DRIVER_GROUPS = tuple(
    f"anjungan_desa.{kind}" for kind in ("card_reader", "code_scanner", "printer", "page_printer", "speaker", "machine")
)


def setup_cfg() -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg")
    return parser


def is_source(path: Path) -> bool:
    hidden_or_built = any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(ROOT).parts)
    return path.is_file() and not hidden_or_built


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A clean copy: what an earlier build left in the working tree cannot help."""
    copy = tmp_path_factory.mktemp("source")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir"]
    done = subprocess.run([*build, folder, source], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_wheel_has_every_file_of_the_packages(wheel):
    wanted = {
        str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*") if is_source(path)
    }
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert wanted - shipped == set(), "not shipped: name its ending in setup.cfg's package_data"
    assert shipped - wanted == set()


def test_wheel_has_the_licences_and_the_version(wheel):
    assert {Path(name).name for name in wheel.namelist() if "/licenses/" in name} == {"LICENSE", "NOTICE"}
    assert Path(wheel.filename).name.startswith(f"anjungan_desa-{__version__}-")


def entry_points() -> list[EntryPoint]:
    section = setup_cfg()["options.entry_points"]
    return [
        EntryPoint(*(part.strip() for part in line.split("=")), group)
        for group, lines in section.items()
        for line in lines.strip().splitlines()
    ]


@pytest.mark.parametrize("entry", entry_points(), ids=lambda entry: f"{entry.group}:{entry.name}")
def test_entry_point_leads_somewhere(entry):
    target = entry.load()
    if entry.group in DRIVER_GROUPS:
        assert issubclass(target, Device)
        assert f"anjungan_desa.{target.kind}" == entry.group
        assert target.virtual == (entry.name.startswith("virtual"))
    else:
        assert callable(target)


def test_every_requirement_is_locked():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    locked = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert [str(each) for each in locked if not str(each.specifier).startswith("==")] == []
    names = {canonicalize_name(each.name) for each in locked}
    config = setup_cfg()
    wanted = config["options"]["install_requires"] + config["options.extras_require"]["test"]
    assert {canonicalize_name(Requirement(line).name) for line in wanted.split("\n") if line} - names == set()


def test_build_needs_nothing_else():
    assert set(tomllib.loads((ROOT / "pyproject.toml").read_text())) == {"build-system"}


def kiosk(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as installed beside this Python."""
    command = Path(sys.executable).with_name("kiosk")
    return subprocess.run([command, *arguments], capture_output=True, text=True, timeout=30)


def test_command_tells_its_version():
    done = kiosk("--version")
    assert (done.returncode, done.stdout) == (0, f"Anjungan Desa {__version__}\n")


@pytest.mark.parametrize(
    "command",
    [
        "",
        "run",
        "demo",
        "bench",
        "office",
        "officers list",
        "desk",
        "selftest",
        "burn-in",
        "technician pin",
        "backup",
        "restore",
        "config check",
    ],
)
def test_command_explains_itself(command):
    done = kiosk(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: {' '.join(['kiosk', *command.split()])}")
