"""Windows nominated by a transformer instead of static vectors: slow, and a check of what those miss.

A window as long as a row (`scanners.embedding.Meant`) is nominated where it is as near to the row as
hardly any two items of its benchmark are to each other. What is nominated is read and judged like
everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from corpora.normal_form import words
from indexes.embeddings.encoder import Encoder
from indexes.embeddings.static import StaticModel
from indexes.embeddings.word_vectors import strides, text_vectors
from scanners.embedding import SIZES, Meant, Nominated, keep_nearest, nearest_sizes
from scanners.second_opinion import SiblingCosines

NEAR_ENOUGH: Final = 0.8  # of the way from any two items of the benchmark to hardly any two


def nominate_every(
    data: np.ndarray,
    bounds: np.ndarray,
    meant: Meant,
    model: StaticModel,
    encoder: Encoder,
    row_vectors: np.ndarray,
    row_siblings: Sequence[SiblingCosines],
) -> Nominated:
    """Nominate windows of documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8).

    Args:
        data: bytes of the documents.
        bounds: int64 (documents + 1,).
        meant: what is sought.
        model: gives the static cosine of what is nominated, which the judge asks for.
        encoder: gives windows their vectors.
        row_vectors: float32 (rows, dimension), those of the rows, of unit length.
        row_siblings: of each row, those of its benchmark.
    """
    near = nearest_sizes(meant.words)
    parts = [np.zeros((0, 4), np.int64)]
    cosines = [np.zeros(0, np.float32)]
    for document in range(len(bounds) - 1):
        text = data[bounds[document] : bounds[document + 1]].tobytes().decode()
        places = words(text)
        hits: list[tuple[int, int, int, int]] = []
        nearness: list[float] = []
        for level in np.unique(near).tolist():
            rows = np.flatnonzero((near == level).any(axis=1))
            windows = list(_windows(len(places.starts), SIZES[level]))
            if not windows:
                continue
            texts = [text[places.starts[first] : places.ends[last - 1]] for first, last in windows]
            found = encoder.encode(texts) @ row_vectors[rows].T
            apart = [
                row_siblings[row].relative(found[:, at], np.zeros(len(texts), np.int64))
                for at, row in enumerate(rows.tolist())
            ]
            window, at = np.nonzero(np.stack(apart, axis=1) >= NEAR_ENOUGH)
            static = _static_cosines([texts[w] for w in window.tolist()], meant, rows[at], model)
            for w, row, cosine in zip(window.tolist(), rows[at].tolist(), static, strict=True):
                hits.append((document, row, *windows[w]))
                nearness.append(float(cosine))
        one, near_one = np.array(hits, np.int64).reshape(-1, 4), np.array(nearness, np.float32)
        kept = keep_nearest(one, near_one, 0, len(one))
        parts.append(one[:kept])
        cosines.append(near_one[:kept])
    document_of, row_of, start, stop = np.concatenate(parts).T
    return Nominated(
        document_of.astype(np.int32), np.ascontiguousarray(start), np.ascontiguousarray(stop),
        row_of.astype(np.int32), np.concatenate(cosines),
    )  # fmt: skip


def _windows(n_words: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the windows of a size, the last one at the end; the whole text where it is shorter."""
    step = int(strides(np.array([size]))[0])
    last = max(0, n_words - size)
    for first in {*range(0, last, step), last} if n_words else ():
        yield first, min(n_words, first + size)


def _static_cosines(
    texts: Sequence[str], meant: Meant, rows: np.ndarray, model: StaticModel
) -> Any:
    """Return the static cosine of each text with its row: float32 (n,)."""
    encoded = [text.encode() for text in texts]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    vectors = text_vectors(np.frombuffer(b"".join(encoded), np.uint8), bounds, model)
    return np.einsum("nd,nd->n", vectors, meant.vectors[rows])
