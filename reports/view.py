"""What all renderings agree on: the order of things, derived tables, numbers as words.

Nothing here knows a format. Counts get thousands separators, shares one decimal, and a share is
never rounded to none or to all when it is neither.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reports.schema import BenchmarkSummary, Calibration, Example, Report, Segment

LEAK_TYPES = ("question+answer", "question", "answer", "passage", "template")

# The tint of a heat cell, by share of the benchmark's items: fixed steps, so that two reports can
# be compared, and roughly logarithmic, because leaks are.
HEAT_STEPS = (0.001, 0.01, 0.05, 0.25)

ItemCount = Literal["items", "searchable", "unsearchable", "contaminated", "suspect", "clean"]

CALIBRATION_TITLE = "Calibration: what this scan finds of leaks planted into this corpus"

# What a trial of each kind of rate counts as found.
MEASURES = {
    "recall": "planted leaks found",
    "false_positive": "texts without a leak called contaminated",
    "dose": "copies counted right",
    "invariance": "documents with the same findings",
}

DASH = "–"
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A warning over the whole report: `word` in capitals and what it means."""

    word: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Cell:
    """Items counted in one cell of a table; `count` None means not computed."""

    count: int | None
    share: str
    level: int  # 0 (none) to 5: see HEAT_STEPS


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a count table: its head and a cell for each column."""

    head: str
    cells: tuple[Cell, ...]
    items: int = 0
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of item counts; `left_out` columns, the smallest, are not in it."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    left_out: int = 0


# --- numbers -------------------------------------------------------------------------------------


def count(number: int) -> str:
    """Return 1319 as `1,319`."""
    return f"{number:,}"


def share(part: int, whole: int) -> str:
    """Return `part` of `whole` as a percentage: `0.9%`, `<0.1%`, `>99.9%`, or a dash of none."""
    return percent(part / whole) if whole else DASH


def percent(ratio: float) -> str:
    """Return a ratio in [0, 1] as a percentage with one decimal; only 0 is `0.0%`, only 1 `100.0%`."""
    if 0 < ratio < 0.0005:
        return "<0.1%"
    if 0.9995 <= ratio < 1:
        return ">99.9%"
    return f"{ratio:.1%}"


def interval(low: float, high: float) -> str:
    """Return the interval of a rate as `83.8–98.2%`."""
    return f"{100 * low:.1f}–{100 * high:.1f}%"


def measures(kind: str) -> str:
    """Return what a rate of a kind says; a kind that is not known speaks for itself."""
    return MEASURES.get(kind, kind.replace("_", " "))


def size(size_bytes: int) -> str:
    """Return bytes in decimal units: `238.0 MB`."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    amount = float(size_bytes)
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= 1000
        # 999.95 would be printed as 1000.0
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:,.1f} PB"


def plural(number: int, noun: str) -> str:
    """Return `1 item`, `2 items`."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def parameter(value: Any) -> str:
    """Return a parameter of the run as words: lists joined with commas."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, list):
        return ", ".join(parameter(inner) for inner in value)
    return str(value)


# --- order and totals ----------------------------------------------------------------------------


def worst_first(benchmarks: Iterable[BenchmarkSummary]) -> list[BenchmarkSummary]:
    """Return benchmarks by share contaminated, then share suspect, then unsearchable, then name."""

    def badness(benchmark: BenchmarkSummary) -> tuple[float, float, float, str]:
        whole = max(benchmark["items"], 1)
        return (
            -benchmark["contaminated"] / whole,
            -benchmark["suspect"] / whole,
            -benchmark["unsearchable"] / whole,
            benchmark["benchmark"],
        )

    return sorted(benchmarks, key=badness)


def flagged(benchmark: BenchmarkSummary) -> int:
    """Return the items of a benchmark that are contaminated or suspect."""
    return benchmark["contaminated"] + benchmark["suspect"]


def has_findings(benchmark: BenchmarkSummary) -> bool:
    """Return whether anything at all was found of a benchmark."""
    return flagged(benchmark) > 0 or benchmark["n_findings"] > 0


def total(report: Report, status: ItemCount) -> int:
    """Return the sum of one count of items over all benchmarks."""
    return sum(benchmark[status] for benchmark in report["benchmarks"])


def tone(report: Report) -> str:
    """Return the worst item status there is: `contaminated`, `suspect` or `clean`."""
    if total(report, "contaminated"):
        return "contaminated"
    return "suspect" if total(report, "suspect") else "clean"


def stamps(report: Report) -> list[Stamp]:
    """Return what a reader must know before the numbers, gravest first."""
    found = [] if report["complete"] else [Stamp("INCOMPLETE", _incomplete(report))]
    calibration = report["calibration"]
    return [
        *found,
        Stamp(
            calibration["status"],
            _calibration(calibration),
        ),
    ]


def _incomplete(report: Report) -> str:
    corpus = report["corpus"]
    parts = []
    if corpus["shards_unread"]:
        parts.append(f"{plural(corpus['shards_unread'], 'shard')} of {count(corpus['shards'])}")
    if corpus["bad_documents"]:
        parts.append(plural(corpus["bad_documents"], "document"))
    what = " and ".join(parts) or "something"
    return (
        f"{what} could not be read, so an item that is not flagged may still be in there. "
        "What and how to mend it stands under “What could not be read”."
    )


def _calibration(calibration: Calibration) -> str:
    reason = calibration["reason"].rstrip(".")
    if calibration["status"] == "CALIBRATED":
        return f"this run measured its own recall and false-positive rate: {reason}."
    if calibration.get("rates"):
        return f"{reason}. What the battery measured stands in calibration.parquet."
    return (
        f"{reason}. How many edited copies this run misses, and how many innocent items it flags, "
        "was not measured."
    )


def lead(report: Report) -> str:
    """Return the sentence under the title: how much was searched and where most was found."""
    benchmarks, corpus = report["benchmarks"], report["corpus"]
    searched = (
        f"{count(total(report, 'searchable'))} of {plural(total(report, 'items'), 'item')} from "
        f"{plural(len(benchmarks), 'benchmark')} were searched for in "
        f"{plural(corpus['documents'], 'document')} of {corpus['name']}."
    )
    return " ".join([searched, *_worst(report)])


def _worst(report: Report) -> Iterator[str]:
    if not report["benchmarks"] or tone(report) == "clean":
        return
    worst = worst_first(report["benchmarks"])[0]
    where = max(worst["domains"].items(), key=lambda entry: (entry[1], entry[0]), default=None)
    source = f", most of them in domain {where[0]}" if where else ""
    yield (
        f"Worst hit: {worst['benchmark']}, {count(worst['contaminated'])} contaminated and "
        f"{count(worst['suspect'])} suspect of {count(worst['items'])}{source}."
    )


# --- tables --------------------------------------------------------------------------------------


def leak_table(report: Report) -> Table:
    """Return items per benchmark and leak type, strongest type first."""
    rows = [b for b in worst_first(report["benchmarks"]) if any(b["leak_types"].values())]
    present = {kind for b in rows for kind, items in b["leak_types"].items() if items}
    known = [kind for kind in LEAK_TYPES if kind in present]
    columns = (*known, *sorted(present - set(known)))
    return Table(columns, tuple(_row(b, b["leak_types"], columns) for b in rows))


def domain_table(report: Report, max_columns: int) -> Table:
    """Return flagged items per benchmark and domain; domains with most items first."""
    rows = [b for b in worst_first(report["benchmarks"]) if any(b["domains"].values())]
    items: dict[str, int] = {}
    for benchmark in rows:
        for domain, number in benchmark["domains"].items():
            items[domain] = items.get(domain, 0) + number
    ranked = sorted((d for d in items if items[d]), key=lambda domain: (-items[domain], domain))
    columns = tuple(ranked[:max_columns])
    table = tuple(_row(b, b["domains"], columns) for b in rows)
    return Table(columns, table, left_out=len(ranked) - len(columns))


def preset_table(report: Report, max_columns: int) -> Table:
    """Return items per lab's definition (rows, ours first) and benchmark (columns)."""
    listed = [
        b for b in worst_first(report["benchmarks"]) if any(b["presets"].values()) or flagged(b)
    ]
    shown = listed[:max_columns]
    ours = Row(
        "sluicegate",
        tuple(_cell(b["contaminated"], b["items"]) for b in shown),
        note=_meaning(report, "contaminated"),
    )
    labs = (
        Row(
            preset["name"],
            tuple(_cell(b["presets"].get(preset["name"]), b["items"]) for b in shown),
            note=preset["rule"],
            source=preset["source"],
        )
        for preset in report["presets"]
    )
    columns = tuple(b["benchmark"] for b in shown)
    return Table(columns, (ours, *labs), left_out=len(listed) - len(shown))


def _meaning(report: Report, term: str) -> str:
    meanings = (entry["meaning"] for entry in report["definitions"] if entry["term"] == term)
    return next(meanings, "")


def _row(benchmark: BenchmarkSummary, counts: dict[str, int], columns: Sequence[str]) -> Row:
    whole = benchmark["items"]
    cells = tuple(_cell(counts.get(column, 0), whole) for column in columns)
    return Row(benchmark["benchmark"], cells, items=whole)


def _cell(number: int | None, whole: int) -> Cell:
    if number is None:
        return Cell(None, "", 0)
    return Cell(number, share(number, whole), heat_level(number, whole))


def heat_level(number: int, whole: int) -> int:
    """Return the tint step of `number` of `whole` items: 0 for none, else 1 to 5."""
    if not number:
        return 0
    return 1 + sum(number >= step * whole for step in HEAT_STEPS)


def heat_key() -> list[str]:
    """Return what the tints 1 to 5 mean: `under 0.1%`, `from 0.1%`, `from 1.0%` and so on."""
    return [f"under {percent(HEAT_STEPS[0])}", *(f"from {percent(step)}" for step in HEAT_STEPS)]


# --- examples ------------------------------------------------------------------------------------


def offsets(start: int, end: int) -> str:
    """Return a range of characters, end excluded: `1,204 to 1,420`."""
    return f"{count(start)} to {count(end)}"


def place(example: Example) -> str:
    """Return where a finding is: `shard:row`."""
    return f"{example['shard']}:{example['row']}"


def merge_marks(segments: Iterable[Segment]) -> list[Segment]:
    """Return the same text in fewer segments: the white space between two matched words is marked."""
    merged: list[Segment] = []
    for text, matched in segments:
        if matched and len(merged) > 1 and merged[-2][1] and merged[-1][0].isspace():
            gap = merged.pop()[0]
            merged[-1] = (merged[-1][0] + gap + text, True)
        elif merged and merged[-1][1] == matched:
            merged[-1] = (merged[-1][0] + text, matched)
        elif text:
            merged.append((text, matched))
    return merged


def clip_segments(segments: Sequence[Segment], max_chars: int) -> list[Segment]:
    """Return at most `max_chars` characters, beginning a little before the first matched word."""
    before_match = 0
    for text, matched in segments:
        if matched:
            break
        before_match += len(text)
    else:
        before_match = 0
    skipped = max(0, before_match - max_chars // 4)
    kept = list(_window(segments, skipped, skipped + max_chars))
    cut_after = sum(len(text) for text, _ in segments) > skipped + max_chars
    head: list[Segment] = [(ELLIPSIS, False)] if skipped else []
    tail: list[Segment] = [(ELLIPSIS, False)] if cut_after else []
    return [*head, *kept, *tail]


def _window(segments: Sequence[Segment], first: int, last: int) -> Iterator[Segment]:
    position = 0
    for text, matched in segments:
        piece = text[max(0, first - position) : max(0, last - position)]
        position += len(text)
        if piece:
            yield piece, matched


def clip(text: str, max_chars: int) -> str:
    """Return `text`, or its first characters and an ellipsis when it is longer than `max_chars`."""
    return text if len(text) <= max_chars else text[: max_chars - 1] + ELLIPSIS
