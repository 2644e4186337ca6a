"""What instructions for vectors are made of."""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

LANES = 16
"""Numbers of a vector; where the processor's are shorter, LLVM takes several."""
VECTOR = ir.VectorType(ir.FloatType(), LANES)


def fused(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, by one instruction where the processor has it."""
    flags = ("contract",)
    return builder.fadd(builder.fmul(a, b, flags=flags), c, flags=flags)


def every(builder: Any, value: Any) -> Any:
    """A vector of one number."""
    none = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined)
    whole = ir.IntType(32)
    lone = builder.insert_element(none, value, ir.Constant(whole, 0))
    return builder.shuffle_vector(lone, none, ir.Constant(ir.VectorType(whole, LANES), [0] * LANES))


def outlined(
    builder: Any, name: str, args: Sequence[Any], write: Callable[[Any, Sequence[Any]], None]
) -> None:
    """Call code as a function of its own, which is compiled once and not wherever it is called."""
    function = builder.module.globals.get(name)
    if function is None:
        kind = ir.FunctionType(ir.VoidType(), [arg.type for arg in args])
        function = ir.Function(builder.module, kind, name)
        function.linkage = "linkonce_odr"
        function.attributes.add("noinline")
        own = ir.IRBuilder(function.append_basic_block("entry"))
        write(own, function.args)
        own.ret_void()
    builder.call(function, args)
