"""A port for a test's own server."""

import socket


def free_port() -> int:
    """One of 127.0.0.1 that nobody listens at now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
