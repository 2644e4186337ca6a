"""Attention of a few tokens of one row, compiled by Numba: see ``step``."""

import math
from typing import Any

import numpy as np

from ragtune.models.direct.single.arrays import TOGETHER
from ragtune.models.direct.single.blends import blend, score, write
from ragtune.models.direct.single.parts import address, compiled, exponential, summing, unit


@compiled
def turn(
    row: Any, at: Any, size: Any, weight: Any, epsilon: Any, cos: Any, sin: Any, found: Any
) -> None:
    """A head, normed where there are weights for it, turned by its position."""
    scale = unit(row, at, size, epsilon) if len(weight) else np.float32(1.0)
    half = size // 2
    for n in range(size):
        found[n] = row[at + n] * scale
    if len(weight):
        for n in range(size):
            found[n] *= weight[n]
    for n in range(half):
        a, b = found[n], found[n + half]
        found[n] = a * cos[n] + b * sin[n]
        found[n + half] = b * cos[n + half] + a * sin[n + half]


@compiled
def keep(
    layer: Any, thread: Any, threads: Any, tokens: Any, start: Any, heads: Any, room: Any, kept: Any
) -> None:
    """Write the tokens' keys and values into the cache."""
    size, shared = heads.cos.shape[1], heads.shared
    width = 4 if kept.exact else 2
    found = room.found[thread, 0]
    norms = heads.norms[min(layer, len(heads.norms) - 1), 1]
    for head in range(shared * thread // threads, shared * (thread + 1) // threads):
        for token in range(tokens):
            place = start + token
            to = (head * kept.by_head + place * kept.by_place) * width
            row = room.turned[token]
            turn(
                row, (heads.own + head) * size, size, norms, heads.epsilon,
                heads.cos[place], heads.sin[place], found,
            )  # fmt: skip
            value = address(row) + 4 * (heads.own + shared + head) * size
            write(1, kept.exact, size, address(found), kept.keys[layer] + to)
            write(1, kept.exact, size, value, kept.values[layer] + to)


@compiled
def weigh(
    count: Any, exact: Any, queries: Any, keys: Any, apart: Any, size: Any, reach: Any,
    scores: Any, between: Any,
) -> None:  # fmt: skip
    """``score`` of up to ``TOGETHER`` queries."""
    if count == 1:
        score(1, exact, queries, keys, apart, size, reach, scores, between)
    elif count == 2:
        score(2, exact, queries, keys, apart, size, reach, scores, between)
    elif count == 3:
        score(3, exact, queries, keys, apart, size, reach, scores, between)
    else:
        score(4, exact, queries, keys, apart, size, reach, scores, between)


@compiled
def mix(
    count: Any, exact: Any, scores: Any, between: Any, values: Any, apart: Any, size: Any,
    reach: Any, found: Any,
) -> None:  # fmt: skip
    """``blend`` of up to ``TOGETHER`` queries."""
    if count == 1:
        blend(1, exact, scores, between, values, apart, size, reach, found)
    elif count == 2:
        blend(2, exact, scores, between, values, apart, size, reach, found)
    elif count == 3:
        blend(3, exact, scores, between, values, apart, size, reach, found)
    else:
        blend(4, exact, scores, between, values, apart, size, reach, found)


@summing
def soften(scores: Any, own: Any, reach: Any) -> None:
    """Scores as shares of one; those of tokens that come after its own are none."""
    most = np.float32(-np.inf)
    for place in range(own):
        most = max(most, scores[place])
    total = np.float32(0.0)
    for place in range(own):
        power = exponential(scores[place] - most)
        scores[place] = power
        total += power
    for place in range(own):
        scores[place] /= total
    for place in range(own, reach):
        scores[place] = np.float32(0.0)


@compiled
def attend(
    layer: Any, thread: Any, threads: Any, tokens: Any, start: Any, heads: Any, room: Any, kept: Any
) -> None:
    """What each token attends to; its keys and values are in the cache already.

    Queries that read the same keys, of a group of heads and of all tokens, are taken some at once.
    """
    group = heads.own // heads.shared
    queries = group * tokens
    some = (queries + TOGETHER - 1) // TOGETHER
    units = heads.shared * some
    size = heads.cos.shape[1]
    query, found, scores = room.query[thread], room.found[thread], room.scores[thread]
    scale = np.float32(1.0 / math.sqrt(size))
    norms = heads.norms[min(layer, len(heads.norms) - 1), 0]
    width = 4 if kept.exact else 2
    for number in range(units * thread // threads, units * (thread + 1) // threads):
        shared, first = number // some, (number % some) * TOGETHER
        count = min(TOGETHER, queries - first)
        for n in range(count):
            token, head = (first + n) // group, shared * group + (first + n) % group
            turn(
                room.turned[token], head * size, size, norms, heads.epsilon,
                heads.cos[start + token], heads.sin[start + token], query[n],
            )  # fmt: skip
            for at in range(size):
                query[n, at] *= scale
        reach = start + (first + count - 1) // group + 1
        weigh(
            count, kept.exact, address(query), kept.keys[layer] + shared * kept.by_head * width,
            kept.by_place, size, reach, address(scores), scores.shape[1],
        )  # fmt: skip
        for n in range(count):
            soften(scores[n], start + (first + n) // group + 1, reach)
        mix(
            count, kept.exact, address(scores), scores.shape[1],
            kept.values[layer] + shared * kept.by_head * width,
            kept.by_place, size, reach, address(found),
        )  # fmt: skip
        for n in range(count):
            token, head = (first + n) // group, shared * group + (first + n) % group
            for at in range(size):
                room.mixed[token, head * size + at] = found[n, at]
