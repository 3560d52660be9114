"""The report: the same lines on a terminal and on paper."""

from zoneinfo import ZoneInfo

from kiosk.check_results import CheckResult
from kiosk.selftest.registry import CHECKS, TROUBLE, Finding


def lines_of(findings: list[Finding]) -> list[str]:
    """One line for each, and what to do about it in Indonesian and English where something is to be done."""
    lines = []
    for finding in findings:
        parts = (f"{finding.check}: {finding.verdict}", finding.code, finding.detail)
        lines.append(" · ".join(part for part in parts if part))
        if finding.verdict in TROUBLE:
            lines += [f"    {finding.advice('id')}", f"    {finding.advice('en')}"]
    return lines


def active_lines(last: dict[str, CheckResult], timezone: str) -> list[str]:
    """The same for the active checks: how each came out last, and when, in the village's own time."""
    lines = []
    for check in CHECKS.values():
        if not check.active:
            continue
        if check.name not in last:
            lines.append(f"{check.name}: never tested")
            continue
        result = last[check.name]
        first, *rest = lines_of([result.finding])
        lines += [f"{first} · {result.at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H.%M}", *rest]
    return lines
