"""The public Python API: the pipelines with friendly arguments. No logic of its own.

What needs SciPy is imported when it is called: a scan would wait a quarter of a second for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import calibrate as calibration
from pipelines import clean as cleaning
from pipelines import duplicates as copies
from pipelines import index
from pipelines import scan as pipeline
from pipelines.audit_settings import AuditSettings
from pipelines.calibrate import CalibrationResult
from pipelines.clean import CleanResult
from pipelines.clean_settings import CleanSettings
from pipelines.drift_settings import DriftSettings
from pipelines.duplicate_settings import DuplicateSettings
from pipelines.duplicates import DuplicatesResult
from pipelines.gate_settings import GateSettings
from pipelines.index import Built, IndexSettings
from pipelines.mapping import Progress as PartsProgress
from pipelines.scan import Progress, ScanResult
from pipelines.settings import CalibrateSettings, ScanSettings
from sluicegate import __version__

if TYPE_CHECKING:
    from pipelines.audit import AuditResult
    from pipelines.drift import DriftResult
    from pipelines.gate import GateResult

PathLike = str | os.PathLike[str]


def scan(
    corpus: PathLike | Sequence[PathLike],
    benchmarks: PathLike | Sequence[PathLike],
    *,
    out: PathLike | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> ScanResult:
    """Find the items of benchmarks in a corpus.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them.
        benchmarks: files, folders, globs or hf:// URLs of benchmarks.
        out: folder for the result files; None writes none.
        progress: called as the scan goes on.
        settings: the fields of `pipelines.settings.ScanSettings`: text, id, domain, fields, jobs,
            scanners, calibration, paraphrases, skip_bad and others.

    Returns:
        The findings and item statuses as polars frames, with the report.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        BenchmarkError: where a benchmark cannot be read whole.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` cannot be written.
    """
    result = pipeline.scan(
        _listed(corpus),
        _listed(benchmarks),
        ScanSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )
    if out is not None:
        pipeline.write_result(result, Path(out))
    return result


def audit(
    corpus: PathLike | Sequence[PathLike],
    benchmarks: PathLike | Sequence[PathLike],
    *,
    scores: PathLike | Sequence[PathLike] = (),
    out: PathLike | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> AuditResult:
    """Tell which scores on benchmarks can be quoted, given what a corpus holds of them.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them; none with `store`.
        benchmarks: files, folders, globs or hf:// URLs of benchmarks.
        scores: files or folders of results by item.
        out: folder for the result files; None writes none.
        progress: called as the audit goes on.
        settings: the fields of `pipelines.audit_settings.AuditSettings`: those of a scan, and metric,
            reference_models, clean_models, all_versions, overlap, seed.

    Returns:
        The items, the gaps of each benchmark and model and the clean items as polars frames, with the
        report and the scan.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        BenchmarkError: where a benchmark or scores cannot be read whole, or do not belong together.
        StoreError: where the store or the version is not there or cannot be used.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` cannot be written.
    """
    from pipelines import audit as auditing

    result = auditing.audit(
        _listed(corpus),
        _listed(benchmarks),
        AuditSettings(scores=tuple(_listed(scores)), **settings),
        tool_version=__version__,
        progress=progress,
    )
    if out is not None:
        auditing.write_result(result, Path(out))
    return result


def calibrate(
    corpus: PathLike | Sequence[PathLike],
    benchmarks: PathLike | Sequence[PathLike],
    *,
    out: PathLike | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> CalibrationResult:
    """Measure what a scan of a corpus finds and misses, on leaks planted into documents drawn from it.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them; little of it is read.
        benchmarks: files, folders, globs or hf:// URLs of benchmarks.
        out: folder for the result files; None writes none.
        progress: called as the calibration goes on.
        settings: the fields of `pipelines.settings.CalibrateSettings`: those of a scan, with
            `calibration` "full" or "quick", and `seed`.

    Returns:
        The rates as a polars frame, with whether the battery passed and why not.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        BenchmarkError: where a benchmark or the file of paraphrases cannot be read whole.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` cannot be written.
    """
    result = calibration.calibrate(
        _listed(corpus),
        _listed(benchmarks),
        CalibrateSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )
    if out is not None:
        calibration.write_calibration(result, Path(out))
    return result


def build_index(
    corpus: PathLike | Sequence[PathLike],
    store: PathLike,
    *,
    progress: Callable[[PartsProgress], None] = lambda _: None,
    **settings: Any,
) -> Built:
    """Build what an index store lacks of a corpus; `scan([], benchmarks, store=...)` checks against it.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them.
        store: folder or URL of the store; made where there is none.
        progress: called as the build goes on.
        settings: the fields of `pipelines.index.IndexSettings`: text, id, domain, name, keep_text,
            verify, jobs.

    Returns:
        The manifest of the version and what was built, with the shards that could not be read.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where the store cannot be used, or has another version of this name.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where the store cannot be written.
    """
    return index.build_index(
        _listed(corpus),
        os.fspath(store),
        IndexSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )


def build_embeddings(
    corpus: PathLike | Sequence[PathLike],
    store: PathLike,
    *,
    model: PathLike = "static",
    device: str = "auto",
    codes: str = "sq8",
    progress: Callable[[PartsProgress], None] = lambda _: None,
    **settings: Any,
) -> Built:
    """Embed what an index store lacks of a corpus, so that scans of it find what items mean.

    The version of the index itself is made by `build_index`.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them.
        store: folder or URL of the store; made where there is none.
        model: "static" for the table that ships; else a sentence-transformers model, its name or folder.
        device: auto, cpu or cuda; static vectors are made on the processor.
        codes: how a vector is kept: "sq8", a byte a number, or "rabitq", a bit.
        progress: called as the build goes on.
        settings: the fields of `pipelines.index.IndexSettings`: text, id, domain, verify, jobs.

    Returns:
        The manifest of the version of embeddings and what was built.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where the store cannot be used.
        EncoderError: where a library, the model or the device is missing.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where the store cannot be written.
    """
    from pipelines import stored_embeddings

    return stored_embeddings.build_embeddings(
        _listed(corpus),
        os.fspath(store),
        IndexSettings(**settings),
        stored_embeddings.window_model(os.fspath(model), device),
        kind=codes,
        tool_version=__version__,
        progress=progress,
    )


def clean(
    corpus: PathLike | Sequence[PathLike],
    *,
    findings: PathLike,
    out: PathLike,
    progress: Callable[[PartsProgress], None] = lambda _: None,
    **settings: Any,
) -> CleanResult:
    """Write a copy of a corpus without what a scan of it found, scan the copy, and say what went.

    Args:
        corpus: what was scanned, named as it was then.
        findings: result folder of the finished scan.
        out: local folder; the copy is in `corpus` below it, or in `not-clean` if items are still found.
        progress: called as the cleaning goes on.
        settings: the fields of `pipelines.clean_settings.CleanSettings`: remove, status, mask, margin,
            jobs.

    Returns:
        The log of what went as a polars frame, with the report and the folder of the copy.

    Raises:
        CorpusError: where the findings are not of this corpus, or `out` holds something else.
        BenchmarkError: where a benchmark of the scan cannot be read.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where the corpus cannot be read or `out` cannot be written.
    """
    return cleaning.clean(
        _listed(corpus),
        Path(findings),
        Path(out),
        CleanSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )


def drift(
    baseline: PathLike | Sequence[PathLike],
    candidate: PathLike | Sequence[PathLike],
    *,
    benchmarks: PathLike | Sequence[PathLike] = (),
    out: PathLike | None = None,
    progress: Callable[[PartsProgress], None] = lambda _: None,
    **settings: Any,
) -> DriftResult:
    """Tell what moved between two versions: domain mix, token frequencies, exposure of benchmarks.

    Args:
        baseline: path, glob, folder, URL or mix.yaml of the version to compare with, or several.
        candidate: the same for the new version.
        benchmarks: files, folders, globs or hf:// URLs of benchmarks whose exposure is measured.
        out: folder for the result files; None writes none.
        progress: called as the comparison goes on.
        settings: the fields of `pipelines.drift_settings.DriftSettings`: text, id, domain,
            tokenizer, domain_rules, domain_examples, store, seed, splits, jobs, skip_bad and others.

    Returns:
        The changes as polars frames, with the report.

    Raises:
        CorpusError: where a corpus, the tokenizer, rules or examples are named wrongly or damaged.
        BenchmarkError: where a benchmark cannot be read whole.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` cannot be written.
    """
    from pipelines import drift as comparison

    result = comparison.drift(
        _listed(baseline),
        _listed(candidate),
        _listed(benchmarks),
        DriftSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )
    if out is not None:
        comparison.write_result(result, Path(out))
    return result


def gate(
    mix: PathLike,
    benchmarks: PathLike | Sequence[PathLike],
    *,
    against: PathLike | None = None,
    policy: PathLike | None = None,
    out: PathLike | None = None,
    today: date | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    parts_progress: Callable[[PartsProgress], None] = lambda _: None,
    **settings: Any,
) -> GateResult:
    """Judge a data mix by a policy: a scan for benchmarks and the drift from a baseline.

    Args:
        mix: mix.yaml, or path, glob, folder or URL of a corpus.
        benchmarks: files, folders, globs or hf:// URLs of benchmarks.
        against: the version to compare with; without it drift is not judged.
        policy: policy.yaml; None for the one that is shipped.
        out: folder for the result files; None writes none.
        today: which waivers have lapsed (default: today, UTC).
        progress: called as the scan goes on.
        parts_progress: called as indexing and profiling go on.
        settings: the fields of `pipelines.gate_settings.GateSettings`: text, id, domain, fields,
            scanners, calibration, tokenizer, store, seed, fail_on, jobs and others.

    Returns:
        The verdict with its reasons, and the scan and the comparison that it rests on.

    Raises:
        CorpusError: where a mix or the policy is named wrongly or has mistakes.
        BenchmarkError: where a benchmark cannot be read whole.
        StoreError: where the store cannot be used.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` or the store cannot be written.
    """
    from pipelines import gate as judgement

    result = judgement.gate(
        os.fspath(mix),
        None if against is None else os.fspath(against),
        None if policy is None else os.fspath(policy),
        _listed(benchmarks),
        GateSettings(**settings),
        today=today or datetime.now(UTC).date(),
        tool_version=__version__,
        progress=progress,
        parts_progress=parts_progress,
    )
    if out is not None:
        judgement.write_result(result, Path(out))
    return result


def duplicates(
    corpus: PathLike | Sequence[PathLike],
    against: PathLike | Sequence[PathLike] | None = None,
    *,
    out: PathLike | None = None,
    progress: Callable[[PartsProgress], None] = lambda _: None,
    **settings: Any,
) -> DuplicatesResult:
    """Find the exact and near duplicates within a corpus, and what two versions share.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them; with `against` the candidate.
        against: the same for the version to compare with, the baseline.
        out: folder for the result files; None writes none. Signatures are kept there while it runs,
            512 bytes a document and more, or else among the temporary files.
        progress: called as the search goes on.
        settings: the fields of `pipelines.duplicate_settings.DuplicateSettings`: text, id, domain,
            threshold, seed, jobs, skip_bad and others.

    Returns:
        The counts by domain as a polars frame, the report, and `duplicates()`, the copies.

    Raises:
        CorpusError: where a corpus is named wrongly or lacks the text column.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` cannot be written.
    """
    result = copies.find_duplicates(
        _listed(corpus),
        None if against is None else _listed(against),
        DuplicateSettings(**settings),
        tool_version=__version__,
        work_in=None if out is None else Path(out),
        progress=progress,
    )
    if out is not None:
        copies.write_result(result, Path(out))
    return result


def _listed(paths: PathLike | Sequence[PathLike]) -> list[str]:
    return [
        os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)
    ]
