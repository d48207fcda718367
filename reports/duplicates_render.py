"""`duplicates.json` for a terminal and as `summary.md`.

Both are pure functions of the report and escape as its renderings do (`reports.terminal`,
`reports.markdown_parts`).
"""

from __future__ import annotations

from collections.abc import Iterator

from reports import duplicates_view, view
from reports.duplicates_schema import DuplicatesReport
from reports.escape import one_line, visible_everywhere
from reports.grids import markdown_grid, terminal_grid
from reports.markdown_parts import code, join_sections, prose, stamp_line, unread_lines
from reports.terminal import BOLD, MIN_WIDTH, RED, Page, wrap

COUNTED_IN = "run.json"  # by reason, what is not shown
MARKER = "<!-- sluicegate:duplicates -->"
MAX_ROWS = 40
NAME_CELLS = 60


def render_duplicates_terminal(
    report: DuplicatesReport, width: int = 110, color: bool = False
) -> str:
    """Return the report as lines of at most `width` cells, ending in a newline."""
    safe: DuplicatesReport = visible_everywhere(report)
    page = Page(max(width, MIN_WIDTH), color)
    blocks = [
        list(_terminal_head(page, safe)),
        *(
            list(terminal_grid(page, grid, NAME_CELLS, "the files"))
            for grid in duplicates_view.grids(safe, MAX_ROWS)
        ),
        [line for sentence in duplicates_view.proof(safe) for line in wrap(sentence, page.width)],
        *(
            list(page.unread(version["problems"], version["problems_not_shown"], COUNTED_IN))
            for version in safe["versions"]
        ),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def render_duplicates_markdown(report: DuplicatesReport) -> str:
    """Return `summary.md`, at most `MAX_BYTES` of UTF-8; what does not fit is left out by sections."""
    safe: DuplicatesReport = visible_everywhere(report)
    return join_sections(MARKER, _sections(safe), "duplicates.json")


def _terminal_head(page: Page, report: DuplicatesReport) -> Iterator[str]:
    unread = duplicates_view.incomplete(report)
    if unread:
        yield from page.stamp(view.Stamp("INCOMPLETE", unread), RED)
    for line in wrap(one_line(report["title"]), page.width):
        yield page.paint(line, BOLD)
    for version in report["versions"]:
        facts = [version["version"], *duplicates_view.facts(version)]
        yield from wrap(" · ".join(one_line(fact) for fact in facts), page.width)


def _sections(report: DuplicatesReport) -> Iterator[list[str]]:
    yield [f"## {prose(report['title'])}"]
    unread = duplicates_view.incomplete(report)
    if unread:
        yield [stamp_line(view.Stamp("INCOMPLETE", unread)).rstrip()]
    for version in report["versions"]:
        name, *facts = duplicates_view.facts(version)
        yield [" · ".join([f"{version['version']} {code(name)}", *facts])]
    for grid in duplicates_view.grids(report, MAX_ROWS):
        yield list(markdown_grid(grid, "the files"))
    for sentence in duplicates_view.proof(report):
        yield [prose(sentence, 1000)]
    for version in report["versions"]:
        yield list(unread_lines(version["problems"], version["problems_not_shown"], COUNTED_IN))
    yield [
        f"- **{prose(entry['term'])}**: {prose(entry['meaning'], 1000)}"
        for entry in report["definitions"]
    ]
