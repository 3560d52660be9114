"""`kiosk office …`: what officers do at the command line. It works beside a running kiosk, on the same database."""

import argparse
import getpass
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

#: How long `enrol` waits for the card to be laid on the reader.
CARD_PATIENCE_S = 60.0

Office = Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION", title="actions")

    def action(name: str, function: Callable[[Office, argparse.Namespace], None], help: str) -> argparse.ArgumentParser:
        subparser = actions.add_parser(name, help=help)
        subparser.set_defaults(action=function)
        return subparser

    requests = action("requests", _requests, "list letter requests, oldest first")
    requests.add_argument("in_state", nargs="?", default="submitted", metavar="STATE", help="default submitted; or all")

    for name, function, help in (
        ("check", _check, "take a submitted request in hand"),
        ("approve", _approve, "a request is right: it goes to its signers"),
        ("sign", _sign, "sign as the officer whose turn it is; asks for the password. The last one makes the letter"),
        ("return", _return, "give a request back for correction"),
        ("refuse", _refuse, "refuse a request"),
        ("collect", _collect, "the original was handed over"),
        ("withdraw", _withdraw, "call a letter back; every check says so from then on"),
    ):
        decision = action(name, function, help)
        what = "LETTER-NUMBER" if name == "withdraw" else "NUMBER"
        decision.add_argument("number", metavar=what)
        decision.add_argument("--officer", default=getpass.getuser(), help="who decides (default: you)")
        if name in ("return", "refuse", "withdraw"):
            decision.add_argument("--reason", required=True, help="what the resident reads")

    enrol = action("enrol", _enrol, "link a card to a resident and set their PIN; asks for both")
    enrol.add_argument("--nik", help="asked for when it is not given, so that it stays out of the shell's history")
    enrol.add_argument("--card", metavar="HEX", help="the card's number, instead of laying it on the reader")
    enrol.add_argument("--no-pin", action="store_true", help="leave the PIN as it is")

    code = action("code", _code, "a code to say to a resident, who links a card and chooses a PIN at the kiosk")
    code.add_argument("--nik", help="asked for when it is not given")
    code.add_argument("--officer", default=getpass.getuser(), help="who says it (default: you)")

    pin = action("pin", _pin, "set a resident's PIN; unlocks them")
    pin.add_argument("--nik", help="asked for when it is not given")

    call = action("call", _call, "call the next number of a service")
    call.add_argument("service", metavar="SERVICE", help="its letter, such as A")
    action("jobs", _jobs, "list print jobs of which nobody knows whether they are on paper, or which wait")


def run(options: argparse.Namespace) -> int:
    """Do one action; 0, or 1 with one line on standard error. Raises SettingsError and StoreError."""
    from kiosk.clock import Clock
    from kiosk.devices import Devices
    from kiosk.office import Office
    from kiosk.terminal import settings_of

    settings, path = settings_of(options)
    options.settings, options.settings_path = settings, path
    office = Office.open(settings, Clock(), Devices(), printer=None, post=lambda event: None)
    try:
        options.action(office, options)
    except (ValueError, LookupError) as error:
        print(f"kiosk office: {error}", file=sys.stderr)
        return 1
    except EOFError:
        print("kiosk office: nothing was typed", file=sys.stderr)
        return 1
    finally:
        office.close()
    return 0


def _requests(office: Office, options: argparse.Namespace) -> None:
    from kiosk.requests import RequestState

    try:
        state = None if options.in_state == "all" else RequestState(options.in_state)
    except ValueError:
        raise ValueError(f"no such state; there are: all, {', '.join(RequestState)}") from None
    for request in _all_requests(office, state):
        resident = office.residents.get(request.resident_id)
        line = (
            request.number,
            request.state,
            request.letter_type,
            resident.masked_name(),
            resident.masked_nik(),
            request.letter_number or "",
        )
        print("\t".join(line))


def _all_requests(office: Office, state: Any) -> Iterator[Any]:
    """Every page of the list."""
    last_id = 0
    while page := office.requests.listing(state, after_id=last_id):
        yield from page
        last_id = page[-1].id


def _approve(office: Office, options: argparse.Namespace) -> None:
    from kiosk.requests import RequestState

    request = office.requests.by_number(options.number)
    office.letters.type_of(request)
    if request.state is RequestState.SUBMITTED:
        office.requests.begin_check(options.number, options.officer)
    _tell_signer(office, office.requests.approve(options.number, options.officer))


def _sign(office: Office, options: argparse.Namespace) -> None:
    from kiosk.officers import Officer
    from kiosk.signing.interface import Passphrase, SigningError
    from kiosk.terminal import ask_once

    officer = office.officers.prove(options.officer, ask_once("Password: "), "terminal")
    if not isinstance(officer, Officer):
        raise ValueError("wrong password, or no such officer")
    passphrase = Passphrase(ask_once("Passphrase: ") if office.letters.needs_passphrase else "")
    try:
        signed = office.letters.sign(options.number, officer, passphrase)
    except SigningError as error:
        raise ValueError(f"not signed ({error.code}): {error.advice}") from None
    if signed.letter_number:
        print(f"{signed.number}: signed as {signed.letter_number}")
    else:
        _tell_signer(office, signed)


def _tell_signer(office: Office, request: Any) -> None:
    role = office.letters.type_of(request).signers[request.signed]
    print(f"{request.number}: waits for the signature of: {role}")


def _check(office: Office, options: argparse.Namespace) -> None:
    print(f"{office.requests.begin_check(options.number, options.officer).number}: being checked")


def _return(office: Office, options: argparse.Namespace) -> None:
    print(f"{office.requests.return_(options.number, options.officer, options.reason).number}: given back")


def _refuse(office: Office, options: argparse.Namespace) -> None:
    print(f"{office.requests.refuse(options.number, options.officer, options.reason).number}: refused")


def _collect(office: Office, options: argparse.Namespace) -> None:
    print(f"{office.requests.collect(options.number, options.officer).number}: collected")


def _withdraw(office: Office, options: argparse.Namespace) -> None:
    print(f"{office.requests.withdraw(options.number, options.officer, options.reason).letter_number}: withdrawn")


def _enrol(office: Office, options: argparse.Namespace) -> None:
    nik = options.nik or input("NIK: ").strip()
    office.residents.by_nik(nik)  # a wrong NIK is told before the card is asked for
    if options.card:
        uid, stable = _uid(options.card), True
    else:
        uid, stable = _uid_from_reader(options)
        print(_in_both_directions(uid))
    if not stable:
        raise ValueError("this card makes up a new number each time, so it cannot be enrolled: let them use the NIK")
    office.residents.enrol_card(nik, uid)
    print("The card is linked.")
    if not options.no_pin:
        _ask_pin(office, nik)


def _uid(text: str) -> bytes:
    try:
        uid = bytes.fromhex(text)
    except ValueError:
        uid = b""
    if not 4 <= len(uid) <= 10:
        raise ValueError("a card's number is 4 to 10 bytes in hex, such as 04A1B2C3D4E5F6")
    return uid


def _in_both_directions(uid: bytes) -> str:
    """The number as other programs and readers write it, so that the officer sees whether this hall's reader, if it
    is one that types, is set to the direction that they use."""
    return "\n".join(
        f"{direction} {number.hex().upper()}, as a decimal {int.from_bytes(number, 'big')}"
        for direction, number in (("The card's number:", uid), ("From its last byte on:", uid[::-1]))
    )


def _uid_from_reader(options: argparse.Namespace) -> tuple[bytes, bool]:
    """The number of the next card that is laid on this hall's reader, and whether it is the same each time."""
    import queue

    from hardware.card_reader.interface import CardPresented
    from kiosk.app import build_device

    reader = build_device(options.settings, options.settings_path, "card_reader")
    if reader is None or reader.virtual:
        raise ValueError("this hall has no card reader that can be asked from here: give --card")
    events: queue.SimpleQueue[Any] = queue.SimpleQueue()
    reader.start(events.put)
    print("Lay the card on the reader.", flush=True)
    deadline_s = time.monotonic() + CARD_PATIENCE_S
    try:
        while (left_s := deadline_s - time.monotonic()) > 0:
            event = events.get(timeout=left_s)
            if isinstance(event, CardPresented):
                return event.card.uid, event.card.stable
    except queue.Empty:
        pass
    finally:
        reader.stop()
    raise ValueError(f"no card was read within {CARD_PATIENCE_S:.0f} s ({reader.status.code or 'the reader is ready'})")


def _code(office: Office, options: argparse.Namespace) -> None:
    from kiosk.enrolments import OPEN_FOR_S

    resident = office.residents.by_nik(options.nik or input("NIK: ").strip())
    print(f"{office.enrolments.open(resident.id, options.officer)}, for {OPEN_FOR_S // 60} minutes")


def _pin(office: Office, options: argparse.Namespace) -> None:
    nik = options.nik or input("NIK: ").strip()
    office.residents.by_nik(nik)
    _ask_pin(office, nik)


def _ask_pin(office: Office, nik: str) -> None:
    from kiosk.terminal import ask_new_pin

    ask_new_pin(lambda pin: office.residents.set_pin(nik, pin))


def _call(office: Office, options: argparse.Namespace) -> None:
    services = [service.code for service in office.settings.queue.services]
    if options.service not in services:
        raise ValueError(f"no such service; there are: {', '.join(services)}")
    ticket = office.queue.call_next(options.service)
    print(f"Calling {ticket.number}" if ticket else "Nobody is waiting.")


def _jobs(office: Office, options: argparse.Namespace) -> None:
    for job in office.spooler.open_jobs():
        print(f"{job.id}\t{job.kind}\t{job.state}\t{job.code}\t{job.changed_at:%Y-%m-%d %H:%M:%S}")
