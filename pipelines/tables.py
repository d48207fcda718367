"""Findings and item statuses as the tables of the contract, in an order that nothing can change."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

import numpy as np
import polars as pl

from corpora.benchmarks import Item
from corpora.reference_form import reference_words
from pipelines.shard_step import Context, ScanPlan, StepResult
from reports.schema import Example, Segment
from scanners.fields import Role, field_text
from scanners.findings import TRANSLATION
from scanners.judge import Status
from scanners.presets import NAMES

FINDING_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "benchmark": pl.String, "item_id": pl.String, "field": pl.String, "leak_type": pl.String,
    "kind": pl.String, "scanner": pl.String, "score": pl.Float64, "identity": pl.Float64,
    "coverage": pl.Float64, "longest_run": pl.Int64, "shard": pl.String, "row": pl.Int64,
    "doc_id": pl.String, "domain": pl.String, "item_start": pl.Int64, "item_end": pl.Int64,
    "doc_start": pl.Int64, "doc_end": pl.Int64, "excerpt": pl.String,
}  # fmt: skip
FINDING_COLUMNS: Final = tuple(FINDING_SCHEMA)
HELPER_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "item": pl.Int64,
    "item_status": pl.Int8,
    "choice": pl.Int64,
}
STATUS_NAMES: Final = {Status.CONTAMINATED: "contaminated", Status.SUSPECT: "suspect"}
ROLES: Final = {"question": Role.QUESTION, "answer": Role.ANSWER, "passage": Role.PASSAGE}
MOST_EXAMPLE_CHARS: Final = 1600


def findings_table(steps: Sequence[StepResult], plan: ScanPlan) -> pl.DataFrame:
    """Return all findings, sorted, with helper columns `item`, `item_status` and `choice`.

    Items with the same field in two roles (an answer among its choices) have one row for each, and so
    has a place that two scanners tell: they may tell it differently.
    """
    rows = [
        (
            benchmark_name(plan, f.item), plan.items[f.item].id, f.field, f.leak_type, f.kind,
            f.scanner, f.score, f.identity, f.coverage, f.longest_run, place.shard, place.row,
            place.doc_id, place.domain, f.item_start, f.item_end, f.doc_start, f.doc_end,
            f.excerpt, f.item, f.status, f.choice,
        )
        for step in steps
        for place in step.places
        for f in (place.finding,)
    ]  # fmt: skip
    table = pl.DataFrame(rows, schema=FINDING_SCHEMA | HELPER_SCHEMA, orient="row")
    return table.sort(
        "benchmark", "item_id", "shard", "row", "doc_start", "doc_end", "field", "choice", "scanner",
        "item_start", pl.col("score") * -1,
    ).unique(
        ["item", "shard", "row", "doc_start", "doc_end", "field", "choice", "scanner"],
        keep="first", maintain_order=True,
    )  # fmt: skip


def items_table(found: pl.DataFrame, plan: ScanPlan) -> pl.DataFrame:
    """Return the status of every item, with the labs' definitions, sorted by benchmark and id."""
    best = (
        found.sort("item", pl.col("item_status") * -1, pl.col("score") * -1, maintain_order=True)
        .group_by("item", maintain_order=True)
        .first()
        .select(
            "item",
            "item_status",
            "score",
            "leak_type",
            "longest_run",
            "coverage",
            "field",
            "scanner",
        )
    )
    strong = found.filter(pl.col("item_status") >= Status.SUSPECT)
    spread = strong.group_by("item").agg(
        pl.struct("shard", "row").n_unique().cast(pl.Int64).alias("n_documents"),
        pl.col("domain").n_unique().cast(pl.Int64).alias("n_domains"),
    )
    base = pl.DataFrame(
        {
            "benchmark": [benchmark_name(plan, item) for item in range(len(plan.items))],
            "item_id": [item.id for item in plan.items],
            "item": np.arange(len(plan.items)),
            "unsearchable": plan.reasons,
            "words": plan.patterns.role_words.sum(axis=1, dtype=np.int64),
            **plan.tally.flags(),
        },
        schema_overrides={"benchmark": pl.String, "item_id": pl.String, "unsearchable": pl.String},
    )
    status = (
        pl.when(pl.col("item_status") == Status.CONTAMINATED)
        .then(pl.lit("contaminated"))
        .when(pl.col("item_status") == Status.SUSPECT)
        .then(pl.lit("suspect"))
        .when(pl.col("unsearchable") != "")
        .then(pl.lit("unsearchable"))
        .otherwise(pl.lit("clean"))
    )
    return (
        base.join(best, on="item", how="left")
        .join(spread, on="item", how="left")
        .with_columns(status.alias("status"))
        .with_columns(
            pl.col("score").fill_null(0.0),
            pl.when(pl.col("status").is_in(["contaminated", "suspect"])).then("leak_type"),
            pl.col("n_documents").fill_null(0),
            pl.col("n_domains").fill_null(0),
            _reason().alias("reason"),
        )
        .sort("benchmark", "item_id")
        .select(
            "benchmark", "item_id", "status", "score", "leak_type", "reason", "n_documents",
            "n_domains", "words", *NAMES,
        )
    )  # fmt: skip


def benchmark_name(plan: ScanPlan, item: int) -> str:
    """Return the name of the benchmark that an item belongs to."""
    return plan.benchmarks[int(plan.patterns.benchmark[item])].name


def example_rows(examples: Sequence[Context], plan: ScanPlan) -> list[Example]:
    """Return examples as the report shows them: both texts in segments, matched words marked."""
    return [_example(example, plan) for example in examples]


def _reason() -> pl.Expr:
    """Say in words why an item has its status; null for a clean item without any finding."""
    documents = (
        pl.col("n_documents").fill_null(0),
        pl.when(pl.col("n_documents") == 1).then(pl.lit("document")).otherwise(pl.lit("documents")),
    )
    evidence = pl.format(
        "{} found: {}% covered, longest run {} words, in {} {}",
        pl.col("field"),
        (pl.col("coverage") * 100).round(0).cast(pl.Int64),
        pl.col("longest_run"),
        *documents,
    )
    translated = pl.format("{} found in translation, in {} {}", pl.col("field"), *documents)
    weak = pl.format("a shared run of {} words, too little of the item", pl.col("longest_run"))
    return (
        pl.when(pl.col("status").is_in(["contaminated", "suspect"]))
        .then(pl.when(pl.col("scanner") == TRANSLATION).then(translated).otherwise(evidence))
        .when(pl.col("status") == "unsearchable")
        .then(pl.col("unsearchable"))
        .when(pl.col("longest_run").is_not_null())
        .then(weak)
        .otherwise(None)
    )


def _example(example: Context, plan: ScanPlan) -> Example:
    f, item = example.place.finding, plan.items[example.place.finding.item]
    text = _text_of(item, f.field, f.choice)
    locus = (f.doc_start - example.first_char, f.doc_end - example.first_char)
    ours, theirs = _matched_places(text, (f.item_start, f.item_end), example.text, locus)
    return {
        "benchmark": benchmark_name(plan, f.item),
        "item_id": item.id,
        "status": STATUS_NAMES.get(Status(f.status), "clean"),  # type: ignore[typeddict-item]  # one of the three
        "field": f.field,
        "leak_type": f.leak_type,
        "kind": f.kind,
        "scanner": f.scanner,
        "score": f.score,
        "identity": f.identity,
        "coverage": f.coverage,
        "longest_run": f.longest_run,
        "shard": example.place.shard,
        "row": example.place.row,
        "doc_id": example.place.doc_id,
        "domain": example.place.domain,
        "item_start": f.item_start,
        "item_end": f.item_end,
        "doc_start": f.doc_start,
        "doc_end": f.doc_end,
        "item_segments": _segments(text, ours),
        "document_segments": _segments(example.text, theirs),
    }


def _text_of(item: Item, field: str, choice: int) -> str:
    role = ROLES.get(field, Role.CHOICE)
    return field_text(item, role, choice)


def _matched_places(
    item_text: str, item_place: tuple[int, int], text: str, place: tuple[int, int]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the characters of the words that both loci share, in order (for the eye only)."""
    ours = _placed_words(item_text, *item_place)
    theirs = _placed_words(text, *place)
    matcher = SequenceMatcher(None, [w for w, _, _ in ours], [w for w, _, _ in theirs], False)
    blocks = matcher.get_matching_blocks()
    return (
        [ours[b.a + k][1:] for b in blocks for k in range(b.size)],
        [theirs[b.b + k][1:] for b in blocks for k in range(b.size)],
    )


def _placed_words(text: str, start: int, end: int) -> list[tuple[str, int, int]]:
    return [(w, start + a, start + b) for w, a, b in reference_words(text[start:end])]


def _segments(text: str, places: Sequence[tuple[int, int]]) -> list[Segment]:
    """Cut a text into matched and other segments; what joins two matched words is matched too."""
    segments: list[Segment] = []
    done = 0
    for start, end in places:
        gap = text[done:start]
        if segments and segments[-1][1] and not any(char.isalnum() for char in gap):
            segments[-1] = (segments[-1][0] + gap + text[start:end], True)
        else:
            segments += [(gap, False)] if gap else []
            segments.append((text[start:end], True))
        done = end
    rest = [(text[done:], False)] if text[done:] else []
    return _limited([*segments, *rest])


def _limited(segments: list[Segment]) -> list[Segment]:
    """Cut what is longer than an example should be, from the end, with an ellipsis."""
    room = MOST_EXAMPLE_CHARS
    kept: list[Segment] = []
    for text, matched in segments:
        if len(text) > room:
            return [*kept, (text[:room] + " …", matched)]
        kept.append((text, matched))
        room -= len(text)
    return kept
