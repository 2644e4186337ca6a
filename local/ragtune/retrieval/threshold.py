"""From which score the best passage is good enough to ask a model at all."""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ragtune.core.errors import RecordsError
from ragtune.retrieval.filters import Condition, Filter
from ragtune.retrieval.retriever import Retriever
from ragtune.sources.records import Record

WRONGLY = 0.05
"""The share of answerable training questions that may be refused."""
MOST = 500
"""Training questions that are looked up, drawn by the recipe's seed."""
LEAST = 20


@dataclass(frozen=True)
class Threshold:
    """A score of the best passage, ``below`` which an arm refuses.

    Of the ``questions`` it was found on, ``wrongly`` is the share refused although their gold
    document is there, ``rightly`` the share refused once it is taken away.
    """

    below: float
    questions: int
    wrongly: float
    rightly: float

    def to_json(self) -> dict[str, Any]:
        """The fields, for ``refusal.json``."""
        return asdict(self)


def calibrate(
    retriever: Retriever, records: Sequence[Record], seed: int, *, with_context: bool
) -> Threshold:
    """The highest threshold that refuses at most `WRONGLY` of the training questions.

    Raises RecordsError where fewer than `LEAST` of them name a gold document.
    """
    judged = [r for r in records if r.document]
    if len(judged) < LEAST:
        raise RecordsError(
            f"rag.refuse_below: calibrated, but {len(judged)} training records name a gold "
            f"document; allowed from {LEAST}; give a number, or null"
        )
    chosen = random.Random(seed).sample(judged, min(MOST, len(judged)))
    asked = [r.query(with_context=with_context) for r in chosen]
    gold = np.array([best_score(p) for p in retriever.search(asked, 1)])
    without = np.array(
        [
            best_score(retriever.search([text], 1, _all_but(record.gold))[0])
            for text, record in zip(asked, chosen, strict=True)
        ]
    )
    below = float(np.quantile(gold, WRONGLY, method="lower"))
    return Threshold(
        below, len(chosen), float((gold < below).mean()), float((without < below).mean())
    )


def best_score(passages: Sequence[Any]) -> float:
    """The first passage's score; 0 where nothing was found."""
    return float(passages[0].score) if passages else 0.0


def _all_but(documents: Sequence[str]) -> Filter:
    return Filter(tuple(Condition("document", "!=", name) for name in documents))
