"""Words that mean the same: how much of a question's weight a place has, in other words, too.

Every word of the question is compared with every word of the place by the cosine of static vectors
(late interaction: Khattab and Zaharia 2020). An equal word counts whole, a near one in part, numbers
only where they are equal. So "purchased" stands for "bought", and "7" never for "8".
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import kernel
from scanners.fields import UNITS_PER_BIT

NO_LIKENESS, FULL_LIKENESS = 0.35, 0.85  # cosines: linear between
MOST_LIKE: Final = 0.9  # what a word that is not the same counts at most
OTHER_WORD: Final = 3 * UNITS_PER_BIT // 2  # cost of a word that stands for none of the question


@kernel
def liken(
    asked: Any, asked_words: Any, asked_number: Any, vectors: Any, words: Any, number: Any,
    likeness: Any,
) -> None:  # fmt: skip
    """Compare the words of a question with those of a text.

    Args:
        asked: float32 (m, dimension), unit vectors of the question's words; zeros where unknown.
        asked_words: uint64 (m,), their hashes; numbers as in digits.
        asked_number: bool (m,), which are numbers.
        vectors: float32 (dimension, n), unit vectors of the text's words, a column each.
        words: uint64 (n,).
        number: bool (n,).
        likeness: float32 (m, n), what is written: 1 for the same word, up to 0.9 for a near one.
    """
    n = len(words)
    cosines = np.empty(n, np.float32)
    low = np.float32(NO_LIKENESS)
    scale = np.float32(MOST_LIKE / (FULL_LIKENESS - NO_LIKENESS))
    most, none, whole = np.float32(MOST_LIKE), np.float32(0), np.float32(1)
    for i in range(len(asked_words)):
        row = likeness[i]
        if asked_number[i]:
            row[:] = none
        else:
            cosines[:] = none
            for k in range(asked.shape[1]):
                factor, column = asked[i, k], vectors[k]
                for j in range(n):
                    cosines[j] += factor * column[j]
            for j in range(n):
                like = min(most, max(none, (cosines[j] - low) * scale))
                row[j] = none if number[j] else like
        for j in range(n):
            if words[j] == asked_words[i]:
                row[j] = whole


@kernel
def best_place(likeness: Any, weights: Any, longest: int) -> tuple[int, int]:
    """Return the words [begin, end) that gain most (Bentley 1984, largest sum of a segment).

    A word gains the largest weight (int32 (m,)) of the question that it stands for, times how near it
    comes, and costs in proportion to what it lacks of `OTHER_WORD`.
    """
    m, n = likeness.shape
    best = here = 0.0
    begin = end = since = 0
    for j in range(n):
        gain = 0.0
        for i in range(m):
            gain = max(gain, weights[i] * likeness[i, j])
        if gain < OTHER_WORD:
            gain = 2 * gain - OTHER_WORD if gain > 0 else -float(OTHER_WORD)
        if here <= 0 or j - since >= longest:
            here, since = 0.0, j
        here += gain
        if here > best:
            best, begin, end = here, since, j + 1
    return begin, end


@kernel
def covered(likeness: Any, weights: Any, begin: int, end: int, first: int, last: int) -> float:
    """Return the weight of the question's words first..last that the place stands for."""
    total = 0.0
    for i in range(first, last):
        best = np.float32(0)
        for j in range(begin, end):
            best = max(best, likeness[i, j])
        total += weights[i] * best
    return total


@kernel
def told_share(likeness: Any, weights: Any, begin: int, end: int) -> float:
    """Return the share of the text's weight (int32 (n,)) begin..end that the question stands for."""
    total = told = 0.0
    for j in range(begin, end):
        best = np.float32(0)
        for i in range(likeness.shape[0]):
            best = max(best, likeness[i, j])
        total += weights[j]
        told += weights[j] * best
    return told / total if total > 0 else 0.0


@kernel
def covered_in_order(
    likeness: Any, weights: Any, begin: int, end: int, backwards: bool = False
) -> float:
    """Return the weight that an alignment in order covers: the heaviest common subsequence.

    `backwards` reads the place from its end: what words align in by chance, as in random order.
    """
    n = end - begin
    best = np.zeros((2, n + 1), np.float64)
    for i in range(likeness.shape[0]):
        above, here = best[i & 1], best[(i + 1) & 1]
        for j in range(n):
            at = end - 1 - j if backwards else begin + j
            both = above[j] + weights[i] * likeness[i, at]
            here[j + 1] = max(both, above[j + 1], here[j])
    return best[likeness.shape[0] & 1, n]
