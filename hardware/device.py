"""What every device has: a status from a closed set and one supervised thread.

A driver implements `_open`, `_serve` and `_close`. The supervisor in this file opens lazily, reopens with a growing
pause, survives any exception, and reports only edges: a status is announced when it differs from the last one.
"""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

log = logging.getLogger(__name__)

REOPEN_FIRST_S = 0.25
REOPEN_LONGEST_S = 5.0


class DeviceState(StrEnum):
    """Every state a device can be in; there is no other."""

    ABSENT = "absent"  # not plugged in, or its service is not there
    STARTING = "starting"  # being opened for the first time
    READY = "ready"
    BUSY = "busy"
    ATTENTION = "attention"  # serves, but somebody should look (paper near its end)
    FAULT = "fault"  # there, and cannot serve (cover open, permission denied)
    UNKNOWN = "unknown"  # does not answer, and nothing tells why


#: States in which the kiosk may offer what needs the device.
SERVING = frozenset({DeviceState.READY, DeviceState.BUSY, DeviceState.ATTENTION})


@dataclass(frozen=True)
class Status:
    """How a device is. `code` is for the technician (`PRINTER-PAPER-OUT`), `detail` for the log; neither ever
    holds personal data. `since_s` is on the monotonic clock."""

    state: DeviceState
    code: str = ""
    detail: str = ""
    since_s: float = field(default_factory=time.monotonic, compare=False)

    @property
    def serving(self) -> bool:
        return self.state in SERVING


@dataclass(frozen=True)
class StatusChanged:
    """A device went from one status to another."""

    kind: str
    device: str
    status: Status


class DeviceError(Exception):
    """A driver's clear answer to a fault: it carries the status that the device now has."""

    def __init__(self, state: DeviceState, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.status = Status(state, code, detail)


#: Where a device puts what happened; called from the device's own thread, so it must only enqueue.
Sink = Callable[[Any], None]


class Device(ABC):
    """A supervised device.

    A driver's class has `Options`, a `msgspec.Struct` (frozen, forbid_unknown_fields) that its table in the
    configuration is checked against, and is built as `Driver(name, options)` (a printer: `Driver(name, profile,
    options)`) by `hardware.drivers.load`.

    `start(sink)` begins, `stop()` ends within its time-out. Between the two the device's thread posts
    `StatusChanged` and the kind's own events to `sink`.
    """

    kind: ClassVar[str]
    #: True for a device of the bench: the production profile refuses it.
    virtual: ClassVar[bool] = False
    Options: ClassVar[type]

    def __init__(self, name: str) -> None:
        self.name = name
        self._status = Status(DeviceState.STARTING)
        self._status_changed = threading.Condition()
        self._announced = False  # whether the driver has set a status since it began to open
        self._sink: Sink = lambda event: None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> Status:
        return self._status

    def start(self, sink: Sink) -> None:
        if self._thread is not None:
            raise RuntimeError(f"{self.name} was started already")
        self._sink = sink
        self._stopping.clear()
        self._thread = threading.Thread(target=self._supervise, name=f"{self.kind}:{self.name}", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        self._stopping.set()
        self._interrupt()
        if self._thread is not None:
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                log.error("%s %s did not stop within %.1f s", self.kind, self.name, timeout_s)
                return  # it may not be started again beside itself
            self._thread = None

    def wait_for_status(self, accepts: Callable[[Status], bool], timeout_s: float) -> Status:
        """The first status that `accepts` likes, or the one at the time-out."""
        with self._status_changed:
            self._status_changed.wait_for(lambda: accepts(self._status), timeout_s)
            return self._status

    # What a driver MUST do.

    @abstractmethod
    def _open(self) -> None:
        """Open the device or raise `DeviceError`. The status becomes READY unless the driver set another."""

    @abstractmethod
    def _serve(self) -> None:
        """Work until `self._stopping` is set, or raise `DeviceError` when the device is gone."""

    @abstractmethod
    def _close(self) -> None:
        """Release everything; called after every `_open`, also after a failed one. Must not raise for a device
        that is gone."""

    # What a driver MAY do.

    def _interrupt(self) -> None:
        """Wake `_serve` out of a blocking call, so that `stop` is prompt."""

    # For drivers.

    def _post(self, event: Any) -> None:
        try:
            self._sink(event)
        except Exception:  # the listener's mistake must not end the device
            log.exception("%s %s: what it told was not taken", self.kind, self.name)

    def _set_status(self, state: DeviceState, code: str = "", detail: str = "") -> None:
        self._announce(Status(state, code, detail))

    def _announce(self, status: Status) -> None:
        self._announced = True
        with self._status_changed:
            if status == self._status:
                return
            before, self._status = self._status, status
            self._status_changed.notify_all()
        if before.serving != status.serving:
            log.log(
                logging.INFO if status.serving else logging.WARNING,
                "%s %s: %s %s %s",
                self.kind,
                self.name,
                status.state,
                status.code,
                status.detail,
            )
        self._post(StatusChanged(self.kind, self.name, status))

    def _supervise(self) -> None:
        pause_s = REOPEN_FIRST_S
        while not self._stopping.is_set():
            opened_at_s = time.monotonic()
            try:
                self._announced = False
                self._open()
                if not self._announced or self._status.state is DeviceState.STARTING:
                    self._set_status(DeviceState.READY)
                self._serve()
            except DeviceError as error:
                self._announce(error.status)
            except Exception as error:  # a driver's own mistake must not end the thread
                log.exception("%s %s: unexpected error in its driver", self.kind, self.name)
                self._set_status(
                    DeviceState.FAULT, f"{self.kind.upper().replace('_', '-')}-DRIVER", type(error).__name__
                )
            finally:
                try:
                    self._close()
                except Exception:
                    log.exception("%s %s: could not be closed cleanly", self.kind, self.name)
            if time.monotonic() - opened_at_s > REOPEN_LONGEST_S:
                pause_s = REOPEN_FIRST_S
            self._stopping.wait(pause_s)
            pause_s = min(pause_s * 2, REOPEN_LONGEST_S)
