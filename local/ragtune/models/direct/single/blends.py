"""Sums over the places of a cache, in vectors, of several queries at once."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from ragtune.models.direct.single.instructions import INT, emitted
from ragtune.models.direct.single.vectors import LANES, VECTOR, every, fused, outlined

FLOAT = ir.FloatType()
WIDE = 4
"""Vectors of a value that are summed at once."""


class _Writer:
    """Writes what reads and writes numbers at an address and a place from there."""

    def __init__(self, builder: Any, word: Any, exact: bool) -> None:
        self.builder, self.word, self.exact = builder, word, exact

    def whole(self, value: int) -> Any:
        return ir.Constant(self.word, value)

    def sum(self, *terms: Any) -> Any:
        found = terms[0]
        for term in terms[1:]:
            found = self.builder.add(found, term)
        return found

    def times(self, a: Any, b: Any) -> Any:
        b = self.whole(b) if isinstance(b, int) else b
        return self.builder.mul(a, b)

    def at(self, address: Any, place: Any, kind: Any, size: int) -> Any:
        moved = self.builder.add(address, self.times(place, size))
        return self.builder.inttoptr(moved, ir.PointerType(kind))

    def number(self, address: Any, place: Any, kind: Any = FLOAT) -> Any:
        return self.builder.load(self.at(address, place, kind, 4), align=4)

    def kept(self, address: Any, place: Any, kind: Any) -> Any:
        """A number of the cache, or a vector of them, in fp32."""
        if self.exact:
            return self.number(address, place, kind)
        half, single = ir.IntType(16), ir.IntType(32)
        shift = ir.Constant(single, 16)
        if kind is not FLOAT:
            half, single = ir.VectorType(half, LANES), ir.VectorType(single, LANES)
            shift = ir.Constant(single, [16] * LANES)
        read = self.builder.load(self.at(address, place, half, 2), align=2)
        wide = self.builder.shl(self.builder.zext(read, single), shift)
        return self.builder.bitcast(wide, kind)

    def keep(self, number: Any, address: Any, place: Any) -> None:
        """Write a number into the cache: bf16 to the nearest, and of two to the even one."""
        if self.exact:
            self.store(number, address, place)
            return
        whole, half = ir.IntType(32), ir.IntType(16)
        shift, there = ir.Constant(whole, 16), self.builder.bitcast(number, whole)
        odd = self.builder.and_(self.builder.lshr(there, shift), ir.Constant(whole, 1))
        moved = self.sum(there, odd, ir.Constant(whole, 0x7FFF))
        kept = self.builder.trunc(self.builder.lshr(moved, shift), half)
        self.builder.store(kept, self.at(address, place, half, 2), align=2)

    def store(self, number: Any, address: Any, place: Any, kind: Any = FLOAT) -> None:
        self.builder.store(number, self.at(address, place, kind, 4), align=4)

    def zeros(self, count: int, kind: Any) -> list[Any]:
        found = [cgutils.alloca_once(self.builder, kind) for _ in range(count)]
        for held in found:
            self.builder.store(ir.Constant(kind, 0.0 if kind is FLOAT else [0.0] * LANES), held)
        return found

    def add(self, a: Any, b: Any, held: Any) -> None:
        self.builder.store(fused(self.builder, a, b, self.builder.load(held)), held)

    def across(self, vector: Any) -> Any:
        """The sum of a vector's numbers."""
        name, kind = "llvm.vector.reduce.fadd.v16f32", ir.FunctionType(FLOAT, [FLOAT, VECTOR])
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        zero = ir.Constant(FLOAT, 0.0)
        return self.builder.call(function, [zero, vector], fastmath=("reassoc",))

    def loop(self, start: Any, stop: Any, step: int = 1) -> Any:
        return cgutils.for_range_slice(self.builder, start, stop, self.whole(step), self.word)


Written = Callable[[_Writer, Any], None]


def _either(name: str, write: Written) -> Callable[..., Any]:
    """Code for a cache of fp32 and for one of bf16, of which an argument, the second, chooses."""

    def body(builder: Any, args: Any) -> None:
        is_exact = builder.icmp_signed("!=", args[0], ir.Constant(args[0].type, 0))
        with builder.if_else(is_exact) as (then, otherwise):
            with then:
                write(_Writer(builder, args[0].type, True), args[1:])
            with otherwise:
                write(_Writer(builder, args[0].type, False), args[1:])

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        outlined(builder, f"ragtune_{name}", args[1:], body)
        return context.get_dummy_value()

    return code


@emitted
def write(typing: Any, rows: Any, exact: Any, count: Any, numbers: Any, address: Any) -> Any:
    """Numbers from one address into the cache at another, ``exact``: in fp32, else in bf16."""

    def code(make: _Writer, args: Any) -> None:
        with make.loop(make.whole(0), args[0]) as (at, _):
            make.keep(make.number(args[1], at), args[2], at)

    return types.void(rows, *[INT] * 4), _either("write", code)


@emitted
def score(
    typing: Any,
    rows: Any,
    exact: Any,
    queries: Any,
    keys: Any,
    apart: Any,
    size: Any,
    reach: Any,
    scores: Any,
    between: Any,
) -> Any:
    """Scores of so many queries and places.

    ``queries``, ``keys`` and ``scores`` are addresses; keys are ``apart``, scores of two queries
    ``between`` numbers. ``exact``: the cache is in fp32, else in bf16.
    """
    count = rows.literal_value

    def code(make: _Writer, args: Any) -> None:
        queries, keys, apart, size, reach, scores, between = args
        builder = make.builder
        even = builder.and_(size, make.whole(-LANES))
        sums = make.zeros(count, VECTOR)
        with make.loop(make.whole(0), reach) as (place, _):
            for held in sums:
                builder.store(ir.Constant(VECTOR, [0.0] * LANES), held)
            key = make.times(place, apart)
            with make.loop(make.whole(0), even, LANES) as (at, _):
                read = make.kept(keys, make.sum(key, at), VECTOR)
                for row, held in enumerate(sums):
                    query = make.sum(make.times(size, row), at)
                    make.add(make.number(queries, query, VECTOR), read, held)
            for row, held in enumerate(sums):
                total = make.across(builder.load(held))
                make.store(total, scores, make.sum(make.times(between, row), place))
            with make.loop(even, size) as (at, _):
                read = make.kept(keys, make.sum(key, at), FLOAT)
                for row in range(count):
                    query = make.number(queries, make.sum(make.times(size, row), at))
                    to = make.sum(make.times(between, row), place)
                    make.store(fused(builder, query, read, make.number(scores, to)), scores, to)

    return types.void(rows, *[INT] * 8), _either(f"score_{count}", code)


@emitted
def blend(
    typing: Any,
    rows: Any,
    exact: Any,
    scores: Any,
    between: Any,
    values: Any,
    apart: Any,
    size: Any,
    reach: Any,
    found: Any,
) -> Any:
    """The values of so many places by the scores of so many queries: as ``score``."""
    count = rows.literal_value

    def code(make: _Writer, args: Any) -> None:
        scores, between, values, apart, size, reach, found = args
        builder = make.builder

        def sums(first: Any, parts: int, vector: Any) -> None:
            """Of so many vectors of a value, or of one number."""
            tiles = [(row, part) for row in range(count) for part in range(parts)]
            held = dict(zip(tiles, make.zeros(len(tiles), vector), strict=True))
            with make.loop(make.whole(0), reach) as (place, _):
                start = make.sum(make.times(place, apart), first)
                spots = [make.sum(start, make.whole(part * LANES)) for part in range(parts)]
                read = [make.kept(values, spot, vector) for spot in spots]
                for row in range(count):
                    share = make.number(scores, make.sum(make.times(between, row), place))
                    share = share if vector is FLOAT else every(builder, share)
                    for part in range(parts):
                        make.add(share, read[part], held[row, part])
            for row, part in tiles:
                to = make.sum(make.times(size, row), first, make.whole(part * LANES))
                make.store(builder.load(held[row, part]), found, to, vector)

        wide, even = (builder.and_(size, make.whole(-n)) for n in (WIDE * LANES, LANES))
        with make.loop(make.whole(0), wide, WIDE * LANES) as (first, _):
            sums(first, WIDE, VECTOR)
        with make.loop(wide, even, LANES) as (first, _):
            sums(first, 1, VECTOR)
        with make.loop(even, size) as (first, _):
            sums(first, 1, FLOAT)

    return types.void(rows, *[INT] * 8), _either(f"blend_{count}", code)
