"""The bench at the command line: `kiosk bench COMMAND …`."""

import argparse
import json
import sys
from pathlib import Path

from hardware.bench.client import BenchClient
from hardware.bench.world import COMMANDS, BenchError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` what `run` needs. Its caller may set a default for `socket`."""
    lines = (f"  {f'{command.name} {command.arguments}':<34}{command.help}" for command in COMMANDS.values())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "commands:\n" + "\n".join(lines)
    parser.add_argument("--socket", type=Path, help="the bench's socket of a running kiosk")
    parser.add_argument("command", help="see below")
    parser.add_argument("arguments", nargs="*")


def run(args: argparse.Namespace) -> int:
    """Do one command and print its answer; 0, or 1 with one line on stderr."""
    try:
        if args.socket is None:
            raise BenchError("say which kiosk: --socket PATH")
        answer = BenchClient(args.socket).call(args.command, *args.arguments)
    except BenchError as error:
        print(f"kiosk bench: {error}", file=sys.stderr)
        return 1
    print(answer if isinstance(answer, str) else json.dumps(answer, indent=2))
    return 0
