"""Kernels over random half-splits: sums of sparse counts, many splits at a time.

Counts are CSR, row `domain * folds + fold`, columns in order; they hold the tokens only that stand for
themselves (`scanners.sparse_rows.picked_columns`). A split gives each row a coefficient, and
the sum over a column's rows is the token's share in one half. Columns are taken in blocks: a cursor in
each row fetches the block into a small dense table, so that no transposed copy is made. Coefficients
hold all splits of a row side by side, so that the inner loop is a vector operation. Sums run in the
order of rows and columns, whatever the number of threads.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import inline_kernel, kernel

BLOCK: Final = 256  # columns; their tables stay in the processor's cache


@kernel
def split_divergences(
    starts: Any, columns: Any, values: Any, rest: Any, other_starts: Any, other_columns: Any,
    other_values: Any, other_rest: Any, n_keys: int, folds: int, first: Any, second: Any,
    variation: Any, divergence: Any,
) -> None:  # fmt: skip
    """Add the total variation and the Jensen-Shannon divergence (bits) of two halves, by split.

    Args:
        starts: Of the baseline's counts, CSR, as the next two.
        columns: Column of each entry.
        values: Count of each entry.
        rest: float64 (rows,), sums of what has no column: they are one token.
        other_starts: Of the candidate's, as the next three.
        other_columns: Column of each entry.
        other_values: Count of each entry.
        other_rest: Sums of what has no column.
        n_keys: Columns.
        folds: Rows of a domain.
        first: float64 (2 * folds, splits), coefficients that make shares of the first half.
        second: The same for the second half.
        variation: float64 (splits,), is added to.
        divergence: float64 (splits,), is added to.
    """
    cursor = starts[:-1].copy()
    other_cursor = other_starts[:-1].copy()
    table = np.zeros((BLOCK, 2 * folds))
    picked = np.empty(2 * folds, np.int64)
    a = np.empty(first.shape[1])
    b = np.empty(first.shape[1])
    rows = len(cursor)
    for low in range(0, n_keys, BLOCK):
        high = min(low + BLOCK, n_keys)
        _fetch(starts, columns, values, cursor, 0, rows, low, high, folds, 0, table)
        _fetch(
            other_starts, other_columns, other_values, other_cursor, 0, rows, low, high, folds,
            folds, table,
        )  # fmt: skip
        for place in range(high - low):
            if _combine(table[place], first, picked, a):
                _combine(table[place], second, picked, b)
                _add_divergence(a, b, variation, divergence)
                table[place] = 0.0
    for row in range(rows):
        table[0, row % folds] += rest[row]
        table[0, folds + row % folds] += other_rest[row]
    if _combine(table[0], first, picked, a):
        _combine(table[0], second, picked, b)
        _add_divergence(a, b, variation, divergence)


@kernel
def split_variations(
    starts: Any, columns: Any, values: Any, rest: Any, other_starts: Any, other_columns: Any,
    other_values: Any, other_rest: Any, n_keys: int, folds: int, coefficients: Any, whole: Any,
    parts: Any,
) -> None:  # fmt: skip
    """Add half the |change| of each token, over all domains and in each of them, by split.

    Args:
        starts: As in `split_divergences`, as the next nine.
        columns: Column of each entry.
        values: Count of each entry.
        rest: Sums of what has no column.
        other_starts: Of the candidate's counts.
        other_columns: Column of each entry.
        other_values: Count of each entry.
        other_rest: Sums of what has no column.
        n_keys: Columns.
        folds: Rows of a domain.
        coefficients: float64 (domains, 2 * folds, splits), that make the change of a share; the
            baseline's folds come first.
        whole: float64 (splits,), is added to: half of |sum over domains|.
        parts: float64 (domains, splits), is added to: half of |change in one domain|.
    """
    n_domains, _, n_splits = coefficients.shape
    cursor = starts[:-1].copy()
    other_cursor = other_starts[:-1].copy()
    table = np.zeros((BLOCK, 2 * folds))
    picked = np.empty(2 * folds, np.int64)
    total = np.zeros((BLOCK, n_splits))
    part = np.empty(n_splits)
    for low in range(0, n_keys, BLOCK):
        high = min(low + BLOCK, n_keys)
        for domain in range(n_domains):
            row, end = domain * folds, (domain + 1) * folds
            _fetch(starts, columns, values, cursor, row, end, low, high, folds, 0, table)
            _fetch(
                other_starts, other_columns, other_values, other_cursor, row, end, low, high, folds,
                folds, table,
            )  # fmt: skip
            for place in range(high - low):
                if _combine(table[place], coefficients[domain], picked, part):
                    table[place] = 0.0
                    _add_size(part, parts[domain])
                    for split in range(n_splits):
                        total[place, split] += part[split]
        for place in range(high - low):
            _add_size(total[place], whole)
            total[place] = 0.0
    for domain in range(n_domains):
        row, end = domain * folds, (domain + 1) * folds
        table[0, :folds] = rest[row:end]
        table[0, folds:] = other_rest[row:end]
        if _combine(table[0], coefficients[domain], picked, part):
            _add_size(part, parts[domain])
            for split in range(n_splits):
                total[0, split] += part[split]
    _add_size(total[0], whole)


@kernel
def split_bits(
    starts: Any, columns: Any, values: Any, other_starts: Any, other_columns: Any,
    other_values: Any, n_keys: int, folds: int, first: Any, second: Any, own: Any, spread: Any,
    first_spread: Any, second_spread: Any, least: float, user_starts: Any, users: Any,
    weights: Any, change: Any,
) -> None:  # fmt: skip
    """Add weight * log2(smoothed share in the first half / in the second), by user and split.

    The smoothed share of a column is `own` * its share + `spread` * the half's spread mass + `least`;
    the spread mass of each split stands in `first_spread` and `second_spread`. `users` are benchmarks:
    those that use a column stand at `user_starts[column]` on in `users`, with the token's share in the
    benchmark in `weights`. `change` is float64 (users, splits); the rest is as in `split_divergences`.
    """
    n_splits = first.shape[1]
    cursor = starts[:-1].copy()
    other_cursor = other_starts[:-1].copy()
    table = np.zeros((BLOCK, 2 * folds))
    picked = np.empty(2 * folds, np.int64)
    a = np.empty(n_splits)
    b = np.empty(n_splits)
    for low in range(0, n_keys, BLOCK):
        high = min(low + BLOCK, n_keys)
        rows = len(cursor)
        _fetch(starts, columns, values, cursor, 0, rows, low, high, folds, 0, table)
        _fetch(
            other_starts, other_columns, other_values, other_cursor, 0, rows, low, high, folds,
            folds, table,
        )  # fmt: skip
        for place in range(high - low):
            if _combine(table[place], first, picked, a):
                _combine(table[place], second, picked, b)
                table[place] = 0.0
                column = low + place
                part, rest = own[column], spread[column]
                for split in range(n_splits):
                    p = part * a[split] + rest * first_spread[split] + least
                    q = part * b[split] + rest * second_spread[split] + least
                    a[split] = np.log2(p / q)
                for use in range(user_starts[column], user_starts[column + 1]):
                    weight = weights[use]
                    sums = change[users[use]]
                    for split in range(n_splits):
                        sums[split] += weight * a[split]


@kernel
def occupied_folds(starts: Any, columns: Any, folds: int, occupied: Any) -> None:
    """Set bit f of `occupied`, uint32 (V,), for each key that fold f holds in any domain."""
    for row in range(len(starts) - 1):
        bit = np.uint32(1) << np.uint32(row % folds)
        for entry in range(starts[row], starts[row + 1]):
            occupied[columns[entry]] |= bit


@kernel
def masked_sums(masks: Any, values: Any, sums: Any) -> None:
    """Add the rows of `values` (clusters, n) that each of `masks` (splits, clusters) picks to `sums`."""
    for split in range(masks.shape[0]):
        target = sums[split]
        for cluster in range(masks.shape[1]):
            if masks[split, cluster]:
                row = values[cluster]
                for column in range(values.shape[1]):
                    target[column] += row[column]


@kernel
def weighted_sums(weights: Any, values: Any, sums: Any) -> None:
    """Add `weights @ values` to `sums`, in the order of the clusters."""
    for sample in range(weights.shape[0]):
        target = sums[sample]
        for cluster in range(weights.shape[1]):
            weight = weights[sample, cluster]
            if weight != 0:
                row = values[cluster]
                for column in range(values.shape[1]):
                    target[column] += weight * row[column]


@kernel
def _fetch(
    starts: Any, columns: Any, values: Any, cursor: Any, row: int, end: int, low: int, high: int,
    folds: int, offset: int, table: Any,
) -> None:  # fmt: skip
    """Add the entries of rows [row, end) and columns [low, high) to the table, (column, fold)."""
    for line in range(row, end):
        entry = cursor[line]
        last = starts[line + 1]
        fold = offset + line % folds
        while entry < last and columns[entry] < high:
            table[columns[entry] - low, fold] += values[entry]
            entry += 1
        cursor[line] = entry


@kernel
def _combine(counts: Any, coefficients: Any, picked: Any, out: Any) -> bool:
    """Set `out` to counts @ coefficients; False, and nothing done, where all counts are 0.

    `picked`, int64 (counts,), is written to.
    """
    n_splits = len(out)
    n = 0
    for row in range(len(counts)):
        if counts[row] != 0:
            picked[n] = row
            n += 1
    if n == 0:
        return False
    out[:] = 0.0
    k = 0
    while k + 4 <= n:  # four rows at once: fewer loads and stores of `out`
        v0, v1 = counts[picked[k]], counts[picked[k + 1]]
        v2, v3 = counts[picked[k + 2]], counts[picked[k + 3]]
        w0, w1 = coefficients[picked[k]], coefficients[picked[k + 1]]
        w2, w3 = coefficients[picked[k + 2]], coefficients[picked[k + 3]]
        for split in range(n_splits):
            out[split] += v0 * w0[split] + v1 * w1[split] + v2 * w2[split] + v3 * w3[split]
        k += 4
    while k < n:
        value = counts[picked[k]]
        weights = coefficients[picked[k]]
        for split in range(n_splits):
            out[split] += value * weights[split]
        k += 1
    return True


@inline_kernel
def _add_divergence(a: Any, b: Any, variation: Any, divergence: Any) -> None:
    for split in range(len(a)):
        p, q = a[split], b[split]
        variation[split] += 0.5 * abs(q - p)
        if p <= 0.0 or q <= 0.0:  # a token of one half only: all of it diverges
            divergence[split] += 0.5 * (p + q)
        else:
            middle = 0.5 * (p + q)
            divergence[split] += 0.5 * (p * np.log2(p / middle) + q * np.log2(q / middle))


@inline_kernel
def _add_size(part: Any, sums: Any) -> None:
    for split in range(len(part)):
        sums[split] += 0.5 * abs(part[split])
