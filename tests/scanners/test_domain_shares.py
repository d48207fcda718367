"""Corrected shares: right where the confusions hold, honest about their error, silent where they cannot be."""

import numpy as np
import pytest

from corpora.domain_source import HeldOut
from scanners.domain_shares import MOST_CONDITION, corrected_shares

RATES = np.array([[0.9, 0.1, 0.0], [0.2, 0.75, 0.05], [0.0, 0.02, 0.98]])
NAMES = ("code", "docs", "web")


def held_out(rates, n=1_000_000):
    return HeldOut(NAMES[: len(rates)], np.rint(np.asarray(rates) * n).astype(np.int64))


def test_true_shares_come_back_from_counted_ones():
    """As Forman's adjusted count (2008), equation 2, for two domains, does."""
    true = np.array([[0.1, 0.3, 0.6], [0.0, 0.5, 0.5]])
    found = corrected_shares(*(true @ RATES), held_out(RATES))
    np.testing.assert_allclose([found.baseline, found.candidate], true, atol=1e-9)
    assert found.is_clear
    assert found.note is None
    rates = np.array([[0.8, 0.2], [0.1, 0.9]])
    two = corrected_shares([0.38, 0.62], [0.5, 0.5], held_out(rates))
    adjusted = (0.38 - 0.1) / (
        0.8 - 0.1
    )  # (counted - false positives) / (recall - false positives)
    np.testing.assert_allclose(two.baseline, [adjusted, 1 - adjusted])


def test_counts_are_taken_as_shares_and_sums_are_1():
    found = corrected_shares([900, 50, 50], [0, 1000, 0], held_out(RATES))
    assert found.baseline.sum() == pytest.approx(1)
    assert found.candidate.sum() == pytest.approx(1)
    assert (found.candidate >= 0).all()  # 100 % docs cannot be: only 75 % of docs are called that


def test_a_perfect_classifier_changes_nothing():
    found = corrected_shares([0.2, 0.3, 0.5], [0.3, 0.3, 0.4], held_out(np.eye(3)))
    np.testing.assert_allclose(found.baseline, [0.2, 0.3, 0.5])
    assert found.condition == pytest.approx(1)
    assert not found.is_clear  # there is nothing to correct


def test_the_standard_error_is_that_of_repeated_held_out_samples():
    rng = np.random.default_rng(0)
    true = np.array([[0.3, 0.3, 0.4], [0.5, 0.2, 0.3]])
    counted = true @ RATES
    runs = []
    for seed in range(200):
        confusion = np.array([rng.multinomial(400, row) for row in RATES])
        runs.append(corrected_shares(*counted, HeldOut(NAMES, confusion), seed))
    for shares, errors in (
        ([r.baseline for r in runs], [r.baseline_error for r in runs]),
        ([r.candidate for r in runs], [r.candidate_error for r in runs]),
        ([r.candidate - r.baseline for r in runs], [r.change_error for r in runs]),
    ):
        # 200 runs know a standard deviation to 5 %; the prior of one example adds a little
        np.testing.assert_allclose(np.mean(errors, axis=0), np.std(shares, axis=0), rtol=0.2)


def test_few_held_out_examples_are_said_to_be_too_coarse():
    confusion = np.array([[11, 1, 0], [0, 12, 0], [0, 0, 12]])
    found = corrected_shares([0.05, 0.05, 0.9], [0.1, 0.1, 0.8], HeldOut(NAMES, confusion))
    assert found.baseline is not None
    assert not found.is_clear
    assert "36 held-out examples tell the confusions too coarsely" in found.note


def test_domains_that_cannot_be_told_apart_are_named_and_not_corrected():
    rates = [[0.52, 0.48, 0.0], [0.48, 0.52, 0.0], [0.0, 0.0, 1.0]]
    found = corrected_shares([0.3, 0.3, 0.4], [0.3, 0.3, 0.4], held_out(rates))
    assert found.baseline is None
    assert found.condition == pytest.approx(25)
    assert found.condition > MOST_CONDITION
    assert "cannot tell 'code' and 'docs' well enough apart" in found.note
    same = corrected_shares([0.5, 0.5], [0.5, 0.5], held_out([[0.5, 0.5], [0.5, 0.5]]))
    assert same.candidate is None


def test_equal_seeds_give_equal_errors():
    first, second, third = (
        corrected_shares([0.2, 0.3, 0.5], [0.3, 0.3, 0.4], held_out(RATES, 100), seed)
        for seed in (1, 1, 2)
    )
    assert first.change_error.tolist() == second.change_error.tolist()
    assert first.change_error.tolist() != third.change_error.tolist()


@pytest.mark.parametrize("counted", [[1, 2], [0, 0, 0], [1, -1, 1], [np.nan, 1, 1]])
def test_shares_that_are_none_are_refused(counted):
    with pytest.raises(ValueError, match="shares"):
        corrected_shares(counted, [1, 1, 1], held_out(RATES))
