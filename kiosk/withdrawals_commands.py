"""`kiosk withdrawals …`: the lists of letters that villages called back, over the network and on a USB stick. It works
beside a running kiosk."""

import argparse
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kiosk.village_codes import VillageCodes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", title="actions")

    def action(name: str, function: "Callable[[VillageCodes, argparse.Namespace], None]", help: str):
        added = actions.add_parser(name, help=help)
        added.set_defaults(action=function)
        return added

    action("list", _list, "say how far the withdrawals of each trusted village are known")
    action("sync", _sync, "fetch the lists of the trusted villages now")
    export = action("export", _export, "write the signed list of this village's withdrawn letters")
    export.add_argument("file", type=Path, metavar="FILE")
    take = action("import", _import, "take in another village's list")
    take.add_argument("file", type=Path, metavar="FILE")


def run(options: argparse.Namespace) -> int:
    """Do one action; 0, or 1 with a line on standard error for each thing that failed. Raises SettingsError and
    StoreError."""
    from kiosk.withdrawals import ListRefused

    try:
        with _opened(options) as codes:
            options.action(codes, options)
    except (ListRefused, OSError, _SomeFailed) as error:
        print(f"kiosk withdrawals: {error}", file=sys.stderr)
        return 1
    return 0


class _SomeFailed(Exception):
    """Not every village's list came."""


@contextmanager
def _opened(options: argparse.Namespace) -> "Iterator[VillageCodes]":
    from kiosk.clock import Clock
    from kiosk.requests import Requests
    from kiosk.store.opening import open_store
    from kiosk.terminal import settings_of
    from kiosk.village_codes import VillageCodes

    settings, _ = settings_of(options)
    store, clock = open_store(settings), Clock()
    try:
        requests = Requests(store, clock, settings.village.code, settings.village.timezone)
        yield VillageCodes.open(settings, store, clock, requests)
    finally:
        store.close()


def _list(codes: "VillageCodes", options: argparse.Namespace) -> None:
    for code, village in codes.trusted.items():
        standing = codes.other_withdrawals.standing(code)
        known = f"{standing.list.count} as of {standing.list.made_at:%Y-%m-%d %H:%M} UTC" if standing.list else "none"
        tried = f"tried {standing.tried_at:%Y-%m-%d %H:%M} UTC" if standing.tried_at else "never tried"
        print(f"{code}\t{village.name}\t{known}\t{tried}\t{standing.trouble}")


def _sync(codes: "VillageCodes", options: argparse.Namespace) -> None:
    from kiosk.withdrawal_sync import NotGot
    from kiosk.withdrawals import ListRefused

    failed = 0
    for village in codes.trusted.values():
        if not village.withdrawals_url:
            print(f"{village.code}: the settings name no withdrawals_url; its list comes by `kiosk withdrawals import`")
            continue
        try:
            taken = codes.sync.get(village)
            print(f"{village.code}: {taken.count} withdrawn letters as of {taken.made_at:%Y-%m-%d %H:%M} UTC")
        except (NotGot, ListRefused) as error:
            failed += 1
            print(f"{village.code}: {error.code}: {error}", file=sys.stderr)
    if failed:
        raise _SomeFailed(f"{failed} of the lists did not come")


def _export(codes: "VillageCodes", options: argparse.Namespace) -> None:
    from kiosk.terminal import write_for_others

    write_for_others(options.file, codes.own_withdrawals.signed())
    print(f"{options.file}: take it to the other villages, and there run `kiosk withdrawals import`")


def _import(codes: "VillageCodes", options: argparse.Namespace) -> None:
    from kiosk.withdrawals import LARGEST_BYTES

    with options.file.open("rb") as file:
        taken = codes.other_withdrawals.take(file.read(LARGEST_BYTES + 1))
    print(f"{taken.village_code}: {taken.count} withdrawn letters as of {taken.made_at:%Y-%m-%d %H:%M} UTC")
