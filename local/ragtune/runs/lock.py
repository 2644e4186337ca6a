"""``lock.json``: what each stage of a run was made from, and the hash of every file that it left.

The file carries a digest of itself, so a run that was edited by hand is known as such.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ragtune.core.errors import RunError
from ragtune.core.files import content_hash, digest, read_json, write_json
from ragtune.core.run_folder import RunFolder

FORMAT = 2
"""Raised when a run folder of before can no longer be read."""
SUM = "sha256"
"""The field that holds the digest of all the others."""


class Output(BaseModel):
    """A file that a stage left: its size in bytes and the hash of its content."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bytes: int
    sha256: str


class Entry(BaseModel):
    """A stage that was made.

    ``inputs`` are flat: recipe fields by their dotted names, fingerprints of what lies outside the
    run folder, outcomes of other stages. ``outcome`` is what stages after this one depend on.
    """

    model_config = ConfigDict(extra="forbid")

    inputs: dict[str, Any]
    outputs: dict[str, Output]
    outcome: str
    seconds: float
    finished: str
    environment: str


class Lock(BaseModel):
    """The content of ``lock.json``.

    ``recipe`` is the hash of ``recipe.yaml``, ``identity`` the digest of what is measured by it.
    """

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    identity: str = ""
    recipe: str = ""
    recipe_folder: str = "."
    data: dict[str, Any] = {}
    stages: dict[str, Entry] = {}
    environments: dict[str, dict[str, Any]] = {}

    @classmethod
    def load(cls, folder: RunFolder) -> "Lock":
        """Read a run folder's lock; an empty one where there is none.

        Raises RunError for a lock of an older version, DamagedLock for one that was edited or
        damaged.
        """
        if not folder.lock.exists():
            return cls()
        try:
            content = read_json(folder.lock)
        except RunError as error:
            raise DamagedLock(str(error)) from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            if isinstance(content, dict) and "format" not in content and "stages" in content:
                raise RunError(
                    f"{folder}: made by an older version of ragtune, which this one does not read; "
                    "move it away or delete it, and run its recipe again"
                )
            raise DamagedLock(f"{folder.lock}: not of this version of ragtune, or damaged")
        written = content.pop(SUM, None)
        if written != digest(content):
            raise DamagedLock(f"{folder.lock}: edited or damaged since ragtune wrote it")
        try:
            return cls.model_validate(content)
        except ValidationError:
            raise DamagedLock(f"{folder.lock}: edited or damaged since ragtune wrote it") from None

    def save(self, folder: RunFolder) -> None:
        """Write it in one step."""
        content = self.model_dump(mode="json")
        write_json(folder.lock, {**content, SUM: digest(content)})

    def environment(self, stages: Iterable[str]) -> dict[str, Any]:
        """The machine and versions that the first of these stages was made with."""
        entries = [self.stages[name] for name in stages if name in self.stages]
        return next((self.environments.get(e.environment, {}) for e in entries), {})


class DamagedLock(RunError):
    """A ``lock.json`` that cannot be trusted; what it says was made has to be made again."""


def record(folder: RunFolder, outputs: Iterable[Path]) -> dict[str, Output]:
    """Every file of these outputs, hashed; a folder is all files in it but those with a dot."""
    found = {}
    for output in outputs:
        files = sorted(p for p in output.rglob("*") if p.is_file()) if output.is_dir() else [output]
        for path in files:
            inside = path.relative_to(folder.path)
            if not any(part.startswith(".") for part in inside.parts):
                found[inside.as_posix()] = Output(
                    bytes=path.stat().st_size, sha256=content_hash(path)
                )
    return found


def differing(folder: RunFolder, entry: Entry) -> list[str]:
    """The files of a stage that are missing or not as it left them."""
    return [
        name for name, output in entry.outputs.items() if not _holds(folder.path / name, output)
    ]


def _holds(path: Path, output: Output) -> bool:
    try:
        return path.stat().st_size == output.bytes and content_hash(path) == output.sha256
    except (OSError, RunError):
        return False
