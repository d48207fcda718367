"""Half-splits show the noise of the change, whatever the sizes, and nothing of a change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanners.half_splits import half_splits, noise_of, split_coefficients, split_shares


def test_halves_have_half_of_the_clusters_and_come_from_the_seed():
    masks = half_splits(32, 300, seed=5)
    assert masks.shape == (300, 32)
    assert set(masks.sum(axis=1)) == {16}
    assert np.array_equal(masks, half_splits(32, 300, seed=5))
    assert not np.array_equal(masks, half_splits(32, 300, seed=6))
    assert masks.mean(axis=0) == pytest.approx(np.full(32, 0.5), abs=0.15)


def test_what_both_versions_hold_cancels():
    counts = np.random.default_rng(0).poisson(5, (32, 40)).astype(float)
    first, second = split_shares(counts, counts, half_splits(32, 50, 0))
    assert np.abs(first - second).max() < 1e-15


def test_a_change_of_all_documents_cancels():
    # Without noise: every cluster of a version is alike, and the versions differ.
    baseline, candidate = np.tile([2.0, 8.0], (32, 1)), np.tile([5.0, 5.0], (32, 1))
    first, second = split_shares(baseline, candidate, half_splits(32, 50, 0))
    assert first == pytest.approx(np.tile([0.35, 0.65], (50, 1)))
    assert second == pytest.approx(first)


@pytest.mark.parametrize(("n", "m"), [(4_000, 4_000), (20_000, 1_000)])
def test_halves_vary_as_the_versions_do(n, m):
    # Documents are 0 or 1; shares of two draws differ with variance p (1 - p) (1 / n + 1 / m).
    random = np.random.default_rng(3)
    spread = []
    for _ in range(20):
        versions = []
        for size in (n, m):
            cluster, ones = random.integers(0, 256, size), random.random(size) < 0.3
            versions.append(
                np.stack(
                    [np.bincount(cluster, ones, 256), np.bincount(cluster, ~ones, 256)], axis=1
                )
            )
        first, second = split_shares(*versions, half_splits(256, 400, 1))
        spread.append((second - first)[:, 0].var())
    assert np.mean(spread) == pytest.approx(0.21 * (1 / n + 1 / m), rel=0.1)


@given(st.integers(0, 2**32 - 1))
def test_coefficients_make_the_same_shares(seed):
    random = np.random.default_rng(seed)
    baseline, candidate = random.poisson(2, (2, 32, 6)).astype(float)
    masks = half_splits(32, 5, seed)
    first, second = split_coefficients(baseline.sum(axis=1), candidate.sum(axis=1), masks)
    both = np.concatenate([baseline, candidate])
    expected = split_shares(baseline, candidate, masks)
    assert first.T @ both == pytest.approx(expected[0])
    assert second.T @ both == pytest.approx(expected[1])


def test_an_empty_half_has_no_shares():
    baseline, candidate = np.zeros((2, 4, 2))
    baseline[0], candidate[1] = 1, 1
    first, second = split_shares(baseline, candidate, np.array([[True, True, False, False]]))
    assert first.tolist() == [[0.25, 0.25]]
    assert second.tolist() == [[0.25, 0.25]]


def test_noise_tells_excess_and_ratio():
    sample = np.random.default_rng(0).normal(10, 2, 400)
    noise = noise_of(16, sample, 0.001, 32)
    assert noise.excess == pytest.approx(6, abs=0.4)
    assert noise.ratio == pytest.approx(3, abs=0.3)
    assert noise.floor == pytest.approx(14.7, abs=0.6)
    assert not noise.is_beyond
    assert noise_of(20, sample, 0.001, 32).is_beyond
    assert noise_of(0, np.zeros(400), 0.001, 32).ratio is None
    assert not noise_of(0, np.zeros(400), 0.001, 32).is_beyond


def test_halves_that_are_all_alike_tell_no_noise():
    noise = noise_of(1.0, np.full(400, 0.5), 0.001, 2)
    assert noise.limit == np.inf
    assert not noise.is_beyond
