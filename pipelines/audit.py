"""The audit: a corpus, benchmarks and scores of models in; which scores can be quoted out.

    scores:  read results by item and find the items (corpora.scores), before anything slow
    scan:    the corpus or a version of an index store (pipelines.scan)
    gaps:    leaked against clean items, for each benchmark and model (pipelines.audit_gaps)
    overlap: the benchmarks in one another (pipelines.audit_overlap)
    rest:    the items to evaluate on, with weights; the report

A score is never called unharmed without the gap that could have been seen.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from corpora.benchmarks import Benchmark, BenchmarkError, read_benchmarks
from corpora.fields import FieldMap
from corpora.scores import Matched, ScoreFile, match_scores, read_scores
from corpora.subjects import answer_types, subjects
from indexes.store import Store
from pipelines.audit_gaps import Scored, gaps_table
from pipelines.audit_items import enrich_items
from pipelines.audit_overlap import overlaps
from pipelines.audit_settings import AuditSettings
from pipelines.files import write_table, write_text
from pipelines.index import is_index
from pipelines.run_record import run_json
from pipelines.scan import Progress, ScanResult, scan
from reports.audit_html import render_audit_html
from reports.audit_markdown import render_audit_markdown
from reports.audit_schema import AuditReport, ScoreFileFacts
from reports.audit_summary import build_audit
from reports.render import render_json
from scanners.score_strata import subject_weights

RUN_SCHEMA: Final = "sluicegate.audit.run/1"
RESULT_FILES: Final = (
    "report.json", "report.html", "summary.md", "items.parquet", "findings.parquet", "gaps.parquet",
    "overlaps.parquet", "calibration.parquet", "clean_items.jsonl", "run.json",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuditResult:
    """A finished audit.

    `items` has the columns of a scan and then those of the audit, `gaps` a row for each benchmark and model,
    `clean_items` benchmark, item_id, subject and weight, `overlaps` (None if not asked for) pairs of items
    that are alike; `scan` is the scan itself.
    """

    report: AuditReport
    items: pl.DataFrame
    gaps: pl.DataFrame
    clean_items: pl.DataFrame
    overlaps: pl.DataFrame | None
    scan: ScanResult
    run: dict[str, Any]

    @property
    def complete(self) -> bool:
        """Tell whether all of the corpus was read."""
        return self.scan.complete


def audit(
    corpus: Sequence[str],
    benchmarks: Sequence[str],
    settings: AuditSettings,
    *,
    tool_version: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> AuditResult:
    """Tell which items of benchmarks leaked into a corpus, and what that is worth in scores.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where the store or the version is not there or cannot be used.
        BenchmarkError: where a benchmark or a file of scores cannot be read whole, or they do not belong
            together.
    """
    clock = [time.time()]
    progress(Progress("reading benchmarks and scores"))
    read = read_benchmarks(benchmarks, FieldMap.parse(settings.fields) if settings.fields else None)
    files = read_scores(settings.scores, metric=settings.metric)
    matched = match_scores(files, read)
    _check_models(settings, matched)
    found = scan(corpus, benchmarks, settings, tool_version=tool_version, progress=progress)
    clock.append(time.time())
    progress(Progress("looking into other versions"))
    held, versions = _versions(benchmarks, settings, tool_version)
    progress(Progress("searching benchmarks in one another"))
    alike = overlaps(read, benchmarks, settings, tool_version) if settings.overlap else None
    clock.append(time.time())
    progress(Progress("comparing scores"))
    items = enrich_items(found, read, [subjects(each) for each in read], held)
    scored = [_scored(number, each, items, matched) for number, each in enumerate(read)]
    gaps = gaps_table(scored, settings.reference_models, settings.clean_models, seed=settings.seed)
    clean, remainders = _remainder(scored, read, matched)
    clock.append(time.time())
    report = build_audit(
        found.report,
        gaps,
        remainders,
        alike,
        [_facts(file, matched) for file in files],
        versions,
        {
            "seed": settings.seed,
            "reference_models": list(settings.reference_models),
            "clean_models": list(settings.clean_models),
            "metric": settings.metric,
        },
    )
    run = found.run | {
        "schema": RUN_SCHEMA,
        "scores": [{"path": file.path, "sha256": file.digest} for file in files],
    }
    for stage, before, after in zip(
        ("scan_s", "overlap_s", "scores_s"), clock, clock[1:], strict=False
    ):
        run["timings"][f"audit_{stage}"] = round(after - before, 3)
    return AuditResult(report, items, gaps, clean, alike, found, run)


def write_result(result: AuditResult, out: Path) -> None:
    """Write all files of an audit into a folder; `run.json` comes last and means complete.

    Raises:
        OSError: where the folder cannot be written, with nothing half-written.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in ("run.json", *RESULT_FILES):  # the old result is no longer whole
        (out / name).unlink(missing_ok=True)
    write_table(out / "findings.parquet", result.scan.findings)
    write_table(out / "items.parquet", result.items)
    write_table(out / "gaps.parquet", result.gaps)
    if result.overlaps is not None:
        write_table(out / "overlaps.parquet", result.overlaps)
    if result.scan.calibration is not None:
        write_table(out / "calibration.parquet", result.scan.calibration)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in result.clean_items.to_dicts()]
    write_text(out / "clean_items.jsonl", "".join(lines))
    write_text(out / "summary.md", render_audit_markdown(result.report))
    write_text(out / "report.html", render_audit_html(result.report))
    write_text(out / "report.json", render_json(result.report))
    write_text(out / "run.json", run_json(result.run))


def _check_models(settings: AuditSettings, matched: Matched) -> None:
    for option, names in (
        ("--reference-model", settings.reference_models),
        ("--clean-model", settings.clean_models),
    ):
        for name in names:
            if name not in matched.samples:
                known = ", ".join(sorted(matched.samples)[:20]) or "none: give --scores"
                raise BenchmarkError(
                    f"{option} {name!r} is no model of the scores", f"they have {known}"
                )


def _versions(
    benchmarks: Sequence[str], settings: AuditSettings, tool_version: str
) -> tuple[dict[tuple[str, str], list[str]] | None, list[str]]:
    """Return which versions of the store hold each item, oldest first, and all versions."""
    if settings.store is None or not settings.all_versions:
        return None, []
    store = Store.open(settings.store)
    versions = map(store.version, store.versions())
    manifests = sorted(filter(is_index, versions), key=lambda m: (m.created, m.name))
    held: dict[tuple[str, str], list[str]] = {}
    for manifest in manifests:
        own = settings.model_copy(update={"version": manifest.name, "calibration": "off"})
        items = scan([], benchmarks, own, tool_version=tool_version).items
        leaked = items.filter(pl.col("status").is_in(["contaminated", "suspect"]))
        for key in leaked.select("benchmark", "item_id").iter_rows():
            held.setdefault(key, []).append(manifest.name)
    return held, [manifest.name for manifest in manifests]


def _scored(number: int, benchmark: Benchmark, items: pl.DataFrame, matched: Matched) -> Scored:
    """Return the items of a benchmark in the order of its file, with every model's mean scores."""
    order = pl.DataFrame(
        {"item_id": [item.id for item in benchmark.items]}, schema={"item_id": pl.String}
    )
    own = order.join(
        items.filter(pl.col("benchmark") == benchmark.name),
        on="item_id",
        how="left",
        maintain_order="left",
    )
    scores: dict[str, np.ndarray] = {}
    samples: dict[str, int] = {}
    for model, by_item in matched.samples.items():
        here = {place: values for (which, place), values in by_item.items() if which == number}
        if here:
            means = np.full(len(benchmark.items), np.nan)
            means[list(here)] = [float(np.mean(values)) for values in here.values()]
            scores[model] = means
            samples[model] = sum(map(len, here.values()))
    return Scored(
        benchmark.name,
        own["status"].to_numpy(),
        own["score"].to_numpy(),
        own["words"].to_numpy(),
        answer_types(benchmark.items),
        own["subject"].to_list(),
        scores,
        samples,
    )


def _remainder(
    scored: Sequence[Scored], read: Sequence[Benchmark], matched: Matched
) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """Return the items to evaluate on with their weights, and what is left of each benchmark."""
    rows: list[tuple[str, str, str | None, float]] = []
    remainders: list[dict[str, Any]] = []
    for each, benchmark in zip(scored, read, strict=True):
        kept = each.status == "clean"
        weights = subject_weights(kept, each.subject)
        for place, weight in zip(
            np.flatnonzero(kept).tolist(), weights.of_item.tolist(), strict=True
        ):
            rows.append((benchmark.name, benchmark.items[place].id, each.subject[place], weight))
        remainders.append(
            {
                "benchmark": benchmark.name,
                "clean_items": int(kept.sum()),
                "clean_effective": weights.effective,
                "lost_share": weights.lost_share,
                "subjects": len(set(each.subject) - {None}),
                "items_without_score": matched.items_without_score[benchmark.name],
            }
        )
    schema = {
        "benchmark": pl.String,
        "item_id": pl.String,
        "subject": pl.String,
        "weight": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row"), remainders


def _facts(file: ScoreFile, matched: Matched) -> ScoreFileFacts:
    return {
        "path": file.path,
        "digest": file.digest,
        "layout": file.layout,
        "results": len(file.results),
        "without_item": matched.scores_without_item[file.path],
        "skipped": dict(sorted(file.skipped.items())),
    }
