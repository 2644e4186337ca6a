"""The index: brought up to date with its documents, compared with them, and copied."""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import DocumentsError, RunError
from ragtune.core.files import own, share
from ragtune.retrieval.chunks import Chunker
from ragtune.retrieval.copies import copy_owned
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.manifest import FILE, Changes, Manifest, advice, settings, sizes
from ragtune.retrieval.retriever import Retriever
from ragtune.retrieval.section import Indexing
from ragtune.retrieval.stores import places
from ragtune.sources.documents import Corpus, left_out, nothing_in

__all__ = ["Retriever", "copy", "settings", "status", "update"]

Advance = Callable[[int, int], None]
BATCH = 512
"""Chunks that are embedded and added together."""
CHECKPOINT = 5.0
"""Seconds of work that a kill may cost."""


def status(corpus: Corpus, folder: Path) -> Changes:
    """How the documents differ, by content, from what the index in ``folder`` holds."""
    return (Manifest.load(folder) or Manifest({})).compare(corpus.hashes)


def update(
    corpus: Corpus,
    rag: Indexing,
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
            changes = updating.run(corpus, embedder, advance)
        finally:
            updating.store.close()
        updating.settle(changes)
        return changes
    finally:
        owner.close()


class _Update:
    """One update of an index whose folder is owned."""

    def __init__(
        self, folder: Path, rag: Indexing, wanted: dict[str, Any], dimension: int, rebuild: bool
    ) -> None:
        self.folder, self.rag = folder, rag
        self.vectors: dict[str, list[float]] = {}
        self.place = place = places.of(rag, folder)
        found = None if rebuild else Manifest.load(folder)
        if found is not None:
            found.refuse_other(wanted, folder)
        elif not rebuild and place.exists():
            again = advice(folder, again=True)
            raise RunError(f"{place}: holds chunks of unknown origin; {again}")
        self.manifest = found or Manifest(wanted)
        self.started, self.before = time.perf_counter(), self.manifest.seconds
        if self.manifest.created:
            self.manifest.refuse_files(folder)
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

    def settle(self, changes: Changes) -> None:
        """Leave the closed store as every later opening will, and write down its files.

        The engine keeps a journal of what was written until it is opened the next time.
        """
        if changes.touched:
            self.place.open(self.manifest.settings).close()
        if (files := sizes(self.folder)) != self.manifest.files:
            self.manifest.files = files
            self._save()

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
        manifest.points = sum(manifest.documents.values())
        manifest.refuse_count(len(self.store), self.folder)
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
        parts: dict[str, str] = {}
        nodes: list[Any] = []
        for number, name in enumerate(names, 1):
            made, reason = _chunks(corpus, name, chunker, parts)
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
                self.manifest.parts |= parts
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


def _chunks(
    corpus: Corpus, name: str, chunker: Chunker, parts: dict[str, str]
) -> tuple[list[Any], str]:
    """The chunks of a document, or none and the reason; ``parts`` gets what is left out of it."""
    try:
        documents = corpus.read(name)
        nodes = chunker.split(documents)
        parts |= left_out(documents)
        return nodes, ""
    except DocumentsError as error:
        return [], str(error)


def copy(source: Path, target: Path) -> None:
    """Copy the index in the folder ``source`` to a folder that does not exist yet.

    Others may read it meanwhile, but no update tears it. Who has it open copies it by
    `Retriever.copy`.

    Raises RunError where there is none, it is in use, unfinished, or on a server.
    """
    if not (source / FILE).exists():
        raise RunError(f"{source}: no index there; {advice(source)}")
    with contextlib.closing(share(source)):
        copy_owned(source, target)
