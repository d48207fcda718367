"""The transformer's part: which places it is asked about, with which texts, and what its cosine says.

It is asked only where the words leave it open, so that a transformer's time is spent on few windows:
places that the words alone nearly or just call a leak. What its cosine says depends on the model and on
the benchmark: word problems are alike, questions on history are not. So it is set against the cosines
of different items of the same benchmark (siblings): 0 is what any two have, 1 what one pair in
`1 / SIBLING_RATE` reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from corpora.benchmarks import Item
from scanners.embedding import ASK
from scanners.meaning import Meanings
from scanners.ngram import Scanned, Sought, locate
from scanners.patterns import last_sentence

SIBLING_RATE: Final = 1e-3  # of pairs of different items
SAMPLED: Final = 256  # items of a benchmark whose cosines are looked at
LEAST_SAMPLED: Final = 8
SAME_COSINE: Final = 0.97  # items that are nearer say the same: they are no siblings
LEAST_SPREAD: Final = (
    0.05  # between the two, so that no benchmark of equal items divides by nothing
)
DEFAULT_MEDIAN, DEFAULT_HIGH = 0.3, 0.8  # of a benchmark of too few items


class SiblingCosines(NamedTuple):
    """How near different items of each benchmark are to one model: float64 (benchmarks,) each."""

    median: np.ndarray
    high: np.ndarray

    def relative(self, cosines: np.ndarray, benchmark: np.ndarray) -> np.ndarray:
        """Return cosines (n,) as parts of the way from the median to the high one of siblings."""
        low, high = self.median[benchmark], self.high[benchmark]
        result: np.ndarray = (cosines - low) / np.maximum(high - low, LEAST_SPREAD)
        return result


def sample_items(benchmark: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """Return the items (int64) that tell of siblings: of each benchmark some at equal distances.

    `benchmark` is int32 (items,); items without a text or with that of another one are passed over.
    """
    chosen = []
    seen: set[tuple[int, str]] = set()
    fit = np.zeros(len(texts), np.bool_)
    for number, text in enumerate(texts):
        key = (int(benchmark[number]), text)
        fit[number] = bool(text) and key not in seen
        seen.add(key)
    for one in np.unique(benchmark):
        own = np.flatnonzero((benchmark == one) & fit)
        n = min(SAMPLED, len(own))
        chosen.append(own[np.arange(n) * len(own) // max(1, n)])
    return np.concatenate([np.zeros(0, np.int64), *chosen])


def sibling_cosines(
    vectors: np.ndarray, benchmark: np.ndarray, n_benchmarks: int
) -> SiblingCosines:
    """Return what cosines siblings have; `vectors` float32 (n, d) of unit length, of sampled items."""
    median = np.full(n_benchmarks, DEFAULT_MEDIAN)
    high = np.full(n_benchmarks, DEFAULT_HIGH)
    for one in range(n_benchmarks):
        own = vectors[benchmark == one].astype(np.float64)
        if len(own) < LEAST_SAMPLED:
            continue
        upper = np.triu_indices(len(own), 1)
        cosines = (own @ own.T)[upper]
        cosines = np.sort(cosines[cosines < SAME_COSINE])
        if len(cosines):
            median[one] = np.median(cosines)
            high[one] = np.quantile(cosines, 1 - SIBLING_RATE)
    return SiblingCosines(median, high)


def row_text(item: Item, view: int) -> str:
    """Return the text of an item that a place of a row of `Meant` is compared with."""
    return last_sentence(item.question) if view == ASK else item.question


def place_texts(
    data: np.ndarray,
    bounds: np.ndarray,
    target: Sought,
    scanned: Scanned,
    meanings: Meanings,
    rows: np.ndarray,
) -> list[str]:
    """Return the text of the sentences of each place in `rows` (int64, rows of evidence, ascending)."""
    evidence = scanned.evidence._replace(
        word_start=meanings.text_start.astype(np.int64),
        word_end=meanings.text_end.astype(np.int64),
    )
    places = locate(data, bounds, target, evidence, rows)
    texts, document, text = [], -1, ""
    for row, (start, end) in zip(rows.tolist(), places.tolist(), strict=True):
        if document != scanned.evidence.document[row]:
            document = int(scanned.evidence.document[row])
            text = data[bounds[document] : bounds[document + 1]].tobytes().decode()
        texts.append(text[start:end])
    return texts


def cosines_of(places: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Return the cosine of each place's vector with its item's: float64 (n,); both of unit length."""
    result: np.ndarray = np.einsum("nd,nd->n", places.astype(np.float64), items.astype(np.float64))
    return result
