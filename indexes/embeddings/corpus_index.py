"""Vectors of a corpus's windows in a FAISS index: trained once, built and searched shard by shard.

An inverted file (Jegou, Douze, Schmid 2011) whose lists hold small codes. The default is SQ8, a byte a
number: a code is off by a length that is measured when it is added and kept, so a search that allows for
it loses nothing within the lists it looks into; IVF,Flat finds no more, at four times the bytes. RaBitQ, a
bit a number, takes a quarter of SQ8's bytes; its scores are estimates, off by a few hundredths.

Both are proven against plain NumPy in tests/indexes/test_corpus_index.py; no other type of FAISS is
written or read. FastScan types silently find nothing in range searches, Panorama merges wrongly, PQ's
scores are biased, HNSW does not merge (shared/reference/embeddings-and-faiss.md, 4).

A search only nominates: who uses it computes the exact cosine of what it found before any threshold.
FAISS reads files without checks, so a file is held against its SHA-256 first, and then read from the very
bytes that were checked, which stay where they are mapped.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

import numpy as np

from indexes.embeddings.exact_search import searchable
from indexes.embeddings.libraries import load_faiss

SEED: Final = 12
ROUNDS: Final = 8  # of k-means
SAMPLE_OF_A_LIST: Final = 64  # vectors that a list's centre is trained with
LEAST_LISTS, MOST_LISTS = 16, 4096
FIRST_HITS: Final = 64  # of a query; a query with more is searched again, without a limit
RANGE: Final = 0.25  # part of a number's range that codes reach beyond it: few are cut off
PROBES: Final = 8  # a search looks into 1 / PROBES of all lists, and LEAST_PROBES at least
LEAST_PROBES: Final = 16
CHECKED: Final = 1 << 16  # vectors whose codes are decoded at a time


class Kind(NamedTuple):
    """A type of index that may be written and read."""

    factory: str  # of FAISS, without the lists
    name: str  # of FAISS's class
    estimate: float  # how far scores may be off, where decoding a code does not tell; else 0


# 0.031 is the 99th percentile of RaBitQ's error at 384 dimensions; it grows as 1 / sqrt(dimension).
KINDS: Final = {
    "sq8": Kind("SQ8", "IndexIVFScalarQuantizer", 0.0),
    "rabitq": Kind("RaBitQ", "IndexIVFRaBitQ", 0.06),
}


class VectorIndexError(ValueError):
    """The bytes of an index are not what was written, or not of a type that is read."""


def lists_for(n_vectors: int) -> int:
    """Return how many lists suit an index of so many vectors: the power of two next to 4 sqrt(n)."""
    wanted = 4 * max(n_vectors, 1) ** 0.5
    return int(np.clip(2 ** round(np.log2(wanted)), LEAST_LISTS, MOST_LISTS))


def train_index(sample: np.ndarray, lists: int, kind: str = "sq8", *, seed: int = SEED) -> bytes:
    """Return an empty index trained with vectors (float32 (n, d), unit length), as bytes.

    Equal samples give equal bytes. Of small samples there are fewer lists: one for 64 vectors.

    Raises:
        VectorIndexError: there is no vector to train with.
    """
    faiss = load_faiss()
    rows = np.ascontiguousarray(sample[searchable(sample)], np.float32)
    if len(rows) == 0:
        raise VectorIndexError("there is nothing to train an index with: no vector but zeros")
    n_lists = min(lists, -(-len(rows) // SAMPLE_OF_A_LIST))
    d = rows.shape[1]
    means = faiss.Kmeans(
        d, n_lists, niter=ROUNDS, seed=seed, spherical=True,
        max_points_per_centroid=SAMPLE_OF_A_LIST, min_points_per_centroid=1,
    )  # fmt: skip
    means.train(rows)
    index = faiss.index_factory(
        d, f"IVF{n_lists},{KINDS[kind].factory}", faiss.METRIC_INNER_PRODUCT
    )
    faiss.downcast_index(index.quantizer).add(means.centroids)  # so training leaves the lists alone
    if kind == "sq8":
        index.sq.rangestat_arg = RANGE
    index.train(rows)
    return _to_bytes(index)


class IndexBuilder:
    """Adds the vectors of a shard to a copy of a trained index."""

    def __init__(self, trained: Any, sha256: str) -> None:
        self._index = read_index(trained, sha256, copy=True)
        self._measured = _kind(self._index).estimate == 0
        self.vectors = 0
        self.error = 0.0  # how far a code is from its vector, at most; 0 where scores are estimates

    def add(self, vectors: np.ndarray, ids: np.ndarray) -> None:
        """Add vectors (float32 (n, d), unit length) under ids (int64; several may share one).

        Rows that are zeros or no numbers are left out.
        """
        kept = searchable(vectors)
        rows = np.ascontiguousarray(vectors[kept], np.float32)
        names = np.ascontiguousarray(ids[kept], np.int64)
        for first in range(0, len(rows), CHECKED):
            part = slice(first, first + CHECKED)
            codes = self._index.sa_encode(rows[part])
            self._index.add_sa_codes(codes, names[part])
            if self._measured:
                off = np.linalg.norm(self._index.sa_decode(codes) - rows[part], axis=1)
                self.error = max(self.error, float(off.max(initial=0.0)))
        self.vectors += len(rows)

    def to_bytes(self) -> bytes:
        """Return the index; equal vectors in equal order give equal bytes."""
        return _to_bytes(self._index)


class CorpusIndex:
    """The index of a shard, read from checked bytes; `error` is what its builder measured.

    Raises:
        VectorIndexError: the bytes are not those of `sha256`, or of a type that is not read.
    """

    def __init__(self, data: Any, sha256: str, *, error: float) -> None:
        self._index = read_index(data, sha256, copy=False)
        self._data = data  # the index points into it
        kind = _kind(self._index)
        self.slack = error if kind.estimate == 0 else kind.estimate

    def __len__(self) -> int:
        """Return how many vectors there are."""
        return int(self._index.ntotal)

    def nominate(
        self, queries: np.ndarray, floors: np.ndarray, *, exhaustive: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return queries and ids of all vectors whose score may reach the floor of the query.

        `queries` are float32 (n, d) of unit length, `floors` (n,). `exhaustive` looks into all lists,
        and then, with SQ8, nothing that reaches a floor is missing. Pairs come once, by query, then id.
        """
        rows = np.flatnonzero(searchable(queries))
        if len(rows) == 0 or len(self) == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        asked = np.ascontiguousarray(queries[rows], np.float32)
        least = floors[rows].astype(np.float32) - np.float32(self.slack + 1e-6)
        lists = self._index.nlist
        self._index.nprobe = lists if exhaustive else min(lists, max(LEAST_PROBES, lists // PROBES))
        most = min(FIRST_HITS, len(self))
        scores, ids = self._index.search(asked, most)
        query, place = np.nonzero((scores >= least[:, None]) & (ids >= 0))
        found = [(query, ids[query, place])]
        # Those whose last hit still counts have more.
        full = np.flatnonzero((scores[:, -1] >= least) & (ids[:, -1] >= 0) & (most < len(self)))
        for row in full.tolist():
            # FAISS gives what is above the radius.
            radius = float(np.nextafter(least[row], np.float32(-2)))
            _, _, more = self._index.range_search(asked[row : row + 1], radius)
            found.append((np.full(len(more), row), more))
        pairs = np.unique(
            np.stack(
                [np.concatenate([q for q, _ in found]), np.concatenate([i for _, i in found])]
            ),
            axis=1,
        )
        return rows[pairs[0]], pairs[1].astype(np.int64)


def read_index(data: Any, sha256: str, *, copy: bool) -> Any:
    """Return the FAISS index in checked bytes; without `copy` it points into them.

    Raises:
        VectorIndexError: the bytes are not those of `sha256`, or of a type that is not read.
    """
    faiss = load_faiss()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise VectorIndexError(f"SHA-256 {found!r}, recorded {sha256!r}")
    view = np.frombuffer(data, np.uint8)
    try:
        if copy:
            index = faiss.deserialize_index(view)
        else:
            index = faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(view), view.nbytes))
    except RuntimeError as error:
        first = str(error).strip().rpartition(": ")[2]
        raise VectorIndexError(f"it is no index that FAISS reads ({first})") from error
    _kind(index)
    return index


def _kind(index: Any) -> Kind:
    for kind in KINDS.values():
        if type(index).__name__ == kind.name:
            return kind
    raise VectorIndexError(f"it is an {type(index).__name__}, which is not read")


def _to_bytes(index: Any) -> bytes:
    packed: bytes = load_faiss().serialize_index(index).tobytes()
    return packed
