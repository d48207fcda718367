"""Which n-grams were seen, against sets of tuples."""

import numpy as np
import pytest

from indexes.grams import build_grams, mark_seen, seen_at, seen_only
from indexes.seeds import SEED_WORDS

SIZES = (6, 8, 13)


def hashes_of(numbers):
    return np.random.default_rng(7).integers(0, 1 << 63, 1000, np.uint64)[np.asarray(numbers, int)]


def packed(patterns):
    starts = np.cumsum([0, *map(len, patterns)]).astype(np.int64)
    return hashes_of([word for pattern in patterns for word in pattern]), starts


def all_of(patterns):
    return dict.fromkeys(SIZES, np.ones(len(patterns), np.bool_))


def windows(text, size):
    return [tuple(text[at : at + size]) for at in range(len(text) - size + 1)]


def show(grams, patterns, document):
    """Do what the scanner does: tell of each run of seeds that any pattern has."""
    held = {gram for pattern in patterns for gram in windows(pattern, SEED_WORDS)}
    run = 0
    for at, seed in enumerate(windows(document, SEED_WORDS)):
        run = run + 1 if seed in held else 0
        if run:
            mark_seen(grams, hashes_of(document), at, run)


@pytest.mark.parametrize("letters", [2, 3, 6])
def test_seen_grams_are_those_that_a_document_holds(letters):
    random = np.random.default_rng(letters)
    patterns = [random.integers(0, letters, random.integers(0, 40)).tolist() for _ in range(30)]
    documents = [random.integers(0, letters, 25).tolist() for _ in range(12)]
    words, starts = packed(patterns)
    grams = build_grams(words, starts, all_of(patterns))
    for document in documents:
        show(grams, patterns, document)
    some = 0
    for size in SIZES:
        there = {gram for document in documents for gram in windows(document, size)}
        for number, pattern in enumerate(patterns):
            found = seen_at(grams, words, starts[number], starts[number + 1], size)
            expected = [gram in there for gram in windows(pattern, size)]
            assert found.tolist() == expected
            alone = seen_at(seen_only(grams), words, starts[number], starts[number + 1], size)
            assert alone.tolist() == expected
            some += sum(expected)
    assert some > 0
    assert len(seen_only(grams).seen) == grams.seen.sum() < len(grams.seen)


def test_a_document_that_only_has_the_parts_of_a_gram_does_not_show_it():
    pattern = list(range(8))
    words, starts = packed([pattern])
    grams = build_grams(words, starts, {8: np.ones(1, np.bool_)})
    show(grams, [pattern], [0, 1, 2, 3, 4, 5, 6, 99, 1, 2, 3, 4, 5, 6, 7])
    assert seen_at(grams, words, 0, 8, 8).tolist() == [False]
    show(grams, [pattern], [9, *pattern, 9])
    assert seen_at(grams, words, 0, 8, 8).tolist() == [True]


def test_only_chosen_patterns_are_kept():
    patterns = [list(range(10)), list(range(20, 30))]
    words, starts = packed(patterns)
    grams = build_grams(words, starts, {8: np.array([True, False])})
    for pattern in patterns:
        show(grams, patterns, pattern)
    assert len(grams.seen) == 3
    assert seen_at(grams, words, 0, 10, 8).all()
    assert not seen_at(grams, words, 10, 20, 8).any()


def test_equal_grams_of_two_patterns_are_kept_once():
    patterns = [list(range(9)), list(range(9))]
    words, starts = packed(patterns)
    assert len(build_grams(words, starts, {8: np.ones(2, np.bool_)}).seen) == 2


def test_a_pattern_shorter_than_n_has_no_gram():
    words, starts = packed([list(range(7))])
    grams = build_grams(words, starts, {8: np.ones(1, np.bool_)})
    assert len(grams.seen) == 0
    assert seen_at(grams, words, 0, 7, 8).tolist() == []


def test_n_has_to_be_longer_than_a_seed():
    words, starts = packed([list(range(9))])
    with pytest.raises(ValueError, match="n-grams of 5 words: n must be above 5"):
        build_grams(words, starts, {SEED_WORDS: np.ones(1, np.bool_)})
