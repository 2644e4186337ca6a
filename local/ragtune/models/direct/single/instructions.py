"""Instructions that Numba does not have, as LLVM's."""

import os
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

INT = types.intp


def emitted(function: Callable[..., Any]) -> Any:
    """A function that writes LLVM's instructions itself; callers leave the first argument out."""
    return intrinsic(prefer_literal=True)(function)


@emitted
def address(typing: Any, array: Any) -> Any:
    """Where an array begins, as a signed number: with NumPy's unsigned one sums are floating."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        begin = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.ptrtoint(begin, context.get_value_type(INT))

    return INT(array), code


@emitted
def bits(typing: Any, number: Any) -> Any:
    """The fp32 number whose bits are an int32's."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), code


def _atom(builder: Any, context: Any, args: Any) -> Any:
    """A place of an int32 array, whose address is given."""
    word = context.get_value_type(INT)
    moved = builder.add(args[0], builder.mul(args[1], ir.Constant(word, 4)))
    return builder.inttoptr(moved, ir.PointerType(ir.IntType(32)))


@emitted
def load(typing: Any, address: Any, place: Any) -> Any:
    """What others wrote, and with it all that they wrote before."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_atom(builder, context, args), "acquire", 4)

    return types.int32(INT, INT), code


@emitted
def store(typing: Any, address: Any, place: Any, number: Any) -> Any:
    """Write what others ``load``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[2], _atom(builder, context, args), "release", 4)
        return context.get_dummy_value()

    return types.void(INT, INT, types.int32), code


@emitted
def add(typing: Any, address: Any, place: Any, number: Any) -> Any:
    """Add to what others may add to; what was there before."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.atomic_rmw("add", _atom(builder, context, args), args[2], "acq_rel")

    return types.int32(INT, INT, types.int32), code


@emitted
def give_way(typing: Any) -> Any:
    """Offer the processor to whoever waits for it: POSIX's ``sched_yield``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if hasattr(os, "sched_yield"):  # not on Windows
            kind = ir.FunctionType(ir.IntType(32), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), code
