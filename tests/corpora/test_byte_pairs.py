"""Merging against a definition that a reader can check by eye."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.byte_pairs import (
    SCRATCH,
    SEARCHED,
    build_merges,
    locate_merges,
    merge_piece,
)
from corpora.kernels import kernel
from corpora.peek import address_of


def merged_slowly(ids, pairs):
    """Merge the pair of the lowest rank, the leftmost first, until none is left."""
    ids = list(ids)
    while True:
        ranked = [(pairs[pair][0], at) for at, pair in enumerate(pairwise(ids)) if pair in pairs]
        if not ranked:
            return ids
        _, at = min(ranked)
        ids[at : at + 2] = [pairs[ids[at], ids[at + 1]][1]]


@kernel
def run(data, merges, scratch, ids):
    at = locate_merges(merges, scratch)
    return merge_piece(
        address_of(data), np.uint64(0), np.uint64(len(data)), at, address_of(ids[3:])
    )


def merged(text, merges):
    ids = np.zeros(len(text) + 3, np.uint32)
    n = int(run(np.frombuffer(text, np.uint8), merges, np.empty(SCRATCH, np.uint32), ids))
    assert not ids[:3].any()
    return ids[3 : 3 + n].tolist()


def random_pairs(seed, n_merges):
    """Merges over three bytes in an order in which each token exists before it merges.

    Every tenth makes a token that another pair makes too.
    """
    random = np.random.default_rng(seed)
    tokens = [97, 98, 99]
    spelled = {97: "a", 98: "b", 99: "c"}
    pairs = {}
    for _ in range(n_merges):
        left, right = random.choice(tokens, 2).tolist()
        if (left, right) in pairs:
            continue
        text = spelled[left] + spelled[right]
        same = [token for token in tokens if spelled[token] == text]
        made = same[0] if same else 256 + len(pairs)
        pairs[left, right] = len(pairs), made
        if not same:
            tokens.append(made)
            spelled[made] = text
    return pairs


@settings(max_examples=150, deadline=None)  # the first example compiles
@given(st.integers(0, 50), st.integers(0, 60), st.text("abc", min_size=1, max_size=400))
def test_merges_are_those_of_the_definition(seed, n_merges, text):
    pairs = random_pairs(seed, n_merges)
    expected = merged_slowly(text.encode(), pairs)
    assert merged(text.encode(), build_merges(range(256), pairs)) == expected


@pytest.mark.parametrize("size", [1, 2, SEARCHED - 1, SEARCHED, SEARCHED + 1, 5000])
def test_both_ways_agree_at_the_size_where_they_meet(size):
    pairs = random_pairs(1, 60)
    text = bytes(np.random.default_rng(size).choice(list(b"aabc"), size).tolist())
    assert merged(text, build_merges(range(256), pairs)) == merged_slowly(text, pairs)


def test_a_run_of_one_byte_merges_from_the_left():
    pairs = {(97, 97): (0, 300), (300, 300): (1, 301)}
    assert merged(b"a" * 7, build_merges(range(256), pairs)) == [301, 300, 97]
