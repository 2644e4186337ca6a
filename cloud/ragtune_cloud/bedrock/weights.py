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
        for tensor, entry in _header(files, name).items():
            if tensor in shapes:
                raise CloudError(f"{files.place}: {tensor} is in two files; export it again")
            shapes[tensor], types[tensor] = tuple(entry["shape"]), str(entry["dtype"])
    if INDEX in files.sizes:
        named = set(json.loads(files.read(INDEX))["weight_map"])
        if missing := sorted(named - shapes.keys()):
            raise CloudError(
                f"{files.place}: {len(missing)} tensors are missing, first {missing[0]}; "
                "fetch or export it again"
            )
    return Weights(shapes, types, sum(files.sizes[name] for name in names))


def _header(files: ModelFiles, name: str) -> dict[str, dict[str, Any]]:
    """A file's tensors; raises CloudError unless the file is as long as its header says."""
    start = files.read(name, 0, LENGTH)
    length = int.from_bytes(start, "little")
    whole = len(start) == LENGTH and 0 < length <= LONGEST
    try:
        found = json.loads(files.read(name, LENGTH, length)) if whole else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CloudError(f"{files.place}: {name} is no safetensors file; fetch or export it again")
    found.pop("__metadata__", None)
    ends = [int(entry["data_offsets"][1]) for entry in found.values()]
    expected = LENGTH + length + max(ends, default=0)
    if files.sizes[name] != expected:
        raise CloudError(
            f"{files.place}: {name} has {files.sizes[name]} bytes, its header says {expected}; "
            "fetch or export it again"
        )
    return found
