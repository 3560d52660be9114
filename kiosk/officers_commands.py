"""`kiosk officers …`: who may come to the desk. It works beside a running kiosk and desk."""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kiosk.officers import SIGNERS, Officer, Officers, Role

if TYPE_CHECKING:
    from kiosk.signing.interface import PdfSigner


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", title="actions")

    def action(name: str, function: Callable[[Officers, Any], None], help: str) -> argparse.ArgumentParser:
        subparser = actions.add_parser(name, help=help)
        subparser.set_defaults(action=function)
        return subparser

    add = action("add", _add, "add an officer; asks for the password")
    add.add_argument("username")
    add.add_argument("--name", required=True, help="as it stands on letters, with titles")
    add.add_argument("--role", required=True, choices=[*Role], type=Role, help="secretary and head also sign")
    add.add_argument("--nip", default="", help="18 digits; left out for who has none")
    action("list", _list, "list the officers, those who are no longer active too, and who may sign with BSrE")
    for name, function, help in (
        ("password", _password, "set an officer's password; ends their sessions and lets them try again"),
        ("nik", _nik, "keep the NIK by which BSrE knows a signer; asks for it"),
        ("deactivate", _deactivate, "the officer may no longer come in; what they did stays theirs"),
        ("activate", _activate, "the officer may come in again"),
    ):
        action(name, function, help).add_argument("username")


def run(options: argparse.Namespace) -> int:
    """Do one action; 0, or 1 with one line on standard error. Raises SettingsError and StoreError."""
    from kiosk.clock import Clock
    from kiosk.store.opening import open_store
    from kiosk.terminal import settings_of

    settings, _ = settings_of(options)
    options.settings = settings
    store = open_store(settings)
    try:
        options.action(Officers(store, Clock()), options)
    except (ValueError, LookupError) as error:
        print(f"kiosk officers: {error}", file=sys.stderr)
        return 1
    except EOFError:
        print("kiosk officers: nothing was typed", file=sys.stderr)
        return 1
    finally:
        store.close()
    return 0


def _add(officers: Officers, options: argparse.Namespace) -> None:
    from kiosk.terminal import ask_twice

    password = ask_twice("Password, at least 10 characters: ", "passwords")
    officer = officers.add(options.username, options.name, options.role, password, options.nip)
    print(f"{officer.username} was added.")


def _list(officers: Officers, options: argparse.Namespace) -> None:
    from kiosk.clock import Clock
    from kiosk.signing.opening import open_pdf_signer

    signer = open_pdf_signer(options.settings, Clock())
    for officer in officers.list():
        state = "active" if officer.active else "inactive"
        columns = [officer.username, officer.role, state, officer.name, officer.nip]
        if signer.needs_passphrase:
            columns.append(_signing(signer, officers, officer))
        print("\t".join(columns))


def _signing(signer: "PdfSigner", officers: Officers, officer: Officer) -> str:
    """What BSrE says of an active signer; empty for the others."""
    if not officer.active or officer.role not in SIGNERS:
        return ""
    status = signer.status(officers.nik_of(officer.id))
    return "may sign" if status.may_sign else str(status.problem)


def _password(officers: Officers, options: argparse.Namespace) -> None:
    from kiosk.terminal import ask_twice

    officers.by_username(options.username)  # a wrong name is told before the password is asked for
    officers.set_password(options.username, ask_twice("New password, at least 10 characters: ", "passwords"))
    print("The password is set.")


def _nik(officers: Officers, options: argparse.Namespace) -> None:
    from kiosk.terminal import ask_twice

    officers.by_username(options.username)
    officers.set_nik(options.username, ask_twice("NIK: ", "NIKs"))
    print("The NIK is kept.")


def _deactivate(officers: Officers, options: argparse.Namespace) -> None:
    officers.deactivate(options.username)
    print(f"{options.username} may no longer come in.")


def _activate(officers: Officers, options: argparse.Namespace) -> None:
    officers.activate(options.username)
    print(f"{options.username} may come in again.")
