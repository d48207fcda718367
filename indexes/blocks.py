"""Blocks of words folded to two numbers each, for the quick checksum of `indexes.store.checksums`."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpora.kernels import kernel


def fold_blocks(blocks: np.ndarray) -> np.ndarray:
    """Return the sums, then the exclusive ors, of the words of blocks: uint64 (2, n).

    `blocks`: uint64 (n, words). Read once, at the speed of memory; releases the interpreter lock.
    """
    out = np.zeros((2, len(blocks)), np.uint64)
    _fold(blocks, out)
    return out


@kernel
def _fold(blocks: Any, out: Any) -> None:
    for block in range(len(blocks)):
        total = folded = np.uint64(0)
        for at in range(blocks.shape[1]):  # by number: a quarter faster than one by one
            total += blocks[block, at]
            folded ^= blocks[block, at]
        out[0, block] = total
        out[1, block] = folded
