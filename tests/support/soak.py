"""Whether what is done thousands of times leaves anything behind: memory, threads, open files."""

import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

#: Before this share of the cycles is done, caches fill and libraries load.
WARM_SHARE = 0.2
SAMPLES = 24


@dataclass(frozen=True)
class Sample:
    done: int
    pss_bytes: int
    threads: int
    handles: int


@dataclass(frozen=True)
class Growth:
    """What a process had when it was warm and in the end, and the slope of its memory between."""

    cycles: int
    took_s: float
    first: Sample
    last: Sample
    bytes_per_cycle: float

    def __str__(self) -> str:
        return (
            f"{self.cycles} cycles in {self.took_s:.0f} s: PSS {self.first.pss_bytes >> 20} → "
            f"{self.last.pss_bytes >> 20} MiB, {self.bytes_per_cycle:+.0f} bytes a cycle; threads "
            f"{self.first.threads} → {self.last.threads}; open files {self.first.handles} → {self.last.handles}"
        )

    def assert_none(self, most_bytes: int) -> None:
        """`most_bytes` is what all cycles together may seem to have grown by: the allocator's own to and fro."""
        assert self.last.threads <= self.first.threads, self
        assert self.last.handles <= self.first.handles, self
        assert self.bytes_per_cycle * self.cycles <= most_bytes, self


def soak(cycle: Callable[[int], object], cycles: int, process: int | str = "self") -> Growth:
    """Do `cycle(number)` so often, and look at what the process has meanwhile."""
    began_s = time.monotonic()
    samples = []
    warm = round(cycles * WARM_SHARE)
    every = max(1, (cycles - warm) // SAMPLES)
    for number in range(cycles):
        cycle(number)
        if number >= warm and (number - warm) % every == 0:
            samples.append(_sample(number, process))
    slope, _ = statistics.linear_regression(
        [sample.done for sample in samples], [sample.pss_bytes for sample in samples]
    )
    growth = Growth(cycles, time.monotonic() - began_s, samples[0], samples[-1], slope)
    print(growth)
    return growth


def _sample(done: int, process: int | str) -> Sample:
    if process == "self":
        gc.collect()
    folder = Path(f"/proc/{process}")
    rollup = folder.joinpath("smaps_rollup").read_text()
    pss_bytes = next(int(line.split()[1]) << 10 for line in rollup.splitlines() if line.startswith("Pss:"))
    return Sample(done, pss_bytes, len(os.listdir(folder / "task")), len(os.listdir(folder / "fd")))


def short_and_long(what: str, *, short: int, long: int, within_s: int) -> Any:
    """The parameter `what`: few of them in every run, and all with `--soak`."""
    marks = (pytest.mark.soak, pytest.mark.timeout(within_s))
    return pytest.mark.parametrize(what, [short, pytest.param(long, marks=marks)])
