"""What several stages need: retriever, arms and training rows, from a stage's own view.

Whatever is read here is read through the view of the stage that asks, so it must have declared it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.arms.answer import ScoreFloor
from ragtune.arms.arm import Arm, Search
from ragtune.core.files import read_json, read_jsonl
from ragtune.models.engines.base import Engine
from ragtune.models.folder import family_at
from ragtune.prompts.base import PromptFormat
from ragtune.prompts.registry import format_of
from ragtune.recipe.arms import Adapter, is_tuned
from ragtune.recipe.arms import Arm as ArmName
from ragtune.recipe.model import VLLM
from ragtune.recipe.schema import Recipe
from ragtune.recipe.tune import Tune
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.section import Mode, Searching
from ragtune.retrieval.stores.base import EMBEDDED
from ragtune.runs.stage import Work
from ragtune.sources.records import Record
from ragtune.tuning import rows
from ragtune.tuning import samples as layouts
from ragtune.tuning.samples import Samples, TrainingRow
from ragtune.tuning.search import applied

PROMPT = ("template", "records.context")
"""Fields that decide what the model is asked."""
CHUNKS = ("rag.chunk_tokens", "rag.chunk_overlap", "rag.language")
"""Fields that decide how texts are cut, and which words they have."""
RANKING = ("rag.search", "rag.top_k", "rag.rerank")
"""Fields that decide which chunks are found."""
SEARCH = (*CHUNKS, "rag.qdrant", *RANKING)
"""Fields that decide what a search in the documents finds."""
ANSWERS = ("model.precision",)
"""Fields that decide how a model computes its answers."""
SERVER = ("model.engine", "model.served", "model.context_length")
"""Fields that decide which server answers, and with what."""
IN_VLLM = (*ANSWERS, "model.engine")
"""Fields that decide how vLLM in this process answers."""
SEARCHED = ("embedder", "reranker")
"""Materials that a search needs."""


def shows_context(work: Work) -> bool:
    """Whether a record's context is part of its question."""
    return work.recipe.records.context == "input"


def form(work: Work) -> PromptFormat:
    """The recipe's prompt format, bound to the model's tokenizer."""
    return format_of(work.recipe.template.build(), work.materials.tokenizer)


def targets(work: Work) -> tuple[str, ...]:
    """The projections of the base model that LoRA may name."""
    return tuple(family_at(work.materials.base).targets)


def settings(work: Work, adapter: Adapter) -> Tune:
    """What an adapter is tuned with: the recipe's values, and over them those of its search."""
    tune = work.recipe.tune.of(adapter)
    if tune.search is None:
        return tune
    return applied(tune, read_json(work.run.search(adapter))["winner"])


@dataclass(frozen=True)
class Here:
    """How an index in this process is made and searched, whatever the recipe says of a server."""

    chunk_tokens: int
    chunk_overlap: float
    language: str
    search: Mode = "hybrid"
    top_k: int = 1
    qdrant: str = EMBEDDED


@contextmanager
def records_retriever(work: Work) -> Iterator[Any]:
    """The index of the training records, searched as the documents are."""
    rag = work.recipe.rag
    how = Here(rag.chunk_tokens, rag.chunk_overlap, rag.language, rag.search, rag.top_k)
    with _opened(work, work.run.records_index, how, work.materials.reranker) as opened:
        yield opened


@contextmanager
def nearest_records(work: Work) -> Iterator[Search]:
    """The index of the training records, searched for the nearest ones."""
    from ragtune.retrieval.nearest import Nearest

    rag = work.recipe.rag
    how = Here(rag.chunk_tokens, rag.chunk_overlap, rag.language)
    with _opened(work, work.run.records_index, how) as opened:
        yield Nearest(opened, work.recipe.study.shots)


@contextmanager
def retriever(work: Work, index: Path | None = None) -> Iterator[Any]:
    """The run's index, or the one in a folder, open for search while the context lasts."""
    reranker = work.materials.reranker
    with _opened(work, index or work.run.index, work.recipe.rag, reranker) as opened:
        yield opened


@contextmanager
def _opened(work: Work, index: Path, how: Searching, reranker: Any = None) -> Iterator[Any]:
    from ragtune.retrieval.index import Retriever

    materials = work.materials
    opened = Retriever(index, how, materials.embedder, materials.embedder_fingerprint, reranker)
    try:
        yield opened
    finally:
        opened.close()


def engine(work: Work, adapter: Path | None) -> Engine:
    """The base model, with an adapter merged in where one is given, ready to answer."""
    return work.materials.engine(adapter, form(work).hash if adapter else "")


def answerer(work: Work, recipe: Recipe, adapter: Path | None) -> Engine:
    """What answers with an adapter, or without, on this machine: the recipe's engine."""
    if recipe.model.engine == VLLM:
        found: Engine = work.materials.vllm_engine(adapter, form(work).hash if adapter else "")
        return found
    return engine(work, adapter)


def answering(work: Work, recipe: Recipe, arm: ArmName, kept: Path | None = None) -> Engine:
    """What answers for an arm: a server's model, or the base with the arm's adapter.

    ``recipe`` is the whole one, of which a stage may read what it was made with. ``kept`` is a
    file that a server's answers are noted in, so that an interrupted stage asks for none twice.
    """
    if recipe.model.remote:
        served: Engine = work.materials.server.engine(arm if is_tuned(arm) else None, kept)
        return served
    adapter = work.run.adapter(recipe.adapter(arm)) if is_tuned(arm) else None
    return answerer(work, recipe, adapter)


def arm(
    work: Work,
    engine: Engine,
    retriever: Search | None = None,
    *,
    floor: ScoreFloor | None = None,
    examples: Mapping[str, Record] | None = None,
) -> Arm:
    """An arm over an engine and, where something is looked up, what finds it."""
    return Arm(
        engine,
        form(work),
        work.recipe.study.max_new_tokens,
        retriever=retriever,
        show_context=shows_context(work),
        floor=floor,
        examples=examples,
    )


def floor(work: Work) -> ScoreFloor | None:
    """When arms that retrieve ask no model: by the run's calibration, or the recipe's number."""
    below = work.recipe.rag.refuse_below
    if below is None:
        return None
    if below == "calibrated":
        below = read_json(work.run.threshold)["below"]
    return ScoreFloor(float(below), work.recipe.study.refusal)


def questions(work: Work) -> list[Record]:
    """The held-out questions, as the run asks them."""
    return [Record.from_json(row) for row in read_jsonl(work.run.questions)]


def found(path: Path) -> list[list[Passage]]:
    """What a search found for each question, as its stage wrote it down."""
    searched = read_jsonl(path)
    return [[Passage(**p) for p in row["passages"]] for row in searched]


def training_rows(work: Work, records: Sequence[Record], retriever: Any) -> list[TrainingRow]:
    """Records as training rows, with passages where there is a retriever."""
    recipe = work.recipe
    return rows.training_rows(
        records,
        recipe.records,
        recipe.template.build(),
        seed=recipe.seed,
        retriever=retriever,
        both=retriever is not None and recipe.tune.adapters == "shared",
    )


def samples(work: Work, training: Sequence[TrainingRow], adapter: Adapter) -> Samples:
    """Training rows, laid out and split as the recipe says.

    Raises RecordsError where they leave nothing to train on.
    """
    materials, tune = work.materials, work.recipe.tune.of(adapter)
    length = layouts.block_length(tune, materials.tokenizer, materials.context_length)
    return layouts.prepare(training, tune, form(work), length)
