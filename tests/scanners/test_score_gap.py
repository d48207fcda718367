"""The gap between leaked and clean items: published tables, error rates, coverage, exact moments."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanners.score_gap import (
    DIFFERENCE_BOUNDS,
    gap_error,
    gap_from_counts,
    measure_gap,
    minimal_detectable,
    null_moments,
    permutation_p,
    relative_change,
    subset_z,
)
from scanners.score_resampling import redraws

# Brown et al. 2020, table C.1: all, dirty, count, clean, count; percent.
GPT3 = {
    "PIQA": (82.3, 89.9, 526, 79.3, 1312),
    "HellaSwag": (79.3, 86.2, 152, 79.2, 9890),
    "DROP": (36.5, 37.0, 8898, 29.5, 638),
    "Winograd": (88.6, 90.2, 164, 86.2, 109),
    "SQuADv2": (69.8, 69.9, 11136, 68.4, 737),
    "QuAC": (44.3, 44.3, 7315, 54.1, 38),
}


def one_stratum(dirty):
    return np.zeros(len(dirty), np.int64)


def simulated(n, n_dirty, right, lift, seed):
    random = np.random.default_rng(seed)
    dirty = np.arange(n) < n_dirty
    return (random.random(n) < right + lift * dirty).astype(float), dirty


@pytest.mark.parametrize("name", GPT3)
def test_gpt3_table_c1_comes_out_of_its_counts(name):
    everything, dirty, n_dirty, clean, n_clean = GPT3[name]
    found, gap, epg = gap_from_counts(n_dirty, dirty, n_clean, clean)
    assert found == pytest.approx(everything, abs=0.1)  # both are rounded to 0.1
    assert gap == pytest.approx(dirty - clean)
    assert epg == pytest.approx(n_dirty / (n_dirty + n_clean) * gap)


def test_gpt3_names_a_relative_change_and_its_sign_is_that_of_clean_minus_all():
    assert relative_change(82.3, 79.3) == pytest.approx(-0.0365, abs=1e-4)
    assert relative_change(44.3, 54.1) > 0


# Touvron et al. 2023, table 51, HellaSwag, L=40, 70B: mean, n, Z; the mean of all is 82.5.
@pytest.mark.parametrize(
    ("mean", "n", "published"),
    [(80.0, 7391, -5.73), (89.5, 2651, 9.56), (81.6, 9194, -2.27), (92.2, 848, 7.42)],
)
def test_llama2_table_51_comes_out_of_its_counts(mean, n, published):
    z = [
        subset_z((mean + a) / 100, (82.5 + b) / 100, n)
        for a, b in itertools.product((-0.05, 0.05), repeat=2)  # printed with one decimal
    ]
    assert min(z) <= published <= max(z)


def test_with_the_finite_population_a_subset_and_its_complement_have_one_z():
    whole = (7391 * 0.800 + 2651 * 0.895) / 10042
    clean, rest = (
        subset_z(0.800, whole, 7391, 10042),
        subset_z(0.895, whole, 2651, 10042),
    )
    assert clean == pytest.approx(-rest, rel=1e-3)
    assert subset_z(0.800, 0.825, 7391, 10042) == pytest.approx(-11.0, abs=0.05)


def test_164_items_cannot_show_a_gap_under_32_points():
    deviation = np.sqrt(0.6 * 0.4)
    assert minimal_detectable(gap_error(deviation, 16, 148)) == pytest.approx(0.32, abs=0.005)
    assert minimal_detectable(gap_error(deviation, 132, 1187)) == pytest.approx(0.112, abs=0.002)
    assert minimal_detectable(gap_error(deviation, 281, 13761)) == pytest.approx(0.073, abs=0.001)


def test_a_gap_of_the_minimal_detectable_size_is_detected_four_times_in_five():
    found = 0
    for seed in range(400):
        values, dirty = simulated(500, 100, 0.5, 0.0, seed)
        size = minimal_detectable(null_moments(values, dirty, one_stratum(dirty)).error)
        values, dirty = simulated(500, 100, 0.5, size, seed + 10_000)
        random = np.random.default_rng(seed)
        found += permutation_p(values, dirty, one_stratum(dirty), random, draws=199) <= 0.05
    assert 0.74 <= found / 400 <= 0.88  # three standard errors about 0.8, a little conservative


@pytest.mark.parametrize("sampled", [False, True])
def test_the_null_keeps_its_error_rate(sampled):
    """Labels shuffled within strata whose difficulties differ: p is at most 0.05 in 5 % of the cases."""
    random = np.random.default_rng(7)
    strata = np.repeat(np.arange(4), 60)
    chance = np.array([0.2, 0.5, 0.7, 0.9])[strata]
    values = (
        random.binomial(5, chance) / 5 if sampled else (random.random(240) < chance).astype(float)
    )
    share = np.array([0.5, 0.3, 0.1, 0.05])[strata]  # hard items leaked more
    rejected = 0
    for _ in range(1000):
        dirty = random.random(240) < share
        rejected += permutation_p(values, dirty, strata, random, draws=199) <= 0.05
    assert 0.025 <= rejected / 1000 <= 0.072  # exact: 0.05, three standard errors are 0.021


@pytest.mark.parametrize(("n", "n_dirty", "right"), [(164, 16, 0.6), (500, 50, 0.6), (400, 8, 0.7)])
def test_twenty_planted_points_lie_in_the_interval(n, n_dirty, right):
    covered = 0
    for seed in range(400):
        values, dirty = simulated(n, n_dirty, right, 0.2, seed)
        gap = measure_gap(values, dirty, one_stratum(dirty), seed=seed, draws=9, resamples=800)
        covered += gap.ci_low <= 0.2 <= gap.ci_high
    assert covered / 400 >= 0.95 - 0.011  # one standard error of 400 seeds; see quality_audit.py


def test_all_right_answers_of_few_items_are_no_proof():
    values = np.r_[np.ones(5), np.tile([0.0, 1.0], 50)]
    dirty = np.arange(105) < 5
    gap = measure_gap(values, dirty, one_stratum(dirty))
    assert gap.gap_dirty_minus_clean == 0.5
    assert gap.ci_low < 0.2
    assert gap.p_value < 0.05


def test_without_dirty_or_clean_items_there_is_no_gap():
    values = np.ones(3)
    assert measure_gap(values, np.zeros(3, bool), np.zeros(3, int)) is None
    assert measure_gap(values, np.ones(3, bool), np.zeros(3, int)) is None


def test_values_out_of_bounds_are_refused():
    with pytest.raises(ValueError, match="must lie in"):
        measure_gap(np.array([1.5, 0.0]), np.array([True, False]), np.zeros(2, int))


def test_strata_with_one_label_say_nothing():
    values, dirty = np.array([1.0, 0.0, 1.0, 0.0]), np.array([True, True, False, False])
    gap = measure_gap(values, dirty, np.array([0, 0, 1, 1]))
    assert gap.items_compared == 0
    assert gap.minimal_detectable == np.inf
    assert gap.p_value == 1.0


def test_what_makes_dirty_items_easy_for_everybody_cancels_out():
    random = np.random.default_rng(3)
    dirty = np.arange(600) < 120
    right = np.where(dirty, 0.8, 0.5)
    ours, reference = ((random.random(600) < right).astype(float) for _ in range(2))
    strata = one_stratum(dirty)
    assert measure_gap(ours, dirty, strata).p_value < 0.01
    difference = measure_gap(ours - reference, dirty, strata, bounds=DIFFERENCE_BOUNDS)
    assert difference.p_value > 0.05
    assert difference.within_low < 0 < difference.within_high


def test_the_seed_decides_all():
    values, dirty = simulated(100, 20, 0.6, 0.1, 0)
    assert measure_gap(values, dirty, one_stratum(dirty), seed=4) == measure_gap(
        values, dirty, one_stratum(dirty), seed=4
    )


ITEMS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans(), st.integers(0, 2)),
    min_size=2,
    max_size=7,
)


@settings(max_examples=40, deadline=None)
@given(ITEMS)
def test_moments_are_those_of_all_permutations(items):
    values, dirty, strata = (np.array(column) for column in zip(*items, strict=True))
    strata = np.unique(strata, return_inverse=True)[1]
    sums = np.array(all_sums(values, dirty, strata))
    moments = null_moments(values, dirty, strata)
    assert moments.expected == pytest.approx(sums.mean())
    assert moments.deviation == pytest.approx(sums.std(), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(ITEMS)
def test_p_values_are_those_of_all_permutations(items):
    values, dirty, strata = (np.array(column) for column in zip(*items, strict=True))
    strata = np.unique(strata, return_inverse=True)[1]
    sums = np.array(all_sums(values, dirty, strata))
    exact = (sums >= values[dirty].sum() - 1e-9).mean()
    p = permutation_p(values, dirty, strata, np.random.default_rng(0), draws=2000)
    assert p == pytest.approx(exact, abs=0.05)


@settings(max_examples=40, deadline=None)
@given(ITEMS, st.integers(0, 100))
def test_redraws_take_from_the_items_of_the_same_stratum(items, seed):
    _, chosen, strata = (np.array(column) for column in zip(*items, strict=True))
    values = np.arange(len(chosen)).astype(float)  # so that a value is an item
    strata = np.unique(strata, return_inverse=True)[1]
    (drawn,) = redraws(values, chosen, strata, np.random.default_rng(seed), 10)
    for row in drawn.astype(int):
        assert len(set(row)) == len(row)
        assert (strata[row] == strata[chosen]).all()


@settings(max_examples=40, deadline=None)
@given(ITEMS)
def test_all_minus_clean_is_the_gap_times_the_share_of_dirty_items(items):
    values, dirty, strata = (np.array(column) for column in zip(*items, strict=True))
    gap = measure_gap(values, dirty, strata, draws=9, resamples=50)
    if gap is None:
        assert dirty.all() or not dirty.any()
        return
    assert gap.epg_all_minus_clean == pytest.approx(values.mean() - values[~dirty].mean(), abs=1e-9)
    assert gap.ci_low <= gap.ci_high
    alone = measure_gap(values, dirty, np.zeros(len(values), int), draws=9, resamples=50)
    assert alone.within_strata == pytest.approx(alone.gap_dirty_minus_clean, abs=1e-9)


def all_sums(values, dirty, strata):
    """Sums of the dirty values under every assignment of labels within strata."""
    parts = [
        [
            sum(some)
            for some in itertools.combinations(values[strata == h], dirty[strata == h].sum())
        ]
        for h in range(strata.max() + 1)
    ]
    return [sum(some) for some in itertools.product(*parts)]
