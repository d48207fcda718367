"""Tests in numbers: the adjusted p-values are scipy's, and extrapolated tails are where they should be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scanners.multiple_tests import family_limit, q_values, two_sided_p, upper_limit, widen


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_q_values_are_scipys_benjamini_hochberg(p):
    expected = stats.false_discovery_control(np.array(p), method="bh")
    assert q_values(np.array(p)) == pytest.approx(expected)


def test_no_test_has_no_q_value():
    assert len(q_values(np.empty(0))) == 0


def test_p_values_are_those_of_the_normal_and_of_students_distribution():
    z = np.array([-1.96, 0.0, 6.0, 6.0])
    freedom = np.array([np.inf, np.inf, np.inf, 31])
    expected = [*(2 * stats.norm.sf([1.96, 0, 6])), 2 * stats.t.sf(6, 31)]
    assert two_sided_p(z, freedom) == pytest.approx(expected)


def test_a_limit_is_the_quantile_where_the_sample_is_large_enough():
    sample = np.random.default_rng(0).normal(size=20_000)
    limit = upper_limit(sample, 0.001, 10**9)
    assert limit == pytest.approx(stats.norm.isf(0.001), rel=0.01)


@pytest.mark.parametrize(
    ("distribution", "rel"), [(stats.norm(5, 2), 0.1), (stats.gamma(3), 0.2), (stats.chi2(40), 0.1)]
)
def test_tails_of_400_values_are_extrapolated(distribution, rel):
    random = np.random.default_rng(1)
    limits = [
        upper_limit(distribution.rvs(400, random_state=random), 0.001, 10**9) for _ in range(200)
    ]
    assert np.median(limits) == pytest.approx(distribution.isf(0.001), rel=rel)


def test_few_clusters_widen_a_limit_to_students_distribution():
    assert widen(3.09, 31) == pytest.approx(stats.t.isf(stats.norm.sf(3.09), 31))
    assert widen(3.09, 10**9) == pytest.approx(3.09, abs=1e-3)


def test_the_limit_of_a_family_holds_for_its_largest_statistic():
    random = np.random.default_rng(2)
    largest = np.abs(random.normal(size=(20_000, 30))).max(axis=1)
    expected = stats.norm.isf((1 - 0.999 ** (1 / 30)) / 2)
    assert family_limit(largest, 0.001, 10**9) == pytest.approx(expected, rel=0.05)


def test_a_sample_of_zeros_is_its_own_limit():
    assert upper_limit(np.zeros(400), 0.001, 31) == 0


def test_a_family_has_no_lower_limit_than_one_test():
    assert family_limit(np.ones(400), 0.001, 10**9) == pytest.approx(
        stats.norm.isf(0.0005), rel=1e-3
    )
    assert family_limit(np.ones(400), 0.001, 11) == pytest.approx(stats.t.isf(0.0005, 11))
