"""Windows of text in other languages than a benchmark's, as long as its items.

A window is a run of sentences in one language. Translations change the number of words and of characters, so
lengths are told in letters of English (`scanners.languages`), and from every sentence on there is a window
of each size of a ladder.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from scanners.languages import NO_LANGUAGE, Sentences

STEP: Final = 1.25  # from one size of the ladder to the next


class Windows(NamedTuple):
    """Runs of sentences, (n,) each, by first sentence and length."""

    first: np.ndarray  # int64, first sentence
    last: np.ndarray  # int64, past the last
    size: np.ndarray  # float64, in letters of English


def ladder(sizes: np.ndarray) -> np.ndarray:
    """Return the sizes of windows for questions of these sizes (float64 (n,)): float64, ascending.

    All are powers of `STEP`, so that benchmarks share windows.
    """
    low, high = np.floor(np.log(sizes.min()) / np.log(STEP)), np.log(sizes.max()) / np.log(STEP)
    result: np.ndarray = STEP ** np.arange(low, np.ceil(high) + 1)
    return result


def windows_of(sentences: Sentences, own_language: int, sizes: np.ndarray) -> Windows:
    """Return the windows in other languages than a benchmark's own; `sizes` are ascending."""
    first, last, size = _windows(*sentences, own_language, NO_LANGUAGE, sizes)
    return Windows(first, last, size)


@kernel
def _windows(
    document: Any, start: Any, end: Any, first_char: Any, last_char: Any, size: Any, language: Any,
    own: int, none: int, targets: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    firsts, lasts = np.empty(256, np.int64), np.empty(256, np.int64)
    sizes = np.empty(256, np.float64)
    n = 0
    for first in range(len(document)):
        if language[first] == own or language[first] == none or size[first] == 0:
            continue
        last, total, before = first + 1, size[first], -1
        for target in targets:
            while (
                last < len(document)
                and document[last] == document[first]
                and language[last] == language[first]
                and total + size[last] / 2 <= target  # nearer to the target with it than without
            ):
                total += size[last]
                last += 1
            if last == before:
                continue  # the same as for the size before
            before = last
            if n == len(firsts):
                firsts, lasts, sizes = _twice(firsts), _twice(lasts), _twice(sizes)
            firsts[n], lasts[n], sizes[n] = first, last, total
            n += 1
    return firsts[:n].copy(), lasts[:n].copy(), sizes[:n].copy()


@kernel
def _twice(array: Any) -> Any:
    out = np.empty(2 * len(array), array.dtype)
    out[: len(array)] = array
    return out
