"""`kiosk residents …`: the register from a file. It works beside a running kiosk."""

import argparse
import sys
from collections import Counter
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", title="actions")
    importing = actions.add_parser("import", help="add and change residents from a CSV file; says what became of each")
    importing.add_argument("file", type=Path)
    importing.add_argument("--dry-run", action="store_true", help="change nothing, only say what would become of it")


def run(options: argparse.Namespace) -> int:
    """0 where every line could be used, or 1. Raises SettingsError and StoreError."""
    from kiosk.clock import Clock
    from kiosk.register_import import Line, Outcome, UnusableFile, import_residents
    from kiosk.residents import Residents
    from kiosk.store.opening import open_store
    from kiosk.terminal import settings_of

    counts: Counter[Outcome] = Counter()

    def tell(line: Line) -> None:
        counts[line.outcome] += 1
        if line.reason:
            print(f"line {line.number}: {line.outcome}: {line.column}: {line.reason}")

    settings, _ = settings_of(options)
    clock = Clock()
    store = open_store(settings)
    try:
        today = clock.local_date(settings.village.timezone)
        residents = Residents(store, clock, settings.kiosk_id)
        import_residents(options.file.read_bytes(), residents, today, tell, dry=options.dry_run)
    except (UnusableFile, OSError) as error:
        print(f"kiosk residents: {options.file}: {error}", file=sys.stderr)
        return 1
    finally:
        store.close()
    print(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome))
    return 1 if counts[Outcome.REFUSED] else 0
