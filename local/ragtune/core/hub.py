"""What may leave this machine: hub downloads that the user asked for, and nothing else.

``refuse_connections`` closes every socket but loopback's for the rest of the process. A verb
calls it unless its recipe names something on a hub that is not cached here.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ragtune.core.errors import OfflineError, RagtuneError, RecordsError
from ragtune.core.offline import is_offline

PREFIX = "hub:"
"""Says that what follows is a hub id, whatever it looks like."""
_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")
_FILE = re.compile(
    r"\.(?:jsonl?|ndjson|[ct]sv|parquet|arrow|xlsx?|ods|txt|md|ya?ml|pdf|docx?|html?|xml|db|sqlite"
    r"|gz|zip|tar|tgz|zst|bz2|xz|7z|gguf|safetensors|bin|pth?|pkl|onnx|py)$",
    re.IGNORECASE,
)
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


def is_id(name: str, beside: Path = Path()) -> bool:
    """Whether ``name`` has the form of a hub id, ``organisation/name``, and is no path.

    It is one where it ends as a file does, or where its first part is in the folder ``beside``.
    """
    if not _ID.match(name) or _FILE.search(name):
        return False
    return not os.path.lexists(beside / name.partition("/")[0])


def named(value: str, beside: Path) -> str | None:
    """The hub id that a recipe in the folder ``beside`` names; None where it names something else.

    ``hub:`` before it says so, also of an id without an organisation; a split may follow.
    """
    if value.startswith(PREFIX):
        return split_of(value)[0]
    return value if is_id(value, beside) else None


def split_of(value: str) -> tuple[str, str]:
    """The id and the split of ``hub:owner/name#split``; the split is empty where none is given."""
    name, _, split = value.removeprefix(PREFIX).partition("#")
    return name, split


def dataset_rows(
    name: str, revision: str | None, split: str = "train", config: str | None = None
) -> Iterable[dict[str, Any]]:
    """The rows of a split of a hub data set, from the cache where it is there.

    Raises OfflineError when it would have to be downloaded and may not be, RecordsError when it
    does not exist, has no such split, or has configurations of which one must be named.
    """
    import datasets

    datasets.disable_progress_bars()
    try:
        rows: Any = datasets.load_dataset(name, config, revision=revision, split=split)
    except Exception as error:
        raise _of_dataset(error, name) from None
    return _without_classes(rows)


def _of_dataset(error: Exception, name: str) -> RagtuneError:
    """One line for a data set that cannot be loaded, with the names that there are."""
    told = " ".join(str(error).split())
    if match := re.search(r"Unknown split .*?Should be one of \[(.*?)\]", told):
        there = match[1].replace("'", "")
        return RecordsError(f"data set {name}: has no such split; records.hub_split: {there}")
    if match := re.search(r"(?:among the available configs|Available): \[(.*?)\]", told):
        there = match[1].replace("'", "")
        return RecordsError(f"data set {name}: name its configuration, records.hub_config: {there}")
    return explain(error, f"data set {name}", RecordsError)


def _without_classes(rows: Any) -> Iterable[dict[str, Any]]:
    """The rows, with labels by their names instead of their numbers."""
    features = getattr(rows, "features", None) or {}
    names = {key: one.names for key, one in features.items() if hasattr(one, "int2str")}
    if not names:
        found: Iterable[dict[str, Any]] = rows
        return found
    return (
        {
            key: names[key][value] if key in names and value is not None and value >= 0 else value
            for key, value in row.items()
        }
        for row in rows
    )


def explain(error: Exception, what: str, kind: type[RagtuneError]) -> RagtuneError:
    """One line for a failed hub access: OfflineError without a network, else ``kind``."""
    if not any(type(e).__name__ in _UNREACHABLE for e in _chain(error)):
        return kind(f"{what}: cannot be loaded: {_first_line(error)}")
    why = "and downloads are off" if is_offline() else "and the hub cannot be reached"
    return OfflineError(
        f"{what}: not on this machine, {why}; name a local folder, or fetch it once with a "
        "network and without --offline"
    )


def snapshot(
    name: str,
    revision: str | None,
    what: str,
    kind: type[RagtuneError],
    *,
    weights: bool = True,
) -> Path:
    """The local folder of a hub model, downloaded where it is not cached and may be.

    Without ``weights`` none are fetched; those that are cached are in it.

    Raises OfflineError or ``kind``, as ``explain`` says.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            name,
            revision=revision,
            allow_patterns=list(MODEL_FILES),
            ignore_patterns=[*TWICE, *([] if weights else ["*.safetensors"])],
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
