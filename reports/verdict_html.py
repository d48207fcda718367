"""A gate's `report.html`: the verdict and its reasons on the first screen (see `reports.page`)."""

from __future__ import annotations

from typing import Final

from reports import verdict_view
from reports.amounts import amount
from reports.escape import visible_everywhere
from reports.page import render_page
from reports.verdict_schema import Verdict

MAX_REASONS: Final = 30
MAX_ROWS: Final = 300  # of each table: a page that is scrolled for ever is not read
SHOWN_EVIDENCE: Final = 3


def render_verdict_html(verdict: Verdict) -> str:
    """Return the page for a verdict; equal verdicts give equal pages."""
    safe: Verdict = visible_everywhere(verdict)
    reasons = verdict_view.reasons(safe)
    unsettled, held = verdict_view.open_results(safe), verdict_view.held_results(safe)
    return render_page(
        "verdict.html.j2",
        "verdict.css",
        report=safe,
        gate=verdict_view,
        amount=amount,
        bar_width=verdict_view.BAR_WIDTH,
        reasons=reasons[:MAX_REASONS],
        reasons_left_out=max(0, len(reasons) - MAX_REASONS),
        shown_evidence=SHOWN_EVIDENCE,
        open=unsettled[:MAX_ROWS],
        open_left_out=max(0, len(unsettled) - MAX_ROWS),
        held=held[:MAX_ROWS],
        held_total=len(held),
    )
