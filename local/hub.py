"""What may leave this machine: hub downloads that the user asked for, and nothing else.

``refuse_connections`` closes every socket but loopback's for the rest of the process. A verb
calls it unless its recipe names something on a hub that is not cached here.
"""

import contextlib
import os
import re
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.errors import OfflineError, RagtuneError, RecordsError

_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")
_LOOPBACK = ("127.", "::1", "localhost")
_PERMITTED: set[str] = set()
"""Addresses that the user named in so many words, such as a Qdrant server's."""
_UNREACHABLE = frozenset(
    {
        "ConnectionError",
        "ConnectError",
        "ConnectTimeout",
        "LocalEntryNotFoundError",
        "OfflineError",
        "OfflineModeIsEnabled",
        "ProxyError",
    }
)
"""Names of the exceptions, ours and libraries', that mean: not cached, and no way to fetch it."""


def is_id(name: str) -> bool:
    """Whether ``name`` has the form of a hub id, ``organisation/name``; a .jsonl is a file's."""
    return bool(_ID.match(name)) and not name.endswith(".jsonl")


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


def dataset_rows(name: str, revision: str | None) -> Iterable[dict[str, Any]]:
    """The rows of the ``train`` split of a hub data set, from the cache where it is there.

    Raises OfflineError when it would have to be downloaded and may not be, RecordsError when it
    does not exist or has no such split.
    """
    import datasets

    datasets.disable_progress_bars()
    try:
        rows: Iterable[dict[str, Any]] = datasets.load_dataset(
            name, revision=revision, split="train"
        )
    except Exception as error:
        raise explain(error, f"data set {name}", RecordsError) from None
    return rows


def explain(error: Exception, what: str, kind: type[RagtuneError]) -> RagtuneError:
    """One line for a failed hub access: OfflineError without a network, else ``kind``."""
    if not any(type(e).__name__ in _UNREACHABLE for e in _chain(error)):
        return kind(f"{what}: cannot be loaded: {_first_line(error)}")
    why = "and downloads are off" if is_offline() else "and the hub cannot be reached"
    return OfflineError(
        f"{what}: not on this machine, {why}; name a local folder, or fetch it once with a "
        "network and without --offline"
    )


def snapshot(name: str, revision: str | None, what: str, kind: type[RagtuneError]) -> Path:
    """The local folder of a hub model, downloaded where it is not cached and may be.

    Raises OfflineError or ``kind``, as ``explain`` says.
    """
    from huggingface_hub import snapshot_download

    try:
        files = ["*.json", "*.safetensors", "*.model", "*.txt"]
        return Path(snapshot_download(name, revision=revision, allow_patterns=files))
    except Exception as error:
        raise explain(error, f"{what} {name}", kind) from None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
