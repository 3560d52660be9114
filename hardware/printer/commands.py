"""Receipt printers at the command line: `kiosk printer probe`."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from hardware.device import DeviceError
from hardware.printer.interface import Acknowledgement
from hardware.printer.probe import RULER_ROWS, USUAL_RULER_MM, WIDTHS_DOTS, Answers, Probe, profile_text
from hardware.printer.profiles import LIMITS
from hardware.printer.transport import Address, ConnectionUrlError, parse_connection

OK, FAILED, REFUSED = 0, 1, 2
Value = TypeVar("Value")


class NotAnswered(Exception):
    """Nobody is there to answer a question; the text says which option answers it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    probe = actions.add_parser(
        "probe",
        help="print a sheet, ask the printer what it can, and write its profile",
        description="Prints a sheet of about 13 cm. Stop the kiosk first. What is not given is asked for.",
    )
    probe.add_argument("--connection", required=True, metavar="URL", help="tcp://, serial://, usblp:// or usb://")
    probe.add_argument("--write", type=Path, metavar="FILE", help="a new file; without it the profile is printed")
    probe.add_argument("--width-dots", type=_width, metavar="DOTS", help="printable width: 384, 576 or 832")
    probe.add_argument("--ruler-mm", type=_length, metavar="MM", help="how long the ruler along the paper is")
    probe.add_argument("--cutter", choices=("yes", "no"), help="whether it cuts")


def run(options: argparse.Namespace, advice: Callable[[str], Iterable[str]]) -> int:
    """Probe a printer. `advice(code)` is what to do about a fault, in as many languages as there are.

    Returns 0, or with a line on standard error 1 (the printer) or 2 (what was asked for cannot be done).
    """
    if options.write is not None and os.path.lexists(options.write):
        return _refuse(f"{options.write} is there already; name a new file")
    try:
        address = parse_connection(options.connection)
    except ConnectionUrlError as error:
        return _refuse(error)
    try:
        text = _probe(address, options)
    except DeviceError as error:
        print(
            f"kiosk printer: {error}", *(f"    {line}" for line in advice(error.status.code)), sep="\n", file=sys.stderr
        )
        return FAILED
    except NotAnswered as error:
        return _refuse(error)
    if options.write is None:
        print(text, end="")
        return OK
    try:
        with open(options.write, "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        print(text, end="")  # the paper is spent: what was learnt must not be lost
        return _refuse(f"{options.write} cannot be written: {error.strerror}")
    print(f"{options.write}: written. Name it in the settings as printer.profile")
    return OK


def _probe(address: Address, options: argparse.Namespace) -> str:
    """The profile of the printer there, as text. Raises DeviceError and NotAnswered."""
    with Probe(address) as probe:
        answers = probe.ask()
        probe.cut()
    _tell(answers)
    width_dots = options.width_dots or _ask(
        f"Which is the last letter whose ruler ends in a whole black block? {', '.join(WIDTHS_DOTS)}: ",
        _width,
        "--width-dots",
    )
    ruler_mm = options.ruler_mm or _ask(
        f"How many mm is the ruler along the paper long? [{USUAL_RULER_MM:.0f}]: ", _length, "--ruler-mm"
    )
    cutter = options.cutter or _ask("Did it cut the paper? yes, no: ", _yes_or_no, "--cutter")
    dots_per_mm = round(RULER_ROWS / ruler_mm, 2)
    return profile_text(answers, width_dots=width_dots, dots_per_mm=dots_per_mm, has_cutter=cutter == "yes")


def _tell(answers: Answers) -> None:
    """To standard error, so that a profile can go to a file by `>`."""
    lines = [
        f"maker {answers.maker or 'not told'}, model {answers.model or 'not told'}",
        f"acknowledgement {answers.acknowledgement}: {answers.why}",
        f"head {answers.head_mm_per_s:.0f} mm/s" if answers.head_mm_per_s is not None else "head: not measured",
    ]
    if answers.acknowledgement is Acknowledgement.NONE:
        lines.append("Nothing that it prints can be known to be on paper: every resident will be asked.")
    lines.append(
        "Signs that make no sense in the frame at the top are a command that it does not know. They are harmless."
    )
    print(*lines, sep="\n", file=sys.stderr)


def _ask(question: str, parse: Callable[[str], Value], option: str) -> Value:
    """Ask until the answer can be understood. Raises NotAnswered where nobody answers."""
    while True:
        print(question, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise NotAnswered(f"nobody answered; give {option}")
        try:
            return parse(line.strip())
        except argparse.ArgumentTypeError as error:
            print(error, file=sys.stderr)


def _width(text: str) -> int:
    """A ruler's letter or a number of dots."""
    if text.upper() in WIDTHS_DOTS:
        return WIDTHS_DOTS[text.upper()]
    least, most = LIMITS["width_dots"]
    if not text.isdecimal() or not least <= int(text) <= most or int(text) % 8:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a letter nor a width of {least} to {most} dots by eights"
        )
    return int(text)


def _length(text: str) -> float:
    least, most = (RULER_ROWS / limit for limit in reversed(LIMITS["dots_per_mm"]))
    try:
        length_mm = float(text.replace(",", ".") or USUAL_RULER_MM)
    except ValueError:
        length_mm = 0.0
    if not least <= length_mm <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no length from {least:.0f} to {most:.0f} mm")
    return length_mm


def _yes_or_no(text: str) -> str:
    if text.lower() not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither yes nor no")
    return text.lower()


def _refuse(reason: object) -> int:
    print(f"kiosk printer: {reason}", file=sys.stderr)
    return REFUSED
