"""The scan of what was planted, as the scan of the corpus does it: the one place to change with it.

Texts in; proven findings out. Nothing else of the battery calls the scanners or the verifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from pipelines.shard_step import ScanPlan, tell_all
from scanners.examine import Examined
from scanners.findings import Finding
from scanners.judge import Judged, Status
from scanners.ngram import Marks


def items_found(texts: Sequence[str], plan: ScanPlan, marks: Marks) -> set[int]:
    """Return the items that are suspect or worse in any of the texts, proven or not."""
    found: set[int] = set()
    for _, _, judged in plan.examine(*_buffers(texts), marks):
        owners = judged.owner[judged.status >= Status.SUSPECT]
        found.update(plan.patterns.owners.item[owners].tolist())
    return found


def all_findings(texts: Sequence[str], plan: ScanPlan, marks: Marks) -> list[Finding]:
    """Return every finding in the texts, as the findings file would have it."""
    data, bounds = _buffers(texts)
    return _told(plan.examine(data, bounds, marks), texts, data, bounds, plan)


def strongest_findings(
    texts: Sequence[str], asked: np.ndarray, plan: ScanPlan, marks: Marks
) -> list[Finding]:
    """Return for each text the strongest finding that makes an item asked for suspect, if any.

    `asked`: int64 (texts, k), the numbers of the items that each text is asked for, -1 for none.
    """
    data, bounds = _buffers(texts)
    own = [
        examined._replace(judged=_strongest(examined, asked, plan.patterns.owners.item))
        for examined in plan.examine(data, bounds, marks)
    ]
    best: dict[int, Finding] = {}
    for finding in _told(own, texts, data, bounds, plan):
        known = best.get(finding.document)
        if known is None or (finding.status, finding.score) > (known.status, known.score):
            best[finding.document] = finding
    return [best[document] for document in sorted(best)]


def utf8(text: str) -> bytes:
    """Return the bytes of a text; items may hold half of a surrogate pair."""
    return text.encode("utf-8", "replace")


def _strongest(examined: Examined, asked: np.ndarray, owner_item: np.ndarray) -> Judged:
    """Keep the strongest verdict of a scanner on the items asked for in each document."""
    judged = examined.judged
    document = examined.scanned.evidence.document[judged.evidence]
    is_asked = (asked[document] == owner_item[judged.owner][:, None]).any(axis=1)
    rows = np.flatnonzero(is_asked & (judged.status >= Status.SUSPECT))
    rows = rows[np.lexsort((-judged.score[rows], -judged.status[rows], document[rows]))]
    _, first = np.unique(document[rows], return_index=True)
    return Judged(*(column[rows[first]] for column in judged))


def _told(
    examined: Sequence[Examined],
    texts: Sequence[str],
    data: np.ndarray,
    bounds: np.ndarray,
    plan: ScanPlan,
) -> list[Finding]:
    text_of = lru_cache(maxsize=1)(lambda number: texts[number])
    return list(tell_all(examined, data, bounds, plan, text_of))


def _buffers(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the texts' UTF-8 bytes, uint8, and their bounds, int64 (n + 1,)."""
    encoded = [utf8(text) for text in texts]
    bounds = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=bounds[1:])
    # Writable, like Arrow's buffers: the kernels are compiled for that already.
    return np.frombuffer(bytearray().join(encoded), np.uint8), bounds
