"""`kiosk technician …`: the technician's way into the self-test's screen. It works beside a running kiosk."""

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", title="actions")
    actions.add_parser("pin", help="set the technician's PIN, six digits; unlocks it after too many wrong tries")


def run(options: argparse.Namespace) -> int:
    """Set the PIN; 0, or 1 with one line on standard error. Raises SettingsError and StoreError."""
    from kiosk.clock import Clock
    from kiosk.store.opening import open_store
    from kiosk.technician import Technician
    from kiosk.terminal import ask_new_pin, settings_of

    settings, _ = settings_of(options)
    store = open_store(settings)
    try:
        ask_new_pin(Technician(store, Clock(), settings.kiosk_id).set_pin)
    except ValueError as error:
        print(f"kiosk technician: {error}", file=sys.stderr)
        return 1
    except EOFError:
        print("kiosk technician: nothing was typed", file=sys.stderr)
        return 1
    finally:
        store.close()
    return 0
