"""What the operating system refuses: in one line, with what to do; and what it has room for.

Libraries repeat such a refusal in exceptions of their own, from C++ and Rust as well: it is looked
for in the whole chain, and in its words where there is no number.
"""

import errno
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ragtune.core.errors import RunError

_REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space, or choose another place with --runs",
    errno.EROFS: "the file system is read-only; choose another place with --runs",
    errno.ENOTDIR: "a file is where a folder should be; move it away, or choose another place",
    errno.EISDIR: "a folder is where a file should be; move it away, or choose another place",
    errno.EACCES: "permission denied; ask its owner, or choose another place with --runs",
    errno.EPERM: "not permitted; ask its owner, or choose another place with --runs",
    errno.EEXIST: "something else is in its place; move it away",
    errno.ENOTEMPTY: "not empty; move away what is in it",
    errno.EMFILE: "too many open files; raise the limit (ulimit -n)",
    errno.ENFILE: "too many open files on this machine; close some programs",
    errno.ENAMETOOLONG: "the path is too long; choose a shorter place with --runs",
    errno.ELOOP: "links that lead in a circle; remove them",
    errno.EIO: "the disk cannot be read or written; look at the system's log",
    errno.EFBIG: "files may not become that large here; raise the limit (ulimit -f)",
    errno.ENOMEM: "not enough memory; close other programs or raise the limit (ulimit -v)",
    errno.EAGAIN: "no more threads or processes may be started; raise the limit (ulimit -u)",
    errno.ETXTBSY: "another program runs it",
    errno.EBUSY: "in use by another program or the system; close it, and try again",
    errno.ENODEV: "the file system cannot map files into memory; choose another place with --runs",
}
"""What each refusal means and what to do; EDQUOT is not known on every system."""
if hasattr(errno, "EDQUOT"):
    _REMEDIES[errno.EDQUOT] = "your share of the disk is used up (quota); free some space"
_WORDS = {os.strerror(number).lower(): number for number in _REMEDIES}
_NUMBER = re.compile(r"os error (\d+)")
_WINDOWS = {
    **{5: errno.EACCES, 8: errno.ENOMEM, 14: errno.ENOMEM, 32: errno.EBUSY, 33: errno.EBUSY},
    **{39: errno.ENOSPC, 80: errno.EEXIST, 112: errno.ENOSPC, 183: errno.EEXIST},
    206: errno.ENAMETOOLONG,
}
"""Windows' own numbers, which Python keeps beside its own and Rust has alone."""
_SHOWN = 300


def explain(error: BaseException) -> RunError | None:
    """The line for what the system refused; None where something else went wrong."""
    for one in _chain(error):
        if isinstance(one, shutil.Error):
            source, reason = _first(one)
            if (number := _number_in(reason)) is not None:
                return _line(source, number)
        if isinstance(one, OSError) and (number := _number_of(one)) is not None:
            return _line(one.filename, number)
        if isinstance(one, MemoryError):
            return _line(None, errno.ENOMEM)
        if (number := _number_in(str(one))) is not None:
            return _line(None, number)
    return None


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder."""
    if sys.platform == "win32":  # which says of rights only that a file is marked as read-only
        import tempfile

        try:
            with tempfile.TemporaryFile(dir=folder):
                return True
        except OSError:
            return False
    return os.access(folder, os.W_OK)


def require(folder: Path, needed: int, what: str) -> None:
    """Look for so many free bytes where ``folder`` is, or will be.

    A file that is mapped into memory kills its process where the disk turns out to be full.

    Raises RunError where they are not free, with how many there are.
    """
    there = next((p for p in (folder, *folder.absolute().parents) if p.is_dir()), None)
    if there is None:
        return
    free = shutil.disk_usage(there).free
    if free < needed:
        raise RunError(
            f"{folder}: the disk is full: {what} takes about {size(needed)}, and {size(free)} are "
            "free; free some space, or choose another place with --runs"
        )


def size(count: int) -> str:
    """Bytes for a person."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _line(path: object, number: int) -> RunError:
    named = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
    shown = named if len(named) <= _SHOWN else f"{named[:_SHOWN]}…"
    printable = "".join(c if c.isprintable() else "?" for c in shown)
    return RunError(f"{printable}: {_REMEDIES[number]}" if printable else _REMEDIES[number])


def _number_of(error: OSError) -> int | None:
    """What was refused; to Python an open file of Windows is one without permission."""
    number = _WINDOWS.get(getattr(error, "winerror", None) or 0, error.errno)
    return number if number in _REMEDIES else None


def _number_in(text: str) -> int | None:
    """The refusal that a library's words repeat."""
    if match := _NUMBER.search(text):
        number = int(match[1])
        number = _WINDOWS.get(number, 0) if sys.platform == "win32" else number
        return number if number in _REMEDIES else None
    lowered = text.lower()
    return next((number for words, number in _WORDS.items() if words in lowered), None)


def _first(error: shutil.Error) -> tuple[str | None, str]:
    """The first of the reasons that `shutil.copytree` collects, with its target."""
    reasons = error.args[0] if error.args else str(error)
    if isinstance(reasons, list) and reasons:
        return str(reasons[0][1]), str(reasons[0][2])
    return None, str(reasons)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from _chain(part)
        error = error.__cause__ or error.__context__


def apart() -> dict[str, Any]:
    """What makes `subprocess` start a process that a Ctrl-C at this terminal does not reach."""
    if sys.platform == "win32":
        import subprocess

        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
