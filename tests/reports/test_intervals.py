import math

import pytest

from reports.intervals import binomial_interval, rule_of_three


def at_least(successes, trials, rate):
    """P(X >= successes) of a binomial, term by term: the definition."""
    return sum(
        math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k)
        for k in range(successes, trials + 1)
    )


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # R: binom.test(successes, trials)$conf.int
        (5, 10, 0.1870860, 0.8129140),
        (1, 20, 0.001265089, 0.2487328),
        (19, 20, 0.7512672, 0.9987349),
        (50, 100, 0.3983211, 0.6016789),
    ],
)
def test_known_intervals(successes, trials, low, high):
    assert binomial_interval(successes, trials) == pytest.approx((low, high), abs=5e-7)


@pytest.mark.parametrize("trials", [1, 3, 20, 300, 3000])
def test_without_misses_or_without_hits_the_end_has_a_closed_form(trials):
    end = 0.025 ** (1 / trials)
    assert binomial_interval(trials, trials) == pytest.approx((end, 1.0), abs=1e-12)
    assert binomial_interval(0, trials) == pytest.approx((0.0, 1 - end), abs=1e-12)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
@pytest.mark.parametrize("trials", [2, 7, 60, 241])
def test_each_end_leaves_half_of_the_rest_beyond(trials, level):
    for successes in range(1, trials, max(1, trials // 7)):
        low, high = binomial_interval(successes, trials, level)
        tail = (1 - level) / 2
        assert at_least(successes, trials, low) == pytest.approx(tail, rel=1e-8)
        assert 1 - at_least(successes + 1, trials, high) == pytest.approx(tail, rel=1e-8)


def test_large_counts_agree_with_the_normal_approximation():
    low, high = binomial_interval(400_000, 1_000_000)
    half = 1.959964 * math.sqrt(0.4 * 0.6 / 1e6)
    assert (low, high) == pytest.approx((0.4 - half, 0.4 + half), abs=2e-6)


def test_no_trials_tell_nothing():
    assert binomial_interval(0, 0) == (0.0, 1.0)
    assert rule_of_three(0) == 1.0


def test_the_rule_of_three_is_close_to_the_exact_one_sided_end():
    assert rule_of_three(300) == 0.01
    assert rule_of_three(2) == 1.0
    assert rule_of_three(300) == pytest.approx(1 - 0.05 ** (1 / 300), rel=0.01)


@pytest.mark.parametrize(
    ("successes", "trials", "level"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 0), (1, 2, 1)]
)
def test_impossible_counts_and_levels_are_refused(successes, trials, level):
    with pytest.raises(ValueError, match="must"):
        binomial_interval(successes, trials, level)
