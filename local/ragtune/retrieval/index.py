"""The index: brought up to date with its documents, compared with them, and searched."""

import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragtune.core.errors import DocumentsError, RunError
from ragtune.core.files import Ownership, own
from ragtune.recipe.schema import Rag
from ragtune.retrieval.chunks import Chunker
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.manifest import FORMAT, Changes, Manifest
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.rerank import CANDIDATES
from ragtune.retrieval.stores import base as places
from ragtune.sources.documents import Corpus, nothing_in

if TYPE_CHECKING:
    from llama_index.core import VectorStoreIndex
    from llama_index.core.vector_stores.types import MetadataFilters

    from ragtune.retrieval.rerank import Reranker

Advance = Callable[[int, int], None]
BATCH = 512
"""Chunks that are embedded and added together."""
CHECKPOINT = 5.0
"""Seconds of work that a kill may cost."""
MODES = {"dense": "default", "keyword": "sparse", "hybrid": "hybrid"}


def settings(rag: Rag, fingerprint: str) -> dict[str, Any]:
    """What chunks and vectors are made with; an index of other settings is not added to."""
    return {
        "format": FORMAT,
        "embedder": fingerprint,
        "chunk_tokens": rag.chunk_tokens,
        "chunk_overlap": rag.chunk_overlap,
        "qdrant": rag.qdrant,
    }


def status(corpus: Corpus, folder: Path) -> Changes:
    """How the documents differ, by content, from what the index in ``folder`` holds."""
    return (Manifest.load(folder) or Manifest({})).compare(corpus.hashes)


def update(
    corpus: Corpus,
    rag: Rag,
    embedder: Embedder,
    *,
    fingerprint: str,
    folder: Path,
    rebuild: bool = False,
    advance: Advance = lambda done, total: None,
) -> Changes:
    """Make the index in ``folder`` hold exactly these documents; return what was different.

    Only what was added, changed or removed is touched, or left unfinished by a killed update; a
    text that the index held before, in whatever document, is not embedded again.
    ``rebuild`` throws away what is there first. ``advance`` is told how many documents are done
    of how many.

    Raises RunError when the index is in use, was made with other settings, or does not hold what
    was put in; DocumentsError when no document can be read.
    """
    owner = own(folder)
    try:
        dimension = embedder.dimension
        updating = _Update(folder, rag, settings(rag, fingerprint), dimension, rebuild)
        try:
            return updating.run(corpus, embedder, advance)
        finally:
            updating.store.close()
    finally:
        owner.close()


class _Update:
    """One update of an index whose folder is owned."""

    def __init__(
        self, folder: Path, rag: Rag, wanted: dict[str, Any], dimension: int, rebuild: bool
    ) -> None:
        self.folder, self.rag = folder, rag
        self.vectors: dict[str, list[float]] = {}
        place = places.of(rag, folder)
        found = None if rebuild else Manifest.load(folder)
        if found is not None:
            _refuse_other(found, wanted, folder)
        elif not rebuild and place.exists():
            raise RunError(f"{place}: holds chunks of unknown origin; {_again(folder, True)}")
        self.manifest = found or Manifest(wanted)
        self.started, self.before = time.perf_counter(), self.manifest.seconds
        if self.manifest.created:
            self.store = place.open(wanted)
            return
        self._save()
        place.drop()
        self.store = place.create(dimension, wanted)
        self.manifest.created = True
        self._save()

    def _save(self) -> None:
        self.manifest.seconds = round(self.before + time.perf_counter() - self.started, 3)
        self.manifest.save(self.folder)

    def run(self, corpus: Corpus, embedder: Embedder, advance: Advance) -> Changes:
        """Bring the store up to date."""
        manifest = self.manifest
        changes = manifest.compare(corpus.hashes)
        if touched := changes.touched:
            manifest.begin(touched)
            self._save()
            self.vectors = self.store.vectors([*changes.changed, *changes.removed])
            new = set(changes.added)
            self.store.delete_documents([name for name in touched if name not in new])
            self._add(corpus, [n for n in touched if n in corpus.hashes], embedder, advance)
            self.store.flush()
            self.store.optimize()
            manifest.unfinished = []
        if (count := len(self.store)) != sum(manifest.documents.values()):
            raise RunError(
                f"{self.folder}: the index holds {count} chunks, its manifest says "
                f"{sum(manifest.documents.values())}; {_again(self.folder, True)}"
            )
        skipped = {**corpus.skipped, **manifest.unreadable}
        if touched or skipped != manifest.skipped:
            manifest.skipped = skipped
            self._save()
        if not manifest.documents:
            raise nothing_in("documents.source", skipped)
        return changes

    def _add(
        self, corpus: Corpus, names: Sequence[str], embedder: Embedder, advance: Advance
    ) -> None:
        """Read, split, embed and add documents; write down from time to time what is done."""
        chunker = Chunker(self.rag, embedder)
        saved = time.monotonic()
        done: list[tuple[str, int, str]] = []
        nodes: list[Any] = []
        for number, name in enumerate(names, 1):
            made, reason = _chunks(corpus, name, chunker)
            nodes += made
            done.append((name, len(made), reason))
            if len(nodes) < BATCH and number < len(names):
                continue
            self._embed(nodes, embedder)
            nodes = []
            if number == len(names) or time.monotonic() - saved > CHECKPOINT:
                self.store.flush()
                for held, chunks, why in done:
                    self.manifest.finish(held, corpus.hashes[held], chunks, why)
                self._save()
                saved, done = time.monotonic(), []
            advance(number, len(names))

    def _embed(self, nodes: Sequence[Any], embedder: Embedder) -> None:
        for start in range(0, len(nodes), BATCH):
            batch = nodes[start : start + BATCH]
            texts = [node.get_content(metadata_mode="embed") for node in batch]
            new = [text for text in dict.fromkeys(texts) if text not in self.vectors]
            made = dict(zip(new, embedder.embed(new), strict=True)) if new else {}
            for node, text in zip(batch, texts, strict=True):
                node.embedding = made.get(text) or self.vectors[text]
            self.store.add(batch)


def _chunks(corpus: Corpus, name: str, chunker: Chunker) -> tuple[list[Any], str]:
    """The chunks of a document, or none and the reason."""
    try:
        return chunker.split(corpus.read(name)), ""
    except DocumentsError as error:
        return [], str(error)


class Retriever:
    """An open index and the embedder that made it."""

    def __init__(
        self,
        folder: Path,
        rag: Rag,
        embedder: Embedder,
        fingerprint: str,
        reranker: "Reranker | None" = None,
    ) -> None:
        """Open the index in ``folder``.

        Raises RunError when it is missing, in use, unfinished or made with other settings.
        """
        self.folder, self.rag, self.embedder, self.reranker = folder, rag, embedder, reranker
        manifest = Manifest.load(folder)
        if manifest is None:
            raise RunError(f"{folder}: no index there; {_again(folder)}")
        wanted = settings(rag, fingerprint)
        _refuse_other(manifest, wanted, folder)
        if manifest.unfinished or not manifest.created:
            raise RunError(f"{folder}: its last update was stopped; {_again(folder)}")
        self._owner: Ownership | None = own(folder) if rag.qdrant == places.EMBEDDED else None
        if self._owner is not None:
            weakref.finalize(self, self._owner.close)
        try:
            self.store = places.of(rag, folder).open(wanted)
            if (count := len(self.store)) != manifest.points:
                self.store.close()
                raise RunError(
                    f"{folder}: holds {count} chunks, its manifest says {manifest.points}; "
                    f"{_again(folder, True)}"
                )
        except BaseException:
            self._release()
            raise

    def search(
        self,
        questions: Sequence[str],
        top_k: int | None = None,
        filters: "MetadataFilters | None" = None,
    ) -> list[list[Passage]]:
        """The best passages for each question, best first, of those that pass the filters."""
        from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

        keyword = self.rag.search == "keyword"
        vectors = [None] * len(questions) if keyword else self.embedder.embed(questions)
        mode = VectorStoreQueryMode(MODES[self.rag.search])
        top_k = top_k or self.rag.top_k
        fetched = max(top_k, CANDIDATES) if self.reranker else top_k
        found = []
        for question, vector in zip(questions, vectors, strict=True):
            query = VectorStoreQuery(
                query_embedding=vector,
                query_str=question,
                similarity_top_k=fetched,
                mode=mode,
                filters=filters,
            )
            passages = _passages(self.store.query(query))
            if self.reranker:
                passages = self.reranker.rank(question, passages, top_k)
            found.append(passages)
        return found

    def as_llama_index(self) -> "VectorStoreIndex":
        """The index as an ordinary llama-index one, with its embedder."""
        from llama_index.core import VectorStoreIndex

        store: Any = self.store
        return VectorStoreIndex.from_vector_store(store, embed_model=self.embedder.llama_index)

    def close(self) -> None:
        """Let go of the index folder."""
        self.store.close()
        self._release()

    def _release(self) -> None:
        if self._owner is not None:
            self._owner.close()


def _refuse_other(manifest: Manifest, wanted: dict[str, Any], folder: Path) -> None:
    if differing := manifest.differs(wanted):
        raise RunError(
            f"{folder}: made with other settings: {', '.join(differing)}; {_again(folder, True)}"
        )


def _again(folder: Path, rebuild: bool = False) -> str:
    """What to do, as a command that can be pasted; the index folder stands in the run folder."""
    if rebuild:
        return places.rebuild(folder.parent)
    return f"`ragtune index {folder.parent}` brings it up to date"


def _passages(result: Any) -> list[Passage]:
    hits = zip(result.nodes, result.similarities, strict=True)
    return [
        Passage(
            id=node.node_id,
            document=node.metadata["document"],
            locator=node.metadata["locator"],
            text=node.get_content(metadata_mode="none").strip(),
            score=float(score),
        )
        for node, score in hits
    ]
