"""Counts of a key by fold of documents: in its row while they are few, then in a block.

A row of `indexes.tally` has two numbers for it, two folds each, of 31 bits: count << 5 | fold, and 0 where
there is none, so that the sign is free: a negative number is the complement of the number of a block,
which has a count for every fold. Four keys in five are of four folds at most, and stay in their row.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import inline_kernel, kernel

FOLDS: Final = 32
SMALL: Final = 6  # the first of the two columns of a row
COLUMNS: Final = 8
FOLD_BITS: Final = 5
FOLD_MASK: Final = FOLDS - 1
SMALL_BITS: Final = 31
SMALL_MASK: Final = (1 << SMALL_BITS) - 1
MOST_SMALL: Final = SMALL_MASK >> FOLD_BITS


@kernel
def room_for_blocks(blocks: Any, n_blocks: int, more: int) -> Any:
    """Return the blocks with room for more of them, all 0."""
    if n_blocks + more <= len(blocks):
        return blocks
    longer = np.zeros((max(2 * len(blocks), n_blocks + more), FOLDS), np.uint32)
    longer[:n_blocks] = blocks[:n_blocks]
    return longer


@inline_kernel
def add_to_fold(rows: Any, blocks: Any, n_blocks: int, row: Any, fold: int, x: int) -> int:
    """Add to a row's count of a fold; return how many blocks there are. There is room for one more.

    Which of the four places is the fold's, or the first that is free, is found without branches: nobody
    can foresee it.
    """
    one, other = rows[row, SMALL], rows[row, SMALL + 1]
    if one < 0:
        blocks[~one, fold] += x
        return n_blocks
    fits = (
        _fits(one & SMALL_MASK, fold)
        | _fits(one >> SMALL_BITS, fold) << 1
        | _fits(other & SMALL_MASK, fold) << 2
        | _fits(other >> SMALL_BITS, fold) << 3
    )
    place = 0 if fits & 1 else (1 if fits & 2 else (2 if fits & 4 else 3))
    pair = other if place >> 1 else one
    bits = (place & 1) * SMALL_BITS
    entry = pair >> bits & SMALL_MASK
    if fits and (entry >> FOLD_BITS) + x <= MOST_SMALL:
        added = x << FOLD_BITS | (0 if entry else fold)
        rows[row, SMALL + (place >> 1)] = pair + (added << bits)
        return n_blocks
    to_block(rows, row, blocks[n_blocks])
    blocks[n_blocks, fold] += x
    rows[row, SMALL] = ~n_blocks
    return n_blocks + 1


@inline_kernel
def _fits(entry: int, fold: int) -> int:
    """Return 1 where an entry is of this fold or free, else 0."""
    return np.int64((entry == 0) | (entry & FOLD_MASK == fold))


@kernel
def to_block(rows: Any, row: Any, block: Any) -> None:
    """Copy the counts that stand in a row."""
    for column in range(SMALL, COLUMNS):
        for bits in range(0, 2 * SMALL_BITS, SMALL_BITS):
            entry = rows[row, column] >> bits & SMALL_MASK
            if entry:
                block[entry & FOLD_MASK] = entry >> FOLD_BITS


@inline_kernel
def folds_of(rows: Any, blocks: Any, row: Any) -> int:
    """Return of how many folds a row has counts."""
    n = 0
    if rows[row, SMALL] < 0:
        for fold in range(FOLDS):
            n += blocks[~rows[row, SMALL], fold] != 0
    else:
        for column in range(SMALL, COLUMNS):
            n += (rows[row, column] & SMALL_MASK) != 0
            n += rows[row, column] >> SMALL_BITS != 0
    return n


@inline_kernel
def write_folds(rows: Any, blocks: Any, row: Any, fold: Any, count: Any, n: int) -> int:
    """Write a row's folds, ascending, from place n on; return the next place.

    `fold` and `count` need room for one more than there are.
    """
    if rows[row, SMALL] < 0:
        for k in range(FOLDS):
            fold[n], count[n] = k, blocks[~rows[row, SMALL], k]
            n += count[n] != 0
        return n
    first = n
    for column in range(SMALL, COLUMNS):
        for bits in range(0, 2 * SMALL_BITS, SMALL_BITS):
            entry = rows[row, column] >> bits & SMALL_MASK
            if entry:
                at = n
                while at > first and fold[at - 1] > entry & FOLD_MASK:
                    fold[at], count[at] = fold[at - 1], count[at - 1]
                    at -= 1
                fold[at], count[at] = entry & FOLD_MASK, entry >> FOLD_BITS
                n += 1
    return n
