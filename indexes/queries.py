"""What a look-up asks of segments: the seeds of items, sorted, with what tells how long a run may be.

Keys stand behind a table of bits (the sieve) that is read in the order of a segment's fingerprints and turns
away nearly all of them, and behind a table of their first bits. Where a seed stands in a pattern is a
posting; all that decides whether a posting counts is packed into one number, because postings are met in
no order and each array that is read for one costs an access to memory.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from indexes.fingerprints import (
    CONTEXT_BITS,
    CONTEXT_WORDS,
    KEY_BITS,
    CommonSeeds,
    context_of,
    kept_seeds,
    seed_key,
)
from indexes.ngram import LONG_WORDS, NgramIndex, rare_places
from indexes.seeds import SEED_WORDS, seed_at

TELLING_RUN: Final = 7  # words of a run that counts where no run of 13 is there
# Of the weight that a finding takes: a copy has more in common than its fingerprints show. Chosen on
# the mix v2 with 10 benchmarks: of 125 suspect items it shows 63 (at 0.8: 60, at 0.5: 68) and has 546
# documents read (386, 640); all contaminated ones and all runs of 13 words are shown by each.
TELLING_PART: Final = 0.6
NEVER: Final = 255  # words of a run that no run has
SIEVE_BITS: Final = 26  # 8 MB of bits
PREFIX_BITS: Final = 20  # by which a key is found: 4 MB of table, a key or two behind each entry
U64 = np.uint64
PREFIX_SHIFT: Final = U64(KEY_BITS - PREFIX_BITS)
ONE, SIX, SIXTY_THREE = U64(1), U64(6), U64(63)
# Of a posting's `test`: the context has 26 bits, each side's words 4, and 8 each of the two lengths.
CONTEXT_MASK, SIDE_MASK, RUN_MASK = U64((1 << CONTEXT_BITS) - 1), U64(15), U64(255)
BEFORE_SHIFT, AFTER_SHIFT, ENOUGH_SHIFT, LEAST_SHIFT = U64(32), U64(36), U64(40), U64(48)


class Queries(NamedTuple):
    """The seeds of items, sorted, each with the places of patterns where it stands."""

    first: (
        np.ndarray
    )  # int32 (2 ** PREFIX_BITS + 1,): keys that begin with the bits k are first[k] ..
    key: np.ndarray  # uint64 (keys,), 38 bits, ascending
    sieve: np.ndarray  # uint64, a bit for the first SIEVE_BITS of every key
    posting: np.ndarray  # int64 (keys + 1,): postings of a key are posting[k] .. posting[k + 1]
    test: np.ndarray  # uint64 (postings,): what `Test` unpacks
    pattern: np.ndarray  # int32 (postings,)
    offset: np.ndarray  # int32 (postings,), word of the pattern at which the seed begins
    starts: np.ndarray  # int64 (patterns + 1,)
    covered: np.ndarray  # int64 (words of all patterns + 1,), sum of the weights before a word
    needed: np.ndarray  # float64 (patterns,), weight that nominates


class Test(NamedTuple):
    """What decides whether a fingerprint meets a posting."""

    context: np.uint32  # of the words around the seed in the pattern
    before: int  # words of the pattern before the seed, at most CONTEXT_WORDS
    after: int
    enough: int  # words of a run here that nominates by itself, or NEVER
    least: int  # of one that counts together with others, or NEVER


def build_queries(
    index: NgramIndex, weights: np.ndarray, needed: np.ndarray, common: CommonSeeds
) -> Queries:
    """Sort the seeds of all patterns of an index.

    `weights` are those of its words; `needed` (int64 (patterns,)) is the least weight of a pattern
    that can be a finding without a run of 13 words, more than it has where it never can. `common` are
    the seeds that the store keeps last.
    """
    covered = np.zeros(len(index.words) + 1, np.int64)
    np.cumsum(weights, out=covered[1:])
    can_be_found = needed <= np.diff(covered[index.starts])
    key, pattern, offset, enough, least = _places(
        index.words, index.starts, rare_places(index), can_be_found, common
    )
    order = np.argsort(key, kind="stable")
    key, pattern, offset = key[order], pattern[order], offset[order]
    test = _tests(index.words, index.starts, pattern, offset, enough[order], least[order])
    kept = _told_apart(key, pattern, test)
    key = key[kept]
    first = np.flatnonzero(np.append(True, key[1:] != key[:-1])[: len(key)])
    posting = np.append(first, len(key))
    key = key[first]
    return Queries(
        _prefixes_of(key),
        key,
        _sieve_of(key),
        posting,
        test[kept],
        pattern[kept],
        offset[kept],
        index.starts,
        covered,
        TELLING_PART * needed,
    )


@inline_kernel
def unpacked(test: Any) -> Test:
    """Return what decides whether a fingerprint meets a posting."""
    return Test(
        np.uint32(test & CONTEXT_MASK),
        np.int64(test >> BEFORE_SHIFT & SIDE_MASK),
        np.int64(test >> AFTER_SHIFT & SIDE_MASK),
        np.int64(test >> ENOUGH_SHIFT & RUN_MASK),
        np.int64(test >> LEAST_SHIFT & RUN_MASK),
    )


@kernel
def _places(
    words: Any, starts: Any, rare: Any, can_be_found: Any, common: Any
) -> tuple[Any, Any, Any, Any, Any]:
    """Return key, pattern, offset, `enough` and `least` of every seed that may nominate."""
    n_places = 0
    for p in range(len(starts) - 1):
        n_places += max(0, starts[p + 1] - starts[p] - SEED_WORDS + 1)
    key = np.empty(n_places, np.uint64)
    pattern = np.empty(n_places, np.int32)
    offset = np.empty(n_places, np.int32)
    enough = np.empty(n_places, np.uint8)
    least = np.empty(n_places, np.uint8)
    n = 0
    for p in range(len(starts) - 1):
        start, length = starts[p], starts[p + 1] - starts[p]
        if length < LONG_WORDS and not can_be_found[p]:
            continue
        kept = kept_seeds(words[start : start + length], common)
        for at in range(length - SEED_WORDS + 1):
            counts = can_be_found[p] and rare[start + at]
            whole = kept[at] if length >= LONG_WORDS else counts
            if not whole and not counts:
                continue
            key[n] = seed_key(seed_at(words, start + at, SEED_WORDS))
            pattern[n], offset[n] = p, at
            enough[n] = min(LONG_WORDS, length) if whole else NEVER
            least[n] = TELLING_RUN if counts else NEVER
            n += 1
    return (
        key[:n].copy(), pattern[:n].copy(), offset[:n].copy(), enough[:n].copy(), least[:n].copy(),
    )  # fmt: skip


@kernel
def _tests(words: Any, starts: Any, pattern: Any, offset: Any, enough: Any, least: Any) -> Any:
    out = np.empty(len(pattern), np.uint64)
    for row in range(len(pattern)):
        first, last = starts[pattern[row]], starts[pattern[row] + 1]
        at = first + offset[row]
        before = min(at - first, CONTEXT_WORDS)
        after = min(last - at - SEED_WORDS, CONTEXT_WORDS)
        out[row] = (
            U64(context_of(words, first, last, at))
            | U64(before) << BEFORE_SHIFT
            | U64(after) << AFTER_SHIFT
            | U64(enough[row]) << ENOUGH_SHIFT
            | U64(least[row]) << LEAST_SHIFT
        )
    return out


@kernel
def _told_apart(key: Any, pattern: Any, test: Any) -> Any:
    """Keep one of the places of a seed in a pattern that nothing tells apart: bool (postings,).

    A song or a matrix has the same seeds over and over, hundreds of times.
    """
    keep = np.ones(len(key), np.bool_)
    low = 0
    while low < len(key):
        high = low + 1
        while high < len(key) and key[high] == key[low] and pattern[high] == pattern[low]:
            high += 1
        if high - low > 1:
            told = test[low:high]
            order = np.argsort(told, kind="mergesort")
            for at in range(1, high - low):
                keep[low + order[at]] = told[order[at]] != told[order[at - 1]]
        low = high
    return keep


@kernel
def _prefixes_of(keys: Any) -> Any:
    first = np.zeros((1 << PREFIX_BITS) + 1, np.int32)
    for key in keys:
        first[(key >> PREFIX_SHIFT) + ONE] += 1
    for prefix in range(1 << PREFIX_BITS):
        first[prefix + 1] += first[prefix]
    return first


@kernel
def _sieve_of(keys: Any) -> Any:
    bits = np.zeros(1 << SIEVE_BITS - 6, np.uint64)
    for key in keys:
        first = key >> U64(KEY_BITS - SIEVE_BITS)
        bits[first >> SIX] |= ONE << (first & SIXTY_THREE)
    return bits
