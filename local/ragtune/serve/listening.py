"""Where a server listens, who may ask it there, its signals, its end."""

import contextlib
import ipaddress
import signal
import socket
from collections.abc import Iterator
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from ragtune.core.errors import RecipeError
from ragtune.serve.guard import LOOPBACK, REQUESTS, Access

CONNECTIONS = 2 * REQUESTS
"""Connections that are open at once; uvicorn refuses more without a reason, the guard with one."""
GRACE = 3
"""Seconds that streams are given to end after the server was told to stop."""


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches a server there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def access(host: str, token: str) -> Access:
    """Who may ask a server at an address.

    Raises RecipeError where others could reach it and there is no token.
    """
    if is_loopback(host):
        return Access(token, LOOPBACK | {host.lower()})
    if not token:
        raise RecipeError(f"--host {host}: others could reach it, so it needs a token")
    return Access(token, None)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 is any that is free.

    Raises RecipeError where that cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, for only then asyncio sends words at once (TCP_NODELAY), and not after 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(CONNECTIONS)
    except OSError as error:
        listening.close()
        raise RecipeError(
            f"--host {host} --port {port}: {error.strerror or error}; another port may be free, "
            "--port 0 finds one"
        ) from None
    return listening


def address(listening: socket.socket, token: str = "") -> str:
    """The address to open in a browser."""
    host, port = listening.getsockname()[:2]
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{port}/" + (f"?token={token}" if token else "")


class Server(uvicorn.Server):
    """Uvicorn, which ends without raising the signal that told it to."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at Ctrl-C and at SIGTERM; at the second one without grace."""
        known: dict[Any, Any] = {}
        with contextlib.suppress(ValueError):  # not on the main thread: whoever runs it stops it
            for number in (signal.SIGINT, signal.SIGTERM):
                known[number] = signal.signal(number, self._stop)
        try:
            yield
        finally:
            for number, handler in known.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


def serving(application: ASGIApp) -> Server:
    """A server of an application; ``run(sockets=[…])`` serves until it is stopped."""
    return Server(
        uvicorn.Config(
            application,
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=GRACE,
        )
    )
