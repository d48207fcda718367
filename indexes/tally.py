"""Counting keys by document: a table that grows, with the second moments that drift needs.

For every (domain, key) it holds the sums over documents of x, 1, x^2 and x L, where x is how often the
key stands in a document and L how long the document is, and the sum of x for each of 32 folds of
documents. The variance of the rate r = sum x / sum L between documents follows from them:
sum (x - r L)^2 / (sum L)^2, the ratio estimator's (Cochran 1977, Sampling Techniques, 6.4).

Open addressing in two levels: `slots` finds the row, and a row is one cache line, in the order in which
keys were met, so that frequent ones lie together. Counts by fold stand in the row while they are of four
folds at most, as those of four rows in five stay; then the row gets a block.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel

FOLDS: Final = 32
FIRST_ROWS: Final = 1 << 12
FIRST_BLOCKS: Final = 1 << 8
MOST_COUNTED: Final = (1 << 32) - 1  # keys; then empty the tally: a block counts in 32 bits

U64 = np.uint64
SPREAD: Final = U64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: neighbouring ids lie apart
DOMAIN: Final = U64(0xD6E8FEB86659FD93)
LOW_HALF, HALF, FREE, ONE = U64(0xFFFFFFFF), U64(32), U64(0), U64(1)

# Columns of `rows`. HERE is domain << 32 | count in the document at hand.
KEY, HERE, COUNT, DOCUMENTS, SQUARES, LENGTHS, SMALL = 0, 1, 2, 3, 4, 5, 6
COLUMNS: Final = 8
DOMAIN_SHIFT: Final = 32
HERE_MASK: Final = (1 << DOMAIN_SHIFT) - 1
# The last two columns have two folds each, of 31 bits: count << 5 | fold, 0 where there is none. A
# negative number is instead the complement of the number of a block.
FOLD_BITS: Final = 5
FOLD_MASK: Final = FOLDS - 1
SMALL_BITS: Final = 31
SMALL_MASK: Final = (1 << SMALL_BITS) - 1
MOST_SMALL: Final = SMALL_MASK >> FOLD_BITS

N_ROWS, N_BLOCKS, N_TOUCHED = 0, 1, 2


class Tally(NamedTuple):
    """The table. Kernels that make it grow return another one, and the old one is void."""

    slots: np.ndarray  # uint64 (2**k,), half of the key's hash << 32 | row + 1; 0 where free
    rows: np.ndarray  # int64 (room, 8)
    blocks: np.ndarray  # uint32 (room, 32), counts by fold
    touched: np.ndarray  # int64 (room,), rows of the keys of the document at hand
    new: np.ndarray  # int64 (room,), places of keys met for the first time
    sizes: np.ndarray  # int64 (3,), how many rows, blocks and touched rows are in use


class Counted(NamedTuple):
    """What a tally holds, by domain and key, both ascending; n rows, m counts by fold."""

    domain: np.ndarray  # int64 (n,)
    key: np.ndarray  # uint64 (n,)
    sums: np.ndarray  # int64 (4, n): of x, 1, x^2 and x L
    row: np.ndarray  # int64 (n,), in the order in which the rows came into being
    fold_ends: np.ndarray  # int64 (n,), where the folds of each row end
    fold: np.ndarray  # uint8 (m,), ascending within a row
    fold_count: np.ndarray  # int64 (m,)


def empty_tally() -> Tally:
    """Return a tally of nothing."""
    return Tally(
        np.zeros(4 * FIRST_ROWS, np.uint64),
        _lines(FIRST_ROWS),
        np.zeros((FIRST_BLOCKS, FOLDS), np.uint32),
        np.empty(FIRST_ROWS, np.int64),
        np.empty(FIRST_ROWS, np.int64),
        np.zeros(3, np.int64),
    )


def counted(tally: Tally, codes: np.ndarray) -> Counted:
    """Return what was counted; `codes` (int64) renumbers the domains."""
    rows = tally.rows[: tally.sizes[N_ROWS]]
    key = rows[:, KEY].copy().view(np.uint64)
    domain = codes[rows[:, HERE] >> DOMAIN_SHIFT]
    order = np.argsort(key)
    if len(codes) > 1:
        order = order[np.argsort(domain[order], kind="stable")]
    ends = np.cumsum(_folds_of(rows, tally.blocks, order))
    size = int(ends[-1]) if len(ends) else 0
    # One more than there are: the kernel writes a count before it knows that it is not 0.
    fold, fold_count = np.empty(size + 1, np.uint8), np.empty(size + 1, np.int64)
    _write_folds(rows, tally.blocks, order, fold, fold_count)
    sums = np.ascontiguousarray(rows[:, COUNT : LENGTHS + 1].T[:, order])
    return Counted(domain[order], key[order], sums, order, ends, fold[:size], fold_count[:size])


@kernel
def make_room(tally: Any, keys: int) -> Any:
    """Return the tally with room for so many keys, new ones at the worst."""
    sizes = tally.sizes
    slots, rows, touched, new = tally.slots, tally.rows, tally.touched, tally.new
    most = sizes[N_ROWS] + keys
    if sizes[N_TOUCHED] + keys > len(touched):
        touched = np.empty(2 * (sizes[N_TOUCHED] + keys), np.int64)
        touched[: sizes[N_TOUCHED]] = tally.touched[: sizes[N_TOUCHED]]
    if keys > len(new):
        new = np.empty(keys, np.int64)
    if most > len(rows):
        rows = _lines(max(2 * len(rows), most))
        rows[: sizes[N_ROWS]] = tally.rows[: sizes[N_ROWS]]
    if 2 * most > len(slots):
        size = len(slots)
        while size < 2 * most:
            size *= 2
        slots = np.zeros(size, U64)
        _refill(slots, rows, sizes[N_ROWS])
    return Tally(slots, rows, tally.blocks, touched, new, sizes)


@kernel
def touch_keys(keys: Any, first: int, last: int, domain: int, tally: Any) -> int:
    """Count `keys[first:last]` (unsigned) in the document at hand; `make_room` has made room.

    Returns how many of them were met for the first time; `tally.new` has their places, less `first`.
    """
    slots, rows, touched, new = tally.slots, tally.rows, tally.touched, tally.new
    n_before = n_rows = U64(tally.sizes[N_ROWS])
    n_touched = U64(tally.sizes[N_TOUCHED])
    shift, mask = _slot_shift(slots), U64(len(slots) - 1)
    for place in range(first, last):
        key = U64(keys[place])
        spread = _spread(key, domain)
        at = spread >> shift
        row = n_rows
        while True:
            entry = slots[at]
            if entry == FREE:
                slots[at] = (spread << HALF) | (n_rows + ONE)
                rows[row, KEY], rows[row, HERE] = np.int64(key), domain << DOMAIN_SHIFT
                for column in range(COUNT, COLUMNS):
                    rows[row, column] = 0
                new[n_rows - n_before] = place - first
                n_rows += ONE
                break
            if entry >> HALF == spread & LOW_HALF:
                row = (entry & LOW_HALF) - ONE
                if U64(rows[row, KEY]) == key and rows[row, HERE] >> DOMAIN_SHIFT == domain:
                    break
                row = n_rows
            at = (at + ONE) & mask
        here = rows[row, HERE]
        touched[n_touched] = row
        n_touched += U64((here & HERE_MASK) == 0)
        rows[row, HERE] = here + 1
    tally.sizes[N_ROWS], tally.sizes[N_TOUCHED] = n_rows, n_touched
    return np.int64(n_rows - n_before)


@kernel
def close_document(tally: Any, fold: int, length: int) -> Any:
    """Take the counts of the document at hand into the sums; return the tally."""
    sizes, rows, blocks = tally.sizes, tally.rows, tally.blocks
    n_blocks, n_touched = sizes[N_BLOCKS], sizes[N_TOUCHED]
    if n_blocks + n_touched > len(blocks):
        blocks = np.zeros((max(2 * len(blocks), n_blocks + n_touched), FOLDS), np.uint32)
        blocks[:n_blocks] = tally.blocks[:n_blocks]
    for at in range(n_touched):
        row = tally.touched[at]
        x = rows[row, HERE] & HERE_MASK
        rows[row, HERE] -= x
        rows[row, COUNT] += x
        rows[row, DOCUMENTS] += 1
        rows[row, SQUARES] += x * x
        rows[row, LENGTHS] += x * length
        if rows[row, SMALL] < 0:
            blocks[~rows[row, SMALL], fold] += x
        elif not _add_small(rows, row, fold, x):
            _to_block(rows, row, blocks[n_blocks])
            blocks[n_blocks, fold] += x
            rows[row, SMALL] = ~n_blocks
            n_blocks += 1
    sizes[N_BLOCKS], sizes[N_TOUCHED] = n_blocks, 0
    return Tally(tally.slots, rows, blocks, tally.touched, tally.new, sizes)


@kernel
def count_keys(keys: Any, ends: Any, domains: Any, folds: Any, tally: Any) -> Any:
    """Count documents `keys[ends[d]:ends[d + 1]]`; return the tally.

    `keys`: any unsigned integers; `ends` int64 (n + 1,); `domains` and `folds` int64 (n,).
    """
    for document in range(len(ends) - 1):
        first, last = ends[document], ends[document + 1]
        tally = make_room(tally, last - first)
        touch_keys(keys, first, last, domains[document], tally)
        tally = close_document(tally, folds[document], last - first)
    return tally


@kernel
def _lines(n: int) -> Any:
    """Return room for n rows that begin where cache lines begin."""
    room = np.empty(COLUMNS * (n + 1), np.int64)
    first = -(room.ctypes.data >> 3) & (COLUMNS - 1)
    return room[first : first + COLUMNS * n].reshape((n, COLUMNS))


@inline_kernel
def _spread(key: Any, domain: int) -> Any:
    return (key ^ U64(domain) * DOMAIN) * SPREAD


@inline_kernel
def _slot_shift(slots: Any) -> Any:
    """Return by how much a hash is shifted to give a slot."""
    shift, size = 64, len(slots)
    while size > 1:
        size >>= 1
        shift -= 1
    return U64(shift)


@kernel
def _refill(slots: Any, rows: Any, n_rows: int) -> None:
    shift, mask = _slot_shift(slots), U64(len(slots) - 1)
    for row in range(n_rows):
        spread = _spread(U64(rows[row, KEY]), rows[row, HERE] >> DOMAIN_SHIFT)
        at = spread >> shift
        while slots[at] != FREE:
            at = (at + ONE) & mask
        slots[at] = (spread << HALF) | U64(row + 1)


@inline_kernel
def _add_small(rows: Any, row: int, fold: int, x: int) -> bool:
    """Add to a fold's count in its row; False where the row has no room for it."""
    for column in range(SMALL, COLUMNS):
        pair = rows[row, column]
        for bits in range(0, 2 * SMALL_BITS, SMALL_BITS):
            entry = pair >> bits & SMALL_MASK
            if entry == 0 or entry & FOLD_MASK == fold:
                if (entry >> FOLD_BITS) + x > MOST_SMALL:
                    return False
                added = x << FOLD_BITS | (fold if entry == 0 else 0)
                rows[row, column] = pair + (added << bits)
                return True
    return False


@kernel
def _to_block(rows: Any, row: int, block: Any) -> None:
    for column in range(SMALL, COLUMNS):
        for bits in range(0, 2 * SMALL_BITS, SMALL_BITS):
            entry = rows[row, column] >> bits & SMALL_MASK
            if entry:
                block[entry & FOLD_MASK] = entry >> FOLD_BITS


@kernel
def _folds_of(rows: Any, blocks: Any, order: Any) -> Any:
    """Return how many folds each row is of: int64 (n,)."""
    out = np.zeros(len(order), np.int64)
    for at in range(len(order)):
        row = order[at]
        if rows[row, SMALL] < 0:
            for fold in range(FOLDS):
                out[at] += blocks[~rows[row, SMALL], fold] != 0
        else:
            for column in range(SMALL, COLUMNS):
                out[at] += (rows[row, column] & SMALL_MASK) != 0
                out[at] += rows[row, column] >> SMALL_BITS != 0
    return out


@kernel
def _write_folds(rows: Any, blocks: Any, order: Any, fold: Any, count: Any) -> None:
    n = 0
    for at in range(len(order)):
        row = order[at]
        if rows[row, SMALL] < 0:
            for k in range(FOLDS):
                fold[n], count[n] = k, blocks[~rows[row, SMALL], k]
                n += count[n] != 0
            continue
        first = n
        for column in range(SMALL, COLUMNS):
            for bits in range(0, 2 * SMALL_BITS, SMALL_BITS):
                entry = rows[row, column] >> bits & SMALL_MASK
                if entry:
                    _insert(fold, count, first, n, entry & FOLD_MASK, entry >> FOLD_BITS)
                    n += 1


@inline_kernel
def _insert(fold: Any, count: Any, first: int, end: int, own_fold: int, own_count: int) -> None:
    """Put a fold into its place among those from `first` on, ascending."""
    at = end
    while at > first and fold[at - 1] > own_fold:
        fold[at], count[at] = fold[at - 1], count[at - 1]
        at -= 1
    fold[at], count[at] = own_fold, own_count
