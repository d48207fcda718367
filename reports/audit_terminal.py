"""An audit for a terminal: the answers first (see `reports.terminal`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reports import audit_view, view
from reports.audit_answers import percent, signed
from reports.audit_schema import AuditReport
from reports.escape import one_line, visible_everywhere
from reports.terminal import BOLD, MIN_WIDTH, RED, YELLOW, Page, fit, wrap

MAX_SCORES: Final = 25
MAX_OVERLAPS: Final = 10
NAME_CELLS: Final = 30
TINTS: Final = {"no": RED, "cannot tell": YELLOW, "yes": ""}


def render_audit_terminal(report: AuditReport, width: int = 100, color: bool = False) -> str:
    """Return the report as lines of at most `width` cells, ending in a newline."""
    safe: AuditReport = visible_everywhere(report)
    page = Page(max(width, MIN_WIDTH), color)
    scan = safe["scan"]
    blocks = (
        _head(page, safe),
        _answers(page, safe),
        _scores(page, safe),
        page.benchmarks(scan),
        _remainders(page, safe),
        page.presets(scan),
        _overlaps(page, safe),
        page.findings(scan),
        page.unread(scan["corpus"]["problems"], scan["corpus"]["problems_not_shown"]),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, blocks) if lines) + "\n"


def _head(page: Page, report: AuditReport) -> Iterator[str]:
    for stamp in view.stamps(report["scan"]):
        yield from page.stamp(stamp, RED if stamp.word == "INCOMPLETE" else "")
    tint = {"contaminated": RED, "suspect": YELLOW}.get(audit_view.tone(report), "")
    for line in wrap(one_line(report["title"]), page.width):
        yield page.paint(line, BOLD + tint)
    yield from wrap(one_line(audit_view.lead(report)), page.width)


def _answers(page: Page, report: AuditReport) -> Iterator[str]:
    yield page.paint(audit_view.QUESTION.upper(), BOLD)
    for score in report["scores"][:MAX_SCORES]:
        name = f"{score['model']} on {score['benchmark']}, {percent(score['score'])}"
        yield from _answer(page, score["answer"], name, score["sentence"])
    left_out = len(report["scores"][MAX_SCORES:])
    if left_out:
        yield f"  {view.plural(left_out, 'further score')}: see gaps.parquet"
    for each in audit_view.unscored(report):
        yield from _answer(page, str(each["answer"]), each["benchmark"], each["sentence"])


def _answer(page: Page, answer: str, name: str, sentence: str) -> Iterator[str]:
    first, *rest = wrap(
        f"{answer.upper():12}{one_line(name)}: {one_line(sentence)}.", page.width, " " * 12
    )
    first = f"{answer.upper():12}{first.lstrip()[len(answer) :].lstrip()}"
    yield first.replace(answer.upper(), page.paint(answer.upper(), BOLD + TINTS[answer]), 1)
    yield from rest


def _scores(page: Page, report: AuditReport) -> Iterator[str]:
    if not report["scores"]:
        return
    head = ["MODEL", "SCORE", "DIRTY", "LEAKAGE", "INTERVAL", "SEEN FROM", "Q", "CLEAN"]
    rows = [
        [
            fit(f"{one_line(s['model'])} {one_line(s['benchmark'])}", NAME_CELLS),
            percent(s["score"]),
            view.count(s["n_dirty"]),
            signed(s["leak_points"]),
            audit_view.interval(s["leak_low"], s["leak_high"]),
            signed(s["seen_from"]),
            audit_view.chance(s["q_value"]),
            percent(s["clean_score"]),
        ]
        for s in report["scores"][:MAX_SCORES]
    ]
    yield from page.table(head, rows)


def _remainders(page: Page, report: AuditReport) -> Iterator[str]:
    yield page.paint("WHAT IS LEFT TO EVALUATE ON: clean_items.jsonl", BOLD)
    for each in report["benchmarks"]:
        words = f"{one_line(each['benchmark'])}: {audit_view.remainder(each)}"
        yield from (f"  {line}" for line in wrap(words, page.width - 2))


def _overlaps(page: Page, report: AuditReport) -> Iterator[str]:
    counts = report["overlap_counts"]
    if not counts:
        return
    yield page.paint("ITEMS THAT BENCHMARKS SHARE: overlaps.parquet", BOLD)
    for each in counts[:MAX_OVERLAPS]:
        where = (
            f"within {one_line(each['benchmark'])}"
            if each["benchmark"] == each["other_benchmark"]
            else f"{one_line(each['benchmark'])} and {one_line(each['other_benchmark'])}"
        )
        yield from (
            f"  {line}"
            for line in wrap(
                f"{where}: {view.plural(each['pairs'], each['kind'] + ' pair')}", page.width - 2
            )
        )
