"""Character 5-grams: the kernel against the definition in plain Python."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpora.reference_form import reference_words
from indexes.shingles import (
    BUCKET_BITS,
    SHINGLE_CHARS,
    characters,
    common_bits,
    is_common,
    shingle_hash,
    text_shingles,
)

# Characters that every version of Unicode since the frozen table spells alike.
texts = st.one_of(
    st.text(st.characters(max_codepoint=127), max_size=60),
    st.text(st.sampled_from("aAbBcC 019,.éÉ\u0301ﬁ½ßаеоΑ学校かไี한🙂\u200b\ufdfa𝔸"), max_size=40),
)


def spelled(text):
    return " ".join(word for word, _, _ in reference_words(text))


@given(texts)
@example("")
@example("The cat sat, the CAT sat.")
@example("学校の近くに川がある")
@settings(max_examples=400, deadline=None)
def test_every_five_characters_have_the_hash_of_the_definition(text):
    normal = spelled(text)
    grams = [normal[at : at + SHINGLE_CHARS] for at in range(len(normal) - SHINGLE_CHARS + 1)]
    assert "".join(map(chr, characters(text).tolist())) == normal
    assert text_shingles(text).tolist() == [shingle_hash(gram.encode()) for gram in grams]


@pytest.mark.parametrize(
    ("text", "n"),
    [("", 0), ("?!", 0), ("abcd", 0), ("a bc", 0), ("ａ　ｂｃ!", 0), ("abcde", 1), ("a b c", 1), ("学校山水", 3)],
)  # fmt: skip
def test_a_text_of_fewer_than_five_characters_has_none(text, n):
    assert text_shingles(text).shape == (n,)
    assert text_shingles(text).dtype == np.uint32


def test_the_spelling_of_a_text_does_not_matter_and_the_order_of_characters_does():
    assert text_shingles("The CAT, sat!").tolist() == text_shingles("thе сat sat").tolist()
    assert shingle_hash(b"abcde") != shingle_hash(b"edcba")


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=5, max_size=5), max_size=20)
)
@settings(max_examples=100, deadline=None)
def test_hashes_of_different_shingles_differ(shingles):
    # 20 of 2**32: two are equal once in twenty million draws
    assert len({shingle_hash(shingle.encode()) for shingle in shingles}) == len(set(shingles))


def test_the_hash_is_that_of_earlier_versions():
    # Signatures that were stored in somebody's datasketch index stay comparable.
    assert [shingle_hash(shingle.encode()) for shingle in (" the ", "hello", "学 校 山")] == [
        2344567353,
        4114495237,
        318766410,
    ]


@given(st.sets(st.integers(0, (1 << BUCKET_BITS) - 1), max_size=200))
@settings(max_examples=100, deadline=None)
def test_common_shingles_are_told_by_the_upper_bits_of_their_hash(buckets):
    bits = common_bits(np.array(sorted(buckets), np.uint32))
    assert (bits.dtype, bits.shape) == (np.uint64, ((1 << BUCKET_BITS) // 64,))
    random = np.random.default_rng(len(buckets))
    some = random.integers(0, 1 << 32, 200, np.uint32)
    inside = np.array([b << 32 - BUCKET_BITS | 77 for b in sorted(buckets)], np.uint32)
    for shingle in (*some, *inside):
        expected = int(shingle) >> 32 - BUCKET_BITS in buckets
        assert bool(is_common(bits, shingle)) == expected
