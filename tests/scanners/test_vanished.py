"""Tokens are gone if chance would not leave the other version without them."""

import numpy as np
import pytest

from scanners.vanished import gone, independent_documents


def versions(n_held, n_without, n_other=200):
    """Documents with and without a word, and another version without it."""
    before = [("a", f"b{i} key") for i in range(n_held)] + [
        ("a", f"b{i}") for i in range(n_without)
    ]
    return before, [("a", f"c{i}") for i in range(n_other)]


@pytest.mark.parametrize(("n_held", "expected"), [(21, False), (23, True)])
def test_between_versions_of_one_size_each_document_is_a_coin(totals_of, n_held, expected):
    # n documents are all in one of two equal halves with chance 2^-n, and 401 words are tested.
    before, after = versions(n_held, 200 - n_held)
    assert (n_held > np.log2(401 / 0.0001)) == expected
    found = gone(*totals_of(before, after), 0.0001)
    assert found.sum() == expected


@pytest.mark.parametrize(("held", "expected"), [(250, False), (400, True)])
def test_against_a_large_reference_it_is_the_rule_of_expected_documents(totals_of, held, expected):
    # 2,000 documents against 100: mu = held / 20 should hold the word, and V exp(-mu) < chance.
    before = [("a", f"b{i}" + (" key" if i < held else "")) for i in range(2_000)]
    first, second = totals_of(before, [("a", f"c{i}") for i in range(100)])
    assert (held / 20 > np.log(len(first.keys) / 0.001)) == expected
    assert gone(first, second, 0.001).sum() == expected


def test_copies_count_once(totals_of):
    copied = [("a", "key word")] * 60 + [("a", f"b{i}") for i in range(200)]
    first, second = totals_of(copied, [("a", f"c{i}") for i in range(260)])
    assert not gone(first, second, 0.001).any()
    independent = [("a", f"key word{i}") for i in range(60)] + copied[60:]
    first, second = totals_of(independent, [("a", f"c{i}") for i in range(260)])
    assert gone(first, second, 0.001).sum() == 1


def test_a_domain_that_is_gone_says_nothing_of_tokens(totals_of):
    before = [("a", f"key b{i}") for i in range(60)] + [("b", f"b{i}") for i in range(60)]
    first, second = totals_of(before, [("b", f"c{i}") for i in range(60)])
    assert not gone(first, second, 0.001).any()


def test_independent_documents_are_estimated_from_folds(made_up):
    corpus = made_up(0, n_documents=3_000, n_words=400)
    totals = corpus.totals(np.arange(100))
    held = totals.documents.sum(axis=0)
    few = (held > 5) & (held < 40)
    ratio = independent_documents(totals)[few] / held[few]
    assert ratio.mean() == pytest.approx(1, abs=0.1)
