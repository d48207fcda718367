"""`summary.md` of a scan: the report as a pull-request comment (see `reports.markdown_parts`)."""

import html
from collections.abc import Iterator, Sequence

from reports import view
from reports.count_tables import Cell, Table, domain_table, leak_table, preset_table
from reports.escape import visible_everywhere
from reports.markdown_parts import (
    MEANING_CHARS,
    code,
    fold,
    fold_html,
    inline_html,
    join_sections,
    more_of,
    prose,
    rates_table,
    stamp_line,
    table_lines,
    unread_lines,
)
from reports.schema import BenchmarkSummary, Example, Report, Segment
from reports.segments import clip_segments, merge_marks

# Lets a continuous-integration job find its own comment and replace it.
MARKER = "<!-- sluicegate:report -->"

MAX_ROWS = 40
MAX_COLUMNS = 12
MAX_EXAMPLES = 10
MAX_RATES = 100
EXAMPLE_CHARS = 700


def render_markdown(report: Report) -> str:
    """Return the comment for a report, at most `MAX_BYTES` of UTF-8."""
    safe: Report = visible_everywhere(report)
    return join_sections(MARKER, _sections(safe))


def _sections(report: Report) -> Iterator[list[str]]:
    yield list(_head(report))
    yield list(_benchmarks(report))
    corpus = report["corpus"]
    yield list(unread_lines(corpus["problems"], corpus["problems_not_shown"]))
    yield list(_unsearchable(report))
    yield list(_counts("How they leaked", leak_table(report)))
    yield list(_counts("Where from", domain_table(report, MAX_COLUMNS)))
    yield list(_presets(report))
    yield from _findings(report)
    yield list(_calibration(report))
    yield list(_method(report))


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


def _counts(title: str, table: Table) -> Iterator[str]:
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
    table = preset_table(report, MAX_COLUMNS)
    if not report["presets"] or not table.columns:
        return
    head = ("Definition", *(code(column, 40) for column in table.columns), "Rule")
    rows = [
        [
            f"**{prose(row.head)}**",
            *(_preset_cell(cell) for cell in row.cells),
            " ".join(
                prose(words, MEANING_CHARS)
                for words in (row.note, row.source and f"({row.source})")
                if words
            ),
        ]
        for row in table.rows
    ]
    lines = [*table_lines(head, rows), *more_of(table.left_out, "benchmark")]
    yield from fold("Under every lab’s definition", lines)


def _cell(cell: Cell) -> str:
    return view.count(cell.count) if cell.count else ""


def _preset_cell(cell: Cell) -> str:
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
    clipped = clip_segments(merge_marks(segments), EXAMPLE_CHARS)
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
        f"- **{prose(entry['term'])}**: {prose(entry['meaning'], MEANING_CHARS)}"
        for entry in report["definitions"]
    ]
    rows = [
        [code(name), code(view.parameter(value))]
        for name, value in sorted(report["parameters"].items())
    ]
    lines = [*lines, "", *table_lines(("Parameter", "Value"), rows)]
    yield from fold("How measured", lines)


def _more(rest: Sequence[object], noun: str) -> Iterator[str]:
    return more_of(len(rest), noun)
