"""Reading memory by address inside kernels, where arrays as arguments would cost too much.

Numba counts references to an array whenever a function takes it, with atomic operations: for a
function that is called for each word of a text, and by all threads with the same tables, that takes more
time than its work. A number has no references. `address_of` gives the address of an array's
first byte, and the others read there. Nothing checks bounds, and whoever calls keeps the array alive.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a view of an array that cannot be written: kernels are compiled for one kind only."""
    view = array.view()
    view.flags.writeable = False
    return view


def _reader(bits: int) -> Any:
    """Return a function that reads item `index` of unsigned numbers of so many bits, as uint64."""

    def peek(typing_context: Any, address: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            item = ir.IntType(bits)
            pointer = builder.inttoptr(arguments[0], item.as_pointer())
            word = builder.load(builder.gep(pointer, [arguments[1]]))
            word.align = 1  # text is read in words from any place
            return builder.zext(word, ir.IntType(64)) if bits < 64 else word

        return types.uint64(types.uint64, types.uint64), generate

    return peek


def _address_of(typing_context: Any, array: Any) -> Any:

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.ptrtoint(data, ir.IntType(64))

    return types.uint64(array), generate


address_of: Any = intrinsic(_address_of)  # of an array's first byte, as uint64
peek_8: Any = intrinsic(_reader(8))
peek_16: Any = intrinsic(_reader(16))
peek_32: Any = intrinsic(_reader(32))
peek_64: Any = intrinsic(_reader(64))
