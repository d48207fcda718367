"""Signatures against datasketch, bit for bit, and against the theory."""

import math

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from datasketch.lsh import _optimal_param
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.minhash import (
    EMPTY,
    N_PERMUTATIONS,
    SCHEME,
    SEED,
    Bands,
    estimate,
    from_datasketch,
    optimal_bands,
    permutations,
    signature_of,
    signatures,
    to_datasketch,
)
from indexes.shingles import shingle_hash, text_shingles

any_shingle = st.text(st.characters(exclude_categories=["Cs"]), min_size=5, max_size=5)
shingle_sets = st.sets(any_shingle, max_size=40)
hash_lists = st.lists(st.integers(0, (1 << 32) - 1), max_size=60)


def hashes_of(shingles):
    return np.array([shingle_hash(shingle.encode()) for shingle in shingles], np.uint32)


def theirs(
    shingles=(), *, seed=SEED, scheme=SCHEME, num_perm=N_PERMUTATIONS, hashfunc=shingle_hash
):
    minhash = MinHash(num_perm=num_perm, seed=seed, scheme=scheme, hashfunc=hashfunc)
    minhash.update_batch([shingle.encode() for shingle in shingles])
    return minhash


# --- the same numbers -------------------------------------------------------------------------------


@given(shingle_sets)
@settings(max_examples=150, deadline=None)
def test_a_signature_is_that_of_datasketch(shingles):
    ours = signature_of(hashes_of(shingles))
    assert ours.dtype == np.uint32
    assert ours.tolist() == theirs(shingles).hashvalues.tolist()


@given(st.sets(st.integers(0, (1 << 32) - 1), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_signature_of_any_hashes_is_that_of_datasketch(hashes):
    plain = theirs(hashfunc=lambda number: number)
    for number in hashes:
        plain.update(number)
    assert signature_of(np.array(list(hashes), np.uint32)).tolist() == plain.hashvalues.tolist()


def test_a_text_is_signed_as_datasketch_signs_its_five_character_substrings():
    text = "the quick brown fox jumps over the lazy dog 42 times été 学 校"
    normal = text.replace("é", "e\u0301")
    substrings = {normal[at : at + 5] for at in range(len(normal) - 4)}
    assert signature_of(text_shingles(text)).tolist() == theirs(substrings).hashvalues.tolist()


def test_the_permutations_are_those_of_datasketch_and_bijections():
    for seed in (SEED, 7):
        a, b = MinHash(num_perm=N_PERMUTATIONS, seed=seed, scheme=SCHEME).permutations
        assert permutations(seed).a.tolist() == np.asarray(a).tolist()
        assert permutations(seed).b.tolist() == np.asarray(b).tolist()
        assert np.all(permutations(seed).a % 2 == 1)


# --- sets -------------------------------------------------------------------------------------------


@given(hash_lists, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_order_and_repetition_do_not_matter(hashes, random):
    again = [*hashes, *random.choices(hashes, k=len(hashes))] if hashes else []
    random.shuffle(again)
    one = signature_of(np.array(hashes, np.uint32))
    assert one.tolist() == signature_of(np.array(again, np.uint32)).tolist()


@given(hash_lists, hash_lists)
@settings(max_examples=100, deadline=None)
def test_the_signature_of_a_union_is_the_smaller_of_each_two_numbers(one, other):
    both = signature_of(np.array([*one, *other], np.uint32))
    parts = signature_of(np.array(one, np.uint32)), signature_of(np.array(other, np.uint32))
    assert both.tolist() == np.minimum(*parts).tolist()


@given(st.lists(hash_lists, max_size=8))
@settings(max_examples=50, deadline=None)
def test_many_sets_are_signed_as_each_alone(sets):
    bounds = np.cumsum([0, *map(len, sets)]).astype(np.int64)
    together = signatures(np.array([h for one in sets for h in one], np.uint32), bounds)
    assert together.shape == (len(sets), N_PERMUTATIONS)
    for row, one in zip(together, sets, strict=True):
        assert row.tolist() == signature_of(np.array(one, np.uint32)).tolist()


def test_an_empty_set_has_the_empty_signature():
    empty = signature_of(np.zeros(0, np.uint32))
    assert empty.tolist() == [int(EMPTY)] * N_PERMUTATIONS
    assert to_datasketch(empty).is_empty()


# --- the estimate -----------------------------------------------------------------------------------

PAIRS = 400


def pairs_of(jaccard, size, seed):
    """Pairs of random sets with the same exact Jaccard similarity, as (one, other, J)."""
    random = np.random.default_rng(seed)
    shared = round(size * jaccard)
    own = (size - shared) // 2
    for _ in range(PAIRS):
        hashes = random.choice(1 << 32, shared + 2 * own, replace=False).astype(np.uint32)
        one, other = (
            hashes[: shared + own],
            np.concatenate([hashes[:shared], hashes[shared + own :]]),
        )
        yield one, other, shared / len(hashes)


@pytest.mark.parametrize("size", [30, 300])
@pytest.mark.parametrize("jaccard", [0.0, 0.1, 0.3, 0.5, 0.8, 0.95, 1.0])
def test_the_error_of_the_estimate_is_that_of_the_theory(jaccard, size):
    errors = np.array([
        estimate(signature_of(one), signature_of(other)) - exact
        for one, other, exact in pairs_of(jaccard, size, seed=size)
    ])  # fmt: skip
    (exact,) = {exact for *_, exact in pairs_of(jaccard, size, seed=size)}
    deviation = math.sqrt(exact * (1 - exact) / N_PERMUTATIONS)  # Broder 1997
    # 4 standard errors of a mean and of a mean square over so many pairs
    assert abs(errors.mean()) <= 4 * deviation / math.sqrt(PAIRS)
    assert (errors**2).mean() <= deviation**2 * (1 + 4 * math.sqrt(2 / PAIRS))


def test_the_error_on_texts_is_that_of_the_theory(vocabulary):
    random = np.random.default_rng(5)
    words, scaled = np.array(vocabulary(0, 400)), []
    for _ in range(PAIRS):
        one = random.choice(words, 60)
        other = np.where(random.random(60) < random.random(), one, random.choice(words, 60))
        a, b = (text_shingles(" ".join(text)) for text in (one, other))
        exact = len(np.intersect1d(a, b)) / len(np.union1d(a, b))
        error = estimate(signature_of(a), signature_of(b)) - exact
        if 0.02 < exact < 0.98:
            scaled.append(error / math.sqrt(exact * (1 - exact) / N_PERMUTATIONS))
    n = len(scaled)
    assert n > PAIRS / 2
    assert abs(np.mean(scaled)) <= 4 / math.sqrt(n)
    assert np.mean(np.square(scaled)) <= 1 + 4 * math.sqrt(2 / n)


# --- to datasketch and back -------------------------------------------------------------------------


@given(shingle_sets, shingle_sets)
@settings(max_examples=50, deadline=None)
def test_signatures_go_to_datasketch_and_come_back(one, other):
    signed = signature_of(hashes_of(one)), signature_of(hashes_of(other))
    sent = [to_datasketch(signature) for signature in signed]
    assert from_datasketch(sent[0]).tolist() == signed[0].tolist()
    assert from_datasketch(theirs(one)).tolist() == signed[0].tolist()
    assert from_datasketch(sent[0]).dtype == np.uint32
    assert sent[0] == theirs(one)
    assert sent[0].jaccard(theirs(other)) == estimate(*signed)


@pytest.fixture
def stored(vocabulary):
    """An index of datasketch (in memory) with our signatures of ten texts, and the texts."""
    texts = {number: vocabulary(60 * number, 60 * number + 50) for number in range(10)}
    index = MinHashLSH(threshold=0.5, num_perm=N_PERMUTATIONS, storage_config={"type": "dict"})
    for number, words in texts.items():
        index.insert(number, to_datasketch(signature_of(text_shingles(" ".join(words)))))
    return index, texts


def test_an_index_of_datasketch_finds_what_we_signed(stored):
    index, texts = stored
    for number, words in texts.items():
        copy = " ".join([*words[:20], "kub", *words[21:]])
        assert index.query(to_datasketch(signature_of(text_shingles(copy)))) == [number]
        shingles = {copy[at : at + 5] for at in range(len(copy) - 4)}
        assert index.query(theirs(shingles)) == [number]


def test_an_index_of_datasketch_does_not_find_another_text(stored, vocabulary):
    index, _ = stored
    other = to_datasketch(signature_of(text_shingles(" ".join(vocabulary(5000, 5050)))))
    assert index.query(other) == []


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"seed": 2}, r"scheme 'affine32', seed 2 and 128 permutations"),
        ({"scheme": "legacy"}, r"scheme 'legacy', seed 1 and 128"),
        ({"scheme": "affine64"}, r"scheme 'affine64', seed 1 and 128"),
        ({"num_perm": 64}, r"scheme 'affine32', seed 1 and 64"),
    ],
)
def test_a_signature_of_another_kind_is_refused_with_both_and_the_mend(other, named):
    with pytest.raises(ValueError, match=f"{named}.* ours of 'affine32', 1 and 128; make it anew"):
        from_datasketch(theirs(["hello"], **other))


# --- bands and rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("threshold", [0.1, 0.2, 0.35, 0.5, 0.7, 0.8, 0.9])
def test_bands_and_rows_are_those_of_datasketch(threshold, weight):
    expected = _optimal_param(threshold, N_PERMUTATIONS, 1 - weight, weight)
    assert optimal_bands(threshold, weight) == Bands(*expected)
    assert math.prod(expected) <= N_PERMUTATIONS


@pytest.mark.parametrize("bands", [Bands(1, 1), Bands(42, 3), Bands(16, 8), Bands(1, 128)])
@pytest.mark.parametrize("jaccard", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_s_curve_is_the_share_of_pairs_with_an_equal_band(bands, jaccard):
    draws = 20_000
    random = np.random.default_rng(bands.rows)
    # A position is equal with probability J: so often are all positions of at least one band.
    equal = random.random((draws, bands.bands)) < jaccard**bands.rows
    probability = bands.probability(jaccard)
    error = math.sqrt(probability * (1 - probability) / draws)
    assert abs(equal.any(axis=1).mean() - probability) <= 4 * error
    assert 0 <= probability <= 1


def test_the_s_curve_rises():
    curve = [Bands(42, 3).probability(jaccard / 20) for jaccard in range(21)]
    assert (curve[0], curve[-1]) == (0, 1)
    assert curve == sorted(curve)
