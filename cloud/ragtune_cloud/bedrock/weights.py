"""What safetensors files say of themselves in their headers; no weight is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from ragtune.core.errors import CloudError
from ragtune_cloud.bedrock.source import ModelFiles

LENGTH = 8
"""Bytes at the start of a file that give the header's length, little-endian."""
LONGEST = 100_000_000
"""Bytes; the longest header that the format allows."""
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class Weights:
    """The tensors of a model: shape and type of each, and the bytes of all files."""

    shapes: Mapping[str, tuple[int, ...]]
    types: Mapping[str, str]
    size: int

    @property
    def parameters(self) -> int:
        """How many numbers they hold."""
        return sum(prod(shape) for shape in self.shapes.values())

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types that occur, such as ``BF16``."""
        return tuple(sorted(set(self.types.values())))


def weights(files: ModelFiles) -> Weights:
    """Read the headers of all safetensors files, and hold them against each other and the index.

    Raises CloudError where there are none, a file is cut off, or a tensor is missing or there
    twice.
    """
    names = sorted(name for name in files.sizes if name.endswith(".safetensors"))
    if not names:
        raise CloudError(
            f"{files.place}: no weights in safetensors; export the run with `ragtune export`"
        )
    shapes: dict[str, tuple[int, ...]] = {}
    types: dict[str, str] = {}
    for name in names:
        for tensor, (kind, shape) in _header(files, name).items():
            if tensor in shapes:
                raise CloudError(f"{files.place}: {tensor} is in two files; export it again")
            shapes[tensor], types[tensor] = shape, kind
    if INDEX in files.sizes:
        try:
            named = set(json.loads(files.read(INDEX))["weight_map"])
        except (ValueError, KeyError, TypeError):
            raise CloudError(f"{files.place}: {INDEX} is broken; export it again") from None
        if missing := sorted(named - shapes.keys()):
            raise CloudError(
                f"{files.place}: {len(missing)} tensors are missing, first {missing[0]}; "
                "fetch or export it again"
            )
    return Weights(shapes, types, sum(files.sizes[name] for name in names))


def _header(files: ModelFiles, name: str) -> dict[str, tuple[str, tuple[int, ...]]]:
    """A file's tensors: type and shape.

    Raises CloudError unless the file is as long as its header says.
    """
    start = files.read(name, 0, LENGTH)
    length = int.from_bytes(start, "little")
    whole = len(start) == LENGTH and 0 < length <= LONGEST
    try:
        content: Any = json.loads(files.read(name, LENGTH, length)) if whole else None
        entries = {tensor: e for tensor, e in content.items() if tensor != "__metadata__"}
        ends = [int(entry["data_offsets"][1]) for entry in entries.values()]
        found = {t: (str(e["dtype"]), tuple(map(int, e["shape"]))) for t, e in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise CloudError(
            f"{files.place}: {name} is no safetensors file; fetch or export it again"
        ) from None
    expected = LENGTH + length + max(ends, default=0)
    if files.sizes[name] != expected:
        raise CloudError(
            f"{files.place}: {name} has {files.sizes[name]} bytes, its header says {expected}; "
            "fetch or export it again"
        )
    return found
