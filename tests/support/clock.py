"""A clock that a test sets."""

from datetime import UTC, datetime, timedelta

from kiosk.clock import Clock


class FakeClock(Clock):
    """`pass_s` lets time go by; `set` changes the wall clock alone, as a person or a time server does; `reboot` starts
    the machine anew."""

    def __init__(self, now: datetime = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)) -> None:
        self._now, self._monotonic_s, self._boots = now, 1000.0, 1
        self.kept = True

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def boot_id(self) -> str:
        return f"boot-{self._boots}"

    def synchronised(self) -> bool:
        return self.kept

    def pass_s(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def set(self, now: datetime) -> None:
        self._now = now

    def reboot(self) -> None:
        self._boots += 1
        self._monotonic_s = 10.0
