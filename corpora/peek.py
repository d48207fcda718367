"""Memory by address inside kernels, where arrays as arguments would cost too much.

Numba counts references to an array whenever a function takes it, with atomic operations: for a
function that is called for each word of a text, and by all threads with the same tables, that takes more
time than its work. A number has no references. `address_of` gives the address of an array's first
byte, and the others read and write there. Nothing checks bounds, and whoever calls keeps the
array alive. Numbers are uint64 throughout: Numba checks an index that could be negative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

INT64 = ir.IntType(64)


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a view of an array that cannot be written: kernels are compiled for one kind only."""
    view = array.view()
    view.flags.writeable = False
    return view


def _address_of(typing_context: Any, array: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.ptrtoint(data, INT64)

    return types.uint64(array), generate


def _reader(bits: int) -> Any:
    """Return a function that reads item `index` of unsigned numbers of so many bits, as uint64."""

    def peek(typing_context: Any, address: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            word = builder.load(_place(builder, arguments, bits))
            word.align = 1  # text is read in words from any place
            return builder.zext(word, INT64) if bits < 64 else word

        return types.uint64(types.uint64, types.uint64), generate

    return peek


def _writer(bits: int) -> Any:
    """Return a function that writes item `index`, the low bits of a uint64."""

    def poke(typing_context: Any, address: Any, index: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = arguments[2]
            if bits < 64:
                value = builder.trunc(value, ir.IntType(bits))
            builder.store(value, _place(builder, arguments, bits)).align = 1
            return context.get_dummy_value()

        return types.void(types.uint64, types.uint64, types.uint64), generate

    return poke


def _place(builder: Any, arguments: Any, bits: int) -> Any:
    pointer = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
    return builder.gep(pointer, [arguments[1]])


address_of: Any = intrinsic(_address_of)  # of an array's first byte, as uint64
peek_8: Any = intrinsic(_reader(8))
peek_16: Any = intrinsic(_reader(16))
peek_32: Any = intrinsic(_reader(32))
peek_64: Any = intrinsic(_reader(64))
poke_8: Any = intrinsic(_writer(8))
poke_32: Any = intrinsic(_writer(32))
poke_64: Any = intrinsic(_writer(64))
