"""From an audit's tables to its report: an answer for every score, and what every word means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import numpy as np
import polars as pl

from reports.audit_answers import (
    ENOUGH_SEARCHED,
    FALSE_DISCOVERIES,
    NEGLIGIBLE,
    answer_benchmark,
    answer_score,
    note,
)
from reports.audit_schema import (
    SCHEMA,
    AuditedBenchmark,
    AuditReport,
    OverlapCount,
    OverlapPair,
    ScoreAudit,
    ScoreFileFacts,
)
from reports.schema import Definition, Report, Scalar
from reports.view import plural
from scanners.score_gap import ALPHA, DRAWS, POWER, RESAMPLES
from scanners.score_resampling import LEVEL

SHOWN_OVERLAPS: Final = 200
ORDER: Final = {"no": 0, "cannot tell": 1, "yes": 2}

DEFINITIONS: Final[tuple[Definition, ...]] = (
    {
        "term": "safe to quote",
        "meaning": f"yes: leakage is worth under {100 * NEGLIGIBLE:.0f} point at the upper end of its "
        f"interval, or {100 * ENOUGH_SEARCHED:.0f}% of the items were searched and none found; no: leaked "
        f"items are answered better than clean ones alike (q up to {FALSE_DISCOVERIES}); cannot tell: all else",
    },
    {"term": "dirty", "meaning": "an item that is contaminated; suspect and unsearchable ones are neither dirty nor clean"},
    {
        "term": "gap, dirty minus clean",
        "meaning": "mean score of the dirty items less that of the clean ones; positive: dirty ones are answered better",
    },
    {
        "term": "gap, all minus clean",
        "meaning": "mean score of dirty and clean items less that of the clean ones: the gap x the share of "
        "dirty items. Both are called estimated performance gain (EPG) in the literature",
    },
    {
        "term": "gap within strata",
        "meaning": "the gap between items of one subject, length and answer type (Mantel and Haenszel's "
        "weights); strata are made coarser until nine in ten dirty items have a clean one beside them",
    },
    {"term": "leakage, points", "meaning": "the gap within strata x the share of dirty items: what the score loses if dirty items were answered as clean ones alike are. Where clean models are named: what that gap is more than theirs (difference in differences)"},
    {
        "term": "p, q",
        "meaning": f"p: share of {DRAWS:,} shuffles of the labels within strata with a gap at least as "
        "large, one-sided; q: adjusted for all benchmarks and models (Benjamini and Hochberg)",
    },
    {
        "term": "could be seen",
        "meaning": f"the gap within strata that the test finds with a chance of {100 * POWER:.0f}%, at "
        f"{100 * ALPHA:.0f}% false alarms",
    },
    {
        "term": "interval",
        "meaning": f"{100 * LEVEL:.0f}%, of {RESAMPLES:,} Bayesian bootstraps of dirty and clean items apart, "
        "one item of the lowest and one of the highest score added to both; several samples of an item are one mean",
    },
    {
        "term": "clean score",
        "meaning": "mean score of the clean items, weighted so that each subject has its share of all scored items",
    },
)  # fmt: skip


def build_audit(
    scan: Report,
    gaps: pl.DataFrame,
    remainders: Sequence[Mapping[str, Any]],
    overlaps: pl.DataFrame | None,
    score_files: Sequence[ScoreFileFacts],
    versions: Sequence[str],
    parameters: Mapping[str, Scalar | list[Scalar]],
) -> AuditReport:
    """Return the report; `gaps` and `overlaps` have the columns of their tables.

    `remainders` says of each benchmark: benchmark, clean_items, clean_effective, lost_share, subjects,
    items_without_score.
    """
    complete = scan["complete"]
    by_name = {benchmark["benchmark"]: benchmark for benchmark in scan["benchmarks"]}
    scores: list[ScoreAudit] = []
    for row in gaps.iter_rows(named=True):
        verdict, sentence = answer_score(row, by_name[row["benchmark"]], complete=complete)
        told = row | {"answer": verdict, "sentence": sentence, "note": note(row)}
        scores.append(cast("ScoreAudit", told))
    scores.sort(
        key=lambda s: (ORDER[s["answer"]], -(s["leak_points"] or 0.0), s["benchmark"], s["model"])
    )
    scored = {score["benchmark"] for score in scores}
    benchmarks: list[AuditedBenchmark] = []
    for remainder in remainders:
        summary = by_name[remainder["benchmark"]]
        verdict, sentence = answer_benchmark(summary, complete=complete)
        effective = float(remainder["clean_effective"])
        benchmarks.append(
            {
                "benchmark": summary["benchmark"],
                "items": summary["items"],
                "clean_items": remainder["clean_items"],
                "clean_effective": effective,
                "lost_share": remainder["lost_share"],
                "half_width": 1.959964 * float(np.sqrt(0.25 / effective)) if effective else None,
                "subjects": remainder["subjects"],
                "items_without_score": remainder["items_without_score"],
                "answer": None if summary["benchmark"] in scored else verdict,
                "sentence": sentence,
            }
        )
    return {
        "schema": SCHEMA,
        "tool": scan["tool"],
        "title": _title(scores, benchmarks),
        "complete": complete,
        "scan": scan,
        "parameters": dict(parameters),
        "definitions": [*DEFINITIONS, *scan["definitions"]],
        "score_files": list(score_files),
        "benchmarks": benchmarks,
        "scores": scores,
        "versions": list(versions),
        "overlap_searched": overlaps is not None,
        "overlap_counts": [] if overlaps is None else _counts(overlaps),
        "overlaps": []
        if overlaps is None
        else cast("list[OverlapPair]", overlaps.head(SHOWN_OVERLAPS).to_dicts()),
    }


def _title(scores: Sequence[ScoreAudit], benchmarks: Sequence[AuditedBenchmark]) -> str:
    asked = scores or benchmarks
    answers = [each["answer"] for each in asked]
    noun = "score" if scores else "benchmark"
    bad, open_ = answers.count("no"), answers.count("cannot tell")
    if bad:
        rest = f"; {open_} cannot be told" if open_ else ""
        return f"{bad} of {plural(len(answers), noun)} should not be quoted{rest}"
    if open_:
        return (
            f"For {open_} of {plural(len(answers), noun)} nobody can tell whether leakage lifts it"
        )
    if len(answers) == 1:
        return f"The {noun} can be quoted"
    return f"All {plural(len(answers), noun)} can be quoted"


def _counts(overlaps: pl.DataFrame) -> list[OverlapCount]:
    counted = (
        overlaps.group_by("benchmark", "other_benchmark", "kind")
        .agg(pl.len().cast(pl.Int64).alias("pairs"))
        .sort(pl.col("pairs") * -1, "benchmark", "other_benchmark", "kind")
    )
    return cast("list[OverlapCount]", counted.to_dicts())
