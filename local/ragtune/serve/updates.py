"""Documents that change while a run is served: seen, counted, indexed."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ragtune.core.errors import RagtuneError, RunError
from ragtune.core.files import digest
from ragtune.core.progress import Watcher
from ragtune.runs.materials import Materials
from ragtune.runs.open import OpenRun
from ragtune.sources.documents import CONTEXTS, Corpus

Stamp = str
"""Of all files in the folder of documents: names, sizes, times."""


class Updates:
    """Compares a run's documents with its index, and brings the index up to date."""

    def __init__(self, opened: OpenRun, every: float, watcher: Watcher) -> None:
        """Bind; ``every`` so many seconds the documents are looked at, never where it is 0."""
        self.opened, self.every, self.watcher = opened, every, watcher
        self._one = threading.Lock()
        self._end = threading.Event()
        self._known: tuple[Stamp, str, dict[str, Any] | None] | None = None
        self._listed: tuple[Stamp, Corpus] | None = None
        self._embedder: Any = None
        self._thread = threading.Thread(target=self._watch, name="ragtune-watch", daemon=True)

    @property
    def watching(self) -> bool:
        """Whether changes are indexed without being asked for."""
        return self.every > 0

    def start(self) -> None:
        """Begin to watch, if that is wanted."""
        if self.watching and self._folder() is not None:
            self._thread.start()

    def close(self) -> None:
        """Watch no more; an update that is under way is waited for."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def index(self) -> dict[str, Any]:
        """Bring the index up to date with the documents: what ``ragtune index`` says in JSON.

        Raises RagtuneError where documents or the index cannot be used, or an update is under way.
        """
        from ragtune.runs.pipeline import Pipeline

        if not self._one.acquire(blocking=False):
            raise RunError("the index is being brought up to date already")
        try:
            pipeline = Pipeline(self.opened.recipe, self.opened.folder.path, self.watcher)
            if self._embedder is not None:  # loaded by the update before; searches have their own
                pipeline.materials.embedder = self._embedder
            pipeline.materials.embedder_fingerprint = self.opened.materials.embedder_fingerprint
            made = pipeline.index()
            self._embedder = pipeline.materials.embedder
            self.opened.refresh()
            return made
        finally:
            self._known = None
            self._one.release()

    def behind(self) -> dict[str, Any] | None:
        """Which documents differ from what the index holds; None where it is up to date.

        Documents are read only where a name, a size or a time has changed since.
        """
        if self._folder() is None or not self.opened.folder.manifest.exists():
            return None
        stamp, held = self._stamp(), _stamp_of(self.opened.folder.manifest)
        known = self._known
        if known is not None and known[:2] == (stamp, held):
            return known[2]
        from ragtune.retrieval import index

        try:
            changes = index.status(self._corpus(stamp), self.opened.folder.index)
        except RagtuneError as error:
            return {"error": str(error)}
        names = {
            kind: list(getattr(changes, kind))
            for kind in ("added", "changed", "removed", "unfinished")
        }
        found = names if changes.touched else None
        self._known = stamp, held, found
        return found

    def documents(self) -> Callable[[str], str | None]:
        """Reads a document by its name, as it is now: its text, None where it is not there."""

        def read(name: str) -> str | None:
            try:
                corpus = self._corpus(self._stamp())
                if name not in corpus.hashes:
                    return None
                return "\n\n".join(part.text for part in corpus.read(name))
            except RagtuneError:
                return None

        return read

    def _watch(self) -> None:
        seen = ""
        while not self._end.wait(self.every):
            stamp = self._stamp()
            try:
                if stamp == seen or self.behind() is None:
                    seen = stamp
                    continue
                if self._end.wait(min(self.every, 0.2)) or self._stamp() != stamp:
                    continue  # somebody is still writing
                made = self.index()
                self.watcher.say(f"watch: {made['documents']} documents, {made['chunks']} chunks")
                seen = stamp
            except RagtuneError as error:
                self.watcher.say(f"watch: {error}")
                seen = stamp

    def _corpus(self, stamp: Stamp) -> Corpus:
        listed = self._listed
        if listed is None or listed[0] != stamp:
            listed = stamp, Materials(self.opened.recipe).corpus
            self._listed = listed
        return listed[1]

    def _folder(self) -> Path | None:
        recipe = self.opened.recipe
        if recipe.documents is None or recipe.documents.source == CONTEXTS:
            return None
        return recipe.path(recipe.documents.source)

    def _stamp(self) -> Stamp:
        folder = self._folder()
        found = []
        for here, folders, files in os.walk(folder) if folder else ():
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                if not name.startswith("."):
                    path = Path(here, name)
                    found.append((str(path), _stamp_of(path)))
        return digest(sorted(found))


def _stamp_of(path: Path) -> str:
    try:
        about = path.stat()
    except OSError:
        return ""
    return f"{about.st_size} {about.st_mtime_ns} {about.st_ino}"
