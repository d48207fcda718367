"""Strata, weights, the chosen threshold and the regression on item difficulty."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanners.score_regression import adjusted_effect, fit_logistic
from scanners.score_strata import length_bands, make_strata, mean_interval, subject_weights
from scanners.score_threshold import choose_threshold


def test_strata_are_as_fine_as_leaves_dirty_items_a_clean_one():
    random = np.random.default_rng(0)
    dirty = random.random(2000) < 0.1
    words = random.integers(5, 100, 2000)
    strata = make_strata(dirty, words, ["number"] * 2000, ["a", "b"] * 1000)
    assert strata.meaning == "subject, length in 10 bands"
    assert len(np.unique(strata.of_item)) == 20


def test_strata_get_coarser_where_dirty_items_would_stand_alone():
    dirty = np.arange(20) < 10
    words = np.r_[np.arange(10), np.arange(100, 110)]  # all dirty items are shorter
    strata = make_strata(dirty, words, ["text"] * 20, [None] * 20)
    assert strata.meaning == "none: all items alike"
    assert len(np.unique(strata.of_item)) == 1


def test_equal_lengths_are_in_one_band():
    bands = length_bands(np.array([3, 3, 3, 3, 9, 9, 9, 9]), 4)
    assert len(set(bands[:4])) == len(set(bands[4:])) == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), min_size=1, max_size=40))
def test_weights_restore_the_mix_of_subjects(items):
    kept = np.array([keep for keep, _ in items])
    subject = [name for _, name in items]
    weights = subject_weights(kept, subject)
    left = [name for name, keep in zip(subject, kept, strict=True) if keep]
    assert weights.effective <= len(left) + 1e-6
    for name in set(left):
        mine = sum(w for w, n in zip(weights.of_item, left, strict=True) if n == name)
        known = sum(n in set(left) for n in subject)
        assert mine / weights.of_item.sum() == pytest.approx(subject.count(name) / known, abs=1e-6)
    lost = sum(name not in left for name in subject) / len(subject)
    assert weights.lost_share == pytest.approx(lost)


def test_the_interval_of_a_mean_holds_it_and_is_no_point():
    mean, low, high = mean_interval(np.ones(10), np.ones(10))
    assert mean == 1.0
    assert low < 0.8
    assert high == 1.0
    covered = 0
    for seed in range(500):
        right = (np.random.default_rng(seed).random(60) < 0.7).astype(float)
        _, low, high = mean_interval(right, np.ones(60))
        covered += low <= 0.7 <= high
    assert covered / 500 >= 0.93


def test_the_chosen_threshold_keeps_the_error_rate_where_the_naive_one_does_not():
    """Evidence that says nothing of the scores: methodology.md C.4 finds a quarter of false alarms."""
    corrected = naive = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        values = (random.random(500) < 0.6).astype(float)
        chosen = choose_threshold(
            values, random.random(500), np.zeros(500, int), draws=199, seed=seed
        )
        corrected += chosen.p_value <= 0.05
        naive += chosen.p_given <= 0.05
    assert corrected / 300 <= 0.05 + 0.038  # three standard errors
    assert naive / 300 > 0.12


def test_a_threshold_that_matters_is_found():
    random = np.random.default_rng(5)
    evidence = random.random(2000)
    values = (random.random(2000) < np.where(evidence >= 0.8, 0.85, 0.55)).astype(float)
    chosen = choose_threshold(values, evidence, np.zeros(2000, int), seed=1)
    assert chosen.threshold in (0.75, 0.8, 0.85)
    assert chosen.p_value < 0.01


def test_without_evidence_there_is_no_threshold():
    assert choose_threshold(np.ones(50), np.zeros(50), np.zeros(50, int)) is None


def test_difficulty_explains_what_is_not_leakage():
    random = np.random.default_rng(11)
    n = 3000
    ease = random.normal(size=n)
    dirty = random.random(n) < 1 / (1 + np.exp(2 - ease))  # easy items leaked
    chance = 1 / (1 + np.exp(-ease))
    references = (random.random((n, 12)) < chance[:, None]).astype(float)
    words = random.integers(5, 50, n)
    clean_model = (random.random(n) < chance).astype(float)
    naive = adjusted_effect(clean_model, dirty, words, [None] * n, None)
    adjusted = adjusted_effect(clean_model, dirty, words, [None] * n, references)
    assert naive.odds_low > 1.2
    assert adjusted.odds_ratio < 0.5 * (naive.odds_ratio + 1)
    lifted = np.maximum(clean_model, dirty & (random.random(n) < 0.6))
    assert adjusted_effect(lifted, dirty, words, [None] * n, references).odds_low > 1.3


def test_separation_gives_finite_numbers():
    dirty = np.arange(60) < 20
    found = adjusted_effect(dirty.astype(float), dirty, np.full(60, 9), [None] * 60, None)
    assert 0.5 < found.points <= 1
    assert np.isfinite(found.odds_high)


def test_too_few_items_give_no_regression():
    dirty = np.arange(60) < 4
    assert adjusted_effect(np.ones(60), dirty, np.full(60, 9), [None] * 60, None) is None


def test_newton_reaches_the_known_answer():
    """One binary column: the coefficients are log-odds that can be counted."""
    x = np.repeat([0.0, 1.0], [40, 20])
    y = np.r_[np.repeat([1.0, 0.0], [10, 30]), np.repeat([1.0, 0.0], [15, 5])]
    beta, covariance = fit_logistic(np.stack([np.ones(60), x], axis=1), y, np.zeros(2))
    assert beta == pytest.approx([np.log(10 / 30), np.log(15 / 5) - np.log(10 / 30)], abs=1e-6)
    assert np.sqrt(covariance[1, 1]) == pytest.approx(
        np.sqrt(1 / 10 + 1 / 30 + 1 / 15 + 1 / 5), rel=1e-6
    )
