"""The run folder: atomic writes, and stages that are reused when nothing they read has changed.

A stage is made in ``.partial/<stage>``, its outputs are renamed into place, and then ``lock.json``
says that it is done and what it was made from: a kill at any moment leaves a folder which the
same command completes. What a stage read is a flat mapping of names to values, so a stale stage
can say which of them changed. A stage that another run of the same recipe name has already made
from the same inputs is copied from there.
"""

import datetime
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ragtune.core.files import digest, own, read_json, write_json

Inputs = Mapping[str, Any]
Make = Callable[[Path], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Made:
    """How a stage came to be: ``made``, ``reused`` or ``copied``; seconds of the making."""

    how: str
    seconds: float


class Run:
    """A run folder, owned by this process while it is open."""

    def __init__(self, folder: Path, say: Say = lambda line: None) -> None:
        self.folder, self._say = folder, say
        self._owner: Any = None

    def __enter__(self) -> "Run":
        """Take the folder, making it where it is missing.

        Raises RunError when another process has it, naming that process.
        """
        self._owner = own(self.folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._owner.close()

    @property
    def lock(self) -> dict[str, Any]:
        """The content of ``lock.json``, empty for a new run."""
        path = self.folder / "lock.json"
        return read_json(path) if path.exists() else {"stages": {}}

    def note(self, **entries: Any) -> None:
        """Write entries beside the stages in ``lock.json``."""
        write_json(self.folder / "lock.json", {**self.lock, **entries})

    def stage(
        self,
        name: str,
        inputs: Inputs,
        outputs: list[str],
        make: Make,
        *,
        in_place: bool = False,
        anew: bool = False,
    ) -> Made:
        """Make ``outputs`` (paths in the run folder) unless they stand there, made from ``inputs``.

        ``make`` is given a folder to write them into; what an interrupted call left there from
        the same inputs is still in it. A stage ``in_place`` is given the run folder itself, to
        bring its outputs up to date, and has to survive a kill by its own means; the stage counts
        as not made from before its start to its end. ``anew`` makes it even where it stands.
        """
        known = self.lock["stages"].get(name)
        key = digest(inputs)
        if not anew and known and known["key"] == key and self._stand(self.folder, outputs):
            return Made("reused", known["seconds"])
        changed = "" if known is None else f" ({_changes(known['inputs'], inputs)})"
        if not anew and (found := self._elsewhere(name, key, outputs)):
            self._say(f"{name}: copied from {found.name}{changed}")
            self._copy(found, outputs)
            seconds = read_json(found / "lock.json")["stages"][name]["seconds"]
            self._done(name, key, inputs, outputs, seconds)
            return Made("copied", seconds)
        if known:
            self._say(f"{name}: made again{changed}")
        started = time.perf_counter()
        if in_place:
            self._forget(name)
            make(self.folder)
        else:
            work = self._workplace(name, key)
            make(work)
            self._put(work, outputs)
            shutil.rmtree(work, ignore_errors=True)
        seconds = time.perf_counter() - started
        self._done(name, key, inputs, outputs, seconds)
        return Made("made", seconds)

    def _forget(self, name: str) -> None:
        """Enter in ``lock.json`` that a stage is no longer made."""
        lock = self.lock
        if lock["stages"].pop(name, None):
            write_json(self.folder / "lock.json", lock)

    def _workplace(self, name: str, key: str) -> Path:
        """The stage's scratch folder; what was begun from other inputs is thrown away."""
        work = self.folder / ".partial" / name.replace("/", "-")
        marker = work / ".key"
        if work.exists() and (not marker.exists() or marker.read_text() != key):
            shutil.rmtree(work)
        work.mkdir(parents=True, exist_ok=True)
        marker.write_text(key)
        return work

    def _put(self, work: Path, outputs: list[str]) -> None:
        for output in outputs:
            target = self.folder / output
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                shutil.rmtree(target)
            (work / output).replace(target)

    def _copy(self, source: Path, outputs: list[str]) -> None:
        work = self.folder / ".partial" / "copy"
        shutil.rmtree(work, ignore_errors=True)
        for output in outputs:
            target = work / output
            target.parent.mkdir(parents=True, exist_ok=True)
            if (source / output).is_dir():
                shutil.copytree(source / output, target)
            else:
                shutil.copy2(source / output, target)
        self._put(work, outputs)
        shutil.rmtree(work)

    def _elsewhere(self, name: str, key: str, outputs: list[str]) -> Path | None:
        """A sibling run folder of the same recipe name that holds this stage."""
        stem = self.folder.name.rpartition("-")[0]
        for folder in sorted(self.folder.parent.glob(f"{stem}-*")):
            if folder != self.folder and (folder / "lock.json").exists():
                stages = read_json(folder / "lock.json").get("stages", {})
                if stages.get(name, {}).get("key") == key and self._stand(folder, outputs):
                    return folder
        return None

    def _done(
        self, name: str, key: str, inputs: Inputs, outputs: list[str], seconds: float
    ) -> None:
        lock = self.lock
        lock["stages"][name] = {
            "key": key,
            "inputs": dict(inputs),
            "outputs": outputs,
            "seconds": round(seconds, 3),
            "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        write_json(self.folder / "lock.json", lock)

    @staticmethod
    def _stand(folder: Path, outputs: list[str]) -> bool:
        return all((folder / output).exists() for output in outputs)


def _changes(before: Inputs, now: Inputs) -> str:
    """Name the inputs that differ, with their values where they are short."""
    names = [n for n in {**before, **now} if before.get(n) != now.get(n)]
    shown = [
        f"{n} {before.get(n)} → {now.get(n)}" if len(f"{before.get(n)}{now.get(n)}") < 40 else n
        for n in names
    ]
    return f"changed: {', '.join(shown)}" if shown else "its outputs were missing"
