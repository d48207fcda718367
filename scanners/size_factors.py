"""How much the noise of token frequencies is widened between versions of unlike size.

See `scanners.half_splits.size_factor`. The scatter of all tokens is one number: the sum over tokens of
the scatter over documents, (x - pL)^2, over the token's share in both versions, so that frequent and
rare tokens weigh alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scanners.half_splits import size_factor
from scanners.totals import Totals, document_scale


@dataclass(frozen=True, slots=True)
class SizeFactors:
    """Factors of the noise, 1 or more."""

    whole: float  # of the change of all tokens
    within: float  # of its part within domains
    domains: np.ndarray  # (D,), of each domain's part


def size_factors(baseline: Totals, candidate: Totals, kept: np.ndarray) -> SizeFactors:
    """Return the factors, from the tokens that stand for themselves, `kept`, bool (V,)."""
    pooled = baseline.key_counts + candidate.key_counts
    weight = np.divide(pooled.sum(), pooled, out=np.zeros(len(pooled)), where=kept & (pooled > 0))
    scale = document_scale(candidate) / document_scale(baseline)
    first, second = _scatter(baseline, weight), _scatter(candidate, weight) * scale**2
    n, m = baseline.domain_tokens, candidate.domain_tokens * scale
    common = (n > 0) & (m > 0)
    first, second, n_common, m_common = (values[common] for values in (first, second, n, m))
    domains = np.ones(len(n))
    domains[common] = size_factor((first, second), (n_common, m_common))
    # Variances of the within part: a domain's counts with the square of the candidate's weight.
    variances = m_common**2 * (first / n_common**2 + second / m_common**2)
    total = variances.sum()
    within = (variances * domains[common] ** 2).sum() / total if total > 0 else 1.0
    whole = size_factor(
        (_whole_scatter(baseline, weight), _whole_scatter(candidate, weight) * scale**2),
        (n.sum(), m.sum()),
    )
    return SizeFactors(float(whole), float(np.sqrt(within)), domains)


def _scatter(totals: Totals, weight: np.ndarray) -> np.ndarray:
    """Return the weighted scatter of all tokens in each domain, (D,)."""
    n_domains = len(totals.domains)
    weights = weight[totals.counts.indices]
    counted = np.flatnonzero(weights)  # most tokens have no weight
    row = np.searchsorted(totals.counts.indptr, counted, side="right") - 1
    p = totals.counts.data[counted] / totals.domain_tokens[row]
    squares = totals.squares.data[counted] - 2 * p * totals.products.data[counted]
    squares += p**2 * totals.lengths_squared[row]
    return np.bincount(row, squares.clip(min=0) * weights[counted], n_domains)


def _whole_scatter(totals: Totals, weight: np.ndarray) -> np.ndarray:
    """Return the same over all domains together."""
    p = totals.key_counts / totals.domain_tokens.sum()
    squares = totals.squares.sum(axis=0) - 2 * p * totals.products.sum(axis=0)
    squares += p**2 * totals.lengths_squared.sum()
    return (squares.clip(min=0) * weight).sum()
