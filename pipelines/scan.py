"""The scan: a corpus and benchmarks in; findings, item statuses and a report out. A look-up.

    plan:  read the benchmarks, index their items, list what is to be read (pipelines.sources)
    map:   one step per shard (pipelines.shard_step), or per shard that an index store knows
    calibrate: plant leaks into documents of the corpus and see which the scan finds
    merge: sort, decide the status of each item, summarise, write

Results do not depend on the number of jobs, the order of shards or the size of batches.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from corpora.benchmarks import Benchmark, read_benchmarks
from corpora.fields import FieldMap
from corpora.normal_form import fingerprint
from corpora.problems import CorpusError, ReadLog
from pipelines.calibration import Calibration, calibration_table, run_battery
from pipelines.calibration.paraphrases import ParaphraseFile, read_paraphrases
from pipelines.calibration.words import calibration_section
from pipelines.encoders import encoder_of, model_names
from pipelines.files import write_table, write_text
from pipelines.prefilter_audit import audit_prefilter, told_of_audit
from pipelines.run_record import run_head, run_json
from pipelines.settings import ScanSettings
from pipelines.shard_step import ScanPlan, StepResult, choose_examples, warm_up
from pipelines.sources import Corpus, Source, StoredVersion
from pipelines.tables import FINDING_COLUMNS, example_rows, findings_table, items_table
from pipelines.threads import map_threads
from reports.render import RENDERERS
from reports.schema import Report
from reports.summary import RunFacts, build_report

RESULT_FILES: Final = (
    "findings.parquet", "items.parquet", "calibration.parquet", "report.json", "report.html", "summary.md", "run.json",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is; `bytes` are those of the texts read so far."""

    stage: str
    shards_done: int = 0
    shards: int = 0
    documents: int = 0
    bytes: int = 0
    findings: int = 0


@dataclass(frozen=True, slots=True)
class ScanResult:
    """A finished scan.

    `findings`, `items` and `calibration` (None if it was not asked for) have the columns of the
    files of the same name (see the README); `report` and `run` are the contents of `report.json`
    and `run.json`; `complete` is False where something could not be read.
    """

    findings: pl.DataFrame
    items: pl.DataFrame
    calibration: pl.DataFrame | None
    report: Report
    run: dict[str, Any]
    complete: bool

    def contaminated(self) -> pl.DataFrame:
        """Return the items whose status is `contaminated`."""
        return self.items.filter(pl.col("status") == "contaminated")


def scan(
    corpus: Sequence[str],
    benchmarks: Sequence[str],
    settings: ScanSettings,
    *,
    tool_version: str,
    read: Sequence[Benchmark] | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> ScanResult:
    """Scan a corpus, or a version of it in an index store, for the items of benchmarks.

    `read` are those benchmarks where somebody has read them already.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where the store or the version is not there or cannot be used.
        BenchmarkError: where a benchmark or the file of paraphrases cannot be read whole.
    """
    clock = {"started": time.time()}
    source = _source(corpus, settings)
    encoder = encoder_of(settings)
    progress(Progress("reading benchmarks"))
    if read is None:
        fields = FieldMap.parse(settings.fields) if settings.fields else None
        read = read_benchmarks(benchmarks, fields)
    paraphrases = None
    if settings.paraphrases is not None:
        paraphrases = read_paraphrases(settings.paraphrases, read)
    progress(Progress("loading kernels"))
    warm_up(settings.scanners)
    progress(Progress("indexing items"))
    patterns = source.patterns(read)
    plan = ScanPlan(
        read, patterns, settings.scanners, encoder, prefilter=settings.prefilter,
        translations=settings.translations,
    )  # fmt: skip
    source.prepare(plan)
    clock["scanning"] = time.time()
    steps = _run_steps(source, plan, settings, progress)
    clock["calibrating"] = time.time()
    calibration = _calibrate(source, steps, plan, paraphrases, settings, tool_version, progress)
    clock["merging"] = time.time()
    models = model_names(settings, encoder)
    audit = None
    if plan.semantic is not None and plan.semantic.prefilter:  # else no document is read for it
        audit = audit_prefilter(plan, source.hosts(steps))
    result = _merge(source, steps, plan, calibration, models, settings, tool_version)
    result.run.update(run_head(settings, read, paraphrases, tool_version))
    if audit is not None:
        result.run["prefilter_audit"] = audit
        result.report["parameters"]["prefilter_audit"] = told_of_audit(audit)
    clock["finished"] = time.time()
    result.run["timings"] = _timings(clock)
    return result


def write_result(result: ScanResult, out: Path) -> None:
    """Write all files of a scan into a folder; `run.json` comes last and means complete.

    Raises:
        OSError: where the folder cannot be written, with nothing half-written.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "run.json").unlink(missing_ok=True)  # the old result is no longer whole
    write_table(out / "findings.parquet", result.findings)
    write_table(out / "items.parquet", result.items)
    if result.calibration is None:
        (out / "calibration.parquet").unlink(missing_ok=True)
    else:
        write_table(out / "calibration.parquet", result.calibration)
    write_text(out / "report.json", RENDERERS["json"](result.report))
    write_text(out / "report.html", RENDERERS["html"](result.report))
    write_text(out / "summary.md", RENDERERS["md"](result.report))
    write_text(out / "run.json", run_json(result.run))


def _source(corpus: Sequence[str], settings: ScanSettings) -> Source:
    if settings.store is None:
        return Corpus(corpus, settings)
    if corpus:
        raise CorpusError(
            f"{corpus[0]}: name a corpus or a store, not both; sluicegate index build brings a "
            "corpus into a store"
        )
    return StoredVersion(settings.store, settings.version, settings)


def _run_steps(
    source: Source,
    plan: ScanPlan,
    settings: ScanSettings,
    progress: Callable[[Progress], None],
) -> list[StepResult]:
    """Run one step per unit of the source on `jobs` threads."""
    # the largest first: the threads end together
    units = sorted(source.units(), key=lambda unit: -sum(shard.size_bytes for shard in unit))
    n_shards = sum(map(len, units))
    read_ahead = len(units) < settings.jobs
    done: list[StepResult] = []
    current: dict[int, tuple[int, int, int]] = {}
    lock = threading.Lock()
    stop = threading.Event()

    def step(number: int) -> None:
        for results in source.step(units[number], plan, read_ahead=read_ahead):
            if stop.is_set():
                return
            with lock:
                current[number] = (
                    sum(result.log.documents for result in results),
                    sum(result.log.bytes for result in results),
                    sum(len(result.places) for result in results),
                )
                documents, size, findings = (sum(n) for n in zip(*current.values(), strict=True))
                tell = Progress("scanning", len(done), n_shards, documents, size, findings)
            progress(tell)
        with lock:
            done.extend(results)

    map_threads(step, range(len(units)), settings.jobs, stop)
    return done


def _calibrate(
    source: Source,
    steps: Sequence[StepResult],
    plan: ScanPlan,
    paraphrases: ParaphraseFile | None,
    settings: ScanSettings,
    tool_version: str,
    progress: Callable[[Progress], None],
) -> Calibration | None:
    """Measure the scan on leaks planted into documents that the steps drew; None if not asked.

    What an index store has of an equal battery is taken from there.
    """
    if settings.calibration == "off":
        return None
    progress(Progress("calibrating"))
    asked = (settings.calibration, "" if paraphrases is None else paraphrases.digest)
    kept = source.battery(steps, plan, asked, tool_version)
    if kept is not None and (known := kept.load()) is not None:
        return known
    hosts = source.hosts(steps)
    plan.sieve = source.sieve(plan)
    try:
        battery = run_battery(
            plan,
            hosts,
            size=settings.calibration,
            paraphrases=None if paraphrases is None else paraphrases.texts,
        )
    finally:
        plan.sieve = None
    if kept is not None:
        kept.save(battery, len(hosts))
    return battery


def _merge(
    source: Source,
    steps: list[StepResult],
    plan: ScanPlan,
    calibration: Calibration | None,
    models: dict[str, str],
    settings: ScanSettings,
    tool_version: str,
) -> ScanResult:
    steps.sort(key=lambda step: (step.shard.path, step.shard.part or (0, 0)))
    log = ReadLog()
    for step in steps:
        log.merge(step.log)
    found = findings_table(steps, plan)
    items = items_table(found, plan)
    unread = _unread(steps)
    complete = not unread and (settings.skip_bad or log.n_problems == 0)
    documents, sizes = _domains(steps)
    facts = RunFacts(
        corpus_name=source.name,
        shards=len({step.shard.path for step in steps}),
        shards_unread=len(unread),
        documents=log.documents,
        bytes=log.bytes,
        words=sum(step.words for step in steps),
        bad_documents=log.bad_documents,
        problems=tuple(log.problems),
        n_problems=log.n_problems,
        domain_documents=documents,
        domain_bytes=sizes,
        complete=complete,
        tool_version=tool_version,
        normal_form=fingerprint(),
        scanners=settings.scanners,
        models=models,
        translations=settings.translations,
        store=settings.store,
        fetched=sum(step.fetched for step in steps),
    )
    examples = choose_examples([example for step in steps for example in step.examples], plan)
    report = build_report(
        facts,
        plan.benchmarks,
        items,
        found,
        example_rows(examples, plan),
        calibration_section(calibration),
    )
    run = _run_record(steps, facts, log)
    rates = None if calibration is None else calibration_table(calibration)
    return ScanResult(found.select(FINDING_COLUMNS), items, rates, report, run, complete)


def _unread(steps: Sequence[StepResult]) -> set[str]:
    """Return the shards that broke off or could not be opened: a problem with the file as a whole."""
    return {problem.shard for step in steps for problem in step.log.problems if problem.row is None}


def _domains(steps: Sequence[StepResult]) -> tuple[dict[str, int], dict[str, int]]:
    documents: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for step in steps:
        for name, count in step.domain_documents.items():
            documents[name] = documents.get(name, 0) + count
            sizes[name] = sizes.get(name, 0) + step.domain_bytes[name]
    return dict(sorted(documents.items())), dict(sorted(sizes.items()))


def _run_record(steps: Sequence[StepResult], facts: RunFacts, log: ReadLog) -> dict[str, Any]:
    """Return what run.json says of the corpus."""
    digests = {step.shard.path: step.digest for step in steps if step.digest is not None}
    sizes: dict[str, int] = {}
    for step in steps:
        sizes[step.shard.path] = sizes.get(step.shard.path, 0) + step.shard.size_bytes
    return {
        "complete": facts.complete,
        **({"models": facts.models} if facts.models else {}),
        "read": {
            "shards": facts.shards,
            "shards_unread": facts.shards_unread,
            "documents": facts.documents,
            "bytes": facts.bytes,
            "words": facts.words,
            "bad_documents": facts.bad_documents,
            **({"fetched": facts.fetched} if facts.store is not None else {}),
            "problems": dict(sorted(log.reasons.items())),
        },
        "shards": [
            {"path": path, "stored_bytes": size, "sha256": digests.get(path)}
            for path, size in sorted(sizes.items())
        ],
    }


def _timings(clock: dict[str, float]) -> dict[str, Any]:
    """Return when the run began (UTC) and how long its stages took, in seconds."""
    started = datetime.fromtimestamp(clock["started"], UTC)
    return {
        "started": started.isoformat(timespec="seconds"),
        "indexing_s": round(clock["scanning"] - clock["started"], 3),
        "scanning_s": round(clock["calibrating"] - clock["scanning"], 3),
        "calibrating_s": round(clock["merging"] - clock["calibrating"], 3),
        "merging_s": round(clock["finished"] - clock["merging"], 3),
    }
