"""Token drift: planted words are found and named, bursts, copies and a changed mix are not."""

import numpy as np
import pytest
from scipy import sparse

from scanners.drift_policy import DriftPolicy
from scanners.tokens import FALLER, KINDS, NEW, RISER, VANISHED, token_drift

POLICY = DriftPolicy()


@pytest.fixture(scope="module")
def corpus(made_up):
    """A corpus whose halves are compared."""
    return made_up(0, n_documents=4_000, n_words=2_000)


def compared(corpus, seed=0, change=lambda counts: counts, copies=()):
    """Compare the halves, after a change of the counts of the second."""
    first, second = corpus.halves(seed)
    changed = sparse.csr_array(change(corpus.counts))
    rows = np.concatenate([second, *copies]).astype(int)
    return token_drift(corpus.totals(first), corpus.totals(rows, changed), POLICY, seed)


def scaling(keys, factor):
    """Multiply the counts of some keys."""

    def change(counts):
        factors = np.ones(counts.shape[1])
        factors[keys] = factor
        changed = sparse.csr_array(counts.multiply(factors[None, :]))
        changed.eliminate_zeros()
        return changed

    return change


def test_random_halves_raise_no_alarm(corpus):
    for seed in range(10):
        drift = compared(corpus, seed)
        assert not drift.table.alarm.any()
        assert not any(divergence.alarm for divergence in drift.whole.divergences)
        assert not drift.whole.domain_alarms.any()


def test_a_version_does_not_differ_from_itself(corpus):
    totals = corpus.totals(np.arange(4_000))
    drift = token_drift(totals, totals, POLICY, 0)
    assert not drift.table.z.any()
    assert not drift.table.alarm.any()
    assert [divergence.noise.limit for divergence in drift.whole.divergences] == pytest.approx(
        [0, 0, 0], abs=1e-12
    )
    assert not any(divergence.alarm for divergence in drift.whole.divergences)


def test_deleted_words_have_vanished_and_no_others(corpus):
    held = (corpus.counts > 0).sum(axis=0)
    gone = np.flatnonzero((held > 80) & (held < 400))[:100]
    drift = compared(corpus, change=scaling(gone, 0))
    table = drift.table
    assert set(table.key[table.change_kind == VANISHED]) == set(gone)
    assert table.alarm.sum() == len(gone)
    assert (table.df_candidate[table.change_kind == VANISHED] == 0).all()
    assert np.isnan(table.log2_ratio[table.change_kind == VANISHED]).all()


def test_added_words_are_new(corpus):
    first, second = corpus.halves(0)
    held = (corpus.counts > 0).sum(axis=0)
    added = np.flatnonzero((held > 100) & (held < 400))[:50]
    changed = scaling(added, 0)(corpus.counts)
    drift = token_drift(corpus.totals(first, changed), corpus.totals(second), POLICY, 0)
    assert set(drift.table.key[drift.table.change_kind == NEW]) == set(added)


def test_risers_and_fallers_are_ranked(corpus):
    frequent = np.argsort(-corpus.counts.sum(axis=0))
    up, down = frequent[10:14], frequent[20:24]
    change = scaling(up, 3)
    drift = compared(corpus, change=lambda counts: scaling(down, 1 / 3)(change(counts)))
    table = drift.table
    for keys, kind in ((up, RISER), (down, FALLER)):
        rows = table.strongest(kind)
        assert set(table.key[rows]) == set(keys)
        assert (np.diff(np.abs(table.z[rows])) <= 0).all()
    assert {KINDS[kind] for kind in table.change_kind} == {"", "riser", "faller"}
    rows = table.strongest(RISER)
    assert table.within_log2_ratio[rows] == pytest.approx(np.full(4, np.log2(3)), abs=0.5)


def test_a_smaller_domain_is_no_drift_of_tokens(corpus):
    first, second = corpus.halves(1)
    gone = (corpus.domain[second] == 0) & (np.random.default_rng(0).random(len(second)) < 0.8)
    drift = token_drift(corpus.totals(first), corpus.totals(second[~gone]), POLICY, 0)
    whole, _, within = drift.whole.divergences
    assert whole.alarm
    assert not within.alarm
    assert not drift.table.alarm.any()
    assert drift.whole.mix > 0.1
    assert np.argmax(drift.whole.domain_mix) == 0


def test_copies_do_not_cry_wolf(corpus):
    _, second = corpus.halves(0)
    copied = np.repeat(second[:15], 10)
    assert not compared(corpus, copies=[copied]).table.alarm.any()


def test_a_change_of_everything_is_told_as_such(corpus):
    # What a tokenizer does that gives other ids to the same texts.
    order = np.random.default_rng(0).permutation(2_000)
    drift = compared(corpus, change=lambda counts: counts[:, order])
    assert all(divergence.alarm for divergence in drift.whole.divergences)
    assert drift.whole.domain_alarms.all()
    assert drift.whole.divergences[0].noise.ratio > 50


def test_untested_words_have_no_q_value(corpus):
    drift = compared(corpus)
    held = drift.table.df_baseline + drift.table.df_candidate
    assert drift.tested == (held >= 20).sum()
    assert np.array_equal(np.isnan(drift.table.q_value), held < 20)


def test_detectable_changes_grow_smaller_with_documents(corpus):
    ratios = [ratio for _, ratio in compared(corpus).detectable]
    assert len(ratios) >= 2
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] >= POLICY.token_log2


def test_the_order_of_keys_does_not_matter(corpus):
    order = np.random.default_rng(1).permutation(2_000)
    first, second = corpus.halves(0)
    found = []
    for columns in (np.arange(2_000), order):
        change = scaling(np.flatnonzero(np.isin(columns, np.arange(5, 10))), 4)
        counts = corpus.counts[:, columns]
        drift = token_drift(
            corpus.totals(first, counts), corpus.totals(second, change(counts)), POLICY, 0
        )
        place = np.argsort(columns[drift.table.key])
        found.append((drift.table.z[place], drift.table.change_kind[place]))
    assert found[1][0] == pytest.approx(found[0][0])
    assert np.array_equal(found[1][1], found[0][1])
    assert set(found[0][1]) == {0, RISER}
