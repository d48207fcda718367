"""`clean.json` for a terminal and as `summary.md`.

Both are pure functions of the report and escape as its renderings do (`reports.terminal`,
`reports.markdown_parts`).
"""

from __future__ import annotations

from collections.abc import Iterator

from reports import view
from reports.clean_schema import CleanReport
from reports.escape import one_line, visible_everywhere
from reports.grids import Grid, markdown_grid, terminal_grid
from reports.markdown_parts import code, join_sections, prose, stamp_line
from reports.terminal import BOLD, MIN_WIDTH, RED, Page, wrap

MARKER = "<!-- sluicegate:clean -->"
MAX_ROWS = 40
NAME_CELLS = 48


def render_clean_terminal(report: CleanReport, width: int = 110, color: bool = False) -> str:
    """Return the report as lines of at most `width` cells, ending in a newline."""
    safe: CleanReport = visible_everywhere(report)
    page = Page(max(width, MIN_WIDTH), color)
    blocks = [
        list(_terminal_head(page, safe)),
        *(list(terminal_grid(page, grid, NAME_CELLS, "clean.json")) for grid in _grids(safe)),
        [line for note in _notes(safe) for line in wrap(one_line(note), page.width)],
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def render_clean_markdown(report: CleanReport) -> str:
    """Return `summary.md`, at most `MAX_BYTES` of UTF-8; what does not fit is left out by sections."""
    safe: CleanReport = visible_everywhere(report)
    return join_sections(MARKER, _sections(safe), "clean.json")


def _terminal_head(page: Page, report: CleanReport) -> Iterator[str]:
    for stamp in _stamps(report):
        yield from page.stamp(stamp, RED)
    for line in wrap(one_line(report["title"]), page.width):
        yield page.paint(line, BOLD)
    for fact in _facts(report):
        yield from wrap(one_line(fact), page.width)


def _sections(report: CleanReport) -> Iterator[list[str]]:
    yield [f"## {prose(report['title'])}"]
    for stamp in _stamps(report):
        yield [stamp_line(stamp).rstrip()]
    yield [
        f"Corpus {code(report['corpus'])} · findings {code(report['findings'])} · copy {code(report['copy'])}"
    ]
    yield [prose(fact, 1000) for fact in _facts(report)[1:]]
    for grid in _grids(report):
        yield list(markdown_grid(grid, "`clean.json`"))
    for note in _notes(report):
        yield [prose(note, 1000)]
    yield [
        f"- **{prose(entry['term'])}**: {prose(entry['meaning'], 1000)}"
        for entry in report["definitions"]
    ]


def _stamps(report: CleanReport) -> Iterator[view.Stamp]:
    if not report["clean"]:
        yield view.Stamp(
            "NOT CLEAN",
            f"{view.plural(report['remaining_total'], 'item')} can still be found in the copy, after "
            f"{view.plural(len(report['rounds']), 'round')} of removing; it must not be used as it is.",
        )


def _facts(report: CleanReport) -> list[str]:
    before, after, gone, shards = (
        report["before"], report["after"], report["removed"], report["shards"],
    )  # fmt: skip
    how = ", ".join(
        f"{name} {view.parameter(value)}" for name, value in report["parameters"].items()
    )
    return [
        f"{report['corpus']} -> {report['copy']}",
        f"{view.plural(before['documents'], 'document')} before, {view.count(after['documents'])} after "
        f"({view.percent(gone['share_of_documents'])} left out); {view.size(before['bytes'])} of text before, "
        f"{view.size(after['bytes'])} after: {view.plural(gone['characters'], 'character')} removed "
        f"({view.percent(gone['share_of_bytes'])} of the bytes).",
        f"{view.plural(before['shards'], 'shard')}: {view.count(shards['copied'])} copied as they are, "
        f"{view.count(shards['rewritten'])} rewritten, {view.count(shards['left_out'])} without any "
        "document left.",
        f"Settings: {how}.",
    ]


def _grids(report: CleanReport) -> Iterator[Grid]:
    if report["remaining"]:
        yield _remaining(report)
    if report["benchmarks"]:
        yield _benchmarks(report)
    if any(_touched(row) for row in report["domains"]):
        yield _domains(report)
    if len(report["rounds"]) > 1:
        yield _rounds(report)


def _remaining(report: CleanReport) -> Grid:
    rows = tuple(
        (
            f"{row['benchmark']} {row['item_id']}",
            row["status"],
            one_line(row["shard"]),
            str(row["row"]),
        )
        for row in report["remaining"]
    )
    left_out = report["remaining_total"] - len(rows)
    head = ("item", "status", "shard of the corpus", "row")
    return Grid("Items that are still there", head, rows, left_out, "item")


def _benchmarks(report: CleanReport) -> Grid:
    rows = tuple(
        (
            row["benchmark"],
            view.count(row["items"]),
            view.count(row["documents_left_out"]),
            view.count(row["documents_cut"]),
            view.count(row["characters"]),
        )
        for row in report["benchmarks"]
    )
    head = ("benchmark", "items", "documents left out", "documents cut", "characters")
    return Grid("What went, by benchmark", head, rows[:MAX_ROWS], len(rows[MAX_ROWS:]), "benchmark")


def _touched(row: object) -> bool:
    keys = ("documents_left_out", "documents_cut", "documents_unreadable")
    return isinstance(row, dict) and any(row[key] for key in keys)


def _domains(report: CleanReport) -> Grid:
    rows = tuple(
        (
            row["domain"],
            view.count(row["documents_left_out"]),
            view.count(row["documents_cut"]),
            view.count(row["documents_unreadable"]),
            view.share(row["documents_left_out"] + row["documents_unreadable"], row["documents"]),
            view.count(row["characters"]),
            view.share(row["removed_bytes"], row["bytes"]),
        )
        for row in report["domains"]
        if _touched(row)
    )
    head = ("domain", "left out", "cut", "unreadable", "of documents", "characters", "of bytes")
    return Grid("What went, by domain", head, rows[:MAX_ROWS], len(rows[MAX_ROWS:]))


def _rounds(report: CleanReport) -> Grid:
    rows = tuple(
        (str(row["round"]), view.count(row["findings"]), view.count(row["items_remaining"]))
        for row in report["rounds"]
    )
    return Grid("Rounds", ("round", "findings removed", "items found afterwards"), rows)


def _notes(report: CleanReport) -> Iterator[str]:
    gone, shards = report["removed"], report["shards"]
    if gone["thin_documents"]:
        yield (
            f"{view.count(gone['thin_documents'])} of {view.plural(gone['documents_cut'], 'cut document')} "
            "keep less than a fifth of their text: look at them, or leave such documents out "
            "(--remove document)."
        )
    if shards["names_left_out"]:
        more = shards["left_out"] - len(shards["names_left_out"])
        listed = ", ".join(shards["names_left_out"]) + (
            f" and {view.count(more)} more" if more else ""
        )
        yield f"Not in the copy, as no document is left: {listed}."
    yield from report["notes"]
