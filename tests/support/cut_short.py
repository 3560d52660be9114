"""A process that is killed between any two of its steps, as a power cut does.

A step is each statement and commit that SQLAlchemy sends, each program that is started, and what Python's audit hooks
see of files below a directory: opened, renamed, removed. The work runs in a forked child, which sends itself SIGKILL
before the step asked for.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, event

OF_FILES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.chown", "sqlite3.connect")
NEVER = sys.maxsize


def cut_short(work: Callable[[], object], below: Path, before_step: int = NEVER) -> bool:
    """Whether the work was killed; False where it ended before it came to that step, counted from 0. Raises
    AssertionError where it failed by itself."""
    child = os.fork()
    if child == 0:
        _work_until(work, str(below), before_step)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the work failed; it is told on standard error"
    return False


def _work_until(work: Callable[[], object], below: str, before_step: int) -> None:
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        if steps == before_step:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    def audit(name: str, arguments: tuple) -> None:
        if name == "subprocess.Popen" or name in OF_FILES and any(below in str(each) for each in arguments):
            step()

    try:
        sys.addaudithook(audit)
        for moment in ("before_cursor_execute", "commit"):
            event.listen(Engine, moment, step)
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
