"""All scanners of a run over one batch of documents: what each nominated and how it was judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scanners.findings import EMBEDDING, TRANSLATION
from scanners.judge import Judged, judge
from scanners.judge_reworded import judge_reworded
from scanners.minhash import Signed, scan_rewordings
from scanners.ngram import Marks, Scanned, Sought, scan_texts
from scanners.patterns import Patterns

if TYPE_CHECKING:
    from scanners.semantic import Semantic

NGRAM, MINHASH = "ngram", "minhash"


__all__ = ["EMBEDDING", "MINHASH", "NGRAM", "TRANSLATION", "Examined", "examine"]


class Examined(NamedTuple):
    """What one scanner says to a batch."""

    scanner: str
    scanned: Scanned
    judged: Judged


def examine(
    data: np.ndarray,
    bounds: np.ndarray,
    patterns: Patterns,
    target: Sought,
    signed: Signed | None,
    semantic: Semantic | None,
    marks: Marks,
) -> list[Examined]:
    """Examine documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8); the n-grams come first.

    `signed` and `semantic` are None where their scanners are not asked for. Raises the flags of `marks`.
    """
    scanned = scan_texts(data, bounds, target, marks)
    judged = judge(scanned, patterns)
    out = [Examined(NGRAM, scanned, judged)]
    if signed is not None:
        reworded, features = scan_rewordings(data, bounds, target, signed)
        verdicts = judge_reworded(reworded, features, patterns, scanned, judged)
        out.append(Examined(MINHASH, reworded, verdicts))
    if semantic is not None:
        known = [(before.scanned, before.judged) for before in out]
        out.append(Examined(EMBEDDING, *semantic.scan(data, bounds, target, known)))
        translated = semantic.scan_translations(data, bounds, [*known, out[-1][1:]])
        if translated is not None:
            out.append(Examined(TRANSLATION, *translated))
    return out
