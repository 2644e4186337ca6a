"""What a step reads and writes."""

from typing import Any, NamedTuple

GROUP, BLOCK = 32, 32
"""Inputs that share a scale, and outputs that are computed together."""
MOST = 8
"""Tokens that a step reads at most."""
TOGETHER = 4
"""Queries that read the same keys together."""


class Matrix(NamedTuple):
    """The same product of all layers, int8 with a scale for each output and 32 inputs.

    ``numbers`` are (layers, blocks, groups, 16, 32, 2): see ``weights``;
    ``scales``, bf16 as its bits, (layers, blocks, groups, 32); ``biases`` (layers, blocks * 32).
    """

    numbers: Any
    scales: Any
    biases: Any


class Heads(NamedTuple):
    """How queries and keys are made: norms, (layers, 2, size) or of no size, and rotary tables."""

    own: int
    shared: int
    norms: Any
    epsilon: Any
    cos: Any
    sin: Any


class Model(NamedTuple):
    """What a step reads: products, and norms, (layers, 2, width), in fp32.

    ``gate_up`` has blocks of either in turn.
    """

    qkv: Matrix
    out: Matrix
    gate_up: Matrix
    down: Matrix
    head: Matrix
    heads: Heads
    norms: Any
    last: Any
    width: int
    vocabulary: int


class Attended(NamedTuple):
    """Where attention writes: ``turned`` and ``mixed`` are of all threads."""

    turned: Any
    mixed: Any
    query: Any
    found: Any
    scores: Any


class Scratch(NamedTuple):
    """Where a step writes: a row for each token, padded with zeros to whole groups or blocks.

    Up to ``next`` all threads share them; of the rest each has its own.
    """

    attended: Attended
    hidden: Any
    gated: Any
    logits: Any
    sync: Any
    next: Any
    inputs: Any
    steps: Any
    row: Any
    pair: Any
    best: Any
    found_at: Any


class Kept(NamedTuple):
    """The row's keys and values, where the cache has them: addresses of each layer, and strides.

    ``exact``: 1 for fp32, 0 for bf16.
    """

    keys: Any
    values: Any
    by_head: int
    by_place: int
    exact: int
