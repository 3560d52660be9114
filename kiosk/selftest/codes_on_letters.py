"""Can this kiosk sign the village's codes, and how far does it know what other villages called back?"""

from datetime import datetime, timedelta

from config.settings import Settings
from kiosk.clock import Clock
from kiosk.code_keys import CodeKeys
from kiosk.selftest.registry import Finding, Verdict
from kiosk.store.errors import StoreError
from kiosk.store.store import Store
from kiosk.village_file import load_trusted_villages
from kiosk.withdrawals import OtherWithdrawals, Standing

#: A list that can be fetched is no older than this where all is well: lists come every hour.
FETCHED_WITHIN = timedelta(days=3)


def look_at_village_keys(settings: Settings, store: Store, clock: Clock) -> Finding:
    """Raises StoreError where the database fails."""
    keys = CodeKeys.of(settings, store, clock)
    standing = [key for key in keys.all() if key.revoked_at is None]
    if not standing:
        return Finding("village keys", Verdict.NOT_FITTED, detail="the kiosk's first start makes one")
    try:
        signing, _ = keys.signing()
    except StoreError as error:
        return Finding("village keys", Verdict.FAIL, "VILLAGE-KEY-BROKEN", str(error))
    detail = f"key {signing.kid} signs, {len(standing)} verify"
    if signing.kid != standing[-1].kid:
        return Finding("village keys", Verdict.ATTENTION, "VILLAGE-KEY-ELSEWHERE", detail)
    return Finding("village keys", Verdict.PASS, detail=detail)


def look_at_withdrawals(settings: Settings, store: Store, clock: Clock) -> Finding:
    """The worst of them, and the age of each in the detail. Raises StoreError."""
    villages, broken = load_trusted_villages(settings)
    if broken:
        return Finding("withdrawals", Verdict.FAIL, "TRUSTED-VILLAGE-BROKEN", "; ".join(map(str, broken)))
    withdrawals, now = OtherWithdrawals(store, clock, villages), clock.now()
    standings = [withdrawals.standing(code) for code in villages]
    codes = [code for standing in standings if (code := _trouble(standing, now))]
    detail = ", ".join(_told(standing, now) for standing in standings)
    if codes:
        return Finding("withdrawals", Verdict.ATTENTION, codes[0], detail)
    return Finding("withdrawals", Verdict.PASS, detail=detail)


def _trouble(standing: Standing, now: datetime) -> str:
    """A key that is not known does not mend itself; a network does, so its trouble waits until the list is old."""
    if standing.trouble == "WITHDRAWALS-KEY-UNKNOWN":
        return standing.trouble
    if standing.list is None:
        return standing.trouble or "WITHDRAWALS-MISSING"
    by_network = bool(standing.village.withdrawals_url)
    if now > standing.list.next_at or (by_network and now - standing.list.made_at > FETCHED_WITHIN):
        return standing.trouble or "WITHDRAWALS-OLD"
    return ""


def _told(standing: Standing, now: datetime) -> str:
    if standing.list is None:
        return f"{standing.village.code}: none"
    return f"{standing.village.code}: {(now - standing.list.made_at).days} days old"
