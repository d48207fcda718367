"""Histograms and copies of two profiles, beside their noise."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from indexes.profile import FOLDS, LENGTH_EDGES, Profile, duplicate_share
from reports.drift_facts import CopyFacts
from reports.drift_schema import Shape
from reports.drift_tables import divergence
from scanners.copies import compare_copies
from scanners.drift_policy import DriftPolicy
from scanners.shapes import shape_drift

# frame, its key, its values, name of the shape, what its labels count, whether they have an order
SHAPES: Final = (
    ("lengths", "bin", "documents", "document lengths", "words", True),
    ("scripts", "script", "documents", "scripts", "documents", False),
    ("characters", "kind", "characters", "kinds of characters", "characters", False),
)


def shapes_of(baseline: Profile, candidate: Profile, policy: DriftPolicy, seed: int) -> list[Shape]:
    """Compare lengths, scripts and characters of two versions."""
    found: list[Shape] = []
    for frame, key, value, name, unit, ordered in SHAPES:
        both = [getattr(profile, frame) for profile in (baseline, candidate)]
        bins = pl.concat([each.select(key) for each in both]).unique().sort(key)[key]
        amounts = [_by_fold(each, key, value, bins) for each in both]
        if not all(amount.sum() > 0 for amount in amounts):
            continue
        drift = shape_drift(amounts[0], amounts[1], policy, seed)
        labels = _length_labels(bins.to_list()) if ordered else bins.to_list()
        found.append(
            {
                "name": name,
                "unit": unit,
                "ordered": ordered,
                "bins": [
                    {"label": label, "baseline": float(old), "candidate": float(new)}
                    for label, old, new in zip(labels, drift.baseline, drift.candidate, strict=True)
                ],
                "divergence": divergence(drift.divergence),
            }
        )
    return found


def copies_of(baseline: Profile, candidate: Profile, policy: DriftPolicy) -> list[CopyFacts]:
    """Compare the shares of copies among the documents of two versions."""
    found = []
    for kind in ("exact", "near"):
        old, new = duplicate_share(baseline, kind), duplicate_share(candidate, kind)
        change = compare_copies(old, new, policy.false_alarms)
        found.append(CopyFacts(kind, old, new, change))
    return found


def _by_fold(frame: pl.DataFrame, key: str, value: str, bins: pl.Series) -> np.ndarray:
    """Return the amounts by fold and bin, float64 (FOLDS, bins)."""
    sums = frame.group_by("fold", key).agg(pl.col(value).sum())
    columns = np.searchsorted(bins.to_numpy(), sums[key].to_numpy())
    amounts = np.zeros((FOLDS, len(bins)))
    amounts[sums["fold"].to_numpy(), columns] = sums[value].to_numpy()
    return amounts


def _length_labels(bins: list[int]) -> list[str]:
    labels = []
    for number in bins:
        low, high = int(LENGTH_EDGES[number]), int(LENGTH_EDGES[number + 1]) - 1
        labels.append(f"{low:,}" if low == high else f"{low:,} to {high:,}")
    return labels
