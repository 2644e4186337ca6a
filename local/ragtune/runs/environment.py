"""What a run was made with: versions and hardware, for the evidence."""

import functools
import importlib.metadata
import os
import platform
from typing import Any

from ragtune import __version__
from ragtune.core import machine
from ragtune.models.hardware import Hardware

LIBRARIES = (
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "datasets",
    "llama-index-core",
    "qdrant-edge-py",
    "sentence-transformers",
)


def describe(hardware: Hardware) -> dict[str, Any]:
    """Versions, the machine's kind and size, and what was chosen because of it."""
    return {
        "ragtune": __version__,
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in LIBRARIES},
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gib": round(machine.memory() / 2**30, 1),
        **hardware.to_json(),
    }


@functools.cache
def _version(name: str) -> str:
    """A library's version; every stage notes it, and each time its metadata would be parsed."""
    return importlib.metadata.version(name)
