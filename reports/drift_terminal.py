"""A drift report for a terminal: the four answers first, then the tables behind them.

Escaped and measured in cells as the report of a scan is (see `reports.terminal`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from reports import drift_numbers as numbers
from reports import drift_view, view
from reports.drift_answers import Answer, Line, answers
from reports.drift_numbers import Direction
from reports.drift_schema import BenchmarkExposure, DriftReport, Statement, TokenChange
from reports.drift_view import DomainRow
from reports.escape import one_line
from reports.terminal import BOLD, MIN_WIDTH, RED, REPORT, Page, fit, wrap

MAX_STATEMENTS: Final = 8
MAX_DOMAINS: Final = 25
MAX_TOKENS: Final = 8  # of each kind
MAX_BENCHMARKS: Final = 25
MAX_HYPOTHESES: Final = 5
NAME_CELLS: Final = 36

ORANGE, BLUE = "\x1b[33m", "\x1b[34m"  # as on the page; the sign and the glyph say the same
TINTS: Final[dict[Direction, str]] = {"up": ORANGE, "down": BLUE, "same": ""}


def render_drift_terminal(report: DriftReport, width: int = 100, color: bool = False) -> str:
    """Return the report as lines of at most `width` cells (never under 40), ending in a newline."""
    safe = drift_view.shown(report)
    page = Page(max(width, MIN_WIDTH), color)
    ranked = drift_view.ranked_exposure(safe)
    *first, last = answers(safe)
    blocks = (
        _head(page, safe),
        *(_answer(page, answer) for answer in first),
        _statements(page, last, safe["statements"]),
        _mix(page, safe),
        _explained(page, safe),
        *(
            _tokens(page, safe, title, drift_view.tokens_of(safe, kind))
            for kind, title in drift_view.KINDS.items()
        ),
        _exposure(page, safe, ranked),
        _hypotheses(page, ranked),
        _rest(page, safe),
        _origin(page, safe),
        *(
            page.unread(version["problems"], version["problems_not_shown"])
            for version in safe["versions"]
        ),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, blocks) if lines) + "\n"


def _head(page: Page, report: DriftReport) -> Iterator[str]:
    for stamp in drift_view.stamps(report):
        yield from page.stamp(stamp, RED)
    for line in wrap(one_line(report["title"]), page.width):
        yield page.paint(line, BOLD)
    for version in report["versions"]:
        facts = [version["version"], *drift_view.facts(report, version)]
        yield from wrap(" · ".join(map(one_line, facts)), page.width)


def _answer(page: Page, answer: Answer) -> Iterator[str]:
    first, *rest = wrap(f"{answer.question.upper()} {one_line(answer.headline)}", page.width)
    yield page.paint(first, BOLD)
    yield from (page.paint(line, BOLD) for line in rest)
    for line in answer.lines:
        yield from _line(page, line)
    if answer.more:
        yield f"  {answer.more}"


def _line(page: Page, line: Line) -> Iterator[str]:
    glyph = f"{numbers.GLYPHS[line.direction]} " if line.direction else ""
    name = f"{fit(one_line(line.name), NAME_CELLS)}: " if line.name else ""
    tint = TINTS[line.direction] if line.direction else ""
    for part in wrap(f"{glyph}{name}{one_line(line.text)}", page.width, "  "):
        yield page.paint(part, tint)


def _statements(page: Page, answer: Answer, statements: Sequence[Statement]) -> Iterator[str]:
    if not statements:
        yield from _answer(page, answer)
        return
    yield from _answer(page, replace(answer, lines=(), more=""))
    for number, statement in enumerate(statements[:MAX_STATEMENTS], start=1):
        first, *rest = wrap(one_line(" ".join(drift_view.told(statement))), page.width, "    ")
        yield f" {number:>2} {first[4:]}"
        yield from rest
        yield from wrap(one_line(statement["evidence"]), page.width, "    ")
        yield from wrap(f"Look at {one_line(statement['look'])}", page.width, "    ")
    yield from _more(len(statements[MAX_STATEMENTS:]), "statement", REPORT)


def _mix(page: Page, report: DriftReport) -> Iterator[str]:
    rows = drift_view.domain_rows(report)
    unit = f"{drift_view.noun(report)}s".upper()
    head = [f"DOMAIN, BY {unit}", "BASELINE", "CANDIDATE", "POINTS", "VERDICT", "NOISE", "95% INTERVAL"]  # fmt: skip
    yield from page.table(head, [_domain(row) for row in rows[:MAX_DOMAINS]])
    more = len(rows[MAX_DOMAINS:]) + report["domains_not_shown"]
    yield from _more(more, "domain", "domains.parquet")


def _domain(row: DomainRow) -> list[str]:
    change = row.main
    note = drift_view.domain_note(change)
    name = fit(one_line(row.domain), NAME_CELLS)
    return [
        f"{name} ({note})" if note else name,
        numbers.share(change["baseline"]),
        numbers.share(change["candidate"]),
        f"{numbers.GLYPHS[numbers.direction(change['change'])]} {numbers.signed(100 * change['change'], 2)}",
        drift_view.verdict(change["alarm"]),
        numbers.width(change["floor"]),
        numbers.points_interval(change["ci_low"], change["ci_high"]),
    ]


def _explained(page: Page, report: DriftReport) -> Iterator[str]:
    yield page.paint("EXPLAINED BY THE MIX, OR NOT", BOLD)
    yield from wrap(" ".join(drift_view.explained(report)), page.width)


def _tokens(
    page: Page, report: DriftReport, title: str, tokens: Sequence[TokenChange]
) -> Iterator[str]:
    if not tokens:
        return
    noun = drift_view.noun(report)
    head = [f"{title.upper()}, in a million", "BASELINE", "CANDIDATE", "RATIO", "MOSTLY IN"]
    yield from page.table(head, [_token(token) for token in tokens[:MAX_TOKENS]])
    counted = report["tokens"]["alarms"].get(tokens[0]["change_kind"], 0)
    more = max(counted, len(tokens)) - len(tokens[:MAX_TOKENS])
    yield from _more(more, noun, "tokens.parquet")


def _token(token: TokenChange) -> list[str]:
    return [
        fit(one_line(token["token"]), NAME_CELLS),
        numbers.per_million(token["baseline"]),
        numbers.per_million(token["candidate"]),
        numbers.token_ratio(token),
        fit(one_line(token["domain"]), 20),
    ]


def _exposure(
    page: Page, report: DriftReport, ranked: Sequence[BenchmarkExposure]
) -> Iterator[str]:
    if not ranked:
        return
    head = [f"BENCHMARK, BITS PER {drift_view.noun(report).upper()}", "BASELINE", "CANDIDATE", "CHANGE", "VERDICT", "NOISE"]  # fmt: skip
    yield from page.table(head, [_benchmark(each) for each in ranked[:MAX_BENCHMARKS]])
    yield from _more(len(ranked[MAX_BENCHMARKS:]), "benchmark", "exposure.parquet")


def _benchmark(benchmark: BenchmarkExposure) -> list[str]:
    change = benchmark["change"]
    return [
        fit(one_line(benchmark["benchmark"]), NAME_CELLS),
        f"{benchmark['baseline_bits']:.3f}",
        f"{benchmark['candidate_bits']:.3f}",
        f"{numbers.GLYPHS[numbers.direction(change)]} {numbers.bits(change)}",
        drift_view.covered(change) if benchmark["alarm"] else "within noise",
        f"{benchmark['floor']:.3f}",
    ]


def _hypotheses(page: Page, ranked: Sequence[BenchmarkExposure]) -> Iterator[str]:
    alarmed = [benchmark for benchmark in ranked if benchmark["alarm"]]
    if not alarmed:
        return
    for line in wrap("HYPOTHESES: what scores may do, not measured", page.width):
        yield page.paint(line, BOLD)
    for benchmark in alarmed[:MAX_HYPOTHESES]:
        hypothesis = benchmark["hypothesis"]
        words = (
            f"{fit(one_line(benchmark['benchmark']), NAME_CELLS)} {drift_view.DIRECTIONS[hypothesis['direction']]}, "
            f"grade {hypothesis['grade']}: {one_line(hypothesis['text'])} {one_line(drift_view.sentence(hypothesis['evidence']))}"
        )
        yield from wrap(words, page.width, "  ")
    yield from _more(len(alarmed[MAX_HYPOTHESES:]), "benchmark", REPORT)


def _rest(page: Page, report: DriftReport) -> Iterator[str]:
    yield page.paint("COPIES AND SHAPES OF DOCUMENTS", BOLD)
    for copies in report["copies"]:
        old, new = numbers.share(copies["baseline"]), numbers.share(copies["candidate"])
        words = f"{copies['kind'].capitalize()} copies: {old} → {new}, {drift_view.verdict(copies['alarm'])}"
        yield from wrap(words, page.width, "  ")
    for shape in report["shapes"]:
        divergence = shape["divergence"]
        verdict = drift_view.verdict(divergence["alarm"])
        words = (
            f"{one_line(shape['name'])}: {one_line(numbers.beside_floor(divergence))}, {verdict}"
        )
        yield from wrap(words, page.width, "  ")


def _origin(page: Page, report: DriftReport) -> Iterator[str]:
    yield page.paint("WHERE DOMAINS CAME FROM", BOLD)
    yield from wrap(one_line(" ".join(drift_view.origin_sentences(report))), page.width)


def _more(number: int, noun: str, listed_in: str) -> Iterator[str]:
    if number > 0:
        yield f"{view.plural(number, f'further {noun}')}: see {listed_in}"
