"""Drift of the domain mix: what is planted is named, what is chance is not."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from scanners.domains import domain_drift as full_drift
from scanners.drift_policy import DriftPolicy
from scanners.totals import DOCUMENTS, TOKENS

POLICY = DriftPolicy()
domain_drift = partial(full_drift, splits=1_000)  # the speed of the tests


def permuted(totals, order):
    """The same totals with domains in another order."""
    rows = np.concatenate([np.arange(32) + 32 * number for number in order])
    return replace(
        totals,
        domains=tuple(totals.domains[number] for number in order),
        groups=totals.groups[order],
        counts=totals.counts[order],
        documents=totals.documents[order],
        squares=totals.squares[order],
        products=totals.products[order],
        lengths_squared=totals.lengths_squared[order],
        folds=totals.folds[rows],
    )


def numbers(drift):
    """All arrays of a drift, stacked."""
    names = [
        "baseline",
        "candidate",
        "change",
        "ci_low",
        "ci_high",
        "floor",
        "alarm_from",
        "detectable",
        "alarm",
    ]
    return np.stack([getattr(drift, name) for name in names]).astype(float)


def test_equal_versions_do_not_drift(made_up):
    corpus = made_up(0)
    totals = corpus.totals(np.arange(2_000))
    drift = domain_drift(totals, totals, POLICY, 0)
    assert not drift.change.any()
    assert not drift.floor.any()
    assert not drift.alarm.any()
    assert drift.states == ("kept",) * 3
    assert [d.noise.observed for measure in drift.mix for d in measure] == [0] * 9
    assert not any(d.alarm for measure in drift.mix for d in measure)


def test_random_halves_raise_no_alarm(made_up):
    corpus = made_up(1, n_words=50)
    for seed in range(20):
        drift = domain_drift(*(corpus.totals(half) for half in corpus.halves(seed)), POLICY, seed)
        assert not drift.alarm.any()
        assert not any(d.alarm for measure in drift.mix for d in measure)


def test_half_of_a_domain_removed_is_named(made_up):
    corpus = made_up(2)
    first, second = corpus.halves(0)
    gone = (corpus.domain[second] == 1) & (np.random.default_rng(0).random(len(second)) < 0.5)
    drift = full_drift(corpus.totals(first), corpus.totals(second[~gone]), POLICY, 0)
    assert drift.alarm[1, DOCUMENTS]
    assert (drift.change[1] < -0.08).all()
    assert (drift.ci_high[1] < 0).all()
    assert drift.relative[1] == pytest.approx(drift.candidate[1] / drift.baseline[1] - 1)
    assert all(divergence.alarm for divergence in drift.mix[DOCUMENTS])


def test_documents_that_both_versions_hold_are_no_noise(made_up):
    # A few documents of one domain are gone from an otherwise equal version: too few for two draws.
    corpus = made_up(3, domains=("large",) * 9 + ("small",))
    corpus = corpus._replace(domains=("large", "small"), domain=(corpus.domain == 9).astype(int))
    rows = np.arange(2_000)
    small = np.flatnonzero(corpus.domain == 1)
    left = np.setdiff1d(rows, small[:40])
    drift = domain_drift(corpus.totals(rows), corpus.totals(left), POLICY, 0)
    assert drift.alarm[1, DOCUMENTS]
    unpaired = corpus._replace(group=np.random.default_rng(9).integers(0, 256, 2_000))
    drift = domain_drift(corpus.totals(rows), unpaired.totals(left), POLICY, 0)
    assert not drift.alarm[1, DOCUMENTS]


def test_new_vanished_and_scarce_domains_are_told(totals_of):
    words = [f"w{i} v{i % 7}" for i in range(300)]
    before = [("kept", w) for w in words] + [("old", f"{w} o") for w in words[:60]]
    after = [("kept", f"{w} x") for w in words] + [("new", f"{w} n") for w in words[:60]]
    policy = DriftPolicy(minimum_shares={"kept": 0.9, "new": 0.01})
    drift = domain_drift(*totals_of(before, after), policy, 0)
    assert dict(zip(drift.domains, drift.states, strict=True)) == {
        "kept": "below minimum",
        "new": "new",
        "old": "vanished",
    }
    assert drift.alarm[:, TOKENS].all()
    assert drift.relative[drift.domains.index("old")].tolist() == [-1, -1, -1]
    assert np.isnan(drift.relative[drift.domains.index("new")]).all()
    assert not domain_drift(*totals_of(before, before), policy, 0).alarm[0, DOCUMENTS]
    assert domain_drift(*totals_of(before, before), policy, 0).alarm[
        0, TOKENS
    ]  # a limit is a limit


def test_a_domain_of_three_documents_may_come_and_go(totals_of):
    words = [f"w{i}" for i in range(200)]
    before = [("kept", w) for w in words] + [("old", f"o{i}") for i in range(3)]
    drift = domain_drift(*totals_of(before, [("kept", f"{w} x") for w in words]), POLICY, 0)
    assert drift.states[1] == "vanished"
    assert drift.baseline[1, DOCUMENTS] > POLICY.domain_change
    assert not drift.alarm.any()


def test_the_order_of_domains_does_not_matter(made_up):
    corpus = made_up(4)
    first, second = (corpus.totals(half) for half in corpus.halves(0))
    drift = numbers(domain_drift(first, second, POLICY, 7))
    order = [2, 0, 1]
    other = numbers(domain_drift(permuted(first, order), permuted(second, order), POLICY, 7))
    assert other == pytest.approx(drift[:, order], abs=1e-12)


def test_a_weight_of_all_documents_does_not_matter(made_up):
    corpus = made_up(5)
    first, second = (corpus.totals(half) for half in corpus.halves(0))
    heavy = replace(
        second,
        groups=second.groups * 2.5,
        counts=second.counts * 2.5,
        lengths_squared=second.lengths_squared * 2.5**2,
    )
    one, other = domain_drift(first, second, POLICY, 7), domain_drift(first, heavy, POLICY, 7)
    assert numbers(other) == pytest.approx(numbers(one), abs=1e-12)


@pytest.mark.slow
def test_intervals_hold_the_true_change_as_often_as_they_say(made_up):
    corpus = made_up(6, n_documents=1_500, n_words=50)
    held = []
    for seed in range(60):
        drift = domain_drift(*(corpus.totals(half) for half in corpus.halves(seed)), POLICY, seed)
        held.append((drift.ci_low <= 0) & (drift.ci_high >= 0))
    assert np.mean(held) == pytest.approx(0.95, abs=0.05)


@pytest.mark.slow
def test_what_is_called_detectable_is_found_in_four_of_five_cases(made_up):
    corpus = made_up(7, n_documents=4_000, n_words=50)
    detectable = domain_drift(
        *(corpus.totals(half) for half in corpus.halves(0)), POLICY, 0
    ).detectable[0, DOCUMENTS]
    found = []
    for seed in range(30):
        first, second = corpus.halves(seed)
        share = (corpus.domain[second] == 0).mean()
        wanted = share - detectable  # (share - gone) / (1 - gone) = wanted
        gone = (share - wanted) / (1 - wanted) / share
        drop = (corpus.domain[second] == 0) & (
            np.random.default_rng(seed).random(len(second)) < gone
        )
        drift = domain_drift(corpus.totals(first), corpus.totals(second[~drop]), POLICY, seed)
        found.append(bool(drift.alarm[0, DOCUMENTS]))
    assert np.mean(found) == pytest.approx(0.8, abs=0.2)
