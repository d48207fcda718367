"""Kernels that make sparse rows of sorted tables: no sorting, one pass each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from corpora.kernels import kernel


class SparseRows(NamedTuple):
    """A sparse matrix, CSR: entries of row r are those from `starts[r]` to `starts[r + 1]`, by column."""

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray


class Places(NamedTuple):
    """The columns that two rows have, in order, and where in them each entry of either stands."""

    columns: np.ndarray
    one: np.ndarray
    other: np.ndarray


class Picked(NamedTuple):
    """Some columns of a sparse matrix, numbered anew, and the sums of the others by row, (rows,)."""

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    rest: np.ndarray


def sorted_union(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Return all values of arrays, each once and in order: uint64; the arrays have them so, too."""
    union = np.zeros(0, np.uint64)
    for array in arrays:
        out = np.empty(len(union) + len(array), np.uint64)
        union = out[: _union(union, array.astype(np.uint64, copy=False), out)].copy()
    return union


def columns_of(starts: np.ndarray, keys: np.ndarray, union: np.ndarray) -> np.ndarray:
    """Return where in `union` each key is: int32 or int64, as scipy has it.

    The keys of row r, sorted, are those from `starts[r]` to `starts[r + 1]`; `union` has all of them.
    """
    columns = np.empty(len(keys), index_type(len(keys), len(union)))
    _find(starts, keys, union, columns)
    return columns


def rows_by_fold(
    starts: np.ndarray,
    keys: np.ndarray,
    columns: np.ndarray,
    fold_starts: np.ndarray,
    fold_keys: np.ndarray,
    fold: np.ndarray,
    counts: np.ndarray,
    folds: int,
) -> SparseRows:
    """Return the matrix of row `r * folds + fold` from a table sorted by row, key and fold.

    Args:
        starts: Of the rows in the next two.
        keys: Of each row, sorted.
        columns: Column of each.
        fold_starts: Of the rows in the next three, in which each key may stand several times.
        fold_keys: Sorted in each row, and among its `keys`.
        fold: Below `folds`.
        counts: What stands there.
        folds: How many there are.
    """
    n_rows = len(starts) - 1
    rows = np.repeat(np.arange(n_rows) * folds, np.diff(fold_starts)) + fold
    kind = columns.dtype
    indptr = np.zeros(n_rows * folds + 1, kind)
    np.cumsum(np.bincount(rows, minlength=n_rows * folds), out=indptr[1:])
    indices, values = np.empty(len(fold_keys), kind), np.empty(len(fold_keys), np.float64)
    _by_fold(
        starts, keys, columns, fold_starts, fold_keys, fold, counts, indptr[:-1].copy(), folds,
        indices, values,
    )  # fmt: skip
    return SparseRows(indptr, indices, values)


def picked_columns(rows: SparseRows, chosen: np.ndarray) -> Picked:
    """Return the columns that are chosen, bool (V,); entries stay in their order."""
    number = np.cumsum(chosen, dtype=rows.columns.dtype) - 1
    number[~chosen] = -1
    starts = np.empty_like(rows.starts)
    columns, values = np.empty_like(rows.columns), np.empty_like(rows.values)
    rest = np.zeros(len(starts) - 1)
    n = _pick(*rows, number, starts, columns, values, rest)
    return Picked(starts, columns[:n], values[:n], rest)


def joined(one: np.ndarray, other: np.ndarray) -> Places:
    """Return the union of the columns of two rows, sorted, and the places of both in it."""
    columns = np.empty(len(one) + len(other), one.dtype)
    places = np.empty(len(one), np.int32), np.empty(len(other), np.int32)
    return Places(columns[: _join(one, other, columns, *places)], *places)


def cluster_moments(
    rows: SparseRows, first: int, last: int, lengths: np.ndarray, place_of: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sums of x^2 and of x L over rows, of each of some columns, float64.

    Args:
        rows: Amounts x.
        first: Of the rows.
        last: The one behind them.
        lengths: L of each of these rows.
        place_of: Of each column of these rows, int32 (V,): where its sums stand.
        n: Sums.
    """
    squares, products = np.zeros((2, n))
    _moments(*rows, first, last, lengths, place_of, squares, products)
    return squares, products


def index_type(entries: int, columns: int) -> Any:
    """Return the type of the indices of a matrix with so many entries and columns."""
    return np.int32 if max(entries, columns) <= np.iinfo(np.int32).max else np.int64


@kernel
def _union(one: Any, other: Any, out: Any) -> int:
    a = b = n = 0
    while a < len(one) and b < len(other):
        out[n] = min(one[a], other[b])
        from_one, from_other = one[a] <= other[b], other[b] <= one[a]
        a, b, n = a + np.int64(from_one), b + np.int64(from_other), n + 1
    while a < len(one):
        out[n] = one[a]
        a, n = a + 1, n + 1
    while b < len(other):
        out[n] = other[b]
        b, n = b + 1, n + 1
    return n


@kernel
def _find(starts: Any, keys: Any, union: Any, columns: Any) -> None:
    for row in range(len(starts) - 1):
        at = 0
        for entry in range(starts[row], starts[row + 1]):
            key = keys[entry]
            step = 1
            while at + step < len(union) and union[at + step] <= key:  # in steps that double
                at += step
                step *= 2
            while step:
                if at + step < len(union) and union[at + step] <= key:
                    at += step
                step //= 2
            columns[entry] = at


@kernel
def _by_fold(
    starts: Any, keys: Any, columns: Any, fold_starts: Any, fold_keys: Any, fold: Any, counts: Any,
    place: Any, folds: int, indices: Any, values: Any,
) -> None:  # fmt: skip
    for row in range(len(starts) - 1):
        at = starts[row]
        for entry in range(fold_starts[row], fold_starts[row + 1]):
            while keys[at] != fold_keys[entry]:
                at += 1
            line = row * folds + fold[entry]
            indices[place[line]] = columns[at]
            values[place[line]] = counts[entry]
            place[line] += 1


@kernel
def _pick(
    starts: Any, columns: Any, values: Any, number: Any, out_starts: Any, out_columns: Any,
    out_values: Any, rest: Any,
) -> int:  # fmt: skip
    n = 0
    out_starts[0] = 0
    for row in range(len(starts) - 1):
        for entry in range(starts[row], starts[row + 1]):
            column = number[columns[entry]]
            if column < 0:
                rest[row] += values[entry]
            else:
                out_columns[n] = column
                out_values[n] = values[entry]
                n += 1
        out_starts[row + 1] = n
    return n


@kernel
def _join(one: Any, other: Any, columns: Any, places: Any, other_places: Any) -> int:
    a = b = n = 0
    while a < len(one) or b < len(other):
        from_one = b == len(other) or (a < len(one) and one[a] <= other[b])
        from_other = a == len(one) or (b < len(other) and other[b] <= one[a])
        if from_one:
            columns[n] = one[a]
            places[a] = n
            a += 1
        if from_other:
            columns[n] = other[b]
            other_places[b] = n
            b += 1
        n += 1
    return n


@kernel
def _moments(
    starts: Any, columns: Any, values: Any, first: int, last: int, lengths: Any, place_of: Any,
    squares: Any, products: Any,
) -> None:  # fmt: skip
    for row in range(first, last):
        for entry in range(starts[row], starts[row + 1]):
            at, value = place_of[columns[entry]], values[entry]
            squares[at] += value * value
            products[at] += value * lengths[row - first]
