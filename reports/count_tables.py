"""Tables of item counts that all renderings share: by leak type, by domain, by definition."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.schema import BenchmarkSummary, Report
from reports.view import flagged, percent, share, worst_first

LEAK_TYPES = ("question+answer", "question", "answer", "passage", "template")

# The tint of a heat cell, by share of the benchmark's items: fixed steps, so that two reports can
# be compared, and roughly logarithmic, because leaks are.
HEAT_STEPS = (0.001, 0.01, 0.05, 0.25)


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
