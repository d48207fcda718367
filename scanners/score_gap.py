"""How far leaked items lift a score: the gap, its test, its interval, and the gap that could be seen.

Two numbers go by the name of "estimated performance gain", and sources disagree on which. Both are here:
`gap_dirty_minus_clean` = mean of the dirty items - mean of the clean ones, and `epg_all_minus_clean` =
mean of both - mean of the clean ones = share of dirty items x gap. Positive means: dirty items are
answered better.

The test shuffles the labels within strata (subject, length, answer type). Its statistic, the sum of the
dirty scores less its expectation, is the Mantel-Haenszel gap of the strata times a constant: see
`within_strata`. The interval is Rubin's Bayesian bootstrap (1981) of dirty and clean items apart, with one
item of the lowest and one of the highest score added to both (Agresti and Caffo 2000): five right answers
to five dirty items are no proof that the sixth is right. Items are the units: several samples of one are
its mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtri

from scanners.score_resampling import binary_sums, bootstrap, expanded_interval, redraws

DRAWS: Final = 9_999  # permutations: p-values down to 1e-4
RESAMPLES: Final = 2_000
ALPHA: Final = 0.05  # of the one-sided test: leaks lift scores
POWER: Final = 0.8
SCORE_BOUNDS: Final = (0.0, 1.0)
DIFFERENCE_BOUNDS: Final = (-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Gap:
    """Dirty against clean items of one benchmark and model; scores and gaps in [-1, 1].

    Attributes:
        gap_dirty_minus_clean: mean of dirty less mean of clean items, with `ci_low` and `ci_high`.
        epg_all_minus_clean: mean of both less mean of clean items; the share of dirty items x the gap.
        within_strata: the gap between items of the same stratum, with its own interval.
        p_value: one-sided: how often shuffled labels give a gap within strata at least as large.
        minimal_detectable: the gap within strata that such a test finds in 80 % of the cases.
        items_compared: of the strata that hold dirty and clean items: all others say nothing.
    """

    n_dirty: int
    n_clean: int
    score_dirty: float
    score_clean: float
    gap_dirty_minus_clean: float
    ci_low: float
    ci_high: float
    epg_all_minus_clean: float
    epg_low: float
    epg_high: float
    within_strata: float
    within_low: float
    within_high: float
    p_value: float
    minimal_detectable: float
    items_compared: int


def measure_gap(
    values: np.ndarray,
    dirty: np.ndarray,
    strata: np.ndarray,
    *,
    seed: int = 0,
    bounds: tuple[float, float] = SCORE_BOUNDS,
    draws: int = DRAWS,
    resamples: int = RESAMPLES,
) -> Gap | None:
    """Compare dirty with clean items; None where there is no item of one of the two.

    Args:
        values: float64 (n,): the mean score of each item, or its difference to another model's.
        dirty: bool (n,).
        strata: int64 (n,): labels are shuffled among items of one number.
        seed: of the shuffles and the resamples.
        bounds: the least and the greatest value there can be.
        draws: permutations.
        resamples: of the bootstrap.

    Raises:
        ValueError: where a value lies outside the bounds.
    """
    n_dirty, n_clean = int(dirty.sum()), int((~dirty).sum())
    if not n_dirty or not n_clean:
        return None
    if not (bounds[0] <= values.min() and values.max() <= bounds[1]):
        raise ValueError(f"values from {values.min()} to {values.max()}: must lie in {bounds}")
    strata = np.unique(strata, return_inverse=True)[1]
    random = np.random.default_rng(seed)
    mean_dirty, mean_clean = float(values[dirty].mean()), float(values[~dirty].mean())
    share = n_dirty / (n_dirty + n_clean)
    moments = null_moments(values, dirty, strata)
    drawn = bootstrap(values, dirty, strata, random, bounds=bounds, resamples=resamples)
    freedom = min(n_dirty, n_clean) + 1  # with the added items: that many less one
    gap_ends = expanded_interval(drawn.gap, freedom)
    within_ends = expanded_interval(drawn.within, freedom)
    return Gap(
        n_dirty,
        n_clean,
        mean_dirty,
        mean_clean,
        mean_dirty - mean_clean,
        *gap_ends,
        share * (mean_dirty - mean_clean),
        share * gap_ends[0],
        share * gap_ends[1],
        moments.effect,
        *within_ends,
        permutation_p(values, dirty, strata, random, draws=draws),
        minimal_detectable(moments.error),
        moments.n_items,
    )


def gap_from_counts(
    n_dirty: int, score_dirty: float, n_clean: int, score_clean: float
) -> tuple[float, float, float]:
    """Return (score of all, dirty minus clean, all minus clean) of published subset scores."""
    everything = (n_dirty * score_dirty + n_clean * score_clean) / (n_dirty + n_clean)
    return everything, score_dirty - score_clean, everything - score_clean


def relative_change(score_all: float, score_clean: float) -> float:
    """Return (clean - all) / all, as GPT-3's table C.1 has it (Brown et al. 2020)."""
    return (score_clean - score_all) / score_all


def subset_z(mean: float, whole_mean: float, n: int, whole: int | None = None) -> float:
    """Return Llama 2's Z of a subset's mean (Touvron et al. 2023, appendix A.6).

    Their deviation is sqrt(p (1 - p) / n), as if the subset were not drawn from the very items that it is
    compared with. With `whole` it is corrected for that: then a subset and its complement have Z of one
    size.
    """
    deviation = np.sqrt(whole_mean * (1 - whole_mean) / n)
    if whole is not None:
        deviation *= np.sqrt((whole - n) / (whole - 1))
    return float((mean - whole_mean) / deviation)


def minimal_detectable(error: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return the effect that a one-sided test finds with a chance of `power`: infinite without items."""
    return float((ndtri(1 - alpha) + ndtri(power)) * error)


def gap_error(deviation: float, n_dirty: int, n_clean: int) -> float:
    """Return the standard error of a gap between items whose scores have this deviation."""
    return float(deviation * np.sqrt(1 / n_dirty + 1 / n_clean)) if n_dirty and n_clean else np.inf


@dataclass(frozen=True, slots=True)
class NullMoments:
    """What shuffling within strata does: the effect's standard error, and how many items take part.

    `expected` and `deviation` are those of the sum of the dirty items' values.
    """

    effect: float
    error: float
    expected: float
    deviation: float
    n_items: int


def null_moments(values: np.ndarray, dirty: np.ndarray, strata: np.ndarray) -> NullMoments:
    """Return the exact moments of the permutation distribution; strata are numbered from 0.

    The sum of dirty values less its expectation is sum_h w_h (mean dirty_h - mean clean_h) with
    w_h = dirty_h x clean_h / n_h: Mantel and Haenszel's weights.
    """
    n_strata = int(strata.max(initial=-1)) + 1
    size = np.bincount(strata, minlength=n_strata)
    n_dirty = np.bincount(strata, dirty, n_strata)
    mean = np.bincount(strata, values, n_strata) / np.maximum(size, 1)
    spread = np.bincount(strata, (values - mean[strata]) ** 2, n_strata)
    weight = n_dirty * (size - n_dirty) / np.maximum(size, 1)
    variance = float((weight * spread / np.maximum(size - 1, 1)).sum())
    whole = float(weight.sum())
    expected = float((n_dirty * mean).sum())
    told = weight > 0
    if not told.any():
        return NullMoments(0.0, np.inf, expected, 0.0, 0)
    effect = (float(values[dirty].sum()) - expected) / whole
    return NullMoments(
        effect, np.sqrt(variance) / whole, expected, np.sqrt(variance), int(size[told].sum())
    )


def permutation_p(
    values: np.ndarray,
    dirty: np.ndarray,
    strata: np.ndarray,
    random: np.random.Generator,
    *,
    draws: int = DRAWS,
) -> float:
    """Return the one-sided p-value of the sum of dirty values, labels shuffled within strata.

    It is (1 + shuffles at least as large) / (1 + shuffles), which never promises too much (Phipson and
    Smyth 2010).
    """
    measured = float(values[dirty].sum())
    if set(np.unique(values)) <= {0.0, 1.0}:
        sums = binary_sums(values, dirty, strata, random, draws)
    elif dirty.mean() > 0.5:  # what is not drawn is the rest
        kept = np.concatenate(
            [d.sum(axis=1) for d in redraws(values, ~dirty, strata, random, draws)]
        )
        sums = values.sum() - kept
    else:
        sums = np.concatenate(
            [d.sum(axis=1) for d in redraws(values, dirty, strata, random, draws)]
        )
    slack = 1e-9 * (1 + abs(measured))  # equal sums, added in another order
    return float((1 + np.count_nonzero(sums >= measured - slack)) / (1 + draws))
