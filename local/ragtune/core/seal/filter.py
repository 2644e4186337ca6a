"""A filter of system calls (seccomp) on this process and all that it starts, for good.

It stops in ``connect``, ``sendto``, ``sendmsg`` and ``sendmmsg`` and has `supervisor` look at the
address, which the filter itself cannot read. Sockets of other kinds than TCP, UDP, local ones and
the kernel's own, memberships of multicast groups, and io_uring, which would pass it by, are
refused. Taken for that instead of a network namespace: loopback stays the machine's own, no right
is needed, and it works in containers.
"""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from ragtune.core.seal import supervisor
from ragtune.core.seal.supervisor import AF_INET, AF_INET6, AF_NETLINK, AF_UNIX, CALLS, Calls

SEALED = "RAGTUNE_SEALED"
"""The environment variable that holds the supervisor's process number."""

_NO_NEW_PRIVILEGES, _PTRACER = 38, 0x59616D61
"""Numbers of ``prctl``."""
_SET_FILTER = 1
_ALL_THREADS, _LISTENER, _ERRORS = 1, 8, 16
"""Flags of ``seccomp``: its threads as well; a descriptor to be asked by; both go together."""
_ALLOW, _ASK, _REFUSE = 0x7FFF0000, 0x7FC00000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of ``linux/bpf_common.h``: load a word, two jumps, and the end."""
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Places in ``struct seccomp_data``."""
_PROTOCOLS = (0, 6, 17)
"""Of internet sockets: the family's usual one, TCP, UDP."""
_JOIN_A_GROUP = (20, 35, 39, 42, 46)
"""Options of IPv4 and IPv6 by which a group is joined, which sends a packet."""
_X32 = 0x40000000
_Instruction = tuple[int, int, int, int]


def seal() -> str:
    """Let nothing of this process and of those it starts leave the machine, from now on.

    Loopback stays as it is. It cannot be taken back. What was connected before stays connected.

    Returns why the system does not offer it; empty where it is done or was done before.
    """
    if os.environ.get(SEALED) and _is_filtered():
        return ""
    if sys.platform != "linux" or os.uname().machine not in CALLS:
        return f"{sys.platform} has no filter of system calls that ragtune knows"
    calls = CALLS[os.uname().machine]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return _reason(ctypes.get_errno())
    listener = _install(libc, calls)
    if listener < 0:
        return _reason(ctypes.get_errno())
    process = _start(listener)
    os.environ[SEALED] = str(process)
    be_readable()
    return ""


def be_readable() -> None:
    """Let the supervisor read this process's memory where only a debugger may (Yama)."""
    if process := os.environ.get(SEALED):
        libc = ctypes.CDLL(None)
        libc.prctl(_PTRACER, ctypes.c_ulong(int(process)), 0, 0, 0)


def _is_filtered() -> bool:
    """Whether a filter holds this process: the variable alone may have come from elsewhere."""
    try:
        return "\nSeccomp:\t2\n" in Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return False


def _reason(number: int) -> str:
    if number == errno.EBUSY:
        return "another program already filters the system calls of this one"
    return f"the system refuses a filter of system calls: {os.strerror(number)}"


def _start(listener: int) -> int:
    """Start the supervisor with a pipe that ends when this process does; its number."""
    ours, theirs = os.pipe()
    for descriptor in (listener, ours):
        os.set_inheritable(descriptor, True)
    script = str(Path(supervisor.__file__))
    # A session of its own: Ctrl-C and the end of the terminal are not meant for it.
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", script, str(listener), str(ours)],
        {},
        setsid=True,
        file_actions=[(os.POSIX_SPAWN_CLOSE, theirs)],
    )
    os.close(listener)
    os.close(ours)
    return process


def _install(libc: ctypes.CDLL, calls: Calls) -> int:
    """Put the filter in place; the descriptor of whoever answers, or -1 with the error's number."""
    code = b"".join(struct.pack("=HBBI", *one) for one in program(calls))
    instructions = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(instructions))
    flags = _ALL_THREADS | _LISTENER | _ERRORS
    number = ctypes.c_long(calls.seccomp)
    return int(libc.syscall(number, ctypes.c_long(_SET_FILTER), ctypes.c_long(flags), header))


def program(calls: Calls) -> list[_Instruction]:
    """The filter's instructions: code, jump if true, jump if false, operand."""
    done: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, calls.architecture),
        _refuse(errno.EPERM),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        _refuse(errno.EPERM),
    ]
    for number in (calls.connect, calls.sendmsg, calls.sendmmsg):
        done += _when(number, [(_RETURN, 0, 0, _ASK)])
    done += _when(calls.sendto, _with_an_address())
    done += _when(calls.socket, _kinds())
    done += _when(calls.setsockopt, _groups())
    done += _when(calls.io_uring_setup, [_refuse(errno.ENOSYS)])
    return [*done, (_RETURN, 0, 0, _ALLOW)]


def _when(number: int, body: Sequence[_Instruction]) -> list[_Instruction]:
    """A body, every path of which returns, for the system call of that number."""
    return [(_EQUAL, 0, len(body), number), *body]


def _refuse(number: int) -> _Instruction:
    return (_RETURN, 0, 0, _REFUSE | number)


def _argument(position: int, *, high: bool = False) -> _Instruction:
    """Load 32 of the 64 bits of an argument; both architectures begin with the low ones."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * position + 4 * high)


def _with_an_address() -> list[_Instruction]:
    """Ask where there is an address; what is connected was asked about before."""
    return [
        _argument(4),
        (_EQUAL, 0, 2, 0),
        _argument(4, high=True),
        (_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _ASK),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _kinds() -> list[_Instruction]:
    protocols = _one_of(_PROTOCOLS, [(_RETURN, 0, 0, _ALLOW)])
    internet = [_argument(2), *protocols, _refuse(errno.EACCES)]
    return [
        _argument(0),
        *_one_of((AF_UNIX, AF_NETLINK), [(_RETURN, 0, 0, _ALLOW)]),
        *_one_of((AF_INET, AF_INET6), internet),
        _refuse(errno.EACCES),
    ]


def _groups() -> list[_Instruction]:
    joined = [_argument(2), *_one_of(_JOIN_A_GROUP, [_refuse(errno.EACCES)])]
    return [
        _argument(1),
        *_one_of((0, 41), [*joined, (_RETURN, 0, 0, _ALLOW)]),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _one_of(values: Sequence[int], body: Sequence[_Instruction]) -> list[_Instruction]:
    """A body for the case that what was loaded is one of the values."""
    rest = len(values) - 1
    tests = [
        (_EQUAL, rest - n, 0 if n < rest else len(body), value) for n, value in enumerate(values)
    ]
    return [*tests, *body]
