"""`kiosk letters …`: for whoever writes a letter type."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from config.settings import Settings
from kiosk.letter_types import LetterType

#: Rolls by their width in mm: dots of a head of 203 dpi.
ROLLS_DOTS = {58: 384, 80: 576, 112: 832}
DOTS_PER_MM = 8.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", title="actions")
    check = actions.add_parser("check", help="say what is wrong with letter types, and draw samples of the others")
    check.add_argument(
        "directory", nargs="?", type=Path, help="of letter types; default: the one that the settings name"
    )
    check.add_argument("--samples", type=Path, metavar="DIR", help="leave each letter there, as it is on each paper")


def run(options: argparse.Namespace) -> int:
    """0 where every letter type can be used, or 1. Raises SettingsError."""
    from kiosk.letter_types import letters_directory, load_letter_types
    from kiosk.terminal import settings_of

    settings, _ = settings_of(options)
    directory = options.directory or letters_directory(settings)
    found, errors = load_letter_types(directory)
    for error in errors:
        print(error, file=sys.stderr)
    print(f"{directory}: {len(found)} letter types can be used" + (f", {len(errors)} cannot" if errors else ""))
    if options.samples:
        options.samples.mkdir(parents=True, exist_ok=True)
        for letter_type in found.values():
            _draw(letter_type, settings, options.samples)
        print(f"samples are in {options.samples}")
    return 1 if errors else 0


def _draw(letter_type: LetterType, settings: Settings, directory: Path) -> None:
    from kiosk.paper.pdf import render_pdf
    from kiosk.paper.samples import samples
    from kiosk.paper.thermal import render

    for name, original, copy in samples(letter_type, settings.village):
        paper = settings.letters.paper
        pdf = render_pdf(original, paper, title=letter_type.title, created_at=datetime.now(UTC))
        (directory / f"{letter_type.key}-{name}-{paper}.pdf").write_bytes(pdf)
        for width_mm, width_dots in ROLLS_DOTS.items():
            picture = render(copy, width_dots, DOTS_PER_MM)
            picture.save(directory / f"{letter_type.key}-{name}-{width_mm}mm.png")
