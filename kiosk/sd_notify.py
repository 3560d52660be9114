"""Tells systemd how the kiosk is, by datagrams to the socket that it names (sd_notify(3)).

On a laptop and in tests no socket is named, and nothing is sent.
"""

import logging
import os
import socket
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


def notify(state: str) -> bool:
    """Send `state` ("READY=1", "STOPPING=1", "STATUS=…"; several lines may be joined by newlines). Never blocks.

    True when it was sent. A service manager that does not listen is logged, not raised: the kiosk serves without it.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):  # Linux's abstract namespace
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as messages:
            messages.sendto(state.encode(), socket.MSG_DONTWAIT, address)
    except OSError as error:
        log.warning("the service manager could not be told %s: %s", state.partition("=")[0], error)
        return False
    return True


def heartbeat_s() -> float | None:
    """How often a sign of life is due: a third of WatchdogSec=, so that one may be late. None without a watchdog."""
    # sd_watchdog_enabled(3): the variables are inherited, so a child must not take the watchdog for its own.
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    watchdog_us = os.environ.get("WATCHDOG_USEC")
    return int(watchdog_us) / 3_000_000 if watchdog_us else None


def watchdog_pulse() -> Callable[[], None] | None:
    """What to call after every drawn frame; it passes on only as many calls as the watchdog needs. None without one."""
    period_s = heartbeat_s()
    if period_s is None:
        return None
    told_at_s = float("-inf")

    def pulse() -> None:
        nonlocal told_at_s
        now_s = time.monotonic()
        if now_s - told_at_s >= period_s / 2 and notify("WATCHDOG=1"):
            told_at_s = now_s

    return pulse
