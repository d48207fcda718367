"""Our distances are those of scipy and of Evidently where the definitions agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from scanners.divergences import jensen_shannon, population_stability, total_variation


@st.composite
def two_shares(draw, least=0):
    """Two distributions over the same categories."""
    n = draw(st.integers(2, 12))
    counts = [draw(st.lists(st.integers(least, 1000), min_size=n, max_size=n)) for _ in range(2)]
    p, q = (np.array(part, float) for part in counts)
    p[0] += 1
    q[-1] += 1
    return p / p.sum(), q / q.sum()


@given(two_shares())
def test_jensen_shannon_is_the_square_of_scipys_distance_in_base_2(shares):
    expected = jensenshannon(*shares, base=2) ** 2
    assert jensen_shannon(*shares) == pytest.approx(expected, abs=1e-12)


@given(two_shares())
def test_distances_stay_in_their_bounds(shares):
    variation, divergence = total_variation(*shares), jensen_shannon(*shares)
    assert -1e-15 <= divergence <= variation + 1e-12 <= 1 + 1e-12  # JSD <= TV in bits (Lin 1991)


def test_disjoint_distributions_are_all_the_way_apart():
    p, q = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert (total_variation(p, q), jensen_shannon(p, q)) == (1.0, 1.0)


@given(two_shares(), st.integers(1, 11))
def test_total_variation_is_additive_over_categories(shares, cut):
    p, q = shares
    parts = total_variation(p[:cut], q[:cut]) + total_variation(p[cut:], q[cut:])
    assert parts == pytest.approx(total_variation(p, q))


@given(two_shares(least=1))
def test_stability_index_is_evidentlys_where_nothing_is_zero(shares):
    # evidently/legacy/calculations/stattests/psi.py: sum((expected - actual) * ln(expected / actual))
    p, q = shares
    expected = np.sum((p - q) * np.log(p / q))
    assert population_stability(p, q, (0.5, 0.5)) == pytest.approx(expected)


def test_stability_index_puts_half_a_document_in_place_of_zero():
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.6, 0.4, 0.0])
    assert population_stability(p, q, (1e-9, 1e-9)) == pytest.approx(0.1 * np.log(1.2 / 0.8))
    new = population_stability(np.array([1.0, 0.0]), np.array([0.9, 0.1]), (0.001, 0.5))
    assert new == pytest.approx(-0.1 * np.log(0.9) + (0.1 - 0.001) * np.log(0.1 / 0.001))


def test_rows_are_compared_one_by_one():
    p = np.array([[0.5, 0.5], [1.0, 0.0]])
    q = np.array([[0.5, 0.5], [0.0, 1.0]])
    assert list(total_variation(p, q)) == [0.0, 1.0]
    assert list(jensen_shannon(p, q)) == [0.0, 1.0]
