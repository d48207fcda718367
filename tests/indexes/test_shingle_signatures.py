"""Signatures of whole texts straight from their bytes: those of their 5-grams, one by one."""

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexes.minhash import EMPTY, signature_of
from indexes.shingle_signatures import SEGMENT_BYTES, shingle_signatures
from indexes.shingles import characters, shingle_hash, text_shingles
from pipelines.shard_step import text_buffers

WORDS = (
    "a",
    "study",
    "of",
    "the",
    "sluice",
    "in",
    "Ænother-town",
    "1908,",
    "école",
    "学校",
    "ﬁnds!",
)


def signed(texts):
    return shingle_signatures(*text_buffers(pa.array(texts, pa.large_string())))


def one_by_one(texts):
    return np.array([signature_of(text_shingles(text)) for text in texts], np.uint32)


def long_text(seed, n_bytes):
    random = np.random.default_rng(seed)
    words = [f"{random.choice(WORDS)}{random.integers(1000)}" for _ in range(n_bytes // 6)]
    return " ".join(words)


@given(
    st.lists(st.text(st.sampled_from("abAB 01.,éе学\u0301"), max_size=30), min_size=1, max_size=8)
)
@example([""])
@example(["abcd", "abcde", "", "ABCDE!", "  abcde  "])
@settings(max_examples=200, deadline=None)
def test_each_text_has_the_signature_of_its_shingles(texts):
    assert (signed(texts) == one_by_one(texts)).all()


def test_datasketch_gives_the_same_from_the_same_shingle_hashes():
    text = " ".join(WORDS)
    letters = "".join(map(chr, characters(text).tolist()))
    minhash = MinHash(num_perm=128, hashfunc=shingle_hash)
    minhash.update_batch([letters[at : at + 5].encode() for at in range(len(letters) - 4)])
    assert (signed([text])[0] == minhash.hashvalues).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_text_longer_than_a_piece_has_the_signature_of_the_whole(seed):
    texts = [long_text(seed, size) for size in (100, 3 * SEGMENT_BYTES, SEGMENT_BYTES, 1000)]
    assert max(map(len, texts)) > 2 * SEGMENT_BYTES
    assert (signed(texts) == one_by_one(texts)).all()


@pytest.mark.parametrize("shift", range(-7, 8))
def test_a_border_between_pieces_does_not_show(shift):
    one_word = "x" * (SEGMENT_BYTES - abs(shift))
    words = "ab " * (SEGMENT_BYTES // 3) + "z" * (shift + 8)
    for tail in ("", " ", " \n\n ", " the end", ". é"):
        texts = [one_word + tail, words + tail]
        assert (signed(texts) == one_by_one(texts)).all()


def test_a_text_without_white_space_is_cut_between_characters():
    texts = ["学" * SEGMENT_BYTES, "é" * SEGMENT_BYTES]
    alone = signed(texts)
    assert (alone[0] == one_by_one(texts[:1])[0]).all()  # each of its characters is a word
    assert (alone[1] != EMPTY).all()


def test_texts_do_not_share_what_was_seen():
    texts = ["the same words again and again", "the same words again and again"] * 3
    assert len(np.unique(signed(texts), axis=0)) == 1
