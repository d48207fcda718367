"""The report for a terminal: plain aligned tables, the verdict in the first lines.

Hidden characters were made visible, so no text of the corpus can move the cursor, change colours or
turn the reading direction; widths are those of terminal cells (East Asian wide characters are two,
combining ones none: Unicode Standard Annex 11). Matched words stand between ‹ and ›, or in reverse
video where `color` allows it.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from reports import view
from reports.count_tables import Cell, preset_table
from reports.escape import one_line, visible_everywhere
from reports.schema import BenchmarkSummary, Example, ReadProblem, Report, Segment
from reports.segments import clip_segments, merge_marks

REPORT = "report.html"  # where what is left out here is found
MAX_ROWS = 30
MAX_COLUMNS = 6
MAX_EXAMPLES = 5
MAX_PROBLEMS = 10
EXCERPT_LINES = 3
MIN_NAME_CELLS = 16
MIN_WIDTH = 40
NAME_CELLS = 48

# The two counts of a benchmark that are listed in one line each.
COUNTS: tuple[tuple[str, Literal["leak_types", "domains"]], ...] = (
    ("LEAKED AS", "leak_types"),
    ("FOUND IN", "domains"),
)

BOLD, RED, YELLOW, REVERSE, RESET = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[7m", "\x1b[0m"


def render_terminal(report: Report, width: int = 100, color: bool = False) -> str:
    """Return the report as lines of at most `width` cells (never under 40), ending in a newline."""
    safe: Report = visible_everywhere(report)
    page = Page(max(width, MIN_WIDTH), color)
    blocks = (
        page.head(safe),
        page.benchmarks(safe),
        page.leaks(safe),
        page.presets(safe),
        page.findings(safe),
        page.unread(safe["corpus"]["problems"], safe["corpus"]["problems_not_shown"]),
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, blocks) if lines) + "\n"


def cells(text: str) -> int:
    """Return how many terminal cells a visible line of `text` takes."""
    return sum(map(_char_cells, text))


def fit(text: str, width: int) -> str:
    """Return `text`, or as much of it as fits `width` cells with an ellipsis at its end."""
    if cells(text) <= width:
        return text
    used, end = 0, 0
    for end, char in enumerate(text):  # noqa: B007 # the place where it stopped is the result
        used += _char_cells(char)
        if used > width - 1:
            break
    return text[:end] + view.ELLIPSIS


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Return `text` in lines of at most `width` cells, each after `indent`; long words are broken."""
    room = max(width - cells(indent), 8)
    lines, line = [], ""
    for word in _pieces(text, room):
        longer = f"{line} {word}" if line else word
        if cells(longer) > room:
            lines.append(indent + line)
            line = word
        else:
            line = longer
    return [*lines, indent + line]


def _char_cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _pieces(text: str, room: int) -> Iterator[str]:
    for word in text.split():
        rest = word
        while cells(rest) > room:
            piece = _prefix(rest, room)
            yield piece
            rest = rest[len(piece) :]
        if rest:
            yield rest


def _prefix(text: str, width: int) -> str:
    used = 0
    for end, char in enumerate(text):
        used += _char_cells(char)
        if used > width:
            return text[: max(end, 1)]
    return text


class Page:
    """The width and the colours of one rendering, and the blocks of the report as lines."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = width
        self.color = color

    def head(self, report: Report) -> Iterator[str]:
        """Yield the verdict: stamps, title, and what was read."""
        tint = {"contaminated": RED, "suspect": YELLOW}.get(view.tone(report), "")
        stamps = view.stamps(report)
        for stamp in stamps:
            if stamp.word == "INCOMPLETE":
                yield from self.stamp(stamp, RED)
        for line in wrap(one_line(report["title"]), self.width):
            yield self.paint(line, BOLD + tint)
        for stamp in stamps:
            if stamp.word != "INCOMPLETE":
                yield from self.stamp(stamp, YELLOW if stamp.word == "UNCALIBRATED" else "")
        corpus, tool = report["corpus"], report["tool"]
        facts = (
            corpus["name"],
            view.plural(corpus["shards"], "shard"),
            view.plural(corpus["documents"], "document"),
            view.size(corpus["bytes"]),
            view.plural(corpus["words"], "word"),
            f"{tool['name']} {tool['version']}",
            report["normal_form"],
        )
        yield from wrap(" · ".join(one_line(fact) for fact in facts), self.width)

    def stamp(self, stamp: view.Stamp, tint: str) -> Iterator[str]:
        """Yield a stamp, its word in bold."""
        first, *rest = wrap(f"{stamp.word}: {one_line(stamp.meaning)}", self.width)
        yield first.replace(stamp.word, self.paint(stamp.word, BOLD + tint), 1)
        yield from rest

    def benchmarks(self, report: Report) -> Iterator[str]:
        """Yield the items of each benchmark by status, those with findings first."""
        ranked = view.worst_first(report["benchmarks"])
        found = [benchmark for benchmark in ranked if view.has_findings(benchmark)]
        clean = [benchmark for benchmark in ranked if not view.has_findings(benchmark)]
        if found:
            head = ["BENCHMARK", "CONTAMINATED", "SUSPECT", "CLEAN", "UNSEARCHABLE", "ITEMS"]
            yield from self.table(head, [_benchmark_row(b) for b in found[:MAX_ROWS]])
            yield from _more(len(found[MAX_ROWS:]), "benchmark")
        if clean:
            names = ", ".join(_name(b["benchmark"]) for b in clean[:MAX_ROWS])
            more = f" and {view.count(len(clean) - MAX_ROWS)} more" if len(clean) > MAX_ROWS else ""
            listed = f"Nothing found in {view.plural(len(clean), 'benchmark')}: {names}{more}"
            yield from wrap(listed, self.width)

    def leaks(self, report: Report) -> Iterator[str]:
        """Yield how and where the items of each benchmark leaked."""
        ranked = [b for b in view.worst_first(report["benchmarks"]) if view.has_findings(b)]
        names = max((cells(_name(b["benchmark"])) for b in ranked[:MAX_ROWS]), default=0)
        names = min(names, self.width // 2)
        for title, key in COUNTS:
            listed = [
                (b["benchmark"], _largest(b[key]))
                for b in ranked[:MAX_ROWS]
                if any(b[key].values())
            ]
            if listed:
                yield self.paint(title, BOLD)
            for name, counts in listed:
                yield from self.beside(fit(_name(name), names), names, counts)

    def beside(self, name: str, names: int, text: str) -> Iterator[str]:
        """Yield `text` wrapped in the column right of a name that takes `names` cells."""
        first, *rest = wrap(text, self.width, " " * (names + 2))
        yield name + " " * (names - cells(name)) + first[names:]
        yield from rest

    def presets(self, report: Report) -> Iterator[str]:
        """Yield the items under every lab's definition."""
        table = preset_table(report, MAX_COLUMNS)
        if not report["presets"] or not table.columns:
            return
        head = ["DEFINITION", *(fit(_name(column), 20) for column in table.columns)]
        rows = [
            [_name(row.head), *(_preset_cell(cell) for cell in row.cells)] for row in table.rows
        ]
        yield from self.table(head, rows)
        yield from _more(table.left_out, "benchmark")

    def findings(self, report: Report) -> Iterator[str]:
        """Yield the strongest findings."""
        shown = report["examples"][:MAX_EXAMPLES]
        if not shown:
            return
        total = view.count(report["findings_total"])
        yield self.paint(f"FINDINGS, strongest first: {len(shown)} of {total}", BOLD)
        for example in shown:
            yield ""
            yield from self.example(example)

    def example(self, example: Example) -> Iterator[str]:
        """Yield one finding: what it is, and both texts."""
        tint = RED if example["status"] == "contaminated" else YELLOW
        status, name = (
            example["status"],
            f"{_name(example['benchmark'])} {_name(example['item_id'])}",
        )
        first, *rest = wrap(f"{status} {name}", self.width)
        yield first.replace(status, self.paint(status, BOLD + tint), 1)
        yield from rest
        facts = (
            example["leak_type"],
            example["kind"],
            f"score {example['score']:.2f}",
            f"coverage {view.percent(example['coverage'])}",
            f"identity {view.percent(example['identity'])}",
            f"longest run {view.plural(example['longest_run'], 'word')}",
            view.place(example),
            *([] if example["domain"] is None else [f"domain {example['domain']}"]),
        )
        yield from wrap(" · ".join(_name(fact) for fact in facts), self.width, "  ")
        yield from self.quote("item", example["item_segments"])
        yield from self.quote("doc", example["document_segments"])

    def quote(self, label: str, segments: Sequence[Segment]) -> Iterator[str]:
        """Yield a text with its matched words marked, in a few lines."""
        room = (self.width - 8) * EXCERPT_LINES * 4 // 5
        clipped = clip_segments(merge_marks(segments), room)
        text = "".join(_between_marks(text, matched) for text, matched in clipped)
        lines = wrap(one_line(text), self.width, "        ")[:EXCERPT_LINES]
        lines[0] = f"  {label:6}" + lines[0][8:]
        return self.reverse(lines) if self.color else iter(lines)

    def reverse(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines with ‹ and › as reverse video, which is ended on every line."""
        inside = False
        for line in lines:
            start = 8 if inside else 0
            painted = line[:start] + (REVERSE if inside else "") + line[start:]
            inside = line.rfind("‹") > line.rfind("›") or (inside and "›" not in line)
            painted = painted.replace("‹", REVERSE).replace("›", RESET)
            yield painted + (RESET if inside else "")

    def unread(
        self, problems: Sequence[ReadProblem], not_shown: int, listed_in: str = REPORT
    ) -> Iterator[str]:
        """Yield what could not be read, and what to do about it."""
        if not problems:
            return
        yield self.paint("WHAT COULD NOT BE READ", BOLD)
        for problem in problems[:MAX_PROBLEMS]:
            row = "" if problem["row"] is None else f", row {problem['row']}"
            words = f"{_name(problem['shard'])}{row}: {one_line(problem['reason']).rstrip('.')}. {one_line(problem['mend'])}"
            first, *rest = wrap(words, self.width - 2)
            yield f"  {first}"
            yield from (
                (f"    {line}" for line in wrap(" ".join(rest), self.width - 4)) if rest else ()
            )
        yield from _more(len(problems[MAX_PROBLEMS:]) + not_shown, "problem", listed_in)

    def table(self, head: list[str], rows: list[list[str]]) -> Iterator[str]:
        """Yield an aligned table: the first column gives way, then columns from the right."""
        grid = [head, *rows]
        while len(head) > 2 and self.name_room(grid) < MIN_NAME_CELLS:
            grid = [row[:-1] for row in grid]
            head = head[:-1]
        names = min(self.name_room(grid), max(cells(row[0]) for row in grid))
        widths = [max(cells(cell) for cell in column) for column in zip(*grid, strict=True)][1:]
        for number, row in enumerate(grid):
            name = fit(row[0], names)
            line = name + " " * (names - cells(name))
            for cell, width in zip(row[1:], widths, strict=True):
                line += "  " + " " * (width - cells(cell)) + cell
            yield line if number else self.paint(line, BOLD)

    def name_room(self, grid: list[list[str]]) -> int:
        """Return the cells that the first column may take."""
        widths = [max(cells(cell) for cell in column) for column in zip(*grid, strict=True)]
        return self.width - sum(width + 2 for width in widths[1:])

    def paint(self, text: str, style: str) -> str:
        """Return the text in a style, where there are colours."""
        return f"{style}{text}{RESET}" if self.color and text and style else text


def _benchmark_row(benchmark: BenchmarkSummary) -> list[str]:
    searchable, items = benchmark["searchable"], benchmark["items"]
    return [
        _name(benchmark["benchmark"]),
        _amount(benchmark["contaminated"], searchable),
        _amount(benchmark["suspect"], searchable),
        _amount(benchmark["clean"], searchable),
        _amount(benchmark["unsearchable"], items),
        view.count(items),
    ]


def _amount(number: int, whole: int) -> str:
    return f"{view.count(number)} {view.share(number, whole):>6}"


def _largest(counts: dict[str, int]) -> str:
    ranked = sorted((-number, name) for name, number in counts.items() if number)
    listed = [f"{_name(name)} {view.count(-number)}" for number, name in ranked[:MAX_COLUMNS]]
    more = len(ranked) - len(listed)
    return ", ".join(listed) + (f" and {view.count(more)} more" if more else "")


def _preset_cell(cell: Cell) -> str:
    return view.DASH if cell.count is None else f"{view.count(cell.count)} {cell.share:>6}"


def _between_marks(text: str, matched: bool) -> str:
    # the text's own marks would pass for ours
    plain = text.replace("‹", "<").replace("›", ">")
    return f"‹{plain}›" if matched else plain


def _name(text: str) -> str:
    return fit(one_line(text), NAME_CELLS)


def _more(number: int, noun: str, listed_in: str = REPORT) -> Iterator[str]:
    if number:
        yield f"{view.plural(number, f'further {noun}')}: see {listed_in}"
