"""Which of the tokens that moved does a benchmark use: terms that it lost, and how much of it fell."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from scanners.tokens import FALLER, VANISHED, TokenTable
from scanners.totals import Totals


def terms(counts: sparse.csr_array, keys: np.ndarray, table: TokenTable, kind: int) -> np.ndarray:
    """Return the rows of the table's alarms of one kind that a benchmark uses, in most items first.

    `counts` is CSR (items, V) over `keys`.
    """
    rows = np.flatnonzero(table.change_kind == kind)
    items = np.bincount(counts.indices, minlength=len(keys))[np.searchsorted(keys, table.key[rows])]
    order = np.argsort(-items, kind="stable")
    return rows[order[items[order] > 0]]


def fallen_share(counts: sparse.csr_array, baseline: Totals, table: TokenTable) -> float:
    """Return the part of a benchmark's tokens that fell or vanished, in [0, 1], rare ones weighing more.

    The weight is the inverse document frequency in the baseline: of a benchmark's words, those that
    few documents have say most about it.
    """
    documents = baseline.domain_documents.sum()
    idf = np.log1p(documents / (1 + baseline.key_documents))
    weight = counts.sum(axis=0) * idf
    fell = (table.change_kind == FALLER) | (table.change_kind == VANISHED)
    columns = np.searchsorted(baseline.keys, table.key[fell])
    return float(weight[columns].sum() / weight.sum()) if weight.sum() > 0 else 0.0
