"""The actions of `kiosk keys` for the keys that sign the codes on letters."""

import argparse
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.settings import Settings
    from kiosk.code_keys import CodeKeys


def add_actions(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    def action(
        name: str, function: "Callable[[argparse.Namespace, Settings], int]", help: str
    ) -> argparse.ArgumentParser:
        parser = actions.add_parser(name, help=help)
        parser.set_defaults(action=function)
        return parser

    action("rotate", _rotate, "make the next key: it signs from now on, and what the others signed stays good")
    revoke = action("revoke", _revoke, "stand by nothing any more that a key signed, as somebody else may have it")
    revoke.add_argument("kid", metavar="KEY", help="its number")
    export = action("export", _export, "write the public file by which other villages check this one's letters")
    export.add_argument("file", type=Path, metavar="FILE")
    show = action("show", _show, "show what a village's public file says, and the fingerprints to compare")
    show.add_argument("file", type=Path, metavar="FILE")


@contextmanager
def _opened(settings: "Settings") -> "Iterator[CodeKeys]":
    from kiosk.clock import Clock
    from kiosk.code_keys import CodeKeys
    from kiosk.store.opening import open_store

    store = open_store(settings)
    try:
        keys = CodeKeys.of(settings, store, Clock())
        keys.prepare()
        yield keys
    finally:
        store.close()


def list_code_keys(settings: "Settings") -> None:
    with _opened(settings) as keys:
        signing, _ = keys.signing()
        for key in keys.all():
            does = "revoked" if key.revoked_at else "signs codes" if key.kid == signing.kid else "verifies codes"
            where = "" if key.is_here else " · its file is not here"
            print(f"{key.kid}.pem · {does} · made on {key.made_at:%Y-%m-%d} · {key.fingerprint}{where}")


def _rotate(options: argparse.Namespace, settings: "Settings") -> int:
    with _opened(settings) as keys:
        key = keys.rotate()
    print(
        f"Key {key.kid} signs from now on; its fingerprint is {key.fingerprint}.\n"
        f"Put a copy of {settings.state_path / 'village-keys'} into the village's safe, and copy the new file to every "
        "other kiosk\nand counter of the village. Give the villages that check its letters a new `kiosk keys export`."
    )
    return 0


def _revoke(options: argparse.Namespace, settings: "Settings") -> int:
    with _opened(settings) as keys:
        count = keys.revoke(options.kid, settings.village.check_url)
    print(
        f"Nothing that key {options.kid} signed is valid any more. The codes of {count} letters were signed anew:\n"
        "copies that are printed from now on are good; papers and files given out before need a new one.\n"
        "Give the villages that check its letters a new `kiosk keys export` now."
    )
    return 0


def _export(options: argparse.Namespace, settings: "Settings") -> int:
    from kiosk.clock import Clock
    from kiosk.terminal import write_for_others
    from kiosk.village_file import village_file

    with _opened(settings) as keys:
        write_for_others(options.file, village_file(settings, keys, Clock().now()))
    return _show(options, settings)


def _show(options: argparse.Namespace, settings: "Settings") -> int:
    from kiosk.code_keys import fingerprint
    from kiosk.village_file import read_village_file

    village = read_village_file(options.file)
    print(f"{village.code} {village.name}, made on {village.made_at:%Y-%m-%d}, {village.prefix}")
    for kid, public_key in village.public_keys.items():
        print(f"key {kid}: {fingerprint(public_key)}")
    for kid in sorted(village.revoked, key=int):
        print(f"key {kid}: revoked")
    return 0
