"""Many tests at once: p-values of z, Benjamini-Hochberg, and tails beyond what was sampled.

Random halves show the noise of a statistic. A few hundred of them tell its 99 % quantile, not the
99.9 % quantile that a report with six families of tests needs. That one is extrapolated with a
gamma distribution (Pearson III) of the sample's mean, deviation and skewness, as Winkler et al. do
for permutation tests (NeuroImage 141, 2016, "Faster permutation inference in brain imaging"). The
halves themselves rest on a limited number of clusters; a quantile of Student's t in place of the
normal one makes up for it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import gammaincinv, ndtr, ndtri, stdtr, stdtrit

ROUNDING: Final = 1e-12
NO_SKEW: Final = 1e-3  # below it the gamma distribution is the normal one


def two_sided_p(z: np.ndarray, freedom: np.ndarray | float = np.inf) -> np.ndarray:
    """Return P(|Z| >= |z|), of Student's t with `freedom` degrees, of the normal where infinite."""
    z, freedom = np.broadcast_arrays(np.abs(np.asarray(z, float)), np.asarray(freedom, float))
    p = 2 * ndtr(-z)
    finite = np.isfinite(freedom)
    p[finite] = 2 * stdtr(freedom[finite], -z[finite])
    return p


def q_values(p: np.ndarray) -> np.ndarray:
    """Return Benjamini and Hochberg's adjusted p-values, in [0, 1].

    They are `scipy.stats.false_discovery_control(p, method="bh")`. Rejecting those up to q holds the
    expected share of false ones among the rejected to q; where no test has an effect, q is also the
    chance that any is rejected.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1)
    return adjusted


def upper_limit(sample: np.ndarray, chance: float, freedom: float) -> float:
    """Return the value that a statistic exceeds with the given chance, from its values under the null.

    `freedom` is the number of clusters less one: the sample's own deviation rests on so many.
    """
    mean, deviation = float(sample.mean()), float(sample.std())
    if deviation <= ROUNDING:
        return mean
    z = (_quantile(sample, chance) - mean) / deviation
    return mean + deviation * widen(max(z, -ndtri(chance)), freedom)


def family_limit(largest: np.ndarray, chance: float, freedom: float) -> float:
    """Return the |z| that any test of a family exceeds with the given chance.

    `largest` holds the largest |z| of the family in each sample of the null: tests that go together
    are not paid for twice, as they are in Bonferroni's rule. It is no less than for a single test.
    """
    return widen(max(_quantile(largest, chance), -ndtri(chance / 2)), freedom)


def widen(z: float, freedom: float) -> float:
    """Return the value of Student's t that is exceeded as rarely as the normal distribution's z."""
    return float(-stdtrit(freedom, ndtr(-z)))


def _quantile(sample: np.ndarray, chance: float) -> float:
    """Return the quantile beyond which `chance` of the distribution lies.

    It is the sample's own where ten values or more lie beyond it; else it is extrapolated, and never
    below the sample's 99 % quantile.
    """
    if len(sample) * chance >= 10:
        return float(np.quantile(sample, 1 - chance))
    mean, deviation = float(sample.mean()), float(sample.std())
    if deviation == 0:
        return mean
    skew = float((((sample - mean) / deviation) ** 3).mean())
    limit = mean + deviation * _gamma_quantile(chance, skew)
    return max(limit, float(np.quantile(sample, 0.99)))


def _gamma_quantile(chance: float, skew: float) -> float:
    """Return the upper quantile of a gamma distribution with mean 0, deviation 1 and that skewness."""
    if skew < NO_SKEW:  # a left skew is taken for none: its tail would be too short
        return float(-ndtri(chance))
    shape = 4 / skew**2
    return float((gammaincinv(shape, 1 - chance) - shape) / np.sqrt(shape))
