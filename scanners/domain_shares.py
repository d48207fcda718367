"""Shares of domains, corrected for the confusions of the classifier that counted them.

A classifier that takes one document of documentation in ten for code makes the share of code too large
wherever documentation is. With C[i, j] the probability that a document of domain i is called j, known
from held-out examples, the shares that are counted are s = C^T p of the true ones p (Forman 2008,
"Quantifying counts and costs via classification", the adjusted count; Hopkins and King 2010). p is
recovered by least squares over shares that are not negative and sum to 1.

It holds while C does, that is while documents of a domain stay as easy to tell as the examples were. A
new source inside a domain is not corrected for: on two real versions the correction brought the shares
of the version that the examples were from nearer to the truth, and not those of the version with new
sources (`benchmarks/quality_domains.py --chars 60 --share 0.25`). With few held-out examples it adds
more chance than it takes away error, and `is_clear` says so. The standard errors are those of C, which rests on a
number of examples: rows are drawn from their Dirichlet posterior with a prior of one example spread over
all domains. The chance of which documents were drawn into the corpus is left to the bootstrap of
`scanners.domains`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from corpora.domain_source import HeldOut

DRAWS: Final = 400
# From here on an error in the counted shares grows tenfold. Two domains of which 45 % of each are taken
# for the other have this condition number.
MOST_CONDITION: Final = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedShares:
    """Corrected shares of two versions, in the order of the domains; sums are 1.

    Attributes:
        baseline: float64 (K,); None where the domains cannot be told apart well enough.
        candidate: as `baseline`.
        baseline_error: standard error of `baseline`, from the held-out examples only.
        candidate_error: as `baseline_error`.
        change_error: of candidate - baseline, which share the confusions, so it is smaller.
        condition: of the confusion matrix: how much it can enlarge an error. 1 is best.
        is_clear: whether the corrected shares can be expected to be nearer to the true ones than the
            counted ones: the squared correction is over twice the squared standard error, as that
            of the counted shares is estimated by the correction's less its own noise.
        note: why there are no shares, or why the counted ones are as good; None where `is_clear`.
    """

    baseline: np.ndarray | None
    candidate: np.ndarray | None
    baseline_error: np.ndarray | None
    candidate_error: np.ndarray | None
    change_error: np.ndarray | None
    condition: float
    is_clear: bool
    note: str | None


def corrected_shares(
    baseline: np.ndarray, candidate: np.ndarray, held_out: HeldOut, seed: int = 0
) -> CorrectedShares:
    """Return the shares of both versions, corrected for the classifier's confusions.

    Args:
        baseline: float64 (K,), counted shares or counts, in the order of `held_out.domains`.
        candidate: as `baseline`.
        held_out: the classifier's confusions; each domain has examples.
        seed: of the draws that the standard errors come from.

    Raises:
        ValueError: the shares are not of the classifier's domains, negative, or all 0.
    """
    counted = np.stack([_shares(baseline, held_out), _shares(candidate, held_out)])
    rates = held_out.confusion / held_out.confusion.sum(axis=1, keepdims=True)
    condition = float(np.linalg.cond(rates))
    if condition > MOST_CONDITION:
        note = (
            f"the classifier cannot tell {_nearest_pair(rates, held_out)} well enough apart to correct "
            f"shares (condition number {condition:.3g}, at most {MOST_CONDITION:g}): merge them or add "
            "examples"
        )
        return CorrectedShares(None, None, None, None, None, condition, False, note)
    found = _recovered(counted, rates)
    rng = np.random.default_rng(seed)
    draws = np.stack([_recovered(counted, _drawn(held_out, rng)) for _ in range(DRAWS)])
    errors = draws.std(axis=0, ddof=1)
    change_error = (draws[:, 1] - draws[:, 0]).std(axis=0, ddof=1)
    is_clear = bool(np.square(found - counted).sum() > 2 * np.square(errors).sum())
    note = None if is_clear else (
        f"{held_out.examples:,} held-out examples tell the confusions too coarsely to correct shares: the "
        "correction is within its own error, and the counted shares are as good"
    )  # fmt: skip
    return CorrectedShares(*found, *errors, change_error, condition, is_clear, note)


def _shares(counted: np.ndarray, held_out: HeldOut) -> np.ndarray:
    if np.shape(counted) != (len(held_out.domains),):
        raise ValueError(
            f"shares of shape {np.shape(counted)} for {len(held_out.domains)} domains: give one each"
        )
    total = float(np.sum(counted))
    if np.min(counted) < 0 or not 0 < total < np.inf:
        raise ValueError(f"shares {counted!r}: must not be negative, and not all 0")
    return np.asarray(counted, float) / total


def _recovered(counted: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """The true shares of each version, float64 (2, K), by least squares on the simplex.

    Rows of `rates` sum to 1, so free shares would already have the sum of the counted ones; what the
    bound at 0 adds to it is divided out.
    """
    from scipy.optimize import nnls  # a tenth of a second to load, for classifiers only

    found = np.stack([nnls(rates.T, shares)[0] for shares in counted])
    return found / found.sum(axis=1, keepdims=True)


def _drawn(held_out: HeldOut, rng: np.random.Generator) -> np.ndarray:
    """One draw of the confusion rates from their posterior: rows sum to 1."""
    weights = rng.standard_gamma(held_out.confusion + 1 / len(held_out.domains))
    return weights / weights.sum(axis=1, keepdims=True)


def _nearest_pair(rates: np.ndarray, held_out: HeldOut) -> str:
    """The two domains whose documents are called most alike."""
    apart = np.abs(rates[:, None] - rates[None]).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    first, second = divmod(int(apart.argmin()), len(apart))
    return f"{held_out.domains[first]!r} and {held_out.domains[second]!r}"
