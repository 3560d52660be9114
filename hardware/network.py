"""Connections to hosts by name, all of it within a deadline.

`getaddrinfo` has none: it waits half a minute for a name server that is away, and cannot be woken. So a name is looked
up in a thread, one for each name however often it is asked for; an address needs no look-up.
"""

import errno
import os
import socket
import threading
import time
from concurrent.futures import Future

_Addresses = list[tuple[str, int]]

_lookups: dict[tuple[str, int], Future[_Addresses]] = {}
_lock = threading.Lock()


def connect(host: str, port: int, within_s: float) -> socket.socket:
    """A TCP connection to the first of the host's addresses that takes one. Raises OSError, whose `strerror` says why;
    ETIMEDOUT also where the name was not found in time."""
    until_s = time.monotonic() + within_s
    failure = TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    for address in resolve(host, port, within_s):
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            break
        try:
            return socket.create_connection(address, left_s)
        except TimeoutError:
            break  # its own text is not the system's
        except OSError as error:
            failure = error
    raise failure


def resolve(host: str, port: int, within_s: float) -> _Addresses:
    """The addresses of a host, each with the port. Raises OSError."""
    try:
        return _look_up(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass  # it is a name
    try:
        return _lookup(host, port).result(within_s)
    except TimeoutError as late:
        raise TimeoutError(errno.ETIMEDOUT, f"no name server told the address of {host}") from late


def _lookup(host: str, port: int) -> Future[_Addresses]:
    """The look-up of that name that is under way, or a new one."""
    key = host, port
    with _lock:
        if key not in _lookups:
            _lookups[key] = Future()
            threading.Thread(target=_finish, args=(*key, _lookups[key]), name=f"name:{host}", daemon=True).start()
        return _lookups[key]


def _finish(host: str, port: int, lookup: Future[_Addresses]) -> None:
    try:
        addresses = _look_up(host, port)
    except OSError as error:
        lookup.set_exception(error)
    else:
        lookup.set_result(addresses)
    finally:
        with _lock:
            del _lookups[host, port]


def _look_up(host: str, port: int, flags: int = 0) -> _Addresses:
    try:
        return [found[4][:2] for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)]
    except UnicodeError as error:  # what IDNA refuses
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is no name of a host") from error
