"""What every test has: the long soaks stay out unless they are asked for by `--soak`."""

import os

import pytest

os.umask(0o077)  # as the command `kiosk` sets it
pytest.register_assert_rewrite("support")  # before a test imports a helper of its own accord


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long soaks too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        return
    soaks = [item for item in items if item.get_closest_marker("soak")]
    if soaks:
        config.hook.pytest_deselected(items=soaks)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
