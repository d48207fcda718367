"""The calibration without a scan: what would a scan of this corpus for these items find, and miss?

    plan: read the benchmarks, index their items
    draw: a few documents of a few shards, whatever the size of the corpus
    play: the battery (pipelines.calibration), the same that a scan runs on itself

Results depend on the seed and the inputs, not on the order of shards or the number of jobs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from corpora.benchmarks import read_benchmarks
from corpora.fields import FieldMap
from corpora.shards import Columns, resolve
from indexes.background import load_background
from pipelines.calibration import Calibration, calibration_table, run_battery
from pipelines.calibration.hosts import DrawnHosts, draw_hosts
from pipelines.calibration.paraphrases import ParaphraseFile, read_paraphrases
from pipelines.calibration.stage import EXTENTS, choose_hosts
from pipelines.calibration.words import calibration_section
from pipelines.encoders import encoder_of
from pipelines.files import write_table, write_text
from pipelines.run_record import run_head, run_json
from pipelines.scan import Progress
from pipelines.settings import CalibrateSettings
from pipelines.shard_step import ScanPlan, warm_up
from reports.calibration import (
    SCHEMA,
    CalibrationReport,
    Hosts,
    PlantedBenchmark,
    SuppliedParaphrases,
)
from reports.calibration_text import render_calibration_markdown
from reports.render import render_json
from reports.schema import Calibration as Section
from scanners.patterns import build_patterns

SHOWN_PROBLEMS: Final = 20
RESULT_FILES: Final = ("calibration.parquet", "calibration.json", "summary.md", "run.json")


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """A finished calibration.

    `rates` has the columns of `calibration.parquet`; `report` and `run` are the contents of
    `calibration.json` and `run.json`; `calibrated` is False where the battery failed or nothing
    could be planted, `complete` is False where something drawn could not be read.
    """

    rates: pl.DataFrame
    report: CalibrationReport
    run: dict[str, Any]
    calibrated: bool
    complete: bool


def calibrate(
    corpus: Sequence[str],
    benchmarks: Sequence[str],
    settings: CalibrateSettings,
    *,
    tool_version: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> CalibrationResult:
    """Measure the scan of a corpus on leaks planted into documents drawn from it.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        BenchmarkError: where a benchmark or the file of paraphrases cannot be read whole.
    """
    clock = [time.time()]
    shards = resolve(corpus, Columns(settings.text, settings.id, settings.domain))
    encoder = encoder_of(settings)
    progress(Progress("reading benchmarks"))
    fields = FieldMap.parse(settings.fields) if settings.fields else None
    read = read_benchmarks(benchmarks, fields)
    paraphrases = None
    if settings.paraphrases is not None:
        paraphrases = read_paraphrases(settings.paraphrases, read)
    progress(Progress("drawing documents"))
    extent = EXTENTS[settings.calibration]
    drawn = draw_hosts(shards, wanted=extent.trials, seed=settings.seed, jobs=settings.jobs)
    clock.append(time.time())
    progress(Progress("loading kernels"))
    warm_up(settings.scanners)
    progress(Progress("indexing items"))
    plan = ScanPlan(
        read, build_patterns(read, load_background()), settings.scanners, encoder,
        prefilter=settings.prefilter,
        translations=settings.translations,
    )  # fmt: skip
    clock.append(time.time())
    progress(Progress("calibrating"))
    hosts = choose_hosts(drawn.texts, extent, settings.seed)
    calibration = run_battery(
        plan,
        hosts,
        size=settings.calibration,
        seed=settings.seed,
        paraphrases=None if paraphrases is None else paraphrases.texts,
    )
    clock.append(time.time())
    head = run_head(settings, read, paraphrases, tool_version)
    complete = not drawn.log.n_problems or (settings.skip_bad and not _broke_off(drawn))
    return CalibrationResult(
        calibration_table(calibration),
        {
            "schema": SCHEMA,
            "tool": head["tool"],
            "complete": complete,
            "calibration": _section(calibration, drawn),
            "size": settings.calibration,
            "seed": settings.seed,
            "scanners": list(settings.scanners),
            "normal_form": head["normal_form"],
            "corpus": _hosts(corpus, hosts, drawn),
            "benchmarks": _benchmarks(plan),
            "paraphrases": _supplied(paraphrases),
        },
        head | {"complete": complete, **_what_was_read(drawn), "timings": _timings(clock)},
        calibration.passed,
        complete,
    )


def write_calibration(result: CalibrationResult, out: Path) -> None:
    """Write all files of a calibration into a folder; `run.json` comes last and means complete.

    Raises:
        OSError: where the folder cannot be written, with nothing half-written.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "run.json").unlink(missing_ok=True)  # the old result is no longer whole
    write_table(out / "calibration.parquet", result.rates)
    write_text(out / "calibration.json", render_json(result.report))
    write_text(out / "summary.md", render_calibration_markdown(result.report))
    write_text(out / "run.json", run_json(result.run))


def _section(calibration: Calibration, drawn: DrawnHosts) -> Section:
    """Return the report's section; what could not be read is why there was nothing to plant."""
    section = calibration_section(calibration)
    if not calibration.passed and not drawn.texts and drawn.log.problems:
        section["reason"] = f"nothing to plant: {drawn.log.problems[0]}"
    return section


def _broke_off(drawn: DrawnHosts) -> bool:
    return any(problem.row is None for problem in drawn.log.problems)


def _hosts(corpus: Sequence[str], hosts: Sequence[str], drawn: DrawnHosts) -> Hosts:
    log, shown = drawn.log, drawn.log.problems[:SHOWN_PROBLEMS]
    return {
        "name": ", ".join(sorted(set(corpus))),
        "hosts": len(hosts),
        "documents_read": log.documents,
        "bytes_read": log.bytes,
        "bad_documents": log.bad_documents,
        "shards_read": len(drawn.read),
        "shards": drawn.of_shards,
        "problems": [
            {"shard": p.shard, "row": p.row, "reason": p.reason, "mend": p.mend} for p in shown
        ],
        "problems_not_shown": log.n_problems - len(shown),
    }


def _benchmarks(plan: ScanPlan) -> list[PlantedBenchmark]:
    searchable = np.array([not reason for reason in plan.patterns.reasons], np.int64)
    counts = np.bincount(plan.patterns.benchmark, searchable, len(plan.benchmarks))
    return [
        {
            "benchmark": benchmark.name,
            "path": benchmark.path,
            "digest": benchmark.digest,
            "items": len(benchmark.items),
            "searchable": int(count),
        }
        for benchmark, count in zip(plan.benchmarks, counts.tolist(), strict=True)
    ]


def _supplied(paraphrases: ParaphraseFile | None) -> SuppliedParaphrases | None:
    if paraphrases is None:
        return None
    return {
        "path": paraphrases.path,
        "digest": paraphrases.digest,
        "texts": paraphrases.n_texts,
        "items": len(paraphrases.texts),
    }


def _what_was_read(drawn: DrawnHosts) -> dict[str, Any]:
    """Return what run.json says of the corpus; its shards are those of which something was read."""
    log = drawn.log
    return {
        "read": {
            "shards": len(drawn.read),
            "of_shards": drawn.of_shards,
            "documents": log.documents,
            "bytes": log.bytes,
            "bad_documents": log.bad_documents,
            "problems": dict(sorted(log.reasons.items())),
        },
        "shards": [
            {"path": shard.path, "stored_bytes": shard.size_bytes}
            for shard in sorted(drawn.read, key=lambda shard: shard.path)
        ],
    }


def _timings(clock: Sequence[float]) -> dict[str, Any]:
    """Return when the run began (UTC) and how long its stages took, in seconds."""
    drawing, indexing, calibrating = np.diff(clock).round(3).tolist()
    return {
        "started": datetime.fromtimestamp(clock[0], UTC).isoformat(timespec="seconds"),
        "drawing_s": drawing,
        "indexing_s": indexing,
        "calibrating_s": calibrating,
    }
