"""The n-gram index against dictionaries of plain tuples."""

from collections import defaultdict

import numpy as np
import pytest

from indexes.ngram import (
    FREE,
    LONG_WORDS,
    MOST_REPEATS,
    RARE_PATTERNS,
    build_index,
    find_entry,
    may_hold,
)
from indexes.seeds import SEED_WORDS, seed_at, seed_hashes

NO_PHRASES = np.zeros(0, np.uint64)


def hashes_of(numbers):
    """Word hashes of small numbers: random, but the same for the same number."""
    return np.random.default_rng(7).integers(0, 1 << 63, 1000, np.uint64)[np.asarray(numbers, int)]


def hash_of(gram):
    return np.uint64(seed_at(hashes_of(gram), 0, len(gram)))  # outside a kernel it is a plain int


def is_rare(index, gram):
    return bool(index.rare[find_entry(index.seeds.keys, index.seeds.entry, hash_of(gram))])


def index_of(patterns, phrases=NO_PHRASES):
    starts = np.cumsum([0, *map(len, patterns)]).astype(np.int64)
    return build_index(
        hashes_of([word for pattern in patterns for word in pattern]), starts, phrases
    )


def postings(table, gram):
    entry = find_entry(table.keys, table.entry, gram)
    if entry == FREE:
        return []
    rows = range(table.first[entry], table.first[entry + 1])
    return [(int(table.pattern[row]), int(table.offset[row])) for row in rows]


def grams(patterns, size):
    """{n-gram: its (pattern, offset)s in order}."""
    found = defaultdict(list)
    for number, pattern in enumerate(patterns):
        for at in range(len(pattern) - size + 1):
            found[tuple(pattern[at : at + size])].append((number, at))
    return found


def rare_grams(patterns, phrases=()):
    return {
        gram
        for gram, places in grams(patterns, SEED_WORDS).items()
        if len({pattern for pattern, _ in places}) <= RARE_PATTERNS and gram not in phrases
    }


def random_patterns(seed, *, count=60, letters=3, longest=40):
    random = np.random.default_rng(seed)
    return [random.integers(0, letters, random.integers(0, longest)).tolist() for _ in range(count)]


CASES = [
    pytest.param(random_patterns(1), id="few words: every seed is common"),
    pytest.param(random_patterns(2, letters=5, count=300), id="both tiers"),
    pytest.param(random_patterns(3, letters=200), id="every seed is rare"),
    pytest.param([[1] * 60, [1] * 12, [2] * 4, []], id="one word over and over"),
    pytest.param([], id="no patterns"),
]


@pytest.mark.parametrize("patterns", CASES)
def test_every_seed_is_found_with_its_first_places_in_each_pattern(patterns):
    index = index_of(patterns)
    expected = grams(patterns, SEED_WORDS)
    for gram, places in expected.items():
        seed = hash_of(gram)
        assert may_hold(index.filter, index.filter_shift, seed)
        assert postings(index.seeds, seed) == first_few(places)
    assert len(index.seeds.first) - 1 == len(expected)


def first_few(places):
    """The places that are posted: at most MOST_REPEATS of each pattern."""
    return [
        place
        for at, place in enumerate(places)
        if sum(p == place[0] for p, _ in places[:at]) < MOST_REPEATS
    ]


@pytest.mark.parametrize("patterns", CASES)
def test_rare_seeds_are_those_of_few_patterns(patterns):
    index = index_of(patterns)
    rare = rare_grams(patterns)
    for gram in grams(patterns, SEED_WORDS):
        assert is_rare(index, gram) == (gram in rare)


@pytest.mark.parametrize("patterns", CASES)
def test_a_run_of_13_words_without_a_rare_seed_is_a_long_gram_and_no_other_is(patterns):
    index = index_of(patterns)
    rare = rare_grams(patterns)
    posted = {
        (*place, gram)
        for gram, places in grams(patterns, SEED_WORDS).items()
        if gram in rare
        for place in first_few(places)
    }
    for window, places in grams(patterns, LONG_WORDS).items():
        silent = [
            (pattern, at)
            for pattern, at in places
            if not any(
                (pattern, at + step, window[step : step + SEED_WORDS]) in posted
                for step in range(LONG_WORDS - SEED_WORDS + 1)
            )
        ]
        assert postings(index.long, hash_of(window)) == first_few(silent)


@pytest.mark.parametrize("patterns", CASES)
def test_words_in_common_seeds_only_are_marked(patterns):
    index = index_of(patterns)
    rare = rare_grams(patterns)
    expected = []
    for pattern in patterns:
        for at in range(len(pattern)):
            first, last = max(0, at - SEED_WORDS + 1), min(at, len(pattern) - SEED_WORDS)
            over = [tuple(pattern[s : s + SEED_WORDS]) for s in range(first, last + 1)]
            expected.append(bool(over) and not set(over) & rare)
    assert index.common.tolist() == expected


@pytest.mark.parametrize(("holders", "rare"), [(32, True), (33, False)])
def test_a_seed_is_common_from_the_33rd_pattern_on(holders, rare):
    shared = [1, 2, 3, 4, 5]
    index = index_of([[100 + number, *shared] for number in range(holders)])
    assert is_rare(index, shared) == rare


def test_a_seed_often_in_one_pattern_stays_rare():
    index = index_of([[1, 2, 3, 4, 5] * (RARE_PATTERNS + 5)])
    assert index.rare.all()


def test_a_phrase_of_the_background_is_common_though_one_pattern_has_it():
    pattern = list(range(30))
    phrases = np.sort(seed_hashes(hashes_of(pattern[:20])))
    index = index_of([pattern], phrases)
    seeds = [pattern[at : at + SEED_WORDS] for at in range(26)]
    assert [is_rare(index, seed) for seed in seeds] == [False] * 16 + [True] * 10
    assert index.long.offset.tolist() == list(range(8))
    assert index.common.tolist() == [True] * 16 + [False] * 14


def test_the_filter_turns_away_nearly_all_other_seeds():
    index = index_of(random_patterns(4, letters=900, count=400))
    others = np.random.default_rng(5).integers(0, 1 << 63, 20_000, np.uint64) * np.uint64(2)
    held = sum(bool(may_hold(index.filter, index.filter_shift, seed)) for seed in others)
    assert held < len(others) / 40  # the module says 1 in 80, at worst; twice that is a fault


def test_a_hash_that_no_pattern_has_is_free():
    index = index_of(random_patterns(6))
    assert postings(index.seeds, np.uint64(12345)) == []
    assert postings(index_of([]).seeds, np.uint64(0)) == []


def test_a_seed_hash_depends_on_the_order_of_its_words():
    words = hashes_of(range(SEED_WORDS))
    assert len({int(seed_at(np.roll(words, by), 0, SEED_WORDS)) for by in range(SEED_WORDS)}) == 5


@pytest.mark.parametrize("n_words", [0, 4, 5, 6])
def test_a_text_has_a_seed_from_its_fifth_word_on(n_words):
    words = hashes_of(range(n_words))
    expected = [int(seed_at(words, at, SEED_WORDS)) for at in range(n_words - SEED_WORDS + 1)]
    assert seed_hashes(words).tolist() == expected
