"""The parts of a change add up, and its variance counts documents."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanners.token_changes import token_changes

TEXTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.lists(st.sampled_from("pqrst"), min_size=1).map(" ".join)),
    min_size=1,
    max_size=12,
)


@given(TEXTS, TEXTS)
@settings(max_examples=60, deadline=None)
def test_mix_and_within_make_up_the_whole_change(totals_of, before, after):
    changes = token_changes(*totals_of(before, after))
    whole = changes.candidate - changes.baseline
    assert changes.mix + changes.within == pytest.approx(whole, abs=1e-12)
    assert changes.mix.sum() + changes.within.sum() == pytest.approx(0, abs=1e-12)
    assert (changes.variance >= 0).all()


@given(TEXTS)
@settings(max_examples=30, deadline=None)
def test_a_version_does_not_differ_from_itself(totals_of, texts):
    changes = token_changes(*totals_of(texts, texts))
    assert np.abs(changes.within).max() < 1e-15
    assert np.abs(changes.mix).max() < 1e-15


def test_a_changed_mix_is_no_change_within_domains(totals_of):
    before = [("a", "x x y")] * 3 + [("b", "y z")]
    after = [("a", "x x y")] + [("b", "y z")] * 5
    changes = token_changes(*totals_of(before, after))
    assert np.abs(changes.within).max() < 1e-15
    assert np.abs(changes.mix).max() > 0.2


def test_a_domain_of_one_version_belongs_to_the_mix(totals_of):
    changes = token_changes(*totals_of([("a", "x y")], [("a", "x y"), ("b", "z z")]))
    assert changes.within.tolist() == [0, 0, 0]
    assert changes.mix.tolist() == [-0.25, -0.25, 0.5]
    changes = token_changes(*totals_of([("a", "x y"), ("b", "z z")], [("a", "x y")]))
    assert changes.mix.tolist() == [0.25, 0.25, -0.5]


def test_variance_is_the_sum_of_squared_residuals_of_documents(made_up):
    corpus = made_up(0, n_documents=300, n_words=20)
    rows = corpus.halves(0)
    changes = token_changes(*(corpus.totals(half) for half in rows))
    expected = np.zeros(20)
    tokens = [corpus.totals(half).domain_tokens for half in rows]
    for domain in range(3):
        weight = tokens[1][domain] / tokens[1].sum()
        for half, total in zip(rows, tokens, strict=True):
            x = corpus.counts[half[corpus.domain[half] == domain]].toarray()
            lengths = x.sum(axis=1)
            p = x.sum(axis=0) / total[domain]
            residuals = x - p * lengths[:, None]
            expected += weight**2 * (residuals**2).sum(axis=0) / total[domain] ** 2
    assert changes.own_variance == pytest.approx(expected)
    assert (changes.variance >= changes.own_variance).all()


def test_one_document_full_of_a_word_is_one_draw(totals_of):
    plain = [("a", f"u{i} v{i % 9}") for i in range(200)]
    changes = token_changes(*totals_of(plain, [*plain, ("a", "burst " * 50)]))
    number = np.argmax(changes.candidate)
    assert changes.within[number] / np.sqrt(changes.variance[number]) == pytest.approx(1, abs=0.15)


def test_copies_are_one_draw(totals_of):
    # 60 documents of each version; in one of them 40 are the same text.
    def version(name, copied):
        texts = [("a", f"{name}{i} v{i % 9} {'key' if i % 3 == 0 else 'u'}") for i in range(60)]
        return texts + [("a", "key key word")] * copied

    changes = token_changes(*totals_of(version("p", 0), version("q", 40)))
    number = np.argmax(changes.candidate - changes.baseline)
    z_of_documents = changes.within[number] / np.sqrt(changes.own_variance[number])
    z = changes.within[number] / np.sqrt(changes.variance[number])
    assert z_of_documents > 4
    assert z < 2.5
    assert changes.freedom[number] == 31


@pytest.mark.parametrize("share", [0.5, 0.05])
def test_z_is_standard_normal_between_parts_of_one_corpus(made_up, share):
    corpus = made_up(1, n_documents=4_000, n_words=1_000)
    z = []
    for seed in range(3):
        first = np.random.default_rng(seed).random(4_000) < share
        parts = [corpus.totals(np.flatnonzero(part)) for part in (first, ~first)]
        changes = token_changes(*parts)
        held = sum(part.documents.sum(axis=0) for part in parts) >= 20
        z.append(changes.within[held] / np.sqrt(changes.variance[held]))
    z = np.concatenate(z)
    assert 0.8 < z.std() < 1.05  # the largest of three variances: on the safe side
    assert (np.abs(z) > 1.96).mean() < 0.055
    assert np.abs(z).max() < 5


def test_the_domain_with_most_of_the_change_is_told(totals_of):
    before = [("a", "x y"), ("b", "x y y y"), ("c", "x")]
    after = [("a", "x y"), ("b", "x x x y"), ("c", "x")]
    changes = token_changes(*totals_of(before, after))
    assert changes.domain.tolist() == [1, 1]
    assert changes.domain_share.tolist() == [1, 1]


def test_a_weight_of_all_documents_does_not_matter(made_up):
    corpus = made_up(2, n_documents=300, n_words=50)
    first, second = (corpus.totals(half) for half in corpus.halves(0))
    heavy = scaled(second, 3.0)
    one, other = token_changes(first, second), token_changes(first, heavy)
    for name in ("mix", "within", "variance", "own_variance", "domain_share"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-9, abs=1e-15)


def scaled(totals, weight):
    """A version all of whose documents have a weight, as `indexes.profile.weighted` makes it."""

    return replace(
        totals,
        groups=totals.groups * weight,
        counts=totals.counts * weight,
        documents=totals.documents * weight,
        squares=totals.squares * weight**2,
        products=totals.products * weight**2,
        lengths_squared=totals.lengths_squared * weight**2,
        folds=totals.folds * weight,
    )
