"""Tokens that a version has no more, by the documents that held them.

The rule of methodology, section E: a token that the reference has and the other version lacks is gone
if so many documents of the other should have held it that, among all tokens, chance would not leave
one without. There the expected number mu is known, and V exp(-mu) < chance. Here the reference is a
draw as well: given that n documents of both versions hold the token, all n lie in the reference with
chance prod (N / (N + M)) ** n over domains of N and M documents. For a reference much larger than the
other version this is the same rule; for one of its size it asks for 1.44 times as many documents.

Documents that are copies of each other count as one: copies share a fold, and a token that is in n
independent documents is in about 32 (1 - (31 / 32) ** n) folds.
"""

from __future__ import annotations

import numpy as np

from indexes.profile import FOLDS
from scanners.split_sums import occupied_folds
from scanners.totals import Totals


def gone(reference: Totals, other: Totals, chance: float) -> np.ndarray:
    """Return which keys the other version has lost, bool (V,); `chance` is for all of them together.

    Only domains that both versions have say anything: the rest is a change of the mix.
    """
    had = reference.key_documents
    has = other.key_counts > 0
    n_tested = max(int(((had > 0) | has).sum()), 1)
    before, now = reference.domain_documents, other.domain_documents
    common = (before > 0) & (now > 0)
    weight = np.zeros(len(before))
    weight[common] = np.log1p(now[common] / before[common])
    evidence = reference.documents.T @ weight
    draws = np.divide(
        independent_documents(reference), had, out=np.ones(len(had)), where=had > 0
    ).clip(max=1)
    return ~has & (evidence * draws > np.log(n_tested / chance))


def independent_documents(totals: Totals) -> np.ndarray:
    """Return about how many documents hold each key if copies count once, from the folds that do.

    It is infinite where all folds hold the key: then folds tell nothing.
    """
    occupied = np.zeros(len(totals.keys), np.uint32)
    occupied_folds(totals.folds.indptr, totals.folds.indices, FOLDS, occupied)
    folds = np.bitwise_count(occupied).astype(np.float64)
    with np.errstate(divide="ignore"):
        return np.log1p(-folds / FOLDS) / np.log1p(-1 / FOLDS)
