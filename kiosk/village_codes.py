"""The codes of this village and of those that it trusts: what signs them, what tells them, and what is known of those
that were called back."""

import logging
from dataclasses import dataclass
from typing import Self

from config.settings import Settings
from kiosk.clock import Clock
from kiosk.code_keys import CodeKeys, CodeSigner
from kiosk.codes import Issuer, Verdict, Verifier
from kiosk.requests import Requests
from kiosk.store.store import Store
from kiosk.village_file import OtherVillage, load_trusted_villages
from kiosk.withdrawal_sync import WithdrawalSync
from kiosk.withdrawals import OtherWithdrawals, OwnWithdrawals

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VillageCodes:
    """`trusted` are the other villages, by code. Methods raise StoreError."""

    keys: CodeKeys
    signer: CodeSigner
    trusted: dict[str, OtherVillage]
    own_withdrawals: OwnWithdrawals
    other_withdrawals: OtherWithdrawals
    sync: WithdrawalSync
    _settings: Settings
    _clock: Clock
    _requests: Requests

    @classmethod
    def open(cls, settings: Settings, store: Store, clock: Clock, requests: Requests) -> Self:
        """A village's file that cannot be used is logged, and its letters are not told. Raises StoreError where there
        is no key to sign with."""
        keys = CodeKeys.of(settings, store, clock)
        keys.prepare()
        trusted, broken = load_trusted_villages(settings)
        for error in broken:
            log.error("%s", error)
        others = OtherWithdrawals(store, clock, trusted)
        return cls(
            keys,
            CodeSigner(keys, settings.village.check_url),
            trusted,
            OwnWithdrawals(store, clock, keys, requests),
            others,
            WithdrawalSync(others, trusted.values()),
            settings,
            clock,
            requests,
        )

    @property
    def verifier(self) -> Verifier:
        prefixes = {self._settings.village.check_url, *(village.prefix for village in self.trusted.values())}
        return Verifier(prefixes, self.issuer)

    def check(self, payload: bytes) -> Verdict:
        """What a scanned code is, told without a network. Raises nothing else for what `payload` holds."""
        return self.verifier.verify(payload, self._clock.local_date(self._settings.village.timezone))

    def issuer(self, village_code: str) -> Issuer | None:
        """A village as it is known now; None for a stranger."""
        if village_code == self._settings.village.code:
            return self._own()
        village = self.trusted.get(village_code)
        if village is None:
            return None
        standing = self.other_withdrawals.standing(village_code)
        withdrawals = standing.list
        return Issuer(
            village.name,
            village.public_keys,
            village.revoked | (withdrawals.revoked if withdrawals else frozenset()),
            withdrawals if withdrawals else frozenset(),
            standing.news(self._clock.now()),
        )

    def _own(self) -> Issuer:
        keys = self.keys.all()
        return Issuer(
            self._settings.village.name,
            {key.kid: key.public_key for key in keys},
            frozenset(key.kid for key in keys if key.revoked_at is not None),
            _WithdrawnLetters(self._requests),
        )


class _WithdrawnLetters:
    """The village's own withdrawn letters as they are when a code is checked."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def __contains__(self, letter_id: object) -> bool:
        return letter_id in self._requests.withdrawn_letters()
