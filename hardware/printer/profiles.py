"""Printer models as data: reads `config/printers/*.toml`."""

import tomllib
from dataclasses import fields
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from hardware.printer.interface import PrinterProfile

#: What printers on the market have, with a wide margin: outside it the file is mistyped.
LIMITS = {"width_dots": (200, 1280), "dots_per_mm": (4, 24), "head_mm_per_s": (20, 1000)}


class ProfileError(ValueError):
    """A printer profile cannot be used; the text says which file, which key and why."""


def load_profile(path: Path | Traversable) -> PrinterProfile:
    """One model's profile. Raises ProfileError for a file that is missing, is no TOML, or has a wrong key."""

    def fail(reason: object) -> ProfileError:
        return ProfileError(f"{path}: {reason}")

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise fail("there is no such printer profile") from error
    except OSError as error:
        raise fail(error.strerror) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise fail(f"is not TOML: {error}") from error
    for key in table.keys() - {field.name for field in fields(PrinterProfile)}:
        raise fail(f"{key}: unknown key")
    try:
        profile = msgspec.convert(table, PrinterProfile)
    except msgspec.ValidationError as error:
        reason, _, key = str(error).partition(" - at `$.")
        raise fail(f"{key.rstrip('`')}: {reason}" if key else reason) from error
    for key, (least, most) in LIMITS.items():
        if not least <= getattr(profile, key) <= most:
            raise fail(f"{key}: must lie between {least} and {most}")
    if profile.width_dots % 8:
        raise fail("width_dots: must be a multiple of 8")
    return profile
