"""How sure a counted share is: exact binomial intervals, without SciPy.

Clopper and Pearson 1934: the ends of the interval are quantiles of beta distributions. The
distribution function is the continued fraction of Abramowitz and Stegun 26.5.8, its inverse a
bisection; shares of reports have few trials, so neither speed nor the last digit matters.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

BISECTIONS: Final = 60  # halve [0, 1] to the precision of a float
MOST_TERMS: Final = 10_000  # of the continued fraction: needs about the root of the trials
TINY: Final = 1e-300  # stands for a denominator of zero (modified Lentz method)
PRECISE: Final = 1e-14


@lru_cache(maxsize=4096)
def binomial_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact two-sided interval (low, high) of a rate, both in [0, 1].

    It holds the true rate with a probability of at least `level`. Without trials it is (0, 1).

    Raises:
        ValueError: unless 0 <= successes <= trials and 0 < level < 1.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials: must be from 0 to the trials")
    if not 0 < level < 1:
        raise ValueError(f"level {level!r}: must lie between 0 and 1, both excluded")
    tail = (1 - level) / 2
    failures = trials - successes
    low = _beta_quantile(tail, successes, failures + 1) if successes else 0.0
    high = 1 - _beta_quantile(tail, failures, successes + 1) if failures else 1.0
    return low, high


def rule_of_three(trials: int) -> float:
    """Return the rate in [0, 1] that no success in so many trials rules out, at 95%: 3 / trials."""
    return min(1.0, 3 / trials) if trials > 0 else 1.0


def _beta_quantile(probability: float, a: int, b: int) -> float:
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if _beta_below(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_below(x: float, a: int, b: int) -> float:
    """Return the regularised incomplete beta function I_x(a, b)."""
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly, ask for the other side
        return 1 - _beta_below(1 - x, b, a)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(scale + a * math.log(x) + b * math.log1p(-x))
    return front * _beta_fraction(x, a, b) / a


def _beta_fraction(x: float, a: int, b: int) -> float:
    """Evaluate the continued fraction of I_x(a, b) from its head (modified Lentz method)."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < PRECISE:
            break
    return value


def _not_zero(number: float) -> float:
    return number if abs(number) > TINY else TINY
