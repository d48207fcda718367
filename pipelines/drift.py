"""Drift: two corpus versions in; what moved, beside how far random halves of them lie apart, out. A fold.

    map:     one profile per shard of each version (pipelines.profiles), merged, weights applied
    compare: the domain mix, the token frequencies, the shapes and copies (scanners)
    expose:  what the change means for each benchmark

Results do not depend on the number of jobs, the order of shards or the size of batches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from corpora.benchmarks import Benchmark, read_benchmarks
from corpora.fields import FieldMap
from corpora.normal_form import fingerprint
from corpora.problems import CorpusError
from corpora.token_counter import TokenCounter
from pipelines.domain_sources import Domains, domains_of
from pipelines.drift_settings import DriftSettings
from pipelines.drift_shapes import copies_of, shapes_of
from pipelines.drift_tables import domains_frame, exposure_frame, tokens_frame
from pipelines.drift_totals import totals_of
from pipelines.drift_unit import Unit, unit_of
from pipelines.files import write_table, write_text
from pipelines.item_tokens import ItemTokens, item_tokens
from pipelines.mapping import Progress
from pipelines.profiles import Version, profile_version
from pipelines.run_record import benchmark_entry, run_json, run_start
from reports.drift_facts import BenchmarkFacts, DriftFacts, VersionFacts
from reports.drift_html import render_drift_html
from reports.drift_markdown import render_drift_markdown
from reports.drift_schema import DriftReport, VersionName
from reports.drift_summary import build_drift_report
from reports.render import render_json
from scanners.benchmark_terms import terms
from scanners.composition import composition, hypothesis
from scanners.domain_shares import CorrectedShares, corrected_shares
from scanners.domains import DomainDrift, domain_drift
from scanners.drift_policy import DriftPolicy
from scanners.exposure import Exposure, exposures
from scanners.tokens import VANISHED, TokenDrift, token_drift
from scanners.totals import Totals

RUN_SCHEMA: Final = "sluicegate.drift.run/1"
RESULT_FILES: Final = (
    "domains.parquet", "tokens.parquet", "exposure.parquet", "report.json", "summary.md",
    "report.html", "run.json",
)  # fmt: skip
GONE_TERMS: Final = 40  # of a benchmark, named in the report
DRIVERS: Final = 20


@dataclass(frozen=True, slots=True)
class DriftResult:
    """A finished comparison.

    The frames are the contents of the files of the same name; `complete` is False where something
    could not be read.
    """

    domains: pl.DataFrame
    tokens: pl.DataFrame
    exposure: pl.DataFrame
    report: DriftReport
    run: dict[str, Any]
    complete: bool


def drift(
    baseline: Sequence[str],
    candidate: Sequence[str],
    benchmarks: Sequence[str],
    settings: DriftSettings,
    *,
    tool_version: str,
    policy: DriftPolicy | None = None,
    read: Sequence[Benchmark] | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> DriftResult:
    """Compare two versions of a corpus; `read` are the benchmarks where somebody has read them already.

    Raises:
        CorpusError: where a corpus, the tokenizer, rules or examples are named wrongly or damaged, or
            a version holds no text.
        BenchmarkError: where a benchmark cannot be read whole.
        StoreError: where the store cannot be used.
    """
    clock = [time.time()]
    policy = policy or DriftPolicy(minimum_share=settings.minimum_share)
    unit = unit_of(settings)
    if read is None:
        fields = FieldMap.parse(settings.fields) if settings.fields else None
        read = read_benchmarks(benchmarks, fields) if benchmarks else []
    progress(Progress("preparing"))
    domains = domains_of(settings.domain_rules, settings.domain_examples, settings.seed)
    clock.append(time.time())
    versions = [
        profile_version(
            corpus,
            settings,
            unit.counted(),
            domains,
            tool_version=tool_version,
            stage=f"profiling {name}",
            progress=progress,
        )
        for name, corpus in (("baseline", baseline), ("candidate", candidate))
    ]
    _refuse_empty(versions)
    clock.append(time.time())
    progress(Progress("comparing"))
    counter = None if unit.tokenizer is None else TokenCounter(unit.tokenizer)
    items = [item_tokens(benchmark, counter) for benchmark in read]
    result = _compare(versions, items, unit, domains, settings, policy, tool_version)
    clock.append(time.time())
    result.run["timings"] = {
        stage: round(after - before, 3)
        for stage, before, after in zip(
            ("preparing_s", "profiling_s", "comparing_s"), clock, clock[1:], strict=False
        )
    }
    return result


def write_result(result: DriftResult, out: Path) -> None:
    """Write all files of a run into a folder; `run.json` comes last and means complete.

    Raises:
        OSError: where the folder cannot be written, with nothing half-written.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "run.json").unlink(missing_ok=True)  # the old result is no longer whole
    write_table(out / "domains.parquet", result.domains)
    write_table(out / "tokens.parquet", result.tokens)
    write_table(out / "exposure.parquet", result.exposure)
    write_text(out / "report.json", render_json(result.report))
    write_text(out / "summary.md", render_drift_markdown(result.report))
    write_text(out / "report.html", render_drift_html(result.report))
    write_text(out / "run.json", run_json(result.run))


def _refuse_empty(versions: Sequence[Version]) -> None:
    for version in versions:
        if version.profile.total("tokens") <= 0:
            raise CorpusError(
                f"{version.name}: holds no text that could be read; there is nothing to "
                "compare: check the path and --text"
            )


def _compare(
    versions: Sequence[Version],
    items: Sequence[ItemTokens],
    unit: Unit,
    domains: Domains,
    settings: DriftSettings,
    policy: DriftPolicy,
    tool_version: str,
) -> DriftResult:
    profiles = [version.profile for version in versions]
    old, new = totals_of(profiles[0], profiles[1], [tokens.keys for tokens in items])
    mix = domain_drift(old, new, policy, settings.seed)
    moved = token_drift(old, new, policy, settings.seed, settings.splits)
    name_of = unit.names(profiles)
    benchmarks = _benchmarks(items, old, new, mix, moved, name_of, policy, settings.seed)
    facts = DriftFacts(
        versions=(_facts("baseline", versions[0]), _facts("candidate", versions[1])),
        unit=unit.name,
        unit_digest=None if unit.tokenizer is None else unit.tokenizer.digest,
        normal_form=fingerprint(),
        policy=policy,
        seed=settings.seed,
        splits=settings.splits,
        source=domains.source,
        corrected=_corrected(domains, mix, old, new, settings.seed),
        domains=mix,
        amounts=np.stack([old.domain_tokens, new.domain_tokens], axis=1),
        tokens=moved,
        name_of=name_of,
        benchmarks=benchmarks,
        shapes=shapes_of(profiles[0], profiles[1], policy, settings.seed),
        copies=copies_of(profiles[0], profiles[1], policy),
        complete=all(version.is_complete(skip_bad=settings.skip_bad) for version in versions),
        tool_version=tool_version,
    )
    report = build_drift_report(facts)
    return DriftResult(
        domains=domains_frame(mix),
        tokens=tokens_frame(moved, mix.domains, name_of.series),
        exposure=exposure_frame(benchmarks),
        report=report,
        run=_run_record(versions, items, unit, domains, settings, report),
        complete=facts.complete,
    )


def _benchmarks(
    items: Sequence[ItemTokens],
    old: Totals,
    new: Totals,
    mix: DomainDrift,
    moved: TokenDrift,
    name_of: Callable[[np.ndarray], list[str]],
    policy: DriftPolicy,
    seed: int,
) -> list[BenchmarkFacts]:
    """Return the exposure of each benchmark that has tokens, by name."""
    counts = [tokens.counts(old.keys) for tokens in items]
    held = old.counts + new.counts
    moved_domains: np.ndarray = np.any(mix.alarm, axis=1)
    found = []
    for tokens, own, exposure in zip(
        items, counts, exposures(old, new, counts, policy, seed), strict=True
    ):
        if exposure is None:
            continue
        weights = composition(own.sum(axis=0), held)
        felt = exposure.change if exposure.alarm else 0.0
        gone = terms(own, old.keys, moved.table, VANISHED)[:GONE_TERMS]
        found.append(
            BenchmarkFacts(
                name=tokens.benchmark.name,
                items=len(tokens.benchmark.items),
                exposure=exposure,
                hypothesis=hypothesis(weights, old, new, moved_domains, felt),
                gone=tuple(name_of(moved.table.key[gone])),
                drivers=_drivers(exposure, old, new, name_of),
            )
        )
    return found


def _drivers(
    exposure: Exposure, old: Totals, new: Totals, name_of: Callable[[np.ndarray], list[str]]
) -> tuple[tuple[str, float], ...]:
    """Return the tokens that make most of a change, by name; those that neither version has have none."""
    held = (old.key_counts + new.key_counts) > 0
    bits = np.where(held, exposure.token_bits, 0.0)
    first = np.argsort(-np.abs(bits), kind="stable")[:DRIVERS]
    first = first[bits[first] != 0]
    return tuple(zip(name_of(old.keys[first]), bits[first].tolist(), strict=True))


def _corrected(
    domains: Domains, mix: DomainDrift, old: Totals, new: Totals, seed: int
) -> CorrectedShares | None:
    """Return a classifier's shares of documents without its confusions."""
    held_out = domains.source.held_out
    if held_out is None:
        return None
    counted = [
        np.array(
            [
                totals.domain_documents[mix.domains.index(name)] if name in mix.domains else 0.0
                for name in held_out.domains
            ]
        )
        for totals in (old, new)
    ]
    return corrected_shares(counted[0], counted[1], held_out, seed)


def _facts(name: VersionName, version: Version) -> VersionFacts:
    log = version.log
    return VersionFacts(
        version=name,
        name=version.name,
        shards=len(version.shards),
        shards_unread=version.shards_unread,
        documents=version.documents,
        bytes=version.bytes,
        words=version.words,
        tokens=version.tokens,
        weighted=version.is_weighted,
        bad_documents=log.bad_documents,
        problems=tuple(log.problems),
        n_problems=log.n_problems,
    )


def _run_record(
    versions: Sequence[Version],
    items: Sequence[ItemTokens],
    unit: Unit,
    domains: Domains,
    settings: DriftSettings,
    report: DriftReport,
) -> dict[str, Any]:
    """Return the content of run.json but for the timings: what was compared, and with what."""
    return run_start(RUN_SCHEMA, settings, report["tool"]["version"]) | {
        "parameters": report["parameters"],
        "complete": report["complete"],
        "unit": {"name": unit.name, "sha256": report["unit_digest"]},
        "domains": {
            "origin": domains.source.origin.value,
            "path": domains.source.file,
            "sha256": domains.source.digest,
            "note": report["origin"]["note"],
        },
        "benchmarks": [benchmark_entry(tokens.benchmark) for tokens in items],
        "read": {
            facts["version"]: {
                "shards": facts["shards"],
                "shards_unread": facts["shards_unread"],
                "documents": facts["documents"],
                "bytes": facts["bytes"],
                "words": facts["words"],
                "tokens": facts["tokens"],
                "bad_documents": facts["bad_documents"],
                "problems": dict(sorted(version.log.reasons.items())),
            }
            for version, facts in zip(versions, report["versions"], strict=True)
        },
        "shards": {
            facts["version"]: [asdict(shard) for shard in version.shards]
            for version, facts in zip(versions, report["versions"], strict=True)
        },
    }
