"""Exact search of vectors among the vectors of items, on the CPU or a CUDA device.

A backend only nominates: every item whose score may be among the best, by a matrix product in whatever
precision the device is fast in, with the error of that precision as a margin. Then the scores of the
nominated pairs are computed again, one by one, in a way that depends on nothing but the pair. So all
backends give the same hits, and equal scores are ordered by item.

Brute force is enough here: 1,300 items cost 1/55,000 s of a core for each query, 10,000 1/7,000 s, where
a transformer takes 1/20 s for one passage. What has to be found among vectors of a whole corpus is
`indexes.embeddings.corpus_index`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from indexes.embeddings.device import resolve_device
from indexes.embeddings.errors import EncoderError
from indexes.embeddings.libraries import load_faiss, load_torch

CPU_SCORES: Final = 1 << 22  # of a tile: 16 MB
CUDA_SCORES: Final = 1 << 29  # 1 GB in half precision
PAIRS: Final = 1 << 16  # that are scored again at a time
FAISS_SPARE: Final = 8  # items beyond k that are asked for, so that ties at the end show
FAISS_GPU_MOST: Final = 2048  # items that FAISS gives of a query on a GPU


class Hits(NamedTuple):
    """Pairs of query and item, by query, then by score from the best, then by item."""

    query: np.ndarray  # int64
    item: np.ndarray  # int64
    score: np.ndarray  # float32: inner product; the cosine, where both have unit length


class Searcher(Protocol):
    """Items that are searched; rows that are zeros or hold what is no number are never found."""

    def scan(self, queries: np.ndarray, k: int, floor: float) -> Hits:
        """Return the best k items of each query (float32 (n, d), unit length) that score `floor`."""
        ...


class Backend(Protocol):
    """Nominates pairs among rows of unit length."""

    error: float  # of its scores, at most

    def nominate(self, queries: np.ndarray, k: int, floor: float) -> tuple[np.ndarray, np.ndarray]:
        """Return queries and items, in any order: all that may be among the best k from `floor`."""
        ...


def make_searcher(items: np.ndarray, device: str = "auto") -> Searcher:
    """Return a searcher of items (float32 (n, d), unit length) on a device, by what is installed.

    On CUDA torch, which needs no GPU build of FAISS; on the CPU FAISS, else NumPy.

    Raises:
        EncoderError: CUDA is asked for and cannot be used.
    """
    if resolve_device(device) == "cuda":
        return ExactSearcher(items, lambda rows: TorchFlat(rows, "cuda", half=True))
    try:
        load_faiss()
    except EncoderError:
        return ExactSearcher(items, NumpyFlat)
    return ExactSearcher(items, FaissFlat)


class ExactSearcher:
    """A backend over the items that can be found, and the final scores."""

    def __init__(self, items: np.ndarray, backend: Any) -> None:
        self._items = np.ascontiguousarray(items, np.float32)
        self._numbers = np.flatnonzero(searchable(self._items))
        self._backend: Backend | None = None
        if len(self._numbers):
            self._backend = backend(self._items[self._numbers])

    def scan(self, queries: np.ndarray, k: int, floor: float) -> Hits:
        """Return the best k items of each query (float32 (n, d), unit length) that score `floor`."""
        rows = np.flatnonzero(searchable(queries))
        if self._backend is None or len(rows) == 0 or k < 1:
            return Hits(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
        asked = np.ascontiguousarray(queries[rows], np.float32)
        query, item = self._backend.nominate(asked, k, floor)
        return best(queries, self._items, rows[query], self._numbers[item], k, floor)


class NumpyFlat:
    """Matrix products of NumPy: always there."""

    def __init__(self, items: np.ndarray) -> None:
        self._items = items
        self.error = single_error(items.shape[1])

    def nominate(self, queries: np.ndarray, k: int, floor: float) -> tuple[np.ndarray, np.ndarray]:
        """Return queries and items, by query: all that may be among the best k from `floor`."""
        found = []
        step = max(1, CPU_SCORES // len(self._items))
        for first in range(0, len(queries), step):
            scores = queries[first : first + step] @ self._items.T
            hopeful = np.flatnonzero(scores.max(axis=1) >= floor - self.error)
            scores = scores[hopeful]
            least = np.full(len(hopeful), floor - self.error, np.float32)
            if k < scores.shape[1]:
                at_k = -np.partition(-scores, k - 1, axis=1)[:, k - 1]
                least = np.maximum(least, at_k - 2 * self.error)
            query, item = np.nonzero(scores >= least[:, None])
            found.append((first + hopeful[query], item))
        return _joined(found)


class FaissFlat:
    """IndexFlatIP of FAISS, on the GPUs if it is a build that sees any."""

    def __init__(self, items: np.ndarray) -> None:
        faiss = load_faiss()
        self._index = faiss.IndexFlatIP(items.shape[1])
        self._most = len(items)
        self.error = single_error(items.shape[1])
        if getattr(faiss, "get_num_gpus", int)() > 0:
            self._index = faiss.index_cpu_to_all_gpus(self._index)
            self._most = min(self._most, FAISS_GPU_MOST)
        self._rest = NumpyFlat(items)  # for what a GPU cannot give
        self._index.add(items)

    def nominate(self, queries: np.ndarray, k: int, floor: float) -> tuple[np.ndarray, np.ndarray]:
        """Return queries and items, by query: all that may be among the best k from `floor`.

        FAISS gives a fixed number of items. Where the last of them may still tie with the k-th, more
        are asked for.
        """
        found = []
        n_items = self._index.ntotal
        rows, asked = np.arange(len(queries)), min(k + FAISS_SPARE, n_items)
        while len(rows):
            if asked > self._most:
                query, item = self._rest.nominate(queries[rows], k, floor)
                found.append((rows[query], item))
                break
            scores, items = self._index.search(queries[rows], asked)
            least = np.full(len(rows), floor - self.error, np.float32)
            if k < n_items:
                least = np.maximum(least, scores[:, k - 1] - 2 * self.error)
            whole = (scores[:, -1] < least) | (asked == n_items)
            query, place = np.nonzero((scores >= least[:, None]) & whole[:, None] & (items >= 0))
            found.append((rows[query], items[query, place]))
            rows, asked = rows[~whole], min(4 * asked, n_items)
        return _joined(found)


class TorchFlat:
    """Matrix products of torch on a device; `half`: in 16 bits, with tiles that are reduced at once."""

    def __init__(self, items: np.ndarray, device: str, *, half: bool) -> None:
        self._torch = load_torch()
        self._device, self._half = device, half
        self._items = self._there(items).T.contiguous()
        self.error = half_error() if half else single_error(items.shape[1])

    def nominate(self, queries: np.ndarray, k: int, floor: float) -> tuple[np.ndarray, np.ndarray]:
        """Return queries and items, by query: all that may be among the best k from `floor`."""
        torch, found = self._torch, []
        n_items = self._items.shape[1]
        step = max(1, (CPU_SCORES if self._device == "cpu" else CUDA_SCORES) // n_items)
        with torch.inference_mode():
            for first in range(0, len(queries), step):
                scores = self._there(queries[first : first + step]) @ self._items
                hopeful = torch.nonzero(scores.amax(dim=1) >= floor - self.error)[:, 0]
                scores = scores[hopeful].float()
                least = torch.full((len(hopeful), 1), floor - self.error, device=scores.device)
                if k < n_items and len(hopeful):
                    at_k = scores.topk(k, dim=1).values[:, -1:]
                    least = torch.maximum(least, at_k - 2 * self.error)
                query, item = torch.nonzero(scores >= least, as_tuple=True)
                found.append((first + hopeful[query].cpu().numpy(), item.cpu().numpy()))
        return _joined(found)

    def _there(self, rows: np.ndarray) -> Any:
        moved = self._torch.from_numpy(rows).to(self._device)
        return moved.half() if self._half else moved


def best(
    queries: np.ndarray,
    items: np.ndarray,
    query: np.ndarray,
    item: np.ndarray,
    k: int,
    floor: float,
) -> Hits:
    """Return the best k of the nominated pairs of each query that score `floor`, scored again."""
    score = pair_scores(queries, items, query, item)
    keep = score >= np.float32(floor)
    query, item, score = query[keep], item[keep], score[keep]
    order = np.lexsort((item, -score, query))
    query, item, score = query[order], item[order], score[order]
    starts = np.flatnonzero(np.diff(query, prepend=-1))
    rank = np.arange(len(query)) - np.repeat(starts, np.diff(starts, append=len(query)))
    return Hits(query[rank < k], item[rank < k], score[rank < k])


def pair_scores(
    queries: np.ndarray, items: np.ndarray, query: np.ndarray, item: np.ndarray
) -> np.ndarray:
    """Return the inner products of pairs of rows: float32 (pairs,), each by its pair alone.

    Summed in double precision, so that no order of summing shows in what is kept.
    """
    scores = np.zeros(len(query), np.float32)
    for first in range(0, len(query), PAIRS):
        part = slice(first, first + PAIRS)
        a, b = queries[query[part]], items[item[part]]
        scores[part] = np.einsum("ij,ij->i", a, b, dtype=np.float64)
    return scores


def searchable(rows: np.ndarray) -> np.ndarray:
    """Tell which rows are neither zeros nor hold what is no number: bool (n,)."""
    found: np.ndarray = np.isfinite(rows).all(axis=1) & rows.any(axis=1)
    return found


def single_error(dimension: int) -> float:
    """Return how far a product of unit rows may be off in single precision.

    n u for sums of n terms in any order (Higham, Accuracy and Stability, section 3.1), twice.
    """
    return 2 * dimension * 2.0**-24


def half_error() -> float:
    """Return the same for rows in half precision that are summed in single precision.

    Each factor is off by 2^-11 of itself, which makes 2^-10 of a sum of unit rows; the result is rounded
    to 2^-11 again; small components are off by 2^-25 each.
    """
    return 2.0**-10 + 2.0**-11 + 2.0**-11


def _joined(found: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    queries, items = zip(*found, strict=True)
    return np.concatenate(queries).astype(np.int64), np.concatenate(items).astype(np.int64)
