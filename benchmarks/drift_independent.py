"""The usual formulas, which take every token or document for an independent draw."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

from scanners.divergences import jensen_shannon, population_stability
from scanners.drift_policy import DriftPolicy
from scanners.multiple_tests import q_values, two_sided_p
from scanners.totals import DOCUMENTS, TOKENS, Totals

IID_NAMES = (
    "words: multinomial z, BH, |log2 ratio| and documents as ours",
    "words: multinomial z, BH",
    "words: chi-square of all, p < 0.001",
    "words: JS distance > 0.1",
    "words: PSI > 0.1",
    "domains by tokens: chi-square, p < 0.001",
    "domains by documents: chi-square, p < 0.001",
    "domains by tokens: PSI > 0.1",
)


def iid_alarms(baseline: Totals, candidate: Totals, policy: DriftPolicy) -> dict[str, int]:
    """Return the alarms of each formula; words are those in as many documents as ours need."""
    held = (baseline.documents + candidate.documents).sum(axis=0) >= policy.token_documents
    first, second = (version.counts.sum(axis=0) for version in (baseline, candidate))
    n, m = first.sum(), second.sum()
    x, y = first[held], second[held]
    pooled = (x + y) / (n + m)
    z = (y / m - x / n) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    significant = q_values(two_sided_p(z)) <= policy.false_alarms
    ratio = np.abs(np.log2((y / m + 0.5 / m) / (x / n + 0.5 / n)))
    words = (with_rest(x, n), with_rest(y, m))
    shares = tuple(counts / counts.sum() for counts in words)
    half = (0.5 / n, 0.5 / m)
    tokens, documents = (
        tuple(version.groups[:, :, measure].sum(axis=1) for version in (baseline, candidate))
        for measure in (TOKENS, DOCUMENTS)
    )
    mix = tuple(counts / counts.sum() for counts in tokens)
    values = (
        int((significant & (ratio >= policy.token_log2)).sum()),
        int(significant.sum()),
        chi_square_p(*words) < 0.001,
        jensen_shannon(*shares) ** 0.5 > 0.1,
        population_stability(*shares, half) > 0.1,
        chi_square_p(*tokens) < 0.001,
        chi_square_p(*documents) < 0.001,
        population_stability(*mix, half) > 0.1,
    )
    return dict(zip(IID_NAMES, map(int, values), strict=True))


def with_rest(counts: np.ndarray, total: float) -> np.ndarray:
    """Return the counts, and last what all others make up."""
    return np.append(counts, total - counts.sum())


def chi_square_p(first: np.ndarray, second: np.ndarray) -> float:
    """Return the p-value of Pearson's test that two rows of counts have the same shares."""
    both = np.stack([first, second])[:, (first + second) > 0]
    expected = both.sum(axis=1, keepdims=True) * both.sum(axis=0) / both.sum()
    return float(chdtrc(both.shape[1] - 1, ((both - expected) ** 2 / expected).sum()))
