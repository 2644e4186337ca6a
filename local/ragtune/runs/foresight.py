"""Faults of a study that its recipe and data show before anything is run."""

from collections.abc import Sequence

from ragtune.arms.ask_all import spread
from ragtune.prompts.registry import format_of
from ragtune.recipe.arms import Adapter
from ragtune.recipe.schema import Recipe
from ragtune.results.diagnosis import (
    census_faults,
    few_latencies,
    few_questions,
    few_steps,
    long_references,
)
from ragtune.results.faults import AnyFault
from ragtune.results.rightness import unanswerable
from ragtune.runs import languages
from ragtune.runs.materials import Materials
from ragtune.runs.stages.answers import reference_tokens
from ragtune.sources.documents import Document
from ragtune.sources.records import Record
from ragtune.tuning import samples
from ragtune.tuning.rows import stand_in_rows
from ragtune.tuning.samples import Samples

MANY, SAMPLE = 4000, 800
"""Records that are all rendered to foresee what tuning is given; of more only a sample is."""
CHARACTERS = 4
"""About as many a token of the embedder, for the length of passages that are not found yet."""


def foresee(recipe: Recipe, materials: Materials, found: Sequence[Document]) -> list[AnyFault]:
    """What a run of the recipe would be found wanting in; no model is loaded.

    ``found`` are the documents: parts of them take the passages' place in training rows.

    Raises RecordsError where nothing would be trained on.
    """
    arms, study, asked = recipe.arms, recipe.study, materials.questions
    without = unanswerable(asked, study.all_refusals)
    answerable = [q for q, none in zip(asked, without, strict=True) if not none] or asked
    lengths = [reference_tokens(materials.tokenizer, q) for q in _some(answerable)]
    faults = [
        *few_questions(len(answerable), arms),
        *long_references(lengths, study.max_new_tokens, arms),
        *few_latencies(min(len(asked), study.latency_questions), arms),
    ]
    searches = recipe.retrieves or recipe.searches_records

    faults += languages.unknown(
        asked,
        documents=recipe.rag.languages if searches else [],
        search=recipe.rag.search,
        arms=arms,
        embedder=materials.embedder_languages if searches else None,
        model=materials.model_languages,
        tokenizer=materials.tokenizer,
    )
    for adapter in recipe.adapters:
        tuned = recipe.served(adapter)
        chunks = _parts(recipe, found) if recipe.trains_with_passages(adapter) else []
        few = _some(materials.train)
        census = prepare(recipe, materials, adapter, chunks, most=len(few)).census
        share = len(few) / len(materials.train)
        steps = round(census.steps_an_epoch / share) * recipe.tune.of(adapter).epoch
        faults += few_steps(steps, tuned)
        validates = recipe.tune.validation_split_ratio > 0
        faults += census_faults(census, tuned, validates=validates) if share == 1 else []
    return faults


def prepare(
    recipe: Recipe,
    materials: Materials,
    adapter: Adapter,
    chunks: Sequence[str],
    *,
    most: int | None = None,
) -> Samples:
    """The samples of an adapter, with ``chunks`` in the place of the passages that will be found.

    Of more training records than ``most``, so many are taken, at even distances.

    Raises RecordsError where nothing would be trained on.
    """
    template = recipe.template.build()
    rows = stand_in_rows(
        spread(materials.train, most) if most else materials.train,
        recipe.records,
        template,
        seed=recipe.seed,
        chunks=chunks,
        top_k=recipe.rag.top_k,
        both=bool(chunks) and recipe.tune.adapters == "shared",
    )
    form = format_of(template, materials.tokenizer)
    tune = recipe.tune.of(adapter)
    length = samples.block_length(tune, materials.tokenizer, materials.context_length)
    return samples.prepare(rows, tune, form, length)


def _some(records: Sequence[Record]) -> Sequence[Record]:
    """All of them, or a sample at even distances where they are many."""
    return records if len(records) <= MANY else spread(records, SAMPLE)


def _parts(recipe: Recipe, found: Sequence[Document]) -> list[str]:
    """Texts of about a chunk's length, one of each document."""
    size = CHARACTERS * recipe.rag.chunk_tokens
    return [document.text[:size] for document in found[:64]] or [""]
