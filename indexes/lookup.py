"""Looking items up in segments: which documents may hold a run of theirs, told without reading one.

All seeds of the items are kept sorted, behind a table of bits that is read in the order of a segment's
fingerprints and turns away nearly all of them. For the equal ones the words around tell how long a run the
two texts may share. A document is **nominated** for a pattern by

* a run that may be of 13 words, around a seed that the pattern would keep as a fingerprint: a document
  that shares a run of 13 words keeps the same seed of it, so every such document is nominated;
* a run that may be the whole pattern where that is shorter. Not every such place has a fingerprint of
  its own, the less so the shorter it is: nothing is promised;
* or runs of seven words and more that together may cover most of the weight that the pattern's finding
  takes: what an edited copy keeps.

The last two are left out where the scanner would make nothing of them: for a pattern that weighs too
little for a finding, and for seeds that do not nominate there either.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from indexes.fingerprints import (
    CONTEXT_WORDS,
    KEY_BITS,
    CommonSeeds,
    context_of,
    kept_seeds,
    seed_key,
    shared_run,
)
from indexes.ngram import LONG_WORDS, NgramIndex, rare_places
from indexes.seeds import SEED_WORDS, seed_at
from indexes.segments import END_BITS, KEPT_BITS, MOST_BUCKET_BITS, Segment

TELLING_RUN: Final = 7  # words of a run that counts where no run of 13 is there
# Of the weight that a finding takes: a copy has more in common than its fingerprints show. Chosen on
# the mix v2 with 18 benchmarks: of 172 documents with findings but no run of 13 words that a looser
# rule nominates it keeps 148, and of 655 without findings 353; at 0.85 it keeps 111, and 304.
TELLING_PART: Final = 0.8
NEVER: Final = 255  # words of a run that no run has
SIEVE_BITS: Final = 26  # 8 MB of bits
PREFIX_BITS: Final = 20  # by which a key is found: 4 MB of table, a key or two behind each entry
# Of the number of buckets, so that they and `key` have the bits that the sieve asks for; with fewer
# `key_end` is read, too, and a tiny segment is looked up whole.
LEAST_SIEVED_BITS: Final = SIEVE_BITS - (KEPT_BITS - END_BITS)
U64 = np.uint64
PREFIX_SHIFT: Final = U64(KEY_BITS - PREFIX_BITS)
ONE, SIX, SIXTY_THREE = U64(1), U64(6), U64(63)


class Queries(NamedTuple):
    """The seeds of items, sorted, each with the places of patterns where it stands."""

    first: (
        np.ndarray
    )  # int32 (2 ** PREFIX_BITS + 1,): keys that begin with the bits k are first[k] ..
    key: np.ndarray  # uint64 (keys,), 40 bits, ascending
    sieve: np.ndarray  # uint64, a bit for the first SIEVE_BITS of every key
    posting: np.ndarray  # int64 (keys + 1,): postings of a key are posting[k] .. posting[k + 1]
    pattern: np.ndarray  # int32 (postings,)
    offset: np.ndarray  # int32 (postings,), word of the pattern at which the seed begins
    context: np.ndarray  # uint32 (postings,)
    words_before: np.ndarray  # uint8 (postings,), at most CONTEXT_WORDS
    words_after: np.ndarray  # uint8 (postings,)
    enough: np.ndarray  # uint8 (postings,): words of a run here that nominates by itself, or NEVER
    least: np.ndarray  # uint8 (postings,): of one that counts together with others, or NEVER
    starts: np.ndarray  # int64 (patterns + 1,)
    covered: np.ndarray  # int64 (words of all patterns + 1,), sum of the weights before a word
    needed: np.ndarray  # float64 (patterns,), weight that nominates


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
    enough, least = enough[order], least[order]
    context = _contexts(index.words, index.starts, pattern, offset)
    length = np.diff(index.starts)[pattern]
    before = np.minimum(offset, CONTEXT_WORDS).astype(np.uint8)
    after = np.minimum(length - offset - SEED_WORDS, CONTEXT_WORDS).astype(np.uint8)
    kept = _told_apart(key, pattern, context, before, after, enough)
    key = key[kept]
    first = np.flatnonzero(np.append(True, key[1:] != key[:-1])[: len(key)])
    posting = np.append(first, len(key))
    key = key[first]
    return Queries(
        _prefixes_of(key),
        key,
        _sieve_of(key),
        posting,
        pattern[kept],
        offset[kept],
        context[kept],
        before[kept],
        after[kept],
        enough[kept],
        least[kept],
        index.starts,
        covered,
        TELLING_PART * needed,
    )


def nominate(segment: Segment, queries: Queries) -> np.ndarray:
    """Return the numbers of the documents that a segment nominates: int64 (n,), ascending."""
    hits = _hits(segment, queries)
    order = np.lexsort((hits[:, 2], hits[:, 1], hits[:, 0]))
    return np.unique(_nominated(hits[order], queries))


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
def _contexts(words: Any, starts: Any, pattern: Any, offset: Any) -> Any:
    out = np.empty(len(pattern), np.uint32)
    for row in range(len(pattern)):
        first, last = starts[pattern[row]], starts[pattern[row] + 1]
        out[row] = context_of(words, first, last, first + offset[row])
    return out


@kernel
def _told_apart(key: Any, pattern: Any, context: Any, before: Any, after: Any, enough: Any) -> Any:
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
            told = np.empty(high - low, np.uint64)
            for row in range(low, high):
                sides = U64(before[row]) << U64(4) | U64(after[row])
                told[row - low] = (U64(context[row]) << U64(8) | sides) << U64(8) | U64(enough[row])
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


@kernel
def _hits(segment: Any, queries: Any) -> Any:
    """Return (document, pattern, its first word, its last, whether that is enough) of runs that count.

    Of a run that is not enough, the outermost word on each side is left out: of strange words one in
    four agrees by chance.
    """
    out = np.empty((256, 5), np.int64)
    n = bucket = 0
    bucket_bits = _bits_of(len(segment.first) - 1)
    # A segment of few buckets keeps fewer bits of a fingerprint: the first ones, like the rest.
    lost_bits = U64(MOST_BUCKET_BITS - bucket_bits)
    if bucket_bits < LEAST_SIEVED_BITS:
        sifted = _sifted_by_all(segment, queries.sieve, bucket_bits)
    else:
        sifted = _sifted(segment.first, segment.key, queries.sieve, bucket_bits)
    for s in sifted:
        while segment.first[bucket + 1] <= s:
            bucket += 1
        key = U64(segment.key[s]) << U64(END_BITS) | U64(segment.key_end[s])
        key |= U64(bucket) << U64(KEPT_BITS)
        place = key << lost_bits
        q = np.int64(queries.first[place >> PREFIX_SHIFT])
        while q < len(queries.key) and queries.key[q] < place:
            q += 1
        while q < len(queries.key) and queries.key[q] >> lost_bits == key:
            out, n = _push_runs(segment, s, queries, q, out, n)
            q += 1
    return out[:n].copy()


@kernel
def _bits_of(n_buckets: int) -> int:
    bits = 0
    while n_buckets >> bits > 1:
        bits += 1
    return bits


@kernel
def _sifted(first: Any, keys: Any, sieve: Any, bucket_bits: int) -> Any:
    """Return the entries of a segment that the sieve lets through."""
    out = np.empty(len(keys) + 1, np.int64)
    n = 0
    shift = U64(bucket_bits - LEAST_SIEVED_BITS)
    for bucket in range(len(first) - 1):
        head = U64(bucket) << U64(KEPT_BITS - END_BITS)
        for s in range(first[bucket], first[bucket + 1]):  # no branch: nine times as fast
            bit = (head | U64(keys[s])) >> shift
            out[n] = s
            n += np.int64(sieve[bit >> SIX] >> (bit & SIXTY_THREE) & ONE)
    return out[:n]


@kernel
def _sifted_by_all(segment: Any, sieve: Any, bucket_bits: int) -> Any:
    """Return the same for a segment of few buckets, by all bits of its fingerprints."""
    out = np.empty(len(segment.key) + 1, np.int64)
    if bucket_bits + KEPT_BITS < SIEVE_BITS:
        return np.arange(len(segment.key))
    n = 0
    shift = U64(bucket_bits + KEPT_BITS - SIEVE_BITS)
    for bucket in range(len(segment.first) - 1):
        head = U64(bucket) << U64(KEPT_BITS)
        for s in range(segment.first[bucket], segment.first[bucket + 1]):
            key = U64(segment.key[s]) << U64(END_BITS) | U64(segment.key_end[s])
            bit = (head | key) >> shift
            out[n] = s
            n += np.int64(sieve[bit >> SIX] >> (bit & SIXTY_THREE) & ONE)
    return out[:n]


@kernel
def _push_runs(segment: Any, s: int, queries: Any, q: int, out: Any, n: int) -> tuple[Any, int]:
    """Append the runs that entry `s` of a segment and the postings of key `q` may share."""
    theirs = np.uint32(segment.context_end[s]) << np.uint32(16) | np.uint32(segment.context[s])
    context, words_before, words_after = queries.context, queries.words_before, queries.words_after
    enough, least, starts = queries.enough, queries.least, queries.starts
    for p in range(queries.posting[q], queries.posting[q + 1]):
        before, after = np.int64(words_before[p]), np.int64(words_after[p])
        run, back = shared_run(context[p], theirs, before, after)
        if run < min(enough[p], least[p]):
            continue
        pattern = queries.pattern[p]
        first = queries.offset[p] - back
        last = first + run
        if run < enough[p]:
            last -= run > back + SEED_WORDS and last < starts[pattern + 1] - starts[pattern]
            first += back > 0 and first > 0
        if n == len(out):
            grown = np.empty((2 * n, 5), np.int64)
            grown[:n] = out
            out = grown
        out[n, 0], out[n, 1], out[n, 2], out[n, 3] = segment.document[s], pattern, first, last
        out[n, 4] = run >= enough[p]
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
        units = reached = 0
        told = False
        while low < len(hits) and hits[low, 0] == document and hits[low, 1] == pattern:
            first, last = max(hits[low, 2], reached), hits[low, 3]
            if last > first:
                units += queries.covered[start + last] - queries.covered[start + first]
                reached = last
            told |= hits[low, 4] > 0
            low += 1
        if told or units >= queries.needed[pattern]:
            out[n] = document
            n += 1
    return out[:n]
