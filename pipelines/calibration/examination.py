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


def found_as_they_are(
    texts: Sequence[str], plan: ScanPlan, marks: Marks
) -> tuple[set[int], list[Finding]]:
    """Return the items that are suspect or worse in any of the texts, and the proven findings of them.

    A finding that cannot be proven makes its item one that is found, too.
    """
    data, bounds = _buffers(texts)
    found: set[int] = set()
    strong: list[Examined] = []
    for examined in plan.examine(data, bounds, marks):
        judged = examined.judged
        rows = np.flatnonzero(judged.status >= Status.SUSPECT)
        found.update(plan.patterns.owners.item[judged.owner[rows]].tolist())
        strong.append(examined._replace(judged=_rows(judged, rows)))
    return found, _told(strong, texts, data, bounds, plan)


def all_findings(texts: Sequence[str], plan: ScanPlan, marks: Marks) -> list[Finding]:
    """Return every finding in the texts, as the findings file would have it."""
    data, bounds = _buffers(texts)
    return _told(plan.examine(data, bounds, marks), texts, data, bounds, plan)


def strongest_findings(
    texts: Sequence[str],
    asked: np.ndarray,
    plan: ScanPlan,
    marks: Marks,
    places: Sequence[tuple[int, int]] | None = None,
) -> list[Finding]:
    """Return for each text the strongest finding that makes an item asked for suspect, if any.

    Args:
        texts: Of documents.
        asked: int64 (texts, k), the numbers of the items that each is asked for, -1 for none.
        plan: By what they are scanned.
        marks: Flags, which are raised.
        places: First character of a part of each text and the one behind it: only findings that touch it
            count. Without, all do.
    """
    data, bounds = _buffers(texts)
    own: list[Examined] = []
    for examined in plan.examine(data, bounds, marks):
        rows = _asked_rows(examined, asked, plan.patterns.owners.item)
        if places is None:  # so that few need a proof
            rows = _first_of_each(_documents(examined)[rows], rows)
        own.append(examined._replace(judged=_rows(examined.judged, rows)))
    best: dict[int, Finding] = {}
    for finding in _told(own, texts, data, bounds, plan):
        if places is not None and not _touches(finding, places[finding.document]):
            continue
        known = best.get(finding.document)
        if known is None or strength(finding) > strength(known):
            best[finding.document] = finding
    return [best[document] for document in sorted(best)]


def strength(finding: Finding) -> tuple[int, float]:
    """Return what findings are ordered by."""
    return finding.status, finding.score


def utf8(text: str) -> bytes:
    """Return the bytes of a text; items may hold half of a surrogate pair."""
    return text.encode("utf-8", "replace")


def _asked_rows(examined: Examined, asked: np.ndarray, owner_item: np.ndarray) -> np.ndarray:
    """Return the verdicts of a scanner on items asked for: by document, the strongest first."""
    judged, document = examined.judged, _documents(examined)
    is_asked = (asked[document] == owner_item[judged.owner][:, None]).any(axis=1)
    rows = np.flatnonzero(is_asked & (judged.status >= Status.SUSPECT))
    return rows[np.lexsort((-judged.score[rows], -judged.status[rows], document[rows]))]


def _first_of_each(document: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the first row of each document; `document` is sorted and says whose the rows are."""
    _, first = np.unique(document, return_index=True)
    return rows[first]


def _documents(examined: Examined) -> np.ndarray:
    """Return the number of the document of each verdict."""
    return examined.scanned.evidence.document[examined.judged.evidence]


def _rows(judged: Judged, rows: np.ndarray) -> Judged:
    return Judged(*(column[rows] for column in judged))


def _touches(finding: Finding, place: tuple[int, int]) -> bool:
    return finding.doc_start < place[1] and finding.doc_end > place[0]


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
