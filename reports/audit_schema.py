"""The content of an audit's `report.json`, version 1 (see `reports.schema`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from reports.schema import Count, Definition, Report, Scalar, Share, Tool

SCHEMA: Final = "sluicegate.audit/1"
SCHEMA_FILE = Path(__file__).with_name("schemas") / "audit-1.json"

Verdict = Literal["yes", "cannot tell", "no"]


class ScoreFileFacts(TypedDict):
    """A file of results; `without_item` counts items that are in no benchmark."""

    path: str
    digest: str
    layout: str
    results: Count
    without_item: Count
    skipped: dict[str, Count]


class AuditedBenchmark(TypedDict):
    """What may be said of a benchmark without its leaked items, and whether it may be quoted at all.

    `answer` is None where models were scored: then `scores` has an answer for each. `half_width` is that of
    the 95 % interval of a score of one half on the clean items, reweighted; `lost_share` of the items are of
    subjects that have no clean item.
    """

    benchmark: str
    items: Count
    clean_items: Count
    clean_effective: float
    lost_share: Share
    half_width: float | None
    subjects: Count
    items_without_score: Count
    answer: Verdict | None
    sentence: str


class ScoreAudit(TypedDict):
    """One model on one benchmark: the columns of `gaps.parquet`, and the answer in words.

    Scores and gaps are in [-1, 1]; None is what could not be computed. `design` names the comparison that
    `leak_points`, `q_value` and `seen_from` are of; `suspect_points` is what the score loses if no suspect item
    had been answered.
    """

    benchmark: str
    model: str
    answer: Verdict
    sentence: str
    note: str
    items: Count
    samples: Count
    score: float
    n_dirty: Count
    n_clean: Count
    n_left_out: Count
    suspect_points: float
    score_dirty: float | None
    score_clean: float | None
    gap_dirty_minus_clean: float | None
    ci_low: float | None
    ci_high: float | None
    epg_all_minus_clean: float | None
    epg_low: float | None
    epg_high: float | None
    within_strata: float | None
    within_low: float | None
    within_high: float | None
    design: str | None
    leak_points: float | None
    leak_low: float | None
    leak_high: float | None
    p_value: float | None
    minimal_detectable: float | None
    q_value: float | None
    seen_from: float | None
    strata: str | None
    items_compared: Count | None
    odds_ratio: float | None
    odds_low: float | None
    odds_high: float | None
    adjusted_points: float | None
    adjusted_low: float | None
    adjusted_high: float | None
    adjusted_p: float | None
    reference_models: Count | None
    did: float | None
    did_low: float | None
    did_high: float | None
    did_p: float | None
    did_minimal_detectable: float | None
    threshold: float | None
    threshold_gap: float | None
    threshold_p: float | None
    threshold_q: float | None
    threshold_dirty: Count | None
    clean_items: Count | None
    clean_effective: float | None
    clean_score: float | None
    clean_low: float | None
    clean_high: float | None


class OverlapCount(TypedDict):
    """Pairs of like items in two benchmarks, or within one."""

    benchmark: str
    other_benchmark: str
    kind: Literal["equal", "near"]
    pairs: Count


class OverlapPair(TypedDict):
    """Two items that are alike."""

    benchmark: str
    item_id: str
    other_benchmark: str
    other_item_id: str
    kind: Literal["equal", "near"]
    score: Share


class AuditReport(TypedDict):
    """The whole of an audit's `report.json`; `scan` is the report of the scan that it rests on."""

    schema: Literal["sluicegate.audit/1"]
    tool: Tool
    title: str
    complete: bool
    scan: Report
    parameters: dict[str, Scalar | list[Scalar]]
    definitions: list[Definition]
    score_files: list[ScoreFileFacts]
    benchmarks: list[AuditedBenchmark]
    scores: list[ScoreAudit]
    versions: list[str]
    overlap_searched: bool
    overlap_counts: list[OverlapCount]
    overlaps: list[OverlapPair]


@cache
def adapter() -> TypeAdapter[AuditReport]:
    """Return what checks that a value is the report of an audit."""
    return TypeAdapter(AuditReport)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `AuditReport`: what `SCHEMA_FILE` holds."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}"}
    return head | adapter().json_schema()
