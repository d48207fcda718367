"""What definitions of labs count before anything is judged: Llama 2's spans, Tülu 3's 8-grams."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import kernel

SPAN_WORDS: Final = 10  # Touvron et al. 2023, appendix A.6
MOST_REPLACED: Final = 4
JOINED_WORDS: Final = 8


@kernel
def cover_spans(runs: Any, covered: Any) -> None:
    """Mark the words of an item in Llama 2's spans, from the exact runs of one alignment.

    A span has more than 10 words; its first 10 are equal, and it goes on over gaps of equal length
    while at most 4 words in all are replaced. `runs` is int64 (n, 3): item word, document word,
    length; `covered` is bool (words of the item,).
    """
    for first in range(len(runs)):
        if runs[first, 2] < SPAN_WORDS:
            continue
        start, end = runs[first, 0], runs[first, 0] + runs[first, 2]
        diagonal = runs[first, 1] - runs[first, 0]
        replaced = 0
        for later in range(first + 1, len(runs)):
            replaced += runs[later, 0] - end
            if runs[later, 1] - runs[later, 0] != diagonal or replaced > MOST_REPLACED:
                break
            end = runs[later, 0] + runs[later, 2]
        if end - start > SPAN_WORDS:
            covered[start:end] = True


@kernel
def mark_joined(exact: Any, size: int, flags: Any, pattern: int) -> None:
    """Flag a pattern if more than half of its words lie in 8-grams shared with one document.

    `exact` are its exact runs in the document (in one segment of a long one), int64 (n, 3): item
    word, document word, length; `size` is its number of words (Lambert et al. 2024, section 3.2).
    """
    inside = np.zeros(0, np.bool_)
    for i, _, length in exact:
        if length >= JOINED_WORDS:
            if len(inside) == 0:
                inside = np.zeros(size, np.bool_)
            inside[i : i + length] = True
    if 2 * inside.sum() > size:
        flags[pattern] = True
