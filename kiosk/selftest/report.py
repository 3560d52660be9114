"""The report: on a terminal in the program's own names, on paper in the words of the technician's screen."""

from zoneinfo import ZoneInfo

from config.translations import say
from kiosk.check_results import CheckResult
from kiosk.selftest.registry import CHECKS, TROUBLE, Finding, part_name, verdict_name


def lines_of(findings: list[Finding], language: str = "") -> list[str]:
    """One line for each, and what to do about it where something is to be done: in `language`, or for a terminal in
    Indonesian and English."""
    lines = []
    for finding in findings:
        name, verdict = finding.check, finding.verdict
        if language:
            name, verdict = part_name(name, language), verdict_name(verdict, language)
        parts = (f"{name}: {verdict}", finding.code, finding.detail)
        lines.append(" · ".join(part for part in parts if part))
        if finding.verdict in TROUBLE:
            lines += [f"    {finding.advice(each)}" for each in ([language] if language else ["id", "en"])]
    return lines


def active_lines(last: dict[str, CheckResult], timezone: str, language: str = "") -> list[str]:
    """The same for the active checks: how each came out last, and when, in the village's own time."""
    lines = []
    for check in CHECKS.values():
        if not check.active:
            continue
        if check.name not in last:
            name, never = check.name, "never tested"
            if language:
                name, never = part_name(name, language), say(language, "never_tested")
            lines.append(f"{name}: {never}")
            continue
        result = last[check.name]
        first, *rest = lines_of([result.finding], language)
        lines += [f"{first} · {result.at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H.%M}", *rest]
    return lines
