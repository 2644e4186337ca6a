"""What the reading of one file may take: processor seconds, memory, and what comes of it.

A kilobyte can be made to unpack to gigabytes or to keep a parser busy for hours, and no parser here
bounds itself.
"""

from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000
_SECONDS, _SECONDS_MB = 20, 2
_MEMORY, _MEMORY_MB = 1_000, 30
_LARGE = 10
"""Megabytes from which the memory grows with the file."""
_OUTCOME, _OUTCOME_MB = 2, 25
_SCAN_SECONDS_MB, _SCAN_MEMORY = 60, 3_000
"""Of files whose pages may be recognised as pictures, several seconds each."""


@dataclass(frozen=True)
class Bounds:
    """Processor seconds, bytes of memory, and characters of what is read."""

    seconds: float
    memory: int
    outcome: int


def bounds_of(path: Path, *, scans: bool = False) -> Bounds:
    """The bounds of a file, by its size; ``scans``: pictures of text are recognised in it."""
    size = path.stat().st_size / MB
    seconds = _SECONDS + (_SCAN_SECONDS_MB if scans else _SECONDS_MB) * size
    memory = (_SCAN_MEMORY if scans else _MEMORY) + _MEMORY_MB * max(0.0, size - _LARGE)
    outcome = _OUTCOME + _OUTCOME_MB * size
    return Bounds(seconds, int(memory * MB), int(outcome * MB))
