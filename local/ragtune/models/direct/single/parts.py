"""Parts of a layer but for attention, compiled by Numba: see ``step``."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from ragtune.models.direct.single.arrays import BLOCK, GROUP
from ragtune.models.direct.single.instructions import bits
from ragtune.models.direct.single.products import multiply


def compiled(function: Callable[..., Any]) -> Any:
    """A function for others that are compiled here."""
    return njit(nogil=True, error_model="numpy", fastmath={"contract", "nsz"})(function)


def summing(function: Callable[..., Any]) -> Any:
    """One whose sums may be taken in another order."""
    return njit(nogil=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc"})(function)


@compiled
def address(array: Any) -> Any:
    """Where an array begins, as a signed number: with an unsigned one sums would be floating."""
    return np.intp(array.ctypes.data)


@compiled
def exponential(x: Any) -> Any:
    """``exp`` in fp32, as Cephes has it, in terms that become instructions for vectors."""
    x = min(max(x, np.float32(-87.0)), np.float32(88.0))
    whole = np.floor(x * np.float32(1.44269504088896341) + np.float32(0.5))
    x = x - whole * np.float32(0.693359375)
    x = x - whole * np.float32(-2.12194440e-4)
    y = np.float32(1.9875691500e-4)
    y = y * x + np.float32(1.3981999507e-3)
    y = y * x + np.float32(8.3334519073e-3)
    y = y * x + np.float32(4.1665795894e-2)
    y = y * x + np.float32(1.6666665459e-1)
    y = y * x + np.float32(5.0000001201e-1)
    y = y * x * x + x + np.float32(1.0)
    return y * bits((np.int32(whole) + np.int32(127)) << np.int32(23))


@summing
def unit(row: Any, first: Any, count: Any, epsilon: Any) -> Any:
    """One over the root of the mean square (Zhang and Sennrich 2019)."""
    total = np.float32(0.0)
    for n in range(first, first + count):
        total += row[n] * row[n]
    return np.float32(1.0) / np.float32(math.sqrt(total / np.float32(count) + epsilon))


@compiled
def round_inputs(row: Any, groups: Any, numbers: Any, steps: Any, token: Any) -> None:
    """A row of inputs as int16, by the largest of each group, for ``multiply``."""
    for group in range(groups):
        at = group * GROUP
        most = np.float32(0.0)
        for n in range(GROUP):
            most = max(most, abs(row[at + n]))
        inverse = np.float32(32767.0) / most if most > np.float32(1e-30) else np.float32(0.0)
        steps[token * groups + group] = most * np.float32(1.0 / 32767.0)
        to = token * groups * GROUP + at
        for n in range(GROUP):
            numbers[to + n] = np.int16(np.int32(np.rint(row[at + n] * inverse)))


@compiled
def norm_inputs(
    hidden: Any,
    weight: Any,
    epsilon: Any,
    width: Any,
    tokens: Any,
    row: Any,
    numbers: Any,
    steps: Any,
) -> None:
    """The tokens' hidden states, normed, as inputs."""
    groups = hidden.shape[1] // GROUP
    for token in range(tokens):
        scale = unit(hidden[token], 0, width, epsilon)
        for n in range(hidden.shape[1]):
            row[n] = hidden[token, n] * scale * weight[n]
        round_inputs(row, groups, numbers, steps, token)


@compiled
def round_rows(rows: Any, tokens: Any, numbers: Any, steps: Any) -> None:
    """Rows that are inputs as they are."""
    for token in range(tokens):
        round_inputs(rows[token], rows.shape[1] // GROUP, numbers, steps, token)


@compiled
def multiply_block(
    tokens: Any,
    numbers: Any,
    scales: Any,
    block: Any,
    groups: Any,
    first: Any,
    between: Any,
    inputs: Any,
    steps: Any,
    out: Any,
    apart: Any,
) -> None:
    """``multiply`` with weights of one block; tokens are as many as there is code for, or more."""
    own = numbers + block * groups * (GROUP * BLOCK)
    scaled = scales + block * groups * (2 * BLOCK)
    if tokens == 1:
        multiply(1, own, scaled, first, between, inputs, steps, groups, out, apart)
    elif tokens == 2:
        multiply(2, own, scaled, first, between, inputs, steps, groups, out, apart)
    elif tokens <= 4:
        multiply(4, own, scaled, first, between, inputs, steps, groups, out, apart)
    else:
        multiply(8, own, scaled, first, between, inputs, steps, groups, out, apart)


@compiled
def project(
    layer: Any,
    matrix: Any,
    tokens: Any,
    inputs: Any,
    steps: Any,
    out: Any,
    start: Any,
    end: Any,
    adds: Any,
) -> None:
    """Blocks ``start`` to ``end`` of a product, ``adds``: added to what is there."""
    blocks, groups = matrix.numbers.shape[1], matrix.numbers.shape[2]
    numbers = address(matrix.numbers) + layer * blocks * groups * (GROUP * BLOCK)
    scales = address(matrix.scales) + layer * blocks * groups * (2 * BLOCK)
    apart = out.shape[1]
    for block in range(start, end):
        at = block * BLOCK
        here = address(out) + 4 * at
        first, between = address(matrix.biases) + 4 * (layer * blocks * BLOCK + at), 0
        if adds:
            first, between = here, apart
            for token in range(tokens):
                for n in range(BLOCK):
                    out[token, at + n] += matrix.biases[layer, at + n]
        multiply_block(
            tokens, numbers, scales, block, groups, first, between,
            address(inputs), address(steps), here, apart,
        )  # fmt: skip


@compiled
def gate(
    layer: Any,
    matrix: Any,
    tokens: Any,
    inputs: Any,
    steps: Any,
    pair: Any,
    out: Any,
    start: Any,
    end: Any,
) -> None:
    """SwiGLU (Shazeer 2020) of pairs of blocks, of which ``gate`` has the first."""
    blocks, groups = matrix.numbers.shape[1], matrix.numbers.shape[2]
    numbers = address(matrix.numbers) + layer * blocks * groups * (GROUP * BLOCK)
    scales = address(matrix.scales) + layer * blocks * groups * (2 * BLOCK)
    for both in range(start, end):
        for side in range(2):
            block = 2 * both + side
            first = address(matrix.biases) + 4 * (layer * blocks + block) * BLOCK
            multiply_block(
                tokens, numbers, scales, block, groups, first, 0,
                address(inputs), address(steps), address(pair) + 4 * BLOCK * side, 2 * BLOCK,
            )  # fmt: skip
        for token in range(tokens):
            for n in range(BLOCK):
                x = pair[token, n]
                swish = x / (np.float32(1.0) + exponential(-x))
                out[token, both * BLOCK + n] = swish * pair[token, BLOCK + n]
