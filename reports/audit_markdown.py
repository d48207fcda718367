"""An audit as `summary.md`, escaped as that of a scan is (see `reports.markdown_parts`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reports import audit_view, view
from reports.audit_schema import AuditReport
from reports.count_tables import preset_table
from reports.escape import visible_everywhere
from reports.markdown_parts import (
    MEANING_CHARS,
    code,
    fold,
    join_sections,
    more_of,
    prose,
    stamp_line,
    table_lines,
    unread_lines,
)

MARKER: Final = "<!-- sluicegate:audit -->"
MAX_ANSWERS: Final = 30
MAX_SCORES: Final = 60
MAX_BENCHMARKS: Final = 30
MAX_ITEMS: Final = 20
MAX_COLUMNS: Final = 6
TEXT_CHARS: Final = 600


def render_audit_markdown(report: AuditReport) -> str:
    """Return the summary, at most `reports.markdown_parts.MAX_BYTES` of UTF-8."""
    safe: AuditReport = visible_everywhere(report)
    return join_sections(MARKER, _sections(safe))


def _sections(report: AuditReport) -> Iterator[list[str]]:
    yield list(_head(report))
    yield list(_scores(report))
    yield list(_benchmarks(report))
    yield list(_presets(report))
    yield list(_items(report))
    yield list(_overlaps(report))
    corpus = report["scan"]["corpus"]
    yield list(unread_lines(corpus["problems"], corpus["problems_not_shown"]))
    yield list(
        fold(
            "How measured",
            [
                f"- **{prose(d['term'])}**: {prose(d['meaning'], MEANING_CHARS)}"
                for d in report["definitions"]
            ],
        )
    )


def _head(report: AuditReport) -> Iterator[str]:
    yield from (stamp_line(stamp) for stamp in view.stamps(report["scan"]))
    yield f"## {prose(report['title'])}"
    yield ""
    yield prose(audit_view.lead(report), TEXT_CHARS)
    yield ""
    for score in report["scores"][:MAX_ANSWERS]:
        name = f"{code(score['model'])} on {code(score['benchmark'])}"
        yield f"- **{score['answer'].capitalize()}**, {name}: {prose(score['sentence'], TEXT_CHARS)}."
    yield from more_of(len(report["scores"][MAX_ANSWERS:]), "score")
    for each in audit_view.unscored(report)[:MAX_ANSWERS]:
        answer = str(each["answer"]).capitalize()
        yield f"- **{answer}**, {code(each['benchmark'])}: {prose(each['sentence'], TEXT_CHARS)}."


def _scores(report: AuditReport) -> Iterator[str]:
    if not report["scores"]:
        return
    yield "### Scores, differences in points"
    yield ""
    yield from table_lines(
        audit_view.GAP_HEAD,
        [
            [code(score["benchmark"]), code(score["model"]), *audit_view.gap_cells(score)]
            for score in report["scores"][:MAX_SCORES]
        ],
    )
    yield from more_of(len(report["scores"][MAX_SCORES:]), "score", "gaps.parquet")
    notes = [s for s in report["scores"][:MAX_SCORES] if s["note"]]
    if notes:
        lines = [
            f"- {code(s['model'])} on {code(s['benchmark'])}: {prose(s['note'], TEXT_CHARS)}."
            for s in notes
        ]
        yield from ("", *fold("Other designs: clean model, difficulty, threshold", lines))


def _benchmarks(report: AuditReport) -> Iterator[str]:
    yield "### Benchmarks, and what is left of them"
    yield ""
    rows = []
    for each in report["benchmarks"][:MAX_BENCHMARKS]:
        found = audit_view.summary_of(report, each["benchmark"])
        rows.append(
            [
                code(each["benchmark"]),
                *(
                    view.count(found[s])
                    for s in ("contaminated", "suspect", "clean", "unsearchable")
                ),
                prose(audit_view.remainder(each), TEXT_CHARS),
            ]
        )
    yield from table_lines(
        ("Benchmark", "Contaminated", "Suspect", "Clean", "Unsearchable", "Reason"), rows
    )
    yield from more_of(len(report["benchmarks"][MAX_BENCHMARKS:]), "benchmark")


def _presets(report: AuditReport) -> Iterator[str]:
    table = preset_table(report["scan"], MAX_COLUMNS)
    if not table.columns or not table.rows:
        return
    head = ("Definition", *(code(column, 40) for column in table.columns), "Rule")
    rows = [
        [
            f"**{prose(row.head)}**",
            *(
                view.DASH if c.count is None else f"{view.count(c.count)} ({c.share})"
                for c in row.cells
            ),
            prose(row.note, MEANING_CHARS),
        ]
        for row in table.rows
    ]
    yield from fold("Under every lab’s definition", table_lines(head, rows))


def _items(report: AuditReport) -> Iterator[str]:
    examples = report["scan"]["examples"][:MAX_ITEMS]
    if not examples:
        return
    yield "### Which items"
    yield ""
    yield "Both texts of each stand side by side in `report.html`; all items are in `items.parquet`."
    yield ""
    yield from table_lines(
        ("Item", "Status", "Type", "Score", "Value"),
        [
            [
                f"{code(e['benchmark'])} {code(e['item_id'])}",
                e["status"],
                prose(e["leak_type"]),
                f"{e['score']:.2f}",
                code(view.place(e)),
            ]
            for e in examples
        ],
    )


def _overlaps(report: AuditReport) -> Iterator[str]:
    counts = report["overlap_counts"]
    if not counts:
        return
    yield "### Items that benchmarks share"
    yield ""
    yield from table_lines(
        ("Benchmark", "Other", "Kind", "Pairs"),
        [
            [code(c["benchmark"]), code(c["other_benchmark"]), c["kind"], view.count(c["pairs"])]
            for c in counts[:MAX_BENCHMARKS]
        ],
    )
    yield from more_of(len(counts[MAX_BENCHMARKS:]), "pair of benchmarks")
