"""Updates in processes of their own that are killed at a chosen step; run by ``test_updates``."""

import hashlib
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import qdrant_edge as qdrant
from llama_index.core.node_parser import SentenceSplitter

from ragtune.recipe.rag import Rag
from ragtune.retrieval import index
from ragtune.retrieval.manifest import Manifest
from ragtune.retrieval.stores import places
from ragtune.retrieval.stores.embedded import EmbeddedPlace, EmbeddedStore
from ragtune.sources import documents
from ragtune.sources.readers import Document

RAG = Rag(chunk_tokens=16, chunk_overlap=0)
SentenceSplitter(chunk_size=8, chunk_overlap=0).split_text("One sentence here. " * 9)
# What that loads, it loads before the processes are forked.
Turn = tuple[dict[str, str], int | None]
"""The texts by name that the folder then holds, and the step at which the update is killed."""


class Words:
    """An embedder without a model: a text's hash is its vector, its words are its tokens."""

    dimension = 8

    def tokens(self, text: str) -> list[int]:
        return [0] * len(text.split())

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [[1.0 + byte for byte in hashlib.sha256(t.encode()).digest()[:8]] for t in texts]

    def embed_questions(self, texts: Sequence[str]) -> list[list[float]]:
        return self.embed(texts)


def corpus(texts: dict[str, str]) -> documents.Corpus:
    return documents.from_documents(Document(name, text) for name, text in texts.items())


def update(texts: dict[str, str], folder: Path) -> None:
    words: Any = Words()
    index.update(corpus(texts), RAG, words, fingerprint="f", folder=folder)


def content(folder: Path, digits: int = 5) -> list[Any]:
    """Every point of an index, by id: payload and vectors; as many as its manifest says."""
    manifest = Manifest.load(folder)
    assert manifest is not None
    assert not manifest.unfinished
    store: Any = places.of(RAG, folder).open({})
    points, _ = store.client.scroll(
        qdrant.ScrollRequest(limit=10_000, with_payload=True, with_vector=True)
    )
    store.close()
    assert len(points) == manifest.points
    found = []
    for point in points:
        dense = [round(x, digits) for x in point.vector["dense"]]
        words = sorted(zip(point.vector["bm25"].indices, point.vector["bm25"].values, strict=True))
        found.append((str(point.id), point.payload, dense, words))
    return sorted(found, key=lambda row: str(row[0]))


def kill_at(step: int) -> None:
    """Kill this process when the store or the manifest is touched for the ``step``-th time."""
    left = step

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            value = method(*arguments, **options)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return value

        return called

    Manifest.save = counted(Manifest.save)  # type: ignore[method-assign]
    for place in ("create", "open", "drop"):
        setattr(EmbeddedPlace, place, counted(getattr(EmbeddedPlace, place)))
    for name in ("add", "delete_documents", "flush", "optimize", "close"):
        setattr(EmbeddedStore, name, counted(getattr(EmbeddedStore, name)))


def play(turns: Sequence[Turn], folder: Path) -> None:
    """Play turns until one is to be killed, or all; then compare with an index from scratch."""
    index.BATCH, index.CHECKPOINT = 3, 0.0
    for texts, step in turns:
        if step is not None:
            kill_at(step)
        update(texts, folder)
    scratch = folder.with_name("scratch")
    shutil.rmtree(scratch, ignore_errors=True)
    update(turns[-1][0], scratch)
    assert content(folder) == content(scratch)


def killed_after(texts: dict[str, str], folder: Path, seconds: float) -> None:
    """Update, and be ended by the system after so many seconds, wherever that is."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    play([(texts, None)], folder)
    signal.setitimer(signal.ITIMER_REAL, 0)
