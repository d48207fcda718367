"""An audit's `report.html`: which scores can be quoted on the first screen (see `reports.page`)."""

from __future__ import annotations

from typing import Final

from reports import audit_view
from reports.audit_schema import AuditReport
from reports.count_tables import preset_table
from reports.escape import visible_everywhere
from reports.html import EXAMPLES_BYTES, Pair, marked
from reports.page import render_page
from reports.schema import Example
from reports.view import stamps, worst_first

OPEN_ANSWERS: Final = 6  # not folded: the first screen
MAX_ANSWERS: Final = 60
MAX_SCORES: Final = 300
MAX_OVERLAPS: Final = 60
MAX_COLUMNS: Final = 24


def render_audit_html(report: AuditReport) -> str:
    """Return the page for a report; equal reports give equal pages."""
    safe: AuditReport = visible_everywhere(report)
    return render_page(
        "audit.html.j2",
        "report.css",
        "audit.css",
        report=safe,
        scan=safe["scan"],
        audit=audit_view,
        stamps=stamps(safe["scan"]),
        ranked=worst_first(safe["scan"]["benchmarks"]),
        presets=preset_table(safe["scan"], MAX_COLUMNS),
        remainders=safe["benchmarks"],
        open_answers=OPEN_ANSWERS,
        max_answers=MAX_ANSWERS,
        max_scores=MAX_SCORES,
        max_overlaps=MAX_OVERLAPS,
        pairs=_pairs(safe["scan"]["examples"]),
    )


def _pairs(examples: list[Example]) -> list[Pair]:
    """Return examples with both texts as HTML, as many as keep the page small."""
    pairs: list[Pair] = []
    spent = 0
    for example in examples:
        pair = Pair(example, marked(example["item_segments"]), marked(example["document_segments"]))
        spent += len(pair.item.encode()) + len(pair.document.encode())
        if spent > EXAMPLES_BYTES:
            break
        pairs.append(pair)
    return pairs
