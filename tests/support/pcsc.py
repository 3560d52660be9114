"""A private pcscd with a virtual reader, and cards to lay on it, good and bad.

pcscd is given its socket as systemd would (LISTEN_FDS), in a directory of its own, so that it meets neither the
machine's pcscd nor one of a test run beside it; a client finds it by PCSCLITE_CSOCK_NAME. Where namespaces are allowed
it has a /run of its own for its pid file. The reader is vsmartcard's vpcd on a free port: the card is its TCP client.

pcscd polls vpcd every 400 ms: nothing about a card coming or going is faster. For thousands of cards `hurried` shortens
that pause of an otherwise untouched pcscd.
"""

import atexit
import contextlib
import functools
import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

VPCD_DRIVERS = ("/usr/lib/pcsc/drivers/serial/libifdvpcd.so", "/usr/local/lib/pcsc/drivers/serial/libifdvpcd.so")
START_S = 10.0
READER_NAME = "Virtual PICC"

EKTP_TYPE_A_ATR = bytes.fromhex("3B8B8001654B5450304432654B54504C")
EKTP_TYPE_B_ATR = bytes.fromhex("3B8C8001501122334430AAAA017781D709")
SIM_ATR = bytes.fromhex("3B888001310109000000000030")
UNKNOWN_ATR = bytes.fromhex("3B80800101")

#: What a card sends for an APDU, given the honest answer; None for nothing at all, Gone for leaving meanwhile.
Behaviour = Callable[[bytes, bytes], bytes | None]


class Gone(Exception):
    """Raised by a behaviour: the card leaves the field in the middle of this APDU."""


def honest(_apdu: bytes, answer: bytes) -> bytes:
    return answer


def mute(_apdu: bytes, _answer: bytes) -> None:
    return None


def torn(_apdu: bytes, answer: bytes) -> bytes:
    """The beginning of the answer, without the status word."""
    return answer[:1]


def short(_apdu: bytes, answer: bytes) -> bytes:
    """A torn answer that looks whole: too few bytes, and 9000."""
    return answer[:3] + b"\x90\x00"


def garbage(_apdu: bytes, _answer: bytes) -> bytes:
    return bytes.fromhex("DEADBEEF")


def refusing(_apdu: bytes, _answer: bytes) -> bytes:
    return b"\x6a\x82"


def leaving(_apdu: bytes, _answer: bytes) -> bytes:
    raise Gone


def wrong_le(apdu: bytes, answer: bytes) -> bytes:
    """6Cxx until it is asked for the exact length."""
    length = len(answer) - 2
    return answer if length <= 0 or apdu[-1] == length else bytes([0x6C, length])


def chained() -> Behaviour:
    """61xx, three bytes at a time."""
    rest = b""

    def behave(apdu: bytes, answer: bytes) -> bytes:
        nonlocal rest
        if apdu[1] != 0xC0:
            if not answer.endswith(b"\x90\x00"):
                return answer
            rest = answer[:-2]
        piece, rest = rest[:3], rest[3:]
        return piece + (bytes([0x61, len(rest)]) if rest else b"\x90\x00")

    return behave


def first(times: int, bad: Behaviour, then: Behaviour = honest) -> Behaviour:
    """`bad` for so many APDUs, then `then`."""
    left = times

    def behave(apdu: bytes, answer: bytes) -> bytes | None:
        nonlocal left
        left -= 1
        return bad(apdu, answer) if left >= 0 else then(apdu, answer)

    return behave


@dataclass(frozen=True)
class CardImage:
    """What lies on the reader. `number` is the 8-byte number behind SELECT 7F0A, where the card tells one, by the
    instruction `number_ins` (DD or DF)."""

    atr: bytes
    uid: bytes
    number: bytes | None = None
    number_ins: int = 0xDD
    behave: Behaviour = honest

    def answer(self, apdu: bytes) -> bytes | None:
        return self.behave(apdu, self._honest(apdu))

    def _honest(self, apdu: bytes) -> bytes:
        if apdu[:2] == b"\xff\xca":
            return self.uid + b"\x90\x00"
        if self.number is not None and apdu == bytes.fromhex("00A40000027F0A"):
            return b"\x90\x00"
        if self.number is not None and apdu[:2] == bytes([0x00, self.number_ins]):
            return self.number + b"\x90\x00"
        return b"\x6d\x00"


class VirtualCard:
    """The one place on the reader: at most one card lies there."""

    POWER_OFF, POWER_ON, RESET, ATR = 0, 1, 2, 4

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        #: Set when a card got its first APDU after `insert`.
        self.asked = threading.Event()

    def insert(
        self,
        atr: bytes = EKTP_TYPE_A_ATR,
        uid: bytes = bytes.fromhex("04112233445566"),
        behave: Behaviour = honest,
        **more: object,
    ) -> CardImage:
        """Lay a card on the reader; one that lies there is taken away first."""
        self.remove()
        image = CardImage(atr, uid, behave=behave, **more)
        self.asked.clear()
        self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=START_S)
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._live, args=(self._socket, image), name="virtual card", daemon=True)
        self._thread.start()
        return image

    def leave(self) -> None:
        """Take the card away and do not wait for the end of what it was just answering."""
        if self._socket is not None:
            _hang_up(self._socket)

    def remove(self) -> None:
        if self._socket is None:
            return
        self.leave()
        self._thread.join(START_S)
        self._socket = self._thread = None

    def _live(self, connection: socket.socket, image: CardImage) -> None:
        with connection, contextlib.suppress(OSError, EOFError, Gone):
            while True:
                message = _receive(connection, int.from_bytes(_receive(connection, 2), "big"))
                if len(message) == 1:
                    answer = image.atr if message[0] == self.ATR else None
                else:
                    self.asked.set()
                    answer = image.answer(message)
                if answer:  # vpcd hangs on an empty one
                    connection.sendall(len(answer).to_bytes(2, "big") + answer)
        # The end of the thread is the card leaving the field.


def _receive(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = connection.recv(length - len(data))
        if not piece:
            raise EOFError
        data += piece
        # vpcd writes small pieces: without this, the kernel delays each acknowledgement by 40 ms.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    return data


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the card left by itself
        connection.shutdown(socket.SHUT_RDWR)


#: Its pause between two looks at a reader (PCSCLITE_STATUS_POLL_RATE), made a hundredth of what it is.
HURRY = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

int nanosleep(const struct timespec *wanted, struct timespec *left) {
    struct timespec pause = *wanted;
    if (pause.tv_sec == 0 && pause.tv_nsec == 400000000)
        pause.tv_nsec /= 100;
    return ((int (*)(const struct timespec *, struct timespec *))dlsym(RTLD_NEXT, "nanosleep"))(&pause, left);
}
"""


class Pcscd:
    """A pcscd of one's own. `environment` is what a client process needs to find it."""

    def __init__(self, directory: Path, hurried: bool = False) -> None:
        """`directory` holds its configuration and log. The socket is elsewhere, and the same for every pcscd of this
        process: libpcsclite reads PCSCLITE_CSOCK_NAME only once. So there is one at a time."""
        self._config = directory / "reader.conf.d"
        self._config.mkdir(parents=True)
        self.log = directory / "pcscd.log"
        self._socket_path = _socket_path()
        self.environment = {"PCSCLITE_CSOCK_NAME": str(self._socket_path)}
        self.card = VirtualCard(port=0)
        self._preload = {"LD_PRELOAD": str(_hurry(directory))} if hurried else {}
        self._process: subprocess.Popen | None = None

    def start(self, *, reader: bool = True) -> None:
        """Returns when pcscd answers. `reader=False`: with no reader plugged in."""
        for _ in range(20):  # another process may take the free port first
            self.card.port = _free_port_pair()
            self._configure(reader=reader)
            if self._launch():
                return
            self.kill()
        raise AssertionError(f"pcscd did not start with a virtual reader:\n{self.log.read_text()}")

    def kill(self) -> None:
        """As a crash does: SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._socket_path.unlink(missing_ok=True)

    def restart(self, *, reader: bool = True) -> None:
        self.kill()
        self.start(reader=reader)

    def close(self) -> None:
        self.card.remove()
        self.kill()

    def threads(self) -> int:
        """One per client context, besides its own."""
        return len(os.listdir(f"/proc/{self._process.pid}/task"))

    def _configure(self, *, reader: bool) -> None:
        entry = (
            f'FRIENDLYNAME "{READER_NAME}"\nDEVICENAME /dev/null:{self.card.port}\n'
            f"LIBPATH {_vpcd_driver()}\nCHANNELID {self.card.port}\n"
        )
        (self._config / "vpcd").write_text(entry if reader else "")

    def _launch(self) -> bool:
        command = [
            *_private_run(),
            "setpriv",
            "--pdeathsig",
            "KILL",
            _pcscd(),
            "--foreground",
            "--info",
            "--config",
            str(self._config),
        ]
        if "--disable-polkit" in subprocess.run([_pcscd(), "--help"], capture_output=True, text=True).stdout:
            command.append("--disable-polkit")
        with socket.socket(socket.AF_UNIX) as listener, self.log.open("wb") as log:
            listener.bind(str(self._socket_path))
            listener.listen(16)
            # The listening socket comes as standard input and is moved to 3, where systemd's would be. This process
            # keeps no copy: when pcscd dies, its clients must be refused.
            shell = 'exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", shell, "sh", *command],
                env=os.environ | self._preload,
                stdin=listener,
                stdout=log,
                stderr=log,
            )
        deadline_s = time.monotonic() + START_S
        while "daemon ready" not in (text := self.log.read_text()):
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                raise AssertionError(f"pcscd did not start:\n{text}")
            time.sleep(0.01)  # a log file has no event to wait for
        return "Could not initialize connection" not in text


def _hurry(directory: Path) -> Path:
    source, library = directory / "hurry.c", directory / "hurry.so"
    source.write_text(HURRY)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True, timeout=START_S)
    return library


@contextlib.contextmanager
def running_pcscd(directory: Path, hurried: bool = False) -> Iterator[Pcscd]:
    """A pcscd with an empty virtual reader, also for this process's own PC/SC calls; `.environment` is for a child."""
    pcscd = Pcscd(directory / "pcscd", hurried)
    os.environ.update(pcscd.environment)
    try:
        pcscd.start()
        yield pcscd
    finally:
        pcscd.close()


@functools.cache
def _socket_path() -> Path:
    directory = tempfile.mkdtemp(prefix="pcscd-")  # pytest's own directories can be too long for a socket
    atexit.register(shutil.rmtree, directory)
    return Path(directory) / "s"


def _pcscd() -> str:
    found = shutil.which("pcscd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        raise AssertionError("pcscd is not installed: apt-get install pcscd vsmartcard-vpcd")
    return found


def _vpcd_driver() -> str:
    for path in VPCD_DRIVERS:
        if Path(path).exists():
            return path
    raise AssertionError("the virtual reader is not installed: apt-get install vsmartcard-vpcd")


def _private_run() -> list[str]:
    """A command prefix that gives pcscd a /run of its own; nothing where neither root nor a user may do that."""
    for user in ([], ["--user", "--map-root-user"]):
        prefix = ["unshare", *user, "--mount", "--propagation", "private", "/bin/sh", "-c",
                  'mount -t tmpfs none /run && exec "$@"', "sh"]  # fmt: skip
        if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
            return prefix
    if os.geteuid() != 0:
        raise AssertionError("pcscd writes to /run/pcscd: run the tests as root or allow user namespaces")
    return []


def _free_port_pair() -> int:
    """The first of two free ports, one for each slot of vpcd, below the range that the kernel hands out by itself."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as one, socket.socket() as two, contextlib.suppress(OSError):
            one.bind(("", port))
            two.bind(("", port + 1))
            return port
