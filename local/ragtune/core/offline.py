"""The guard on connections: what may leave this machine.

``refuse_connections`` closes every socket but loopback's for the rest of the process. A verb
calls it unless its recipe names something on a hub that is not cached here.
"""

import contextlib
import os
import socket
from typing import Any
from urllib.parse import urlsplit

from ragtune.core.errors import OfflineError

_LOOPBACK = ("127.", "::1", "localhost")


_PERMITTED: set[str] = set()
"""Addresses that the user named in so many words, such as a Qdrant server's."""


def is_offline() -> bool:
    """Whether hub downloads are refused, by ``--offline`` or by HF_HUB_OFFLINE."""
    return os.environ.get("HF_HUB_OFFLINE", "") not in {"", "0"}


def go_offline() -> None:
    """Refuse hub downloads and every connection that leaves this machine, from now on.

    Must be called before ``huggingface_hub`` is imported, which reads the setting once.
    """
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    refuse_connections()


def refuse_connections() -> None:
    """Make every ``connect`` to an address that is not loopback raise OfflineError."""
    if getattr(socket.socket, "_ragtune_guard", False):
        return

    class Guarded(socket.socket):
        _ragtune_guard = True

        def _check(self, address: Any) -> None:
            try:
                _allow(self.family, address)
            except OfflineError:
                self.close()  # callers close it only after an OSError
                raise

        def connect(self, address: Any) -> None:
            self._check(address)
            super().connect(address)

        def connect_ex(self, address: Any) -> int:
            self._check(address)
            return super().connect_ex(address)

        def sendto(self, *args: Any) -> int:
            _allow(self.family, args[-1])
            return super().sendto(*args)

    socket.socket = Guarded  # type: ignore[misc]


def permit(url: str) -> None:
    """Let connections to the host of this URL through the guard, whether it is up yet or not."""
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(OSError):
        _PERMITTED.update(str(found[4][0]) for found in socket.getaddrinfo(host, None))


def _allow(family: int, address: Any) -> None:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0])
    if not host.startswith(_LOOPBACK) and host not in _PERMITTED:
        raise OfflineError(f"offline: refused to connect to {address[0]}:{address[1]}")
