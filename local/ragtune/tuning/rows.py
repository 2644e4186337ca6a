"""Records → training rows: what is trained on here and uploaded on promotion.

Passages are rendered into a row's context, so a row that has them is data like any other.
"""

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from ragtune.prompts.base import takes_turns
from ragtune.recipe.records import Records
from ragtune.retrieval.filters import Condition, Filter
from ragtune.retrieval.passages import gold_rank
from ragtune.sources.records import Record
from ragtune.tuning.samples import TrainingRow

if TYPE_CHECKING:
    from ragtune.retrieval.index import Retriever
    from ragtune.retrieval.passages import Passage

WITHIN = 20
"""Passages of a gold document that are looked through for the gold one."""


class Form(Protocol):
    """What is used of a prompt format, or of the template before there is a tokenizer."""

    def context(self, own: str, passages: Sequence[str]) -> str:
        """A record's own context and passages as one text."""


def training_rows(
    records: Sequence[Record],
    spec: Records,
    form: Form,
    *,
    seed: int,
    retriever: "Retriever | None" = None,
    both: bool = False,
) -> list[TrainingRow]:
    """One row a record, shuffled by ``seed``; with passages for a share where there is a retriever.

    The passages are those that retrieval finds for the question, so training sees what inference
    will: the gold one among distractors; where it is not found, the gold document's best passage
    takes the last one's place. From a share of these rows, ``records.without_gold``, it is taken
    away on purpose: they teach to answer where retrieval fails (RAFT, Zhang et al. 2024, there
    1 - P). ``both``: every record has a row without passages, and a share one more with them.
    """
    chooser = random.Random(seed)
    if retriever is None:
        rows = [_row(r, _own(r, spec, form), form) for r in records]
    else:
        shown = set(chooser.sample(range(len(records)), round(spec.with_passages * len(records))))
        plain = [record for n, record in enumerate(records) if both or n not in shown]
        rows = [_row(r, _own(r, spec, form), form) for r in plain]
        chosen = [record for n, record in enumerate(records) if n in shown]
        chooser.shuffle(chosen)
        for record, passages in _retrieved(chosen, spec, retriever):
            texts = [p.text for p in passages]
            rows.append(_row(record, form.context(_own(record, spec, form), texts), form))
    chooser.shuffle(rows)
    return rows


def stand_in_rows(
    records: Sequence[Record],
    spec: Records,
    form: Form,
    *,
    seed: int,
    chunks: Sequence[str] = (),
    top_k: int = 0,
    both: bool = False,
) -> list[TrainingRow]:
    """As many rows, and as long, as `training_rows` makes once there is an index.

    ``chunks`` take the place of what would be found, in turn; without any, rows have no passages.
    """
    shown = round(spec.with_passages * len(records)) if chunks else 0
    rows = [_row(r, _own(r, spec, form), form) for r in (records if both else records[shown:])]
    for n, record in enumerate(records[:shown]):
        passages = [chunks[(n * top_k + k) % len(chunks)] for k in range(top_k)]
        rows.append(_row(record, form.context(_own(record, spec, form), passages), form))
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
        else:
            yield record, [*found[: top_k - 1], *_gold(record, queries[n], retriever)]


def _gold(record: Record, query: str, retriever: "Retriever") -> "Sequence[Passage]":
    """The best gold passage of a record's gold documents; none where they have none."""
    documents = Filter((Condition("document", "in", list(record.gold)),))
    (found,) = retriever.search([query], WITHIN, documents)
    return [passage for passage in found if gold_rank(record, [passage])][:1]


def _own(record: Record, spec: Records, form: Form) -> str:
    return record.own(with_context=spec.context == "input", turns=takes_turns(form))


def _row(record: Record, context: str, form: Form) -> TrainingRow:
    told = {"instruction": record.instruction, "context": context, "response": record.response}
    if record.earlier and takes_turns(form):
        return {**told, "earlier": [list(pair) for pair in record.exchanges]}
    return told
