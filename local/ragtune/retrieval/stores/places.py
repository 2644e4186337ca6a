"""Which store an index has: the one module that knows them all."""

from pathlib import Path

from ragtune.retrieval.section import Placing
from ragtune.retrieval.stores.base import EMBEDDED, Place


def of(rag: Placing, folder: Path) -> Place:
    """The place of the index in ``folder``; a server's collection has the run folder's name."""
    if rag.qdrant == EMBEDDED:
        from ragtune.retrieval.stores.embedded import EmbeddedPlace

        return EmbeddedPlace(folder / "store")
    from ragtune.retrieval.stores.server import ServerPlace

    return ServerPlace(rag.qdrant, f"ragtune-{folder.resolve().parent.name}", folder.parent)
