"""Which addresses are this machine's own, and the process that the kernel asks about them.

It is started as a script of its own, before anything else is imported, and imports nothing of
ragtune: it must never need a connection or a look-up itself.
"""

import contextlib
import errno
import ipaddress
import os
import select
import struct
import sys
from dataclasses import dataclass

DNS = 53
"""A resolver on loopback passes on what it is asked, so its port is not this machine's own."""
RESOLVERS = ("nscd/socket", "systemd/resolve/", "/dbus/system_bus_socket")
"""Parts of the paths of local sockets by which the C library asks others to look names up."""
AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 0, 1, 2, 10, 16
"""Linux's numbers, which Python leaves out where it was built without one."""

_RECEIVE, _SEND, _STILL_THERE = 0xC0502100, 0xC0182101, 0x40082102
"""ioctl numbers of ``linux/seccomp.h``."""
_REQUEST = struct.Struct("=QIIiIQ6Q")
"""``struct seccomp_notif``: id, pid, flags, number, architecture, instruction, arguments."""
_ANSWER = struct.Struct("=QqiI")
_CONTINUE = 1
_MESSAGE, _NEXT_MESSAGE, _MOST_MESSAGES = 56, 64, 1024
"""Bytes of ``msghdr`` and of ``mmsghdr``; the kernel reads no more messages of one call."""


@dataclass(frozen=True)
class Calls:
    """The numbers of system calls on one kind of processor."""

    architecture: int
    connect: int
    sendto: int
    sendmsg: int
    sendmmsg: int
    socket: int
    setsockopt: int
    io_uring_setup: int
    seccomp: int


CALLS = {
    "x86_64": Calls(0xC000003E, 42, 44, 46, 307, 41, 54, 425, 317),
    "aarch64": Calls(0xC00000B7, 203, 206, 211, 269, 198, 208, 425, 277),
}
"""From ``asm/unistd.h``, by ``os.uname().machine``."""


def is_loopback(host: str, port: int = 0) -> bool:
    """Whether an address is this machine's own and nobody there passes on what it is sent.

    ``0.0.0.0`` and ``::`` lead to this machine, too. A name is no address.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return port != DNS and (address.is_loopback or address.is_unspecified)


def allowed(address: bytes, *, sending: bool) -> bool:
    """Whether a ``sockaddr`` may be connected or sent to; an empty one is no address at all."""
    if len(address) < 2:
        return True
    (family,) = struct.unpack_from("=H", address)
    if family == AF_UNSPEC and not sending:
        return True  # takes a connection back
    if family == AF_UNIX:
        path = address[2:].lstrip(b"\0").split(b"\0")[0].decode(errors="replace")
        return not any(part in path for part in RESOLVERS)
    if family in (AF_INET, AF_UNSPEC) and len(address) >= 8:
        (port,) = struct.unpack_from("!H", address, 2)
        return is_loopback(str(ipaddress.IPv4Address(address[4:8])), port)
    if family == AF_INET6 and len(address) >= 24:
        (port,) = struct.unpack_from("!H", address, 2)
        return is_loopback(str(ipaddress.IPv6Address(address[8:24])), port)
    return bool(family == AF_NETLINK)


def _addresses(calls: Calls, number: int, arguments: tuple[int, ...], memory: int) -> list[bytes]:
    """The addresses that a system call names, read from the memory of who makes it."""
    if number == calls.connect:
        return [_read(memory, arguments[1], arguments[2])]
    if number == calls.sendto:
        return [_read(memory, arguments[4], arguments[5])]
    count = 1 if number == calls.sendmsg else min(arguments[2], _MOST_MESSAGES)
    found = []
    for message in range(count):
        header = os.pread(memory, _MESSAGE, arguments[1] + message * _NEXT_MESSAGE)
        name, length = struct.unpack_from("=QI", header)
        found.append(_read(memory, name, length))
    return found


def _read(memory: int, place: int, length: int) -> bytes:
    return os.pread(memory, min(length & 0xFFFFFFFF, 128), place) if place else b""


def _judge(calls: Calls, listener: int, request: bytes) -> tuple[int, int]:
    """What is answered: an error number, below zero, or 0; and flags."""
    import fcntl

    identity, process, _, number, _, _, *arguments = _REQUEST.unpack(request)
    try:
        memory = os.open(f"/proc/{process}/mem", os.O_RDONLY)
        try:
            found = _addresses(calls, number, tuple(arguments), memory)
        finally:
            os.close(memory)
        # The process may have ended and its number been given away while it was read.
        fcntl.ioctl(listener, _STILL_THERE, struct.pack("=Q", identity))
    except (OSError, struct.error):
        return -errno.EACCES, 0
    sending = number != calls.connect
    if all(allowed(address, sending=sending) for address in found):
        return 0, _CONTINUE
    return -errno.EACCES, 0


def supervise(calls: Calls, listener: int, lifeline: int) -> None:
    """Answer the kernel until who started this ends, which closes the other end of the pipe."""
    import fcntl

    poll = select.poll()
    for descriptor in (listener, lifeline):
        poll.register(descriptor, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if lifeline in ready:
            return
        request = bytearray(_REQUEST.size)
        with contextlib.suppress(OSError):  # whoever asked was killed meanwhile
            fcntl.ioctl(listener, _RECEIVE, request, True)
            (identity,) = struct.unpack_from("=Q", request)
            error, flags = _judge(calls, listener, bytes(request))
            fcntl.ioctl(listener, _SEND, _ANSWER.pack(identity, 0, error, flags))


if __name__ == "__main__":
    supervise(CALLS[os.uname().machine], int(sys.argv[1]), int(sys.argv[2]))
