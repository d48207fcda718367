"""Looking items up in segments: which documents may hold a run of theirs, told without reading one.

The fingerprints of a segment are walked along with the sorted seeds of the items (`indexes.queries`). For
the equal ones the words around tell how long a run the two texts may share. A document is **nominated** for a pattern by

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

from typing import Any, Final

import numpy as np

from corpora.kernels import kernel
from indexes.fingerprints import CONTEXT_BITS, shared_run
from indexes.queries import (
    ONE,
    PREFIX_SHIFT,
    SIEVE_BITS,
    SIX,
    SIXTY_THREE,
    U64,
    Queries,
    build_queries,
    unpacked,
)
from indexes.seeds import SEED_WORDS
from indexes.segments import END_BITS, KEPT_BITS, MOST_BUCKET_BITS, Segment

__all__ = ["LEAST_SIEVED_BITS", "Queries", "build_queries", "nominate"]

# Of the number of buckets, so that they and `key` have the bits that the sieve asks for; a segment with
# fewer is small, and every entry of it is looked up.
LEAST_SIEVED_BITS: Final = SIEVE_BITS - (KEPT_BITS - END_BITS)
END_SHIFT: Final = U64(CONTEXT_BITS)
CONTEXT: Final = np.uint32((1 << CONTEXT_BITS) - 1)


def nominate(segment: Segment, queries: Queries) -> np.ndarray:
    """Return the numbers of the documents that a segment nominates: int64 (n,), ascending."""
    hits = _hits(segment, queries)
    order = np.lexsort((hits[:, 2], hits[:, 1], hits[:, 0]))
    return np.unique(_nominated(hits[order], queries))


@kernel
def _hits(segment: Any, queries: Any) -> Any:
    """Return (document, pattern, its first word, its last, whether that is enough) of runs that count.

    Of a run that is not enough, the outermost word on each side is left out: of strange words one in
    four agrees by chance.
    """
    out = np.empty((256, 5), np.int64)
    n = 0
    bucket_bits = _bits_of(len(segment.first) - 1)
    # A segment of few buckets keeps fewer bits of a fingerprint: the first ones, like the rest.
    lost_bits = U64(MOST_BUCKET_BITS - bucket_bits)
    if bucket_bits < LEAST_SIEVED_BITS:
        sifted = np.arange(len(segment.key))
    else:
        sifted = _sifted(segment.first, segment.key, queries.sieve, bucket_bits)
    keys = queries.key
    entry, found = _met(segment, sifted, queries.first, keys, lost_bits)
    for at in range(len(entry)):
        q = found[at]
        key = keys[q] >> lost_bits
        while q < len(keys) and keys[q] >> lost_bits == key:
            out, n = _push_runs(segment, entry[at], queries, q, out, n)
            q += 1
    return out[:n].copy()


@kernel
def _met(segment: Any, sifted: Any, first: Any, keys: Any, lost_bits: Any) -> tuple[Any, Any]:
    """Return the entries whose kept bits a key begins with, and for each the first such key.

    In passes without branches, so that the accesses to memory overlap: half the time of one pass. In
    numbers without a sign, as in `_sifted`: a third less.
    """
    n_sifted, n_keys = U64(len(sifted)), U64(len(keys))
    place = np.empty(len(sifted), np.uint64)
    found = np.empty(len(sifted), np.int64)
    at = bucket = U64(0)
    while at < n_sifted:
        entry = U64(sifted[at])
        while segment.first[bucket + ONE] <= entry:
            bucket += ONE
        key = U64(segment.key[entry]) << U64(END_BITS) | U64(segment.tail[entry]) >> END_SHIFT
        place[at] = (bucket << U64(KEPT_BITS) | key) << lost_bits
        at += ONE
    for row in range(len(sifted)):
        found[row] = first[place[row] >> PREFIX_SHIFT]
    entries = np.empty(len(sifted), np.int64)
    at = n = U64(0)
    while at < n_sifted:
        q = U64(found[at])
        while q < n_keys and keys[q] < place[at]:
            q += ONE
        entries[n], found[n] = sifted[at], q
        n += U64(q < n_keys and keys[q] >> lost_bits == place[at] >> lost_bits)
        at += ONE
    return entries[:n], found[:n]


@kernel
def _bits_of(n_buckets: int) -> int:
    bits = 0
    while n_buckets >> bits > 1:
        bits += 1
    return bits


@kernel
def _sifted(first: Any, keys: Any, sieve: Any, bucket_bits: int) -> Any:
    """Return the entries of a segment that the sieve lets through.

    Without a branch, which takes a ninth of the time, and in numbers without a sign, which save a fifth
    of that: an index that could be negative is looked at before it is used.
    """
    out = np.empty(len(keys) + 1, np.int64)
    n = U64(0)
    shift = U64(bucket_bits - LEAST_SIEVED_BITS)
    for bucket in range(len(first) - 1):
        head = U64(bucket) << U64(KEPT_BITS - END_BITS) >> shift >> SIX
        at, end = U64(first[bucket]), U64(first[bucket + 1])
        while at < end:
            bit = U64(keys[at]) >> shift
            out[n] = at
            n += sieve[head + (bit >> SIX)] >> (bit & SIXTY_THREE) & ONE
            at += ONE
    return out[:n]


@kernel
def _push_runs(segment: Any, s: int, queries: Any, q: int, out: Any, n: int) -> tuple[Any, int]:
    """Append the runs that entry `s` of a segment and the postings of key `q` may share."""
    theirs = segment.tail[s] & CONTEXT
    starts = queries.starts
    for p in range(queries.posting[q], queries.posting[q + 1]):
        ours = unpacked(queries.test[p])
        run, back = shared_run(ours.context, theirs, ours.before, ours.after)
        if run < min(ours.enough, ours.least):
            continue
        pattern = queries.pattern[p]
        first = queries.offset[p] - back
        last = first + run
        if run < ours.enough:
            last -= run > back + SEED_WORDS and last < starts[pattern + 1] - starts[pattern]
            first += back > 0 and first > 0
        if n == len(out):
            grown = np.empty((2 * n, 5), np.int64)
            grown[:n] = out
            out = grown
        out[n, 0], out[n, 1], out[n, 2], out[n, 3] = segment.document[s], pattern, first, last
        out[n, 4] = run >= ours.enough
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
