"""Takes from a process, for ever, whatever looking at pictures does not need.

The filter is a list of what is allowed (seccomp, by the libseccomp that systemd itself brings, so that the numbers of
the calls are right on every processor); all else fails with EPERM. Nothing can be opened, written, connected,
started, signalled or traced afterwards: above all not the kiosk, which runs as the same user. Limits (setrlimit(2))
add what a filter cannot count.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from pathlib import Path

LIBRARY = "libseccomp.so.2"
#: Beyond what the loaded libraries take: frames, and the decoders' own work on them.
MEMORY_FOR_FRAMES_BYTES = 256 << 20
#: Hours of gated looking; the end of a runaway that still answers in time.
CPU_S = 600
OPEN_FILES = 64

_ALLOWED = (
    # memory, and the threads that the libraries started before
    "brk munmap mremap madvise futex sched_yield restart_syscall "
    # what is open already: the kiosk's socket and the camera
    "read readv pread64 lseek close fstat write recvfrom recvmsg sendto sendmsg poll ppoll select pselect6 "
    "clock_gettime clock_nanosleep nanosleep gettimeofday getrandom getpid gettid "
    "rt_sigreturn rt_sigprocmask exit exit_group "
    # the same under the names of 32-bit processors
    "_llseek fstat64 recv send _newselect ppoll_time64 pselect6_time64 clock_gettime64 clock_nanosleep_time64 "
    "futex_time64 sigreturn"
).split()
_MEMORY = ("mmap", "mmap2", "mprotect")
#: For numbered pictures, which are opened one by one.
_READING = ("fstatat64", "newfstatat", "statx", "access", "faccessat", "faccessat2")
_PROT_EXEC = 4
_IOCTL_TYPE, _V4L2 = 0xFF00, ord("V") << 8

_PR_SET_PDEATHSIG = 1
_ACT_ALLOW, _ACT_EPERM = 0x7FFF0000, 0x00050001
_CMP_MASKED_EQ = 7
_ATTRIBUTE_ALL_THREADS = 4
_UNKNOWN_CALL = -1


class NotConfined(Exception):
    """This system does not let the process confine itself."""


class _Compare(ctypes.Structure):
    """`struct scmp_arg_cmp`."""

    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("mask", ctypes.c_uint64), ("value", ctypes.c_uint64)]


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends, also when this process hangs or was stopped."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")


def confine(may_read_files: bool = False, largest_file_bytes: int = 0) -> None:
    """Confine this process, all threads of it. With `may_read_files`, files may still be opened for reading; a file
    whose descriptor it is handed may be written up to that size.

    Raises NotConfined where libseccomp is missing or the kernel, or a filter around this process, says no.
    """
    _limit(largest_file_bytes)
    try:
        seccomp = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise NotConfined(f"{LIBRARY} is missing") from error
    seccomp.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(_ACT_EPERM)))
    if not rules:
        raise NotConfined("seccomp_init")
    try:
        # A library may have threads already, and a filter is a thread's own unless it is set for all.
        _must(seccomp.seccomp_attr_set(rules, _ATTRIBUTE_ALL_THREADS, 1), "seccomp_attr_set")
        for name in _ALLOWED:
            _allow(seccomp, rules, name)
        for name in _MEMORY:  # no new code
            _allow(seccomp, rules, name, _Compare(2, _CMP_MASKED_EQ, _PROT_EXEC, 0))
        _allow(seccomp, rules, "ioctl", _Compare(1, _CMP_MASKED_EQ, _IOCTL_TYPE, _V4L2))
        if may_read_files:
            _allow_reading(seccomp, rules)
        _must(seccomp.seccomp_load(rules), "seccomp_load")
    finally:
        seccomp.seccomp_release(rules)


def _allow_reading(seccomp: ctypes.CDLL, rules: ctypes.c_void_p) -> None:
    for name in _READING:
        _allow(seccomp, rules, name)
    writing = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
    for name, flags_at in (("open", 1), ("openat", 2)):
        _allow(seccomp, rules, name, _Compare(flags_at, _CMP_MASKED_EQ, writing, os.O_RDONLY))


def _allow(seccomp: ctypes.CDLL, rules: ctypes.c_void_p, name: str, *where: _Compare) -> None:
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number == _UNKNOWN_CALL:
        return  # newer than this libseccomp: it stays forbidden
    compares = (_Compare * len(where))(*where)
    _must(seccomp.seccomp_rule_add_array(rules, ctypes.c_uint32(_ACT_ALLOW), number, len(where), compares), name)


def _must(result: int, what: str) -> None:
    if result < 0:
        raise NotConfined(f"{what}: {os.strerror(-result)}")


def _limit(largest_file_bytes: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    for limit, most in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY_FOR_FRAMES_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_FSIZE, largest_file_bytes),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),  # a core file would be a picture of a resident's letter
    ):
        hard = resource.getrlimit(limit)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))
