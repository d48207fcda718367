"""`report.html` of a scan: one file, no scripts, nothing fetched (see `reports.page`)."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

from reports import view
from reports.count_tables import domain_table, heat_key, leak_table, preset_table
from reports.escape import visible_everywhere
from reports.page import render_page
from reports.schema import BenchmarkSummary, Example, Report, Segment
from reports.segments import clip_segments, merge_marks

MAX_COLUMNS = 24  # of a table over domains or benchmarks: more are not read but scrolled past
MANY_CLEAN = 5  # benchmarks with nothing found: from here on a folded list instead of rows
EXAMPLE_CHARS = 2_000  # of each of the two texts of an example
EXAMPLES_BYTES = 400_000  # of all examples as HTML: the page stays under 1 MB whatever they hold

BAR_WIDTH = 120
BAR_STATUSES = ("contaminated", "suspect", "unsearchable", "clean")


@dataclass(frozen=True, slots=True)
class BarPart:
    """One status in a benchmark's bar; `x` and `width` in units of `BAR_WIDTH`."""

    status: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Pair:
    """An example and its two texts as HTML."""

    example: Example
    item: Markup
    document: Markup


def render_html(report: Report) -> str:
    """Return the page for a report; equal reports give equal pages."""
    safe: Report = visible_everywhere(report)
    ranked = view.worst_first(safe["benchmarks"])
    clean = [benchmark for benchmark in ranked if not view.has_findings(benchmark)]
    folded = clean if len(clean) >= MANY_CLEAN else []
    return render_page(
        "report.html.j2",
        "report.css",
        report=safe,
        bar=bar,
        bar_width=BAR_WIDTH,
        benchmarks=[benchmark for benchmark in ranked if benchmark not in folded],
        ranked=ranked,
        folded=folded,
        unsearchable=[benchmark for benchmark in ranked if benchmark["unsearchable_reasons"]],
        stamps=view.stamps(safe),
        leaks=leak_table(safe),
        domains=domain_table(safe, MAX_COLUMNS),
        heat_key=heat_key(),
        presets=preset_table(safe, MAX_COLUMNS),
        pairs=list(_pairs(safe["examples"])),
    )


def bar(benchmark: BenchmarkSummary) -> list[BarPart]:
    """Return the bar of a benchmark, worst status first; what exists is at least 2 units wide."""
    counts = {
        "contaminated": benchmark["contaminated"],
        "suspect": benchmark["suspect"],
        "unsearchable": benchmark["unsearchable"],
        "clean": benchmark["clean"],
    }
    present = [status for status in BAR_STATUSES if counts[status]]
    whole = sum(counts.values())
    free = BAR_WIDTH - 2 * len(present)
    parts, x = [], 0.0
    for status in present:
        width = round(2 + free * counts[status] / whole, 2)
        parts.append(BarPart(status, round(x, 2), width))
        x += width
    return parts


def marked(segments: list[Segment]) -> Markup:
    """Return the segments as HTML, matched ones in `<mark>`."""
    clipped = clip_segments(merge_marks(segments), EXAMPLE_CHARS)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(text) if matched else escape(text)
        for text, matched in clipped
    )


def _pairs(examples: list[Example]) -> Iterator[Pair]:
    spent = 0
    for example in examples:
        pair = Pair(example, marked(example["item_segments"]), marked(example["document_segments"]))
        spent += len(pair.item.encode()) + len(pair.document.encode())
        if spent > EXAMPLES_BYTES:
            return
        yield pair
