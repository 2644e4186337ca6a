"""Where an index's chunks are kept: Qdrant's engine in this process, or a Qdrant server."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ragtune.core.errors import RunError
from ragtune.recipe.schema import Rag

EMBEDDED = "embedded"


class Store(Protocol):
    """An open llama-index vector store whose documents can be replaced."""

    def __len__(self) -> int:
        """How many chunks it holds, counted exactly."""

    def add(self, nodes: Sequence[Any], **kwargs: Any) -> list[str]:
        """Insert or replace nodes that carry their embedding."""

    def delete_documents(self, names: Sequence[str]) -> None:
        """Delete the nodes of all these documents; names that have none are no error."""

    def vectors(self, names: Sequence[str]) -> dict[str, list[float]]:
        """The dense vector of each text that these documents hold."""

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

    def create(self, dimension: int, settings: dict[str, Any]) -> Store:
        """Make an empty store for vectors of ``dimension`` numbers, made with these settings."""

    def open(self, settings: dict[str, Any]) -> Store:
        """Open the store that is there and was made with these settings."""

    def drop(self) -> None:
        """Remove what is there, if anything."""


def rebuild(run: Path) -> str:
    """What makes a run's index anew, as a command that can be pasted."""
    return f"`ragtune index {run} --rebuild` makes it anew"


def of(rag: Rag, folder: Path) -> Place:
    """The place of the index in ``folder``; a server's collection has the run folder's name."""
    if rag.qdrant == EMBEDDED:
        return Embedded(folder / "store")
    return Server(rag.qdrant, f"ragtune-{folder.resolve().parent.name}", folder.parent)


@dataclass(frozen=True)
class Embedded:
    """A folder of Qdrant's embedded engine."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    def exists(self) -> bool:
        """Whether something is there."""
        return self.folder.exists()

    def create(self, dimension: int, settings: dict[str, Any]) -> Store:
        """Make an empty store; the manifest beside it holds the settings."""
        from ragtune.retrieval.stores.embedded import EdgeVectorStore

        return EdgeVectorStore.create(self.folder, dimension)

    def open(self, settings: dict[str, Any]) -> Store:
        """Open the store.

        Raises RunError where it is not usable or another process has it.
        """
        from ragtune.retrieval.stores.embedded import EdgeVectorStore

        return EdgeVectorStore.open(self.folder)

    def drop(self) -> None:
        """Remove the folder, if it is there."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Server:
    """A collection of a Qdrant server, that of the run folder ``run``."""

    url: str
    collection: str
    run: Path

    def __str__(self) -> str:
        return f"{self.url}: collection {self.collection}"

    def exists(self) -> bool:
        """Whether the collection is there.

        Raises RunError, as all here do, where the server cannot be reached or refuses the key.
        """
        from ragtune.retrieval.stores import server

        return server.exists(server.connect(self.url), self.collection)

    def create(self, dimension: int, settings: dict[str, Any]) -> Store:
        """Make an empty collection that carries the settings."""
        from ragtune.retrieval.stores import server

        client = server.connect(self.url)
        server.create(client, self.collection, dimension, settings)
        return server.ServerVectorStore(client, self.collection)

    def open(self, settings: dict[str, Any]) -> Store:
        """Open the collection.

        Raises RunError also where it is gone, or carries other settings.
        """
        from ragtune.retrieval.stores import server

        client = server.connect(self.url)
        if not server.exists(client, self.collection):
            raise RunError(f"{self}: it is gone; {rebuild(self.run)}")
        if server.carried(client, self.collection) != settings:
            raise RunError(f"{self}: made with other settings; {rebuild(self.run)}")
        return server.ServerVectorStore(client, self.collection)

    def drop(self) -> None:
        """Delete the collection, if it is there."""
        from ragtune.retrieval.stores import server

        server.drop(server.connect(self.url), self.collection)
