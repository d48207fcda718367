"""What a tally holds, as sorted arrays."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from indexes.tally import (
    COUNT,
    DOMAIN_SHIFT,
    HERE,
    KEY,
    N_ROWS,
    U64,
    Tally,
)
from indexes.tally_folds import folds_of, write_folds

N_SUMS: Final = 4


class Counted(NamedTuple):
    """Sums by domain and key, both ascending; n rows, m counts by fold."""

    domain: np.ndarray  # int64 (n,)
    key: np.ndarray  # uint64 (n,)
    sums: tuple[np.ndarray, ...]  # 4 of int64 (n,): of x, 1, x^2 and x L
    n_folds: np.ndarray  # int64 (n,), of how many folds each row has counts
    fold: np.ndarray  # uint8 (m,), ascending within a row
    fold_count: np.ndarray  # int64 (m,)


def counted(tally: Tally, codes: np.ndarray) -> tuple[Counted, np.ndarray]:
    """Return what was counted, and the row of the tally that each row was: int64 (n,).

    `codes` (int64) renumbers the domains.
    """
    rows = tally.rows[: tally.sizes[N_ROWS]]
    n = len(rows)
    key, domain, n_folds = np.empty(n, np.uint64), np.empty(n, np.int64), np.empty(n, np.int64)
    _read_keys(rows, tally.blocks, codes, key, domain, n_folds)
    order = np.argsort(key)
    if len(codes) > 1:
        order = order[np.argsort(domain[order], kind="stable")]
    size = int(n_folds.sum())
    sums = np.empty((N_SUMS, n), np.int64)
    fold, fold_count = np.empty(size + 1, np.uint8), np.empty(size + 1, np.int64)
    _write_rows(rows, tally.blocks, order, sums, fold, fold_count)
    found = Counted(
        domain[order], key[order], tuple(sums), n_folds[order], fold[:size], fold_count[:size]
    )
    return found, order


@kernel
def _read_keys(
    rows: Any, blocks: Any, codes: Any, key: Any, domain: Any, n_folds: Any
) -> None:  # fmt: skip
    for row in range(len(rows)):
        key[row] = U64(rows[row, KEY])
        domain[row] = codes[rows[row, HERE] >> DOMAIN_SHIFT]
        n_folds[row] = folds_of(rows, blocks, row)


@kernel
def _write_rows(
    rows: Any, blocks: Any, order: Any, sums: Any, fold: Any, count: Any
) -> None:  # fmt: skip
    n = 0
    for at in range(len(order)):
        row = order[at]
        for k in range(N_SUMS):
            sums[k, at] = rows[row, COUNT + k]
        n = write_folds(rows, blocks, row, fold, count, n)
