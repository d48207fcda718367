"""Signatures of documents: what is hashed, that it is datasketch's, and how near the estimates come."""

import math

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.normal_form import word_hashes
from corpora.reference_form import reference_words
from indexes.document_links import band_keys
from indexes.document_signatures import sign_documents, word_shingles
from indexes.minhash import EMPTY, N_PERMUTATIONS, SCHEME, estimate, optimal_bands, to_datasketch
from pipelines.shard_step import text_buffers

WORDS = st.sampled_from(["a", "b", "Über", "7", "x—y", "学校", "n\u0303o", "\u200bz", "!!", "\n\n"])
TEXTS = st.lists(st.lists(WORDS, max_size=30).map(" ".join), max_size=8)
ANY_TEXTS = st.lists(st.text(max_size=60), max_size=4)


def sign(texts, **options):
    return sign_documents(*text_buffers(pa.array(texts, pa.large_string())), **options)


def theirs(shingles):
    """The signature that datasketch makes of the same hashes."""
    minhash = MinHash(N_PERMUTATIONS, scheme=SCHEME, hashfunc=int)
    for shingle in shingles.tolist():
        minhash.update(shingle)
    return minhash.hashvalues


# --- what is hashed -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(TEXTS | ANY_TEXTS)
def test_signatures_are_those_of_datasketch_bit_for_bit(texts):
    signed = sign(texts)
    for text, signature in zip(texts, signed.signatures, strict=True):
        assert signature.tolist() == theirs(word_shingles(word_hashes(text))).tolist()


@settings(deadline=None)
@given(TEXTS | ANY_TEXTS)
def test_words_are_counted_as_the_normal_form_has_them(texts):
    assert sign(texts).words.tolist() == [len(reference_words(text)) for text in texts]


@settings(deadline=None)
@given(TEXTS)
def test_equal_text_hashes_mean_equal_words(texts):
    spelled = [tuple(word for word, _, _ in reference_words(text)) for text in texts]
    hashes = sign(texts).text_hashes.tolist()
    assert len(set(zip(spelled, hashes, strict=True))) == len(set(spelled)) == len(set(hashes))


def test_case_punctuation_and_spacing_make_no_difference():
    signed = sign(
        ["The  quick—brown FOX, jumps!", "the quick brown fox jumps", "the quick brown fox jumped"]
    )
    assert signed.text_hashes[0] == signed.text_hashes[1] != signed.text_hashes[2]
    assert (signed.signatures[0] == signed.signatures[1]).all()


def test_the_order_of_words_makes_a_difference():
    signed = sign(["one two", "two one", "one", "one one", "a b c d e f", "a b c d f e"])
    assert len(set(signed.text_hashes.tolist())) == 6
    assert len({tuple(signature) for signature in signed.signatures.tolist()}) == 6


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_up_to_five_words_are_one_shingle(n):
    text = " ".join("abcde"[:n])
    (signature,) = sign([text]).signatures
    assert len(word_shingles(word_hashes(text))) == 1
    assert signature.tolist() == theirs(word_shingles(word_hashes(text))).tolist()


@pytest.mark.parametrize("text", ["", " \n", "?!", "\u200b", "— —"])
def test_a_text_without_words_has_the_empty_signature(text):
    signed = sign([text, "a"])
    assert (signed.signatures[0] == EMPTY).all()
    assert signed.words.tolist() == [0, 1]


# --- what changes nothing -------------------------------------------------------------------------------


@settings(deadline=None)
@given(TEXTS | ANY_TEXTS, st.integers(1, 40))
def test_pieces_and_batches_do_not_change_signatures(texts, piece_bytes):
    whole = sign(texts)
    pieces = sign(texts, piece_bytes=piece_bytes)
    assert all((a == b).all() for a, b in zip(whole, pieces, strict=True))
    for number, text in enumerate(texts):
        alone = sign([text])
        assert all((a[0] == b[number]).all() for a, b in zip(alone, whole, strict=True))


def test_a_long_text_without_white_space_is_signed_whole():
    text = "学校" * 200_000
    signed = sign([text, text + " end"])
    assert signed.words.tolist() == [400_000, 400_001]
    assert signed.signatures[0].tolist() == theirs(word_shingles(word_hashes("学校" * 10))).tolist()


# --- how near the estimates come -----------------------------------------------------------------------


def made_pairs(n_pairs, n_shingles, jaccard, seed):
    """Pairs of texts of distinct words, their sets of 5-grams alike as asked: a shared run, own ends."""
    random = np.random.default_rng(seed)
    shared = round(2 * n_shingles * jaccard / (1 + jaccard))
    pairs = []
    for _ in range(n_pairs):
        common = " ".join(f"c{n}" for n in random.integers(0, 1 << 40, shared + 4))
        ends = [
            " ".join(f"w{n}" for n in random.integers(0, 1 << 40, n_shingles - shared))
            for _ in range(2)
        ]
        pairs.append([f"{common} {end}".strip() for end in ends])
    return pairs


def exact_jaccard(one, other):
    ours, theirs = (
        {tuple(words[at : at + 5]) for at in range(len(words) - 4)}
        for words in (one.split(), other.split())
    )
    return len(ours & theirs) / len(ours | theirs)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.05, 1), st.integers(20, 200), st.integers(0, 1 << 30))
def test_the_error_of_the_estimate_is_that_of_theory(jaccard, n_shingles, seed):
    n_pairs = 100
    pairs = made_pairs(n_pairs, n_shingles, jaccard, seed)
    signed = sign([text for pair in pairs for text in pair]).signatures
    errors = np.array(
        [
            estimate(signed[2 * number], signed[2 * number + 1]) - exact_jaccard(*pair)
            for number, pair in enumerate(pairs)
        ]
    )
    exact = exact_jaccard(*pairs[0])  # the same for all pairs
    deviation = math.sqrt(exact * (1 - exact) / N_PERMUTATIONS)
    # Five standard errors: a false alarm in two million; of 100 squares, 1.4 / sqrt(100) each.
    assert abs(errors.mean()) <= 5 * deviation / math.sqrt(n_pairs) + 1e-12
    assert (errors**2).mean() <= deviation**2 * (1 + 5 * math.sqrt(2 / n_pairs)) + 1e-12


# --- what datasketch makes of them ----------------------------------------------------------------------


def test_an_index_of_datasketch_finds_the_pairs_that_share_a_band_of_ours():
    pairs = [pair for j in (0.6, 0.8, 0.9) for pair in made_pairs(40, 80, j, round(100 * j))]
    signatures = sign([text for pair in pairs for text in pair]).signatures
    bands = optimal_bands(0.8, 0.95)
    index = MinHashLSH(num_perm=N_PERMUTATIONS, params=tuple(bands))
    for number, signature in enumerate(signatures):
        index.insert(number, to_datasketch(signature))
    found = {
        (number, other)
        for number, signature in enumerate(signatures)
        for other in index.query(to_datasketch(signature))
        if number < other
    }
    keys = band_keys(signatures, bands)
    ours = {
        (one, other)
        for one in range(len(signatures))
        for other in range(one + 1, len(signatures))
        if (keys[:, one] == keys[:, other]).any()
    }
    assert ours == found
    assert 60 < len(ours) < len(pairs)  # of 120 pairs, 9 in 40, 38 in 40 and 40 in 40 are expected
