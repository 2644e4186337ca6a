"""Whether a file is as it was, seen without reading it.

A stamp has what a system notes of a file: size, time of the last change of its bytes and of its
entry (in nanoseconds, as coarse as the system's clock), and its number on the device. A file that
is written in place, replaced, or set back to an older time has another one: nothing but the system
itself sets the time of an entry. What changes within a tick of the clock may not, so a stamp is
trusted only once it is older than `SETTLED` (git's "racily clean" rule).
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

SETTLED = 2.0
"""Seconds: more than the coarsest clock of a file system in use has (FAT's ticks are 2 s)."""

Stamp = tuple[int, int, int, int, int]


def stamp(about: os.stat_result) -> Stamp:
    """What is noted of a file."""
    return (
        about.st_size,
        about.st_mtime_ns,
        about.st_ctime_ns,
        about.st_ino,
        about.st_dev,
    )


def is_settled(noted: Stamp, now: float | None = None) -> bool:
    """Whether a file's last change is so long ago that a later one has another stamp.

    Times ahead of ``now``, which another machine's clock makes, are never.
    """
    now = time.time() if now is None else now
    return max(noted[1], noted[2]) / 1e9 <= now - SETTLED


def settled(paths: Iterable[Path]) -> tuple[tuple[str, Stamp], ...] | None:
    """The stamps of files, and of all files in folders; None where one is missing or too new."""
    found = []
    try:
        for path in paths:
            inside = sorted(path.iterdir()) if path.is_dir() else []
            for one in (path, *inside):
                found.append((str(one), stamp(one.stat())))
    except OSError:
        return None
    now = time.time()
    return tuple(found) if all(is_settled(noted, now) for _, noted in found) else None
