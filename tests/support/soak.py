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
    """`own_bytes` is anonymous memory: that of libraries depends on who else on the machine uses them."""

    done: int
    own_bytes: int
    threads: int
    handles: int


@dataclass(frozen=True)
class Growth:
    """What a process had from when it was warm to the end."""

    cycles: int
    took_s: float
    samples: tuple[Sample, ...]

    @property
    def bytes_per_cycle(self) -> float:
        """The slope of its memory."""
        done, own_bytes = zip(*((sample.done, sample.own_bytes) for sample in self.samples), strict=True)
        return statistics.linear_regression(done, own_bytes).slope

    def __str__(self) -> str:
        first, last = self.samples[0], self.samples[-1]
        return (
            f"{self.cycles} cycles in {self.took_s:.0f} s: {first.own_bytes >> 20} → {last.own_bytes >> 20} MiB, "
            f"{self.bytes_per_cycle:+.0f} bytes a cycle; threads {first.threads} → {last.threads}; "
            f"open files {first.handles} → {last.handles}"
        )

    def assert_none(self, most_bytes: int) -> None:
        """`most_bytes` is what the memory may seem to have grown by: the allocator's own to and fro. A thread or file
        that is just coming or going is none that is left behind: those are there in every later sample."""
        early, late = self.samples[: len(self.samples) // 2], self.samples[len(self.samples) // 2 :]
        for what in ("threads", "handles"):
            before, after = (max(getattr(one, what) for one in early), min(getattr(one, what) for one in late))
            assert after <= before, f"{what}: {self}"
        assert self.bytes_per_cycle * (self.samples[-1].done - self.samples[0].done) <= most_bytes, self


def soak(cycle: Callable[[int], object], cycles: int, process: int | str = "self", warm: int = 0) -> Growth:
    """Do `cycle(number)` so often, and look at what the process has once at least `warm` of them are done."""
    began_s = time.monotonic()
    samples = []
    warm = max(warm, round(cycles * WARM_SHARE))
    every = max(1, (cycles - warm) // SAMPLES)
    for number in range(cycles):
        cycle(number)
        if number >= warm and (number - warm) % every == 0:
            samples.append(_sample(number, process))
    growth = Growth(cycles, time.monotonic() - began_s, tuple(samples))
    print(growth)
    return growth


def _sample(done: int, process: int | str) -> Sample:
    if process == "self":
        gc.collect()
    folder = Path(f"/proc/{process}")
    rollup = folder.joinpath("smaps_rollup").read_text()
    own_bytes = next(int(line.split()[1]) << 10 for line in rollup.splitlines() if line.startswith("Anonymous:"))
    return Sample(done, own_bytes, len(os.listdir(folder / "task")), len(os.listdir(folder / "fd")))


def short_and_long(what: str, *, short: int, long: int, within_s: int) -> Any:
    """The parameter `what`: few of them in every run, and all with `--soak`."""
    marks = (pytest.mark.soak, pytest.mark.timeout(within_s))
    return pytest.mark.parametrize(what, [short, pytest.param(long, marks=marks)])
