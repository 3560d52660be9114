"""`kiosk keys …`: the village's keys. It works beside a running kiosk, which finds a new key when it next signs."""

import argparse
import sys
from datetime import datetime
from pathlib import Path

from config.settings import Settings
from kiosk import code_keys_commands


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", title="actions")
    create = actions.add_parser("create", help="make the key that signs letters, and its certificate")
    create.add_argument("--renew", action="store_true", help="make the next one; what the last one signed stays valid")
    create.set_defaults(action=_create)
    listing = actions.add_parser("list", help="every key: what for, fingerprint, and until when it is valid")
    listing.set_defaults(action=_list)
    certificate = actions.add_parser("certificate", help="print the certificate that whoever checks letters trusts")
    certificate.set_defaults(action=_certificate)
    verify = actions.add_parser("verify", help="say whether a signed letter is whole and whose it is")
    verify.add_argument("file", type=Path, metavar="PDF")
    verify.set_defaults(action=_verify)
    code_keys_commands.add_actions(actions)


def run(options: argparse.Namespace) -> int:
    """0, or 1 with one line on standard error. Raises SettingsError and StoreError."""
    from kiosk.signing.interface import SigningError
    from kiosk.terminal import settings_of
    from kiosk.village_file import VillageFileError

    settings, _ = settings_of(options)
    try:
        return options.action(options, settings)
    except (SigningError, VillageFileError, LookupError, ValueError, OSError) as error:
        print(f"kiosk keys: {error}", file=sys.stderr)
        return 1


def _create(options: argparse.Namespace, settings: Settings) -> int:
    from kiosk.clock import Clock
    from kiosk.signing.pdf_keys import create_keys, has_signer

    if has_signer(settings) and not options.renew:
        print("kiosk keys: there is a key already; --renew makes the next one", file=sys.stderr)
        return 1
    key = create_keys(settings, Clock().now())
    print(f"{key.path}\n{_until(key.certificate.not_valid_after_utc)} · {key.fingerprint}")
    return 0


def _list(options: argparse.Namespace, settings: Settings) -> int:
    from kiosk.signing.pdf_keys import has_signer, load_signers

    code_keys_commands.list_code_keys(settings)
    if not has_signer(settings):
        print("no key that signs letters")
        return 0
    for key in load_signers(settings):
        print(f"{key.path.name} · signs letters · {_until(key.certificate.not_valid_after_utc)} · {key.fingerprint}")
    return 0


def _certificate(options: argparse.Namespace, settings: Settings) -> int:
    from cryptography.hazmat.primitives.serialization import Encoding

    from kiosk.signing.pdf_keys import load_root_certificate

    print(load_root_certificate(settings).public_bytes(Encoding.PEM).decode(), end="")
    return 0


def _verify(options: argparse.Namespace, settings: Settings) -> int:
    from kiosk.clock import Clock
    from kiosk.signing.opening import open_pdf_signer

    verification = open_pdf_signer(settings, Clock()).verify(options.file.read_bytes())
    print(f"{options.file}: {verification.conclusion}, signatures: {verification.signatures}")
    return 0 if verification.valid else 1


def _until(end: datetime) -> str:
    return f"valid until {end:%Y-%m-%d}"
