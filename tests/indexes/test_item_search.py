"""Search among rows: what is pruned is a subset of what is there, with the same cosines."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.embeddings.item_search import (
    build_lists,
    open_all,
    search,
    search_room,
    whole_numbers,
)
from indexes.embeddings.word_vectors import ONE_LENGTH, PRODUCT_UNIT

DIMENSION = 64
LEVELS = 2


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def made(seed, n_rows=600, floor=0.6):
    """Rows around a few topics, windows of general text, and their lists."""
    random = np.random.default_rng(seed)
    topics = random.normal(size=(12, DIMENSION))
    rows = unit(topics[random.integers(12, size=n_rows)] + random.normal(size=(n_rows, DIMENSION)))
    background = [
        whole_numbers(unit(random.normal(size=(300, DIMENSION))).astype(np.float32))
        for _ in range(LEVELS)
    ]
    entries = np.repeat(np.arange(n_rows, dtype=np.int32), LEVELS)
    levels = np.tile(np.arange(LEVELS), n_rows)
    vectors = whole_numbers(rows.astype(np.float32))
    floors = np.full(len(entries), floor)
    return rows, build_lists(vectors, entries, levels, floors, background), random


def found(lists, window, level=0):
    """Search as the scanner does: with a window's exact sum and its products with the centres."""
    total = np.rint(window * 30_000).astype(np.int32)
    length = float(np.sqrt((total.astype(np.float64) ** 2).sum()))
    products = (total.astype(np.int64) @ lists.centres.T.astype(np.int64)) / ONE_LENGTH
    high = np.rint(products / PRODUCT_UNIT).astype(np.int16)
    rounded = np.rint(total * (ONE_LENGTH / length)).astype(np.int16)
    n_rows = int(lists.row.max(initial=-1)) + 1
    rows, cosines = np.empty(n_rows, np.int32), np.empty(n_rows, np.float32)
    n = search(
        np.zeros_like(high), high, total, length, rounded, level, lists,
        search_room(len(high)), rows, cosines,
    )  # fmt: skip
    return dict(zip(rows[:n].tolist(), cosines[:n].tolist(), strict=True))


def diluted(row, random, cosine):
    """A window at a cosine of a row."""
    noise = random.normal(size=DIMENSION)
    noise = unit(noise - (noise @ row) * row)
    return cosine * row + np.sqrt(1 - cosine**2) * noise


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.floats(0.3, 1.0))
def test_what_is_pruned_is_a_subset_with_the_same_cosines(seed, cosine):
    rows, lists, _ = made(seed % 5)
    random = np.random.default_rng(seed)
    window = diluted(rows[seed % len(rows)], random, cosine)
    exact = found(open_all(lists), window)
    pruned = found(lists, window)
    assert pruned.items() <= exact.items()


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_exact_search_finds_what_a_product_of_matrices_finds(seed):
    rows, lists, _ = made(seed % 5)
    window = diluted(rows[seed % len(rows)], np.random.default_rng(seed), 0.8)
    cosines = rows @ window
    exact = found(open_all(lists), window)
    surely = set(np.flatnonzero(cosines >= 0.6 + 1e-3).tolist())
    perhaps = set(np.flatnonzero(cosines >= 0.6 - 1e-3).tolist())
    assert surely <= set(exact) <= perhaps
    for row, cosine in exact.items():
        assert abs(cosine - cosines[row]) < 1e-3


def test_pruning_loses_about_one_in_a_hundred_at_the_floor_and_none_well_above():
    rows, lists, random = made(3, n_rows=2000)
    at_floor = sum(
        row in found(lists, diluted(rows[row], random, 0.62)) for row in range(0, 2000, 2)
    )
    above = sum(row in found(lists, diluted(rows[row], random, 0.8)) for row in range(0, 2000, 4))
    assert at_floor >= 0.97 * 1000
    assert above == 500


def test_pruning_opens_few_lists_for_general_text():
    _, lists, random = made(3, n_rows=2000)
    passes = lists._replace(least=np.full_like(lists.least, -(2**30)), floor=lists.floor - 9)
    looked_at = [
        len(found(passes, unit(random.normal(size=DIMENSION)))) for _ in range(200)
    ]  # rows that got through the lists and the sieve
    assert np.mean(looked_at) < 0.02 * 2000


def test_levels_are_kept_apart():
    rows, _, _ = made(1)
    vectors = whole_numbers(rows[:2].astype(np.float32))
    noise = [np.zeros((0, DIMENSION), np.int16)] * 2
    lists = build_lists(
        vectors, np.array([0, 1], np.int32), np.array([0, 1]), np.array([0.5, 0.5]), noise
    )
    assert set(found(lists, rows[0], level=0)) == {0}
    assert set(found(lists, rows[1], level=1)) == {1}
    assert set(found(lists, rows[0], level=1)) <= {1} - {0}


def test_each_row_has_its_own_floor():
    rows, _, random = made(2)
    vectors = whole_numbers(np.stack([rows[0], rows[0]]).astype(np.float32))
    noise = [np.zeros((0, DIMENSION), np.int16)]
    lists = build_lists(
        vectors, np.array([0, 1], np.int32), np.zeros(2, np.int64), np.array([0.5, 0.9]), noise
    )
    assert set(found(lists, diluted(rows[0], random, 0.95))) == {0, 1}
    assert set(found(lists, diluted(rows[0], random, 0.7))) == {0}
    assert found(lists, diluted(rows[0], random, 0.4)) == {}


def test_no_rows_are_found_among_none():
    none = np.zeros((0, DIMENSION), np.int16)
    lists = build_lists(none, np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0), [none])
    assert found(lists, unit(np.ones(DIMENSION))) == {}
