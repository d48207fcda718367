"""Banded alignment: how a pattern and a document go on from an exact run that they share.

From each end of the run the alignment extends with matches, mismatches and gaps (Smith-Waterman
scoring, extension from an anchor as in BLAST, Altschul et al. 1997), inside a band around the run's
diagonal, and ends where its score is highest. A match scores the word's weight, so common words that
agree by chance do not pay for the mismatches between them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import kernel
from scanners.fields import UNITS_PER_BIT

MISMATCH: Final = 3 * UNITS_PER_BIT // 2  # costs less than the two gaps that could replace it
GAP: Final = UNITS_PER_BIT
GIVE_UP: Final = 24 * UNITS_PER_BIT  # an extension this far below its best has left the item
LEAST_BAND, MOST_BAND = 8, 24  # words by which insertions may shift the alignment
IMPOSSIBLE: Final = -(1 << 30)
STOP, BOTH, ITEM_ONLY, DOCUMENT_ONLY = 0, 1, 2, 3


@kernel
def band_of(pattern_words: int) -> int:
    """Return the half width of the band for a pattern: half its length within the limits."""
    return max(LEAST_BAND, min(MOST_BAND, pattern_words // 2))


@kernel
def extend(
    item: Any,
    weights: Any,
    i: int,
    i_left: int,
    document: Any,
    j: int,
    j_left: int,
    step: int,
    band: int,
    trace: Any,
    pairs: Any,
) -> int:
    """Extend an alignment from word `i` of the item and `j` of the document on, in one direction.

    `step` is 1 or -1; `i_left` and `j_left` are the words left in that direction. `trace` is scratch
    (uint8, at least (i_left + 1) * (2 * band + 1)). Matching words go to `pairs` (int64 (n, 2)) as
    (item word, document word), nearest first; returns their number.
    """
    width = 2 * band + 1
    if i_left == 0 or j_left == 0:
        return 0
    above = np.full(width + 2, IMPOSSIBLE, np.int64)  # one cell of margin on both sides
    here = np.full(width + 2, IMPOSSIBLE, np.int64)
    above[band + 1] = 0
    trace[band] = STOP
    for d in range(1, min(band, j_left) + 1):
        above[band + 1 + d] = -GAP * d
        trace[band + d] = DOCUMENT_ONLY
    best, best_t, best_d = 0, 0, 0
    for t in range(1, i_left + 1):
        word, weight = item[i + step * (t - 1)], np.int64(weights[i + step * (t - 1)])
        row_best = IMPOSSIBLE
        here[0] = here[width + 1] = IMPOSSIBLE
        for d in range(-band, band + 1):
            at = d + band + 1
            taken = t + d
            score, move = IMPOSSIBLE, STOP
            if 0 <= taken <= j_left:
                if taken > 0 and above[at] > IMPOSSIBLE:
                    same = document[j + step * (taken - 1)] == word
                    score, move = above[at] + (weight if same else -MISMATCH), BOTH
                if above[at + 1] - GAP > score:
                    score, move = above[at + 1] - GAP, ITEM_ONLY
                if taken > 0 and here[at - 1] - GAP > score:
                    score, move = here[at - 1] - GAP, DOCUMENT_ONLY
            here[at] = score
            trace[t * width + d + band] = move
            if score > row_best:
                row_best = score
                if score > best:
                    best, best_t, best_d = score, t, d
        if row_best < best - GIVE_UP:
            break
        above, here = here, above
    return _trace_back(item, i, document, j, step, band, trace, best_t, best_d, pairs)


@kernel
def _trace_back(
    item: Any,
    i: int,
    document: Any,
    j: int,
    step: int,
    band: int,
    trace: Any,
    t: int,
    d: int,
    pairs: Any,
) -> int:
    """Walk from the best cell to the anchor; leave the matching pairs in `pairs`, nearest first."""
    width = 2 * band + 1
    n = 0
    while t > 0 or d > 0:
        move = trace[t * width + d + band]
        if move == BOTH:
            a, b = i + step * (t - 1), j + step * (t + d - 1)
            if item[a] == document[b]:
                pairs[n, 0], pairs[n, 1] = a, b
                n += 1
            t -= 1
        elif move == ITEM_ONLY:
            t -= 1
            d += 1
        else:
            d -= 1
    for k in range(n // 2):
        for side in range(2):
            pairs[k, side], pairs[n - 1 - k, side] = pairs[n - 1 - k, side], pairs[k, side]
    return n
