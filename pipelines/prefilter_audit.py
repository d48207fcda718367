"""What stage 0 of the embedding scanner rejects, looked at: documents of the scan, read once more.

Static vectors choose the windows that are read; what they reject nobody sees. So documents that the scan
drew at random are scanned again with every floor lowered and every list of items opened, and what is
found then and was not before is counted: what the floors and the pruning cost. What lies further below
the floors `--no-prefilter` would show, with a transformer and much time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from pipelines.shard_step import ScanPlan, text_buffers
from scanners.examine import EMBEDDING, Examined, examine
from scanners.judge import Status
from scanners.presets import PresetTally

if TYPE_CHECKING:
    from scanners.semantic import Semantic

LOWERED: Final = 0.2  # of the cosine


def audit_prefilter(plan: ScanPlan, documents: Sequence[str]) -> dict[str, int] | None:
    """Scan documents with lower floors and count what else is found.

    Returns None where no static vectors choose. Else the numbers of `documents`, of windows `nominated`,
    of those `rejected` that the lower floors let through, and what reading them gives: places `missed`,
    and those of them that are `missed_contaminated`.
    """
    if plan.semantic is None or not plan.semantic.prefilter:
        return None
    texts = pa.array(list(documents), pa.large_string())
    data, bounds = text_buffers(texts)
    usual = _examined(data, bounds, plan, plan.semantic)
    lowered = _examined(data, bounds, plan, plan.semantic.with_lower_floors(LOWERED))
    known = {place for place, _ in _places(usual, plan)}
    missed = [status for place, status in _places(lowered, plan) if place not in known]
    nominated = len(usual.scanned.evidence.document)
    return {
        "documents": len(documents),
        "nominated": nominated,
        "rejected": len(lowered.scanned.evidence.document) - nominated,
        "missed": len(missed),
        "missed_contaminated": missed.count(Status.CONTAMINATED),
    }


def told_of_audit(audit: dict[str, int]) -> str:
    """Say in a line what the audit gave, for the report."""
    return (
        f"{audit['documents']:,} documents read again with floors lower by {LOWERED}: "
        f"{audit['rejected']:,} more places read beside {audit['nominated']:,}, "
        f"{audit['missed']:,} more findings, {audit['missed_contaminated']:,} of them contaminated"
    )


def _examined(data: np.ndarray, bounds: np.ndarray, plan: ScanPlan, semantic: Semantic) -> Examined:
    """Return what the embedding scanner says, heard after the others as in a scan."""
    marks = PresetTally(plan.patterns).marks  # not those of the scan
    examined = examine(data, bounds, plan.patterns, plan.target, plan.signed, semantic, marks)
    (said,) = [one for one in examined if one.scanner == EMBEDDING]
    return said


def _places(said: Examined, plan: ScanPlan) -> list[tuple[tuple[int, int], Status]]:
    """Return (document, item) of every finding, and its status."""
    judged = said.judged
    document = said.scanned.evidence.document[judged.evidence].tolist()
    item = plan.patterns.owners.item[judged.owner].tolist()
    status = map(Status, judged.status.tolist())
    return list(zip(zip(document, item, strict=True), status, strict=True))
