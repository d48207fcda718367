"""Corpus-side indexes: each allowed type of FAISS against NumPy, bytes, damage, windows."""

import hashlib
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.embeddings import corpus_index
from indexes.embeddings.corpus_index import (
    KINDS,
    CorpusIndex,
    IndexBuilder,
    VectorIndexError,
    lists_for,
    read_index,
    train_index,
)
from indexes.embeddings.encoder import unit_rows

pytestmark = pytest.mark.skipif(find_spec("faiss") is None, reason="faiss is not installed")
DIMENSION = 64


def sha(data):
    return hashlib.sha256(data).hexdigest()


def clustered(n, seed=0, spread=0.6):
    """Unit rows around 20 centres, as windows of a corpus are."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(20, DIMENSION))
    rows = centres[random.integers(20, size=n)] + spread * random.normal(size=(n, DIMENSION))
    return unit_rows(rows.astype(np.float32))


def built(trained, vectors, ids):
    builder = IndexBuilder(trained, sha(trained))
    builder.add(vectors, ids)
    return builder, builder.to_bytes()


def opened(trained, vectors, ids):
    builder, packed = built(trained, vectors, ids)
    return CorpusIndex(packed, sha(packed), error=builder.error)


def reached(queries, vectors, ids, floors):
    """Pairs of query and id whose exact score reaches the query's floor."""
    scores = queries.astype(np.float64) @ vectors.astype(np.float64).T
    query, row = np.nonzero(scores >= floors[:, None])
    return set(zip(query.tolist(), ids[row].tolist(), strict=True))


def pairs(found):
    return list(zip(found[0].tolist(), found[1].tolist(), strict=True))


@pytest.fixture(scope="module")
def trained():
    """A trained index of each kind."""
    return {kind: train_index(clustered(4096, seed=7), 32, kind) for kind in KINDS}


# --- against NumPy ----------------------------------------------------------------------------------


@given(
    n=st.integers(0, 300),
    n_queries=st.integers(0, 5),
    seed=st.integers(0, 1000),
    floor=st.sampled_from([0.3, 0.6, 0.8, 0.95]),
)
def test_sq8_in_all_lists_misses_nothing_and_adds_only_what_is_near(
    trained, n, n_queries, seed, floor
):
    vectors, queries = clustered(n, seed), clustered(n_queries, seed + 1)
    ids = np.arange(n, dtype=np.int64) // 2
    index = opened(trained["sq8"], vectors, ids)
    floors = np.full(n_queries, floor)
    found = pairs(index.nominate(queries, floors, exhaustive=True))
    assert found == sorted(set(found))
    assert reached(queries, vectors, ids, floors) <= set(found)
    assert set(found) <= reached(queries, vectors, ids, floors - 2 * index.slack - 1e-5)
    assert index.slack < 0.02


def test_rabitq_finds_nearly_all_and_little_that_is_far():
    vectors, queries = clustered(6000, 1), clustered(200, 2, spread=0.5)
    ids = np.arange(6000, dtype=np.int64)
    packed = train_index(vectors, 32, "rabitq")
    index = opened(packed, vectors, ids)
    floors = np.full(200, 0.7)
    expected = reached(queries, vectors, ids, floors)
    found = set(pairs(index.nominate(queries, floors, exhaustive=True)))
    assert len(expected & found) >= 0.97 * len(expected)
    assert len(expected) > 1000
    far = found - reached(queries, vectors, ids, floors - 0.2)
    assert len(far) <= 0.05 * len(found)


def test_a_search_of_some_lists_finds_nearly_what_all_have():
    vectors, queries = clustered(20_000, 1), clustered(100, 2)
    ids = np.arange(20_000, dtype=np.int64)
    index = opened(train_index(vectors, 256), vectors, ids)
    floors = np.full(100, 0.75)
    whole = set(pairs(index.nominate(queries, floors, exhaustive=True)))
    some = set(pairs(index.nominate(queries, floors)))
    assert index._index.nprobe == 32
    assert some <= whole
    assert len(some) >= 0.98 * len(whole)


def test_a_query_with_many_hits_gets_all_of_them(monkeypatch):
    monkeypatch.setattr(corpus_index, "FIRST_HITS", 4)
    vectors = np.repeat(clustered(3), 50, axis=0)
    ids = np.arange(150, dtype=np.int64)
    for kind in KINDS:
        index = opened(train_index(clustered(2000), 16, kind), vectors, ids)
        found = pairs(index.nominate(vectors[::50], np.full(3, 0.97), exhaustive=True))
        assert {(q, 50 * q + i) for q in range(3) for i in range(50)} <= set(found)


def test_each_query_has_its_own_floor(trained):
    vectors = clustered(500)
    ids = np.arange(500, dtype=np.int64)
    index = opened(trained["sq8"], vectors, ids)
    queries = np.stack([vectors[3], vectors[3]])
    found = pairs(index.nominate(queries, np.array([0.99, 0.2]), exhaustive=True))
    assert [pair for pair in found if pair[0] == 0] == [(0, 3)]
    assert len(found) > 2


@pytest.mark.parametrize("kind", KINDS)
def test_zeros_and_what_is_no_number_are_left_out(trained, kind):
    vectors = clustered(10)
    vectors[2], vectors[5, 0], vectors[7, 3] = 0, np.nan, np.inf
    builder, packed = built(trained[kind], vectors, np.arange(10, dtype=np.int64))
    index = CorpusIndex(packed, sha(packed), error=builder.error)
    assert len(index) == builder.vectors == 7
    queries = np.stack([vectors[2], vectors[5], vectors[1]])
    found = pairs(index.nominate(queries, np.full(3, -1.0), exhaustive=True))
    assert {query for query, _ in found} == {2}
    assert {item for _, item in found} <= {0, 1, 3, 4, 6, 8, 9}


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_index_has_nothing(trained, kind):
    index = opened(trained[kind], np.zeros((0, DIMENSION), np.float32), np.zeros(0, np.int64))
    assert len(index) == 0
    assert pairs(index.nominate(clustered(2), np.zeros(2))) == []


# --- bytes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_equal_vectors_give_equal_bytes_however_they_are_added(trained, kind):
    vectors, ids = clustered(900, 4), np.arange(900, dtype=np.int64)
    assert train_index(clustered(4096, seed=7), 32, kind) == trained[kind]
    _, whole = built(trained[kind], vectors, ids)
    builder = IndexBuilder(trained[kind], sha(trained[kind]))
    for first in range(0, 900, 70):
        builder.add(vectors[first : first + 70], ids[first : first + 70])
    assert builder.to_bytes() == whole


@pytest.mark.parametrize("kind", KINDS)
def test_changed_bytes_are_refused_before_faiss_reads_them(trained, kind, monkeypatch):
    _, packed = built(trained[kind], clustered(50), np.arange(50, dtype=np.int64))
    changed = bytearray(packed)
    changed[len(changed) // 2] ^= 1
    faiss = corpus_index.load_faiss()
    monkeypatch.setattr(faiss, "read_index", None)  # a call would fail otherwise than is expected
    monkeypatch.setattr(faiss, "deserialize_index", None)
    for damaged in (bytes(changed), packed[:-1], b""):
        for copy in (False, True):
            with pytest.raises(VectorIndexError, match="recorded"):
                read_index(damaged, sha(packed), copy=copy)


def test_what_faiss_cannot_read_and_types_that_are_not_allowed_are_refused():
    faiss = corpus_index.load_faiss()
    with pytest.raises(VectorIndexError, match="it is no index that FAISS reads"):
        read_index(b"nothing of FAISS", sha(b"nothing of FAISS"), copy=True)
    rows = clustered(600)
    for factory in ("Flat", "IVF4,PQ8x4fs", "IVF4,RaBitQfs", "HNSW16", "IVF4,Flat"):
        index = faiss.index_factory(DIMENSION, factory, faiss.METRIC_INNER_PRODUCT)
        index.train(rows)
        packed = faiss.serialize_index(index).tobytes()
        with pytest.raises(VectorIndexError, match="which is not read"):
            read_index(packed, sha(packed), copy=False)


def test_training_needs_a_vector_and_makes_fewer_lists_of_few():
    with pytest.raises(VectorIndexError, match="nothing to train an index with"):
        train_index(np.zeros((3, DIMENSION), np.float32), 16)
    small = train_index(clustered(130), 64)
    assert read_index(small, sha(small), copy=True).nlist == 3
    one = train_index(np.eye(1, DIMENSION, dtype=np.float32), 1)
    index = opened(one, clustered(5), np.arange(5, dtype=np.int64))
    found = index.nominate(clustered(5), np.full(5, 0.9), exhaustive=True)
    assert {(i, i) for i in range(5)} <= set(pairs(found))


def test_lists_suit_the_number_of_vectors():
    assert [lists_for(n) for n in (0, 100, 4096, 210_000, 10**9)] == [16, 32, 256, 2048, 4096]
