"""Residents: who they are, their cards and PINs, and the limits on trying.

A card's number is a user name and not a proof: whoever comes with a card or a NIK also gives a PIN, and the tries are
counted (`kiosk/pin_tries.py`). A NIK that nobody has is counted, locked and timed like one that somebody has, so that
nobody can find out who is registered.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from kiosk.clock import Clock
from kiosk.journal import Event, Journal
from kiosk.paper.text import clean
from kiosk.pin_tries import LockedOut, PinTries, WeakPin, WrongPin, pin_fits, refuse_usual_pin, sealed_pin
from kiosk.store import timers
from kiosk.store.counters import insert
from kiosk.store.schema import cards, residents
from kiosk.store.store import Store
from kiosk.store.vault import Vault

#: Provinces in use (Kemendagri codes): those that a NIK begins with.
PROVINCES = frozenset(
    f"{code}" for codes in ((11, 20), (21, 22), (31, 37), (51, 54), (61, 66), (71, 77), (81, 83), (91, 97))
    for code in range(*codes)
)  # fmt: skip

UNKNOWN_CARDS_BEFORE_PAUSE = 10
UNKNOWN_CARDS_WITHIN_S = 10 * 60
WRONG_NIKS_BEFORE_PAUSE = 20
WRONG_NIKS_WITHIN_S = 10 * 60
PAUSE_S = 10 * 60
#: The register has nothing longer, and no screen could show it.
LONGEST_TEXT = 200
#: Of a search through everybody: the whole register at once would be a lot of memory.
ROWS_AT_ONCE = 500
_PERSONAL = "residents.personal"


FAMILY_HEAD = "KEPALA KELUARGA"


class InvalidNik(ValueError):
    """`reason` is "not-16-digits", "unknown-province", "impossible-date" or "serial-0000"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownResident(LookupError):
    """Nobody has that NIK or id."""


class AlreadyRegistered(ValueError):
    """Somebody has that NIK already."""


class CardTaken(ValueError):
    """The card is another resident's."""


class ResidentChanged(RuntimeError):
    """The register says something else of the resident than what was read."""


def validate_nik(text: str) -> None:
    """Raises InvalidNik for what cannot be a NIK: province, regency, kecamatan, DDMMYY (a woman's day + 40), serial.
    There is no check digit."""
    if not re.fullmatch(r"[0-9]{16}", text):
        raise InvalidNik("not-16-digits")
    if text[:2] not in PROVINCES:
        raise InvalidNik("unknown-province")
    day, month = int(text[6:8]), int(text[8:10])
    if not (1 <= day <= 31 or 41 <= day <= 71) or not 1 <= month <= 12:
        raise InvalidNik("impossible-date")
    if text[12:] == "0000":
        raise InvalidNik("serial-0000")


@dataclass(frozen=True, repr=False)
class Resident:
    """Texts are as the register has them. Its repr shows no personal data."""

    id: int
    nik: str
    name: str
    birth_place: str
    birth_date: date
    sex: str
    religion: str
    marital_status: str
    education: str
    occupation: str
    citizenship: str
    address: str
    rt: str
    rw: str
    family_number: str = ""  # of the family card (KK): 16 digits, or empty
    family_relation: str = ""  # «KEPALA KELUARGA», «ISTRI», «ANAK» …, as on the family card; or empty

    def __repr__(self) -> str:
        return "Resident(…)"

    def masked_nik_own(self) -> str:
        """For the resident's own check screen: `352312******0001`."""
        return f"{self.nik[:6]}******{self.nik[12:]}"

    def full_address(self) -> str:
        """With the neighbourhood, as it stands on letters: «DUSUN KRAJAN RT 002 RW 001»."""
        neighbourhood = f"RT {self.rt} RW {self.rw}" if self.rt and self.rw else ""
        return f"{self.address} {neighbourhood}".strip()

    def age_on(self, day: date) -> int:
        """Whole years."""
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    @property
    def is_family_head(self) -> bool:
        return self.family_relation == FAMILY_HEAD

    def masked_nik(self) -> str:
        """For tickets and public checks: `************0001`."""
        return f"************{self.nik[12:]}"

    def masked_name(self) -> str:
        """For public checks: `S*** A*****`."""
        return " ".join(word[0] + "*" * (len(word) - 1) for word in self.name.split())


FIELDS = frozenset(field.name for field in fields(Resident)) - {"id"}
#: What a register may not know.
OPTIONAL_FIELDS = frozenset({"family_number", "family_relation"})


@dataclass(frozen=True)
class Identified:
    resident: Resident


@dataclass(frozen=True)
class UnknownCard:
    pass


@dataclass(frozen=True)
class NoPin:
    """The card is somebody's who has no PIN yet: the desk sets one."""


@dataclass(frozen=True)
class Credentials:
    """What a resident can identify with; `locked` where too many tries are in the way."""

    cards: int
    has_pin: bool
    locked: LockedOut | None


@dataclass(frozen=True)
class Paused:
    """Too many unknown cards at this kiosk: no card is looked up until then."""

    until: datetime


class Residents:
    """The register, as one kiosk (`kiosk_id`) uses it. Every method may raise StoreError."""

    def __init__(self, store: Store, clock: Clock, kiosk_id: str) -> None:
        self._store, self._clock, self._kiosk_id = store, clock, kiosk_id
        self._vault = store.vault
        self._journal = Journal(store, clock)
        self._tries = PinTries(store, clock, self._journal, kiosk_id)
        self._unknown_cards = self._vault.index("unknown cards", kiosk_id)
        self._wrong_niks = self._vault.index("wrong niks", kiosk_id)
        self._nik_pause = self._vault.index("nik pause", kiosk_id)
        self._pause = self._vault.index("pause", kiosk_id)

    # The register and the desk.

    def add(self, resident_fields: Mapping[str, str | date], officer: str | None = None) -> Resident:
        """Add a resident by the fields of `Resident` except `id`; texts lose control characters and what is beyond
        LONGEST_TEXT. `officer` is the username of the one at the desk who does it, here and below. Raises InvalidNik,
        AlreadyRegistered, and ValueError for a missing or unknown field."""
        resident = self._checked(resident_fields)
        new = {
            "nik_index": self._nik_index(resident.nik),
            "family_index": self._family_index(resident),
            "personal": self._sealed(resident),
            "added_at": self._clock.now(),
        }
        try:
            with self._store.write() as tx:
                resident_id = tx.execute(insert(tx, residents).values(new).returning(residents.c.id)).scalar_one()
                self._journal.record(Event.RESIDENT_ADDED, tx=tx, resident=resident_id, **_by(officer))
        except IntegrityError:
            raise AlreadyRegistered("somebody has that NIK already") from None
        return replace(resident, id=resident_id)

    def change(
        self,
        resident_id: int,
        resident_fields: Mapping[str, str | date],
        officer: str | None = None,
        seen: str | None = None,
    ) -> Resident:
        """Replace what the register says of a resident; the NIK stays. `seen` is the fingerprint of what the officer
        read. Raises UnknownResident, ResidentChanged, and what `add` does."""
        resident = replace(self._checked(resident_fields), id=resident_id)
        with self._store.write() as tx:
            before = resident_in(tx, self._vault, resident_id)
            if before.nik != resident.nik:
                raise InvalidNik("changed")
            if seen is not None and seen != self.fingerprint(before):
                raise ResidentChanged("the register says something else by now")
            changed = {"personal": self._sealed(resident), "family_index": self._family_index(resident)}
            tx.execute(update(residents).where(residents.c.id == resident_id).values(changed))
            self._journal.record(Event.RESIDENT_CHANGED, tx=tx, resident=resident_id, **_by(officer))
        return resident

    def fingerprint(self, *people: Resident) -> str:
        """What tells whether the register still says the same of them; it gives nothing away."""
        return self._vault.index("resident as read", "\n".join(map(self._plain, people))).hex()

    def put_all(
        self,
        people: Sequence[Mapping[str, str | date]],
        untold: Mapping[str, str] = {},
        *,
        dry: bool = False,
        officer: str | None = None,
    ) -> list[Literal["added", "changed", "unchanged"] | ValueError]:
        """Add those whom the register does not have and change those whom it has, in one transaction; with `dry` only
        say what it would be. A field that is not told stays as the register has it, and of a new one is what `untold`
        says. What is wrong with one of them is told in its place, and the others are written."""
        with self._store.read() if dry else self._store.write() as tx:
            return [self._put(tx, resident_fields, untold, dry, officer) for resident_fields in people]

    def _put(
        self,
        tx: Connection,
        resident_fields: Mapping[str, str | date],
        untold: Mapping[str, str],
        dry: bool,
        officer: str | None,
    ) -> Literal["added", "changed", "unchanged"] | ValueError:
        nik_index = self._nik_index(str(_clean(resident_fields.get("nik", ""))))
        row = tx.execute(select(residents).where(residents.c.nik_index == nik_index)).one_or_none()
        if row is not None:
            before = _opened(self._vault, row)
            untold = {name: getattr(before, name) for name in FIELDS}
        try:
            resident = self._checked({**untold, **resident_fields})
        except ValueError as error:
            return error
        if row is not None and replace(before, id=0) == resident:
            return "unchanged"
        if not dry:
            known = {"personal": self._sealed(resident), "family_index": self._family_index(resident)}
            if row is None:
                new = {"nik_index": nik_index, "added_at": self._clock.now(), **known}
                resident_id = tx.execute(insert(tx, residents).values(new).returning(residents.c.id)).scalar_one()
                self._journal.record(Event.RESIDENT_ADDED, tx=tx, resident=resident_id, **_by(officer))
            else:
                tx.execute(update(residents).where(residents.c.id == row.id).values(known))
                self._journal.record(Event.RESIDENT_CHANGED, tx=tx, resident=row.id, **_by(officer))
        return "added" if row is None else "changed"

    def family(self, resident: Resident) -> list[Resident]:
        """Everybody on the resident's family card but the resident, in the order in which they were added."""
        index = self._family_index(resident)
        if index is None:
            return []
        others = select(residents).where(residents.c.family_index == index, residents.c.id != resident.id)
        with self._store.read() as tx:
            return [_opened(self._vault, row) for row in tx.execute(others.order_by(residents.c.id)).all()]

    def all(self) -> list[Resident]:
        """The whole register by name: names are encrypted, so whoever looks for one opens them all."""
        with self._store.read() as tx:
            everybody = [_opened(self._vault, row) for row in tx.execute(select(residents)).all()]
        return sorted(everybody, key=lambda resident: resident.name)

    def newest(self, before_id: int | None = None, limit: int = 50) -> list[Resident]:
        """A page of the register, who was added last first; `before_id` begins behind that resident."""
        chosen = select(residents).order_by(residents.c.id.desc()).limit(limit)
        if before_id is not None:
            chosen = chosen.where(residents.c.id < before_id)
        with self._store.read() as tx:
            return [_opened(self._vault, row) for row in tx.execute(chosen).all()]

    def find(self, words: str) -> list[Resident]:
        """Those whose name holds every one of these words, by name. Names are encrypted, so all are opened, but
        only those are read that hold the words somewhere."""
        wanted = words.upper().split()
        plain = [
            word.encode() for word in wanted if word.isascii() and word.isalnum()
        ]  # in JSON they stand as they are
        everybody = select(residents.c.id, residents.c.nik_index, residents.c.personal)
        found = []
        with self._store.read() as tx:
            for row in tx.execute(everybody.execution_options(yield_per=ROWS_AT_ONCE)):
                _, nik_index, personal = row
                data = self._vault.decrypt_bytes(personal, _PERSONAL, nik_index).upper()
                if all(word in data for word in plain):
                    found.append(_opened(self._vault, row))
        named = [resident for resident in found if all(word in resident.name.upper() for word in wanted)]
        return sorted(named, key=lambda resident: resident.name)

    def get(self, resident_id: int) -> Resident:
        """Raises UnknownResident."""
        with self._store.read() as tx:
            return resident_in(tx, self._vault, resident_id)

    def by_ids(self, resident_ids: Collection[int]) -> dict[int, Resident]:
        """Those of these ids that there are, by their id."""
        with self._store.read() as tx:
            rows = tx.execute(select(residents).where(residents.c.id.in_(resident_ids))).all()
        return {row.id: _opened(self._vault, row) for row in rows}

    def by_nik(self, nik: str) -> Resident:
        """Raises UnknownResident."""
        with self._store.read() as tx:
            return _opened(self._vault, self._row(tx, nik))

    def enrol_card(self, nik: str, uid: bytes) -> None:
        """Link a card to a resident, who may have several. Raises UnknownResident, and CardTaken for a card that is
        another's."""
        uid_index = self._uid_index(uid)
        with self._store.write() as tx:
            resident_id = self._row(tx, nik).id
            link = insert(tx, cards).values(uid_index=uid_index, resident_id=resident_id, enrolled_at=self._clock.now())
            tx.execute(link.on_conflict_do_nothing())
            owner = tx.execute(select(cards.c.resident_id).where(cards.c.uid_index == uid_index)).scalar_one()
            if owner != resident_id:
                raise CardTaken("the card is another resident's")
            # Laid on the kiosk's own reader it was an unknown card there a moment ago, and is none any more.
            timers.clear(tx, self._unknown_cards)
            self._journal.record(Event.CARD_ENROLLED, tx=tx, resident=resident_id)

    def unlink_cards(self, resident_id: int, officer: str) -> int:
        """A card was lost: none of the resident's serves any more, until it is linked again. How many there were.
        Raises UnknownResident."""
        with self._store.write() as tx:
            resident_in(tx, self._vault, resident_id)
            count = tx.execute(delete(cards).where(cards.c.resident_id == resident_id)).rowcount
            if count:
                facts = {"resident": resident_id, "count": count, "officer": officer}
                self._journal.record(Event.CARDS_UNLINKED, tx=tx, **facts)
        return count

    def credentials(self, resident_id: int) -> Credentials:
        """Raises UnknownResident."""
        with self._store.write() as tx:  # which timers need
            nik = resident_in(tx, self._vault, resident_id).nik
            linked = select(func.count()).where(cards.c.resident_id == resident_id)
            has_pin = select(residents.c.pin.is_not(None)).where(residents.c.id == resident_id)
            return Credentials(
                tx.execute(linked).scalar_one(),
                bool(tx.execute(has_pin).scalar_one()),
                self._tries.lock(tx, self._nik_index(nik)),
            )

    def set_pin(self, nik: str, pin: str) -> None:
        """Set a resident's PIN, at the desk: what was locked is unlocked. Raises UnknownResident, WeakPin."""
        with self._store.read() as tx:
            resident = _opened(self._vault, self._row(tx, nik))
        refuse_weak_pin(pin, resident)
        sealed = sealed_pin(self._vault, pin, self._nik_index(nik))
        with self._store.write() as tx:
            tx.execute(update(residents).where(residents.c.id == resident.id).values(pin=sealed))
            self._tries.reset(tx, self._nik_index(nik))
            self._journal.record(Event.PIN_SET, tx=tx, resident=resident.id)

    def unlock(self, nik: str, officer: str | None = None) -> None:
        """The desk lets somebody try again, whether or not the NIK is registered."""
        identity = self._nik_index(nik)
        with self._store.write() as tx:
            self._tries.reset(tx, identity)
            owner = tx.execute(select(residents.c.id).where(residents.c.nik_index == identity)).scalar_one_or_none()
            facts = {"kiosk": self._kiosk_id} | ({} if owner is None else {"resident": owner})
            self._journal.record(Event.UNLOCKED, tx=tx, **facts, **_by(officer))

    # The kiosk.

    def look_up_card(self, uid: bytes) -> bool | UnknownCard | NoPin | Paused:
        """True for a card whose owner can identify with it. An unknown one is counted against this kiosk; while it is
        paused, known and unknown cards look the same."""
        with self._store.write() as tx:
            owner = self._card(tx, uid)
        if isinstance(owner, UnknownCard | Paused):
            return owner
        return NoPin() if owner.pin is None else True

    def identify_by_card(self, uid: bytes, pin: str) -> Identified | WrongPin | LockedOut | UnknownCard | Paused:
        with self._store.write() as tx:
            owner = self._card(tx, uid)
        if isinstance(owner, UnknownCard | Paused):
            return owner
        return self._identify(owner.nik_index, pin, by="card")

    def identify_by_nik(self, nik: str, pin: str) -> Identified | WrongPin | LockedOut | Paused:
        """Beside the tries of each NIK, those of this kiosk are counted: nobody tries one PIN on a list of NIKs."""
        with self._store.write() as tx:
            if paused := timers.running(tx, self._clock, self._nik_pause):
                return Paused(self._in(paused[-1]))
        answer = self._identify(self._nik_index(nik), pin, by="nik")
        if isinstance(answer, WrongPin | LockedOut):
            self._count_wrong_nik()
        return answer

    def _count_wrong_nik(self) -> None:
        with self._store.write() as tx:
            timers.start(tx, self._clock, self._wrong_niks, WRONG_NIKS_WITHIN_S)
            if len(timers.running(tx, self._clock, self._wrong_niks)) >= WRONG_NIKS_BEFORE_PAUSE:
                timers.clear(tx, self._wrong_niks)
                timers.start(tx, self._clock, self._nik_pause, PAUSE_S)
                self._journal.record(Event.NIKS_PAUSED, tx=tx, kiosk=self._kiosk_id, for_s=PAUSE_S)

    def _identify(self, identity: bytes, pin: str, by: str) -> Identified | WrongPin | LockedOut:
        def owner(tx: Connection) -> Row | None:
            return tx.execute(select(residents).where(residents.c.nik_index == identity)).one_or_none()

        def fits(row: Row | None) -> bool:
            return pin_fits(self._vault, None if row is None else row.pin, pin, identity)

        answer = self._tries.prove(identity, owner, fits, by)
        return answer if isinstance(answer, WrongPin | LockedOut) else Identified(_opened(self._vault, answer))

    def _checked(self, resident_fields: Mapping[str, str | date]) -> Resident:
        """Raises InvalidNik, ValueError."""
        if wrong := (FIELDS ^ resident_fields.keys()) - OPTIONAL_FIELDS:
            raise ValueError(f"a field of the resident is missing or unknown: {min(wrong)}")
        known = {name: _clean(value) for name, value in resident_fields.items()}
        resident = Resident(id=0, **{**dict.fromkeys(OPTIONAL_FIELDS, ""), **known})
        validate_nik(resident.nik)
        if resident.family_number and not re.fullmatch(r"[0-9]{16}", resident.family_number):
            raise ValueError("family_number: a family card's number has 16 digits")
        return resident

    def _sealed(self, resident: Resident) -> bytes:
        return self._vault.encrypt(self._plain(resident), _PERSONAL, self._nik_index(resident.nik))

    def _plain(self, resident: Resident) -> str:
        personal = asdict(resident)
        del personal["id"]
        personal["birth_date"] = resident.birth_date.isoformat()
        return json.dumps(personal)

    def _family_index(self, resident: Resident) -> bytes | None:
        return self._vault.index("family number", resident.family_number) if resident.family_number else None

    def _card(self, tx: Connection, uid: bytes) -> Row | UnknownCard | Paused:
        """The row of the card's owner; an unknown card is counted, and enough of them pause the kiosk."""
        if paused := timers.running(tx, self._clock, self._pause):
            return Paused(self._in(paused[-1]))
        owner = self._owner(tx, uid)
        if owner is not None:
            return owner
        timers.start(tx, self._clock, self._unknown_cards, UNKNOWN_CARDS_WITHIN_S)
        self._journal.record(Event.CARD_UNKNOWN, tx=tx, kiosk=self._kiosk_id)
        if len(timers.running(tx, self._clock, self._unknown_cards)) < UNKNOWN_CARDS_BEFORE_PAUSE:
            return UnknownCard()
        timers.clear(tx, self._unknown_cards)
        timers.start(tx, self._clock, self._pause, PAUSE_S)
        self._journal.record(Event.CARDS_PAUSED, tx=tx, kiosk=self._kiosk_id, for_s=PAUSE_S)
        return Paused(self._in(PAUSE_S))

    def _owner(self, tx: Connection, uid: bytes) -> Row | None:
        owners = select(residents).join(cards).where(cards.c.uid_index == self._uid_index(uid))
        return tx.execute(owners).one_or_none()

    def _row(self, tx: Connection, nik: str) -> Row:
        row = tx.execute(select(residents).where(residents.c.nik_index == self._nik_index(nik))).one_or_none()
        if row is None:
            raise UnknownResident("nobody has that NIK")
        return row

    def _in(self, left_s: float) -> datetime:
        return self._clock.now() + timedelta(seconds=left_s)

    def _nik_index(self, nik: str) -> bytes:
        return self._vault.index("nik", nik)

    def _uid_index(self, uid: bytes) -> bytes:
        return self._vault.index("card uid", uid)


def resident_in(tx: Connection, vault: Vault, resident_id: int) -> Resident:
    """A resident within a transaction. Raises UnknownResident."""
    row = tx.execute(select(residents).where(residents.c.id == resident_id)).one_or_none()
    if row is None:
        raise UnknownResident("nobody has that id")
    return _opened(vault, row)


def refuse_weak_pin(pin: str, resident: Resident) -> None:
    """Raises WeakPin for a PIN that somebody who saw the card, or who tries the usual ones, would guess."""
    refuse_usual_pin(pin)
    born = resident.birth_date
    if any(pin in born.strftime(form) for form in ("%d%m%Y", "%Y%m%d", "%m%d%Y", "%d%m%y", "%y%m%d", "%m%d%y")):
        raise WeakPin("birth-date")
    if pin in resident.nik:
        raise WeakPin("part-of-nik")


def _opened(vault: Vault, row: Row) -> Resident:
    personal = json.loads(vault.decrypt(row.personal, _PERSONAL, row.nik_index))
    personal["birth_date"] = date.fromisoformat(personal["birth_date"])
    return Resident(row.id, **personal)


def _by(officer: str | None) -> dict[str, str]:
    """Who did it, for the journal; nothing at the command line."""
    return {} if officer is None else {"officer": officer}


def _clean(value: str | date) -> str | date:
    return clean(value).strip()[:LONGEST_TEXT] if isinstance(value, str) else value
