"""Counting keys by document: a table that grows, with the second moments that drift needs.

For every (domain, key) it holds the sums over documents of x, 1, x^2 and x L, where x is how often the
key stands in a document and L how long the document is, and the sum of x for each of 32 folds of
documents. The variance of the rate r = sum x / sum L between documents follows from them:
sum (x - r L)^2 / (sum L)^2, the ratio estimator's (Cochran 1977, Sampling Techniques, 6.4).

Open addressing in two levels: `slots` finds the row, and a row is one cache line, in the order in which
keys were met, so that frequent ones lie together.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from indexes.tally_folds import COLUMNS, FOLDS, add_to_fold, room_for_blocks

FIRST_ROWS: Final = 1 << 12
FIRST_BLOCKS: Final = 1 << 8
MOST_COUNTED: Final = (1 << 32) - 1  # keys; then empty the tally: a block counts in 32 bits

U64 = np.uint64
SPREAD: Final = U64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: neighbouring ids lie apart
DOMAIN: Final = U64(0xD6E8FEB86659FD93)
ONE: Final = U64(1)
FREE: Final = 0

# Columns of `rows`; after them those of the folds. HERE is domain << 32 | count in the document at hand.
KEY, HERE, COUNT, DOCUMENTS, SQUARES, LENGTHS = 0, 1, 2, 3, 4, 5
DOMAIN_SHIFT: Final = 32
HERE_MASK: Final = (1 << DOMAIN_SHIFT) - 1

N_ROWS, N_BLOCKS, N_TOUCHED = 0, 1, 2


class Tally(NamedTuple):
    """The table. Kernels that make it grow return another one, and the old one is void."""

    slots: np.ndarray  # uint32 (2**k,), row + 1; 0 where free
    rows: np.ndarray  # int64 (room, 8)
    blocks: np.ndarray  # uint32 (room, 32), counts by fold
    touched: np.ndarray  # int64 (room,), rows of the keys of the document at hand
    found: np.ndarray  # int64 (room,), rows of the keys that were looked up last
    new: np.ndarray  # int64 (room,), places of those that were met for the first time
    sizes: np.ndarray  # int64 (3,), how many rows, blocks and touched rows are in use


def empty_tally() -> Tally:
    """Return a tally of nothing."""
    return Tally(
        np.zeros(4 * FIRST_ROWS, np.uint32),
        _lines(FIRST_ROWS),
        np.zeros((FIRST_BLOCKS, FOLDS), np.uint32),
        *(np.empty(FIRST_ROWS, np.int64) for _ in range(3)),
        np.zeros(3, np.int64),
    )


@kernel
def make_room(tally: Any, keys: int) -> Any:
    """Return the tally with room for so many keys, new ones at the worst."""
    sizes = tally.sizes
    slots, rows, touched = tally.slots, tally.rows, tally.touched
    found, new = tally.found, tally.new
    most = sizes[N_ROWS] + keys
    if sizes[N_TOUCHED] + keys > len(touched):
        touched = np.empty(2 * (sizes[N_TOUCHED] + keys), np.int64)
        touched[: sizes[N_TOUCHED]] = tally.touched[: sizes[N_TOUCHED]]
    if keys > len(new):
        found, new = np.empty(keys, np.int64), np.empty(keys, np.int64)
    if most > len(rows):
        rows = _lines(max(2 * len(rows), most))
        rows[: sizes[N_ROWS]] = tally.rows[: sizes[N_ROWS]]
    if 2 * most > len(slots):
        size = len(slots)
        while size < 2 * most:
            size *= 2
        slots = np.zeros(size, np.uint32)
        _refill(slots, rows, sizes[N_ROWS])
    return Tally(slots, rows, tally.blocks, touched, found, new, sizes)


@kernel
def find_rows(keys: Any, first: int, last: int, domain: int, tally: Any) -> int:
    """Look up `keys[first:last]` (unsigned), for which there is room; their rows are in `tally.found`.

    Returns how many of them are new; `tally.new` has their places, less `first`.
    """
    slots, rows, found, new = tally.slots, tally.rows, tally.found, tally.new
    n_before = n_rows = U64(tally.sizes[N_ROWS])
    shift, mask = _slot_shift(slots), U64(len(slots) - 1)
    for place in range(first, last):
        key = U64(keys[place])
        at = _spread(key, domain) >> shift
        while True:
            row = U64(slots[at])
            if row == FREE:
                row = n_rows
                n_rows += ONE
                slots[at] = n_rows
                rows[row, KEY], rows[row, HERE] = np.int64(key), domain << DOMAIN_SHIFT
                for column in range(COUNT, COLUMNS):
                    rows[row, column] = 0
                new[row - n_before] = place - first
                break
            row -= ONE
            if U64(rows[row, KEY]) == key and rows[row, HERE] >> DOMAIN_SHIFT == domain:
                break
            at = (at + ONE) & mask
        found[place - first] = row
    tally.sizes[N_ROWS] = n_rows
    return np.int64(n_rows - n_before)


@kernel
def touch_rows(tally: Any, n: int) -> None:
    """Count the first n of `tally.found` in the document at hand."""
    rows, found, touched = tally.rows, tally.found, tally.touched
    n_touched = tally.sizes[N_TOUCHED]
    for place in range(n):
        row = found[place]
        here = rows[row, HERE]
        touched[n_touched] = row
        n_touched += (here & HERE_MASK) == 0
        rows[row, HERE] = here + 1
    tally.sizes[N_TOUCHED] = n_touched


@kernel
def close_document(tally: Any, fold: int, length: int) -> Any:
    """Take the counts of the document at hand into the sums; return the tally."""
    sizes, rows = tally.sizes, tally.rows
    n_blocks = sizes[N_BLOCKS]
    blocks = room_for_blocks(tally.blocks, n_blocks, sizes[N_TOUCHED])
    for at in range(sizes[N_TOUCHED]):
        row = tally.touched[at]
        x = rows[row, HERE] & HERE_MASK
        rows[row, HERE] -= x
        rows[row, COUNT] += x
        rows[row, DOCUMENTS] += 1
        rows[row, SQUARES] += x * x
        rows[row, LENGTHS] += x * length
        n_blocks = add_to_fold(rows, blocks, n_blocks, row, fold, x)
    sizes[N_BLOCKS], sizes[N_TOUCHED] = n_blocks, 0
    return Tally(tally.slots, rows, blocks, tally.touched, tally.found, tally.new, sizes)


@kernel
def count_keys(keys: Any, ends: Any, domains: Any, folds: Any, tally: Any) -> Any:
    """Count documents `keys[ends[d]:ends[d + 1]]`; return the tally.

    `keys`: any unsigned integers; `ends` int64 (n + 1,); `domains` and `folds` int64 (n,).
    """
    for document in range(len(ends) - 1):
        first, last = ends[document], ends[document + 1]
        tally = make_room(tally, last - first)
        find_rows(keys, first, last, domains[document], tally)
        touch_rows(tally, last - first)
        tally = close_document(tally, folds[document], last - first)
    return tally


@inline_kernel
def _slot_shift(slots: Any) -> Any:
    """Return by how much a hash is shifted to give a slot."""
    shift, size = 64, len(slots)
    while size > 1:
        size >>= 1
        shift -= 1
    return U64(shift)


@inline_kernel
def _spread(key: Any, domain: int) -> Any:
    return (key ^ U64(domain) * DOMAIN) * SPREAD


@kernel
def _refill(slots: Any, rows: Any, n_rows: int) -> None:
    shift, mask = _slot_shift(slots), U64(len(slots) - 1)
    for row in range(n_rows):
        at = _spread(U64(rows[row, KEY]), rows[row, HERE] >> DOMAIN_SHIFT) >> shift
        while slots[at] != FREE:
            at = (at + ONE) & mask
        slots[at] = row + 1


@kernel
def _lines(n: int) -> Any:
    """Return room for n rows that begin where cache lines begin."""
    room = np.empty(COLUMNS * (n + 1), np.int64)
    first = -(room.ctypes.data >> 3) & (COLUMNS - 1)
    return room[first : first + COLUMNS * n].reshape((n, COLUMNS))
