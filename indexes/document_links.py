"""Which of many documents are near-duplicates: banded locality-sensitive hashing, then union-find.

A fold over bands: all documents that agree on one band of their signatures are a bucket; two of a bucket
whose whole signatures agree on enough positions are linked, and linked documents make clusters (Broder
1997; Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, ch. 3). Only distinct texts come here:
exact duplicates are one text.

Texts of one version or of two. A cluster of one version is made of links between texts of that version
only, so its clusters are the same whether or not another version stands beside it.
"""

from __future__ import annotations

from math import ceil
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from indexes.lsh import band_hash
from indexes.minhash import N_PERMUTATIONS, Bands

# Of a bucket of this many texts all pairs are compared: 32,640 of them, some 4 ms. Of a larger one
# each text is compared with heads (texts that were alike to no head before them) and with the text
# before it: all alike, as in thousands of copies of one form, costs one comparison each.
MOST_PAIRED: Final = 256
MOST_HEADS: Final = 64
DRAWN_PAIRS: Final = 1000  # linked pairs kept for proof, at random
BASELINE, CANDIDATE = np.uint8(1), np.uint8(2)
EITHER: Final = 0  # row of the forest in which versions do not count
U32, U64 = np.uint32, np.uint64
STEP: Final = U64(0x9E3779B97F4A7C15)
SPREAD: Final = U64(0xD6E8FEB86659FD93)
SHIFT_32: Final = U64(32)


class Texts(NamedTuple):
    """Distinct texts, in the order of the documents."""

    document: (
        np.ndarray
    )  # int64 (texts,), the first document that has it: its row of the signatures
    versions: np.ndarray  # uint8 (texts,), BASELINE | CANDIDATE: where it stands


class Drawn(NamedTuple):
    """Linked pairs, drawn at random, each with the same chance; in an order that is random too."""

    one: np.ndarray  # int64 (pairs,), number of a text
    other: np.ndarray  # int64 (pairs,), of a text before it
    equal: np.ndarray  # int64 (pairs,), positions of their signatures that agree


class Linker:
    """Clusters of texts, growing band by band."""

    def __init__(self, signatures: np.ndarray, texts: Texts, least_equal: int, seed: int) -> None:
        """Begin with every text alone; `signatures`: uint32 (documents, 128), mapped or in memory."""
        n = len(texts.document)
        has_both = np.bitwise_or.reduce(texts.versions) == BASELINE | CANDIDATE
        self._signatures = signatures
        self._texts = texts
        self._least_equal = least_equal
        self._seed = U64(seed)
        # Where there is one version its forest is that of all.
        self._parents = np.tile(np.arange(n), (3 if has_both else 1, 1))
        self._near = np.zeros(n, np.uint8)
        self._pairs = np.zeros((DRAWN_PAIRS, 3), np.int64)
        self._ranks = np.full(DRAWN_PAIRS, np.iinfo(np.uint64).max, np.uint64)
        self._counts = np.zeros(3, np.int64)  # links, comparisons, buckets that were cut short

    def add_band(self, keys: np.ndarray) -> None:
        """Link the texts with equal keys (uint64 (texts,), hashes of one band) that are alike."""
        order = np.argsort(keys, kind="stable")  # within a bucket, texts stay in order
        ordered = keys[order]
        begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        ends = np.append(begins[1:], len(order))
        several = ends - begins > 1
        _link_buckets(
            self._signatures, *self._texts, order, begins[several], ends[several], self._least_equal,
            self._parents, self._near, self._pairs, self._ranks, self._seed, self._counts,
        )  # fmt: skip

    def roots(self, version: np.uint8 | None = None) -> np.ndarray:
        """Return the first text of each text's cluster: int64 (texts,).

        The clusters are those within a version, or over all texts.
        """
        row = EITHER if version is None or len(self._parents) == 1 else int(version)
        parents = self._parents[row]
        _flatten(parents)
        return parents

    @property
    def near(self) -> np.ndarray:
        """Versions in which a text other than the text itself is alike to it: uint8 (texts,).

        Complete for versions that the text does not stand in itself.
        """
        return self._near

    @property
    def comparisons(self) -> int:
        """Return how many pairs of signatures were compared."""
        return int(self._counts[1])

    @property
    def buckets_cut(self) -> int:
        """Return how many buckets had too many texts to compare every pair."""
        return int(self._counts[2])

    def drawn(self) -> Drawn:
        """Return linked pairs for proof."""
        order = np.argsort(self._ranks, kind="stable")[: min(self._counts[0], DRAWN_PAIRS)]
        return Drawn(*(self._pairs[order, column] for column in range(3)))


def least_equal_positions(threshold: float) -> int:
    """Return how many of the 128 positions must agree for an estimate of at least `threshold`."""
    return ceil(threshold * N_PERMUTATIONS - 1e-9)


def link_probability(jaccard: float, bands: Bands, least_equal: int) -> float:
    """Return the probability that two texts of this similarity are linked directly.

    They must share a band (the S-curve), and their signatures agree on `least_equal` positions: of all
    outcomes with enough positions, those in which no band agrees whole are taken away.
    """
    positions = _binomial(N_PERMUTATIONS, jaccard)
    band = _binomial(bands.rows, jaccard)
    band[-1] = 0.0  # the band does not agree whole
    without = _binomial(N_PERMUTATIONS - bands.bands * bands.rows, jaccard)
    for _ in range(bands.bands):
        without = np.convolve(without, band)
    return float((positions - without)[least_equal:].sum())


def band_keys(signatures: np.ndarray, bands: Bands) -> np.ndarray:
    """Return the hash of every band of every signature: uint64 (bands, n)."""
    keys = np.empty((bands.bands, len(signatures)), np.uint64)
    _band_keys(signatures, bands.rows, keys)
    return keys


def equal_positions(signatures: np.ndarray, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how many positions agree of `signatures[ones[p]]` and `signatures[others[p]]`: int64."""
    out = np.empty(len(ones), np.int64)
    _equal_all(signatures, ones, others, out)
    return out


def _binomial(n: int, p: float) -> np.ndarray:
    """Return the probabilities of 0 .. n successes."""
    chances = np.ones(1)
    for _ in range(n):
        chances = np.convolve(chances, [1 - p, p])
    return chances


@kernel
def _link_buckets(
    signatures: Any, document: Any, versions: Any, order: Any, begins: Any, ends: Any,
    least_equal: int, parents: Any, near: Any, pairs: Any, ranks: Any, seed: Any, counts: Any,
) -> None:  # fmt: skip
    heads = np.empty(MOST_HEADS, np.int64)
    for bucket in range(len(begins)):
        first, last = begins[bucket], ends[bucket]
        if last - first <= MOST_PAIRED:
            for x in range(first + 1, last):
                for y in range(first, x):
                    _compare(
                        signatures, document, versions, order[x], order[y], least_equal, parents,
                        near, pairs, ranks, seed, counts,
                    )  # fmt: skip
            continue
        counts[2] += 1
        n_heads = 0
        for x in range(first, last):
            alike = np.uint8(0)  # versions of the heads that it is alike to
            for head in range(n_heads):
                if _compare(
                    signatures, document, versions, order[x], heads[head], least_equal, parents,
                    near, pairs, ranks, seed, counts,
                ):  # fmt: skip
                    alike |= versions[heads[head]]
            if x > first:
                _compare(
                    signatures, document, versions, order[x], order[x - 1], least_equal, parents,
                    near, pairs, ranks, seed, counts,
                )  # fmt: skip
            if versions[order[x]] & ~alike and n_heads < MOST_HEADS:
                heads[n_heads] = order[x]
                n_heads += 1


@kernel
def _compare(
    signatures: Any, document: Any, versions: Any, x: int, y: int, least_equal: int, parents: Any,
    near: Any, pairs: Any, ranks: Any, seed: Any, counts: Any,
) -> bool:  # fmt: skip
    """Link two texts if they are alike; tell whether they are, or whether nothing hangs on it.

    Nothing does where they are in one cluster already, and know of copies in each other's version.
    """
    if not _matters(versions, x, y, parents, near):
        return True
    counts[1] += 1
    equal = _equal(signatures, document[x], document[y])
    if equal < least_equal:
        return False
    if _join(parents, EITHER, x, y):
        _draw(x, y, equal, pairs, ranks, seed)
        counts[0] += 1
    for forest in range(1, len(parents)):
        if versions[x] & versions[y] & np.uint8(forest):
            _join(parents, forest, x, y)
    near[x] |= versions[y]
    near[y] |= versions[x]
    return True


@inline_kernel
def _matters(versions: Any, x: int, y: int, parents: Any, near: Any) -> bool:
    if _root(parents, EITHER, x) != _root(parents, EITHER, y):
        return True
    if len(parents) == 1:
        return False
    for forest in range(1, len(parents)):
        both = versions[x] & versions[y] & np.uint8(forest)
        if both and _root(parents, forest, x) != _root(parents, forest, y):
            return True
    unknown_to_x = versions[y] & ~(versions[x] | near[x])
    unknown_to_y = versions[x] & ~(versions[y] | near[y])
    return unknown_to_x | unknown_to_y != 0


@kernel
def _root(parents: Any, forest: int, x: int) -> int:
    while parents[forest, x] != x:
        parents[forest, x] = parents[forest, parents[forest, x]]
        x = parents[forest, x]
    return x


@kernel
def _join(parents: Any, forest: int, x: int, y: int) -> bool:
    """Join two clusters under their first text; tell whether they were two."""
    x, y = _root(parents, forest, x), _root(parents, forest, y)
    parents[forest, max(x, y)] = min(x, y)
    return x != y


@kernel
def _flatten(parents: Any) -> None:
    for x in range(len(parents)):  # a parent stands before its child
        parents[x] = parents[parents[x]]


@kernel
def _draw(x: int, y: int, equal: int, pairs: Any, ranks: Any, seed: Any) -> None:
    """Keep the pairs of the smallest ranks, which are random numbers made from the pair."""
    rank = (seed ^ U64(x)) * STEP
    rank = (rank ^ rank >> SHIFT_32 ^ U64(y)) * SPREAD
    rank ^= rank >> SHIFT_32
    worst = np.argmax(ranks)
    if rank < ranks[worst]:
        ranks[worst] = rank
        pairs[worst, 0], pairs[worst, 1], pairs[worst, 2] = x, y, equal


@kernel
def _equal(signatures: Any, one: int, other: int) -> int:
    equal = U32(0)  # of the width of what is compared: eight at a time
    for k in range(N_PERMUTATIONS):
        equal = U32(equal + U32(signatures[one, k] == signatures[other, k]))
    return np.int64(equal)


@kernel
def _equal_all(signatures: Any, ones: Any, others: Any, out: Any) -> None:
    for pair in range(len(ones)):
        out[pair] = _equal(signatures, ones[pair], others[pair])


@kernel
def _band_keys(signatures: Any, rows: int, out: Any) -> None:
    for document in range(len(signatures)):
        for band in range(len(out)):
            out[band, document] = band_hash(signatures[document], band, rows, 0)
