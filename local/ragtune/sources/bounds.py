"""What the reading of one file may take: processor seconds, memory, and what comes of it.

A kilobyte can be made to unpack to gigabytes or to keep a parser busy for hours, and no parser here
bounds itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000
_SECONDS, _SECONDS_MB = 20, 2
_MEMORY, _MEMORY_MB = 1_000, 30
_LARGE = 10
"""Megabytes from which the memory grows with the file."""
_OUTCOME, _OUTCOME_MB = 2, 25
_CLOCK, _CLOCK_MB, _CLOCK_LARGE = 45, 0.5, 4
"""Seconds of the clock, more a megabyte, and how many times the processor seconds of what is over
`_LARGE`: what is smaller takes less than a minute on a busy machine too."""
_SCAN_SECONDS_MB, _SCAN_MEMORY, _SCAN_PATIENCE = 60, 1_900, 4
"""Of files in which pictures of pages are recognised, several seconds each."""


@dataclass(frozen=True)
class Bounds:
    """Processor seconds, bytes of memory, characters of what is read, and seconds of the clock."""

    seconds: float
    memory: int
    outcome: int
    clock: float


def bounds_of(path: Path, *, scans: bool = False) -> Bounds:
    """The bounds of a file, by its size; ``scans``: pictures of pages are recognised in it."""
    size = path.stat().st_size / MB
    over = max(0.0, size - _LARGE)
    memory = (_SCAN_MEMORY if scans else _MEMORY) + _MEMORY_MB * over
    if scans:
        seconds = _SECONDS + _SCAN_SECONDS_MB * size
        clock = _SCAN_PATIENCE * seconds
    else:
        seconds = _SECONDS + _SECONDS_MB * size
        clock = _CLOCK + _CLOCK_MB * min(size, _LARGE) + _CLOCK_LARGE * _SECONDS_MB * over
    outcome = _OUTCOME + _OUTCOME_MB * size
    return Bounds(seconds, int(memory * MB), int(outcome * MB), clock)


WIDER: list[Callable[[Bounds], None]] = []
"""Who is told, in a process that keeps to bounds, that a file may take more."""


def widen(bounds: Bounds) -> None:
    """Let the file that is being read take so much from now on."""
    for tell in WIDER:
        tell(bounds)
