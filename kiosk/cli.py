"""The command `kiosk`. Each subcommand imports what it needs when it is called, so that the screen starts quickly."""

import argparse
import logging
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk import DEFAULT_CONFIG, __version__

#: Exit statuses, the same for every subcommand.
OK, FAILED, REFUSED = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    os.umask(0o077)  # also in a directory that others may read, what this process makes is its owner's alone
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold keys, passphrases and personal data
    parser = build_parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO if options.run in SERVING else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        return options.run(options)
    except _refusals() as error:
        print(f"kiosk: {error}", file=sys.stderr)
        return REFUSED


def _refusals() -> tuple[type[Exception], ...]:
    """What tells in plain words why a command cannot be done here. Looked up only once something was raised."""
    from config.settings import SettingsError
    from kiosk.app import CannotRun
    from kiosk.store.errors import StoreError

    return SettingsError, StoreError, CannotRun


class Command(argparse.ArgumentParser):
    """A subcommand, which adds its arguments when it is called: some import much for them, and the screen must not
    wait for what another subcommand needs."""

    def __init__(
        self, *arguments: Any, add_arguments: Callable[[argparse.ArgumentParser], None], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._add_arguments = add_arguments

    def parse_known_args(self, *arguments: Any, **options: Any) -> Any:
        self._add_arguments(self)
        return super().parse_known_args(*arguments, **options)

    def add_subparsers(self, **options: Any) -> Any:
        return super().add_subparsers(parser_class=argparse.ArgumentParser, **options)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kiosk", description="Anjungan Desa: the village hall's self-service kiosk.")
    parser.add_argument("--version", action="version", version=f"Anjungan Desa {__version__}")
    parser.add_argument("--verbose", action="store_true", help="log more, to standard error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Command)
    for name, help, add_arguments, run in (
        ("run", "run the kiosk of this hall", _add_config, _run),
        ("demo", "run a kiosk of virtual devices in an invented village", _add_demo_options, _demo),
        ("bench", "drive the virtual devices of a running demo", _add_bench_options, _bench),
        ("office", "what officers do: requests, cards, PINs, the queue", _add_office_options, _office),
        ("residents", "the register of residents, from a file", _add_residents_options, _residents),
        ("officers", "look after those who work at the desk", _add_officers_options, _officers),
        ("desk", "run the officers' desk, for browsers", _add_settings_source, _desk),
        ("letters", "check the letter types and draw samples of them", _add_letters_options, _letters),
        ("printer", "get to know a receipt printer when it is installed", _add_printer_actions, _printer),
        ("selftest", "check every part of this kiosk and say what to do", _add_selftest_options, _selftest),
        ("burn-in", "try every device over and over for a time, and sum up", _add_burn_in_options, _burn_in),
        ("technician", "look after the technician's way in", _add_technician_options, _technician),
        ("keys", "look after the village's keys", _add_keys_actions, _keys),
        ("withdrawals", "letters that were called back, as villages tell one another", _add_withdrawals, _withdrawals),
        ("backup", "copy all that cannot be made again into one sealed file", _add_backup_options, _backup),
        ("restore", "bring a backup back, into a kiosk that does not run", _add_restore_options, _restore),
        ("config", "look after the settings", _add_config_actions, _config_check),
    ):
        commands.add_parser(name, help=help, add_arguments=add_arguments).set_defaults(run=run)
    return parser


def default_demo_state() -> Path:
    """Where a demo keeps its state, by the XDG base directory rules."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "anjungan-desa" / "demo"


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help=f"default {DEFAULT_CONFIG}")


def _add_demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", type=Path, default=default_demo_state(), metavar="DIR", help="default %(default)s")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings instead of the demo's own")
    parser.add_argument("--landscape", action="store_true", help="a lying panel (1366×768) instead of a standing one")
    parser.add_argument("--offscreen", action="store_true", help="draw into memory; drive it with `kiosk bench`")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="play the stories offscreen, keep pictures here")
    parser.add_argument("--no-desk", action="store_true", help="do not start the officers' desk")
    parser.add_argument("--no-panel", action="store_true", help="do not open the panel of the outside world")


def _add_bench_options(parser: argparse.ArgumentParser) -> None:
    from hardware.bench import commands

    parser.add_argument("--state", type=Path, default=default_demo_state(), metavar="DIR", help="the demo's")
    commands.add_arguments(parser)


def _add_office_options(parser: argparse.ArgumentParser) -> None:
    from kiosk import office_commands

    _add_settings_source(parser)
    office_commands.add_arguments(parser)


def _add_residents_options(parser: argparse.ArgumentParser) -> None:
    from kiosk import residents_commands

    _add_settings_source(parser)
    residents_commands.add_arguments(parser)


def _add_officers_options(parser: argparse.ArgumentParser) -> None:
    from kiosk import officers_commands

    _add_settings_source(parser)
    officers_commands.add_arguments(parser)


def _add_letters_options(parser: argparse.ArgumentParser) -> None:
    from kiosk import letters_commands

    _add_settings_source(parser)
    letters_commands.add_arguments(parser)


def _add_settings_source(parser: argparse.ArgumentParser) -> None:
    """The hall's settings or the demo's."""
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default {DEFAULT_CONFIG}, or the demo's own")
    parser.add_argument("--demo", action="store_true", help="the demo's village")
    parser.add_argument("--state", type=Path, default=default_demo_state(), metavar="DIR", help="the demo's")


def _add_printer_actions(parser: argparse.ArgumentParser) -> None:
    from hardware.printer import commands

    commands.add_arguments(parser)


def _add_selftest_options(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--print", action="store_true", dest="on_paper", help="also print the report as a slip")


def _add_burn_in_options(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    parser.add_argument("--minutes", type=float, required=True, metavar="N", help="how long; Ctrl-C ends it earlier")
    parser.add_argument("--json", action="store_true", help="print the sum as JSON")


def _add_technician_options(parser: argparse.ArgumentParser) -> None:
    from kiosk import technician_commands

    _add_settings_source(parser)
    technician_commands.add_arguments(parser)


def _add_keys_actions(parser: argparse.ArgumentParser) -> None:
    from kiosk import keys_commands

    _add_settings_source(parser)
    keys_commands.add_arguments(parser)


def _add_withdrawals(parser: argparse.ArgumentParser) -> None:
    from kiosk import withdrawals_commands

    _add_settings_source(parser)
    withdrawals_commands.add_arguments(parser)


def _add_backup_options(parser: argparse.ArgumentParser) -> None:
    from kiosk.backup import commands

    _add_settings_source(parser)
    commands.add_backup_arguments(parser)


def _add_restore_options(parser: argparse.ArgumentParser) -> None:
    from kiosk.backup import commands

    _add_settings_source(parser)
    commands.add_restore_arguments(parser)


def _add_config_actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="WHAT")
    check = actions.add_parser("check", help="say whether the settings, printer profile and letter types are usable")
    check.add_argument("config", nargs="?", type=Path, default=DEFAULT_CONFIG, metavar="FILE")


def _run(options: argparse.Namespace) -> int:
    from config import settings as config
    from kiosk.app import Kiosk

    return Kiosk(config.load(options.config), options.config).run()


def _demo(options: argparse.Namespace) -> int:
    from kiosk import demo

    return demo.run(options)


def _bench(options: argparse.Namespace) -> int:
    from hardware.bench import commands

    options.socket = options.socket or options.state / "bench.sock"
    return commands.run(options)


def _office(options: argparse.Namespace) -> int:
    from kiosk import office_commands

    return office_commands.run(options)


def _residents(options: argparse.Namespace) -> int:
    from kiosk import residents_commands

    return residents_commands.run(options)


def _officers(options: argparse.Namespace) -> int:
    from kiosk import officers_commands

    return officers_commands.run(options)


def _desk(options: argparse.Namespace) -> int:
    from kiosk.desk.serving import serve
    from kiosk.terminal import settings_of

    return serve(*settings_of(options))


def _letters(options: argparse.Namespace) -> int:
    from kiosk import letters_commands

    return letters_commands.run(options)


def _printer(options: argparse.Namespace) -> int:
    from hardware.printer import commands
    from kiosk.selftest.registry import advice

    return commands.run(options, lambda code: (advice(language, code) for language in ("id", "en")))


def _selftest(options: argparse.Namespace) -> int:
    from config import settings as config
    from kiosk.selftest import commands

    settings = config.load(options.config)
    return commands.run(settings, options.config, as_json=options.json, on_paper=options.on_paper)


def _burn_in(options: argparse.Namespace) -> int:
    from config import settings as config
    from kiosk import burn_in

    settings = config.load(options.config)
    return burn_in.run(settings, options.config, minutes=options.minutes, as_json=options.json)


def _technician(options: argparse.Namespace) -> int:
    from kiosk import technician_commands

    return technician_commands.run(options)


def _keys(options: argparse.Namespace) -> int:
    from kiosk import keys_commands

    return keys_commands.run(options)


def _withdrawals(options: argparse.Namespace) -> int:
    from kiosk import withdrawals_commands

    return withdrawals_commands.run(options)


def _backup(options: argparse.Namespace) -> int:
    from kiosk.backup import commands

    return commands.run_backup(options)


def _restore(options: argparse.Namespace) -> int:
    from kiosk.backup import commands

    return commands.run_restore(options)


def _config_check(options: argparse.Namespace) -> int:
    from config import settings as config
    from kiosk.app import check_settings

    problems = check_settings(config.load(options.config), options.config)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return FAILED
    print(f"{options.config}: usable")
    return OK


#: What runs for long and tells the log what happens; the other commands answer whoever typed them.
SERVING = (_run, _demo, _desk)
