"""Records → training rows: what is trained on here and uploaded on promotion.

Passages are rendered into a row's context, so a row that has them is data like any other.
"""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from local.rag.passages import gold_rank
from local.recipe import Recipe
from local.records import Record
from local.tune.samples import TrainingRow

if TYPE_CHECKING:
    from local.rag.index import Retriever
    from local.rag.passages import Passage


def training_rows(
    recipe: Recipe, records: Sequence[Record], retriever: "Retriever | None"
) -> list[TrainingRow]:
    """One row a record, as base and tuned are asked, and a share once more with passages.

    The passages are those that retrieval finds for the question, so training sees what inference
    will; where the gold passage is not among them the row is left out, for it would teach to
    answer from nothing (RAFT, Zhang et al. 2024). The rows are shuffled by the recipe's seed.
    """
    own = recipe.records.context == "input"
    rows = [_row(r, r.context if own else "") for r in records]
    chooser = random.Random(recipe.seed)
    if retriever is not None:
        count = round(recipe.records.with_passages * len(records))
        chosen = chooser.sample(list(records), count)
        found = retriever.search([r.query(with_context=own) for r in chosen])
        for record, passages in zip(chosen, found, strict=True):
            if not record.document or gold_rank(record, passages):
                rows.append(_with_passages(recipe, record, passages, own))
    chooser.shuffle(rows)
    return rows


def _with_passages(
    recipe: Recipe, record: Record, passages: "Sequence[Passage]", own: bool
) -> TrainingRow:
    template = recipe.template.build()
    context = template.context(record.context if own else "", [p.text for p in passages])
    return _row(record, context)


def _row(record: Record, context: str) -> TrainingRow:
    return {"instruction": record.instruction, "context": context, "response": record.response}
