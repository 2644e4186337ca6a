"""What a run was made with: versions and hardware, for the evidence."""

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
        "versions": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gib": round(machine.memory() / 2**30, 1),
        **hardware.to_json(),
    }
