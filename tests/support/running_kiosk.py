"""A whole kiosk as a child process, and somebody in front of it: every touch goes through its window."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Self

from config.settings import PROFILES
from hardware.bench.client import BenchClient
from hardware.bench.world import BenchError
from kiosk.demo.village import DEMO_PASSWORD, DEMO_PIN

ROOT = Path(__file__).parents[2]
DEMO_PROFILE = Path(str(PROFILES / "demo.toml"))

STARTED_WITHIN_S = 30.0
ENDED_WITHIN_S = 15.0
#: For what takes a print, a reconnect or a slow machine.
PATIENCE_S = "30"
#: Between two looks at something that nothing announces.
LOOK_EVERY_S = 0.02


def command(*arguments: str | Path, timeout_s: float = 60.0, **options: Any) -> subprocess.CompletedProcess:
    """Run `kiosk …` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "kiosk", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        **options,
    )


def changed_profile(path: Path, *changes: tuple[str, str], profile: Path = DEMO_PROFILE) -> Path:
    """A settings file at `path`: a profile of the product in which each old text is replaced by a new one."""
    text = profile.read_text("utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is not in {profile.name} once"
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return path


class RunningKiosk:
    """`kiosk demo --offscreen` on one state directory, over and over. Everything it says is in `log`."""

    def __init__(
        self,
        state: Path,
        *,
        config: Path | None = None,
        landscape: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.state = state
        self.log_path = state.parent / f"{state.name}.log"
        self.bench = BenchClient(state / "bench.sock")
        self.process: subprocess.Popen | None = None
        self._arguments = ["demo", "--offscreen", "--no-desk", "--state", str(state)]
        self._arguments += ["--config", str(config)] if config else []
        self._arguments += ["--landscape"] if landscape else []
        self._environment = {**os.environ, **(environment or {})}

    # Its life.

    def start(self, serves: str = "start") -> Self:
        """Returns when the screen offers that name."""
        self.launch(*self._arguments)
        self.wait_until(self._listens, "it does not listen at its bench")
        self.see(serves)
        return self

    def launch(self, *arguments: str) -> None:
        """`kiosk …`, with its output in the log; does not outlive this process."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "kiosk", *arguments],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _listens(self) -> bool:
        try:
            return bool(self.bench.call("screen"))
        except BenchError:
            return False

    def wait_until(self, true: Callable[[], object], otherwise: str, timeout_s: float = STARTED_WITHIN_S) -> None:
        """Wait for what is seen from outside without an event, while the kiosk runs."""
        deadline_s = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < deadline_s, f"{otherwise}:\n{self.log}"
            try:
                status = self.process.wait(LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"the kiosk ended with {status}: {otherwise}:\n{self.log}")

    def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As systemd does; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait_for_end()

    def wait_for_end(self) -> int:
        return self.process.wait(ENDED_WITHIN_S)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    @property
    def log(self) -> str:
        return self.log_path.read_text("utf-8")

    # Somebody in front of it.

    def see(self, name: str) -> None:
        self.bench.call("wait-screen", name, PATIENCE_S)

    def touch(self, *names: str) -> None:
        for name in names:
            self.bench.call("touch", name, PATIENCE_S)

    def read(self) -> str:
        """The words on the screen."""
        return "\n".join(self.bench.call("read"))

    def type_pin(self) -> None:
        self.see("key:0")
        self.bench.call("type", DEMO_PIN)

    def do(self, name: str, *arguments: str) -> Any:
        """Something on the bench."""
        return self.bench.call(name, *arguments)

    def papers(self) -> int:
        return self.bench.call("state")["papers"]

    # The officers.

    def office(self, *arguments: str, typed: str = "") -> str:
        """`kiosk office …`; what it printed."""
        done = command("office", "--demo", "--state", self.state, *arguments, input=f"{typed}\n")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sign(self, number: str) -> str:
        """A request that waits for the head alone becomes a letter; its number."""
        self.office("approve", number)
        signed = self.office("sign", number, "--officer", "sudarman", typed=DEMO_PASSWORD)
        return signed.strip().rpartition(" ")[2]

    # What is kept.

    def rows(self, statement: str, *values: Any) -> list[tuple]:
        """From the database as any other program sees it; never written to."""
        with closing(sqlite3.connect(f"file:{self.state / 'kiosk.sqlite'}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(statement, values).fetchall()


@contextmanager
def kiosks() -> Iterator[Callable[..., RunningKiosk]]:
    """Makes kiosks that are not started yet, each in a directory of its own unless `state` is given; none is left."""
    with ExitStack() as stack:

        def make(state: Path | None = None, **options: Any) -> RunningKiosk:
            kiosk = RunningKiosk(state or stack.enter_context(_directory()) / "state", **options)
            stack.callback(kiosk.close)
            return kiosk

        yield make


@contextmanager
def _directory() -> Iterator[Path]:
    """pytest's own directories can be too long for a socket in them."""
    path = Path(tempfile.mkdtemp(prefix="kiosk-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)
