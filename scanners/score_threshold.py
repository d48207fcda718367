"""From which evidence an item counts as dirty, chosen without paying twice for the same data.

ConTAM (Singh et al. 2024) takes, per model and benchmark, the threshold with the largest z of the clean
subset. The largest of twenty is large by chance: tested as if it had been given, one null in four is called
an effect. Here labels are shuffled and the whole choice is made again each time; the p-value is that of the
largest z (Westfall and Young 1993).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanners.score_gap import null_moments
from scanners.score_resampling import redraws

THRESHOLDS: Final = tuple(round(0.05 * step, 2) for step in range(1, 20))
DRAWS: Final = 1_999
FEWEST: Final = 5  # items on either side of a threshold


@dataclass(frozen=True, slots=True)
class Chosen:
    """The threshold with the largest z; `p_value` is corrected for the choice, `p_given` is not."""

    threshold: float
    z: float
    p_value: float
    p_given: float
    n_dirty: int
    within_strata: float
    thresholds_tried: int


def choose_threshold(
    values: np.ndarray,
    evidence: np.ndarray,
    strata: np.ndarray,
    *,
    thresholds: tuple[float, ...] = THRESHOLDS,
    draws: int = DRAWS,
    seed: int = 0,
) -> Chosen | None:
    """Return the threshold from which items with that much evidence stand out most; None where none can.

    Args:
        values: float64 (n,): scores of the items.
        evidence: float64 (n,) in [0, 1]: how much of the item was found.
        strata: int64 (n,).
        thresholds: those to choose from.
        draws: shuffles of the scores.
        seed: of the shuffles.
    """
    strata = np.unique(strata, return_inverse=True)[1]
    labels = _labels(evidence, thresholds)
    moments = [null_moments(values, dirty, strata) for _, dirty in labels]
    usable = [n for n, each in enumerate(moments) if each.deviation > 0]
    if not usable:
        return None
    dirty = np.stack([labels[n][1] for n in usable], axis=1).astype(np.float64)
    expected = np.array([moments[n].expected for n in usable])
    deviation = np.array([moments[n].deviation for n in usable])
    z = (values @ dirty - expected) / deviation
    best = int(np.argmax(z))
    random = np.random.default_rng(seed)
    larger = given = 0
    found = dirty.any(axis=1)
    for drawn in redraws(values, found, strata, random, draws):
        null = (drawn @ dirty[found] - expected) / deviation
        larger += int((null.max(axis=1) >= z[best] - 1e-9).sum())
        given += int((null[:, best] >= z[best] - 1e-9).sum())
    return Chosen(
        labels[usable[best]][0],
        float(z[best]),
        (1 + larger) / (1 + draws),
        (1 + given) / (1 + draws),
        int(dirty[:, best].sum()),
        moments[usable[best]].effect,
        len(usable),
    )


def _labels(evidence: np.ndarray, thresholds: tuple[float, ...]) -> list[tuple[float, np.ndarray]]:
    """Return the thresholds that part the items differently, with the items at or above each."""
    out: list[tuple[float, np.ndarray]] = []
    for threshold in sorted(thresholds):
        dirty = evidence >= threshold
        if min(dirty.sum(), (~dirty).sum()) < FEWEST:
            continue
        if not out or dirty.sum() != out[-1][1].sum():
            out.append((threshold, dirty))
    return out
