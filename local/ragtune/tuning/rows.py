"""Records → training rows: what is trained on here and uploaded on promotion.

Passages are rendered into a row's context, so a row that has them is data like any other.
"""

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from ragtune.recipe.schema import Records
from ragtune.retrieval.passages import gold_rank
from ragtune.sources.records import Record
from ragtune.tuning.samples import TrainingRow

if TYPE_CHECKING:
    from ragtune.retrieval.index import Retriever
    from ragtune.retrieval.passages import Passage


class Form(Protocol):
    """What is used of a prompt format."""

    def context(self, own: str, passages: Sequence[str]) -> str:
        """A record's own context and passages as one text."""


def training_rows(
    records: Sequence[Record],
    spec: Records,
    form: Form,
    *,
    seed: int,
    retriever: "Retriever | None" = None,
) -> list[TrainingRow]:
    """One row a record, as base and tuned are asked, and a share once more with passages.

    The passages are those that retrieval finds for the question, so training sees what inference
    will: the gold one among distractors. Where it is not found the row is left out. From a share
    of the rows, ``records.without_gold``, it is taken away on purpose: these teach to answer from
    memory where retrieval fails (RAFT, Zhang et al. 2024, there 1 - P). The rows are shuffled by
    ``seed``.
    """
    rows = [_row(r, _own(r, spec)) for r in records]
    chooser = random.Random(seed)
    if retriever is not None:
        count = round(spec.with_passages * len(records))
        chosen = chooser.sample(list(records), count)
        for record, passages in _retrieved(chosen, spec, retriever):
            rows.append(_row(record, form.context(_own(record, spec), [p.text for p in passages])))
    chooser.shuffle(rows)
    return rows


def stand_in_rows(
    records: Sequence[Record],
    spec: Records,
    form: Form,
    *,
    seed: int,
    chunks: Sequence[str],
    top_k: int,
) -> list[TrainingRow]:
    """As many rows, and as long, as `training_rows` makes once there is an index.

    ``chunks`` take the place of what would be found, in turn.
    """
    rows = training_rows(records, spec, form, seed=seed)
    for n, record in enumerate(records[: round(spec.with_passages * len(records))]):
        passages = [chunks[(n * top_k + k) % len(chunks)] for k in range(top_k)]
        rows.append(_row(record, form.context(_own(record, spec), passages)))
    random.Random(seed).shuffle(rows)
    return rows


def _retrieved(
    records: Sequence[Record], spec: Records, retriever: "Retriever"
) -> "Iterator[tuple[Record, Sequence[Passage]]]":
    """The records that keep or lose their gold passage as they should, each with passages.

    Those without a gold document have none to lose. Twice as many passages are looked for where
    the gold ones go, so that enough are left.
    """
    top_k = retriever.rag.top_k
    queries = [r.query(with_context=spec.context == "input") for r in records]
    answerable = [n for n, r in enumerate(records) if r.document]
    blind = answerable[: round(spec.without_gold * len(answerable))]
    wider = retriever.search([queries[n] for n in blind], 2 * top_k) if blind else []
    others = dict(zip(blind, wider, strict=True))
    for n, (record, found) in enumerate(zip(records, retriever.search(queries), strict=True)):
        if n in others:
            yield record, [p for p in others[n] if not gold_rank(record, [p])][:top_k]
        elif not record.document or gold_rank(record, found):
            yield record, found


def _own(record: Record, spec: Records) -> str:
    return record.context if spec.context == "input" else ""


def _row(record: Record, context: str) -> TrainingRow:
    return {"instruction": record.instruction, "context": context, "response": record.response}
