"""Ways to leave this machine that pass Python by: only the kernel can refuse them."""

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from scripts.campaign.ways import (
    CONNECTING,
    NAME,
    SECONDS,
    V4,
    SlotSocket,
    Way,
    child,
    python,
    tcp,
    udp,
)


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _sockaddr(port: int = 80) -> bytes:
    packed = struct.pack("!H4s8x", port, socket.inet_aton(V4))
    return struct.pack("=H", socket.AF_INET) + packed


def _native(call: Callable[[Any, int], int], kind: int = socket.SOCK_STREAM) -> None:
    libc = _libc()
    opened = libc.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK, 0)
    try:
        result = call(libc, opened)
        number = ctypes.get_errno()
    finally:
        os.close(opened)
    if result < 0:
        raise OSError(number, os.strerror(number))


def _native_sendmmsg(libc: Any, opened: int) -> int:
    address, text = ctypes.create_string_buffer(_sockaddr(53)), ctypes.create_string_buffer(b"x")
    part = ctypes.create_string_buffer(struct.pack("=QQ", ctypes.addressof(text), 1))
    header = struct.pack("=QI4xQQQQi4xI4x", ctypes.addressof(address), 16, *(
        ctypes.addressof(part), 1, 0, 0
    ), 0, 0)  # fmt: skip
    return int(libc.sendmmsg(opened, ctypes.create_string_buffer(header), 1, 0))


def _native_look_up() -> None:
    number = _libc().getaddrinfo(NAME.encode(), b"80", None, ctypes.byref(ctypes.c_void_p()))
    # EAI_AGAIN: its resolver was not reached. EAI_NONAME: somebody answered.
    raise OSError(errno.EACCES if number == socket.EAI_AGAIN else 0, str(number))


def _named_in_c() -> None:
    try:
        tcp((NAME, 80), kind=SlotSocket)
    except socket.gaierror as error:
        raise OSError(errno.EACCES if error.errno == socket.EAI_AGAIN else 0, str(error)) from None


def _io_uring() -> None:
    number = 425
    result = _libc().syscall(number, 2, ctypes.create_string_buffer(120))
    found = ctypes.get_errno()
    if result >= 0:
        os.close(result)
        return
    raise OSError(errno.EACCES if found == errno.ENOSYS else found, os.strerror(found))


def _packet() -> None:
    kind = getattr(socket, "AF_PACKET", 17)
    with socket.socket(kind, socket.SOCK_RAW, socket.htons(0x0800)):
        pass


def _group() -> None:
    joined = socket.inet_aton("224.0.0.251") + socket.inet_aton("0.0.0.0")
    udp(lambda s: s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined))


def _gloo() -> None:
    import datetime

    from torch import distributed

    store: Any = vars(distributed)["TCPStore"]
    wait = datetime.timedelta(seconds=SECONDS)
    try:
        store(V4, 29500, is_master=False, timeout=wait, wait_for_workers=False)
    except Exception as error:  # it tries until its time is over, whatever it is told
        refused = "Permission denied" in str(error)
        raise OSError(errno.EACCES if refused else 0, str(error)) from None


class _RawSocket(socket.socket):
    """ICMP, whatever is asked for."""

    def __init__(self, family: int, _: int) -> None:
        super().__init__(family, socket.SOCK_RAW, socket.IPPROTO_ICMP)


NATIVE: dict[str, Way] = {
    "_socket by name": _named_in_c,
    "ctypes connect": lambda: _native(lambda c, s: c.connect(s, _sockaddr(), 16)),
    "ctypes sendto": lambda: _native(
        lambda c, s: c.sendto(s, b"x", 1, 0, _sockaddr(53), 16), socket.SOCK_DGRAM
    ),
    "ctypes sendto, family unspecified": lambda: _native(
        lambda c, s: c.sendto(s, b"x", 1, 0, b"\0\0" + _sockaddr(53)[2:], 16), socket.SOCK_DGRAM
    ),
    "ctypes fast open": lambda: _native(
        lambda c, s: c.sendto(s, b"x", 1, 0x20000000, _sockaddr(), 16)
    ),
    "ctypes sendmmsg": lambda: _native(_native_sendmmsg, socket.SOCK_DGRAM),
    "ctypes getaddrinfo": _native_look_up,
    "io_uring": _io_uring,
    "raw packets": _packet,
    "raw IP": lambda: tcp((V4, 0), kind=_RawSocket),
    "a multicast group": _group,
    "a shell's /dev/tcp": lambda: child("bash", "-c", f"exec 3<>/dev/tcp/{V4}/80"),
    "a Python in isolated mode": lambda: python(CONNECTING, "-I"),
    "a Python without site": lambda: python(CONNECTING, "-S"),
    "torch's store": _gloo,
}
"""What only the kernel can refuse: the strong form."""
