"""The least of a field that can be a finding: what need not be read for less.

A bound from the rules of `scanners.judge` for loci without a run of 13 words, as if whatever may stand
beside a question stood there and nothing were spoilt by gaps. An answer or a choice that is told beside its
question takes less, but then the question is a finding by itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from indexes.ngram import LONG_WORDS
from scanners.fields import Role
from scanners.judge import ANSWER_ALONE_FACTOR, ENOUGH, SUSPECT_SCORE
from scanners.patterns import WHOLE_WORDS, Patterns

ROUNDING: Final = 1e-6  # of a unit; sums of weights are whole


def least_units(patterns: Patterns) -> np.ndarray:
    """Return the weight of each pattern that a place must have to score enough: int64 (patterns,).

    More than the pattern's whole weight where no place can. In the units of `patterns.weights`.
    """
    owners = patterns.owners
    pattern = np.repeat(np.arange(len(owners.first) - 1), np.diff(owners.first))
    total = patterns.totals[pattern].astype(np.float64)
    words = np.diff(patterns.index.starts)[pattern]
    asks = np.isin(owners.role, (Role.QUESTION, Role.COMPOSITE))
    alone = np.isin(owners.role, (Role.ANSWER, Role.CHOICE))
    whole = (
        asks & (words >= WHOLE_WORDS) & (words < LONG_WORDS)
    )  # its run may be less than 13 words
    enough = np.where(alone, ANSWER_ALONE_FACTOR * ENOUGH, np.where(whole, ENOUGH / 2, ENOUGH))
    beside = np.where(asks, _beside(patterns, total)[owners.item], 0.0)
    out = np.full(len(patterns.totals), np.iinfo(np.int64).max)
    np.minimum.at(out, pattern, _least(total, beside, enough))
    return out


def _beside(patterns: Patterns, total: np.ndarray) -> np.ndarray:
    """Return the weight of all choices and answers of each item: float64 (items,)."""
    owners, short = patterns.owners, patterns.short
    out = np.zeros(len(patterns.benchmark))
    told = np.isin(owners.role, (Role.ANSWER, Role.CHOICE))
    np.add.at(out, owners.item[told], total[told])
    np.add.at(out, np.repeat(np.arange(len(out)), np.diff(short.first)), short.units)
    return out


def _least(total: np.ndarray, beside: np.ndarray, enough: np.ndarray) -> np.ndarray:
    """Return the least whole u with u / total * min(1, (u + beside) / enough) >= SUSPECT_SCORE."""
    cut_down = (np.sqrt(beside**2 + 4 * SUSPECT_SCORE * total * enough) - beside) / 2
    least: np.ndarray = np.ceil(np.maximum(SUSPECT_SCORE * total, cut_down) - ROUNDING)
    return least.astype(np.int64)
