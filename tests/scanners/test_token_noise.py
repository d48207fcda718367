"""The whole change as one number: scipy's, and beside the noise of the same documents."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from scanners.drift_policy import DriftPolicy
from scanners.token_changes import token_changes
from scanners.token_noise import whole_change

ALL = DriftPolicy(token_documents=0)


@pytest.fixture(scope="module")
def corpus(made_up):
    """A corpus all of whose words are in enough documents to stand for themselves."""
    return made_up(0, n_words=200)


def test_observed_numbers_are_those_of_scipy_and_of_the_parts(corpus):
    first, second = (corpus.totals(half) for half in corpus.halves(0))
    found = whole_change(first, second, ALL, 0)
    p, q = (version.counts.sum(axis=0) / version.counts.sum() for version in (first, second))
    changes = token_changes(first, second)
    variation, divergence, within = (d.noise.observed for d in found.divergences)
    assert found.rare == 0
    assert variation == pytest.approx(np.abs(p - q).sum() / 2)
    assert divergence == pytest.approx(jensenshannon(p, q, base=2) ** 2)
    assert within == pytest.approx(np.abs(changes.within).sum() / 2)
    assert found.mix == pytest.approx(np.abs(changes.mix).sum() / 2)
    assert [d.unit for d in found.divergences] == ["share", "bits", "share"]


def test_parts_of_domains_add_up_to_no_less_than_the_whole(corpus):
    found = whole_change(*(corpus.totals(half) for half in corpus.halves(0)), ALL, 0)
    assert (
        sum(noise.observed for noise in found.domain_within) >= found.divergences[2].noise.observed
    )
    assert found.domain_mix.sum() >= found.mix


def test_the_floor_is_what_random_halves_show(corpus):
    observed, means = [], []
    for seed in range(20):
        found = whole_change(
            *(corpus.totals(half) for half in corpus.halves(seed)), DriftPolicy(), seed
        )
        observed.append([d.noise.observed for d in found.divergences])
        means.append([d.noise.floor_mean for d in found.divergences])
    assert np.mean(means, axis=0) == pytest.approx(np.mean(observed, axis=0), rel=0.05)


@pytest.mark.parametrize("share", [0.1, 0.03])
def test_the_floor_holds_between_versions_of_unlike_size(made_up, share):
    corpus = made_up(1, n_documents=6_000, n_words=1_500)
    observed, means = [], []
    for seed in range(6):
        first = np.random.default_rng(seed).random(6_000) < share
        parts = (corpus.totals(np.flatnonzero(part)) for part in (first, ~first))
        found = whole_change(*parts, DriftPolicy(), seed)
        observed.append([d.noise.observed for d in found.divergences])
        means.append([d.noise.floor_mean for d in found.divergences])
        assert not any(d.alarm for d in found.divergences)
    assert np.mean(means, axis=0) == pytest.approx(np.mean(observed, axis=0), rel=0.1)


def test_rare_words_are_put_into_one(made_up):
    corpus = made_up(2, n_documents=300, n_words=1_000)
    first, second = (corpus.totals(half) for half in corpus.halves(0))
    held = (first.documents + second.documents).sum(axis=0)
    found = whole_change(first, second, DriftPolicy(token_documents=50), 0)
    assert found.rare == ((held > 0) & (held < 50)).sum()
    p, q = (version.counts.sum(axis=0) / version.counts.sum() for version in (first, second))
    change = q - p
    expected = np.abs(change[held >= 50]).sum() + abs(change[held < 50].sum())
    assert found.divergences[0].noise.observed == pytest.approx(expected / 2)


def test_the_same_seed_gives_the_same_numbers(corpus):
    first, second = (corpus.totals(half) for half in corpus.halves(0))
    one, other = (whole_change(first, second, ALL, 3) for _ in range(2))
    assert one.divergences == other.divergences
    assert one.domain_within == other.domain_within
    assert whole_change(first, second, ALL, 4).divergences != one.divergences
