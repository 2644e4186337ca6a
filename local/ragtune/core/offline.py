"""The guard on connections: what may leave this machine.

``refuse_connections`` has Python ask (an audit hook) before a connection is made, something is
sent, or a name is looked up, whichever class, module or library does it, for the rest of the
process and in every Python that it starts. What is reached is judged by its address. ``seal`` is
the strong form: the kernel asks, so that libraries in C, C++ or Rust and programs that are no
Python are held as well. Where a system has no such thing, they are not: only Python is.

A name given to ``_socket``, the class in C, is looked up before Python reports it: there only the
strong form helps.

Neither is a wall against a program that means to get out: connections that were open before stay
open, and what a local server does with what it is sent is its own affair.
"""

import _socket
import contextlib
import functools
import ipaddress
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ragtune.core.errors import OfflineError
from ragtune.core.seal import filter as sealing
from ragtune.core.seal.supervisor import is_loopback

GUARD = "RAGTUNE_GUARD"
"""The environment variable by which a started Python is guarded: the hosts that are permitted."""
_PERMITTED: dict[str, set[str]] = {}
"""The hosts that the user named in so many words, such as a Qdrant server's, and their addresses
when last looked up."""
_INTERNET = (socket.AF_INET, socket.AF_INET6)


class OwnNameError(OfflineError, socket.gaierror):
    """The machine's own name, which was not looked up: programs live without its address."""


def is_offline() -> bool:
    """Whether hub downloads are refused, by ``--offline`` or by HF_HUB_OFFLINE."""
    return os.environ.get("HF_HUB_OFFLINE", "") not in {"", "0"}


def go_offline() -> None:
    """Refuse hub downloads and every connection that leaves this machine, from now on.

    Must be called before ``huggingface_hub`` is imported, which reads the setting once.
    """
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    refuse_connections()


@functools.cache  # once: a hook cannot be taken away
def refuse_connections() -> None:
    """Make every connection, datagram and look-up but loopback's raise OfflineError."""
    os.environ.update(NO_PROXY="*", no_proxy="*")  # one on loopback would pass everything on
    _pass_on()
    sys.addaudithook(_judge)
    # Python reports a connection by a name only after it has looked the name up. Methods of the
    # class that there is are replaced, so that it does not matter who took it before.
    for name, address in _WITH_ADDRESS.items():
        if hasattr(socket.socket, name):
            setattr(socket.socket, name, _asking(getattr(_socket.socket, name), address))


def seal() -> str:
    """The strong form, by the kernel; why it cannot be had, empty where it is.

    Nothing is permitted beside loopback then, and it lasts as long as the process.
    """
    return sealing.seal()


def inherit() -> None:
    """Be guarded as the Python that started this one."""
    for host in json.loads(os.environ.get(GUARD) or "[]"):
        _PERMITTED[host] = set()
    sealing.be_readable()
    refuse_connections()


def permit(url: str) -> None:
    """Let connections to the host of this URL through the guard, whether it is up yet or not."""
    if host := (urlsplit(url).hostname or "").lower():
        _PERMITTED.setdefault(host, set())
        _look_up(host)
        if GUARD in os.environ:
            _pass_on()


def _pass_on() -> None:
    """Have every Python that this process starts begin with the guard."""
    os.environ[GUARD] = json.dumps(sorted(_PERMITTED))
    place = str(Path(__file__).resolve().parent / "guarded")
    before = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    if place not in before:
        os.environ["PYTHONPATH"] = os.pathsep.join([place, *before])


def _look_up(host: str) -> set[str]:
    """The addresses of a permitted host as they are now, beside those that it had."""
    with contextlib.suppress(OSError):
        _PERMITTED[host].update(str(found[4][0]) for found in socket.getaddrinfo(host, None))
    return _PERMITTED[host]


def _judge(event: str, arguments: tuple[Any, ...]) -> None:
    if (check := _CHECKS.get(event)) is not None:
        check(*arguments)


def _asking(method: Callable[..., Any], address: Callable[[Sequence[Any]], Any]) -> Any:
    """The same method, which asks before it looks a name up."""

    @functools.wraps(method)
    def asking(self: socket.socket, *arguments: Any) -> Any:
        given = address(arguments)
        if self.family in _INTERNET and isinstance(given, tuple):
            check = _connect if method.__name__.startswith("connect") else _send
            check(self, given)
        return method(self, *arguments)

    return asking


def _connect(used: Any, address: Any) -> None:
    try:
        _allow(used.family, address)
    except OfflineError:
        used.close()  # callers close it only after an OSError
        raise


def _send(used: Any, address: Any = None) -> None:
    if address is not None:
        _allow(used.family, address)


def _allow(family: int, address: Any) -> None:
    if family == getattr(socket, "AF_UNIX", None):
        return
    if family == getattr(socket, "AF_NETLINK", None):
        return
    if family not in _INTERNET or not isinstance(address, tuple):
        raise OfflineError(f"offline: refused to connect to {address!r}")
    host, port = _text(address[0]), int(address[1])
    if is_loopback(host, port) or _is_permitted(host):
        return
    if host.lower() == "localhost" and all(is_loopback(a, port) for a in _addresses(host)):
        return
    raise OfflineError(f"offline: refused to connect to {host}:{port}")


def _addresses(host: str) -> set[str]:
    return {str(found[4][0]) for found in socket.getaddrinfo(host, None)}


def _is_permitted(host: str) -> bool:
    if host.lower() in _PERMITTED or any(host in known for known in _PERMITTED.values()):
        return True
    if not _is_address(host):
        return False
    return any(host in _look_up(name) for name in _PERMITTED if not _is_address(name))


def _name(host: Any, *_: Any) -> None:
    """Let pass what needs no look-up, and the names that are permitted."""
    name = _text(host).lower().rstrip(".")
    if name in ("", "localhost") or name in _PERMITTED or _is_address(name):
        return
    if name == socket.gethostname().lower():
        raise OwnNameError(socket.EAI_AGAIN, f"offline: refused to look up {name}")
    raise OfflineError(f"offline: refused to look up {name}")


def _address(host: Any, *_: Any) -> None:
    """Let pass addresses whose names are known here."""
    name = _text(host[0] if isinstance(host, tuple) else host)
    if not is_loopback(name):
        _name("" if _is_permitted(name) else f"the name of {name}" if _is_address(name) else name)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _text(host: Any) -> str:
    if isinstance(host, bytes | bytearray):
        return bytes(host).decode("ascii", "replace")
    return "" if host is None else str(host)


_WITH_ADDRESS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "connect": lambda given: given[0] if given else None,
    "connect_ex": lambda given: given[0] if given else None,
    "sendto": lambda given: given[-1] if len(given) > 1 else None,
    "sendmsg": lambda given: given[3] if len(given) > 3 else None,
}
"""Where the address is among a method's arguments."""
_CHECKS: Mapping[str, Callable[..., None]] = {
    "socket.connect": _connect,
    "socket.sendto": _send,
    "socket.sendmsg": _send,
    "socket.getaddrinfo": _name,
    "socket.gethostbyname": _name,
    "socket.gethostbyaddr": _address,
    "socket.getnameinfo": _address,
}
"""What is looked at of the events that Python reports (docs.python.org, audit events table)."""
