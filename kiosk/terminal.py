"""What the commands share that speak with a person at a terminal."""

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path

from config import settings as config
from config.settings import Settings
from kiosk.pin_tries import WeakPin


def settings_of(options: argparse.Namespace) -> tuple[Settings, Path]:
    """The settings of `--config`, or the demo's, and their file. Raises SettingsError."""
    if options.demo:
        from kiosk import demo

        return demo.settings_of(options.state)
    return config.load(options.config), options.config


def ask_new_pin(set_pin: Callable[[str], None]) -> None:
    """Whoever's it is types it, twice; nobody sees it. From a pipe the first line is taken. Raises ValueError where the
    two differ or the PIN will not do."""
    first = getpass.getpass("New PIN, six digits: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if sys.stdin.isatty() and getpass.getpass("Once more: ") != first:
        raise ValueError("the two PINs are not the same; the old one holds")
    try:
        set_pin(first)
    except WeakPin as error:
        raise ValueError(f"this PIN will not do ({error.reason}); the old one holds") from None
    print("The PIN is set.")
