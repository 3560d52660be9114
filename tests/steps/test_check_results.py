"""The records of the self-test: an abandoned check is a failed one, and the newest is the one that began last."""

import subprocess
import sys
from datetime import timedelta

import pytest
from support.clock import FakeClock

from kiosk.check_results import ABANDONED, CheckResults, UnknownResult
from kiosk.journal import Event, Journal
from kiosk.selftest.registry import Finding, Verdict
from kiosk.store.store import Store

pytest_plugins = ["support.databases"]

PASSED = Finding("touch", Verdict.PASS, detail="all of it")
FAILED = Finding("touch", Verdict.FAIL, "TOUCH-NOT-EVERYWHERE")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def results(store: Store, clock: FakeClock) -> CheckResults:
    return CheckResults(store, clock)


def journalled(store: Store) -> list[tuple[str, dict]]:
    return [(entry.event.id, entry.facts) for entry in Journal(store, FakeClock()).entries()]


def test_a_check_has_failed_until_it_ends(results, store):
    id = results.begin("touch")
    assert results.last()["touch"].finding == Finding("touch", Verdict.FAIL, ABANDONED)
    results.end(id, PASSED)
    assert results.last()["touch"].finding == PASSED
    assert journalled(store) == [
        (Event.CHECK_BEGAN.id, {"check": "touch"}),
        (Event.CHECK_ENDED.id, {"check": "touch", "verdict": "pass", "code": ""}),
    ]


def test_a_check_that_was_cut_short_replaces_an_earlier_success(results):
    results.end(results.begin("touch"), PASSED)
    results.begin("touch")
    assert results.last()["touch"].finding.code == ABANDONED


def test_the_newest_is_told_by_its_number_and_not_by_a_clock_that_was_set_back(results, clock):
    results.end(results.begin("touch"), PASSED)
    clock.set(clock.now() - timedelta(days=400))
    results.end(results.begin("touch"), FAILED)
    assert results.last()["touch"].finding == FAILED
    assert results.last()["touch"].at == clock.now()


def test_one_that_began_earlier_and_ends_later_is_not_the_newest(results):
    first, second = results.begin("touch"), results.begin("touch")
    results.end(second, FAILED)
    results.end(first, PASSED)
    assert results.last()["touch"].finding == FAILED
    assert results.get(first).finding == PASSED


def test_each_check_has_its_own_last(results):
    results.end(results.begin("touch"), PASSED)
    id = results.begin("card", detail="for a while")
    assert {name: result.finding.verdict for name, result in results.last().items()} == {
        "touch": Verdict.PASS,
        "card": Verdict.FAIL,
    }
    assert results.get(id).finding.detail == "for a while"


def test_nothing_has_been_tested(results):
    assert results.last() == {}


@pytest.mark.parametrize("use", [lambda results: results.get(7), lambda results: results.end(7, PASSED)])
def test_a_result_that_there_is_not(results, use):
    with pytest.raises(UnknownResult):
        use(results)


def test_a_passive_check_is_kept_when_it_changes_and_not_when_only_its_detail_does(results, store):
    hot = Finding("temperature", Verdict.ATTENTION, "MACHINE-HOT", "81 °C")
    for finding in (hot, Finding("temperature", Verdict.ATTENTION, "MACHINE-HOT", "82 °C"), hot):
        results.record(finding)
    results.record(Finding("temperature", Verdict.PASS, detail="60 °C"))
    results.record(hot)
    assert [facts["verdict"] for _, facts in journalled(store)] == ["attention", "pass", "attention"]
    assert results.last()["temperature"].finding == hot


def test_a_process_that_is_killed_leaves_a_failed_check(sqlite_url):
    """What is begun is on the disk when `begin` returns."""
    code = (
        "import os, signal; from kiosk.store.store import Store; from kiosk.store.vault import Vault;"
        "from kiosk.check_results import CheckResults; from kiosk.clock import Clock;"
        f"results = CheckResults(Store.open({sqlite_url!r}, Vault(bytes(range(32)))), Clock());"
        "results.begin('touch'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    from kiosk.store.vault import Vault

    store = Store.open(sqlite_url, Vault(bytes(range(32))))
    assert CheckResults(store, FakeClock()).last()["touch"].finding == Finding("touch", Verdict.FAIL, ABANDONED)
    store.close()
