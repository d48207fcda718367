"""Totals of documents are what a reader counts by hand."""

from dataclasses import replace

import numpy as np
import pytest

from indexes.profile import FOLDS, GROUPS
from scanners.totals import check_alike


def test_totals_are_sums_over_documents(totals_of):
    (totals,) = totals_of([("a", "x x y"), ("a", "x"), ("b", "y z")])
    assert totals.domains == ("a", "b")
    assert totals.counts.toarray().tolist() == [[3, 1, 0], [0, 1, 1]]
    assert totals.documents.toarray().tolist() == [[2, 1, 0], [0, 1, 1]]
    assert totals.squares.toarray().tolist() == [[5, 1, 0], [0, 1, 1]]
    assert totals.products.toarray().tolist() == [[2 * 3 + 1, 3, 0], [0, 2, 2]]
    assert totals.lengths_squared.tolist() == [10, 4]
    assert totals.groups.sum(axis=1).tolist() == [[2, 6, 4], [1, 3, 2]]
    assert totals.domain_tokens.tolist() == [4, 2]
    assert totals.domain_documents.tolist() == [2, 1]


def test_folds_sum_to_the_counts_and_are_groups_of_eight(totals_of):
    (totals,) = totals_of([("a", f"x w{i}") for i in range(60)] + [("b", "x")])
    folds = totals.folds.toarray().reshape(2, FOLDS, -1)
    assert folds.sum(axis=1).tolist() == totals.counts.toarray().tolist()
    by_group = totals.groups[:, :, 2].reshape(2, FOLDS, GROUPS // FOLDS).sum(axis=2)
    assert totals.fold_tokens.tolist() == by_group.tolist()


def test_equal_texts_share_a_fold(totals_of):
    (totals,) = totals_of([("a", "same text")] * 7)
    assert (totals.fold_tokens > 0).sum() == 1


def test_arrays_of_another_shape_are_refused(totals_of):
    (totals,) = totals_of([("a", "x"), ("b", "y")])
    with pytest.raises(ValueError, match=r"folds has shape \(2, 2\); it must be \(64, 2\)"):
        replace(totals, folds=totals.counts)
    with pytest.raises(ValueError, match="squares must have its entries where counts has them"):
        replace(totals, squares=totals.squares[:, ::-1])


def test_versions_must_be_alike(totals_of):
    first, second = totals_of([("a", "x")], [("a", "y")])
    (other,) = totals_of([("b", "x")])
    check_alike(first, second)
    with pytest.raises(ValueError, match="same domains"):
        check_alike(first, other)
    with pytest.raises(ValueError, match="same keys"):
        check_alike(first, replace(second, keys=np.array([5, 6], np.uint64)))
    empty = totals_of([("a", "x")], [])[1]
    with pytest.raises(ValueError, match="the candidate holds no token"):
        check_alike(totals_of([("a", "x")])[0], empty)
