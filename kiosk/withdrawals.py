"""Which letters a village has called back, told to other villages: a list that it signs, and that they keep.

A list is a COSE_Sign1 like a code (`kiosk/cose.py`, docs/codes.md). It has a version, which grows with its content, and
the time at which it was made, which tells how far it is to be believed: a letter that is not on it was not withdrawn as
of then. A list never gets shorter, so one with a lower version is an old one that somebody shows again.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

import cbor2
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Row, select

from kiosk import cose
from kiosk.clock import Clock
from kiosk.code_keys import CodeKeys
from kiosk.codes import EXPIRES, ISSUED, PRIVATE, WITHDRAWALS, News
from kiosk.journal import Event, Journal
from kiosk.requests import Requests
from kiosk.store.counters import insert
from kiosk.store.schema import withdrawal_lists
from kiosk.store.store import Store
from kiosk.village_file import OtherVillage

#: The largest list that is looked at: some 60 000 withdrawn letters.
LARGEST_BYTES = 1_000_000
#: How old a list may be that is given out again, and by when the village promises a newer one.
GIVEN_OUT_FOR = timedelta(hours=1)
NEXT_WITHIN = timedelta(days=30)

ID_BYTES = 16


class ListRefused(ValueError):
    """A list that is not taken; its text says why, and `code` is for the technician."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class _Words(msgspec.Struct, array_like=True, frozen=True):
    """The private claim, in this order."""

    kind: int
    version: int
    letter_ids: bytes  # 16 bytes each, in order
    revoked: tuple[str, ...]


@dataclass(frozen=True)
class WithdrawalList:
    """`x in list` asks for a letter's id in hex. `revoked` holds the ids of keys that the village does not stand by any
    more; `next_at` is when the village promises a newer list."""

    village_code: str
    kid: str
    version: int
    made_at: datetime
    next_at: datetime
    letter_ids: bytes
    revoked: frozenset[str]

    @property
    def count(self) -> int:
        return len(self.letter_ids) // ID_BYTES

    def __contains__(self, letter_id: object) -> bool:
        wanted = bytes.fromhex(str(letter_id))
        at = bisect_left(range(self.count), wanted, key=self._id)
        return at < self.count and self._id(at) == wanted

    def _id(self, at: int) -> bytes:
        return self.letter_ids[at * ID_BYTES : (at + 1) * ID_BYTES]

    @property
    def content(self) -> tuple[bytes, frozenset[str], str]:
        """What a new version is made for. The key is part of it: after a change of key all is signed with the new."""
        return self.letter_ids, self.revoked, self.kid

    @property
    def order(self) -> tuple[int, int]:
        """A list that is greater replaces one that is less. Whoever stole a key could sign a version that no honest
        list reaches: one signed with a newer key is newer, whatever its version."""
        return int(self.kid), self.version

    def signed(self, private_key: Ed25519PrivateKey) -> bytes:
        claims = {
            ISSUED: int(self.made_at.timestamp()),
            EXPIRES: int(self.next_at.timestamp()),
            PRIVATE: [WITHDRAWALS, self.version, self.letter_ids, sorted(self.revoked)],
        }
        return cose.sign(private_key, self.village_code, self.kid, cbor2.dumps(claims, canonical=True))

    @classmethod
    def read(cls, signed: bytes, public_keys: Mapping[str, Ed25519PublicKey], revoked: frozenset[str]) -> Self:
        """The list, signed with one of these keys that is not among those revoked. Raises ListRefused."""
        if len(signed) > LARGEST_BYTES:
            raise ListRefused("WITHDRAWALS-NO-LIST", "it is larger than any list of withdrawn letters")
        try:
            envelope = cose.Envelope.open(signed)
        except cose.Malformed as error:
            raise ListRefused("WITHDRAWALS-NO-LIST", f"it is no list of withdrawn letters: {error}") from error
        if envelope.kid in revoked or envelope.kid not in public_keys:
            raise ListRefused(
                "WITHDRAWALS-KEY-UNKNOWN",
                f"it is signed with the key {envelope.kid} of {envelope.village_code}, which is not trusted here",
            )
        try:
            envelope.verify(public_keys[envelope.kid])
            return cls._opened(envelope)
        except InvalidSignature as error:
            raise ListRefused("WITHDRAWALS-NO-LIST", "its signature does not hold") from error
        except (cbor2.CBORError, ValueError, LookupError, TypeError, OverflowError, OSError) as error:
            raise ListRefused("WITHDRAWALS-NO-LIST", "the village signed something else") from error

    @classmethod
    def _opened(cls, envelope: cose.Envelope) -> Self:
        claims = cbor2.loads(envelope.body)
        words = msgspec.convert(claims[PRIVATE], _Words)
        if words.kind != WITHDRAWALS or len(words.letter_ids) % ID_BYTES:
            raise ValueError("no list of withdrawn letters")
        return cls(
            envelope.village_code,
            envelope.kid,
            words.version,
            datetime.fromtimestamp(claims[ISSUED], UTC),
            datetime.fromtimestamp(claims[EXPIRES], UTC),
            words.letter_ids,
            frozenset(words.revoked),
        )


class OwnWithdrawals:
    """The list of this village's own letters, as it is given to others. Raises StoreError."""

    def __init__(self, store: Store, clock: Clock, keys: CodeKeys, requests: Requests) -> None:
        self._store, self._clock, self._keys, self._requests = store, clock, keys, requests

    def signed(self) -> bytes:
        """The list as it is now. One that was made within GIVEN_OUT_FOR and says the same is given out again, so that
        whoever asks often costs a read."""
        with self._store.read() as tx:
            row = _row(tx, self._keys.village_code)
        key, private_key = self._keys.signing()
        new, last = self._made(key.kid), self._last(row)
        if last and last.content == new.content and abs(new.made_at - last.made_at) < GIVEN_OUT_FOR:
            return row.signed
        with self._store.write() as tx:  # one after the other, or two lists could get one version
            last = self._last(_row(tx, self._keys.village_code, for_update=True))
            new = self._made(key.kid)
            if last:
                new = replace(new, version=_version_after(last, new))
            signed = new.signed(private_key)
            _keep(tx, new.village_code, signed=signed, trouble="")
        return signed

    def _made(self, kid: str) -> WithdrawalList:
        now = self._clock.now().replace(microsecond=0)
        return WithdrawalList(
            village_code=self._keys.village_code,
            kid=kid,
            version=int(now.timestamp()),
            made_at=now,
            next_at=now + NEXT_WITHIN,
            letter_ids=b"".join(sorted(map(bytes.fromhex, self._requests.withdrawn_letters()))),
            revoked=frozenset(each.kid for each in self._keys.all() if each.revoked_at is not None),
        )

    def _last(self, row: Row | None) -> WithdrawalList | None:
        public_keys = {each.kid: each.public_key for each in self._keys.all()}
        return WithdrawalList.read(row.signed, public_keys, frozenset()) if row else None


def _version_after(last: WithdrawalList, new: WithdrawalList) -> int:
    """The same for the same content. By the clock, so that a database that was restored from a backup does not give out
    a version twice; and by counting, where the clock went back."""
    return last.version if last.content == new.content else max(last.version + 1, new.version)


@dataclass(frozen=True)
class Standing:
    """What is known of another village's withdrawals. `tried_at` is when its list was last fetched or brought, or was
    tried to be. `trouble` is a technician's code, and empty where that succeeded or there was no try."""

    village: OtherVillage
    list: WithdrawalList | None
    tried_at: datetime | None
    trouble: str

    def news(self, now: datetime) -> News:
        return News() if self.list is None else News(self.list.made_at, old=now > self.list.next_at)


class OtherWithdrawals:
    """The newest list of each of `villages`, by code. Kept as it was signed, and checked again whenever it is asked: a
    key that is revoked later takes its lists with it. Methods raise StoreError."""

    def __init__(self, store: Store, clock: Clock, villages: Mapping[str, OtherVillage]) -> None:
        self._store, self._clock, self._villages = store, clock, villages
        self._journal = Journal(store, clock)

    def standing(self, village_code: str) -> Standing:
        """Raises KeyError for a village that is not trusted."""
        village = self._villages[village_code]
        with self._store.read() as tx:
            row = _row(tx, village_code)
        if row is None:
            return Standing(village, None, None, "")
        return Standing(village, _kept(row, village), row.tried_at, row.trouble)

    def take(self, signed: bytes, of: str | None = None) -> WithdrawalList:
        """Keep a list in place of the one that is there, whole or not at all; the list that is there now. Raises
        ListRefused for one that no trusted village signed, or another than `of`, and for one that is older than what is
        there."""
        try:
            village_code = cose.Envelope.open(signed).village_code
        except cose.Malformed as error:
            raise ListRefused("WITHDRAWALS-NO-LIST", f"it is no list of withdrawn letters: {error}") from error
        village = self._villages.get(village_code)
        if village is None or of not in (None, village_code):
            raise ListRefused("WITHDRAWALS-KEY-UNKNOWN", f"it is of {village_code}, which is not trusted for this")
        with self._store.write() as tx:
            row = _row(tx, village_code, for_update=True)
            last = _kept(row, village)
            revoked = village.revoked | (last.revoked if last else frozenset())
            new = WithdrawalList.read(signed, village.public_keys, revoked)
            if last is None or new.order > last.order:
                self._journal.record(Event.WITHDRAWALS_TAKEN, tx=tx, village=village_code, version=new.version)
            elif new.order < last.order:
                raise ListRefused("WITHDRAWALS-OUTDATED", "it is older than the list that is here already")
            elif new.made_at < last.made_at:
                new, signed = last, row.signed
            _keep(tx, village_code, signed=signed, tried_at=self._clock.now(), trouble="")
        return new

    def not_got(self, village_code: str, code: str) -> None:
        """Write down that the list could not be got; what is there stays."""
        with self._store.write() as tx:
            row = _row(tx, village_code, for_update=True)
            if row is None or row.trouble != code:
                self._journal.record(Event.WITHDRAWALS_NOT_GOT, tx=tx, village=village_code, code=code)
            _keep(tx, village_code, tried_at=self._clock.now(), trouble=code)


def _row(tx: Connection, village_code: str, for_update: bool = False) -> Row | None:
    chosen = select(withdrawal_lists).where(withdrawal_lists.c.village_code == village_code)
    return tx.execute(chosen.with_for_update() if for_update else chosen).one_or_none()


def _keep(tx: Connection, village_code: str, **columns: object) -> None:
    new = insert(tx, withdrawal_lists).values(village_code=village_code, **columns)
    tx.execute(new.on_conflict_do_update(index_elements=[withdrawal_lists.c.village_code], set_=columns))


def _kept(row: Row | None, village: OtherVillage) -> WithdrawalList | None:
    """The list in that row, unless a key of it is not trusted any more."""
    if row is None or row.signed is None:
        return None
    try:
        return WithdrawalList.read(row.signed, village.public_keys, village.revoked)
    except ListRefused:
        return None
