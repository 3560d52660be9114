"""Exceptions in the log, without what a person typed."""

import traceback


def trace_of(error: BaseException) -> str:
    """The kind of the exception and the lines that it passed, but not its message: that may quote a PIN or a name."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"
