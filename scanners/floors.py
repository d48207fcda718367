"""From which cosine on a window is worth reading: floors of the rows of a benchmark.

The rule stands in `scanners.embedding`. All of it is computed in whole numbers or in a fixed order, so
that floors are the same on every machine.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import kernel
from indexes.embeddings.item_search import ONE, dot

BACKGROUND_SHARE: Final = 0.004  # of windows of general text that reach any row of a benchmark
LEAST_BACKGROUND: Final = 50  # windows of a size, to say what general text is like
SIBLINGS: Final = 3  # other items that are nearer, of half of the rows
SAMPLED: Final = 512  # rows whose siblings are looked for
LEAST_FLOOR, HIGHEST = 0.3, 0.95  # that a row may have
MOST_FLOOR: Final = 0.7  # that siblings may ask for


def background_floors(vectors: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return the floor of each row of a benchmark in one window size: float64 (rows,).

    Args:
        vectors: int16 (rows, dimension), of length ONE_LENGTH.
        background: int16 (windows, dimension), windows of that size.
    """
    if len(background) < LEAST_BACKGROUND:
        return np.full(len(vectors), LEAST_FLOOR)
    mean, spread, best = _against(vectors, background)
    reached = np.quantile(best, 1 - BACKGROUND_SHARE)
    floors: np.ndarray = np.clip(mean + reached * spread, LEAST_FLOOR, HIGHEST)
    return floors


def sibling_floor(vectors: np.ndarray, item: np.ndarray) -> float:
    """Return the cosine that half of a benchmark's rows have `SIBLINGS` other items above.

    0 where there are no so many. `vectors`: int16 (rows, dimension); `item`: int32 (rows,).
    """
    n = min(SAMPLED, len(vectors))
    if len(np.unique(item)) <= SIBLINGS:
        return 0.0
    chosen = np.arange(n) * len(vectors) // n
    return float(np.median(_siblings(vectors, item, chosen))) / ONE


@kernel
def _against(vectors: Any, background: Any) -> tuple[Any, Any, Any]:
    """Return mean and spread of each row's cosines, and each window's best in spreads above the mean.

    The spread is the root of the deviation.
    """
    n, m = len(vectors), len(background)
    mean, spread = np.empty(n, np.float64), np.empty(n, np.float64)
    best = np.full(m, -1e9)
    products = np.empty(m, np.float64)
    for row in range(n):
        total = squares = 0.0
        for window in range(m):
            cosine = dot(background[window], vectors[row]) / ONE
            products[window] = cosine
            total += cosine
            squares += cosine * cosine
        mean[row] = total / m
        deviation = np.sqrt(max(1e-12, squares / m - mean[row] * mean[row]))
        spread[row] = np.sqrt(deviation)
        for window in range(m):
            best[window] = max(best[window], (products[window] - mean[row]) / spread[row])
    return mean, spread, best


@kernel
def _siblings(vectors: Any, item: Any, chosen: Any) -> Any:
    """Return of some rows the product with the `SIBLINGS`-nearest row of another item."""
    out = np.empty(len(chosen), np.int64)
    nearest = np.empty(SIBLINGS, np.int64)
    for k in range(len(chosen)):
        row = chosen[k]
        nearest[:] = -2 * ONE
        for other in range(len(vectors)):
            if item[other] == item[row]:
                continue
            product = np.int64(dot(vectors[row], vectors[other]))
            at = SIBLINGS - 1
            if product <= nearest[at]:
                continue
            while at and nearest[at - 1] < product:
                nearest[at] = nearest[at - 1]
                at -= 1
            nearest[at] = product
        out[k] = nearest[SIBLINGS - 1]
    return out
