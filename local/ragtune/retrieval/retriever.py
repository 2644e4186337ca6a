"""An open index: questions → passages."""

import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragtune.core.errors import RunError
from ragtune.core.files import Ownership, own
from ragtune.retrieval.copies import copy_owned
from ragtune.retrieval.manifest import FILE, Manifest, advice, settings
from ragtune.retrieval.searcher import Searcher
from ragtune.retrieval.section import Searching
from ragtune.retrieval.stores import places
from ragtune.retrieval.stores.base import EMBEDDED, Store

if TYPE_CHECKING:
    from llama_index.core import VectorStoreIndex

    from ragtune.retrieval.embedder import Embedder
    from ragtune.retrieval.rerank import Reranker


class Retriever(Searcher):
    """An open index and the embedder that made it."""

    def __init__(
        self,
        folder: Path,
        rag: Searching,
        embedder: "Embedder | None",
        fingerprint: str,
        reranker: "Reranker | None" = None,
    ) -> None:
        """Open the index in ``folder``.

        Without an ``embedder`` only words can be searched for; ``fingerprint`` is still that of
        the embedder that the recipe names.

        Raises RunError when it is missing, in use, unfinished or made with other settings.
        """
        self.folder, self.rag = folder, rag
        if not (folder / FILE).exists():
            raise RunError(f"{folder}: no index there; {advice(folder)}")
        # Owned before the manifest is read: an update in between would make it an old one.
        self._owner: Ownership | None = own(folder) if rag.qdrant == EMBEDDED else None
        if self._owner is not None:
            weakref.finalize(self, self._owner.close)
        try:
            self.store: Store = self._open(settings(rag, fingerprint))
        except BaseException:
            self._release()
            raise
        super().__init__(self.store, rag, embedder, reranker, place=folder)

    def _open(self, wanted: dict[str, Any]) -> Store:
        folder, manifest = self.folder, Manifest.load(self.folder)
        if manifest is None:
            raise RunError(f"{folder}: no index there; {advice(folder)}")
        manifest.refuse_other(wanted, folder)
        if manifest.unfinished or not manifest.created:
            raise RunError(f"{folder}: its last update was stopped; {advice(folder)}")
        manifest.refuse_files(folder)
        store = places.of(self.rag, folder).open(wanted)
        try:
            manifest.refuse_count(len(store), folder)
        except BaseException:
            store.close()
            raise
        return store

    def copy(self, target: Path) -> None:
        """Copy the index to a folder that does not exist yet, while it stays open here.

        Raises RunError where its chunks are on a server.
        """
        self.store.flush()
        copy_owned(self.folder, target)

    def as_llama_index(self) -> "VectorStoreIndex":
        """The index as an ordinary llama-index one, with its embedder.

        Raises RunError where the index was opened without an embedder.
        """
        from llama_index.core import VectorStoreIndex

        if self.embedder is None:
            raise RunError(f"{self.folder}: a llama-index index needs the embedder")
        return VectorStoreIndex.from_vector_store(
            self.store.as_llama_index(), embed_model=self.embedder.llama_index
        )

    def close(self) -> None:
        """Let go of the index folder."""
        self.store.close()
        self._release()

    def _release(self) -> None:
        if self._owner is not None:
            self._owner.close()
