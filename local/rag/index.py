"""The index: built from documents into a folder, opened, and checked against its manifest."""

import json
import shutil
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from local.errors import RunError
from local.rag.documents import Corpus, Document
from local.rag.embed import Embedder
from local.rag.passages import Passage
from local.rag.store import EdgeVectorStore
from local.recipe import Rag

NAMESPACE = uuid.UUID("6f1c5a52-3d0e-5b63-9a55-9d0c6f0c2f11")
"""Of the point ids: uuid5 of document, locator and chunk number."""
BATCH = 512
MODES = {"dense": "default", "keyword": "sparse", "hybrid": "hybrid"}


def fresh(folder: Path) -> Path:
    """An empty folder at ``folder``; what a stopped build left there is thrown away."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def chunk(documents: Sequence[Document], rag: Rag, embedder: Embedder) -> list[Any]:
    """Split documents into llama-index nodes of at most ``chunk_tokens`` of the embedder's tokens.

    Sentences stay whole where they fit. The title is embedded with each chunk, and counted.
    """
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.schema import Document as LlamaDocument

    special = 2
    splitter = SentenceSplitter(
        chunk_size=rag.chunk_tokens - special,
        chunk_overlap=int(rag.chunk_overlap * rag.chunk_tokens),
        tokenizer=embedder.tokens,
        id_func=lambda n, doc: str(uuid.uuid5(NAMESPACE, f"{doc.node_id}\0{n}")),
    )
    hidden = ["document", "locator"]
    sources = [
        LlamaDocument(
            text=d.text,
            id_=f"{d.name}\0{d.locator}",
            metadata={"document": d.name, "locator": d.locator, "title": d.title},
            excluded_embed_metadata_keys=hidden if d.title else [*hidden, "title"],
            excluded_llm_metadata_keys=[*hidden, "title"],
            metadata_template="{value}",
        )
        for d in documents
    ]
    return list(splitter.get_nodes_from_documents(sources))


def build(
    corpus: Corpus,
    rag: Rag,
    embedder: Embedder,
    *,
    fingerprint: str,
    folder: Path,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Write ``store/`` and ``manifest.json`` into ``folder``; return the manifest.

    ``advance`` is told how many chunks are done of how many.

    Raises RunError when the store does not hold what was put in.
    """
    nodes = chunk(corpus.documents, rag, embedder)
    store = EdgeVectorStore.create(folder / "store", embedder.dimension)
    for start in range(0, len(nodes), BATCH):
        batch = nodes[start : start + BATCH]
        vectors = embedder.embed([n.get_content(metadata_mode="embed") for n in batch])
        for node, vector in zip(batch, vectors, strict=True):
            node.embedding = vector
        store.add(batch)
        advance(start + len(batch), len(nodes))
    count = len(store)
    store.close()
    if count != len(nodes):
        raise RunError(f"{folder}: the index holds {count} of {len(nodes)} chunks; run again")
    chunks: dict[str, int] = {}
    for node in nodes:
        name = node.metadata["document"]
        chunks[name] = chunks.get(name, 0) + 1
    manifest = {
        "embedder": fingerprint,
        "dimension": embedder.dimension,
        "chunk_tokens": rag.chunk_tokens,
        "chunk_overlap": rag.chunk_overlap,
        "documents": chunks,
        "skipped": corpus.skipped,
        "points": count,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return manifest


class Retriever:
    """An open index and the embedder that made it."""

    def __init__(self, folder: Path, rag: Rag, embedder: Embedder, fingerprint: str) -> None:
        """Open the index in ``folder``.

        Raises RunError when it is missing, in use, incomplete or made by another embedder.
        """
        self.rag, self.embedder = rag, embedder
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest["embedder"] != fingerprint:
            raise RunError(f"{folder}: made with another embedder; run the recipe again")
        self.store = EdgeVectorStore.open(folder / "store")
        if len(self.store) != manifest["points"]:
            raise RunError(
                f"{folder}: holds {len(self.store)} chunks, its manifest says "
                f"{manifest['points']}; delete the folder and run the recipe again"
            )

    def search(self, questions: Sequence[str], top_k: int | None = None) -> list[list[Passage]]:
        """The best passages for each question, best first."""
        from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

        keyword = self.rag.search == "keyword"
        vectors = [None] * len(questions) if keyword else self.embedder.embed(questions)
        mode = VectorStoreQueryMode(MODES[self.rag.search])
        found = []
        for question, vector in zip(questions, vectors, strict=True):
            result = self.store.query(
                VectorStoreQuery(
                    query_embedding=vector,
                    query_str=question,
                    similarity_top_k=top_k or self.rag.top_k,
                    mode=mode,
                )
            )
            found.append(_passages(result))
        return found

    def close(self) -> None:
        """Let go of the index folder."""
        self.store.close()


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
