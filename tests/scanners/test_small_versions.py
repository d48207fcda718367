"""A handful of documents tells nothing: no alarm, no error, no number that is not one."""

from functools import reduce

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from scanners.composition import composition, hypothesis
from scanners.domains import domain_drift
from scanners.drift_policy import DriftPolicy
from scanners.exposure import exposures
from scanners.tokens import token_drift

TEXTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.lists(st.sampled_from("pqrst"), min_size=1).map(" ".join)),
    min_size=1,
    max_size=10,
)


@given(TEXTS, TEXTS, st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_few_documents_raise_no_alarm(totals_of, before, after, seed):
    first, second = totals_of(before, after)
    policy = DriftPolicy()
    drift = domain_drift(first, second, policy, seed, splits=400)
    tokens = token_drift(first, second, policy, seed, splits=200)
    items = sparse.csr_array(np.ones((2, len(first.keys))))
    (found,) = exposures(first, second, [items], policy, seed, splits=200)
    weights = composition(items.sum(axis=0), first.counts + second.counts)
    guess = hypothesis(weights, first, second, drift.alarm.any(axis=1))
    assert not drift.alarm.any()
    assert not any(divergence.alarm for measure in drift.mix for divergence in measure)
    assert not tokens.table.alarm.any()
    assert not any(divergence.alarm for divergence in tokens.whole.divergences)
    assert not tokens.whole.domain_alarms.any()
    assert not found.alarm
    assert guess.direction == "none"
    numbers = [drift.floor, drift.alarm_from, drift.detectable, drift.ci_low, tokens.table.z]
    numbers += [[found.change, found.ci_low, found.floor, found.detectable], weights]
    assert reduce(lambda ok, values: ok and bool(np.isfinite(values).all()), numbers, True)


def test_one_document_each_tells_nothing(totals_of):
    drift = domain_drift(*totals_of([("a", "x")], [("b", "y")]), DriftPolicy(), 0)
    assert drift.states == ("vanished", "new")
    assert not drift.alarm.any()


def test_a_single_domain_has_no_mix_to_drift(made_up):
    corpus = made_up(0, domains=("all",), n_documents=500, n_words=100)
    drift = domain_drift(*(corpus.totals(half) for half in corpus.halves(0)), DriftPolicy(), 0)
    assert not drift.change.any()
    assert not drift.alarm.any()
    assert not any(divergence.alarm for measure in drift.mix for divergence in measure)
