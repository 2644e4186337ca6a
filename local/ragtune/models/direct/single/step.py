"""The whole forward pass of a few tokens of one row, compiled by Numba.

A step of one row reads every weight once and computes next to nothing, so it lasts as long as
reading the weights does, and as long as everything else that is called: some 3,000 operations of
PyTorch took nearly half of it. Here a step is one call. Its threads run the same code, each its
share of every product, and wait for each other between the parts of a layer.

Weights are int8. Inputs are rounded to int16, for each 32 of them by their largest, which is finer
than bf16 by far, so that a processor multiplies and adds pairs of them as whole numbers. Sums are
taken in the same order however many tokens a step reads: drafts change no answer.
"""

import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ragtune.models.direct.single.arrays import BLOCK, Kept, Model, Scratch
from ragtune.models.direct.single.attention import attend, keep
from ragtune.models.direct.single.instructions import add, give_way, load, store
from ragtune.models.direct.single.parts import (
    address,
    compiled,
    gate,
    norm_inputs,
    project,
    round_rows,
)

GENERATION, STOP = 16, 32
"""Where ``sync`` has the meeting's number, and that a thread will not come: lines of their own."""
SPINS = 2000
"""Looks at the others' state before the processor is offered to someone else."""


@compiled
def meet(sync: Any, threads: Any) -> None:
    """Wait until all threads are here."""
    if threads == 1:
        return
    place = address(sync)
    generation = load(place, GENERATION)
    if add(place, 0, np.int32(1)) == threads - 1:
        store(place, 0, np.int32(0))
        store(place, GENERATION, np.int32(generation + 1))
        return
    looks = 0
    while load(place, GENERATION) == generation and load(place, STOP) == 0:
        looks += 1
        if looks > SPINS:
            give_way()


@compiled
def likeliest(
    thread: Any,
    threads: Any,
    tokens: Any,
    head: Any,
    vocabulary: Any,
    inputs: Any,
    steps: Any,
    logits: Any,
    best: Any,
    found_at: Any,
) -> None:
    """Logits, and of each token the likeliest next one of the thread's share."""
    blocks = head.numbers.shape[1]
    for token in range(tokens):
        best[token], found_at[token] = np.float32(-np.inf), 0
    for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
        project(0, head, tokens, inputs, steps, logits, block, block + 1, 0)
        for token in range(tokens):
            most = best[token]
            for n in range(block * BLOCK, min((block + 1) * BLOCK, vocabulary)):
                if logits[token, n] > most:
                    most = logits[token, n]
                    found_at[token] = n
            best[token] = most


@cache
def written() -> Callable[..., int]:
    """A step, to be compiled.

    Numba compiles again where the function's own file has changed; by ``sources``, which is part
    of what it looks for, it does so where any of them has.
    """
    files = sorted(Path(__file__).parent.glob("*.py"))
    sources = zlib.crc32(b"".join(path.read_bytes() for path in files))

    def step(
        thread: int, threads: int, tokens: int, start: int, model: Model, room: Scratch, kept: Kept
    ) -> int:
        """One thread's part of reading so many tokens, the first at place ``start``.

        Their embeddings are in ``room.hidden``; ``room.next`` has the token that follows each.
        """
        numbers, steps, row = room.inputs[thread], room.steps[thread], room.row[thread]
        width = model.width
        sync, hidden = room.sync, room.hidden
        for layer in range(len(model.norms)):
            before, between = model.norms[layer, 0], model.norms[layer, 1]
            norm_inputs(hidden, before, model.heads.epsilon, width, tokens, row, numbers, steps)
            blocks = model.qkv.numbers.shape[1]
            first, last = blocks * thread // threads, blocks * (thread + 1) // threads
            project(layer, model.qkv, tokens, numbers, steps, room.attended.turned, first, last, 0)
            meet(sync, threads)
            keep(layer, thread, threads, tokens, start, model.heads, room.attended, kept)
            meet(sync, threads)
            attend(layer, thread, threads, tokens, start, model.heads, room.attended, kept)
            meet(sync, threads)
            round_rows(room.attended.mixed, tokens, numbers, steps)
            blocks = model.out.numbers.shape[1]
            first, last = blocks * thread // threads, blocks * (thread + 1) // threads
            project(layer, model.out, tokens, numbers, steps, hidden, first, last, 1)
            meet(sync, threads)
            norm_inputs(hidden, between, model.heads.epsilon, width, tokens, row, numbers, steps)
            pairs = model.gate_up.numbers.shape[1] // 2
            first, last = pairs * thread // threads, pairs * (thread + 1) // threads
            pair = room.pair[thread]
            gate(layer, model.gate_up, tokens, numbers, steps, pair, room.gated, first, last)
            meet(sync, threads)
            round_rows(room.gated, tokens, numbers, steps)
            first, last = blocks * thread // threads, blocks * (thread + 1) // threads
            project(layer, model.down, tokens, numbers, steps, hidden, first, last, 1)
            meet(sync, threads)
        norm_inputs(hidden, model.last, model.heads.epsilon, width, tokens, row, numbers, steps)
        likeliest(
            thread, threads, tokens, model.head, model.vocabulary, numbers, steps, room.logits,
            room.best[thread], room.found_at[thread],
        )  # fmt: skip
        meet(sync, threads)
        if thread == 0:
            for token in range(tokens):
                best = 0
                for other in range(1, threads):
                    if room.best[other, token] > room.best[best, token]:
                        best = other
                room.next[token] = room.found_at[best, token]
        return sources

    return step
