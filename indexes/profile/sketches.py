"""How much of a corpus is copies, from a sample of its distinct texts that can be merged.

Of all distinct hashes in a domain the SKETCH_SIZE smallest are kept, each with the number of documents that
have it (Beyer et al. 2007, On synopses for distinct-value estimation under multiset operations). The
smallest of a union are among the smallest of its parts, so a merged sketch is that of the whole, and
its counts are exact. Hashes order texts at random, so what is kept is a simple random sample of the
distinct texts.

Two kinds of copies are told: `exact` ones have the same words in the same order, `near` ones the same
near key (`indexes.profile_words`, where the chance that two documents share it is `near_agreement`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from indexes.profile.value import COPY_KINDS, NEAR, Profile, codes_of, domain_column
from indexes.profile_words import NEAR_HASHES

SKETCH_SIZE: Final = 2048
WAITING: Final = 1 << 16  # hashes that are collected before the smallest are chosen
HASHES: Final = 2.0**64


class Sketches:
    """The sketches of several sets of hashes, numbered from 0, as documents come in."""

    def __init__(self) -> None:
        self._kept = _nothing()
        self._waiting = [_nothing()]
        self._n_waiting = 0
        self._limits = np.zeros(
            0, np.uint64
        )  # the largest hash that may still be among the smallest

    def add(self, sets: np.ndarray, hashes: np.ndarray) -> None:
        """Take one document's hash into each set; int64 (n,) and uint64 (n,)."""
        if len(sets) and sets.max() >= len(self._limits):
            more = np.full(int(sets.max()) + 1 - len(self._limits), np.iinfo(np.uint64).max)
            self._limits = np.concatenate([self._limits, more])
        fits = hashes <= self._limits[sets]
        self._waiting.append((sets[fits], hashes[fits], np.ones(int(fits.sum()), np.int64)))
        self._n_waiting += int(fits.sum())
        if self._n_waiting >= WAITING:
            self.smallest()

    def smallest(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return sets, hashes and documents of what is kept, sorted by set and hash."""
        parts = [self._kept, *self._waiting]
        self._kept = sets, hashes, _ = smallest(
            *(np.concatenate(column) for column in zip(*parts, strict=True))
        )
        self._waiting, self._n_waiting = [_nothing()], 0
        last = np.flatnonzero(np.diff(sets, append=-1))
        is_full = np.diff(last, prepend=-1) == SKETCH_SIZE
        self._limits[sets[last[is_full]]] = hashes[last[is_full]]
        return self._kept


def smallest(
    sets: np.ndarray, hashes: np.ndarray, documents: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add up the documents of equal hashes, and keep the SKETCH_SIZE smallest hashes of each set."""
    order = np.lexsort((hashes, sets))
    sets, hashes, documents = sets[order], hashes[order], documents[order]
    is_first = np.ones(len(sets), np.bool_)
    is_first[1:] = (sets[1:] != sets[:-1]) | (hashes[1:] != hashes[:-1])
    first = np.flatnonzero(is_first)
    sets, hashes = sets[first], hashes[first]
    documents = np.add.reduceat(documents, first) if len(first) else documents
    rank = np.arange(len(sets)) - np.searchsorted(sets, sets)
    kept = rank < SKETCH_SIZE
    return sets[kept], hashes[kept], documents[kept]


def near_agreement(jaccard: float) -> float:
    """Return the chance that two documents of this similarity of word 5-grams are near copies.

    J^NEAR_HASHES: 0.17 at 0.8, 0.43 at 0.9, 0.66 at 0.95, 0.85 at 0.98; 3e-6 at 0.2.
    """
    return float(jaccard**NEAR_HASHES)


def duplicate_share(profile: Profile, kind: str, domain: str | None = None) -> tuple[float, float]:
    """Return the share of documents that are copies of another one, and its standard error.

    That is 1 - distinct texts / documents, so of c copies c - 1 count; in one domain, or (None) all in all,
    where copies in different domains count, too. Estimated as sum (c - 1) / sum c over the sample, the
    ratio estimator with finite-population correction (Cochran 1977, 6.4 and 2.6); exact, with error
    0, where the sample holds all texts. (0.0, 0.0) where there are no documents. A mix's weights do
    not enter: it is the share in the files.

    Raises:
        ValueError: where there is no such kind.
    """
    if kind not in COPY_KINDS:
        raise ValueError(f"no kind of copies is {kind!r}; there are {', '.join(COPY_KINDS)}")
    rows = profile.sketches.filter(pl.col("kind") == kind)
    if domain is not None:
        rows = rows.filter(pl.col("domain").cast(pl.String) == domain)
    one_set = np.zeros(len(rows), np.int64)
    _, hashes, documents = smallest(one_set, rows["hash"].to_numpy(), rows["documents"].to_numpy())
    n = len(hashes)
    if n == 0:
        return 0.0, 0.0
    share = float(1 - n / documents.sum())
    if n < SKETCH_SIZE:
        return share, 0.0
    distinct = (n - 1) / (float(hashes[-1]) / HASHES)  # Beyer et al. 2007, the unbiased estimator
    residuals = (documents - 1) - share * documents
    variance = (residuals**2).sum() / (n - 1) / n / documents.mean() ** 2
    return share, float(np.sqrt(max(0.0, 1 - n / distinct) * variance))


def sketch_frame(
    names: tuple[str, ...], sets: np.ndarray, hashes: np.ndarray, documents: np.ndarray
) -> pl.DataFrame:
    """Return sketches as the frame of a profile; set 2 d + k is kind k of domain d, sorted."""
    kinds = pl.Series("kind", COPY_KINDS).gather(pl.Series(sets % len(COPY_KINDS), dtype=pl.UInt32))
    return pl.DataFrame(
        {
            "domain": domain_column(names, sets // len(COPY_KINDS)),
            "kind": kinds,
            "hash": hashes,
            "documents": documents,
        }
    )


def sets_of(frame: pl.DataFrame) -> np.ndarray:
    """Return the set of each row of a profile's sketches: int64."""
    is_near = (frame["kind"] == NEAR).to_numpy()
    return codes_of(frame).astype(np.int64) * len(COPY_KINDS) + is_near


def _nothing() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros(0, np.int64)
