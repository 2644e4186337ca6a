"""Rankings that leave nothing to chance, and the fusion of two; the same in every store."""

from collections.abc import Sequence

Hit = tuple[str, float]
"""A chunk's id and its score."""
CANDIDATES = 100
"""Hits that are looked at in each ranking, or twice the hits asked for."""
DENSE_WEIGHT = 0.8
"""Of cosine against keyword score: the best of 0.5 to 0.9 by MRR on half of Dolly's questions."""


def reach(top_k: int) -> int:
    """How many hits of each ranking are looked at to find the ``top_k`` best."""
    return max(CANDIDATES, 2 * top_k)


def ranked(hits: Sequence[Hit], asked: int) -> list[Hit]:
    """Hits by falling score and, where scores are equal, by id.

    Where as many came as were ``asked`` for, those that tie with the last are left out, unless all
    tie: which of them came is chance.
    """
    order = sorted(hits, key=lambda hit: (-hit[1], hit[0]))
    if len(order) < asked or order[0][1] == order[-1][1]:
        return order
    return [hit for hit in order if hit[1] > order[-1][1]]


def fused(dense: Sequence[Hit], keyword: Sequence[Hit]) -> list[Hit]:
    """One ranking by the weighted sum of cosine and keyword score, the latter over its highest.

    Bruch, Gai and Ingber's convex combination ("An Analysis of Fusion Functions for Hybrid
    Retrieval", TOIS 2023) with 0 as the least of both scores. A chunk that only words found is
    taken to have the lowest cosine of the others.
    """
    cosines, words = dict(dense), dict(keyword)
    lowest = min(cosines.values(), default=0.0)
    highest = max(words.values(), default=1.0)
    scores = {
        name: DENSE_WEIGHT * cosines.get(name, lowest)
        + (1 - DENSE_WEIGHT) * words.get(name, 0.0) / highest
        for name in {*cosines, *words}
    }
    return ranked(list(scores.items()), len(scores) + 1)
