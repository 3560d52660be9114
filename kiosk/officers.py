"""The hall's officers: those who check, sign and hand out letters, and how they prove who they are.

A name that nobody has is counted, paused and timed like one that somebody has. Tries are counted per client address,
and per name at that address, so that a stranger's tries do not lock an officer out who sits elsewhere.
"""

import re
import threading
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.exc import IntegrityError

from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.kept_secrets import sealed_hash, secret_fits
from kiosk.residents import validate_nik
from kiosk.store import timers
from kiosk.store.counters import insert
from kiosk.store.schema import officer_sessions, officers
from kiosk.store.store import Store

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 128
FEWEST_DIFFERENT_CHARACTERS = 5
#: Passwords that are one of these with digits and signs around it are those that are tried first.
COMMON_STEMS = frozenset(
    """
    password passwd qwerty qwertyuiop asdfgh asdfghjkl zxcvbnm iloveyou welcome letmein admin administrator root
    superuser kiosk rahasia sandi katasandi sayang sayangku sayangkamu cinta cintaku bismillah alhamdulillah
    assalamualaikum indonesia indonesiaraya indonesiamerdeka merdeka pancasila garuda jakarta surabaya bandung tuban
    jawatimur kepaladesa kades sekretaris sekretarisdesa sekdes sekdesa operator operatordesa petugas petugasdesa
    perangkatdesa kantordesa balaidesa pemerintahdesa desa desaku desadigital kelurahan kecamatan anjungan
    anjungandesa anjunganmandiri suratdesa
    """.split()
)

TRIES_WITHIN_S = 15 * 60
PAUSE_S = 15 * 60
#: Wrong passwords for one name from one address, from one address for any name, and for one name from anywhere.
WRONG_AT_ADDRESS, WRONG_FROM_ADDRESS, WRONG_FOR_NAME = 5, 20, 50

_PASSWORD, _NIK = "officers.password", "officers.nik"


class Role(StrEnum):
    """What an officer may do at the desk: operators check, and secretary and head also sign."""

    OPERATOR = "operator"
    SECRETARY = "secretary"
    HEAD = "head"


SIGNERS = frozenset({Role.SECRETARY, Role.HEAD})


@dataclass(frozen=True)
class Officer:
    """`name` and `nip` stand on letters as they are written here; `nip` is empty for who has none."""

    id: int
    username: str
    name: str
    nip: str
    role: Role
    active: bool = True


class UnknownOfficer(LookupError):
    """No officer has that username."""


class UsernameTaken(ValueError):
    """Another officer has that username."""


class WeakPassword(ValueError):
    """`reason` is "too-short", "too-long", "username", "common" or "too-few-characters"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class WrongPassword:
    """Or nobody has that username, or it is no longer active: all look alike."""


@dataclass(frozen=True)
class TriesPaused:
    """Too many wrong passwords: none is looked at until then."""

    until: datetime


def refuse_weak_password(password: str, username: str) -> None:
    """Raises WeakPassword for one that is guessed early (NIST SP 800-63B 5.1.1.2: length, and a list of the usual)."""
    plain = _normal(password)
    if len(plain) < SHORTEST_PASSWORD:
        raise WeakPassword("too-short")
    if len(plain) > LONGEST_PASSWORD:
        raise WeakPassword("too-long")
    small = plain.casefold()
    if username in small:
        raise WeakPassword("username")
    if len(set(small)) < FEWEST_DIFFERENT_CHARACTERS:
        raise WeakPassword("too-few-characters")
    letters = "".join(filter(str.isalpha, small))
    if not letters or letters in COMMON_STEMS:
        raise WeakPassword("common")


class Officers:
    """Every method may raise StoreError, and those that take a username UnknownOfficer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock, self._vault = store, clock, store.vault
        self._journal = Journal(store, clock)
        self._one_try = threading.Lock()

    # Looking after them.

    def add(self, username: str, name: str, role: Role, password: str, nip: str = "", nik: str = "") -> Officer:
        """Add an officer; `nik` is what BSrE knows a signer by, and empty for who has no certificate. Raises
        UsernameTaken, WeakPassword, InvalidNik, and ValueError for a username, name or NIP that is none."""
        _refuse_wrong_username(username)
        new = {
            "username": username,
            "name": _checked_name(name),
            "nip": _checked_nip(nip),
            "role": role,
            "password": self._sealed_password(username, password),
            "nik": self._sealed_nik(username, nik),
            "active": True,
            "added_at": self._clock.now(),
        }
        try:
            with self._store.write() as tx:
                tx.execute(insert(tx, officers).values(new))
                self._journal.record(Event.OFFICER_ADDED, tx=tx, officer=username, role=role)
                return opened(self._row(tx, username))
        except IntegrityError:
            raise UsernameTaken(f"somebody has the username {username} already") from None

    def list(self) -> list[Officer]:
        """By username, also those who are no longer active."""
        with self._store.read() as tx:
            return [opened(row) for row in tx.execute(select(officers).order_by(officers.c.username)).all()]

    def by_username(self, username: str) -> Officer:
        with self._store.read() as tx:
            return opened(self._row(tx, username))

    def nik_of(self, officer_id: int) -> str:
        """The NIK by which BSrE knows the officer; empty where none is kept. Raises UnknownOfficer."""
        with self._store.read() as tx:
            row = tx.execute(select(officers).where(officers.c.id == officer_id)).one_or_none()
        if row is None:
            raise UnknownOfficer("no officer has that id")
        return "" if row.nik is None else self._vault.decrypt(row.nik, _NIK, row.username)

    def set_password(self, username: str, password: str) -> None:
        """Ends the officer's sessions and pauses. Raises WeakPassword."""
        sealed = self._sealed_password(username, password)
        with self._store.write() as tx:
            self._change(tx, username, password=sealed)
            timers.clear(tx, self._pause_of_name(username))
            self._journal.record(Event.OFFICER_PASSWORD_SET, tx=tx, officer=username)

    def set_nik(self, username: str, nik: str) -> None:
        """Raises InvalidNik; an empty one is forgotten."""
        with self._store.write() as tx:
            self._change(tx, username, nik=self._sealed_nik(username, nik))
            self._journal.record(Event.OFFICER_CHANGED, tx=tx, officer=username)

    def deactivate(self, username: str) -> None:
        """The officer may no longer come in. What they did stays theirs, so nobody is ever removed."""
        self._set_active(username, False)

    def activate(self, username: str) -> None:
        self._set_active(username, True)

    def _set_active(self, username: str, active: bool) -> None:
        with self._store.write() as tx:
            self._change(tx, username, active=active)
            event = Event.OFFICER_ACTIVATED if active else Event.OFFICER_DEACTIVATED
            self._journal.record(event, tx=tx, officer=username)

    def _change(self, tx: Connection, username: str, **columns: object) -> None:
        """Who is logged in must log in anew, as what they now are."""
        officer = self._row(tx, username)
        tx.execute(update(officers).where(officers.c.id == officer.id).values(columns))
        tx.execute(delete(officer_sessions).where(officer_sessions.c.officer_id == officer.id))

    # Proving who one is.

    def log_in(self, username: str, password: str, address: str) -> Officer | WrongPassword | TriesPaused:
        """The officer, where the password is right; `address` is the client's."""
        answer = self.prove(username, password, address)
        if isinstance(answer, Officer):
            self._journal.record(Event.OFFICER_LOGGED_IN, officer=answer.username, address=address)
        return answer

    def prove(self, username: str, password: str, address: str) -> Officer | WrongPassword | TriesPaused:
        """Whether that is the password of an active officer, with the limits of a log-in and no trace but of a wrong
        one: for what an officer who is in must confirm."""
        # One at a time: tries at once are counted one by one, and hashing never takes the whole machine.
        with self._one_try:
            with self._store.write() as tx:
                if (pause_s := self._paused_s(tx, username, address)) is not None:
                    return TriesPaused(self._clock.now() + timedelta(seconds=pause_s))
                row = tx.execute(select(officers).where(officers.c.username == username)).one_or_none()
            sealed = row.password if row is not None and row.active else None
            # An overlong one is none, and costs no more than another.
            fits = secret_fits(self._vault, sealed, _normal(password)[: LONGEST_PASSWORD + 1], _PASSWORD, username)
            with self._store.write() as tx:
                if fits and sealed is not None:
                    timers.clear(tx, self._wrong_at_address(username, address))
                    return opened(row)
                self._count_wrong(tx, username, address, known=row is not None)
                return WrongPassword()

    def _paused_s(self, tx: Connection, username: str, address: str) -> float | None:
        """How long the tries are paused yet."""
        subjects = (
            self._pause_at_address(username, address),
            self._subject("pause from address", address),
            self._pause_of_name(username),
        )
        left = [left_s for subject in subjects for left_s in timers.running(tx, self._clock, subject)]
        return max(left, default=None)

    def _count_wrong(self, tx: Connection, username: str, address: str, known: bool) -> None:
        # A name that nobody has may be a password that was typed into the wrong field.
        who = {"officer": username if known else "", "address": address}
        self._journal.record(Event.OFFICER_PASSWORD_WRONG, tx=tx, **who)
        for wrong, pause, limit in (
            (self._wrong_at_address(username, address), self._pause_at_address(username, address), WRONG_AT_ADDRESS),
            (self._subject("wrong from", address), self._subject("pause from address", address), WRONG_FROM_ADDRESS),
            (self._subject("wrong for", username), self._pause_of_name(username), WRONG_FOR_NAME),
        ):
            timers.start(tx, self._clock, wrong, TRIES_WITHIN_S)
            if len(timers.running(tx, self._clock, wrong)) >= limit:
                timers.clear(tx, wrong)
                timers.start(tx, self._clock, pause, PAUSE_S)
                self._journal.record(Event.OFFICER_TRIES_PAUSED, tx=tx, **who, for_s=PAUSE_S)

    def _wrong_at_address(self, username: str, address: str) -> bytes:
        return self._subject("wrong at address", f"{username}\0{address}")

    def _pause_at_address(self, username: str, address: str) -> bytes:
        return self._subject("pause at address", f"{username}\0{address}")

    def _pause_of_name(self, username: str) -> bytes:
        return self._subject("pause for", username)

    def _subject(self, kind: str, value: str) -> bytes:
        return self._vault.index(f"officer {kind}", value)

    def _sealed_password(self, username: str, password: str) -> bytes:
        refuse_weak_password(password, username)
        return sealed_hash(self._vault, _normal(password), _PASSWORD, username)

    def _sealed_nik(self, username: str, nik: str) -> bytes | None:
        if not nik:
            return None
        validate_nik(nik)
        return self._vault.encrypt(nik, _NIK, username)

    def _row(self, tx: Connection, username: str) -> Row:
        row = tx.execute(select(officers).where(officers.c.username == username)).one_or_none()
        if row is None:
            raise UnknownOfficer(f"no officer has the username {username}")
        return row


def opened(row: Row) -> Officer:
    return Officer(row.id, row.username, row.name, row.nip, Role(row.role), row.active)


def _normal(password: str) -> str:
    """One password, however a keyboard composes its characters (NIST SP 800-63B 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _refuse_wrong_username(username: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9._-]{2,59}", username):
        raise ValueError("a username has 3 to 60 of a-z, 0-9, dot, dash and underscore, and begins with a letter")


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise ValueError("a name has 1 to 120 characters")
    return name


def _checked_nip(nip: str) -> str:
    nip = nip.replace(" ", "")
    if nip and not re.fullmatch(r"[0-9]{18}", nip):
        raise ValueError("a NIP has 18 digits, or is left empty")
    return nip
