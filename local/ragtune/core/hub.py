"""What may leave this machine: hub downloads that the user asked for, and nothing else.

``refuse_connections`` closes every socket but loopback's for the rest of the process. A verb
calls it unless its recipe names something on a hub that is not cached here.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ragtune.core.errors import OfflineError, RagtuneError, RecordsError
from ragtune.core.offline import is_offline

_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")
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


MODEL_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "ragtune.yaml")
"""What is fetched of a model: configurations, weights with all their parts, tokenizer, template."""
TWICE = ("original/*", "consolidated*", "onnx/*", "openvino/*", "coreml/*", "metal/*")
"""The same weights in other layouts, as Meta, Mistral and others publish them beside."""


def is_id(name: str) -> bool:
    """Whether ``name`` has the form of a hub id, ``organisation/name``; a .jsonl is a file's."""
    return bool(_ID.match(name)) and not name.endswith(".jsonl")


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
        folder = snapshot_download(
            name,
            revision=revision,
            allow_patterns=list(MODEL_FILES),
            ignore_patterns=list(TWICE),
        )
        return Path(folder)
    except Exception as error:
        raise explain(error, f"{what} {name}", kind) from None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
