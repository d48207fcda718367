"""A gate's `summary.md`: the verdict as a pull-request comment and a step summary, under 60 KB.

What must not be missed stands first: verdict, reasons, waivers. A section that would not fit is left
out whole, and the comment says so. Text is escaped as in `reports.markdown_parts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from reports import verdict_view, view
from reports.amounts import amount
from reports.escape import visible_everywhere
from reports.markdown_parts import code, fold, join_sections, more_of, prose
from reports.verdict_schema import Evidence, Result, Verdict

MARKER: Final = "<!-- sluicegate:gate -->"  # by which a job finds its own comment and replaces it
MAX_REASONS: Final = 20
MAX_ROWS: Final = 40
MAX_WAIVERS: Final = 50
MAX_MOVES: Final = 10
EVIDENCE: Final = 3
SENTENCE_CHARS: Final = 600
COMMAND_CHARS: Final = 400
EXCERPT_CHARS: Final = 200
REPORT: Final = "report.html"


def render_verdict_markdown(verdict: Verdict) -> str:
    """Return the comment for a verdict, at most `MAX_BYTES` of UTF-8."""
    safe: Verdict = visible_everywhere(verdict)
    return join_sections(MARKER, _sections(safe), REPORT)


def _sections(verdict: Verdict) -> Iterator[list[str]]:
    yield list(_head(verdict))
    yield from _reasons(verdict)
    yield from _waivers(verdict)
    yield list(_rules(verdict))
    yield list(_moves(verdict))
    yield list(_benchmarks(verdict))
    yield list(_held(verdict))
    yield list(_paste(verdict))
    yield list(_words(verdict))


def _head(verdict: Verdict) -> Iterator[str]:
    name, *rest = verdict_view.facts(verdict)
    yield f"## {prose(verdict['title'])}"
    yield ""
    yield " · ".join(
        [f"Mix {code(name)}", *map(prose, rest), prose(verdict_view.exit_words(verdict))]
    )


def _reasons(verdict: Verdict) -> Iterator[list[str]]:
    """Yield each reason as a section of its own: one that is too long must not hide the others."""
    found = verdict_view.reasons(verdict)
    for number, (each, also) in enumerate(found[:MAX_REASONS], 1):
        more = f" {prose(verdict_view.also_words(also), SENTENCE_CHARS)}" if also else ""
        first = f"{number}. **{each['status']}** {prose(each['sentence'], SENTENCE_CHARS)}{more}"
        yield [first, *(f"   - {line}" for line in _detail(each))]
    yield list(more_of(max(0, len(found) - MAX_REASONS), "reason"))[1:]


def _detail(found: Result) -> Iterator[str]:
    for each in found["evidence"][:EVIDENCE]:
        yield _evidence(each)
    more = found["evidence_total"] - len(found["evidence"][:EVIDENCE])
    if more > 0 and found["evidence"]:
        yield f"and {view.count(more)} more"
    if found["place"] is not None:
        yield f"declared in {code(verdict_view.place(found['place']))}"
    if found["command"]:
        yield f"shown by {code(found['command'], COMMAND_CHARS)}"


def _evidence(each: Evidence) -> str:
    at = verdict_view.evidence_at(each)
    excerpt = "" if not each["excerpt"] else f": {code(each['excerpt'], EXCERPT_CHARS)}"
    name = code(verdict_view.evidence_name(each))
    return f"{name} ({prose(each['text'])}){f' at {code(at)}' if at else ''}{excerpt}"


def _waivers(verdict: Verdict) -> Iterator[list[str]]:
    waivers = verdict["waivers"]
    lapsed = sum(not waiver["in_force"] for waiver in waivers)
    yield [f"**{verdict_view.waiver_count(len(waivers), lapsed)}**"]
    for waiver in waivers[:MAX_WAIVERS]:
        yield [
            f"- {code(waiver['rule'])} for {code(verdict_view.waiver_scope(waiver))}: "
            f"{prose(verdict_view.waiver_state(waiver))}, until {waiver['expires']}, by "
            f"{prose(waiver['owner'], 60)}: {prose(waiver['reason'], 200)}"
        ]
    yield list(more_of(max(0, len(waivers) - MAX_WAIVERS), "waiver"))[1:]


def _rules(verdict: Verdict) -> Iterator[str]:
    found = verdict_view.open_results(verdict)
    if not found:
        return
    rows = [
        [
            f"**{each['status']}**", code(each["rule"]), code(verdict_view.where(each)),
            verdict_view.measured(each), verdict_view.limit(each), verdict_view.floor(each),
        ]
        for each in found[:MAX_ROWS]
    ]  # fmt: skip
    yield "### Rules that are not plainly held, worst first"
    yield ""
    yield from _table(("Status", "Rule", "For", "Measured", "Limit", "Noise"), rows)
    yield from more_of(max(0, len(found) - MAX_ROWS), "rule")


def _moves(verdict: Verdict) -> Iterator[str]:
    drift = verdict["drift"]
    if drift is None or not drift["domains"]:
        return
    rows = [
        [
            code(move["domain"]), amount(move["baseline"], "share"), amount(move["candidate"], "share"),
            verdict_view.signed_points(move['change']),
            amount(move["floor"], "points"),
        ]
        for move in drift["domains"][:MAX_MOVES]
    ]  # fmt: skip
    yield f"### What moved most, by {drift['measure']}"
    yield ""
    yield from _table(("Domain", "Baseline", "Candidate", "Change", "Noise"), rows)
    shown = min(len(drift["domains"]), MAX_MOVES)
    yield from more_of(len(drift["domains"]) - shown + drift["domains_not_shown"], "domain")


def _benchmarks(verdict: Verdict) -> Iterator[str]:
    rows = [
        [
            code(b["benchmark"]), view.count(b["contaminated"]), view.count(b["suspect"]),
            view.count(b["unsearchable"]), view.count(b["items"]),
        ]
        for b in verdict["judged"]["benchmarks"][:MAX_ROWS]
    ]  # fmt: skip
    more = more_of(max(0, len(verdict["judged"]["benchmarks"]) - MAX_ROWS), "benchmark")
    head = ("Benchmark", "Contaminated", "Suspect", "Unsearchable", "Items")
    yield from fold("Benchmarks", [*_table(head, rows), *more])


def _held(verdict: Verdict) -> Iterator[str]:
    held = verdict_view.held_words(verdict)
    if held:
        yield f"Held: {prose(held)}."


def _paste(verdict: Verdict) -> Iterator[str]:
    lines = [
        line
        for found, also in verdict_view.reasons(verdict)[:MAX_REASONS]
        for line in verdict_view.waiver_lines(found, also, verdict["date"])
    ]
    if lines:
        # an indented block, since a name could hold the fence of a fenced one
        block = [f"    {view.clip(line, 200)}" for line in ["waivers:", *lines]]
        yield from fold("To accept a violation for a while: lines for policy.yaml", block)


def _words(verdict: Verdict) -> Iterator[str]:
    lines = [f"- **{prose(d['term'])}**: {prose(d['meaning'])}" for d in verdict["definitions"]]
    yield from fold("Words used here", lines)


def _table(head: tuple[str, ...], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
