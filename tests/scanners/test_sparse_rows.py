"""Sparse rows from sorted tables, against numpy and scipy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from scanners.sparse_rows import (
    SparseRows,
    cluster_moments,
    columns_of,
    joined,
    picked_columns,
    rows_by_fold,
    sorted_union,
)

KEYS = st.lists(st.integers(0, 40), max_size=30).map(
    lambda numbers: np.unique(np.array(numbers, np.uint64) * np.uint64(1 << 58))
)


@settings(deadline=None, max_examples=50)
@given(st.lists(KEYS, min_size=1, max_size=4))
def test_a_union_is_sorted_and_has_each_value_once(arrays):
    union = sorted_union(arrays)
    assert np.array_equal(union, np.unique(np.concatenate(arrays)))
    starts = np.cumsum([0, *map(len, arrays)])
    columns = columns_of(starts, np.concatenate(arrays), union)
    assert np.array_equal(columns, np.searchsorted(union, np.concatenate(arrays)))


@settings(deadline=None, max_examples=50)
@given(KEYS, KEYS)
def test_two_rows_have_their_places_in_both(one, other):
    found = joined(one, other)
    assert np.array_equal(found.columns, np.union1d(one, other))
    assert np.array_equal(found.columns[found.one], one)
    assert np.array_equal(found.columns[found.other], other)


def some_matrix(random, rows, columns):
    dense = random.integers(1, 9, (rows, columns)) * (random.random((rows, columns)) < 0.4)
    return dense.astype(np.float64)


def sparse_rows(dense):
    matrix = sparse.csr_array(dense)
    return SparseRows(matrix.indptr, matrix.indices, matrix.data)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1 << 30), st.integers(1, 5), st.integers(1, 12))
def test_folds_are_the_rows_of_a_table_by_row_key_and_fold(seed, rows, keys):
    folds = 4
    dense = some_matrix(np.random.default_rng(seed), rows * folds, keys)
    cube = dense.reshape(rows, folds, keys)
    table = [
        (r, k, f) for r in range(rows) for k in range(keys) for f in range(folds) if cube[r, f, k]
    ]
    row, key, fold = np.array(table, np.int64).reshape(-1, 3).T
    held = [np.unique(key[row == r]) for r in range(rows)]
    starts, fold_starts = (
        np.cumsum([0, *sizes]) for sizes in (map(len, held), np.bincount(row, minlength=rows))
    )
    names = np.arange(keys, dtype=np.uint64) * np.uint64(7)
    own = np.concatenate(held)
    found = rows_by_fold(
        starts, names[own], own.astype(np.int32), fold_starts, names[key], fold.astype(np.uint8),
        cube[row, fold, key], folds,
    )  # fmt: skip
    for mine, its in zip(found, sparse_rows(dense), strict=True):
        assert np.array_equal(mine, its)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1 << 30), st.integers(1, 6), st.integers(1, 12))
def test_what_is_not_picked_is_summed_by_row(seed, rows, columns):
    random = np.random.default_rng(seed)
    dense, chosen = some_matrix(random, rows, columns), random.random(columns) < 0.5
    found = picked_columns(sparse_rows(dense), chosen)
    for mine, its in zip(found[:3], sparse_rows(dense[:, chosen]), strict=True):
        assert np.array_equal(mine, its)
    assert np.array_equal(found.rest, dense[:, ~chosen].sum(axis=1))


def test_moments_of_clusters_are_those_of_the_dense_table():
    dense = some_matrix(np.random.default_rng(1), 6, 9)
    lengths = dense[2:5].sum(axis=1)
    squares, products = cluster_moments(
        sparse_rows(dense), 2, 5, lengths, np.arange(9, dtype=np.int32)[::-1].copy(), 9
    )
    assert np.array_equal(squares[::-1], (dense[2:5] ** 2).sum(axis=0))
    assert np.array_equal(products[::-1], (dense[2:5] * lengths[:, None]).sum(axis=0))
