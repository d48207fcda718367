"""A verdict for a terminal: the verdict and its reasons first, then waivers, then what held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reports import verdict_view, view
from reports.amounts import amount
from reports.escape import one_line, visible_everywhere
from reports.terminal import BOLD, MIN_WIDTH, RED, YELLOW, Page, fit, wrap
from reports.verdict_schema import Evidence, Result, Verdict

MAX_REASONS: Final = 12
MAX_WAIVERS: Final = 50
MAX_QUIET: Final = 20  # results that are waived or were skipped
MAX_MOVES: Final = 8
EVIDENCE: Final = 3
EXCERPT_CHARS: Final = 160
NAME_CELLS: Final = 60
TINTS: Final = {"fail": RED, "incomplete": RED, "warn": YELLOW, "pass": ""}
INDENT: Final = "  "


def render_verdict_terminal(verdict: Verdict, width: int = 100, color: bool = False) -> str:
    """Return the verdict as lines of at most `width` cells, ending in a newline."""
    safe: Verdict = visible_everywhere(verdict)
    page = Page(max(width, MIN_WIDTH), color)
    blocks = (
        _head(page, safe),
        _reasons(page, safe),
        _waivers(page, safe),
        _moves(page, safe),
        _held(page, safe),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, blocks) if lines) + "\n"


def _head(page: Page, verdict: Verdict) -> Iterator[str]:
    for line in wrap(one_line(verdict["title"]), page.width):
        yield page.paint(line, BOLD + TINTS[verdict["verdict"]])
    facts = [one_line(fact) for fact in verdict_view.facts(verdict)]
    yield from wrap(" · ".join([*facts, verdict_view.exit_words(verdict)]), page.width)


def _reasons(page: Page, verdict: Verdict) -> Iterator[str]:
    found = verdict_view.reasons(verdict)
    for number, (each, also) in enumerate(found[:MAX_REASONS]):
        if number:
            yield ""
        yield from _reason(page, each, also)
    yield from _more(len(found) - MAX_REASONS, "further reason")


def _reason(page: Page, found: Result, also: Sequence[Result]) -> Iterator[str]:
    word = found["status"]
    name = f"{found['rule']} ({verdict_view.where(found)})"
    first, *rest = wrap(f"{word} {one_line(name)}", page.width)
    yield first.replace(word, page.paint(word, BOLD + TINTS[word]), 1)
    yield from rest
    yield from wrap(one_line(found["sentence"]), page.width, INDENT)
    if also:
        yield from wrap(one_line(verdict_view.also_words(also)), page.width, INDENT)
    shown = found["evidence"][:EVIDENCE]
    for each in shown:
        yield from wrap(f"- {_evidence(each)}", page.width, INDENT)
    more = found["evidence_total"] - len(shown)
    if shown and more > 0:
        yield f"{INDENT}- {view.count(more)} more"
    if found["place"] is not None:
        yield from wrap(one_line(verdict_view.place(found["place"])), page.width, INDENT)
    if found["command"]:
        yield from wrap(f"$ {one_line(found['command'])}", page.width, INDENT)


def _evidence(each: Evidence) -> str:
    at = verdict_view.evidence_at(each)
    excerpt = f": {view.clip(one_line(each['excerpt']), EXCERPT_CHARS)}" if each["excerpt"] else ""
    name = verdict_view.evidence_name(each)
    return one_line(f"{name} ({each['text']}){f' at {at}' if at else ''}{excerpt}")


def _waivers(page: Page, verdict: Verdict) -> Iterator[str]:
    waivers = verdict["waivers"]
    lapsed = sum(not waiver["in_force"] for waiver in waivers)
    yield page.paint(verdict_view.waiver_count(len(waivers), lapsed), BOLD if waivers else "")
    for waiver in waivers[:MAX_WAIVERS]:
        scope = verdict_view.waiver_scope(waiver)
        words = (
            f"{waiver['rule']} ({scope}): {verdict_view.waiver_state(waiver)}, until {waiver['expires']}, "
            f"by {waiver['owner']}: {waiver['reason']}"
        )
        yield from wrap(f"- {one_line(words)}", page.width)
    yield from _more(len(waivers) - MAX_WAIVERS, "further waiver")


def _moves(page: Page, verdict: Verdict) -> Iterator[str]:
    drift = verdict["drift"]
    if drift is None or not drift["domains"]:
        return
    head = ["DOMAIN", "BASELINE", "CANDIDATE", "CHANGE", "NOISE"]
    rows = [
        [
            fit(one_line(move["domain"]), NAME_CELLS), amount(move["baseline"], "share"),
            amount(move["candidate"], "share"),
            verdict_view.signed_points(move['change']),
            amount(move["floor"], "points"),
        ]
        for move in drift["domains"][:MAX_MOVES]
    ]  # fmt: skip
    yield page.paint(f"WHAT MOVED MOST, by {drift['measure']}", BOLD)
    yield from page.table(head, rows)
    yield from _more(
        len(drift["domains"]) - MAX_MOVES + drift["domains_not_shown"], "further domain"
    )


def _held(page: Page, verdict: Verdict) -> Iterator[str]:
    held = verdict_view.held_words(verdict)
    if held:
        yield from wrap(f"Held: {one_line(held)}.", page.width)
    quiet = [r for r in verdict_view.open_results(verdict) if r["status"] in ("waived", "skipped")]
    for each in quiet[:MAX_QUIET]:
        words = f"{each['status']} {each['rule']} ({verdict_view.where(each)}): {each['sentence']}"
        yield from wrap(one_line(words), page.width)
    yield from _more(len(quiet) - MAX_QUIET, "further waived or skipped result")


def _more(number: int, noun: str) -> Iterator[str]:
    if number > 0:
        yield f"{view.plural(number, noun)}: see report.html"
