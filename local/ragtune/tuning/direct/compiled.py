"""What is done number by number between a layer's products, each in one pass, compiled by Numba.

Some ten operations of PyTorch, with a pass over memory each, become one, which lets other threads
go on meanwhile. bf16 arrives as its bits in uint16; all is computed in fp32 and rounded at the end.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba import njit, types

from ragtune.models.direct.single.instructions import bits, emitted


def _compiled(function: Callable[..., Any]) -> Any:
    """Compiled at its first call, and kept for the next process where there is a place for it."""
    how: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract", "nsz", "reassoc"},
    }
    try:
        return njit(cache=True, **how)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(**how)(function)


def numbers(tensor: torch.Tensor) -> Any:
    """A tensor's own memory as an array, as the functions here take it."""
    return (tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor).numpy()


@emitted
def _exact(typing: Any, number: Any) -> Any:
    """An array's number in fp32."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if signature.args[0] == types.float32:
            return args[0]
        whole = ir.IntType(32)
        moved = builder.shl(builder.zext(args[0], whole), ir.Constant(whole, 16))
        return builder.bitcast(moved, ir.FloatType())

    return types.float32(number), code


@emitted
def _rounded(typing: Any, number: Any, like: Any) -> Any:
    """An fp32 number as an array has them, to the nearest and of two to the even one.

    What is no number stays none, or becomes infinite: losses are looked at for either.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if signature.return_type == types.float32:
            return args[0]
        whole = ir.IntType(32)
        there = builder.bitcast(args[0], whole)
        shift = ir.Constant(whole, 16)
        odd = builder.and_(builder.lshr(there, shift), ir.Constant(whole, 1))
        half = builder.add(odd, ir.Constant(whole, 0x7FFF))
        return builder.trunc(builder.lshr(builder.add(there, half), shift), ir.IntType(16))

    return like.dtype(types.float32, like), code


F = np.float32


@_compiled
def _sigmoid(x: Any) -> Any:
    """In fp32; the exponential is Cephes' ``expf``, in terms that become vectors."""
    x = min(max(-x, F(-87.0)), F(87.0))
    whole = np.floor(x * F(1.44269504088896341) + F(0.5))
    x = x - whole * F(0.693359375)
    x = x - whole * F(-2.12194440e-4)
    y = F(1.9875691500e-4)
    y = y * x + F(1.3981999507e-3)
    y = y * x + F(8.3334519073e-3)
    y = y * x + F(4.1665795894e-2)
    y = y * x + F(1.6666665459e-1)
    y = y * x + F(5.0000001201e-1)
    y = y * x * x + x + F(1.0)
    power = y * bits((np.int32(whole) + np.int32(127)) << np.int32(23))
    return F(1.0) / (F(1.0) + power)


@_compiled
def gate(products: Any, found: Any) -> None:
    """``silu(gate) * up``; ``products``, (tokens, 2 * inner), are the two side by side."""
    tokens, inner = found.shape
    for token in range(tokens):
        both, row = products[token], found[token]
        for n in range(inner):
            x = _exact(both[n])
            row[n] = _rounded(x * _sigmoid(x) * _exact(both[inner + n]), found)


@_compiled
def gate_back(upstream: Any, products: Any, found: Any) -> None:
    """The gradient to ``products``."""
    tokens, inner = upstream.shape
    for token in range(tokens):
        above, both, row = upstream[token], products[token], found[token]
        for n in range(inner):
            x, up, slope = _exact(both[n]), _exact(both[inner + n]), _exact(above[n])
            open_ = _sigmoid(x)
            row[inner + n] = _rounded(slope * x * open_, found)
            row[n] = _rounded(slope * up * open_ * (F(1.0) + x * (F(1.0) - open_)), found)


@_compiled
def norm(x: Any, weight: Any, epsilon: Any, found: Any, factor: Any) -> None:
    """Rows divided by their root mean square, rounded, and weighted, as transformers' modules do.

    ``factor``, (rows), are what they were multiplied with.
    """
    rows, width = x.shape
    for place in range(rows):
        own, row = x[place], found[place]
        square = F(0.0)
        for n in range(width):
            square += _exact(own[n]) * _exact(own[n])
        scale = F(1.0) / np.sqrt(square / F(width) + epsilon)
        factor[place] = scale
        for n in range(width):
            unit = _exact(_rounded(_exact(own[n]) * scale, found))
            row[n] = _rounded(_exact(weight[n]) * unit, found)


@_compiled
def norm_back(upstream: Any, x: Any, factor: Any, weight: Any, found: Any) -> None:
    """Add the gradient to ``x`` to what is in ``found``."""
    rows, width = x.shape
    for place in range(rows):
        above, own, row, scale = upstream[place], x[place], found[place], factor[place]
        along = F(0.0)
        for n in range(width):
            along += _exact(above[n]) * _exact(weight[n]) * _exact(own[n])
        along *= scale * scale / F(width)
        for n in range(width):
            slope = (_exact(above[n]) * _exact(weight[n]) - _exact(own[n]) * along) * scale
            row[n] = _rounded(slope + _exact(row[n]), found)


@_compiled
def turn(heads: Any, joined: Any, turns: Any, found: Any) -> None:
    """Queries and keys turned by their positions, with values, as attention reads them.

    ``joined``, (tokens, heads + 2 * shared, size), has queries, keys and values side by side; the
    first two are read from ``heads``, which has them in the same places. ``turns`` are cosines and
    signed sines, (tokens, size); what is ``found`` is as in ``attention.Kept``.
    """
    cos, sin = turns
    queries, keys, values = found
    tokens, _, size = joined.shape
    shared = len(keys)
    group, half = queries.shape[1] // tokens, size // 2
    count = shared * group
    for token in range(tokens):
        c, s = cos[token], sin[token]
        for head in range(count + shared):
            own = heads[token, head]
            if head < count:
                row = queries[head // group, token * group + head % group]
            else:
                row = keys[head - count, token]
            for n in range(half):
                a, b = _exact(own[n]), _exact(own[n + half])
                row[n] = _rounded(a * _exact(c[n]) + b * _exact(s[n]), keys)
                row[n + half] = _rounded(b * _exact(c[n + half]) + a * _exact(s[n + half]), keys)
        for head in range(shared):
            own, row = joined[token, count + shared + head], values[head, token]
            for n in range(size):
                row[n] = own[n]


@_compiled
def turn_back(gradients: Any, turns: Any, found: Any) -> None:
    """From gradients to what ``turn`` gave to that to heads and values, shaped as ``joined``."""
    queries, keys, values = gradients
    cos, sin = turns
    tokens, _, size = found.shape
    shared = len(keys)
    group, half = queries.shape[1] // tokens, size // 2
    count = shared * group
    for token in range(tokens):
        c, s = cos[token], sin[token]
        for head in range(count + shared):
            row = found[token, head]
            if head < count:
                above = queries[head // group, token * group + head % group]
            else:
                above = keys[head - count, token]
            for n in range(half):
                a, b = _exact(above[n]), _exact(above[n + half])
                row[n] = _rounded(a * _exact(c[n]) + b * _exact(s[n + half]), keys)
                row[n + half] = _rounded(b * _exact(c[n + half]) + a * _exact(s[n]), keys)
        for head in range(shared):
            above, row = values[head, token], found[token, count + shared + head]
            for n in range(size):
                row[n] = above[n]
