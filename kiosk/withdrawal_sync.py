"""Gets the other villages' lists of withdrawn letters, on a thread of its own, while the kiosk runs.

A list proves itself by its signature, so it may come over plain HTTP and from anybody; what a network can do is keep it
back, and that shows by its age.
"""

import logging
import random
import threading
import time
from collections.abc import Iterable

from kiosk.deadline import within
from kiosk.store.errors import StoreError
from kiosk.village_file import OtherVillage
from kiosk.withdrawals import LARGEST_BYTES, ListRefused, OtherWithdrawals, WithdrawalList

log = logging.getLogger(__name__)

#: The first visitor after a start comes before the lists.
FIRST_AFTER_S = 15.0
EVERY_S = 3600.0
#: After a failure, doubled with each further one up to EVERY_S.
AGAIN_AFTER_S = 60.0
#: Each pause is longer or shorter by up to this share, so that not all kiosks of a regency ask at once after a power
#: cut.
JITTER = 0.2

#: For a connection or a piece of the answer, and for all of it.
PIECE_WITHIN_S = 5.0
WHOLE_WITHIN_S = 20.0
PIECE_BYTES = 65_536


class NotGot(Exception):
    """No list came; `code` is for the technician."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def fetch(url: str) -> bytes:
    """What is served at `url`, within WHOLE_WITHIN_S. Raises NotGot."""
    try:
        return within(WHOLE_WITHIN_S, lambda: _download(url))
    except TimeoutError as error:
        raise NotGot("WITHDRAWALS-NO-ANSWER", str(error)) from error


def _download(url: str) -> bytes:
    import requests

    session = requests.Session()
    session.trust_env = False  # no proxy and no password file of whoever started the kiosk
    until_s = time.monotonic() + WHOLE_WITHIN_S
    body = bytearray()
    try:
        with session, session.get(url, timeout=PIECE_WITHIN_S, allow_redirects=False, stream=True) as response:
            if response.status_code != 200:
                raise NotGot("WITHDRAWALS-NO-ANSWER", f"the server answers {response.status_code}")
            for piece in response.iter_content(PIECE_BYTES):
                body += piece
                if len(body) > LARGEST_BYTES:
                    raise NotGot("WITHDRAWALS-NO-LIST", "the answer is larger than any list")
                if time.monotonic() > until_s:
                    raise NotGot("WITHDRAWALS-NO-ANSWER", "the answer comes too slowly")
    except requests.exceptions.RequestException as error:
        raise NotGot("WITHDRAWALS-NO-ANSWER", type(error).__name__) from error
    return bytes(body)


class WithdrawalSync:
    """`villages` are those whose lists can be fetched."""

    def __init__(self, withdrawals: OtherWithdrawals, villages: Iterable[OtherVillage]) -> None:
        self._withdrawals = withdrawals
        self._villages = [village for village in villages if village.withdrawals_url]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="withdrawal sync", daemon=True)

    def start(self) -> None:
        if self._villages:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)  # a silent server is waited for somewhat longer, and harms nobody

    def get(self, village: OtherVillage) -> WithdrawalList:
        """Fetch one village's list now and keep it. Raises NotGot and ListRefused, which are written down first, and
        StoreError."""
        try:
            signed = fetch(village.withdrawals_url)
            if self._stopping.is_set():
                raise NotGot("WITHDRAWALS-NO-ANSWER", "the kiosk ends")
            return self._withdrawals.take(signed, of=village.code)
        except (NotGot, ListRefused) as error:
            if not self._stopping.is_set():  # else the database is being closed
                self._withdrawals.not_got(village.code, error.code)
            raise

    def _run(self) -> None:
        due_at_s = {village.code: time.monotonic() + jittered(FIRST_AFTER_S) for village in self._villages}
        failures = dict.fromkeys(due_at_s, 0)
        while True:
            village = min(self._villages, key=lambda village: due_at_s[village.code])
            if self._stopping.wait(max(0.0, due_at_s[village.code] - time.monotonic())):
                return
            failures[village.code] = 0 if self._got(village) else failures[village.code] + 1
            due_at_s[village.code] = time.monotonic() + jittered(pause_s(failures[village.code]))

    def _got(self, village: OtherVillage) -> bool:
        try:
            self.get(village)
        except (NotGot, ListRefused) as error:
            log.info("the withdrawals of %s were not got: %s", village.code, error)
            return False
        except StoreError:
            log.exception("the withdrawals of %s could not be kept", village.code)
            return False
        return True


def pause_s(failures: int) -> float:
    """Until the next try, after so many failures in a row."""
    if failures == 0:
        return EVERY_S
    doublings = min(failures - 1, 16)  # weeks without a network must not make a number that no clock can hold
    return min(EVERY_S, AGAIN_AFTER_S * 2**doublings)


def jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)
