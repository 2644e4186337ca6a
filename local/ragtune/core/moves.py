"""Files and folders of a run moved, removed and made, on systems that differ in what they allow.

On Windows a file that anybody has open is neither replaced nor removed, and virus scanners open
what was just written: such a refusal is waited for a moment, and then named.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from ragtune.core.errors import RunError

PATIENCE = 3.0
"""Seconds that a refusal is waited for."""
_PAUSE = 0.05
_HELD = (5, 32, 33)
"""Windows' numbers: access denied, which it also says of open files; sharing; a locked part."""


def replace(source: Path, target: Path) -> None:
    """Rename a file or folder to ``target``; a file that is there is replaced.

    Raises RunError where another program keeps holding one of them, else OSError.
    """
    _waiting(lambda: source.replace(target), target)


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it; nothing where it is missing.

    Raises RunError where another program keeps holding a file of it, else OSError.
    """
    if folder.exists():
        _waiting(lambda: shutil.rmtree(folder), folder)


def make_folder(folder: Path, within: Path) -> None:
    """Make a folder in ``within``, and those between.

    What is no folder but in the place of one, such as a file or a link to nothing, is removed: it
    is in a folder where ragtune alone writes.
    """
    between = [place for place in folder.parents if within in place.parents]
    for place in (*reversed(between), folder):
        if os.path.lexists(place) and not place.is_dir():
            place.unlink()
    folder.mkdir(parents=True, exist_ok=True)


def relative(path: Path, folder: Path) -> str:
    """The way from a folder to a path, with ``/``; the whole path where there is none.

    On Windows nothing leads from one drive to another.
    """
    try:
        way = os.path.relpath(path.resolve(), folder.resolve())
    except ValueError:
        way = str(path.resolve())
    return way.replace(os.sep, "/")


def _waiting(step: Callable[[], object], named: Path) -> None:
    last = time.monotonic() + PATIENCE
    while True:
        try:
            step()
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _HELD:
                raise
            if time.monotonic() > last:
                raise RunError(
                    f"{named}: another program has it open; close it, and give the same command "
                    "again"
                ) from None
            time.sleep(_PAUSE)
        else:
            return
