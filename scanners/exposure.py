"""Exposure: how well each version covers what a benchmark is made of, in bits per token.

It is the cross-entropy of the benchmark's tokens under the version's token frequencies. The change is

    sum_t b_t log2(p_t / q_t)        b: benchmark, p: baseline, q: candidate; more bits: covered worse

Shares are smoothed alike in both versions (`scanners.smoothing`), so that a token that few documents
hold says little, and the larger version has no advantage. An unseen token costs about log2 of the
smaller version's size.

The change falls into parts that add up: by token as in the sum above; by domain, and there into mix
and within, as log2(p / q) = (p - q) / (L ln 2) with L the logarithmic mean of p and q (the LMDI of
energy statistics; Ang 2004), and q - p is a sum over domains (`scanners.token_changes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse
from scipy.special import stdtrit

from indexes.profile import FOLDS
from scanners.divergences import LN_2
from scanners.domains import CONFIDENCE, POWER_Z
from scanners.drift_policy import DriftPolicy
from scanners.half_splits import half_splits, size_factor, split_coefficients
from scanners.multiple_tests import family_limit
from scanners.smoothing import Smoothing, smoothing
from scanners.sparse_rows import picked_columns
from scanners.split_sums import split_bits
from scanners.totals import Totals, check_alike, document_scale, fold_rows, occupied_clusters

SPLITS: Final = 400


@dataclass(frozen=True, slots=True)
class Exposure:
    """The exposure of one benchmark. Changes are in bits per token; above 0 is covered worse.

    Attributes:
        tokens: Of the benchmark.
        baseline_bits: Cross-entropy under the baseline.
        candidate_bits: The same under the candidate.
        change: Their difference.
        ci_low: 95 % interval: of the items that were drawn, and of the documents.
        ci_high: Its upper end.
        floor: 99 % of random halves change by less.
        alarm_from: Limit of the family of all benchmarks.
        detectable: Least |change| that is an alarm in four of five cases, noise and policy together.
        alarm: Whether the change is beyond the limit and as large as the policy says.
        columns: Of the tokens that the benchmark uses, int64 (n,).
        bits: float64 (n,), their parts of the change; they add up to it.
        n_keys: V.
        domain_mix_bits: float64 (D,), part of each domain's changed weight in the mix.
        domain_within_bits: float64 (D,), part of the changes within the domain. The two add up too.
    """

    tokens: float
    baseline_bits: float
    candidate_bits: float
    change: float
    ci_low: float
    ci_high: float
    floor: float
    alarm_from: float
    detectable: float
    alarm: bool
    columns: np.ndarray
    bits: np.ndarray
    n_keys: int
    domain_mix_bits: np.ndarray
    domain_within_bits: np.ndarray

    @property
    def token_bits(self) -> np.ndarray:
        """Return each key's part of the change, (V,); they add up to it."""
        parts = np.zeros(self.n_keys)
        parts[self.columns] = self.bits
        return parts


def exposures(
    baseline: Totals,
    candidate: Totals,
    benchmarks: Sequence[sparse.csr_array],
    policy: DriftPolicy,
    seed: int,
    splits: int = SPLITS,
) -> list[Exposure | None]:
    """Return the exposure of each benchmark, None for one without tokens.

    Args:
        baseline: Totals; its keys hold those of all benchmarks.
        candidate: The same.
        benchmarks: Of each, how often an item holds a key, CSR (items, V).
        policy: Limits.
        seed: Of the half-splits.
        splits: How many of those.

    Raises:
        ValueError: where the versions cannot be compared (`check_alike`).
    """
    check_alike(baseline, candidate)
    used = [counts for counts in benchmarks if counts.sum() > 0]
    if not used:
        return [None] * len(benchmarks)
    mixtures = sparse.vstack([_mixture(counts) for counts in used], format="csr")
    smooth = smoothing(baseline, candidate, mixtures)
    masks = half_splits(FOLDS, splits, seed)
    prices = _prices(mixtures, smooth)
    halves = _half_changes(baseline, candidate, mixtures, smooth, masks)
    halves *= _size_factor(baseline, candidate, prices, smooth)[:, None]
    deviation = np.sqrt((halves**2).mean(axis=1))
    z = np.divide(
        np.abs(halves), deviation[:, None], out=np.zeros_like(halves), where=deviation[:, None] > 0
    )
    limit = family_limit(
        z.max(axis=0), policy.false_alarms, occupied_clusters(baseline, candidate) - 1
    )
    mix, within = _domain_bits(baseline, candidate, prices, smooth)
    found = iter(
        [
            _exposure(counts, smooth, halves[row], limit, policy, mix[:, row], within[:, row])
            for row, counts in enumerate(used)
        ]
    )
    return [next(found) if counts.sum() > 0 else None for counts in benchmarks]


def _mixture(counts: sparse.csr_array) -> sparse.csr_array:
    """Return the share of each token in the benchmark, CSR (1, V)."""
    return sparse.csr_array(counts.sum(axis=0)[None, :] / counts.sum())


def _half_changes(
    baseline: Totals,
    candidate: Totals,
    mixtures: sparse.csr_array,
    smooth: Smoothing,
    masks: np.ndarray,
) -> np.ndarray:
    """Return the changes in bits between the halves of each split, (benchmarks, splits)."""
    versions = baseline, candidate
    tokens = [version.fold_tokens.sum(axis=0) for version in versions]
    first, second = split_coefficients(tokens[0], tokens[1], masks)
    rare = [
        smooth.spread_mass(version.folds).reshape(-1, FOLDS).sum(axis=0) for version in versions
    ]
    halves_spread = [np.concatenate(rare) @ part for part in (first, second)]
    users = mixtures.tocsc()
    used = np.diff(users.indptr) > 0
    rows = [picked_columns(fold_rows(version), used)[:3] for version in versions]
    starts = np.append(users.indptr[:-1][used], users.indptr[-1])
    change = np.zeros((mixtures.shape[0], len(masks)))
    split_bits(
        *rows[0], *rows[1], int(used.sum()), FOLDS, first, second, smooth.own[used],
        smooth.spread[used], *halves_spread, smooth.least, starts, users.indices, users.data, change,
    )  # fmt: skip
    return change


def _exposure(
    counts: sparse.csr_array,
    smooth: Smoothing,
    halves: np.ndarray,
    limit: float,
    policy: DriftPolicy,
    domain_mix_bits: np.ndarray,
    domain_within_bits: np.ndarray,
) -> Exposure:
    tokens = float(counts.sum())
    uses = counts.sum(axis=0)
    columns = np.flatnonzero(uses)
    mixture = uses[columns] / tokens
    first, second = (-np.log2(shares[columns]) for shares in (smooth.baseline, smooth.candidate))
    bits = mixture * (second - first)
    change = float(bits.sum())
    deviation = float(np.sqrt((halves**2).mean()))
    alarm_from = limit * deviation
    items = _item_variance(counts, columns, second - first, change)
    reach = float(stdtrit(FOLDS - 1, (1 + CONFIDENCE) / 2) * np.sqrt(items + deviation**2))
    return Exposure(
        tokens=tokens,
        baseline_bits=float((mixture * first).sum()),
        candidate_bits=float((mixture * second).sum()),
        change=change,
        ci_low=change - reach,
        ci_high=change + reach,
        floor=float(np.quantile(np.abs(halves), 0.99)),
        alarm_from=alarm_from,
        detectable=max(alarm_from + POWER_Z * deviation, policy.exposure_bits),
        alarm=abs(change) > alarm_from and abs(change) >= policy.exposure_bits,
        columns=columns,
        bits=bits,
        n_keys=counts.shape[1],
        domain_mix_bits=domain_mix_bits,
        domain_within_bits=domain_within_bits,
    )


def _item_variance(
    counts: sparse.csr_array, columns: np.ndarray, bits: np.ndarray, change: float
) -> float:
    """Return the variance of the mean change as a ratio of sums over items."""
    n_items = counts.shape[0]
    lengths = counts.sum(axis=1)
    every = np.zeros(counts.shape[1])
    every[columns] = bits
    residuals = counts @ every - change * lengths
    return float((residuals**2).sum() / lengths.sum() ** 2 * n_items / max(n_items - 1, 1))


def _prices(mixtures: sparse.csr_array, smooth: Smoothing) -> sparse.csr_array:
    """Return the bits that one more smoothed share of a token is worth, CSR (n, V)."""
    p, q = smooth.baseline[mixtures.indices], smooth.candidate[mixtures.indices]
    ratio = np.log(q / p)
    mean = np.divide(q - p, ratio, out=p.copy(), where=np.abs(ratio) > 1e-12)
    worth = -mixtures.data / mean * smooth.scale / LN_2
    return sparse.csr_array((worth, mixtures.indices, mixtures.indptr), shape=mixtures.shape)


def _values(counts: sparse.csr_array, prices: sparse.csr_array, smooth: Smoothing) -> np.ndarray:
    """Return the bits that the counts of each row are worth, (rows, n)."""
    own = sparse.csr_array(
        (prices.data * smooth.own[prices.indices], prices.indices, prices.indptr), prices.shape
    )
    worth: np.ndarray = (counts @ own.T.tocsr()).toarray()
    return worth + smooth.spread_mass(counts)[:, None] * (prices @ smooth.spread)


def _size_factor(
    baseline: Totals, candidate: Totals, prices: sparse.csr_array, smooth: Smoothing
) -> np.ndarray:
    """Return `size_factor` of each benchmark's change, (n,), from the folds of both versions."""
    scatter, sizes = [], []
    scale = document_scale(candidate) / document_scale(baseline)
    for version, factor in ((baseline, 1.0), (candidate, scale)):
        worth = _values(version.folds, prices, smooth).reshape(-1, FOLDS, prices.shape[0])
        values = factor * worth.sum(axis=0)
        tokens = factor * version.fold_tokens.sum(axis=0)[:, None]
        residuals = values - values.sum(axis=0) / tokens.sum() * tokens
        scatter.append((residuals**2).sum(axis=0))
        sizes.append(np.full(prices.shape[0], tokens.sum()))
    return size_factor((scatter[0], scatter[1]), (sizes[0], sizes[1]))


def _domain_bits(
    baseline: Totals, candidate: Totals, prices: sparse.csr_array, smooth: Smoothing
) -> tuple[np.ndarray, np.ndarray]:
    """Return each domain's part of the change, by its weight and by what is in it; (D, n) each.

    A changed weight is judged against the baseline's whole: less of a domain costs bits where it has
    more of the benchmark's tokens than the baseline has.
    """
    tokens = [version.domain_tokens for version in (baseline, candidate)]
    old, new = (own[:, None] / own.sum() for own in tokens)
    before, after = (
        _values(version.counts, prices, smooth) / np.maximum(own, 1e-300)[:, None]
        for version, own in zip((baseline, candidate), tokens, strict=True)
    )
    reference = np.where(old > 0, before, after)
    mix = (new - old) * (reference - (old * before).sum(axis=0))
    return mix, np.where((old > 0) & (new > 0), new, 0.0) * (after - before)
