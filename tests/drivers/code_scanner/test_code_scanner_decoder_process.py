"""The decoding process: what it may not do, and what becomes of the scanner when it dies, hangs or lies."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hardware.code_scanner import decoder_process
from hardware.code_scanner.decoder_messages import Answer
from hardware.code_scanner.decoder_process import MOST_LOST, Decoder
from hardware.code_scanner.interface import LONGEST_PAYLOAD, CodeScanned
from hardware.device import DeviceError, DeviceState

ROOT = Path(__file__).parents[3]


def run_apart(*lines: str, arguments: tuple[str, ...] = ()) -> str:
    """What a fresh interpreter prints for these lines; its end is part of the test."""
    command = [sys.executable, "-c", "\n".join(lines), *arguments]
    done = subprocess.run(command, input="", capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def state(pid: int) -> str:
    """ "R", "S", "T", "Z" and so on (proc(5)); empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


@pytest.fixture
def looking(camera):
    camera.start()
    camera.scanner.listen(True)
    camera.wait_for_frames(1)
    return camera


@pytest.fixture
def decoder():
    made = Decoder("decoder", ("pictures",), threading.Event())
    yield made
    made.close()


# The sandbox

FORBIDDEN = {
    "write_a_file": "open(path, 'w')",
    "read_a_file": "open(path)",
    "read_a_file_by_descriptor": "os.open('/', os.O_RDONLY)",
    "delete_a_file": "os.unlink(path)",
    "open_a_socket": "socket.socket()",
    "open_a_unix_socket": "socket.socket(socket.AF_UNIX)",
    "run_a_program": "os.execv('/bin/true', ['true'])",
    "fork": "os.fork()",
    "start_a_thread": "_thread.start_new_thread(print, ())",
    "signal_the_kiosk": "os.kill(os.getppid(), 0)",
    "trace": "call(libc.ptrace, 0, None, None, None)",
    "read_the_kiosks_memory": "call(libc.process_vm_readv, ctypes.c_long(os.getppid()), None, 0, None, 0, 0)",
    "make_code": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "control_what_is_no_camera": "fcntl.ioctl(0, 0x541B, bytes(4))",
    "raise_its_limits": "resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))",
}
PROBE = """
import _thread, ctypes, fcntl, mmap, os, resource, socket, sys
from hardware.code_scanner.sandbox import confine
libc = ctypes.CDLL(None, use_errno=True)
# How a new thread, another limit and too much memory are refused.
other_errors = (RuntimeError, ValueError, MemoryError)

def call(function, *arguments):
    if function(*arguments) == -1:
        raise OSError(ctypes.get_errno(), "refused")

def attempt(path):
    {attempt}

path = sys.argv[1]
if {confined}:
    confine(may_read_files={may_read_files})
try:
    attempt(path)
except (PermissionError, *other_errors):
    print("forbidden")
"""


def probe(attempt: str, path: Path, confined: bool = True, may_read_files: bool = False) -> str:
    lines = PROBE.format(attempt=attempt, confined=confined, may_read_files=may_read_files)
    return run_apart(lines, arguments=(str(path),))


@pytest.fixture
def file(tmp_path) -> Path:
    made = tmp_path / "file"
    made.write_text("as it was")
    return made


@pytest.mark.parametrize("attempt", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_confined_process_may_not(attempt, file):
    assert probe(attempt, file) == "forbidden"
    assert file.read_text() == "as it was"


@pytest.mark.parametrize("attempt", FORBIDDEN.values(), ids=FORBIDDEN)
def test_the_probe_notices_what_is_not_forbidden(attempt, file):
    assert "forbidden" not in probe(attempt, file, confined=False)


def test_what_reads_numbered_pictures_may_read_files_and_write_none(file):
    assert probe("print(open(path).read())", file, may_read_files=True) == "as it was"
    for mode in ("w", "a", "r+", "x"):
        assert probe(f"open(path + {'x' if mode == 'x' else ''!r}, {mode!r})", file, may_read_files=True) == "forbidden"


def test_a_confined_process_may_speak_to_a_camera(file):
    """VIDIOC_QUERYCAP gets as far as the driver; here it is a pipe's, which knows no such thing (ENOTTY)."""
    lines = "try: fcntl.ioctl(0, 0x80685600, bytes(104))", "    except OSError as error: print(error.errno)"
    assert probe("\n".join(lines), file) == str(errno.ENOTTY)


def test_memory_has_an_end(file):
    assert probe("bytearray(64 << 20)", file) == ""
    assert probe("bytearray(1 << 30)", file) == "forbidden"


def test_the_decoding_process_is_confined_and_has_nothing(looking):
    folder = Path(f"/proc/{looking.scanner._decoder.pid}")
    status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    names = {line.partition("=")[0] for line in (folder / "environ").read_text().split("\0") if line}
    assert names == {"OPENBLAS_NUM_THREADS", "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"}
    opened = [os.readlink(each) for each in (folder / "fd").iterdir() if each.is_symlink()]
    assert {each for each in opened if not each.startswith("socket:")} <= {"/dev/null"}
    assert len([each for each in opened if each.startswith("socket:")]) <= 2  # standard input, and Python's copy


def test_where_it_cannot_be_confined_nothing_is_decoded(decoder, run_as_child):
    run_as_child("""
        from hardware.code_scanner import decoder_child, sandbox

        sandbox.LIBRARY = "libseccomp-not-there.so"
        decoder_child.main(sys.argv[1:])
    """)
    with pytest.raises(DeviceError) as refused:
        decoder.look()
    assert (refused.value.status.state, refused.value.status.code) == (DeviceState.FAULT, "SCANNER-SANDBOX")


#: The service's filter around a fresh interpreter: systemd's own sets, allowed by name, all else EPERM.
IN_THE_SERVICE = """
import ctypes, os, sys
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(0x00050001)))
for name in sys.argv[1].split():
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number != -1:
        seccomp.seccomp_rule_add_array(rules, ctypes.c_uint32(0x7FFF0000), number, 0, None)
assert seccomp.seccomp_load(rules) == 0
os.execv(sys.executable, [sys.executable, "-c", sys.argv[2]])
"""
OPEN_DECODER = """
import threading
from hardware.code_scanner.decoder_process import Decoder
from hardware.device import DeviceError
decoder = Decoder("decoder", ("pictures",), threading.Event())
try:
    decoder.open()
    print("confined")
except DeviceError as error:
    print(error.status.code)
finally:
    decoder.close()
"""


def system_calls(name: str) -> set[str]:
    """A system call, or all those of a set of systemd's ("@system-service")."""
    if not name.startswith("@"):
        return {name}
    shown = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True)
    members = [line.strip() for line in shown.stdout.splitlines()[1:]]
    return set().union(*(system_calls(member) for member in members if member and not member.startswith("#")))


def test_the_service_lets_it_confine_itself():
    unit = (ROOT / "systemd/anjungan-desa.service").read_text()
    filters = [line.partition("=")[2] for line in unit.splitlines() if line.startswith("SystemCallFilter=")]
    allowed: set[str] = set()
    for each in filters:
        named = set().union(*map(system_calls, each.lstrip("~").split()))
        allowed = allowed - named if each.startswith("~") else allowed | named
    assert run_apart(IN_THE_SERVICE, arguments=(" ".join(allowed), OPEN_DECODER)) == "confined"
    without = " ".join(allowed - {"seccomp"})
    assert run_apart(IN_THE_SERVICE, arguments=(without, OPEN_DECODER)) == "SCANNER-SANDBOX"


def test_a_missing_library_is_a_fault(decoder, run_as_child):
    run_as_child("""
        from hardware.code_scanner import decoder_child

        sys.modules["zxingcpp"] = None
        decoder_child.main(sys.argv[1:])
    """)
    with pytest.raises(DeviceError) as refused:
        decoder.look()
    assert (refused.value.status.state, refused.value.status.code) == (DeviceState.FAULT, "SCANNER-NO-DECODER")


def test_the_kiosks_process_loads_no_picture_library():
    """What strangers' pictures could harm is not even there."""
    lines = (
        "import sys, threading",
        "from hardware.code_scanner.decoder_process import Decoder",
        "import hardware.code_scanner.camera, hardware.code_scanner.virtual",
        "decoder = Decoder('decoder', ('pictures',), threading.Event())",
        "decoder.open()",
        "decoder.close()",
        "print(*{'cv2', 'numpy', 'zxingcpp', 'pyzbar', 'PIL'} & set(sys.modules))",
    )
    assert run_apart(*lines) == ""


# Death, hanging and lies


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT], ids=lambda number: number.name)
def test_a_death_is_survived_and_the_scanner_serves_on(looking, number):
    dead = looking.scanner._decoder.pid
    os.kill(dead, number)
    looking.show(b"STILL HERE")
    assert looking.events.next_reading() == CodeScanned("camera", b"STILL HERE")
    assert looking.scanner.statistics.crashes == 1
    assert looking.scanner.status.state is DeviceState.READY
    assert state(dead) == ""


def test_a_hang_is_ended_and_the_scanner_serves_on(looking, monkeypatch):
    monkeypatch.setattr(decoder_process, "LOOK_S", 0.5)
    hanging = looking.scanner._decoder.pid
    os.kill(hanging, signal.SIGSTOP)
    looking.show(b"STILL HERE")
    assert looking.events.next_reading() == CodeScanned("camera", b"STILL HERE")
    assert looking.scanner.statistics.hangs == 1
    assert looking.scanner.status.state is DeviceState.READY
    assert state(hanging) == ""


def test_a_hang_does_not_delay_the_stop(looking):
    hanging = looking.scanner._decoder.pid
    os.kill(hanging, signal.SIGSTOP)
    began_s = time.monotonic()
    looking.scanner.stop()
    assert time.monotonic() - began_s < 0.5
    assert state(hanging) == ""
    assert looking.scanner.statistics.hangs == 0


def test_a_picture_that_kills_is_dropped_and_the_next_one_is_read(virtual, pictures, run_as_child):
    run_as_child("""
        import os, signal
        from hardware.code_scanner import decoder_child, decoding

        def decode(self, grey, decode=decoding.FrameDecoder.decode):
            if grey.shape == (100, 100):
                os.abort()
            return decode(self, grey)

        decoding.FrameDecoder.decode = decode
        decoder_child.main(sys.argv[1:])
    """)
    virtual.start()
    virtual.scanner.listen(True)
    virtual.scanner.show_picture(pictures.qr(b"DEADLY").resize((100, 100)))
    virtual.scanner.show_picture(pictures.qr(b"HARMLESS"))
    assert virtual.events.next_reading() == CodeScanned("bench", b"HARMLESS")
    assert virtual.scanner.statistics.crashes == 1


def test_many_deaths_are_a_fault_that_passes(looking, monkeypatch):
    monkeypatch.setattr(decoder_process, "LOST_WITHIN_S", 3.0)
    monkeypatch.setattr(decoder_process, "FIRST_PAUSE_S", 0.01)
    dead: set[int] = set()

    def kill_the_next() -> bool:
        pid = looking.scanner._decoder.pid
        if pid is not None and pid not in dead and looking.scanner._decoder.is_open:
            os.kill(pid, signal.SIGKILL)
            dead.add(pid)
        return looking.scanner.status.state is DeviceState.FAULT

    assert looking.events.wait_until(kill_the_next)
    assert looking.scanner.status.code == "SCANNER-DECODER"
    assert len(dead) == MOST_LOST
    looking.events.status(DeviceState.READY)
    looking.show(b"BACK AGAIN")
    assert looking.events.next_reading() == CodeScanned("camera", b"BACK AGAIN")


SAY = """
    import socket

    kiosk = socket.socket(fileno=0)
    kiosk.send(b"r")
    kiosk.recv(8)
    kiosk.send(b"o")
    kiosk.recv(8)
    kiosk.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    {say}
    kiosk.recv(8)
"""
LIES = {
    "too_long": f"kiosk.send(b'c' + b'A' * {LONGEST_PAYLOAD + 1})",
    "as_long_as_a_packet_can_be": "kiosk.send(b'c' + b'A' * 150_000)",
    "unknown": "kiosk.send(b'z')",
    "nothing_with_a_tail": "kiosk.send(b'nMORE')",
    "empty": "kiosk.send(b'')",
    "binary_junk": "kiosk.send(bytes(range(128, 256)) * 100)",
}


@pytest.mark.parametrize("say", LIES.values(), ids=LIES)
def test_a_child_that_lies_is_ended_and_not_believed(decoder, run_as_child, say):
    run_as_child(SAY.format(say=say))
    decoder.open()
    liar = decoder.pid
    assert decoder.look() == (Answer.LOST, b"")
    assert decoder.statistics.crashes == 1
    assert state(liar) == ""


def test_the_longest_payload_is_taken(decoder, run_as_child):
    run_as_child(SAY.format(say=f"kiosk.send(b'c' + b'A' * {LONGEST_PAYLOAD})"))
    assert decoder.look() == (Answer.CODE, b"A" * LONGEST_PAYLOAD)


# Nothing is left behind


def test_it_ends_with_the_kiosk_even_when_it_hangs(wait_until):
    lines = (
        "import os, signal, sys, threading",
        "from hardware.code_scanner.decoder_process import Decoder",
        "decoder = Decoder('decoder', ('pictures',), threading.Event())",
        "decoder.open()",
        "os.kill(decoder.pid, signal.SIGSTOP)",
        "print(decoder.pid, flush=True)",
        "sys.stdin.read()",
    )
    kiosk = subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    with kiosk:
        child = int(kiosk.stdout.readline())
        assert wait_until(lambda: state(child) == "T")
        kiosk.kill()
    assert wait_until(lambda: state(child) in ("", "Z"))  # a zombie only where this container's init reaps none


def test_fifty_lost_ones_leave_no_zombie_and_no_descriptor(decoder, run_as_child, monkeypatch):
    monkeypatch.setattr(decoder_process, "MOST_LOST", 100)
    monkeypatch.setattr(decoder_process, "FIRST_PAUSE_S", 0.0)
    run_as_child("import os; os.write(0, b'r'); os.read(0, 8); os.write(0, b'o'); os.read(0, 8); os._exit(1)")
    others = children_of_this_thread()
    decoder.look()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(49):
        assert decoder.look() == (Answer.LOST, b"")
    assert decoder.statistics.crashes == 50
    assert len(os.listdir("/proc/self/fd")) == before
    assert children_of_this_thread() <= others


def test_a_scanner_that_stops_leaves_no_process(camera):
    camera.start()
    camera.scanner.listen(True)
    camera.wait_for_frames(1)
    pid = camera.scanner._decoder.pid
    camera.scanner.stop()
    assert state(pid) == ""


def test_each_visitor_has_a_process_of_their_own_and_the_next_one_waits(looking):
    first = looking.scanner._decoder.pid
    looking.scanner.listen(False)
    assert looking.events.wait_until(lambda: looking.scanner._decoder.pid not in (first, None))
    assert state(first) == ""
    second = looking.scanner._decoder.pid
    looking.scanner.listen(True)
    looking.wait_for_frames(1)
    assert looking.scanner._decoder.pid == second


def children_of_this_thread() -> set[int]:
    return set(map(int, Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()))
