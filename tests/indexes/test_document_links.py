"""Linking: the clusters are those of a slow oracle, and large buckets cost no more than they must."""

import math
from functools import reduce
from operator import or_

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.document_links import (
    BASELINE,
    CANDIDATE,
    MOST_HEADS,
    MOST_PAIRED,
    Linker,
    Texts,
    band_keys,
    equal_positions,
    least_equal_positions,
    link_probability,
)
from indexes.minhash import N_PERMUTATIONS, Bands, optimal_bands

BANDS = Bands(16, 8)


def readonly(signatures):
    """As signatures come from a mapped file, for which the kernels are compiled."""
    signatures.flags.writeable = False
    return signatures


def link(signatures, versions=None, *, bands=BANDS, least_equal=100, order=None, seed=0):
    n = len(signatures)
    versions = np.full(n, CANDIDATE) if versions is None else np.array(versions, np.uint8)
    linker = Linker(readonly(signatures), Texts(np.arange(n), versions), least_equal, seed)
    keys = band_keys(signatures, bands)
    for band in range(bands.bands) if order is None else order:
        linker.add_band(keys[band])
    return linker


def copies(original, changed, seed):
    """A copy of a signature for each number in `changed`, with so many positions made unequal."""
    random = np.random.default_rng(seed)
    out = np.tile(original, (len(changed), 1))
    for row, n in zip(out, changed, strict=True):
        row[random.permutation(N_PERMUTATIONS)[:n]] = random.integers(1 << 31, 1 << 32, n)
    return out


def families(seed, sizes, most_changed=40):
    """Signatures in families around random originals, in random order."""
    random = np.random.default_rng(seed)
    parts = [np.zeros((0, N_PERMUTATIONS), np.uint32)]
    for size in sizes:
        original = random.integers(0, 1 << 31, N_PERMUTATIONS, dtype=np.uint32)
        changed = random.integers(0, most_changed, size)
        parts.append(copies(original, changed, random.integers(1 << 30)))
    every = np.concatenate(parts)
    return every[random.permutation(len(every))]


def alike_pairs(signatures, bands, least_equal):
    """The slow oracle: pairs that share a band and agree on enough positions."""
    n = len(signatures)
    cut = signatures[:, : bands.bands * bands.rows].reshape(n, bands.bands, bands.rows)
    return [
        (x, y)
        for x in range(n)
        for y in range(x)
        if (cut[x] == cut[y]).all(axis=1).any()
        and (signatures[x] == signatures[y]).sum() >= least_equal
    ]


def components(n, pairs):
    """The first member of the cluster of each of n."""
    root = list(range(n))
    for _ in range(n):  # until nothing moves
        for x, y in pairs:
            root[x] = root[y] = min(root[x], root[y])
    return root


# --- clusters -------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 1 << 30), st.lists(st.integers(1, 6), max_size=5), st.data())
def test_clusters_are_those_of_the_oracle_within_and_across_versions(seed, sizes, data):
    signatures = families(seed, sizes)
    n = len(signatures)
    versions = data.draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))
    linker = link(signatures, versions)
    pairs = alike_pairs(signatures, BANDS, 100)
    assert linker.roots().tolist() == components(n, pairs)
    if np.bitwise_or.reduce(np.array(versions, np.uint8)) == 3:
        for version in (BASELINE, CANDIDATE):
            own = [(x, y) for x, y in pairs if versions[x] & versions[y] & version]
            assert linker.roots(version).tolist() == components(n, own)
        for number in range(n):
            others = {x + y - number for x, y in pairs if number in (x, y)}
            near = reduce(or_, (versions[other] for other in others), 0)
            missing = 3 & ~versions[number]
            assert linker.near[number] & missing == near & missing


@settings(deadline=None)
@given(st.integers(0, 1 << 30), st.permutations(range(16)))
def test_the_order_of_bands_does_not_change_clusters(seed, order):
    signatures = families(seed, [5, 4, 3, 1, 1])
    assert link(signatures, order=order).roots().tolist() == link(signatures).roots().tolist()


def test_nothing_and_one_text_are_no_cluster():
    assert link(families(0, [])).roots().tolist() == []
    assert link(families(0, [1])).roots().tolist() == [0]


def test_clusters_of_one_version_do_not_change_beside_another():
    signatures = families(5, [6, 6, 6, 1], most_changed=60)
    versions = np.array(([1, 2, 2, 3] * 5)[: len(signatures)])
    own = np.flatnonzero(versions & CANDIDATE)
    alone = link(signatures[own].copy()).roots()
    beside = link(signatures, versions).roots(CANDIDATE)[own]
    assert own[alone].tolist() == beside.tolist()


# --- large buckets ----------------------------------------------------------------------------------------


def test_thousands_of_one_form_cost_about_one_comparison_each():
    n = 5000
    original = np.random.default_rng(1).integers(0, 1 << 31, N_PERMUTATIONS, dtype=np.uint32)
    signatures = copies(original, [3] * n, 2)
    linker = link(signatures)
    assert set(linker.roots().tolist()) == {0}
    assert linker.comparisons < 2 * n
    assert linker.buckets_cut > 0


def test_a_large_bucket_of_texts_that_are_not_alike_is_bounded():
    n = 3000
    signatures = families(3, [1] * n)
    signatures[:, :8] = 7  # one band agrees everywhere, and nothing else
    linker = link(signatures)
    assert linker.roots().tolist() == list(range(n))
    assert linker.buckets_cut == 1
    assert linker.comparisons <= n * (MOST_HEADS + 1)


def test_families_in_one_large_bucket_are_told_apart():
    signatures = families(4, [400] * 10, most_changed=10)
    signatures[:, :8] = 7
    roots = link(signatures).roots()
    assert len(set(roots.tolist())) == 10


def test_every_text_of_a_large_bucket_learns_of_its_copy_in_the_other_version():
    n = 4 * MOST_PAIRED
    original = np.random.default_rng(6).integers(0, 1 << 31, N_PERMUTATIONS, dtype=np.uint32)
    signatures = copies(original, [2] * n, 7)
    versions = np.where(np.arange(n) % 3 == 0, BASELINE, CANDIDATE)
    linker = link(signatures, versions)
    assert ((linker.near | versions) == BASELINE | CANDIDATE).all()
    assert len(set(linker.roots(CANDIDATE)[versions == CANDIDATE].tolist())) == 1


# --- pairs for proof ----------------------------------------------------------------------------------------


def test_drawn_pairs_are_linked_pairs_and_depend_on_the_seed_only():
    signatures = families(8, [3] * 700, most_changed=10)
    linker = link(signatures, seed=5)
    drawn = linker.drawn()
    assert len(drawn.one) == 1000
    assert (drawn.equal >= 100).all()
    assert drawn.equal.tolist() == equal_positions(signatures, drawn.one, drawn.other).tolist()
    assert (linker.roots()[drawn.one] == linker.roots()[drawn.other]).all()
    again, other = link(signatures, seed=5).drawn(), link(signatures, seed=6).drawn()
    assert all((a == b).all() for a, b in zip(drawn, again, strict=True))
    assert set(zip(drawn.one, drawn.other, strict=True)) != set(
        zip(other.one, other.other, strict=True)
    )


def test_where_there_are_few_links_all_are_drawn():
    linker = link(families(9, [4, 3, 1], most_changed=5))
    assert len(linker.drawn().one) == 3 + 2


# --- probabilities ---------------------------------------------------------------------------------------


def test_the_positions_needed_are_the_least_that_reach_the_threshold():
    assert least_equal_positions(0.8) == 103
    assert least_equal_positions(0.75) == 96
    assert least_equal_positions(1.0) == 128


@pytest.mark.parametrize("jaccard", [0.7, 0.78, 0.8, 0.85])
def test_the_probability_of_a_link_is_that_of_random_signatures(jaccard):
    n, least = 200_000, least_equal_positions(0.8)
    bands = Bands(12, 10)  # most of the 0.8 pairs that share no band have enough positions
    equal = np.random.default_rng(1).random((n, N_PERMUTATIONS)) < jaccard
    shares = equal[:, :120].reshape(n, 12, 10).all(axis=2).any(axis=1)
    linked = (shares & (equal.sum(axis=1) >= least)).mean()
    expected = link_probability(jaccard, bands, least)
    assert abs(linked - expected) < 5 * math.sqrt(expected * (1 - expected) / n)


def test_the_probability_of_a_link_ends_at_none_and_all():
    bands = optimal_bands(0.8, 0.95)
    assert link_probability(0.0, bands, 103) == pytest.approx(0, abs=1e-12)
    assert link_probability(1.0, bands, 103) == pytest.approx(1)
    assert link_probability(0.9, bands, 0) == pytest.approx(bands.probability(0.9))
