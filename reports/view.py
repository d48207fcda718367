"""What all renderings agree on: the order of things, stamps, numbers as words.

Nothing here knows a format. Counts get thousands separators, shares one decimal, and a share is
never rounded to none or to all when it is neither.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from reports.schema import BenchmarkSummary, Calibration, Example, Report

ItemCount = Literal["items", "searchable", "unsearchable", "contaminated", "suspect", "clean"]

CALIBRATION_TITLE = "Calibration: what this scan finds of leaks planted into this corpus"

# What a trial of each kind of rate counts as found.
MEASURES = {
    "recall": "planted leaks found",
    "false_positive": "texts without a leak called contaminated",
    "undecided": "documents without a plant called contaminated",
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


# --- examples ------------------------------------------------------------------------------------


def offsets(start: int, end: int) -> str:
    """Return a range of characters, end excluded: `1,204 to 1,420`."""
    return f"{count(start)} to {count(end)}"


def place(example: Example) -> str:
    """Return where a finding is: `shard:row`."""
    return f"{example['shard']}:{example['row']}"


def clip(text: str, max_chars: int) -> str:
    """Return `text`, or its first characters and an ellipsis when it is longer than `max_chars`."""
    return text if len(text) <= max_chars else text[: max_chars - 1] + ELLIPSIS
