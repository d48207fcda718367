"""Probes of the banded index against comparing every band with every band."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.lsh import build_lsh, equal_positions, probe
from indexes.minhash import N_PERMUTATIONS, Bands, signature_of

BANDS = [Bands(42, 3), Bands(16, 8), Bands(128, 1), Bands(1, 128)]


def found_by(index, signature, size_class, room=10_000):
    """The owners that a probe gives, as often as it gives them."""
    found = np.full(room, -1, np.int32)
    n = probe(index, signature, size_class, found)
    assert (found[n:] == -1).all()
    return Counter(found[:n].tolist())


def sharing_a_band(signatures, owner, size_class, bands, signature, its_class):
    """The oracle: owners by the number of bands that they share with a signature of a class."""
    shared = Counter()
    for number, one_class in zip(owner, size_class, strict=True):
        if one_class != its_class:
            continue
        for first in range(0, bands.bands * bands.rows, bands.rows):
            same = (
                signatures[number][first : first + bands.rows]
                == signature[first : first + bands.rows]
            )
            shared[number] += bool(same.all())
    return +shared


@st.composite
def indexed(draw):
    """Signatures with many equal bands, in classes; some are in two, some in none."""
    bands = draw(st.sampled_from(BANDS))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    values = draw(st.sampled_from([2, 5, 1 << 32]))
    n = draw(st.integers(0, 12))
    signatures = random.integers(0, values, (n, N_PERMUTATIONS)).astype(np.uint32)
    if n > 1:  # two that share all bands but the first
        signatures[-1, bands.rows :] = signatures[0, bands.rows :]
    n_entries = draw(st.integers(0, 2 * n)) if n else 0
    owner = random.integers(0, max(1, n), n_entries)
    entries = sorted(
        {(int(o), int(c)) for o, c in zip(owner, random.integers(0, 3, n_entries), strict=True)}
    )
    owner, size_class = np.array(entries, np.int64).reshape(-1, 2).T.copy()
    probes = [*signatures, random.integers(0, values, N_PERMUTATIONS).astype(np.uint32)]
    return signatures, owner, size_class, bands, probes


@given(indexed())
@settings(max_examples=200, deadline=None)
def test_a_probe_gives_the_owners_that_share_a_band_of_its_class_once_a_band(case):
    signatures, owner, size_class, bands, probes = case
    index = build_lsh(signatures, owner, size_class, bands)
    for signature in probes:
        for its_class in range(4):  # nothing is in class 3
            expected = sharing_a_band(signatures, owner, size_class, bands, signature, its_class)
            assert found_by(index, signature, its_class) == expected


@pytest.mark.parametrize("bands", BANDS, ids=str)
def test_an_empty_index_gives_nothing(bands):
    none = np.zeros(0, np.int64)
    index = build_lsh(np.zeros((0, N_PERMUTATIONS), np.uint32), none, none, bands)
    assert found_by(index, np.zeros(N_PERMUTATIONS, np.uint32), 0) == Counter()


@pytest.mark.parametrize("bands", BANDS, ids=str)
def test_every_signature_of_a_large_index_is_found_in_its_class_only(bands):
    random = np.random.default_rng(3)
    signatures = random.integers(0, 1 << 32, (3000, N_PERMUTATIONS), np.uint32)
    size_class = random.integers(0, 9, len(signatures))
    index = build_lsh(signatures, np.arange(len(signatures)), size_class, bands)
    for number in range(0, len(signatures), 50):
        for its_class in range(9):
            expected = {number: bands.bands} if its_class == size_class[number] else {}
            assert found_by(index, signatures[number], its_class) == Counter(expected)


def test_owners_beyond_the_room_are_left_out():
    same = np.tile(np.arange(N_PERMUTATIONS, dtype=np.uint32), (5, 1))
    index = build_lsh(same, np.arange(5), np.zeros(5, np.int64), Bands(42, 3))
    assert found_by(index, same[0], 0) == Counter(dict.fromkeys(range(5), 42))
    assert found_by(index, same[0], 0, room=7).total() == 7
    assert found_by(index, same[0], 0, room=0).total() == 0


def test_pairs_are_found_as_often_as_the_s_curve_says():
    bands, pairs = Bands(42, 3), 1500
    random = np.random.default_rng(11)
    for shared, own in [(10, 45), (30, 35), (60, 20)]:
        sets = random.integers(0, 1 << 32, (pairs, shared + 2 * own), np.uint32)
        ours = np.array([signature_of(one[: shared + own]) for one in sets])
        others = [signature_of(np.delete(one, np.s_[shared : shared + own])) for one in sets]
        index = build_lsh(ours, np.arange(pairs), np.zeros(pairs, np.int64), bands)
        hits = sum(number in found_by(index, one, 0) for number, one in enumerate(others))
        probability = bands.probability(shared / (shared + 2 * own))
        error = math.sqrt(probability * (1 - probability) / pairs)
        # The numbers of one signature are as good as independent: within 4 standard errors.
        assert abs(hits / pairs - probability) <= 4 * error


def test_equal_positions_are_counted_by_their_low_bytes():
    random = np.random.default_rng(2)
    signatures = random.integers(0, 1 << 32, (4, N_PERMUTATIONS), np.uint32)
    index = build_lsh(signatures, np.arange(4), np.zeros(4, np.int64), Bands(42, 3))
    for number in range(4):
        low = signatures[0].astype(np.uint8)
        expected = int((signatures[number] & 255 == signatures[0] & 255).sum())
        assert equal_positions(index.low_bytes, number, low) == expected
    assert equal_positions(index.low_bytes, 0, signatures[0].astype(np.uint8)) == N_PERMUTATIONS
