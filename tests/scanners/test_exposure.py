"""Exposure: bits per token as defined, parts that add up, alarms for what is planted only."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from scanners.benchmark_terms import fallen_share, terms
from scanners.drift_policy import DriftPolicy
from scanners.exposure import exposures
from scanners.tokens import VANISHED, token_drift

POLICY = DriftPolicy()
TEXTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.lists(st.sampled_from("pqrst"), min_size=1).map(" ".join)),
    min_size=1,
    max_size=12,
)


def benchmark(random, corpus, domain, n_items=60):
    """Items that are documents of one domain, cut to their first words."""
    rows = random.choice(np.flatnonzero(corpus.domain == domain), n_items, replace=False)
    return sparse.csr_array(np.minimum(corpus.counts[rows].toarray(), 2))


@pytest.fixture(scope="module")
def corpus(made_up):
    """A corpus of three domains."""
    return made_up(0, n_documents=4_000, n_words=1_000)


@pytest.fixture(scope="module")
def benchmarks(corpus):
    """A benchmark of each domain."""
    random = np.random.default_rng(0)
    return [benchmark(random, corpus, domain) for domain in range(3)]


@given(TEXTS, TEXTS, st.lists(st.integers(0, 4), min_size=5, max_size=5).filter(any))
@settings(max_examples=40, deadline=None)
def test_parts_add_up_to_the_change(totals_of, before, after, counts):
    full = [("a", "p q r s t")]  # so that there are five keys
    first, second, _ = totals_of(before, after, full)
    (found,) = exposures(first, second, [sparse.csr_array([counts])], POLICY, 0, splits=20)
    assert found.change == pytest.approx(found.candidate_bits - found.baseline_bits, abs=1e-9)
    assert found.token_bits.sum() == pytest.approx(found.change, abs=1e-9)
    domains = found.domain_mix_bits.sum() + found.domain_within_bits.sum()
    assert domains == pytest.approx(found.change, abs=1e-9)
    assert np.isfinite([found.baseline_bits, found.ci_low, found.floor, found.detectable]).all()


def test_bits_are_the_cross_entropy_under_smoothed_shares(totals_of):
    first, second = totals_of([("a", "x x x y")], [("a", "x y y y z z")])
    (found,) = exposures(first, second, [sparse.csr_array([[1, 0, 1]])], POLICY, 0, splits=20)
    p, q = np.array([3, 1, 0]) / 4, np.array([1, 3, 2]) / 6
    documents = np.array([4**2 / (9 + 1), 4**2 / (1 + 9), 1])  # (sum of x)^2 / sum of x^2
    expected = documents * 4 / 10  # in the smaller version
    own = expected / (expected + 10)
    spread = (1 - own) * (p + q)
    spread /= spread.sum()
    smoothed = [
        (own * share + spread * ((1 - own) * share).sum() + 1 / 4) / (1 + 3 / 4) for share in (p, q)
    ]
    assert smoothed[0].sum() == pytest.approx(1)
    assert found.baseline_bits == pytest.approx(-np.log2(smoothed[0][[0, 2]]).mean())
    assert found.candidate_bits == pytest.approx(-np.log2(smoothed[1][[0, 2]]).mean())


def test_a_version_does_not_differ_from_itself(corpus, benchmarks):
    totals = corpus.totals(np.arange(4_000))
    for found in exposures(totals, totals, benchmarks, POLICY, 0):
        assert found.change == 0
        assert found.floor < 1e-12
        assert not found.alarm


def test_random_halves_raise_no_alarm(corpus, benchmarks):
    changes, floors = [], []
    for seed in range(10):
        found = exposures(
            *(corpus.totals(half) for half in corpus.halves(seed)), benchmarks, POLICY, seed
        )
        assert not any(exposure.alarm for exposure in found)
        changes += [abs(exposure.change) for exposure in found]
        floors += [exposure.floor for exposure in found]
        assert all(exposure.ci_low < exposure.change < exposure.ci_high for exposure in found)
    assert np.mean(np.array(changes) > np.array(floors)) <= 0.1


def test_the_benchmark_of_a_domain_that_shrank_is_covered_worse(corpus, benchmarks):
    first, second = corpus.halves(0)
    gone = (corpus.domain[second] == 1) & (np.random.default_rng(0).random(len(second)) < 0.8)
    found = exposures(corpus.totals(first), corpus.totals(second[~gone]), benchmarks, POLICY, 0)
    assert found[1].alarm
    assert found[1].change > 0.2 > 0 > found[0].change
    assert np.argmax(np.abs(found[1].domain_mix_bits)) == 1
    assert np.abs(found[1].domain_mix_bits).sum() > 5 * np.abs(found[1].domain_within_bits).sum()


def test_terms_that_vanished_are_told_for_the_benchmarks_that_use_them(corpus, benchmarks):
    used = np.flatnonzero(benchmarks[0].sum(axis=0))
    held = (corpus.counts > 0).sum(axis=0)
    gone = used[(held[used] > 200) & (held[used] < 1_500)][:60]
    kept = np.ones(1_000)
    kept[gone] = 0
    changed = sparse.csr_array(corpus.counts.multiply(kept[None, :]))
    changed.eliminate_zeros()
    first, second = corpus.halves(0)
    totals = corpus.totals(first), corpus.totals(second, changed)
    table = token_drift(*totals, POLICY, 0).table
    (found, other) = exposures(*totals, [benchmarks[0], sparse.csr_array((1, 1_000))], POLICY, 0)
    assert other is None
    assert found.alarm
    assert set(np.argsort(-found.token_bits)[:10]) <= set(gone)
    rows = terms(benchmarks[0], totals[0].keys, table, VANISHED)
    assert set(table.key[rows]) == set(gone)
    items = (benchmarks[0].toarray() > 0).sum(axis=0)[table.key[rows]]
    assert (np.diff(items) <= 0).all()
    share = benchmarks[0].sum(axis=0)[gone].sum() / benchmarks[0].sum()
    assert share / 2 < fallen_share(benchmarks[0], totals[0], table) < share * 3
    assert fallen_share(sparse.csr_array((1, 1_000)), totals[0], table) == 0


def test_sizes_alone_change_little(corpus, benchmarks):
    changes = []
    for seed in range(5):
        small = np.random.default_rng(seed).random(4_000) < 0.08
        parts = (corpus.totals(np.flatnonzero(part)) for part in (~small, small))
        found = exposures(*parts, benchmarks, POLICY, seed)
        assert not any(exposure.alarm for exposure in found)
        changes += [exposure.change for exposure in found]
    assert abs(np.mean(changes)) < POLICY.exposure_bits


def test_a_weight_of_all_documents_changes_only_the_smoothing(totals_of):
    texts = [("a", f"x y{i % 7} z") for i in range(40)]
    first, second, heavy = totals_of(texts, texts[:30], texts[:30] * 4)
    counts = sparse.csr_array(np.eye(first.counts.shape[1])[:4])
    one, other = (exposures(first, v, [counts], POLICY, 0)[0] for v in (second, heavy))
    assert other.change == pytest.approx(one.change, abs=0.01)
