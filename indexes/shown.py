"""How often a store shows a copy of a text that is too short for its promise, measured.

A run of 13 words always has a fingerprint. A shorter text has one of its own only where one of its seeds is
kept in spite of the seeds around it. So copies are put among words of strangers, and counted is how many
have one: about half at 7 words, four fifths at 9, nearly all at 12.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import kernel
from indexes.fingerprints import kept_seeds
from indexes.ngram import LONG_WORDS
from indexes.seeds import SEED_WORDS

TRIALS: Final = 64  # 64 of 64: with 95 % confidence more than 95 % of all copies
AROUND: Final = LONG_WORDS - 1  # words on each side: those of all windows with a seed of the text
U64 = np.uint64
STEP, MIX, MIX_2 = U64(0x9E3779B97F4A7C15), U64(0xBF58476D1CE4E5B9), U64(0x94D049BB133111EB)
S30, S27, S31 = U64(30), U64(27), U64(31)


@kernel
def shown_copies(words: Any, starts: Any, counts: Any, common: Any) -> Any:
    """Return how many of `TRIALS` copies of each text have a fingerprint that is looked for.

    Texts are `words[starts[t]:starts[t + 1]]` (uint64, int64 (texts + 1,)), `counts` (bool (len(words),))
    tells where seeds begin that are looked for. int64 (texts,). The strangers are the same every time.
    """
    out = np.zeros(len(starts) - 1, np.int64)
    for text in range(len(out)):
        first, n = starts[text], starts[text + 1] - starts[text]
        copy = np.empty(n + 2 * AROUND, np.uint64)
        copy[AROUND : AROUND + n] = words[first : first + n]
        state = U64(0)
        for _ in range(TRIALS):
            for at in range(AROUND):
                state += STEP  # SplitMix64 (Steele, Lea and Flood 2014)
                copy[at] = _mixed(state)
                state += STEP
                copy[AROUND + n + at] = _mixed(state)
            kept = kept_seeds(copy, common)
            shown = False
            for at in range(n - SEED_WORDS + 1):
                shown |= kept[AROUND + at] and counts[first + at]
            out[text] += shown
    return out


@kernel
def _mixed(state: Any) -> Any:
    state = (state ^ state >> S30) * MIX
    state = (state ^ state >> S27) * MIX_2
    return state ^ state >> S31
