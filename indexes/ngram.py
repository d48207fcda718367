"""The n-gram hash index: which patterns hold a seed, and where.

A pattern is a sequence of word hashes (a field of a benchmark item). The index answers, for any run
of words of a document, which patterns could share it:

* every **seed** (5 words) of every pattern, behind a bit filter that turns away nearly all of a
  clean corpus with one memory access;
* a seed that few patterns hold and that the background does not know is **rare**: it nominates;
* a run of 13 words without any rare seed is kept as a whole (**long gram**), so that every shared
  run of 13 words nominates its pattern: either a rare seed of it does, or the long gram.

It knows hashes, not texts: equality is for the verifier to prove.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from indexes.seeds import SEED_WORDS, seed_at

LONG_WORDS: Final = 13  # the guaranteed run; 13 is the n of GPT-3's and most later filters
MOST_REPEATS: Final = 4  # postings of one n-gram in one pattern; "buffalo buffalo ..." has more
RARE_PATTERNS: Final = 32  # a seed in more patterns is a template's: it nominates none by itself
FILTER_BITS_PER_SEED: Final = 16  # two of them set
FREE: Final = -1
U64 = np.uint64
SIX, SIXTY_THREE, ONE = U64(6), U64(63), U64(1)
SECOND_BIT: Final = U64(6)


class GramTable(NamedTuple):
    """A hash table from n-gram hashes to postings (open addressing, linear probing)."""

    keys: np.ndarray  # uint64 (capacity,), a power of two
    entry: np.ndarray  # int32 (capacity,): entry number or FREE
    first: np.ndarray  # int64 (entries + 1,): where the postings of an entry begin
    pattern: np.ndarray  # int32 (postings,), ascending within an entry
    offset: np.ndarray  # int32 (postings,): word of the pattern at which the n-gram begins


class NgramIndex(NamedTuple):
    """Patterns and the tables that find them; read-only and shared by all threads."""

    words: np.ndarray  # uint64, word hashes of all patterns, one after the other
    starts: np.ndarray  # int64 (patterns + 1,), where a pattern's words begin
    filter: np.ndarray  # uint64, two bits set for every seed
    filter_shift: np.uint64
    seeds: GramTable
    rare: np.ndarray  # bool (seed entries,)
    long: GramTable
    common: np.ndarray  # bool (len(words),): the word lies in common seeds only


def build_index(words: np.ndarray, starts: np.ndarray, phrases: np.ndarray) -> NgramIndex:
    """Index the patterns `words[starts[p]:starts[p + 1]]`.

    `phrases` (uint64) are seeds known to be common from a background corpus. Patterns
    shorter than a seed have no postings.
    """
    seeds, dropped = _gram_table(words, starts, SEED_WORDS, np.zeros(0, np.bool_))
    patterns_of = distinct_patterns(seeds)
    keys = seeds.keys[seeds.entry != FREE]
    rare = patterns_of <= RARE_PATTERNS
    _clear_known(seeds.keys, seeds.entry, phrases, rare)
    common_seed = _spread(~rare, seeds, starts, len(words))
    silent = common_seed | dropped  # no seed begins here that nominates
    long, _ = _gram_table(words, starts, LONG_WORDS, ~_all_in_window(silent, LONG_WORDS))
    return NgramIndex(
        words, starts, *bit_filter(keys), seeds, rare, long, _in_common_only(common_seed, starts)
    )


def rare_places(index: NgramIndex) -> np.ndarray:
    """Tell of each word of the patterns whether a rare seed is posted there: bool (len(words),)."""
    out: np.ndarray = _spread(index.rare, index.seeds, index.starts, len(index.words))
    return out


def bit_filter(keys: np.ndarray) -> tuple[np.ndarray, np.uint64]:
    """Return a filter that holds some seeds (uint64), and its shift, for `may_hold`."""
    bits = max(1 << 10, FILTER_BITS_PER_SEED * max(1, len(keys)))
    size = 1 << (bits - 1).bit_length() - 6
    shift = U64(64 - (size.bit_length() - 1))
    cells = np.zeros(size, np.uint64)
    _fill_filter(cells, shift, keys)
    return cells, shift


def empty_table(most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys and entries of a table for up to `most` n-grams, for `find_entry`.

    A third to two thirds of it can be used: more makes the system clear more memory than it saves probes.
    """
    capacity = 1 << max(4, (most + most // 2).bit_length())
    return np.zeros(capacity, np.uint64), np.full(capacity, FREE, np.int32)


@inline_kernel
def may_hold(cells: Any, shift: Any, seed: Any) -> Any:
    """Tell whether the filter may hold a seed (no false negatives)."""
    cell = cells[seed >> shift]
    return cell >> (seed & SIXTY_THREE) & cell >> (seed >> SECOND_BIT & SIXTY_THREE) & ONE


@inline_kernel
def find_entry(keys: Any, entry: Any, gram: Any) -> int:
    """Return the entry number of an n-gram hash, or FREE."""
    mask = len(keys) - 1
    slot = np.int64(gram >> U64(7)) & mask
    while entry[slot] != FREE:
        if keys[slot] == gram:
            return entry[slot]
        slot = slot + 1 & mask
    return FREE


def _gram_table(
    words: np.ndarray, starts: np.ndarray, size: int, skip: np.ndarray
) -> tuple[GramTable, np.ndarray]:
    """Table of the n-grams of `size` words of all patterns, but for first words where `skip`.

    Also returns the first words (bool) of n-grams that repeat too often in their pattern to be posted.
    """
    lengths = np.diff(starts)
    total = int(np.maximum(lengths - size + 1, 0).sum())
    keys, entry = empty_table(total)
    counts = np.zeros(total + 1, np.int64)
    dropped = np.zeros(len(words), np.bool_)
    number = np.empty(len(words), np.int32)
    n = _count(words, starts, size, skip, keys, entry, counts, dropped, number)
    first = np.zeros(n + 1, np.int64)
    np.cumsum(counts[:n], out=first[1:])
    pattern = np.empty(first[n], np.int32)
    offset = np.empty(first[n], np.int32)
    leave_out = skip | dropped if len(skip) else dropped
    _fill(starts, size, leave_out, number, first[:-1].copy(), pattern, offset)
    return GramTable(keys, entry, first, pattern, offset), dropped


@kernel
def _count(
    words: Any,
    starts: Any,
    size: int,
    skip: Any,
    keys: Any,
    entry: Any,
    counts: Any,
    dropped: Any,
    number: Any,
) -> int:
    """Enter the n-grams; `number` gets the entry of each that is not skipped, by its first word."""
    mask = len(keys) - 1
    last_pattern = np.full(len(counts), -1, np.int32)
    repeats = np.zeros(len(counts), np.int32)
    n = 0
    for p in range(len(starts) - 1):
        for at in range(starts[p], starts[p + 1] - size + 1):
            if len(skip) and skip[at]:
                continue
            gram = seed_at(words, at, size)
            slot = np.int64(gram >> U64(7)) & mask
            while entry[slot] != FREE and keys[slot] != gram:
                slot = slot + 1 & mask
            if entry[slot] == FREE:
                keys[slot] = gram
                entry[slot] = n
                n += 1
            e = entry[slot]
            number[at] = e
            repeats[e] = repeats[e] + 1 if last_pattern[e] == p else 1
            last_pattern[e] = p
            dropped[at] = repeats[e] > MOST_REPEATS
            counts[e] += not dropped[at]
    return n


@kernel
def _fill(
    starts: Any, size: int, skip: Any, number: Any, next_free: Any, pattern: Any, offset: Any
) -> None:
    for p in range(len(starts) - 1):
        for at in range(starts[p], starts[p + 1] - size + 1):
            if skip[at]:
                continue
            e = number[at]
            pattern[next_free[e]] = p
            offset[next_free[e]] = at - starts[p]
            next_free[e] += 1


@kernel
def distinct_patterns(table: Any) -> Any:
    """Number of different patterns behind each entry."""
    out = np.zeros(len(table.first) - 1, np.int32)
    for e in range(len(out)):
        last = -1
        for at in range(table.first[e], table.first[e + 1]):
            out[e] += table.pattern[at] != last
            last = table.pattern[at]
    return out


@kernel
def _spread(flags: Any, table: Any, starts: Any, n_words: int) -> Any:
    """Put a flag of each entry at every first word of its n-gram."""
    out = np.zeros(n_words, np.bool_)
    for e in range(len(flags)):
        if flags[e]:
            for at in range(table.first[e], table.first[e + 1]):
                out[starts[table.pattern[at]] + table.offset[at]] = True
    return out


@kernel
def _all_in_window(common_seed: Any, size: int) -> Any:
    """Tell for each first word whether all seeds of the n-gram of `size` words are common."""
    out = np.zeros(len(common_seed), np.bool_)
    run = 0
    for at in range(len(common_seed) - 1, -1, -1):
        run = run + 1 if common_seed[at] else 0
        out[at] = run >= size - SEED_WORDS + 1
    return out


@kernel
def _in_common_only(common_seed: Any, starts: Any) -> Any:
    """Tell for each word whether its pattern has seeds over it and all of them are common."""
    out = np.zeros(len(common_seed), np.bool_)
    for p in range(len(starts) - 1):
        last_seed = starts[p + 1] - SEED_WORDS
        for at in range(starts[p], starts[p + 1]):
            low, high = max(starts[p], at - SEED_WORDS + 1), min(at, last_seed)
            common = high >= low
            for seed in range(low, high + 1):
                common &= common_seed[seed]
            out[at] = common
    return out


@kernel
def _fill_filter(cells: Any, shift: Any, keys: Any) -> None:
    for seed in keys:
        cells[seed >> shift] |= ONE << (seed & SIXTY_THREE) | ONE << (
            seed >> SECOND_BIT & SIXTY_THREE
        )


@kernel
def _clear_known(keys: Any, entry: Any, grams: Any, flags: Any) -> None:
    """Clear the flags of the entries that `grams` name."""
    for gram in grams:
        number = find_entry(keys, entry, gram)
        if number != FREE:
            flags[number] = False
