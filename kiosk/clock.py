"""The time, and whether it may be believed.

A Raspberry Pi has no clock that runs without power, so the wall clock may jump either way: deadlines are kept on the
monotonic clock, and what outlives a restart is kept as `kiosk/store/timers.py` does.
"""

import ctypes
import time
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

#: What adjtimex answers when nothing keeps the clock in step (linux/timex.h).
TIME_ERROR = 5
#: There once timesyncd has set the clock since the machine started.
TIMESYNCD_MARK = Path("/run/systemd/timesync/synchronized")
#: struct timex is 208 bytes on 64-bit Linux and shorter elsewhere; zeros ask and set nothing.
TIMEX_BYTES = 256


class Clock:
    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds since the machine started: never goes back, and is the same for all processes until `boot_id`
        changes."""
        return time.monotonic()

    def boot_id(self) -> str:
        """Another text after each start of the machine."""
        return _boot_id()

    def local_date(self, timezone: str) -> date:
        """Today in an IANA time zone ("Asia/Jakarta"). Raises zoneinfo.ZoneInfoNotFoundError for an unknown one."""
        return self.now().astimezone(ZoneInfo(timezone)).date()

    def synchronised(self) -> bool:
        """Whether a time server keeps the wall clock. Needs no privilege. Where the unit's sandbox forbids to ask the
        kernel (ProtectClock=), systemd-timesyncd's mark says it (systemd-timesyncd.service(8))."""
        answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
        return TIMESYNCD_MARK.exists() if answer == -1 else answer != TIME_ERROR


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
