"""Drift of histograms: lengths, scripts, kinds of characters.

One number says how much of a histogram is elsewhere, the total variation, beside random half-splits of
the same folds of documents (`scanners.half_splits`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanners.divergences import total_variation
from scanners.drift_policy import DriftPolicy
from scanners.half_splits import Divergence, half_splits, noise_of, split_shares

SPLITS: Final = 1_000


@dataclass(frozen=True, slots=True)
class ShapeDrift:
    """A histogram in both versions: shares of its bins, (K,), and the total variation between them."""

    baseline: np.ndarray
    candidate: np.ndarray
    divergence: Divergence


def shape_drift(
    baseline: np.ndarray, candidate: np.ndarray, policy: DriftPolicy, seed: int
) -> ShapeDrift:
    """Compare a histogram of two versions.

    Args:
        baseline: Amounts by fold and bin, float64 (folds, K); bins are the same in both versions.
        candidate: The same.
        policy: Limits; a histogram alarms by the size that the mix of domains does.
        seed: Of the half-splits.
    """
    shares = [_shares(amounts.sum(axis=0)) for amounts in (baseline, candidate)]
    masks = half_splits(len(baseline), SPLITS, seed)
    halves = split_shares(baseline, candidate, masks)
    observed = float(total_variation(*shares))
    noise = noise_of(observed, total_variation(*halves), policy.false_alarms, len(baseline))
    alarm = noise.is_beyond and observed >= policy.mix_variation
    return ShapeDrift(*shares, Divergence("total variation", "share", noise, bool(alarm)))


def _shares(amounts: np.ndarray) -> np.ndarray:
    return amounts / max(amounts.sum(), 1e-300)
