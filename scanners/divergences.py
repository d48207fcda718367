"""Distances between two distributions over the same categories: what is compared, and in which unit.

Libraries mix divergence and distance and the base of the logarithm. Here Jensen-Shannon is always the
divergence in bits, in [0, 1]: the square of `scipy.spatial.distance.jensenshannon(p, q, base=2)`.
Every function takes shares along the last axis and returns one number for each row.
"""

from __future__ import annotations

import numpy as np
from scipy.special import rel_entr

LN_2 = float(np.log(2))


def total_variation(baseline: np.ndarray, candidate: np.ndarray) -> np.ndarray:
    """Return half the sum of |differences|, in [0, 1]: the share that is elsewhere now."""
    return 0.5 * np.abs(candidate - baseline).sum(axis=-1)


def jensen_shannon(baseline: np.ndarray, candidate: np.ndarray) -> np.ndarray:
    """Return the Jensen-Shannon divergence in bits, in [0, 1]."""
    middle = (baseline + candidate) / 2
    nats = rel_entr(baseline, middle) + rel_entr(candidate, middle)
    return 0.5 * nats.sum(axis=-1) / LN_2


def population_stability(
    baseline: np.ndarray, candidate: np.ndarray, least: tuple[float, float]
) -> np.ndarray:
    """Return the population stability index in nats: the sum of (q - p) ln(q / p).

    It is infinite where one side is 0. There, and only there, 0 is replaced by `least`, the share of
    half a document in the baseline and in the candidate; shares are not scaled anew, and categories
    that are empty on both sides add nothing. Without zeros this is what Evidently calls PSI (which
    puts 0.0001 in place of 0, so that its value depends on that choice).
    """
    empty = (baseline == 0) & (candidate == 0)
    p = np.where(baseline > 0, baseline, least[0])
    q = np.where(candidate > 0, candidate, least[1])
    return np.where(empty, 0.0, (q - p) * np.log(q / p)).sum(axis=-1)
