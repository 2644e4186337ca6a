"""What is moved: the chunks of a run's index, each with its vector, from the local store."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ragtune.core.files import digest, read_json
from ragtune.retrieval.retriever import Retriever
from ragtune.sources.documents import Corpus

FLOAT = 4
"""Bytes of a number of a vector."""


@dataclass(frozen=True)
class Chunk:
    """A chunk of a document.

    ``words`` is what was embedded: the title, where there is one, and the text, which begins at the
    character ``text_at``. ``vector`` is (dimension,), float32.
    """

    id: str
    document: str
    locator: str
    title: str
    kind: str
    page: int | None
    words: str
    text_at: int
    vector: Any

    @property
    def text(self) -> str:
        """The text without its title."""
        return self.words[self.text_at :]

    @classmethod
    def of(cls, node: Any) -> "Chunk":
        """A chunk from a llama-index node that carries its embedding."""
        words = node.get_content(metadata_mode="embed")
        text, held = node.text.strip(), node.metadata
        at = words.rfind(text)
        return cls(
            id=node.node_id,
            document=held["document"],
            locator=held.get("locator", ""),
            title=held.get("title", ""),
            kind=held.get("kind", ""),
            page=held.get("page"),
            words=words if at >= 0 else text,
            text_at=max(at, 0),
            vector=np.asarray(node.embedding, dtype=np.float32),
        )

    @property
    def filterable(self) -> dict[str, str | int]:
        """The metadata that a search may be filtered by, and where the text begins."""
        what = {"document": self.document, "locator": self.locator, "kind": self.kind}
        found: dict[str, str | int] = {name: value for name, value in what.items() if value}
        if self.page is not None:
            found["page"] = self.page
        return {**found, "text_at": self.text_at}


@dataclass(frozen=True)
class Measures:
    """How much there is: counts, and bytes in UTF-8 of texts and metadata, the largest of a chunk.

    ``characters`` are those of all chunks' texts with their titles; ``longest`` of one chunk's.
    ``null`` counts vectors of nothing but zeros, which have no direction.
    """

    chunks: int
    documents: int
    dimension: int
    characters: int
    bytes: int
    longest: int
    largest_words: int
    largest_filterable: int
    null: int

    def to_json(self) -> dict[str, int]:
        """The fields."""
        return dict(vars(self))


class Stock:
    """The chunks of an open local index, and what its manifest says of the documents."""

    def __init__(self, local: Retriever, corpus: Callable[[], Corpus]) -> None:
        """``corpus`` gives the documents as they are now; it may raise DataError."""
        self.local, self.corpus = local, corpus
        self._manifest: Mapping[str, Any] = read_json(local.folder / "manifest.json")

    @property
    def documents(self) -> Mapping[str, str]:
        """SHA-256 of the content of each document that is held, by name."""
        held = self._manifest["documents"]
        return {name: value for name, value in self._manifest["hashes"].items() if name in held}

    def changed(self) -> list[str]:
        """The documents that are other now than the index holds them, gone or new ones too.

        Raises DataError where they cannot be listed.
        """
        held, now = dict(self._manifest["hashes"]), self.corpus().hashes
        return sorted(name for name in {*held, *now} if held.get(name) != now.get(name))

    @property
    def content(self) -> str:
        """A hash of what the index holds and how it was made; not of where it lives."""
        made = {k: v for k, v in self._manifest["settings"].items() if k != "qdrant"}
        return digest([made, sorted(self.documents.items())])

    @property
    def settings(self) -> dict[str, Any]:
        """What chunks and vectors were made with."""
        return dict(self._manifest["settings"])

    def nodes(self) -> Iterator[Any]:
        """Every chunk as a llama-index node with its embedding."""
        return self.local.store.nodes()

    def chunks(self) -> Iterator[Chunk]:
        """Every chunk; they pass by one at a time, so that a large index fits."""
        return map(Chunk.of, self.nodes())

    def measures(self) -> Measures:
        """How much there is, by looking at every chunk."""
        found = dict.fromkeys(("chunks", "dimension", "characters", "bytes", "longest", "null"), 0)
        words = filterable = 0
        for chunk in self.chunks():
            size = len(chunk.words.encode())
            meta = len(json.dumps(chunk.filterable, ensure_ascii=False).encode())
            found["chunks"] += 1
            found["dimension"] = len(chunk.vector)
            found["characters"] += len(chunk.words)
            found["longest"] = max(found["longest"], len(chunk.words))
            found["bytes"] += size + meta + len(chunk.title.encode()) + len(chunk.id)
            found["null"] += not chunk.vector.any()
            words, filterable = max(words, size), max(filterable, meta)
        return Measures(
            **found,
            documents=len(self.documents),
            largest_words=words,
            largest_filterable=filterable,
        )
