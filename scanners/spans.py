"""Llama 2's matched spans: equal words with a few replaced (Touvron et al. 2023, appendix A.6)."""

from __future__ import annotations

from typing import Any, Final

from corpora.kernels import kernel

SPAN_WORDS: Final = 10
MOST_REPLACED: Final = 4


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
