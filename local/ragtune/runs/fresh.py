"""The index of a run, searched in a copy of its own: readers shut nobody out.

The embedded engine lets one process open a store. So whoever only reads copies the index, which
takes 20 ms for 150 chunks, and copies it again when the run's own has changed; updates go on
meanwhile, and answers say by which state they were given.
"""

import datetime
import itertools
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import RunError
from ragtune.core.files import digest
from ragtune.retrieval.filters import Filter
from ragtune.retrieval.manifest import FILE, Manifest
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.section import Mode
from ragtune.retrieval.stores.base import EMBEDDED


@dataclass(frozen=True)
class State:
    """Which content an index has: equal ``id``, equal documents and settings.

    ``indexed`` is when it was last updated, in UTC.
    """

    id: str
    documents: int
    chunks: int
    indexed: str

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


def state(folder: Path) -> State | None:
    """The state of the index in ``folder``; None where there is none, or it is being updated.

    Raises RunError where its manifest cannot be read.
    """
    manifest = Manifest.load(folder)
    if manifest is None or manifest.unfinished or not manifest.created:
        return None
    if not manifest.files and manifest.settings.get("qdrant", EMBEDDED) == EMBEDDED:
        return None
    at = datetime.datetime.fromtimestamp((folder / FILE).stat().st_mtime, datetime.UTC)
    return State(
        digest([manifest.settings, manifest.hashes])[:12],
        len(manifest.documents),
        manifest.points,
        at.isoformat(timespec="seconds"),
    )


class FreshIndex:
    """An open index that `refresh` brings to the state of the run's own; of use to many threads.

    A search is by one state, and says which.
    """

    def __init__(self, folder: Path, copies: Path, opened: Callable[[Path], Any]) -> None:
        """Open a copy of the index in ``folder``, made in ``copies``.

        ``opened`` opens the index in a folder that it is given. An index on a server is not
        copied, for there many read and write at once.

        Raises RunError where there is none, it is unfinished, or an update has it.
        """
        self.folder, self._copies, self._opened = folder, copies, opened
        self._numbers, self._lock = itertools.count(1), threading.RLock()
        self._refreshing, self._used = threading.Lock(), threading.local()
        self._seen: tuple[int, int] | None = None
        self._retriever: Any = None
        self._place: Path | None = None
        self._state: State | None = None
        self._open()

    @property
    def state(self) -> State | None:
        """The state that is searched."""
        return self._state

    @property
    def used(self) -> State | None:
        """The state that this thread searched last; before, the one that would be searched."""
        used: State | None = getattr(self._used, "state", self._state)
        return used

    @property
    def retriever(self) -> Any:
        """The open index of now, closed after the next `refresh` that finds another."""
        return self._retriever

    def refresh(self) -> bool:
        """Search the run's index as it is now; whether it holds something else than before.

        While an update has it, the state of before is searched.
        """
        if self._stamp() == self._seen:
            return False
        with self._refreshing:
            before = self._state and self._state.id
            try:
                if self._stamp() == self._seen or state(self.folder) is None:
                    return False
                self._open()
            except RunError:
                return False
            return (self._state and self._state.id) != before

    def search(
        self,
        questions: Sequence[str],
        top_k: int | None = None,
        filters: Filter | None = None,
        *,
        mode: Mode | None = None,
    ) -> list[list[Passage]]:
        """The best passages for each question, best first: see ``Retriever.search``."""
        return self.found(questions, top_k, filters, mode=mode)[0]

    def found(
        self,
        questions: Sequence[str],
        top_k: int | None = None,
        filters: Filter | None = None,
        *,
        mode: Mode | None = None,
    ) -> tuple[list[list[Passage]], State | None]:
        """The passages, and the state in which they were found."""
        with self._lock:
            passages = self._retriever.search(questions, top_k, filters, mode=mode)
            self._used.state = self._state
            return passages, self._state

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The vectors of texts, by the index's embedder."""
        with self._lock:
            vectors: list[list[float]] = self._retriever.embedder.embed(texts)
            return vectors

    def close(self) -> None:
        """Close the copy and remove it."""
        with self._lock:
            if self._retriever is not None:
                self._retriever.close()
            self._remove(self._place)
            self._retriever = self._place = None

    def _open(self) -> None:
        from ragtune.retrieval import index

        seen, place = self._stamp(), None
        if not self._on_server():
            place = self._copies / f"index-{next(self._numbers)}"
            self._copies.mkdir(parents=True, exist_ok=True)
            index.copy(self.folder, place)
        try:
            read = state(place or self.folder)
            retriever = self._opened(place or self.folder)
        except BaseException:
            self._remove(place)
            raise
        with self._lock:
            before, self._retriever = self._retriever, retriever
            left, self._place = self._place, place
            self._seen, self._state = seen, read
            if before is not None:
                before.close()
        self._remove(left)

    def _on_server(self) -> bool:
        manifest = Manifest.load(self.folder)
        return manifest is not None and manifest.settings.get("qdrant", EMBEDDED) != EMBEDDED

    def _stamp(self) -> tuple[int, int] | None:
        try:
            about = (self.folder / FILE).stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_ino

    @staticmethod
    def _remove(place: Path | None) -> None:
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
