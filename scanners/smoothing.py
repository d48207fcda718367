"""Shares of tokens that may be compared by their logarithms, between versions of any size.

The logarithm of a share that few documents make is too low on average, and more so in the smaller
version: that version would cover every benchmark worse, whatever is in it. So each share is

    own * share + spread * R + least

where own = k / (k + 10) with k the number of documents of the smaller version that should hold the
token, as documents count that are full of it; R = sum of (1 - own) * share over all tokens is the mass
that the version takes from rare tokens; and `spread` gives it back to them in the proportions of both
versions together. `least` is one token of the smaller version, for tokens that neither version has.
Of a token that 100 documents hold nearly all is its own; one that a single document holds has the
share that both versions give it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from scanners.totals import Totals

PRIOR_DOCUMENTS: Final = 10  # documents of the smaller version from which a share is mostly its own


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Smoothed shares; arrays are float64 (V,).

    Attributes:
        baseline: Smoothed shares of the baseline, sum 1.
        candidate: The same of the candidate.
        own: How much of a share is the version's own, in [0, 1].
        spread: What a token gets of the mass taken from rare tokens, sum 1.
        least: Added to each share.
        scale: What all is multiplied with in the end.
    """

    baseline: np.ndarray
    candidate: np.ndarray
    own: np.ndarray
    spread: np.ndarray
    least: float
    scale: float

    def spread_mass(self, counts: sparse.csr_array) -> np.ndarray:
        """Return how much each row, of counts (n, V), takes from rare tokens; (n,)."""
        return counts @ (1 - self.own)


def smoothing(baseline: Totals, candidate: Totals, mixtures: sparse.csr_array) -> Smoothing:
    """Return how shares of both versions are smoothed; `mixtures` are (n, V), of benchmarks."""
    counts = [version.key_counts for version in (baseline, candidate)]
    sizes = [count.sum() for count in counts]
    pooled = counts[0] + counts[1]
    squares = baseline.squares.sum(axis=0) + candidate.squares.sum(axis=0)
    documents = np.divide(pooled**2, squares, out=np.zeros(len(pooled)), where=squares > 0)
    expected = documents * min(sizes) / sum(sizes)
    own = expected / (expected + PRIOR_DOCUMENTS)
    shares = [count / size for count, size in zip(counts, sizes, strict=True)]
    spread = (1 - own) * (shares[0] + shares[1])
    spread /= spread.sum()
    least = 1 / min(sizes)
    support = int(((pooled > 0) | (mixtures.sum(axis=0) > 0)).sum())
    scale = 1 / (1 + support * least)
    first, second = (
        (own * share + spread * ((1 - own) * share).sum() + least) * scale for share in shares
    )
    return Smoothing(first, second, own, spread, least, scale)
