"""Looking items up in segments: which documents may hold a run of theirs, told without reading one.

All seeds of the items are kept sorted, behind a table of bits that is read in the order of a segment's
fingerprints and turns away nearly all of them. For the equal ones the words around tell how long a run the
two texts may share. A document is **nominated**
for a pattern by

* a run that may be of 13 words: so every document that shares a run of 13 words is nominated;
* a run that may be the whole pattern where that is shorter. Not every such place has a fingerprint of
  its own, the less so the shorter it is: nothing is promised;
* or runs of seven words and more that together may cover two fifths of its weight: what an edited copy
  keeps.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from indexes.fingerprints import CONTEXT_WORDS, context_of, shared_run
from indexes.ngram import FREE, LONG_WORDS, MOST_REPEATS, NgramIndex
from indexes.seeds import SEED_WORDS, seed_at
from indexes.segments import FINGERPRINT_BITS, KEY_BITS, MOST_BUCKET_BITS, Segment

TELLING_RUN: Final = 7  # words of a run that counts where no run of 13 is there
TELLING_SHARE: Final = 0.4  # of a pattern's weight in such runs; scanners keep no evidence below
SIEVE_BITS: Final = 26  # 8 MB of bits
U64 = np.uint64
SIEVE_SHIFT: Final = U64(FINGERPRINT_BITS - SIEVE_BITS)
ONE, SIX, SIXTY_THREE = U64(1), U64(6), U64(63)


class Queries(NamedTuple):
    """The seeds of items, sorted, each with the places of patterns where it stands."""

    first: (
        np.ndarray
    )  # int64 (65,537,): keys whose first 16 bits are k are first[k] .. first[k + 1]
    key: np.ndarray  # uint64 (keys,), 48 bits, ascending
    sieve: np.ndarray  # uint64, a bit for the first SIEVE_BITS of every key
    posting: np.ndarray  # int64 (keys + 1,): postings of a key are posting[k] .. posting[k + 1]
    pattern: np.ndarray  # int32 (postings,)
    offset: np.ndarray  # int32 (postings,), word of the pattern at which the seed begins
    context: np.ndarray  # uint32 (postings,)
    words_before: np.ndarray  # uint8 (postings,), at most CONTEXT_WORDS
    words_after: np.ndarray  # uint8 (postings,)
    repeated: np.ndarray  # bool (postings,): one of so many in its pattern that not all are here
    starts: np.ndarray  # int64 (patterns + 1,)
    covered: np.ndarray  # int64 (words of all patterns + 1,), sum of the weights before a word
    totals: np.ndarray  # int64 (patterns,)


def build_queries(index: NgramIndex, weights: np.ndarray, totals: np.ndarray) -> Queries:
    """Sort the seeds of all patterns of an index; `weights` are those of its words."""
    seeds = index.seeds
    used = np.flatnonzero(seeds.entry != FREE)
    key = seeds.keys[used] >> U64(16)
    order = np.argsort(key, kind="stable")
    key, entry = key[order], seeds.entry[used][order].astype(np.int64)
    low, high = seeds.first[entry], seeds.first[entry + 1]
    posting = np.zeros(len(entry) + 1, np.int64)
    np.cumsum(high - low, out=posting[1:])
    rows = np.arange(posting[-1]) + np.repeat(low - posting[:-1], high - low)
    pattern, offset = seeds.pattern[rows], seeds.offset[rows]
    covered = np.zeros(len(index.words) + 1, np.int64)
    np.cumsum(weights, out=covered[1:])
    context = _contexts(index.words, index.starts, pattern, offset)
    length = np.diff(index.starts)[pattern]
    return Queries(
        np.searchsorted(key >> U64(KEY_BITS), np.arange((1 << MOST_BUCKET_BITS) + 1)),
        key,
        _sieve_of(key),
        posting,
        pattern,
        offset,
        context,
        np.minimum(offset, CONTEXT_WORDS).astype(np.uint8),
        np.minimum(length - offset - SEED_WORDS, CONTEXT_WORDS).astype(np.uint8),
        _repeated(index.words, index.starts, posting, pattern, offset),
        index.starts,
        covered,
        totals,
    )


def nominate(segment: Segment, queries: Queries) -> np.ndarray:
    """Return the numbers of the documents that a segment nominates: int64 (n,), ascending."""
    hits = _hits(segment, queries)
    order = np.lexsort((hits[:, 2], hits[:, 1], hits[:, 0]))
    return np.unique(_nominated(hits[order], queries))


@kernel
def _contexts(words: Any, starts: Any, pattern: Any, offset: Any) -> Any:
    out = np.empty(len(pattern), np.uint32)
    for row in range(len(pattern)):
        first, last = starts[pattern[row]], starts[pattern[row] + 1]
        out[row] = context_of(words, first, last, first + offset[row])
    return out


@kernel
def _sieve_of(keys: Any) -> Any:
    bits = np.zeros(1 << SIEVE_BITS - 6, np.uint64)
    for key in keys:
        first = key >> SIEVE_SHIFT
        bits[first >> SIX] |= ONE << (first & SIXTY_THREE)
    return bits


@kernel
def _repeated(words: Any, starts: Any, posting: Any, pattern: Any, offset: Any) -> Any:
    """Mark the postings of seeds that stand in their pattern more often than an index keeps."""
    out = np.zeros(len(pattern), np.bool_)
    for key in range(len(posting) - 1):
        low = posting[key]
        for row in range(low, posting[key + 1]):
            if pattern[row] != pattern[low]:
                low = row
            if row - low + 1 != MOST_REPEATS:
                continue
            first, last = starts[pattern[row]], starts[pattern[row] + 1]
            seed = seed_at(words, first + offset[row], SEED_WORDS)
            times = 0
            for at in range(first, last - SEED_WORDS + 1):
                times += seed_at(words, at, SEED_WORDS) == seed
            if times > MOST_REPEATS:
                out[low : row + 1] = True
    return out


@kernel
def _hits(segment: Any, queries: Any) -> Any:
    """Return (document, pattern, first word of the pattern, words) of every run worth counting."""
    out = np.empty((256, 4), np.int64)
    n = 0
    n_buckets = len(segment.first) - 1
    bucket_bits = U64(0)
    while n_buckets >> np.int64(bucket_bits) > 1:
        bucket_bits += ONE
    # A segment of few buckets keeps fewer bits of a fingerprint: the first ones, like the rest.
    lost_bits = U64(MOST_BUCKET_BITS) - bucket_bits
    sieve_shift = SIEVE_SHIFT - lost_bits
    for bucket in range(n_buckets):
        head = U64(bucket) << U64(KEY_BITS)
        for s in range(segment.first[bucket], segment.first[bucket + 1]):
            key = head | U64(segment.key[s])
            first = key >> sieve_shift
            if not queries.sieve[first >> SIX] >> (first & SIXTY_THREE) & ONE:
                continue
            place = key << lost_bits
            prefix = place >> U64(KEY_BITS)
            low, high = queries.first[prefix], queries.first[prefix + ONE]
            q = low + np.searchsorted(queries.key[low:high], place)
            while q < len(queries.key) and queries.key[q] >> lost_bits == key:
                out, n = _push_runs(segment, s, queries, q, out, n)
                q += 1
    return out[:n].copy()


@kernel
def _push_runs(segment: Any, s: int, queries: Any, q: int, out: Any, n: int) -> tuple[Any, int]:
    """Append the runs that entry `s` of a segment and the postings of key `q` may share."""
    for p in range(queries.posting[q], queries.posting[q + 1]):
        pattern = queries.pattern[p]
        whole = min(LONG_WORDS, queries.starts[pattern + 1] - queries.starts[pattern])
        before, after = np.int64(queries.words_before[p]), np.int64(queries.words_after[p])
        run, back = shared_run(queries.context[p], segment.context[s], before, after)
        if queries.repeated[p]:  # the place that goes on may be one that is not here
            run, back = whole, 0
        if run < min(TELLING_RUN, whole):
            continue
        if n == len(out):
            grown = np.empty((2 * n, 4), np.int64)
            grown[:n] = out
            out = grown
        out[n, 0], out[n, 1] = segment.document[s], pattern
        out[n, 2], out[n, 3] = queries.offset[p] - back, run
        n += 1
    return out, n


@kernel
def _nominated(hits: Any, queries: Any) -> Any:
    """Return the documents of `hits`, sorted by document, pattern and place, that are nominated."""
    out = np.empty(len(hits), np.int64)
    n = low = 0
    while low < len(hits):
        document, pattern = hits[low, 0], hits[low, 1]
        start = queries.starts[pattern]
        whole = min(LONG_WORDS, queries.starts[pattern + 1] - start)
        units = reached = 0
        told = False
        while low < len(hits) and hits[low, 0] == document and hits[low, 1] == pattern:
            first = hits[low, 2]
            last = min(first + hits[low, 3], queries.starts[pattern + 1] - start)
            told |= hits[low, 3] >= whole
            if last > reached:
                units += (
                    queries.covered[start + last] - queries.covered[start + max(first, reached)]
                )
                reached = last
            low += 1
        if told or units >= TELLING_SHARE * queries.totals[pattern]:
            out[n] = document
            n += 1
    return out[:n]
