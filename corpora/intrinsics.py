"""Two machine instructions that Numba has no name for.

`load_8_bytes` reads eight bytes as one little-endian word, `trailing_zeros` counts zero bits from
the low end. Both are plain LLVM, the same on every processor that Numba supports (all of them
little-endian).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

INT64 = ir.IntType(64)


@intrinsic
def load_8_bytes(typing_context: Any, array: Any, index: Any) -> Any:
    """Return bytes index .. index + 7 of a uint8 array as uint64; the caller checks the bounds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.gep(data, [arguments[1]])
        word = builder.load(builder.bitcast(pointer, INT64.as_pointer()))
        word.align = 1
        return word

    return types.uint64(array, types.int64), generate


@intrinsic
def trailing_zeros(typing_context: Any, number: Any) -> Any:
    """Return the number of zero bits below the lowest set bit of a uint64; 64 for zero."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(INT64, [INT64, ir.IntType(1)])
        count = builder.module.declare_intrinsic("llvm.cttz", [INT64], kind)
        return builder.call(count, [arguments[0], ir.Constant(ir.IntType(1), 0)])

    return types.int64(number), generate
