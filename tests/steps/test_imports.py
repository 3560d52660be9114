"""Who may import whom: read from the source, so an import inside a function counts too.

The rules are those of docs/architecture.md. Each test says which line breaks one.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "hardware", "kiosk", "screens")
#: Where the parts are put together: the only modules of `kiosk` that know drivers, the bench and the screens.
COMPOSITION = {"kiosk.app", "kiosk.cli", "kiosk.demo", "kiosk.demo.stories"}


@dataclass(frozen=True)
class Import:
    """`importer` (a module) needs `imported` (a module where it is ours, else as written)."""

    importer: str
    imported: str
    line: int
    for_types_only: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {module_name(path): path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))}


def imports_in(
    tree: ast.AST, importer: str, is_module: Callable[[str], bool], for_types_only: bool = False
) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, alias.name, node.lineno, for_types_only)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{importer}:{node.lineno}: a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield Import(importer, whole if is_module(whole) else node.module, node.lineno, for_types_only)
        else:
            types_only = isinstance(node, ast.If) and ast.unparse(node.test) in (
                "TYPE_CHECKING",
                "typing.TYPE_CHECKING",
            )
            yield from imports_in(node, importer, is_module, for_types_only or types_only)


@cache
def imports() -> tuple[Import, ...]:
    found = [
        found
        for name, path in modules().items()
        for found in imports_in(ast.parse(path.read_text("utf-8")), name, modules().__contains__)
    ]
    assert len(found) > len(PACKAGES)
    return tuple(found)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def may_import(importer: str, imported: str) -> bool:
    """Whether the design lets one module of ours know another."""
    target = imported.split(".")[0]
    match importer.split(".")[0]:
        case "hardware":
            return target == "hardware"
        case "config":
            return target == "config"
        case "screens":
            # Its bench panel stands for the outside world, so it speaks with the bench.
            return target in ("screens", "kiosk", "config") or within(importer, "screens.bench_panel")
        case "kiosk":
            is_interface = imported == "hardware.device" or (
                within(imported, "hardware") and imported.endswith(".interface")
            )
            return target in ("kiosk", "config") or is_interface or importer in COMPOSITION
    raise AssertionError(f"no rule for {importer}")


def test_every_part_knows_only_what_it_may():
    ours = [each for each in imports() if each.imported.split(".")[0] in PACKAGES]
    assert [str(each) for each in ours if not may_import(each.importer, each.imported)] == []


def test_composition_puts_together_by_name_and_never_by_driver():
    """A driver is found by its entry point, so that a third party's is as good as ours."""
    allowed = (
        "hardware.drivers",
        "hardware.device",
        "hardware.bench",
        "hardware.printer.commands",
        "hardware.printer.profiles",
    )
    reached = [each for each in imports() if each.importer in COMPOSITION and within(each.imported, "hardware")]
    wrong = [
        str(each)
        for each in reached
        if not each.imported.endswith(".interface") and not any(within(each.imported, name) for name in allowed)
    ]
    assert wrong == []


def test_kivy_lives_in_screens_only():
    kivy = [each for each in imports() if each.imported.split(".")[0] in ("kivy", "kivy_garden")]
    assert kivy
    assert [str(each) for each in kivy if not within(each.importer, "screens")] == []


def test_the_web_lives_in_the_desk_only():
    web = [each for each in imports() if each.imported.split(".")[0] in ("flask", "werkzeug", "cheroot", "jinja2")]
    assert web
    assert [str(each) for each in web if not within(each.importer, "kiosk.desk")] == []


def test_no_import_circle():
    needs: dict[str, set[str]] = {name: set() for name in modules()}
    for each in imports():
        if each.imported in needs and not each.for_types_only:
            needs[each.importer].add(each.imported)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(reversed(error.args[1])))


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("hardware.printer.escpos", "hardware.device", True),
        ("hardware.printer.escpos", "kiosk.views", False),
        ("hardware.printer.escpos", "config.settings", False),
        ("kiosk.spooler", "hardware.printer.interface", True),
        ("kiosk.spooler", "hardware.printer.escpos", False),
        ("kiosk.visit", "screens.face", False),
        ("kiosk.app", "screens.face", True),
        ("screens.choice", "kiosk.views", True),
        ("screens.choice", "hardware.device", False),
        ("screens.bench_panel.panel", "hardware.bench.client", True),
        ("config.settings", "kiosk.views", False),
    ],
)
def test_the_rules_tell_right_from_wrong(importer, imported, allowed):
    assert may_import(importer, imported) is allowed


def test_imports_are_found_wherever_they_stand():
    source = """
import json
from kiosk import views
from kiosk.views import Choice
if TYPE_CHECKING:
    from kiosk.app import Kiosk
def f():
    import hardware.device
"""
    found = list(imports_in(ast.parse(source), "m", {"kiosk.views", "kiosk.app", "hardware.device"}.__contains__))
    assert [each.imported for each in found] == ["json", "kiosk.views", "kiosk.views", "kiosk.app", "hardware.device"]
    assert [each.imported for each in found if each.for_types_only] == ["kiosk.app"]
