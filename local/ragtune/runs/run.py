"""A run folder in hand: its stages are made, reused, or copied from another run.

A stage is made in ``.partial/<stage>``, entered as no longer made, its outputs are renamed into
place, and then ``lock.json`` says what it was made from and what it left: a kill at any moment
leaves a folder which the same command completes. Outputs that are not as ``lock.json`` says are
made again.
"""

import contextlib
import datetime
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ragtune.core import moves
from ragtune.core.errors import RunError
from ragtune.core.files import digest, own
from ragtune.core.progress import Silent, Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.runs.lock import DamagedLock, Entry, Lock, differing, record
from ragtune.runs.materials import Materials, restricted
from ragtune.runs.stage import Stage, Work, changes, inputs
from ragtune.runs.view import view


@dataclass(frozen=True)
class Made:
    """How a stage came to be: ``made``, ``reused`` or ``copied``; seconds of the making."""

    how: str
    seconds: float


class Run:
    """A run folder, owned by this process while it is open."""

    def __init__(self, folder: Path, watcher: Watcher | None = None) -> None:
        self.folder, self.watcher = RunFolder(folder), watcher or Silent()
        self.lock = Lock()
        self._owner: Any = None
        self._trusted = True

    def __enter__(self) -> "Run":
        """Take the folder, making it where it is missing, and read its lock.

        A lock that was edited or damaged counts as none: every stage is made again.

        Raises RunError when another process has the folder, naming that process, and where an
        older version of ragtune made it.
        """
        self._owner = own(self.folder.path)
        try:
            self.lock = Lock.load(self.folder)
        except DamagedLock as error:
            self.watcher.say(f"{error}; every stage is made again")
            self.lock, self._trusted = Lock(), False
        except BaseException:
            self._owner.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._owner.close()

    def note(self, **entries: Any) -> None:
        """Write entries beside the stages in ``lock.json``."""
        for name, value in entries.items():
            setattr(self.lock, name, value)
        self.lock.save(self.folder)

    def make(
        self,
        stage: Stage,
        recipe: Recipe,
        materials: Materials,
        *,
        environment: Callable[[], dict[str, Any]],
        again: bool = False,
    ) -> Made:
        """Make a stage's outputs unless they are there already, made from the same inputs.

        ``environment`` describes the machine, and is asked where something is made; ``again``
        makes it in any case.

        Raises RagtuneError as the stage does.
        """
        known, wanted = (
            self.lock.stages.get(stage.name),
            inputs(stage, recipe, materials, self.lock),
        )
        why = "" if known is None else self._why(known, wanted)
        if known and not why and not again:
            return Made("reused", known.seconds)
        shown = f" ({why})" if why else ""
        if not again and stage.shared and (copied := self._copied(stage, wanted, shown)):
            return Made("copied", copied.seconds)
        if known:
            self.watcher.say(f"{stage.name}: made again{shown}")
        started = time.perf_counter()
        work = Work(
            view(recipe, stage.fields),
            restricted(materials, stage.materials),
            self.folder,
            self.folder if stage.in_place else self._scratch(stage, wanted),
            self.watcher,
            damaged=not self._trusted
            or (known is not None and bool(differing(self.folder, known))),
        )
        if stage.in_place:
            self._forget(stage)
            stage.make(work)
        else:
            stage.make(work)
            self._put(stage, work.out)
        seconds = time.perf_counter() - started
        self._enter(stage, wanted, seconds, environment())
        return Made("made", seconds)

    def reason(self, stage: Stage, recipe: Recipe, materials: Materials) -> str | None:
        """Why a stage that was made has to be made again; empty: it has not; None: not made yet."""
        known = self.lock.stages.get(stage.name)
        wanted = inputs(stage, recipe, materials, self.lock)
        return None if known is None else self._why(known, wanted)

    def _why(self, known: Entry, wanted: dict[str, Any]) -> str:
        """Why a stage that was made has to be made again; empty where it has not."""
        if known.inputs != wanted:
            return changes(known.inputs, wanted)
        if damaged := differing(self.folder, known):
            more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
            return f"{damaged[0]}{more} is missing or was changed"
        return ""

    def _forget(self, stage: Stage) -> None:
        """Enter in ``lock.json`` that a stage is no longer made."""
        if self.lock.stages.pop(stage.name, None):
            self.lock.save(self.folder)

    def _enter(
        self,
        stage: Stage,
        wanted: dict[str, Any],
        seconds: float,
        environment: dict[str, Any],
    ) -> None:
        left = record(self.folder, stage.outputs(self.folder))
        name = digest(environment)[:12]
        self.lock.environments.setdefault(name, environment)
        self.lock.stages[stage.name] = Entry(
            inputs=wanted,
            outputs=left,
            outcome=stage.outcome(wanted, left),
            seconds=round(seconds, 3),
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            environment=name,
        )
        self.lock.save(self.folder)

    def _scratch(self, stage: Stage, wanted: dict[str, Any]) -> RunFolder:
        """The stage's scratch folder; what was begun from other inputs is thrown away."""
        work = self.folder.partial / stage.name.replace("/", "-")
        marker, key = work / ".key", digest(wanted)
        if work.exists() and (not marker.is_file() or marker.read_text(encoding="utf-8") != key):
            moves.remove_folder(work)
        moves.make_folder(work, self.folder.path)
        marker.write_text(key, encoding="utf-8")
        return RunFolder(work)

    def _put(self, stage: Stage, work: RunFolder) -> None:
        """Rename a stage's outputs into place, and throw its scratch folder away.

        The stage counts as not made meanwhile: what a kill leaves of two makings is no stage.
        """
        self._forget(stage)
        for fresh, place in zip(stage.outputs(work), stage.outputs(self.folder), strict=True):
            moves.make_folder(place.parent, self.folder.path)
            if place.is_dir() and not place.is_symlink():
                moves.remove_folder(place)
            moves.replace(fresh, place)
        shutil.rmtree(work.path, ignore_errors=True)

    def _copied(self, stage: Stage, wanted: dict[str, Any], why: str) -> Entry | None:
        """The entry of a stage that was copied from another run of the same recipe name."""
        stem = self.folder.name.rpartition("-")[0]
        for folder in sorted(self.folder.path.parent.glob(f"{stem}-*")):
            if folder != self.folder.path and (entry := self._copied_from(stage, wanted, folder)):
                self.watcher.say(f"{stage.name}: copied from {folder.name}{why}")
                return entry
        return None

    def _copied_from(self, stage: Stage, wanted: dict[str, Any], folder: Path) -> Entry | None:
        """Copy from one run, which is held meanwhile; None where it has not what is wanted.

        A run that another process holds, or that is damaged, has nothing to give.
        """
        sibling = RunFolder(folder)
        try:
            theirs = Lock.load(sibling).stages.get(stage.name)
            if theirs is None or theirs.inputs != wanted:
                return None
            with contextlib.closing(own(folder)):
                lock = Lock.load(sibling)
                theirs = lock.stages.get(stage.name)
                if theirs is None or theirs.inputs != wanted:
                    return None
                work = RunFolder(self.folder.partial / "copy")
                shutil.rmtree(work.path, ignore_errors=True)
                stage.copy(sibling, work)
                if differing(work, theirs):
                    shutil.rmtree(work.path, ignore_errors=True)
                    return None
        except (RunError, OSError):
            return None
        self._put(stage, work)
        self.lock.environments.setdefault(
            theirs.environment, lock.environments.get(theirs.environment, {})
        )
        self.lock.stages[stage.name] = theirs
        self.lock.save(self.folder)
        return theirs
