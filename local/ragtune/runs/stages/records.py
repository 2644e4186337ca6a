"""The training records as something to search: their index, and what it finds for each question."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ragtune.arms.arm import Search
from ragtune.core.files import digest, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.retrieval.manifest import FORMAT
from ragtune.runs.lock import Output
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts
from ragtune.runs.stages.index import of_another_version
from ragtune.sources import documents


class IndexRecords(Stage):
    """Training records → chunks → vectors: a document a record, its question and its response."""

    name = "index-records"
    version = FORMAT
    fields = (*parts.CHUNKS, "records.context")
    materials = ("records", "embedder")
    in_place = True

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """The store and its manifest."""
        return [folder.records_index]

    def make(self, work: Work) -> None:
        """Bring the index up to date; rebuild it where what is there was damaged."""
        from ragtune.retrieval import index

        folder, rag = work.out.records_index, work.recipe.rag
        corpus = documents.from_records(
            work.materials.train, with_context=parts.shows_context(work)
        )
        with work.watcher.progress(self.name) as advance:
            index.update(
                corpus,
                parts.Here(rag.chunk_tokens, rag.chunk_overlap, rag.language),
                work.materials.embedder,
                fingerprint=work.materials.embedder_fingerprint,
                folder=folder,
                rebuild=work.damaged or of_another_version(folder),
                advance=advance,
            )

    def copy(self, source: RunFolder, target: RunFolder) -> None:
        """Copy another run's index, held meanwhile so that nobody updates it."""
        from ragtune.retrieval import index

        target.path.mkdir(parents=True, exist_ok=True)
        index.copy(source.records_index, target.records_index)

    def outcome(self, inputs: dict[str, object], outputs: dict[str, Output]) -> str:
        """What it was made from: the bytes of a store depend on the order of its updates."""
        return digest(inputs)


class RetrievalRecords(Stage):
    """A search in the training records for every question, as in the documents."""

    name = "retrieval-records"
    fields = (*parts.RANKING, *parts.CHUNKS, "records.context")
    materials = parts.SEARCHED
    after = ("questions", "index-records")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file, a line a question."""
        return [folder.retrieval_records]

    def make(self, work: Work) -> None:
        """Search."""
        with parts.records_retriever(work) as retriever:
            write_found(work, retriever, work.out.retrieval_records)


class Examples(Stage):
    """The training records nearest to every question, to be shown as examples."""

    name = "examples"
    fields = (*parts.CHUNKS, "records.context", "study.shots")
    materials = ("embedder",)
    after = ("questions", "index-records")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file, a line a question."""
        return [folder.examples]

    def make(self, work: Work) -> None:
        """Search."""
        with parts.nearest_records(work) as nearest:
            write_found(work, nearest, work.out.examples)


def write_found(work: Work, search: Search, path: Path) -> None:
    """Search for every question, and write down what is found: a line a question."""
    questions, shown = parts.questions(work), parts.shows_context(work)
    found = search.search([q.query(with_context=shown) for q in questions])
    rows = [
        {"question": q.id, "passages": [asdict(p) for p in passages]}
        for q, passages in zip(questions, found, strict=True)
    ]
    write_jsonl(path, rows)
