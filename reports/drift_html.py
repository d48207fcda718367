"""`report.html` of a drift run: one file, no scripts, nothing fetched (see `reports.page`)."""

from typing import Final

from reports import drift_charts as charts
from reports import drift_numbers as numbers
from reports import drift_shapes as shapes
from reports import drift_view
from reports.drift_answers import answers, sensitivity
from reports.drift_schema import DriftReport
from reports.page import render_page

# What is listed, so that a page is read rather than scrolled and stays small; the rest is counted
# here and stands in the Parquet files.
MAX_DOMAINS: Final = 100
MAX_TOKENS: Final = 40  # of each kind
OPEN_TOKENS: Final = 12  # of them not folded
MAX_BENCHMARKS: Final = 100
MAX_DETAILED: Final = 24  # benchmarks with drivers and a hypothesis
MAX_DRIVERS: Final = 8
MAX_EFFECTS: Final = 6
MAX_BINS: Final = 64
MAX_CLASSIFIED: Final = 80

# Where the page goes on, by the kind of a statement.
SECTIONS: Final = {
    "domain": ("mix", "Domain mix"), "tokens": ("tokens", "Tokens"), "exposure": ("exposure", "Benchmarks"),
    "documents": ("copies", "Copies"), "whole": ("explained", "Explained or not"),
}  # fmt: skip


def render_drift_html(report: DriftReport) -> str:
    """Return the page for a report; equal reports give equal pages."""
    safe = drift_view.shown(report)
    domains = drift_view.domain_rows(safe)
    exposure = drift_view.ranked_exposure(safe)
    domain_tokens = drift_view.ranked_domain_tokens(safe)
    return render_page(
        "drift.html.j2",
        "drift.css",
        report=safe,
        drift=drift_view,
        numbers=numbers,
        shapes=shapes,
        stamps=drift_view.stamps(safe),
        answers=answers(safe),
        sensitivity=sensitivity(safe),
        sections=SECTIONS,
        gauges=charts.gauge_rows(drift_view.gauges(safe)),
        domains=domains[:MAX_DOMAINS],
        domains_left_out=len(domains[MAX_DOMAINS:]) + safe["domains_not_shown"],
        mix=charts.mix_chart(safe, domains),
        bars=charts.explained_bars(safe),
        domain_tokens=domain_tokens[:MAX_DOMAINS],
        within=charts.within_chart(domain_tokens),
        tokens={kind: drift_view.tokens_of(safe, kind)[:MAX_TOKENS] for kind in drift_view.KINDS},
        open_tokens=OPEN_TOKENS,
        exposure=exposure[:MAX_BENCHMARKS],
        exposure_left_out=len(exposure[MAX_BENCHMARKS:]),
        exposed=charts.exposure_chart(exposure[:MAX_BENCHMARKS]),
        detailed=[benchmark for benchmark in exposure if benchmark["alarm"]][:MAX_DETAILED],
        max_drivers=MAX_DRIVERS,
        max_effects=MAX_EFFECTS,
        max_bins=MAX_BINS,
        max_classified=MAX_CLASSIFIED,
    )
