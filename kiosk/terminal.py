"""What the commands share that speak with a person at a terminal."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from config import settings as config
from config.settings import Settings
from kiosk import DEFAULT_CONFIG
from kiosk.pin_tries import WeakPin


def settings_of(options: argparse.Namespace) -> tuple[Settings, Path]:
    """The settings of `--config`, or of the demo with its state in `--state`, and their file. Raises SettingsError."""
    if options.demo:
        from kiosk import demo

        return demo.settings_of(options.state, options.config or demo.PROFILE)
    path = options.config or DEFAULT_CONFIG
    return config.load(path), path


def ask_once(prompt: str) -> str:
    """What whoever it belongs to types; nobody sees it. From a pipe the next line is taken. Raises EOFError where there
    is nothing."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\n")


def ask_twice(prompt: str, what: str) -> str:
    """The same, twice where somebody types it. Raises ValueError where the two differ, EOFError where there is
    nothing."""
    first = ask_once(prompt)
    if sys.stdin.isatty() and ask_once("Once more: ") != first:
        raise ValueError(f"the two {what} are not the same; nothing was changed")
    return first


def ask_new_pin(set_pin: Callable[[str], None]) -> None:
    """Asks for a PIN and sets it. Raises ValueError where the PIN will not do, and what `ask_twice` does."""
    try:
        set_pin(ask_twice("New PIN, six digits: ", "PINs").strip())
    except WeakPin as error:
        raise ValueError(f"this PIN will not do ({error.reason}); the old one holds") from None
    print("The PIN is set.")


def write_for_others(file: Path, content: bytes) -> None:
    """A file that is to be given away, readable by whoever carries it. Raises OSError."""
    # Not by chmod(2), which a stick with FAT refuses.
    own = os.umask(0o022)
    try:
        file.write_bytes(content)
    finally:
        os.umask(own)
