"""A deadline for all of a call together; a library's own time-out begins anew with each byte that arrives."""

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def within(seconds: float, call: Callable[[], Result]) -> Result:
    """What `call` returns or raises. Raises TimeoutError where it takes longer: it then goes on by itself on a thread
    that nothing waits for, and what comes of it is dropped."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="within a deadline", daemon=True)
    thread.start()
    thread.join(seconds)
    # Both lists are only ever appended to, so a late answer changes nothing.
    if results:
        return results[0]
    if errors:
        raise errors[0]
    raise TimeoutError(f"nothing whole within {seconds:.0f} s")
