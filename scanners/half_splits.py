"""Random half-splits: how far a number moves when nothing changed but the draw of documents.

Documents are drawn as a whole, so the unit is a cluster of documents: one of 256 groups or 32 folds by
the hash of the text. Equal texts share a cluster, in both versions, and count as one draw.

A split picks half of the clusters, S. Its first half A is made of the baseline's clusters in S and the
candidate's outside of S, its second half B of the others: for these clusters the versions change
places. Shares of A are the mean of those of its two parts, so that both versions weigh the same. Then

* A and B mix the versions alike, so that a true change cancels;
* A - B has the variance of baseline - candidate, whatever the sizes of the versions and their weights;
* a text that both versions hold is in A and in B and cancels, as it does in the change itself: only
  the documents that the versions do not share are draws. Of two disjoint halves of a corpus, that is
  every document, and the splits are the permutation test of "which document went to which half".

Two things are mended where the versions differ much in size. A small version may lack the few long
documents that make most of the noise, and its own clusters do not show them: `size_factor` widens the
noise to that of two draws from one population. And rare tokens make total variation and divergences
of A and B too small, as no half has the size of the smaller version: `scanners.token_noise` puts such
tokens into one. The method is the A/A test of methodology, section E, made for paired and unequal versions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scanners.multiple_tests import ROUNDING, upper_limit
from scanners.split_sums import masked_sums


@dataclass(frozen=True, slots=True)
class Noise:
    """A statistic of the change beside its values under random half-splits.

    Attributes:
        observed: Between the versions.
        floor_mean: Mean between halves: what a plug-in estimate shows of no change at all.
        floor_deviation: Standard deviation between halves.
        floor: 99 % of the halves stay below.
        limit: What is exceeded with the policy's chance of a false alarm.
    """

    observed: float
    floor_mean: float
    floor_deviation: float
    floor: float
    limit: float

    @property
    def excess(self) -> float:
        """Return what is left over the mean of the halves."""
        return self.observed - self.floor_mean

    @property
    def ratio(self) -> float | None:
        """Return the excess in standard deviations of the halves; None where they do not vary."""
        return self.excess / self.floor_deviation if self.floor_deviation > 0 else None

    @property
    def is_beyond(self) -> bool:
        """Tell whether the statistic is beyond its limit (rounding apart)."""
        return self.observed > self.limit + ROUNDING


@dataclass(frozen=True, slots=True)
class Divergence:
    """One number for a whole change: beside its noise, and whether it is also large."""

    name: str
    unit: str  # "share", "bits", "nats"
    noise: Noise
    alarm: bool


def noise_of(observed: float, sample: np.ndarray, chance: float, clusters: int) -> Noise:
    """Return a statistic beside its sample under half-splits of so many clusters.

    Where no half differs from another and the versions do, too few documents were drawn to tell: the
    limit is infinite.
    """
    mean, deviation = float(sample.mean()), float(sample.std())
    limit = upper_limit(sample, chance, spread_freedom(clusters))
    if deviation <= ROUNDING and observed > mean + ROUNDING:
        limit = np.inf
    return Noise(
        observed=float(observed),
        floor_mean=mean,
        floor_deviation=deviation,
        floor=float(np.quantile(sample, 0.99)),
        limit=limit,
    )


def spread_freedom(clusters: int) -> float:
    """Return the degrees of freedom of a distance's spread: half of those of a single share.

    Where few directions make most of the noise (languages within a domain), a distance varies with
    their squares, whose own error is up to twice as large. Of 250 halves of real text the limit of a
    single share was passed by one, this one by none (`benchmarks/quality_drift.py`).
    """
    return max(clusters - 1, 1) / 2


def half_splits(clusters: int, splits: int, seed: int) -> np.ndarray:
    """Return random halves of the clusters: bool (splits, clusters), True for those in S."""
    halves = np.zeros((splits, clusters), dtype=bool)
    halves[:, : clusters // 2] = True
    return np.random.default_rng(seed).permuted(halves, axis=1)


def split_shares(
    baseline: np.ndarray, candidate: np.ndarray, masks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of all categories in A and in B, each of shape (splits, categories).

    Args:
        baseline: Amounts by cluster and category, (clusters, categories).
        candidate: The same for the candidate.
        masks: Of `half_splits`.
    """
    picked = [_half_shares(amounts, masks) for amounts in (baseline, candidate)]
    (base_in, base_out), (cand_in, cand_out) = picked
    return (base_in + cand_out) / 2, (base_out + cand_in) / 2


def size_factor(
    scatter: tuple[np.ndarray, np.ndarray], sizes: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return how many times as large as between halves the noise is, for draws from one population.

    A share's variance is S / T^2 with S the scatter, the sum of squared residuals over documents or
    clusters, and T the size. Halves have S1 / T1^2 + S2 / T2^2. If the population is one, S is in
    proportion to T, and the variance is (S1 + S2) / (T1 T2): the same for versions of one size. The
    larger of the two holds; the factor is the root of their ratio, 1 or more.

    Args:
        scatter: Of the baseline and of the candidate, of one shape.
        sizes: The same.
    """
    (first, second), (n, m) = scatter, sizes
    own = first * m**2 + second * n**2
    ratio = np.divide((first + second) * n * m, own, out=np.ones(np.shape(own)), where=own > 0)
    return np.sqrt(np.maximum(ratio, 1.0))


def split_coefficients(
    baseline: np.ndarray, candidate: np.ndarray, masks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what counts are multiplied with to get shares in A and in B.

    Args:
        baseline: Tokens of each cluster, (clusters,).
        candidate: The same for the candidate.
        masks: Of `half_splits`.

    Returns:
        Two arrays of shape (2 * clusters, splits), the baseline's clusters first.
    """
    first, second = [], []
    for amounts, own_half in ((baseline, masks), (candidate, ~masks)):
        inside, outside = (
            _inverse(_sums(amounts[:, None], mask)) for mask in (own_half, ~own_half)
        )
        first.append(np.where(own_half, inside, 0.0) / 2)
        second.append(np.where(own_half, 0.0, outside) / 2)
    return _rows_first(first), _rows_first(second)


def _half_shares(amounts: np.ndarray, masks: np.ndarray) -> list[np.ndarray]:
    parts = [_sums(amounts, mask) for mask in (masks, ~masks)]
    return [part * _inverse(part.sum(axis=1, keepdims=True)) for part in parts]


def _sums(amounts: np.ndarray, masks: np.ndarray) -> np.ndarray:
    sums = np.zeros((len(masks), amounts.shape[1]))
    masked_sums(masks, np.ascontiguousarray(amounts, dtype=np.float64), sums)
    return sums


def _inverse(totals: np.ndarray) -> np.ndarray:
    """Return 1 / total, and 0 for a half that is empty: its shares count as 0."""
    return np.divide(1.0, totals, out=np.zeros(totals.shape), where=totals > 0)


def _rows_first(parts: list[np.ndarray]) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate(parts, axis=1).T)
