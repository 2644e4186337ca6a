"""Ways to leave this machine, tried by a guarded process; run as a script, it prints a JSON line.

Each way is tried as it is written here; it is refused where the guard, or the kernel for it, says
so, and has passed where it failed for any other reason or did not fail. Addresses are those that
RFC 5737 and RFC 3849 keep for documentation, so that nobody is reached where a way passes.
"""

import _socket
import asyncio
import errno
import http.client
import json
import multiprocessing
import os
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

V4, V6, NAME = "192.0.2.7", "2001:db8::7", "ragtune.invalid"
SECONDS = 3
_TAKEN, _TAKEN_SSL, _TAKEN_CREATE = socket.socket, ssl.SSLSocket, socket.create_connection
"""What a library may have taken before the guard was there."""
Way = Callable[[], Any]


def tcp(address: Any, family: int = socket.AF_INET, kind: Any = None) -> Any:
    """Connect to an address."""
    with (kind or socket.socket)(family, socket.SOCK_STREAM) as opened:
        opened.settimeout(SECONDS)
        opened.connect(address)


def udp(send: Callable[[socket.socket], Any], family: int = socket.AF_INET) -> Any:
    """Do something with a datagram's socket."""
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.settimeout(SECONDS)
        return send(opened)


def _connect_ex() -> None:
    with socket.socket() as opened:
        opened.settimeout(SECONDS)
        number = opened.connect_ex((V4, 80))
    raise OSError(number, os.strerror(number))


def _ssl() -> None:
    context = ssl.create_default_context()
    with socket.socket() as plain:
        plain.settimeout(SECONDS)
        with context.wrap_socket(plain, server_hostname=NAME) as wrapped:
            wrapped.connect((V4, 443))


def _ssl_taken() -> None:
    with socket.socket() as plain:
        plain.settimeout(SECONDS)
        wrapped = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        wrapped.check_hostname = False
        with wrapped.wrap_socket(plain) as opened:
            _TAKEN_SSL.connect(opened, (V4, 443))


def _duplicate() -> None:
    with socket.socket() as opened:
        opened.settimeout(SECONDS)
        with SlotSocket(fileno=os.dup(opened.fileno())) as again:
            again.connect((V4, 80))


def _resolver_on_loopback() -> None:
    udp(lambda s: s.sendto(b"\0", ("127.0.0.53", 53)))


async def _stream() -> None:
    await asyncio.wait_for(asyncio.open_connection(V4, 80), SECONDS)


async def _datagram() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    try:
        transport.get_extra_info("socket")._sock.sendto(b"x", (V4, 53))
    finally:
        transport.close()


async def _named() -> None:
    await asyncio.wait_for(asyncio.open_connection(NAME, 80), SECONDS)


def _proxied() -> None:
    os.environ["http_proxy"] = f"http://{V4}:3128"
    try:
        urllib.request.urlopen("http://127.0.0.1.example.org/", timeout=SECONDS)
    finally:
        del os.environ["http_proxy"]


def _urllib3() -> None:
    import urllib3

    urllib3.PoolManager(retries=False).request("GET", f"http://{V4}/", timeout=SECONDS)


def _httpx() -> None:
    import httpx

    httpx.get(f"http://{V4}/", timeout=SECONDS)


async def _httpx_async() -> None:
    import httpx

    async with httpx.AsyncClient(timeout=SECONDS) as client:
        await client.get(f"http://{V4}/")


def _http_client() -> None:
    opened = http.client.HTTPConnection(V4, timeout=SECONDS)
    try:
        opened.request("GET", "/")
    finally:
        opened.close()


def child(program: str, *arguments: str) -> None:
    """Start a program; raises OSError with what it said."""
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    raise OSError(f"{done.stdout} {done.stderr}")


def python(code: str, *options: str) -> None:
    """Start a Python; see `child`."""
    child(sys.executable, *options, "-c", code)


CONNECTING = f"import socket; socket.create_connection(('{V4}', 80), {SECONDS})"
_LOOK_UP = f"import socket; socket.getaddrinfo('{NAME}', 80)"


def _connect_in_child(answer: Any) -> None:
    try:
        tcp((V4, 80))
    except BaseException as error:
        answer.put(" ".join(_said(error)))
    else:
        answer.put("connected")


def _multiprocessing(method: Any) -> None:
    context: Any = multiprocessing.get_context(method)
    answer = context.SimpleQueue()
    process = context.Process(target=_connect_in_child, args=(answer,))
    process.start()
    process.join(30)
    raise OSError(answer.get())


def _fork() -> None:
    ours, theirs = os.pipe()
    if not (child := os.fork()):
        try:
            tcp((V4, 80))
        except BaseException as error:
            os.write(theirs, " ".join(_said(error)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(theirs)
    said = os.read(ours, 4096).decode()
    os.close(ours)
    raise OSError(said)


def _run(task: Any) -> Any:
    return asyncio.run(task())


WAYS: dict[str, Way] = {
    "connect": lambda: tcp((V4, 80)),
    "connect, IPv6": lambda: tcp((V6, 80), socket.AF_INET6),
    "connect_ex": _connect_ex,
    "a name that begins with 127.": lambda: tcp(("127.0.0.1.example.org", 80)),
    "a name that begins with localhost": lambda: tcp(("localhost.example.org", 80)),
    "a name": lambda: tcp((NAME, 80)),
    "IPv6 that begins with ::1": lambda: tcp(("::1:2:3:4", 80), socket.AF_INET6),
    "IPv6 that begins with ::1, shorter": lambda: tcp(("::1234:0", 80), socket.AF_INET6),
    "IPv4 in IPv6": lambda: tcp((f"::ffff:{V4}", 80), socket.AF_INET6),
    "link-local with a zone": lambda: tcp(("fe80::1%lo", 80), socket.AF_INET6),
    "IPv4 as a number": lambda: tcp(("3221225991", 80)),
    "IPv4 in hexadecimal": lambda: tcp(("0xC0.0.2.7", 80)),
    "private network": lambda: tcp(("10.0.0.1", 80)),
    "the cloud's metadata": lambda: tcp(("169.254.169.254", 80)),
    "broadcast": lambda: udp(lambda s: s.sendto(b"x", ("255.255.255.255", 9))),
    "multicast": lambda: udp(lambda s: s.sendto(b"x", ("224.0.0.251", 5353))),
    "sendto": lambda: udp(lambda s: s.sendto(b"x", (V4, 53))),
    "sendto with flags": lambda: udp(lambda s: s.sendto(b"x", 0, (V4, 53))),
    "sendto, IPv6": lambda: udp(lambda s: s.sendto(b"x", (V6, 53)), socket.AF_INET6),
    "sendmsg": lambda: udp(lambda s: s.sendmsg([b"x"], [], 0, (V4, 53))),
    "a connected datagram": lambda: udp(lambda s: s.connect((V4, 53))),
    "a resolver on loopback": _resolver_on_loopback,
    "getaddrinfo": lambda: socket.getaddrinfo(NAME, 80),
    "getaddrinfo of bytes": lambda: socket.getaddrinfo(NAME.encode(), 80),
    "gethostbyname": lambda: socket.gethostbyname(NAME),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex(NAME),
    "gethostbyaddr": lambda: socket.gethostbyaddr(V4),
    "getnameinfo": lambda: socket.getnameinfo((V4, 80), 0),
    "create_connection": lambda: socket.create_connection((V4, 80), SECONDS),
    "create_connection taken before": lambda: _TAKEN_CREATE((V4, 80), SECONDS),
    "socket taken before": lambda: tcp((V4, 80), kind=_TAKEN),
    "ssl": _ssl,
    "SSLSocket taken before": _ssl_taken,
    "_socket": lambda: tcp((V4, 80), kind=SlotSocket),
    "_socket on a duplicate": _duplicate,
    "asyncio": lambda: _run(_stream),
    "asyncio by name": lambda: _run(_named),
    "asyncio datagram": lambda: _run(_datagram),
    "http.client": _http_client,
    "urllib": lambda: urllib.request.urlopen(f"http://{V4}/", timeout=SECONDS),
    "urllib through a proxy": _proxied,
    "urllib3": _urllib3,
    "httpx": _httpx,
    "httpx, asynchronous": lambda: _run(_httpx_async),
    "fork": _fork,
    "multiprocessing, spawn": lambda: _multiprocessing("spawn"),
    "multiprocessing, forkserver": lambda: _multiprocessing("forkserver"),
    "a Python": lambda: python(CONNECTING),
    "a Python, by name": lambda: python(_LOOK_UP),
    "a Python by os.posix_spawn": lambda: child(
        sys.executable,
        "-c",
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CONNECTING!r}])",
    ),
}
"""What Python's own hook refuses, on every system."""


class SlotSocket(_socket.socket):
    """The class in C, as a context."""

    def __enter__(self) -> "SlotSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from _chain(part)
        error = error.__cause__ or error.__context__


def _said(error: BaseException) -> list[str]:
    return [f"{type(one).__name__}: {one}" for one in _chain(error)]


def outcome(way: Way) -> str:
    """``refused``, or what happened instead."""
    try:
        way()
    except BaseException as error:
        said = _said(error)
        told = any("offline: refused" in one or "Permission denied" in one for one in said)
        kernel = any(getattr(e, "errno", None) == errno.EACCES for e in _chain(error))
        return "refused" if told or kernel else "; ".join(said)[-300:]
    return "went through"


def main(form: str, *without: str) -> None:
    """Try every way but some under the guard, with ``sealed`` under its strong form as well."""
    from ragtune.core import offline
    from scripts.campaign.native import NATIVE

    offline.go_offline()
    missing = offline.seal() if form == "sealed" else ""
    ways = {**WAYS, **(NATIVE if form == "sealed" else {})}
    found = (
        {} if missing else {name: outcome(way) for name, way in ways.items() if name not in without}
    )
    print(json.dumps({"missing": missing, "outcomes": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
