"""What benchmarks share with one another: items in two test sets, test items in a train split, copies.

Equal items are told by their normal form. For all others the benchmarks' own texts are a corpus: a scan of
it finds an item in the text of another as it would in a document.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from corpora.benchmarks import Benchmark, Item
from corpora.normal_form import word_hashes
from pipelines.scan import scan
from pipelines.settings import ScanSettings
from scanners.judge import CONTAMINATED_SCORE

QUESTION_TYPES: Final = ("question", "question+answer")
OVERLAP_COLUMNS: Final[dict[str, type[pl.DataType]]] = {
    "benchmark": pl.String, "item_id": pl.String, "other_benchmark": pl.String,
    "other_item_id": pl.String, "kind": pl.String, "score": pl.Float64,
}  # fmt: skip
FEWEST_WORDS: Final = 4  # of an equal question: shorter ones are asked of anything


def overlaps(
    benchmarks: Sequence[Benchmark], paths: Sequence[str], settings: ScanSettings, tool_version: str
) -> pl.DataFrame:
    """Return the pairs of items that are alike: `kind` is equal, or near (`score` says how near).

    A pair of equal items has one row. `near` says that the first item's question stands in the text of the
    second; where that holds both ways, the better one is told.
    """
    equal = _equal(benchmarks)
    near = _near(benchmarks, paths, settings, tool_version)
    rows: dict[frozenset[tuple[str, str]], tuple[object, ...]] = {}
    for kind, pairs in (("equal", equal), ("near", near)):
        for ours, theirs, score in pairs:
            pair = frozenset((ours, theirs))
            if pair not in rows or (rows[pair][4] == kind and score > rows[pair][5]):  # type: ignore[operator]
                rows[pair] = (*ours, *theirs, kind, score)
    return pl.DataFrame(list(rows.values()), schema=OVERLAP_COLUMNS, orient="row").sort(
        "benchmark", "other_benchmark", "kind", "item_id", "other_item_id"
    )


Pair = tuple[tuple[str, str], tuple[str, str], float]


def _equal(benchmarks: Sequence[Benchmark]) -> list[Pair]:
    """Return the pairs with equal question, choices and passage, each item with the first of its group."""
    groups: dict[tuple[bytes, ...], list[tuple[str, str]]] = defaultdict(list)
    for benchmark in benchmarks:
        for item in benchmark.items:
            question = word_hashes(item.question)
            if len(question) >= FEWEST_WORDS:
                parts = (
                    question,
                    word_hashes(item.passage),
                    *map(word_hashes, sorted(item.choices)),
                )
                groups[tuple(part.tobytes() for part in parts)].append((benchmark.name, item.id))
    return [(group[0], other, 1.0) for group in groups.values() for other in group[1:]]


def _near(
    benchmarks: Sequence[Benchmark], paths: Sequence[str], settings: ScanSettings, tool_version: str
) -> list[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "items.jsonl"
        with corpus.open("w", encoding="utf-8", newline="\n") as file:
            for benchmark in benchmarks:
                for item in benchmark.items:
                    row = {"text": _text(item), "id": item.id, "domain": benchmark.name}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
        own = ScanSettings(fields=settings.fields, calibration="off", jobs=settings.jobs)
        found = scan([str(corpus)], paths, own, tool_version=tool_version).findings
    found = found.filter(
        pl.col("leak_type").is_in(QUESTION_TYPES),
        pl.col("score") >= CONTAMINATED_SCORE,
        (pl.col("benchmark") != pl.col("domain")) | (pl.col("item_id") != pl.col("doc_id")),
    )
    return [
        ((benchmark, item), (other, other_item), score)
        for benchmark, item, other, other_item, score in found.select(
            "benchmark", "item_id", "domain", "doc_id", "score"
        ).iter_rows()
    ]


def _text(item: Item) -> str:
    parts = (item.passage, item.question, *item.choices, item.answer)
    return "\n".join(part for part in parts if part)
