"""Products of int8 weights and int16 inputs, in vectors."""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils

from ragtune.models.direct.single.arrays import BLOCK, GROUP
from ragtune.models.direct.single.instructions import INT, emitted
from ragtune.models.direct.single.vectors import LANES, VECTOR, every, fused, outlined

FEATURES: dict[str, bool] = dict(get_host_cpu_features())
MULTIPLY_ADD = (
    (512, "avx512bw", "llvm.x86.avx512.pmaddw.d.512"),
    (256, "avx2", "llvm.x86.avx2.pmadd.wd"),
)
"""Widths of x86's products of pairs, the processor's feature, and LLVM's name."""


def _pairs(builder: Any, a: Any, b: Any) -> Any:
    """``a[2n] * b[2n] + a[2n + 1] * b[2n + 1]`` of int16 as int32, as one instruction on x86."""
    count = a.type.count
    for bits, feature, name in MULTIPLY_ADD:
        if FEATURES.get(feature):
            size = bits // 16
            kind = ir.FunctionType(_integers(size // 2, 32), [_integers(size, 16)] * 2)
            function = cgutils.get_or_insert_function(builder.module, kind, name)
            found = [
                builder.call(function, [_part(builder, x, n, size) for x in (a, b)])
                for n in range(0, count, size)
            ]
            return found[0] if len(found) == 1 else _joined(builder, *found)
    evens, odds = (
        [
            builder.sext(_chosen(builder, x, range(first, count, 2)), _integers(count // 2, 32))
            for x in (a, b)
        ]
        for first in (0, 1)
    )
    return builder.add(builder.mul(*evens), builder.mul(*odds))


def _integers(count: int, bits: int) -> Any:
    return ir.VectorType(ir.IntType(bits), count)


def _chosen(builder: Any, vector: Any, places: Sequence[int]) -> Any:
    mask = ir.Constant(_integers(len(places), 32), list(places))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _part(builder: Any, vector: Any, first: int, size: int) -> Any:
    whole = size == vector.type.count
    return vector if whole else _chosen(builder, vector, range(first, first + size))


def _joined(builder: Any, a: Any, b: Any) -> Any:
    mask = ir.Constant(_integers(2 * a.type.count, 32), list(range(2 * a.type.count)))
    return builder.shuffle_vector(a, b, mask)


@emitted
def multiply(
    typing: Any,
    tokens: Any,
    numbers: Any,
    scales: Any,
    first: Any,
    between: Any,
    inputs: Any,
    steps: Any,
    groups: Any,
    out: Any,
    apart: Any,
) -> Any:
    """A block's outputs for so many tokens, added to what they are ``first``.

    All are addresses, but for ``groups``, and ``between`` and ``apart``: the numbers between two
    tokens' first values and outputs. Weights are read and widened once for all tokens.
    """
    count = tokens.literal_value
    signature = types.void(tokens, *[INT] * 9)
    parts = BLOCK // LANES

    def body(builder: Any, args: Any) -> None:
        numbers, scales, first, between, inputs, steps, groups, out, apart = args
        word = numbers.type
        whole = ir.IntType(32)
        lanes = ir.VectorType(whole, LANES)

        def number(value: int) -> Any:
            return ir.Constant(word, value)

        def read(address: Any, place: Any, to: Any, size: int, align: int) -> Any:
            moved = builder.add(address, builder.mul(place, number(size)))
            return builder.load(builder.inttoptr(moved, ir.PointerType(to)), align=align)

        def spot(distance: Any, token: int, part: int) -> Any:
            return builder.add(builder.mul(distance, number(token)), number(part * LANES))

        tiles = [(token, part) for token in range(count) for part in range(parts)]
        totals = {tile: cgutils.alloca_once(builder, VECTOR) for tile in tiles}
        sums = {tile: cgutils.alloca_once(builder, lanes) for tile in tiles}
        for token, part in tiles:
            start = read(first, spot(between, token, part), VECTOR, 4, 4)
            builder.store(start, totals[token, part])
        with cgutils.for_range(builder, groups, intp=word) as group:
            for tile in tiles:
                builder.store(ir.Constant(lanes, [0] * LANES), sums[tile])
            base = builder.mul(group.index, number(GROUP // 2))
            with cgutils.for_range(builder, number(GROUP // 2), intp=word) as pair:
                input = builder.add(base, pair.index)
                narrow = ir.VectorType(ir.IntType(8), 2 * LANES)
                weights = []
                for part in range(parts):
                    place = builder.add(builder.mul(input, number(parts)), number(part))
                    wide = ir.VectorType(ir.IntType(16), 2 * LANES)
                    weights.append(builder.sext(read(numbers, place, narrow, 2 * LANES, 1), wide))
                for token in range(count):
                    row = builder.mul(groups, number(token * GROUP // 2))
                    two = read(inputs, builder.add(row, input), whole, 4, 4)
                    both = builder.bitcast(
                        every(builder, two), ir.VectorType(ir.IntType(16), 2 * LANES)
                    )
                    for part in range(parts):
                        held = sums[token, part]
                        product = _pairs(builder, weights[part], both)
                        builder.store(builder.add(builder.load(held), product), held)
            for part in range(parts):
                place = builder.add(builder.mul(group.index, number(parts)), number(part))
                half = ir.VectorType(ir.IntType(16), LANES)
                bits = builder.zext(read(scales, place, half, 2 * LANES, 2), lanes)
                shifted = builder.shl(bits, ir.Constant(lanes, [16] * LANES))
                scale = builder.bitcast(shifted, VECTOR)
                for token in range(count):
                    row = builder.mul(groups, number(token))
                    step = read(steps, builder.add(row, group.index), ir.FloatType(), 4, 4)
                    both = builder.fmul(scale, every(builder, step))
                    found = builder.sitofp(builder.load(sums[token, part]), VECTOR)
                    held = totals[token, part]
                    builder.store(fused(builder, found, both, builder.load(held)), held)
        for token, part in tiles:
            moved = builder.add(out, builder.mul(spot(apart, token, part), number(4)))
            place = builder.inttoptr(moved, ir.PointerType(VECTOR))
            builder.store(builder.load(totals[token, part]), place, align=4)

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        outlined(builder, f"ragtune_multiply_{count}", args[1:], body)
        return context.get_dummy_value()

    return signature, code
