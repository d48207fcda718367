"""The kernel's buckets against a slow definition of them."""

import re
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scanners.domain_features import BUCKET_BITS, BUCKETS, CUT_BYTES, best_domains, document_buckets

PIECE = re.compile(
    rb"(?P<word>[0-9A-Za-z_\x80-\xe1]+)|(?P<line>[\r\n]+)(?P<indent>[ \t]*)"
    rb"|(?P<wide>[\xe2-\xef].{0,2}|[\xf0-\xff].{0,3})|(?P<sign>[!-~])",
    re.DOTALL,
)
M, OF_FIRST, MASK = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, (1 << 64) - 1


def mixed(h, value):
    h = (h ^ value) * M & MASK
    return h ^ h >> 29


def slow_buckets(text):
    """The set of buckets of one text, by a regular expression and Python's integers."""
    found, before = set(), None
    for piece in PIECE.finditer(text.encode()[:CUT_BYTES]):
        values = piece[0].lower()
        if piece["line"]:
            indent = sum(4 if c == 9 else 1 for c in piece["indent"])
            values = (10, min(indent, 16) // 2)
        h = 0xCBF29CE484222325
        for value in values:
            h = mixed(h, value)
        found.add((h * M & MASK) >> 64 - BUCKET_BITS)
        if before is not None:
            found.add((mixed(before * OF_FIRST & MASK, h) * M & MASK) >> 64 - BUCKET_BITS)
        before = h
    return found


def packed(texts):
    data = [text.encode() for text in texts]
    bounds = np.cumsum([0, *map(len, data)]).astype(np.int64)
    return np.frombuffer(b"".join(data), np.uint8), bounds


texts = st.lists(st.text("aZ_9 \t\n\r(.\u00e9\u4e2d\u201c\U0001f600\x00", max_size=40), max_size=5)


@settings(deadline=None)  # the first call compiles
@given(texts)
def test_buckets_are_those_of_the_definition_each_once(texts):
    buckets, ends = document_buckets(*packed(texts))
    found = [buckets[a:b].tolist() for a, b in pairwise(ends)]
    assert [set(each) for each in found] == [slow_buckets(text) for text in texts]
    assert all(len(set(each)) == len(each) for each in found)


def test_only_the_first_4_kib_count_even_where_they_cut_a_character():
    text = "ab " * 1365 + "\u4e2d" + "cd"
    assert len(text.encode()[:CUT_BYTES]) == CUT_BYTES
    (buckets, ends) = document_buckets(*packed([text, text + " more" * 1000, "x" * 10_000]))
    assert set(buckets[: ends[1]]) == set(buckets[ends[1] : ends[2]]) == slow_buckets(text)


@settings(deadline=None)  # the first call compiles
@given(texts, st.integers(0, 99))
def test_scores_are_dot_products_with_the_set_as_a_vector_of_length_1(texts, seed):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(BUCKETS, 3)).astype(np.float32)
    intercepts = rng.normal(size=3)
    best = best_domains(*packed(texts), weights, intercepts)
    for text, told in zip(texts, best, strict=True):
        buckets = sorted(slow_buckets(text))
        scores = (
            intercepts + weights[buckets].sum(axis=0, dtype=float) / max(len(buckets), 1) ** 0.5
        )
        assert scores[told] >= scores.max() - 1e-9


def test_a_document_without_anything_gets_the_first_of_the_highest_intercepts():
    weights = np.ones((BUCKETS, 3), np.float32)
    assert best_domains(*packed(["", " \x00 "]), weights, np.array([1.0, 2.0, 2.0])).tolist() == [
        1,
        1,
    ]
