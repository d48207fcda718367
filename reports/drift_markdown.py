"""`summary.md` of a drift run: a pull-request comment, escaped as that of a scan (see `reports.markdown_parts`)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from reports import drift_numbers as numbers
from reports import drift_shapes, drift_view, view
from reports.drift_answers import Answer, Line, answers
from reports.drift_schema import (
    BenchmarkExposure,
    Divergence,
    DriftReport,
    Statement,
    TokenChange,
)
from reports.drift_view import DomainRow
from reports.markdown_parts import (
    code,
    fold,
    join_sections,
    more_of,
    prose,
    stamp_line,
    table_lines,
    unread_lines,
)

# Lets a continuous-integration job find its own comment and replace it.
MARKER: Final = "<!-- sluicegate:drift -->"
MAX_STATEMENTS: Final = 8
MAX_DOMAINS: Final = 25
MAX_TOKENS: Final = 12  # of each kind
MAX_BENCHMARKS: Final = 30
MAX_HYPOTHESES: Final = 10
MAX_BINS: Final = 12
MAX_PARAMETERS: Final = 40
TEXT_CHARS: Final = 600


def render_drift_markdown(report: DriftReport) -> str:
    """Return the comment for a report, at most `reports.markdown_parts.MAX_BYTES` of UTF-8."""
    return join_sections(MARKER, _sections(drift_view.shown(report)))


def _sections(report: DriftReport) -> Iterator[list[str]]:
    yield list(_head(report))
    *first, last = answers(report)
    if report["statements"]:  # they follow whole
        last = replace(last, lines=last.lines[:1], more="")
    yield [_answer(answer) for answer in (*first, last)]
    yield list(_statements(report["statements"]))
    for version in report["versions"]:
        yield list(unread_lines(version["problems"], version["problems_not_shown"]))
    yield list(_mix(report))
    yield ["### Explained by the mix, or not", "", prose(" ".join(drift_view.explained(report)))]
    for kind, title in drift_view.KINDS.items():
        yield list(_tokens(report, title, drift_view.tokens_of(report, kind)))
    ranked = drift_view.ranked_exposure(report)
    yield list(_exposure(report, ranked))
    yield list(_hypotheses(ranked))
    yield list(_more_of_it(report))
    yield list(_method(report))


def _head(report: DriftReport) -> Iterator[str]:
    yield from (stamp_line(stamp) for stamp in drift_view.stamps(report))
    yield f"## {prose(report['title'])}"
    yield ""
    for version in report["versions"]:
        name, *facts = drift_view.facts(report, version)
        yield f"- {version['version'].capitalize()} {code(name)}: {prose(', '.join(facts))}"


def _answer(answer: Answer) -> str:
    more = [answer.more] if answer.more else []
    lines = "; ".join([*map(_line, answer.lines), *more])
    note = f" *{prose(answer.note)}*" if answer.note else ""
    ends = "" if lines.endswith(".") else "."
    return f"- **{answer.question}** **{prose(answer.headline)}**: {lines}{ends}{note}"


def _line(line: Line) -> str:
    glyph = f"{numbers.GLYPHS[line.direction]} " if line.direction else ""
    name = f"{code(line.name)} " if line.name else ""
    return f"{glyph}{name}{prose(line.text.rstrip('.'), TEXT_CHARS)}"


def _statements(statements: Sequence[Statement]) -> Iterator[str]:
    if not statements:
        return
    yield "### What to look at, heaviest first"
    yield ""
    for number, statement in enumerate(statements[:MAX_STATEMENTS], start=1):
        subject, rest = drift_view.told(statement)
        parts = (rest, statement["evidence"], drift_view.sentence(f"look at {statement['look']}"))
        text, evidence, look = (prose(part, TEXT_CHARS) for part in parts)
        yield f"{number}. **{prose(subject)}** {text}; {evidence}. {look}"
    yield from more_of(len(statements[MAX_STATEMENTS:]), "statement")


def _mix(report: DriftReport) -> Iterator[str]:
    rows = drift_view.domain_rows(report)
    yield f"### Domain mix by {drift_view.noun(report)}s, largest change first"
    yield ""
    yield from table_lines(
        ("Domain", "Baseline", "Candidate", "Change, points", "95% interval", "Noise", "Verdict"),
        [_domain(row) for row in rows[:MAX_DOMAINS]],
    )
    yield from more_of(
        len(rows[MAX_DOMAINS:]) + report["domains_not_shown"], "domain", "domains.parquet"
    )


def _domain(row: DomainRow) -> list[str]:
    change = row.main
    note = drift_view.domain_note(change)
    return [
        f"{code(row.domain)} *{note}*" if note else code(row.domain),
        numbers.share(change["baseline"]),
        numbers.share(change["candidate"]),
        f"{numbers.GLYPHS[numbers.direction(change['change'])]} {numbers.signed(100 * change['change'], 2)}",
        numbers.points_interval(change["ci_low"], change["ci_high"]),
        numbers.width(change["floor"]),
        _verdict(change["alarm"]),
    ]


def _verdict(alarm: bool) -> str:
    return f"**{drift_view.verdict(alarm)}**" if alarm else drift_view.verdict(alarm)


def _tokens(report: DriftReport, title: str, tokens: Sequence[TokenChange]) -> Iterator[str]:
    if not tokens:
        return
    yield f"### {title}, in a million {drift_view.noun(report)}s"
    yield ""
    head = (drift_view.noun(report).capitalize(), "Baseline", "Candidate", "Ratio", "Mostly in")
    yield from table_lines(head, [_token(token) for token in tokens[:MAX_TOKENS]])
    counted = report["tokens"]["alarms"].get(tokens[0]["change_kind"], 0)
    more = max(counted, len(tokens)) - len(tokens[:MAX_TOKENS])
    yield from more_of(more, drift_view.noun(report), "tokens.parquet")


def _token(token: TokenChange) -> list[str]:
    return [
        code(token["token"]),
        numbers.per_million(token["baseline"]),
        numbers.per_million(token["candidate"]),
        numbers.token_ratio(token),
        code(token["domain"]),
    ]


def _exposure(report: DriftReport, ranked: Sequence[BenchmarkExposure]) -> Iterator[str]:
    if not ranked:
        return
    yield f"### Benchmarks: bits per {drift_view.noun(report)}, more is covered less well"
    yield ""
    yield from table_lines(
        ("Benchmark", "Baseline", "Candidate", "Change", "95% interval", "Noise", "Verdict", "Hypothesis"),
        [_benchmark(benchmark) for benchmark in ranked[:MAX_BENCHMARKS]],
    )  # fmt: skip
    yield from more_of(len(ranked[MAX_BENCHMARKS:]), "benchmark", "exposure.parquet")


def _benchmark(benchmark: BenchmarkExposure) -> list[str]:
    change, hypothesis = benchmark["change"], benchmark["hypothesis"]
    return [
        code(benchmark["benchmark"]),
        f"{benchmark['baseline_bits']:.3f}",
        f"{benchmark['candidate_bits']:.3f}",
        f"{numbers.GLYPHS[numbers.direction(change)]} {numbers.bits(change)}",
        numbers.bits_interval(benchmark["ci_low"], benchmark["ci_high"]),
        f"{benchmark['floor']:.3f}",
        _verdict(benchmark["alarm"]),
        f"{drift_view.DIRECTIONS[hypothesis['direction']]} ({hypothesis['grade']})",
    ]


def _hypotheses(ranked: Sequence[BenchmarkExposure]) -> Iterator[str]:
    alarmed = [benchmark for benchmark in ranked if benchmark["alarm"]]
    lines = [_hypothesis(benchmark) for benchmark in alarmed[:MAX_HYPOTHESES]]
    if lines:
        lines += more_of(len(alarmed[MAX_HYPOTHESES:]), "benchmark")
        yield from fold("Hypotheses: what scores may do, not measured", lines)


def _hypothesis(benchmark: BenchmarkExposure) -> str:
    hypothesis = benchmark["hypothesis"]
    grade = f"HYPOTHESIS, grade {hypothesis['grade']} ({drift_view.GRADES[hypothesis['grade']]})"
    drivers = ", ".join(
        f"{code(driver['name'])} {numbers.bits(driver['bits'])}"
        for driver in benchmark["driver_tokens"][:5]
    )
    gone = ", ".join(map(code, benchmark["vanished"][:5]))
    return "".join(
        [
            f"- {code(benchmark['benchmark'])}: **{grade}**: {prose(hypothesis['text'], TEXT_CHARS)} ",
            prose(hypothesis["evidence"], TEXT_CHARS),
            f" Driven by {drivers}." if drivers else "",
            f" Gone: {gone}." if gone else "",
        ]
    )


def _more_of_it(report: DriftReport) -> Iterator[str]:
    yield from fold("Shapes, copies, and where domains came from", _folded(report))


def _folded(report: DriftReport) -> Iterator[str]:
    yield prose(" ".join(drift_view.origin_sentences(report)), TEXT_CHARS)
    yield ""
    for copies in report["copies"]:
        change = numbers.points(copies["candidate"] - copies["baseline"])
        yield (
            f"- {copies['kind'].capitalize()} copies: {numbers.share(copies['baseline'])} → "
            f"{numbers.share(copies['candidate'])} of documents, {change}, {_verdict(copies['alarm'])}"
        )
    for shape in report["shapes"]:
        yield ""
        beside = prose(numbers.beside_floor(shape["divergence"]))
        moved = f"{beside}, {_verdict(shape['divergence']['alarm'])}"
        yield f"**{prose(shape['name'])}**: {moved}"
        yield ""
        bins = drift_shapes.ranked_bins(shape)
        yield from table_lines(
            (prose(shape["unit"]), "Baseline", "Candidate"),
            [
                [code(each["label"]), numbers.share(each["baseline"]), numbers.share(each["candidate"])]
                for each in bins[:MAX_BINS]
            ],
        )  # fmt: skip
        yield from more_of(len(bins[MAX_BINS:]), "bin")


def _method(report: DriftReport) -> Iterator[str]:
    noun = drift_view.noun(report)
    lines = [
        f"- **{prose(entry['term'])}**: {prose(entry['meaning'], 1000)}"
        for entry in report["definitions"]
    ]
    divergences = [
        _divergence(each, f"domain mix, by {drift_view.measure_name(report, row['measure'])}")
        for row in report["mix"]
        for each in row["divergences"]
    ]
    divergences += [
        _divergence(each, f"{noun} frequencies") for each in report["tokens"]["divergences"]
    ]
    head = ("Divergence", "Observed", "Halves, mean", "Halves, 99%", "Excess", "In their SDs")
    parameters = [
        [code(name), code(view.parameter(value))]
        for name, value in sorted(report["parameters"].items())[:MAX_PARAMETERS]
    ]
    tables = ["", *table_lines(head, divergences), "", *table_lines(("Parameter", "Value"), parameters)]  # fmt: skip
    yield from fold("How measured", [*lines, *tables])


def _divergence(divergence: Divergence, what: str) -> list[str]:
    unit = divergence["unit"]
    amounts = (divergence["observed"], divergence["floor_mean"], divergence["floor"])
    return [
        f"{prose(divergence['name'])}, {what}",
        *(prose(numbers.amount(value, unit)) for value in amounts),
        prose(numbers.excess(divergence)),
        numbers.deviations(divergence["ratio"]),
    ]
