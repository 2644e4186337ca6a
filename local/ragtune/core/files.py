"""Files of a run folder: atomic writes, hashes, copies that keep holes, one owner at a time."""

import contextlib
import errno
import hashlib
import json
import mmap
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

try:
    import fcntl
except ImportError:  # Windows, where readers take turns as well
    fcntl = None  # type: ignore[assignment]

from ragtune.core import moves, system
from ragtune.core.errors import RunError

BLOCK = 64 * 1024
"""Bytes that are compared with zeros together; a part of `content_hash`."""
_ZEROS = bytes(BLOCK)
OWNER, LOCK = ".owner", ".owner.lock"
"""Who has a folder, and the file that is locked."""


def digest(value: Any) -> str:
    """SHA-256 of a JSON-serialisable value, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal.

    Raises RunError where it is missing.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise RunError(f"{path}: missing; finish the run first") from None


def write_json(path: Path, value: Any) -> None:
    """Write JSON to a temporary name beside ``path``, then rename."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Any]) -> None:
    """Write one JSON value a line to a temporary name beside ``path``, then rename."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to a temporary name beside ``path``, flush it to the disk, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    moves.replace(temporary, path)


def read_json(path: Path) -> Any:
    """Read a JSON file of a run folder.

    Raises RunError where it is missing or broken.
    """
    try:
        return json.loads(_regular(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path}: missing; is this a finished run?") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read: {_reason(error)}") from None


def read_jsonl(path: Path) -> list[Any]:
    """Read a JSON-lines file of a run folder.

    Raises RunError where it is missing or broken.
    """
    try:
        lines = _regular(path).read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]
    except FileNotFoundError:
        raise RunError(f"{path}: missing; is this a finished run?") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read: {_reason(error)}") from None


def _regular(path: Path) -> Path:
    """The same path; a pipe or a device is not waited for.

    Raises ValueError where it is there and no file.
    """
    if path.exists() and not path.is_file():
        raise ValueError("not a file")
    return path


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)[:200]


def content_hash(path: Path) -> str:
    """SHA-256 of a file's size and of its blocks that are not all zero, in hexadecimal.

    A sparse file and its dense copy hash alike, and holes are not read: the files of an empty
    index, 180 MB of them, take milliseconds. It is not the `file_hash` of the same file.

    Raises RunError where it is missing or no file.
    """
    found = hashlib.sha256()
    try:
        with _regular(path).open("rb") as file:
            found.update(os.fstat(file.fileno()).st_size.to_bytes(8, "big"))
            for offset, block in _blocks(file):
                found.update(offset.to_bytes(8, "big"))
                found.update(block)
    except FileNotFoundError:
        raise RunError(f"{path}: missing; finish the run first") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {_reason(error)}") from None
    return found.hexdigest()


def copy_tree(source: Path, target: Path, *, leave_out: Iterable[str] = ()) -> None:
    """Copy a folder to a place where nothing is; blocks of zeros become holes.

    Files keep their times and rights; ``leave_out`` are names, at any depth, that are not copied.
    Where the file system has no holes the copy is dense.

    Raises FileExistsError where ``target`` exists.
    """
    shutil.copytree(
        source, target, ignore=shutil.ignore_patterns(*leave_out), copy_function=_copy_file
    )


def _copy_file(source: str, target: str) -> None:
    with Path(source).open("rb") as read, Path(target).open("wb") as write:
        write.truncate(os.fstat(read.fileno()).st_size)
        for offset, block in _blocks(read):
            write.seek(offset)
            write.write(block)
    shutil.copystat(source, target)


def _blocks(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Offset and content of each block that is not all zero, the last one as long as is left."""
    size = os.fstat(file.fileno()).st_size
    offset = 0
    while (offset := _data_from(file.fileno(), offset, size)) < size:
        offset -= offset % BLOCK
        file.seek(offset)
        block = file.read(BLOCK)
        if not block:  # it was shortened meanwhile
            return
        if block != _ZEROS[: len(block)]:
            yield offset, block
        offset += len(block)


def _data_from(descriptor: int, offset: int, size: int) -> int:
    """The offset of the next byte that is not in a hole; ``offset`` where holes are not known."""
    if not hasattr(os, "SEEK_DATA"):
        return offset
    try:
        return os.lseek(descriptor, offset, os.SEEK_DATA)
    except OSError as error:  # ENXIO: only a hole is left; else the file system has no holes
        return size if error.errno == errno.ENXIO else offset


def allocated(folder: Path) -> int:
    """The bytes that a folder's files take on the disk; holes take none, where that is known."""
    return sum(_on_disk(path.stat()) for path in folder.rglob("*") if path.is_file())


def _on_disk(about: os.stat_result) -> int:
    return 512 * about.st_blocks if hasattr(about, "st_blocks") else about.st_size


def unfilled(folder: Path, among: Iterable[Path]) -> int:
    """The bytes that files in a folder take beside what they have, once they are mapped and read.

    Most file systems keep holes that are read; one in memory (tmpfs) fills them.
    """
    if not _fills_holes(folder):
        return 0
    return sum(max(0, about.st_size - _on_disk(about)) for about in map(Path.stat, among))


def _fills_holes(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.truncate(mmap.PAGESIZE)
            if not hasattr(os.fstat(file.fileno()), "st_blocks"):
                return False
            with mmap.mmap(file.fileno(), mmap.PAGESIZE) as mapped:
                mapped[0]  # a shared mapping, as the engine's: a private one fills none
            return bool(os.fstat(file.fileno()).st_blocks)
    except OSError:
        return False


PATIENCE = 0.3
"""Seconds that `own` and `share` wait: readers hold an index for as long as they copy it."""
_PAUSE = 0.02


class Ownership:
    """A folder that this process has; `close` gives it back, and a second call does nothing."""

    def __init__(self, release: Callable[[], object]) -> None:
        self._release: Callable[[], object] | None = release

    def close(self) -> None:
        """Give the folder back."""
        release, self._release = self._release, None
        if release is not None:
            release()


def own(folder: Path) -> Ownership:
    """Take a folder, making it where it is missing, until what is returned is closed.

    The process's number is in ``.owner``; the lock is on a file of its own, for on Windows
    nobody else can read a locked one.

    Raises RunError when another process has it, or this one already, naming that process; and
    where it cannot be written.
    """
    if not _is_utf8(folder):
        raise RunError(
            f"{os.fsencode(folder.absolute()).decode(errors='backslashreplace')}: its name is "
            "not valid UTF-8, which libraries do not read; rename it, or choose another place"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, thread_local=False)
        lock.acquire(timeout=PATIENCE, poll_interval=_PAUSE)
    except Timeout:
        raise _in_use(folder) from None
    except (OSError, NotImplementedError) as error:  # or a file system without locks
        raise system.explain(error) or RunError(f"{folder}: cannot be taken: {error}") from None
    try:
        _sign(folder)
    except OSError as error:
        lock.release()
        raise system.explain(error) or RunError(f"{folder}: cannot be taken: {error}") from None
    return Ownership(lock.release)


def share(folder: Path) -> Ownership:
    """Take a folder for reading, as others may at the same time; nobody can `own` it meanwhile.

    One that cannot be written is read all the same: it keeps no lock that is not there already.

    Raises RunError when a process owns it, naming that process, and where there is no folder.
    """
    if not system.is_writable(folder) and folder.is_dir():
        if fcntl is None or not (folder / LOCK).is_file():
            return Ownership(lambda: None)
    elif fcntl is None:
        return own(folder)
    try:
        file = _lock_file(folder)
    except OSError as error:
        raise RunError(f"{folder}: cannot be read: {error.strerror}") from None
    last = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > last:
                file.close()
                raise _in_use(folder) from None
            time.sleep(_PAUSE)
        else:
            with contextlib.suppress(OSError):  # of another user's, or read-only
                _sign(folder)
            return Ownership(file.close)


def _lock_file(folder: Path) -> IO[Any]:
    """The file that is locked, opened for writing where that is allowed."""
    try:
        return (folder / LOCK).open("a")
    except OSError:
        if not (folder / LOCK).is_file():
            raise
        return (folder / LOCK).open("rb")


def _is_utf8(folder: Path) -> bool:
    try:
        return bool(str(folder.absolute()).encode())
    except UnicodeEncodeError:
        return False


def _sign(folder: Path) -> None:
    (folder / OWNER).write_text(str(os.getpid()), encoding="utf-8")


def _in_use(folder: Path) -> RunError:
    holder = _text(folder / OWNER) or "unknown"
    return RunError(f"{folder}: in use by process {holder}; wait for it or stop it")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
