"""What several stages need: retriever, arms and training rows, from a stage's own view.

Whatever is read here is read through the view of the stage that asks, so it must have declared it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ragtune.arms.arm import Arm, Refusal
from ragtune.core.files import read_json, read_jsonl
from ragtune.models.adapter import load_tuned
from ragtune.models.engines.torch import Generator
from ragtune.prompts.instruct import Renderer
from ragtune.retrieval.passages import Passage
from ragtune.runs.stage import Work
from ragtune.sources.records import Record
from ragtune.tuning import samples as layouts
from ragtune.tuning.samples import Samples, TrainingRow

PROMPT = ("template", "records.context")
"""Fields that decide what the model is asked."""
SEARCH = (
    "rag.chunk_tokens",
    "rag.chunk_overlap",
    "rag.qdrant",
    "rag.search",
    "rag.top_k",
    "rag.rerank",
)
"""Fields that decide what a search finds."""
SEARCHED = ("embedder", "reranker")
"""Materials that a search needs."""


def shows_context(work: Work) -> bool:
    """Whether a record's context is part of its question."""
    return work.recipe.records.context == "input"


def renderer(work: Work) -> Renderer:
    """The recipe's prompt form, bound to the model's tokenizer."""
    return Renderer(work.recipe.template.build(), work.materials.tokenizer)


@contextmanager
def retriever(work: Work, index: Path | None = None) -> Iterator[Any]:
    """The run's index, or the one in a folder, open for search while the context lasts."""
    from ragtune.retrieval.index import Retriever

    materials = work.materials
    opened = Retriever(
        index or work.run.index,
        work.recipe.rag,
        materials.embedder,
        materials.embedder_fingerprint,
        materials.reranker,
    )
    try:
        yield opened
    finally:
        opened.close()


def model(work: Work, adapter: Path | None) -> Any:
    """The base model, with an adapter merged in where one is given, ready to answer."""
    materials = work.materials
    if adapter is None:
        return materials.base_model
    return load_tuned(
        materials.base, adapter, work.recipe.template.build().hash, materials.hardware
    )


def arm(work: Work, answering: Any, retriever: Any = None) -> Arm:
    """An arm over a model and, where it retrieves, an index."""
    return Arm(
        renderer(work),
        Generator(answering, work.materials.tokenizer, work.recipe.study.max_new_tokens),
        work.materials.context_length,
        retriever=retriever,
        show_context=shows_context(work),
        refusal=refusal(work) if retriever is not None else None,
    )


def refusal(work: Work) -> Refusal | None:
    """When arms that retrieve refuse unasked: by the run's calibration, or the recipe's number."""
    below = work.recipe.rag.refuse_below
    if below is None:
        return None
    if below == "calibrated":
        below = read_json(work.run.threshold)["below"]
    return Refusal(float(below), work.recipe.study.refusal)


def questions(work: Work) -> list[Record]:
    """The held-out questions, as the run asks them."""
    return [Record(**row) for row in read_jsonl(work.run.questions)]


def found(work: Work) -> list[list[Passage]]:
    """The passages of the retrieval stage for each question."""
    rows = read_jsonl(work.run.retrieval)
    return [[Passage(**p) for p in row["passages"]] for row in rows]


def samples(work: Work, rows: Sequence[TrainingRow]) -> Samples:
    """Training rows, laid out and split as the recipe says.

    Raises RecordsError where they leave nothing to train on.
    """
    materials, tune = work.materials, work.recipe.tune
    length = layouts.block_length(tune, materials.tokenizer, materials.context_length)
    return layouts.prepare(rows, tune, renderer(work), length)
