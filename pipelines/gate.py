"""The gate: a mix, a baseline and a policy in; a verdict with its reasons out.

    scan:  the mix for the items of the benchmarks, measured by the calibration battery
    drift: the mix against the baseline, where one is named
    judge: both by the policy (reports.verdict)

With an index store only the shards that it does not hold yet are read: they are brought into it, then
the store is asked. It does not show items of few words; where that would leave a benchmark undecided, the mix
itself is scanned after all. A gate never passes what it did not read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from corpora.benchmarks import Benchmark, read_benchmarks
from corpora.fields import FieldMap
from pipelines.drift import DriftResult, drift
from pipelines.files import write_table, write_text
from pipelines.gate_settings import GateSettings
from pipelines.gate_sites import sites_of
from pipelines.index import build_index
from pipelines.index_settings import IndexSettings
from pipelines.mapping import Progress as PartsProgress
from pipelines.run_record import run_json, run_start
from pipelines.scan import Progress, ScanResult, scan
from pipelines.sources import HIDDEN
from reports.drift_html import render_drift_html
from reports.html import render_html
from reports.judge_coverage import searchable
from reports.junit import render_junit
from reports.policy import DEFAULT_POLICY_FILE, Policy, read_policy_file
from reports.render import render_json
from reports.sarif import render_sarif
from reports.verdict import judge
from reports.verdict_html import render_verdict_html
from reports.verdict_markdown import render_verdict_markdown
from reports.verdict_schema import Verdict

RUN_SCHEMA: Final = "sluicegate.gate.run/1"
RESULT_FILES: Final = (
    "report.json", "report.html", "summary.md", "junit.xml", "results.sarif", "scan.json", "scan.html",
    "drift.json", "drift.html", "findings.parquet", "items.parquet", "calibration.parquet",
    "domains.parquet", "tokens.parquet", "exposure.parquet", "run.json",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GateResult:
    """A verdict, and the scan and the comparison that it was given on; `drift` without a baseline is None."""

    verdict: Verdict
    scan: ScanResult
    drift: DriftResult | None
    run: dict[str, Any]


def gate(
    mix: str,
    against: str | None,
    policy: str | None,
    benchmarks: Sequence[str],
    settings: GateSettings,
    *,
    today: date,
    tool_version: str,
    progress: Callable[[Progress], None] = lambda _: None,
    parts_progress: Callable[[PartsProgress], None] = lambda _: None,
) -> GateResult:
    """Judge a mix by a policy, the default one if None; `today` decides which waivers have lapsed.

    Raises:
        CorpusError: where the mix, the baseline or the policy is named wrongly or has mistakes.
        BenchmarkError: where a benchmark cannot be read whole.
        StoreError: where the store cannot be used.
    """
    clock = [time.time()]
    file = read_policy_file(str(DEFAULT_POLICY_FILE) if policy is None else policy)
    sites = sites_of(mix, against, policy, file, benchmarks, settings)
    read = read_benchmarks(benchmarks, FieldMap.parse(settings.fields) if settings.fields else None)
    version = _stored_version(mix, settings, tool_version, parts_progress)
    clock.append(time.time())
    found = _scan(mix, version, benchmarks, read, settings, tool_version, progress)
    if version is not None and _hides_too_much(file.value, found):
        found = _scan(mix, None, benchmarks, read, settings, tool_version, progress)
    clock.append(time.time())
    moved = None
    if against is not None:
        moved = drift(
            [against],
            [mix],
            benchmarks,
            settings.of_drift(),
            tool_version=tool_version,
            read=read,
            progress=parts_progress,
        )
    clock.append(time.time())
    verdict = judge(
        file.value,
        found.report,
        found.items,
        found.findings,
        None if moved is None else moved.report,
        today=today,
        baseline_named=against is not None,
        sites=sites,
        domains=None if moved is None else moved.domains,
        tokens=None if moved is None else moved.tokens,
        fail_on=settings.fail_on,
    )
    run = _run_record(mix, against, verdict, found, moved, settings, tool_version)
    stages = ("indexing_s", "scanning_s", "comparing_s")
    run["timings"] = {
        stage: round(after - before, 3)
        for stage, before, after in zip(stages, clock, clock[1:], strict=False)
    }
    return GateResult(verdict, found, moved, run)


def write_result(result: GateResult, out: Path) -> None:
    """Write all files of a gate into a folder; `run.json` comes last and means complete.

    Raises:
        OSError: where the folder cannot be written, with nothing half-written.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in ("run.json", *RESULT_FILES):  # the old result is no longer whole
        (out / name).unlink(missing_ok=True)
    write_table(out / "findings.parquet", result.scan.findings)
    write_table(out / "items.parquet", result.scan.items)
    if result.scan.calibration is not None:
        write_table(out / "calibration.parquet", result.scan.calibration)
    write_text(out / "scan.json", render_json(result.scan.report))
    write_text(out / "scan.html", render_html(result.scan.report))
    if result.drift is not None:
        write_table(out / "domains.parquet", result.drift.domains)
        write_table(out / "tokens.parquet", result.drift.tokens)
        write_table(out / "exposure.parquet", result.drift.exposure)
        write_text(out / "drift.json", render_json(result.drift.report))
        write_text(out / "drift.html", render_drift_html(result.drift.report))
    verdict = result.verdict
    write_text(out / "junit.xml", render_junit(verdict))
    write_text(out / "results.sarif", render_sarif(verdict))
    write_text(out / "summary.md", render_verdict_markdown(verdict))
    write_text(out / "report.html", render_verdict_html(verdict))
    write_text(out / "report.json", render_json(verdict))
    write_text(out / "run.json", run_json(result.run))


def _stored_version(
    mix: str,
    settings: GateSettings,
    tool_version: str,
    progress: Callable[[PartsProgress], None],
) -> str | None:
    """Bring what is new of the mix into the store; return its version, None to scan the mix itself.

    A mix with shards that cannot be read has no version: a scan of the mix itself tells which.
    """
    if settings.store is None:
        return None
    built = build_index(
        [mix],
        settings.store,
        IndexSettings(
            text=settings.text,
            id=settings.id,
            domain=settings.domain,
            jobs=settings.jobs,
            batch_bytes=settings.batch_bytes,
        ),
        tool_version=tool_version,
        progress=progress,
    )
    return None if built.manifest is None else built.manifest.name


def _scan(
    mix: str,
    version: str | None,
    benchmarks: Sequence[str],
    read: Sequence[Benchmark],
    settings: GateSettings,
    tool_version: str,
    progress: Callable[[Progress], None],
) -> ScanResult:
    """Scan a version of the mix in the store, or the mix itself."""
    return scan(
        [mix] if version is None else [],
        benchmarks,
        settings.of_scan(version),
        tool_version=tool_version,
        read=read,
        progress=progress,
    )


def _hides_too_much(policy: Policy, found: ScanResult) -> bool:
    """Return whether a benchmark cannot be judged only because a store does not show its short items."""
    for benchmark in found.report["benchmarks"]:
        reasons = benchmark["unsearchable_reasons"]
        hidden = sum(entry["items"] for entry in reasons if entry["reason"].startswith(HIDDEN))
        needed, _ = policy.searchable.needed_of(benchmark["benchmark"])
        if hidden and searchable(benchmark, needed).status == "incomplete":
            return True
    return False


def _run_record(
    mix: str,
    against: str | None,
    verdict: Verdict,
    found: ScanResult,
    moved: DriftResult | None,
    settings: GateSettings,
    tool_version: str,
) -> dict[str, Any]:
    """Return the content of run.json but for the timings: exactly what was judged, and by what."""
    return run_start(RUN_SCHEMA, settings, tool_version) | {
        "mix": mix,
        "against": against,
        "verdict": verdict["verdict"],
        "policy": {
            "path": verdict["judged"]["policy_file"],
            "name": verdict["judged"]["policy"],
            "sha256": verdict["judged"]["policy_digest"],
        },
        "complete": found.complete and (moved is None or moved.complete),
        "scan": found.run,
        "drift": None if moved is None else moved.run,
    }
