"""How near texts are to questions, and to the questions beside them: what a cosine is set against."""

from __future__ import annotations

from functools import cache
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np

from indexes.embeddings.probes import Scale

NEXT: Final = 10  # questions that a gap is taken to
AS_OF: Final = 1000  # questions of a benchmark
CELLS: Final = 1 << 22  # texts times questions that are looked at at a time


class Known(NamedTuple):
    """What the model says of the questions of a benchmark, (n,) each."""

    vectors: np.ndarray  # float64 (n, dimension)
    twin: np.ndarray  # float64, on the scale of the model, to the next question
    crowd: np.ndarray  # to the next questions


def know(vectors: np.ndarray, scale: Scale) -> Known:
    """Return questions with how near they are to each other."""
    twin, crowd = np.zeros(len(vectors)), np.zeros(len(vectors))
    step = max(1, CELLS // len(vectors))
    for first in range(0, len(vectors), step):
        rows = np.arange(first, min(first + step, len(vectors)))
        cosines = cosines_with(vectors[rows], vectors, scale)
        twin[rows], crowd[rows] = others(cosines, np.arange(len(rows)), rows)
    return Known(vectors, twin, crowd)


def cosines_with(vectors: np.ndarray, questions: np.ndarray, scale: Scale) -> np.ndarray:
    """Return cosines with questions on the model's scale: float64 (n, questions)."""
    return np.round(scale.relative(vectors @ questions.T), 6)  # what batches change lies below


def others(
    cosines: np.ndarray, row: np.ndarray, question: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return of pairs the highest cosine with another question, and the mean of the `NEXT` highest.

    The nearest of few questions are not as near as the nearest of many. So that a gap means the same for
    every benchmark, those of a small one are taken as if there were `AS_OF` questions whose cosines
    are spread like these, normally.
    """
    n_others = cosines.shape[1] - 1
    if n_others == 0:
        return np.zeros(len(row)), np.zeros(len(row))
    own = cosines[row, question]
    k = min(NEXT, n_others)
    highest = -np.sort(np.partition(-cosines, k, axis=1)[:, : k + 1], axis=1)[row]
    is_there = own >= highest[:, -1]  # among the highest: then the others are the rest of them
    mean = np.where(is_there, highest.sum(axis=1) - own, highest[:, :-1].sum(axis=1)) / k
    nearest = np.where(own >= highest[:, 0], highest[:, 1], highest[:, 0])
    total, squares = cosines.sum(axis=1)[row] - own, (cosines**2).sum(axis=1)[row] - own**2
    spread = np.sqrt(np.maximum(squares / n_others - (total / n_others) ** 2, 0))
    few = min(n_others, AS_OF)
    nearest = nearest + spread * (highest_of(AS_OF, 1) - highest_of(few, 1))
    mean = mean + spread * (highest_of(AS_OF, NEXT) - highest_of(few, k))
    return nearest, mean


@cache
def highest_of(n: int, k: int) -> float:
    """Return the expected mean of the k highest of n standard normal numbers (Blom 1958)."""
    ranks = range(n - k + 1, n + 1)
    return sum(NormalDist().inv_cdf((rank - 0.375) / (n + 0.25)) for rank in ranks) / k
