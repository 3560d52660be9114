"""The registry of checks. A passive one looks at a part and answers at once; an active one needs the technician, and
what it does is a flow (`kiosk/flows/technician.py`).

A check answers with a `Finding`. What to do about its code is in the catalogue (`advice_<code>`), in Indonesian and
English; what it means is in `codes.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from config.settings import Settings
from config.translations import messages, say
from hardware.device import Device


class Verdict(StrEnum):
    PASS = "pass"
    ATTENTION = "attention"  # serves, and somebody should look
    FAIL = "fail"
    NOT_FITTED = "not fitted"  # the settings name no such part


#: Verdicts that somebody must do something about.
TROUBLE = (Verdict.FAIL, Verdict.ATTENTION)


def part_name(check: str, language: str) -> str:
    """What a check is about, as a technician calls it."""
    return say(language, f"part_{check.replace(' ', '_')}")


def verdict_name(verdict: Verdict, language: str) -> str:
    return say(language, f"verdict_{verdict.name.lower()}")


def advice(language: str, code: str) -> str:
    """What to do about a code."""
    key = "advice_" + code.lower().replace("-", "_")
    return say(language, key if key in messages() else "advice_other", code=code)


@dataclass(frozen=True)
class Finding:
    """How a check came out. Neither `code` nor `detail` ever holds personal data."""

    check: str
    verdict: Verdict
    code: str = ""
    detail: str = ""

    def advice(self, language: str) -> str:
        return advice(language, self.code)


@dataclass(frozen=True)
class Bench:
    """What the checks look at. Devices run while the test does; where another process holds them they are not there.

    path: the settings' file, where there is one.
    check_drivers: says what is wrong with the drivers that the settings name, one text for each.
    """

    settings: Settings
    path: Path | None = None
    check_drivers: Callable[[Settings, Path], list[str]] = lambda settings, path: []
    devices: Mapping[str, Device] = field(default_factory=dict)

    def device(self, kind: str, check: str) -> Device | Finding:
        """The device, or how a check ends that needs it and cannot have it."""
        if getattr(self.settings, kind) is None:
            return Finding(check, Verdict.NOT_FITTED)
        if kind not in self.devices:
            return Finding(check, Verdict.FAIL, "KIOSK-RUNNING", "the running kiosk holds it")
        return self.devices[kind]


Look = Callable[[Bench], Finding]


@dataclass(frozen=True)
class Check:
    """`look` is None for an active one, which `needs` these tables of the settings."""

    name: str
    look: Look | None = None
    needs: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        return self.look is None


CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Look], Look]:
    """Register a passive check under the name that the report shows."""

    def register(look: Look) -> Look:
        CHECKS[name] = Check(name, look)
        return look

    return register


def active_check(name: str, *needs: str) -> str:
    """Register an active one; its name."""
    CHECKS[name] = Check(name, needs=needs)
    return name


TOUCH = active_check("touch")
COLOURS = active_check("colours")
CARD = active_check("card", "card_reader")
PRINT_AND_SCAN = active_check("print and scan", "printer", "code_scanner")
PRINT_QUALITY = active_check("print quality", "printer")
CUTTER = active_check("cutter", "printer")
SOUND = active_check("sound", "speaker")


def fitted(check: Check, bench: Bench) -> bool:
    """Whether this hall has what an active check needs."""
    if any(getattr(bench.settings, kind) is None for kind in check.needs):
        return False
    printer: Any = bench.devices.get("printer")
    return check.name != CUTTER or printer is None or printer.profile.has_cutter
