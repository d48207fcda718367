"""Drawing again: labels shuffled within strata, items weighted at random, intervals from what comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr, stdtrit

MOST_CELLS: Final = 2_000_000  # random numbers in memory at a time
LEVEL: Final = 0.95  # of intervals


def redraws(
    values: np.ndarray,
    chosen: np.ndarray,
    strata: np.ndarray,
    random: np.random.Generator,
    draws: int,
) -> Iterator[np.ndarray]:
    """Yield values drawn without replacement for the chosen items, each from its own stratum.

    It is a shuffle within strata of which only the chosen items are looked at.

    Args:
        values: float64 (n,).
        chosen: bool (n,).
        strata: int64 (n,), numbered from 0.
        random: what draws.
        draws: rows in all.

    Yields:
        float64 (some rows, chosen items), in the order of the chosen items.
    """
    places = np.flatnonzero(chosen)
    parts = []
    for stratum in np.unique(strata[places]).tolist():
        parts.append(
            (np.flatnonzero(strata[places] == stratum), values[np.flatnonzero(strata == stratum)])
        )
    at_a_time = max(1, MOST_CELLS // max(1, len(values)))
    for first in range(0, draws, at_a_time):
        rows = min(at_a_time, draws - first)
        out = np.empty((rows, len(places)))
        for columns, pool in parts:
            out[:, columns] = _drawn(pool, len(columns), rows, random)
        yield out


def _drawn(pool: np.ndarray, number: int, rows: int, random: np.random.Generator) -> np.ndarray:
    """Return `number` values of a pool in random order, float64 (rows, number)."""
    if 3 * number > len(pool):
        return pool[np.argsort(random.random((rows, len(pool))), axis=1)[:, :number]]
    # Fisher and Yates's shuffle of all rows at once, broken off when enough are drawn.
    left = np.tile(pool, (rows, 1))
    every = np.arange(rows)
    steps = random.random((number, rows))
    for n in range(number):
        other = n + (steps[n] * (len(pool) - n)).astype(np.int64)
        drawn = left[every, other]
        left[every, other] = left[:, n]
        left[:, n] = drawn
    return left[:, :number]


def binary_sums(
    values: np.ndarray,
    dirty: np.ndarray,
    strata: np.ndarray,
    random: np.random.Generator,
    draws: int,
) -> np.ndarray:
    """Return shuffled sums of right answers: hypergeometric in every stratum."""
    n_strata = int(strata.max()) + 1
    size = np.bincount(strata, minlength=n_strata)
    right = np.bincount(strata, values, n_strata).astype(np.int64)
    drawn = np.bincount(strata, dirty, n_strata).astype(np.int64)
    sums = np.zeros(draws)
    for good, whole, number in zip(right.tolist(), size.tolist(), drawn.tolist(), strict=True):
        if number:
            sums += random.hypergeometric(good, whole - good, number, draws)
    return sums


@dataclass(frozen=True, slots=True)
class Resampled:
    """Gaps of resamples, float64 (resamples,) each."""

    gap: np.ndarray
    within: np.ndarray


def bootstrap(
    values: np.ndarray,
    dirty: np.ndarray,
    strata: np.ndarray,
    random: np.random.Generator,
    *,
    bounds: tuple[float, float],
    resamples: int,
) -> Resampled:
    """Return the gap and the gap within strata of resamples: random weights of dirty and clean items.

    The gap within strata is a difference of two weighted means: a dirty item weighs the share of clean
    items in its stratum, a clean one the share of dirty ones. The items added have their group's mean
    weight.
    """
    size = np.bincount(strata)
    dirty_share = np.bincount(strata, dirty) / np.maximum(size, 1)
    told = np.where(dirty, 1 - dirty_share[strata], dirty_share[strata])
    sides = [
        _resampled_means(values[side], told[side], bounds, random, resamples)
        for side in (dirty, ~dirty)
    ]
    return Resampled(sides[0][0] - sides[1][0], sides[0][1] - sides[1][1])


def _resampled_means(
    values: np.ndarray,
    told: np.ndarray,
    bounds: tuple[float, float],
    random: np.random.Generator,
    resamples: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the plain and the weighted mean of each resample of one group, the bounds added to it."""
    every = np.concatenate([values, bounds])
    share = np.concatenate([told, [told.mean()] * 2]) if told.any() else np.ones(len(every))
    columns = np.stack([np.ones(len(every)), every, share, share * every], axis=1)
    at_a_time = max(1, MOST_CELLS // len(every))
    sums = np.concatenate(
        [
            random.standard_exponential((min(at_a_time, resamples - first), len(every))) @ columns
            for first in range(0, resamples, at_a_time)
        ]
    )
    return sums[:, 1] / sums[:, 0], sums[:, 3] / sums[:, 2]


def expanded_interval(
    sample: np.ndarray, freedom: float, level: float = LEVEL
) -> tuple[float, float]:
    """Return the percentile interval, its tails widened to Student's t (Hesterberg 2015).

    Percentiles of few items lie as close as the normal distribution's; a t-interval's do not.
    """
    tail = float(ndtr(stdtrit(freedom, (1 - level) / 2)))
    low, high = np.quantile(sample, (tail, 1 - tail))
    return float(low), float(high)
