"""Which items may stand for one another: strata by subject, length and answer type; and weights.

Leaked items are not a random draw: short, old and famous ones leak. So labels are only shuffled among items
alike. Strata too fine hold dirty items alone and say nothing; they are made coarser until nearly all dirty
items are compared. That looks at labels and never at scores, so the test stays exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

ENOUGH_COMPARED: Final = 0.9  # share of the dirty items that must have a clean one beside them
# Length bands, whether by answer type, whether by subject: the finest first.
COARSENINGS: Final = (
    (10, True, True), (5, True, True), (3, True, True), (3, False, True), (1, True, True),
    (1, False, True), (5, True, False), (3, False, False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strata:
    """The stratum of each item, int64 (n,), and what it is made of, in words."""

    of_item: np.ndarray
    meaning: str


def make_strata(
    dirty: np.ndarray, words: np.ndarray, answer_type: Sequence[str], subject: Sequence[str | None]
) -> Strata:
    """Return the finest strata in which nine in ten dirty items have a clean one beside them.

    Args:
        dirty: bool (n,).
        words: int64 (n,): the length of each item.
        answer_type: of each item.
        subject: of each item; None where unknown.
    """
    kinds = np.unique(np.array(answer_type, str), return_inverse=True)[1]
    subjects = np.unique(np.array([name or "" for name in subject], str), return_inverse=True)[1]
    for bands, by_type, by_subject in COARSENINGS:
        band = length_bands(words, bands)
        columns = np.stack([subjects * by_subject, band, kinds * by_type], axis=1)
        strata = np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1)
        if _compared(dirty, strata) >= ENOUGH_COMPARED:
            parts = [
                *(["subject"] if by_subject and subjects.max(initial=0) else []),
                *([f"length in {bands} bands"] if band.max(initial=0) else []),
                *(["answer type"] if by_type and kinds.max(initial=0) else []),
            ]
            return Strata(strata, ", ".join(parts) or "none: all items alike")
    return Strata(np.zeros(len(dirty), np.int64), "none: too few items alike")


def length_bands(words: np.ndarray, bands: int) -> np.ndarray:
    """Return the quantile band of each length: int64 (n,), equal lengths in one band."""
    if bands < 2 or not len(words):
        return np.zeros(len(words), np.int64)
    cuts = np.unique(np.quantile(words, np.arange(1, bands) / bands))
    return np.searchsorted(cuts, words, side="left")


def _compared(dirty: np.ndarray, strata: np.ndarray) -> float:
    """Return the share of dirty items in strata that also hold a clean one; 1 where none is dirty."""
    has_clean = np.bincount(strata, ~dirty, int(strata.max(initial=-1)) + 1) > 0
    return float(has_clean[strata[dirty]].mean()) if dirty.any() else 1.0


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of kept items (mean 1) that give each subject its share of the whole benchmark.

    `effective` is Kish's number of equally weighted items that tell as much; `lost_share` is the share of
    the benchmark in subjects of which no item is left: no weight brings those back.
    """

    of_item: np.ndarray
    effective: float
    lost_share: float


def subject_weights(kept: np.ndarray, subject: Sequence[str | None]) -> Weights:
    """Return the weights of the kept items, in their order; items without a subject are one subject."""
    names = np.unique(np.array([name or "" for name in subject], str), return_inverse=True)[1]
    n_subjects = int(names.max(initial=-1)) + 1
    whole = np.bincount(names, minlength=n_subjects)
    left = np.bincount(names[kept], minlength=n_subjects)
    weights = whole[names[kept]] / np.maximum(left[names[kept]], 1)
    if not len(weights):
        return Weights(weights, 0.0, 1.0 if len(kept) else 0.0)
    weights = np.round(weights / weights.mean(), 12)  # equal weights stay 1
    lost = float(whole[left == 0].sum() / whole.sum())
    return Weights(weights, float(weights.sum() ** 2 / (weights**2).sum()), lost)


def mean_interval(values: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    """Return the weighted mean of scores in [0, 1] and its 95 % interval, at least Agresti and Coull's.

    Two right and two wrong answers are added for the interval, so that few equal scores do not make it
    a point.
    """
    mean = float(np.average(values, weights=weights))
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    spread = float(np.average((values - mean) ** 2, weights=weights))
    n = effective + 4
    centre = (effective * mean + 2) / n
    variance = (
        effective * (spread + (mean - centre) ** 2) + 2 * centre**2 + 2 * (1 - centre) ** 2
    ) / n
    half = 1.959964 * float(np.sqrt(variance / n))
    return mean, max(0.0, centre - half), min(1.0, centre + half)
