"""How often the gold passage was found, and how high it ranked."""

import math
from collections.abc import Collection, Sequence

from ragtune.results.schema import Retrieval
from ragtune.results.statistics import estimate
from ragtune.retrieval.passages import Passage, gold_rank
from ragtune.sources.records import Record


def quality(
    records: Sequence[Record],
    found: Sequence[Sequence[Passage]],
    top_k: int,
    seed: int,
    no_gold: Collection[str] = (),
) -> Retrieval | None:
    """Recall at k, mean reciprocal rank and nDCG at k over the questions with a gold document.

    One passage is taken to be relevant, so nDCG is 1 / log2(1 + rank). None where no question
    names a gold document. Left out are the ids in ``no_gold``: their gold does not exist.
    """
    judged = [(r, p) for r, p in zip(records, found, strict=True) if r.gold and r.id not in no_gold]
    if not judged:
        return None
    ranks = [gold_rank(record, passages[:top_k]) for record, passages in judged]
    return Retrieval(
        k=top_k,
        questions=len(ranks),
        recall_at_k=estimate([float(n is not None) for n in ranks], seed),
        mrr=estimate([1 / n if n else 0.0 for n in ranks], seed),
        ndcg_at_k=estimate([1 / math.log2(1 + n) if n else 0.0 for n in ranks], seed),
    )
