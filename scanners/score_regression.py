"""The effect of leakage with item difficulty held fixed: logistic regression by Newton's method.

correct ~ dirty + difficulty (logit of what reference models score on the item) + length + subject. A weak
normal prior on every coefficient but the intercept keeps them finite where a column separates right from
wrong answers (Gelman et al. 2008); subjects have a stronger one, so that they are drawn to their mean as
random effects are. Scores of several samples are shares; errors are robust (sandwich), as items are units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

PRIOR_DEVIATION: Final = (
    5.0  # of coefficients, in log-odds: 95 % of effects within a factor of e^10
)
SUBJECT_DEVIATION: Final = 1.0
MOST_STEPS: Final = 60
PRECISE: Final = 1e-9
MOST_SUBJECTS: Final = 100
FEWEST_DIRTY: Final = 5


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What being dirty does at equal difficulty, length and subject.

    `points` is the mean over the dirty items of how much more likely they are right than if they were
    clean; its interval, and that of the odds ratio, is the 95 % one of the coefficient.
    """

    log_odds: float
    error: float
    odds_ratio: float
    odds_low: float
    odds_high: float
    points: float
    points_low: float
    points_high: float
    p_value: float


def adjusted_effect(
    values: np.ndarray,
    dirty: np.ndarray,
    words: np.ndarray,
    subject: Sequence[str | None],
    difficulty: np.ndarray | None,
) -> Adjusted | None:
    """Return the adjusted effect of being dirty; None where either group has under five items.

    Args:
        values: float64 (n,): scores of the items in [0, 1].
        dirty: bool (n,).
        words: int64 (n,): lengths of the items.
        subject: of each item; None where unknown.
        difficulty: float64 (n, reference models): their scores; None where there are none.
    """
    if min(dirty.sum(), (~dirty).sum()) < FEWEST_DIRTY:
        return None
    columns = [np.ones(len(values)), dirty.astype(float), _standard(np.log1p(words))]
    precision = [0.0, PRIOR_DEVIATION**-2, PRIOR_DEVIATION**-2]
    if difficulty is not None and difficulty.shape[1]:
        # Half an answer right and half wrong added: the logit of none and all is finite.
        n = difficulty.shape[1]
        columns.append(_standard(logit((difficulty.sum(axis=1) + 0.5) / (n + 1))))
        precision.append(PRIOR_DEVIATION**-2)
    names = sorted({name for name in subject if name is not None})
    if 1 < len(names) <= MOST_SUBJECTS:
        held = np.array([name or "" for name in subject])
        columns += [(held == name).astype(float) for name in names]
        precision += [SUBJECT_DEVIATION**-2] * len(names)
    design = np.stack(columns, axis=1)
    beta, covariance = fit_logistic(design, values, np.array(precision))
    error = float(np.sqrt(covariance[1, 1]))
    ends = beta[1] + error * ndtri(0.975) * np.array([-1.0, 1.0])
    rest = design[dirty] @ beta - beta[1]
    points = [float((expit(rest + effect) - expit(rest)).mean()) for effect in (beta[1], *ends)]
    return Adjusted(
        float(beta[1]), error, *(float(np.exp(each)) for each in (beta[1], *ends)), *points,
        float(ndtr(-beta[1] / error)),
    )  # fmt: skip


def fit_logistic(
    design: np.ndarray, values: np.ndarray, precision: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients and their robust covariance.

    Newton's steps, halved where they would lower the penalised likelihood.

    Args:
        design: float64 (n, columns).
        values: float64 (n,) in [0, 1].
        precision: float64 (columns,): of the normal prior on each coefficient; 0 for none.
    """
    beta = np.zeros(design.shape[1])
    best = _objective(beta, design, values, precision)
    hessian = np.eye(len(beta))
    for _ in range(MOST_STEPS):
        chance = expit(design @ beta)
        gradient = design.T @ (values - chance) - precision * beta
        hessian = (design.T * (chance * (1 - chance))) @ design + np.diag(precision + 1e-10)
        step = np.linalg.solve(hessian, gradient)
        while True:
            reached = _objective(beta + step, design, values, precision)
            if reached >= best - 1e-12 or np.abs(step).max() < PRECISE:
                break
            step /= 2
        beta, best = beta + step, reached
        if np.abs(step).max() < PRECISE:
            break
    inverse = np.linalg.inv(hessian)
    residual = values - expit(design @ beta)
    meat = (design.T * residual**2) @ design + np.diag(precision)
    return beta, inverse @ meat @ inverse


def _objective(
    beta: np.ndarray, design: np.ndarray, values: np.ndarray, precision: np.ndarray
) -> float:
    linear = design @ beta
    return float(
        (values * linear - np.logaddexp(0, linear)).sum() - (precision * beta**2).sum() / 2
    )


def _standard(values: np.ndarray) -> np.ndarray:
    deviation = values.std()
    return (values - values.mean()) / deviation if deviation > 0 else np.zeros(len(values))
