"""Files of a run folder: atomic writes, hashes, and one owner at a time."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from ragtune.core.errors import RunError


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
    temporary.replace(path)


def read_json(path: Path) -> Any:
    """Read a JSON file of a run folder.

    Raises RunError where it is missing or broken.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path}: missing; is this a finished run?") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from None


def read_jsonl(path: Path) -> list[Any]:
    """Read a JSON-lines file of a run folder.

    Raises RunError where it is missing or broken.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]
    except FileNotFoundError:
        raise RunError(f"{path}: missing; is this a finished run?") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from None


def own(folder: Path) -> IO[str]:
    """Take a folder, making it where it is missing; closing what is returned gives it back.

    Raises RunError when another process has it, or this one already, naming that process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    owner = (folder / ".owner").open("a+")
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner.seek(0)
        holder = owner.read().strip() or "unknown"
        owner.close()
        raise RunError(f"{folder}: in use by process {holder}; wait for it or stop it") from None
    owner.truncate(0)
    owner.write(str(os.getpid()))
    owner.flush()
    return owner
