"""`summary.md`: the report as a pull-request comment of less than 60 KB.

Text of the corpus stands only in code spans and `<pre>` blocks, where GitHub and GitLab look for
neither markup nor @mentions, #references or links; other words are escaped as prose.
A section that would not fit is left out whole, and the comment says so.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from reports import view
from reports.escape import one_line, visible_everywhere
from reports.schema import (
    BenchmarkSummary,
    CalibrationRate,
    Example,
    ReadProblem,
    Report,
    Segment,
)

# Lets a continuous-integration job find its own comment and replace it.
MARKER = "<!-- sluicegate:report -->"

REPORT = "report.html"  # where what is left out here is found

MAX_BYTES = 60_000  # GitHub refuses comments over 65,536 characters
MAX_ROWS = 40
MAX_COLUMNS = 12
MAX_EXAMPLES = 10
MAX_PROBLEMS = 20
MAX_RATES = 100
NAME_CHARS = 100
PROSE_CHARS = 400
EXAMPLE_CHARS = 700

_BACKTICKS = re.compile(r"`+")
# GitHub's table splits cells before it reads code spans; a backslash protects the pipe, unless a
# backslash of the text itself stands before that one.
_BACKSLASH_BEFORE_PIPE = re.compile(r"\\(?=\\*\|)")
_MARKUP = re.compile(r"([\\`*_~\[\]$!])")
# What a forge turns into a link or a notification: a zero-width space breaks the pattern.
_REFERENCE = re.compile(r"@|#|://|\bwww(?=\.)|\bGH(?=-)", re.IGNORECASE)


def render_markdown(report: Report) -> str:
    """Return the comment for a report, at most `MAX_BYTES` of UTF-8."""
    safe: Report = visible_everywhere(report)
    return join_sections(MARKER, _sections(safe))


def join_sections(marker: str, sections: Iterable[Sequence[str]], listed_in: str = REPORT) -> str:
    """Return a comment of at most `MAX_BYTES` of UTF-8; a section that would not fit is left out whole."""
    parts, left_out = [marker], 0
    spent = len(marker.encode()) + 200  # the closing note
    for section in sections:
        text = "\n".join(section)
        cost = len(text.encode()) + 2
        if spent + cost > MAX_BYTES:
            left_out += 1
        elif text:
            parts.append(text)
            spent += cost
    if left_out:
        parts.append(f"*{view.plural(left_out, 'part')} left out for length: see `{listed_in}`.*")
    return "\n\n".join(parts) + "\n"


def code(text: str, max_chars: int = NAME_CHARS) -> str:
    """Return text of the corpus as a code span that is also safe in a table cell."""
    line = view.clip(one_line(text), max_chars)
    if not line:
        return "(empty)"
    line = _BACKSLASH_BEFORE_PIPE.sub("⟨U+005C⟩", line).replace("|", "\\|")
    longest = max((len(run) for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    # A space inside keeps a backtick at the edge from joining the fence.
    pad = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def prose(text: str, max_chars: int = PROSE_CHARS) -> str:
    """Return words as Markdown prose in which nothing is markup, a link or a notification."""
    line = html.escape(view.clip(one_line(text), max_chars), quote=False)
    line = _MARKUP.sub(r"\\\1", line)
    # last, because the entity holds a #
    return _REFERENCE.sub(_broken, line).replace("|", "&#124;")


def _broken(match: re.Match[str]) -> str:
    found = match.group()
    return ":&#8203;//" if found == "://" else f"{found}&#8203;"


def inline_html(text: str, max_chars: int = NAME_CHARS) -> str:
    """Return text of the corpus as `<code>`, for use inside an HTML block."""
    return f"<code>{html.escape(view.clip(one_line(text), max_chars))}</code>"


def _sections(report: Report) -> Iterator[list[str]]:
    yield list(_head(report))
    yield list(_benchmarks(report))
    corpus = report["corpus"]
    yield list(unread_lines(corpus["problems"], corpus["problems_not_shown"]))
    yield list(_unsearchable(report))
    yield list(_counts("How they leaked", view.leak_table(report)))
    yield list(_counts("Where from", view.domain_table(report, MAX_COLUMNS)))
    yield list(_presets(report))
    yield from _findings(report)
    yield list(_calibration(report))
    yield list(_method(report))


def rates_table(rates: Iterable[CalibrationRate]) -> Iterator[str]:
    """Yield what a battery measured: a line per form, with its exact interval."""
    rows = [
        [
            prose(rate["form"], NAME_CHARS),
            prose(view.measures(rate["kind"]), NAME_CHARS),
            view.count(rate["trials"]),
            view.count(rate["found"]),
            view.interval(rate["ci_low"], rate["ci_high"]),
        ]
        for rate in rates
    ]
    yield from table_lines(("Form", "Measures", "Trials", "Found", "95% interval"), rows)


def _head(report: Report) -> Iterator[str]:
    stamps = view.stamps(report)
    yield from (stamp_line(stamp) for stamp in stamps if stamp.word == "INCOMPLETE")
    yield f"## {prose(report['title'])}"
    yield ""
    yield prose(view.lead(report))
    yield ""
    yield from (stamp_line(stamp) for stamp in stamps if stamp.word != "INCOMPLETE")
    corpus, tool = report["corpus"], report["tool"]
    facts = (
        f"Corpus {code(corpus['name'])}",
        view.plural(corpus["shards"], "shard"),
        view.plural(corpus["documents"], "document"),
        view.size(corpus["bytes"]),
        view.plural(corpus["words"], "word"),
        prose(f"{tool['name']} {tool['version']}"),
        f"normal form {code(report['normal_form'])}",
    )
    yield " · ".join(facts)


def stamp_line(stamp: view.Stamp) -> str:
    """Return a stamp as a quotation."""
    return f"> **{stamp.word}**: {prose(stamp.meaning)}\n"


def _benchmarks(report: Report) -> Iterator[str]:
    ranked = view.worst_first(report["benchmarks"])
    found = [benchmark for benchmark in ranked if view.has_findings(benchmark)]
    clean = [benchmark for benchmark in ranked if not view.has_findings(benchmark)]
    if found:
        yield from table_lines(
            ("Benchmark", "Contaminated", "Suspect", "Clean", "Unsearchable", "Items"),
            [_benchmark_row(benchmark) for benchmark in found[:MAX_ROWS]],
        )
        yield from _more(found[MAX_ROWS:], "benchmark")
    if clean:
        names = ", ".join(code(benchmark["benchmark"]) for benchmark in clean[:MAX_ROWS])
        yield from ("", f"Nothing found in {view.plural(len(clean), 'benchmark')}: {names}")
        yield from _more(clean[MAX_ROWS:], "benchmark")


def _benchmark_row(benchmark: BenchmarkSummary) -> list[str]:
    searchable, items = benchmark["searchable"], benchmark["items"]
    return [
        code(benchmark["benchmark"]),
        f"**{_amount(benchmark['contaminated'], searchable)}**",
        _amount(benchmark["suspect"], searchable),
        _amount(benchmark["clean"], searchable),
        _amount(benchmark["unsearchable"], items),
        view.count(items),
    ]


def _amount(number: int, whole: int) -> str:
    return f"{view.count(number)} ({view.share(number, whole)})" if number else "0"


def unread_lines(
    problems: Sequence[ReadProblem], not_shown: int, listed_in: str = REPORT
) -> Iterator[str]:
    """Yield a section that names what could not be read; nothing where all was."""
    if not problems:
        return
    yield "### What could not be read"
    yield ""
    yield from table_lines(
        ("Shard", "Row", "What was wrong", "What to do"),
        [
            [
                code(problem["shard"]),
                "whole file" if problem["row"] is None else str(problem["row"]),
                prose(problem["reason"], 200),
                prose(problem["mend"], 200),
            ]
            for problem in problems[:MAX_PROBLEMS]
        ],
    )
    yield from more_of(len(problems[MAX_PROBLEMS:]) + not_shown, "problem", listed_in)


def _unsearchable(report: Report) -> Iterator[str]:
    rows = [
        [code(benchmark["benchmark"]), view.count(entry["items"]), prose(entry["reason"], 200)]
        for benchmark in view.worst_first(report["benchmarks"])
        for entry in benchmark["unsearchable_reasons"]
    ]
    if rows:
        yield from fold(
            f"Why {view.plural(view.total(report, 'unsearchable'), 'item')} could not be searched",
            [
                *table_lines(("Benchmark", "Items", "Reason"), rows[:MAX_ROWS]),
                *_more(rows[MAX_ROWS:], "reason"),
            ],
        )


def _counts(title: str, table: view.Table) -> Iterator[str]:
    if not table.rows:
        return
    head = ("Benchmark", *(code(column, 40) for column in table.columns))
    rows = [[code(row.head), *map(_cell, row.cells)] for row in table.rows[:MAX_ROWS]]
    yield f"### {title}"
    yield ""
    yield from table_lines(head, rows)
    yield from _more(table.rows[MAX_ROWS:], "benchmark")
    yield from more_of(table.left_out, "column")


def _presets(report: Report) -> Iterator[str]:
    table = view.preset_table(report, MAX_COLUMNS)
    if not report["presets"] or not table.columns:
        return
    head = ("Definition", *(code(column, 40) for column in table.columns), "Rule")
    rows = [
        [
            f"**{prose(row.head)}**",
            *(_preset_cell(cell) for cell in row.cells),
            " ".join(
                prose(words) for words in (row.note, row.source and f"({row.source})") if words
            ),
        ]
        for row in table.rows
    ]
    lines = [*table_lines(head, rows), *more_of(table.left_out, "benchmark")]
    yield from fold("Under every lab’s definition", lines)


def _cell(cell: view.Cell) -> str:
    return view.count(cell.count) if cell.count else ""


def _preset_cell(cell: view.Cell) -> str:
    if cell.count is None:
        return view.DASH
    return f"{view.count(cell.count)} ({cell.share})" if cell.count else "0"


def _findings(report: Report) -> Iterator[list[str]]:
    shown = report["examples"][:MAX_EXAMPLES]
    if not shown:
        return
    yield [
        "### Findings, strongest first",
        "",
        f"{view.count(len(shown))} of {view.plural(report['findings_total'], 'finding')}; "
        "matched words are bold. The others are in `report.html` and `findings.parquet`.",
    ]
    for example in shown:
        yield list(fold_html(_example_title(example), _example(example)))


def _example_title(example: Example) -> str:
    status, name = example["status"], inline_html(example["benchmark"])
    return (
        f"<b>{status}</b> {name} {inline_html(example['item_id'])}: "
        f"{inline_html(example['leak_type'])}, score {example['score']:.2f}"
    )


def _example(example: Example) -> Iterator[str]:
    facts = (
        f"{code(example['kind'])}",
        f"coverage {view.percent(example['coverage'])}",
        f"identity {view.percent(example['identity'])}",
        f"longest run {view.plural(example['longest_run'], 'word')}",
        *([] if example["domain"] is None else [f"domain {code(example['domain'])}"]),
    )
    yield " · ".join(facts)
    yield ""
    span = view.offsets(example["item_start"], example["item_end"])
    yield f"Item, {code(example['field'])}, characters {span}:"
    yield ""
    yield _quote(example["item_segments"])
    yield ""
    span = view.offsets(example["doc_start"], example["doc_end"])
    name = "" if example["doc_id"] is None else f", id {code(example['doc_id'])}"
    yield f"Document {code(view.place(example))}{name}, characters {span}:"
    yield ""
    yield _quote(example["document_segments"])


def _quote(segments: Sequence[Segment]) -> str:
    clipped = view.clip_segments(view.merge_marks(segments), EXAMPLE_CHARS)
    escaped = ((html.escape(text, quote=False), matched) for text, matched in clipped)
    return (
        f"<pre>{''.join(f'<b>{text}</b>' if matched else text for text, matched in escaped)}</pre>"
    )


def _calibration(report: Report) -> Iterator[str]:
    rates = report["calibration"].get("rates")
    if rates:
        yield from fold(view.CALIBRATION_TITLE, rates_table(rates[:MAX_RATES]))


def _method(report: Report) -> Iterator[str]:
    lines = [
        f"- **{prose(entry['term'])}**: {prose(entry['meaning'])}"
        for entry in report["definitions"]
    ]
    rows = [
        [code(name), code(view.parameter(value))]
        for name, value in sorted(report["parameters"].items())
    ]
    lines = [*lines, "", *table_lines(("Parameter", "Value"), rows)]
    yield from fold("How measured", lines)


def table_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table whose cells are escaped already."""
    yield _line(head)
    yield _line(["---", *(_align(title) for title in head[1:])])
    yield from map(_line, rows)


def _align(title: str) -> str:
    return "---" if title in WORDS else "--:"


# Heads of columns that hold words: all others hold numbers and are aligned to the right.
WORDS = (
    "Hypothesis", "Measures", "Mostly in", "Reason", "Rule", "Value", "Verdict", "What to do", "What was wrong",
)  # fmt: skip


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def fold(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield lines in a fold; the title is text."""
    return fold_html(html.escape(title), lines)


def fold_html(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield lines in a fold; the title is HTML."""
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"


def _more(rest: Sequence[object], noun: str) -> Iterator[str]:
    return more_of(len(rest), noun)


def more_of(number: int, noun: str, listed_in: str = REPORT) -> Iterator[str]:
    """Yield a line that says how many are not listed; none where all are."""
    if number:
        yield from ("", f"*{view.plural(number, f'further {noun}')}: see `{listed_in}`.*")
