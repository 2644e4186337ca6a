"""Where an index's chunks are kept: Qdrant's engine in this process, or a Qdrant server."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from local.recipe import Rag

EMBEDDED = "embedded"


class Store(Protocol):
    """An open llama-index vector store whose documents can be replaced."""

    def __len__(self) -> int:
        """How many chunks it holds, counted exactly."""

    def add(self, nodes: Sequence[Any], **kwargs: Any) -> list[str]:
        """Insert or replace nodes that carry their embedding."""

    def delete_documents(self, names: Sequence[str]) -> None:
        """Delete the nodes of all these documents; names that have none are no error."""

    def query(self, query: Any, **kwargs: Any) -> Any:
        """Search: a llama-index VectorStoreQuery gives a VectorStoreQueryResult."""

    def flush(self) -> None:
        """Return when all that was added and deleted is on the disk."""

    def optimize(self) -> None:
        """Make searches fast, where the store does not do so by itself."""

    def close(self) -> None:
        """Let go of it."""


class Place(Protocol):
    """Where a store is, or will be; as text it names the place."""

    def exists(self) -> bool:
        """Whether something is there."""

    def create(self, dimension: int) -> Store:
        """Make an empty store for vectors of ``dimension`` numbers."""

    def open(self) -> Store:
        """Open the store that is there."""

    def drop(self) -> None:
        """Remove what is there, if anything."""


def of(rag: Rag, folder: Path) -> Place:
    """The place of the index in ``folder``."""
    return Embedded(folder / "store")


@dataclass(frozen=True)
class Embedded:
    """A folder of Qdrant's embedded engine."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    def exists(self) -> bool:
        """Whether something is there."""
        return self.folder.exists()

    def create(self, dimension: int) -> Store:
        """Make an empty store for vectors of ``dimension`` numbers."""
        from local.rag.store import EdgeVectorStore

        return EdgeVectorStore.create(self.folder, dimension)

    def open(self) -> Store:
        """Open the store.

        Raises RunError where it is not usable or another process has it.
        """
        from local.rag.store import EdgeVectorStore

        return EdgeVectorStore.open(self.folder)

    def drop(self) -> None:
        """Remove the folder, if it is there."""
        shutil.rmtree(self.folder, ignore_errors=True)
