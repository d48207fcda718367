"""Exact search: each backend against an oracle that a reader can check by eye."""

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexes.embeddings import exact_search
from indexes.embeddings.encoder import unit_rows
from indexes.embeddings.exact_search import (
    ExactSearcher,
    FaissFlat,
    NumpyFlat,
    TorchFlat,
    make_searcher,
    pair_scores,
    searchable,
)

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
BACKENDS = [
    pytest.param(NumpyFlat, id="numpy"),
    pytest.param(
        FaissFlat,
        id="faiss",
        marks=pytest.mark.skipif(find_spec("faiss") is None, reason="faiss is not installed"),
    ),
    pytest.param(
        lambda items: TorchFlat(items, "cpu", half=False),
        id="torch",
        marks=[pytest.mark.slow, needs_torch],
    ),
    pytest.param(
        lambda items: TorchFlat(items, "cpu", half=True),
        id="torch-half",
        marks=[pytest.mark.slow, needs_torch],
    ),
]


def expected_hits(queries, items, k, floor):
    """Every pair scored on its own in double precision; the best k, ties by item."""
    hits = []
    for q, query in enumerate(queries):
        scored = []
        for i, item in enumerate(items):
            if np.isfinite(query).all() and query.any() and np.isfinite(item).all() and item.any():
                scored.append((-np.float32((query.astype(float) * item).sum()), i))
        hits += [(q, i, -score) for score, i in sorted(scored)[:k] if -score >= np.float32(floor)]
    return hits


def found_hits(searcher, queries, k, floor):
    hits = searcher.scan(queries, k, floor)
    assert (hits.query.dtype, hits.item.dtype, hits.score.dtype) == (np.int64, np.int64, np.float32)
    return list(zip(hits.query.tolist(), hits.item.tolist(), hits.score, strict=True))


def some_rows(seed, n, d, kinds):
    """Unit rows on a coarse grid, so that many tie; some are zeros, some hold what is no number."""
    random = np.random.default_rng(seed)
    rows = unit_rows(random.integers(-1, 2, (n, d)).astype(np.float32))
    for kind in kinds:
        if n:
            rows[random.integers(n)] = {"zero": 0, "nan": np.nan, "inf": np.inf}[kind]
    return rows


kinds = st.lists(st.sampled_from(["zero", "nan", "inf"]), max_size=3)


@pytest.mark.parametrize("backend", BACKENDS)
@given(
    seed=st.integers(0, 2**32),
    n_queries=st.integers(0, 9),
    n_items=st.integers(0, 60),
    d=st.sampled_from([1, 3, 8]),
    k=st.integers(0, 70),
    floor=st.sampled_from([-1.0, 0.0, 0.5, 0.70710677, 1.0, 1.5]),
    query_kinds=kinds,
    item_kinds=kinds,
)
@example(1, 3, 60, 1, 2, 1.0, [], [])  # all ties
@example(1, 1, 1, 3, 1, -1.0, ["zero"], ["zero"])
def test_every_backend_gives_the_oracles_hits(
    backend, seed, n_queries, n_items, d, k, floor, query_kinds, item_kinds
):
    queries = some_rows(seed, n_queries, d, query_kinds)
    items = some_rows(seed + 1, n_items, d, item_kinds)
    expected = expected_hits(queries, items, k, floor)
    found = found_hits(ExactSearcher(items, backend), queries, k, floor)
    assert [hit[:2] for hit in found] == [hit[:2] for hit in expected]
    assert [hit[2] for hit in found] == [hit[2] for hit in expected]


@pytest.mark.parametrize("backend", BACKENDS)
def test_backends_agree_on_vectors_as_models_give_them(backend):
    random = np.random.default_rng(3)
    items = unit_rows(random.normal(size=(700, 384)).astype(np.float32))
    queries = unit_rows(items[:200] + 0.05 * random.normal(size=(200, 384)).astype(np.float32))
    items[300:340] = items[5]  # forty ties at the top of query 5
    queries[9], items[20] = 0, np.nan
    expected = found_hits(ExactSearcher(items, NumpyFlat), queries, 10, 0.05)
    assert found_hits(ExactSearcher(items, backend), queries, 10, 0.05) == expected
    assert [item for query, item, _ in expected if query == 5] == [5, *range(300, 309)]
    assert [query for query, _, _ in expected if query == 9] == []
    assert 20 not in [item for _, item, _ in expected]
    direct = queries.astype(np.float64) @ np.nan_to_num(items.astype(np.float64)).T
    assert len(expected) == np.minimum((direct >= 0.05).sum(axis=1), 10).sum()


@pytest.mark.parametrize("backend", BACKENDS)
def test_tiles_do_not_change_hits(backend, monkeypatch):
    queries, items = some_rows(1, 50, 8, ["nan"]), some_rows(2, 90, 8, ["zero"])
    whole = found_hits(ExactSearcher(items, backend), queries, 5, 0.3)
    monkeypatch.setattr(exact_search, "CPU_SCORES", 300)
    monkeypatch.setattr(exact_search, "PAIRS", 7)
    assert found_hits(ExactSearcher(items, backend), queries, 5, 0.3) == whole
    one_by_one = [
        (q, item, score)
        for q in range(50)
        for _, item, score in found_hits(ExactSearcher(items, backend), queries[q : q + 1], 5, 0.3)
    ]
    assert one_by_one == whole


def test_a_gpus_limit_on_hits_is_made_up_for(monkeypatch):
    pytest.importorskip("faiss")
    items = np.repeat(np.eye(3, dtype=np.float32), 40, axis=0)
    backend = FaissFlat(items)
    backend._most = 20  # as if it were FAISS_GPU_MOST
    searcher = ExactSearcher(items, lambda _: backend)
    assert found_hits(searcher, items[:1], 30, 0.5) == [(0, i, 1.0) for i in range(30)]
    assert found_hits(searcher, items[50:51], 2, 0.5) == [(0, 40, 1.0), (0, 41, 1.0)]


def test_a_pairs_score_does_not_depend_on_the_others():
    random = np.random.default_rng(0)
    a = unit_rows(random.normal(size=(64, 255)).astype(np.float32))
    pairs = random.integers(0, 64, (2, 500))
    whole = pair_scores(a, a, *pairs)
    assert whole.tolist() == [pair_scores(a, a, *pairs[:, i : i + 1])[0] for i in range(500)]


def test_rows_that_can_be_searched():
    rows = np.array([[0, 0], [1, 0], [np.nan, 1], [np.inf, 1], [0, -1e-30]], np.float32)
    assert searchable(rows).tolist() == [False, True, False, False, True]


def test_the_searcher_is_chosen_by_what_is_installed(monkeypatch):
    items = np.eye(3, dtype=np.float32)
    if find_spec("faiss") is not None:
        assert isinstance(make_searcher(items, "cpu")._backend, FaissFlat)
    from indexes.embeddings.errors import EncoderError

    def missing():
        raise EncoderError("faiss is not installed", "pip install it")

    monkeypatch.setattr(exact_search, "load_faiss", missing)
    searcher = make_searcher(items, "cpu")
    assert isinstance(searcher._backend, NumpyFlat)
    assert found_hits(searcher, items[1:2], 1, 0.5) == [(0, 1, 1.0)]
